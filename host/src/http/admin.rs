//! Questions and wishes of a supervisor: is the process there, can it take pushes, is it to end?

use http::header::{ALLOW, HeaderValue, LOCATION, X_CONTENT_TYPE_OPTIONS};
use http::{Response, StatusCode};
use tracing::info;

use super::Http;
use super::error::Failure;
use super::payload::{self, Payload};
use super::route::{Allow, Redirect};

/// The answer to the first two: whoever can answer at all is healthy, and a gateway listens only once everything it
/// needs is loaded.
pub(super) fn ok() -> Response<Payload> {
    let mut response = payload::whole(StatusCode::OK, payload::TEXT, "OK");
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// Ends the gateway, if that is switched on. This request is one of those under way, which are finished.
pub(super) fn quit(http: &Http) -> Result<Response<Payload>, Failure> {
    if !http.lifecycle {
        return Err(Failure::NoLifecycle);
    }
    info!("asked to stop over HTTP");
    http.quit.notify_one();
    Ok(payload::whole(StatusCode::OK, payload::TEXT, "Requesting termination... Goodbye!"))
}

/// The answer to OPTIONS.
pub(super) fn options(Allow(methods): &Allow) -> Response<Payload> {
    with_header(StatusCode::OK, ALLOW, methods)
}

/// The way to what was meant.
pub(super) fn redirect(to: &Redirect) -> Response<Payload> {
    with_header(to.status, LOCATION, &to.location)
}

fn with_header(status: StatusCode, name: http::HeaderName, value: &str) -> Response<Payload> {
    let mut response = payload::empty(status);
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
    response
}
