//! Questions of a supervisor: is the process there, can it take pushes?

use http::header::{HeaderValue, X_CONTENT_TYPE_OPTIONS};
use http::{Response, StatusCode};

use super::payload::{self, Payload};
use super::route::Allow;

/// The answer to both questions: whoever can answer at all is healthy, and a gateway listens only once
/// everything it needs is loaded.
pub(super) fn ok() -> Response<Payload> {
    let mut response = payload::whole(StatusCode::OK, payload::TEXT, "OK");
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// The answer to OPTIONS.
pub(super) fn options(Allow(methods): Allow) -> Response<Payload> {
    let mut response = payload::empty(StatusCode::OK);
    response.headers_mut().insert(http::header::ALLOW, HeaderValue::from_static(methods));
    response
}
