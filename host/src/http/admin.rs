//! Questions and wishes of a supervisor: is the process there, can it take pushes, is it to end, is it to change?

use http::header::{ALLOW, HeaderValue, LOCATION};
use http::{Response, StatusCode};
use tracing::info;

use super::Http;
use super::error::Failure;
use super::payload::{self, Payload};
use super::route::{Allow, Redirect};
use crate::reload::Trigger;

/// The answer to the first two: whoever can answer at all is healthy, and a gateway listens only once everything it
/// needs is loaded.
pub(super) fn ok() -> Response<Payload> {
    payload::whole(StatusCode::OK, payload::TEXT, "OK")
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

/// Has the configuration read again, if that is switched on, and answers when that is done.
pub(super) async fn reload(http: &Http) -> Result<Response<Payload>, Failure> {
    if !http.lifecycle {
        return Err(Failure::NoLifecycle);
    }
    let reload = http.reloads.ask(Trigger::Request).await.map_err(|_| Failure::NoReloads)?;
    match &reload.outcome {
        Ok(waiting) if waiting.is_empty() => Ok(told("configuration reloaded\n".to_owned())),
        Ok(waiting) => {
            let keys = waiting.join(", ");
            Ok(told(format!("configuration reloaded, but for changes that wait for a restart: {keys}\n")))
        }
        Err(reason) => Err(Failure::NotReloaded(reason.clone())),
    }
}

fn told(text: String) -> Response<Payload> {
    payload::whole(StatusCode::OK, payload::TEXT, text)
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
