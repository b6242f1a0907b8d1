//! The page for people, and the files that it needs.

use http::header::HeaderValue;
use http::{Response, StatusCode};

use super::Http;
use super::error::Failure;
use super::payload::{self, Payload};

/// What is stored and how the gateway runs.
pub(super) async fn page(_: &Http) -> Response<Payload> {
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    payload::whole(StatusCode::OK, html, "<!DOCTYPE html>\n<title>Pushgateway</title>\n")
}

/// A file of the page, by its decoded path below `/static/`.
pub(super) fn file(_: &[u8]) -> Result<Response<Payload>, Failure> {
    Err(Failure::NotFound)
}
