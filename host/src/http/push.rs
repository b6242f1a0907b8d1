//! PUT and POST: the body goes to ingest, and what comes of it is told.

use std::time::SystemTime;

use http::header::HeaderValue;
use http::request::Parts;
use http::{HeaderMap, Response, StatusCode};
use hyper::body::{Body, Incoming};
use serde_json::json;

use super::accept::prefers_json;
use super::body;
use super::caller::Caller;
use super::error::Failure;
use super::media_type::body_format;
use super::payload::{self, Payload};
use super::route::Change;
use super::{Http, RESTORE, findings, wish};
use crate::ingest::{Method, PolicyFinding, PushRequest};
use crate::store::Times;
use crate::telemetry::Parent;

pub(super) async fn push(
    http: &Http,
    change: Change,
    path: &[u8],
    id: &str,
    caller: Caller<'_>,
    head: &Parts,
    body: Incoming,
) -> Result<Response<Payload>, Failure> {
    let named = || {
        let key = http.grouping_key(path)?;
        // A group that is there already, from when more was taken, can still be removed.
        http.keys.check(&key)?;
        let wish = wish::of(&head.headers, head.uri.query())?;
        Ok((key, restored_times(http, change, &head.headers)?, wish))
    };
    let (key, restore, wish) = match named() {
        Ok(named) => named,
        Err(failure) => {
            body::linger(&head.headers, body);
            return Err(failure);
        }
    };
    let body = http.bodies.read(&head.headers, body).await?;
    let method = match change {
        Change::Replace => Method::Put,
        Change::Merge => Method::Post,
    };
    let format = body_format(&head.headers, http.openmetrics_bodies);
    let received_at = SystemTime::now();
    let policies = http.ingest.policies();
    let request = PushRequest {
        method,
        key,
        format,
        body,
        received_at,
        restore,
        wish,
        id: id.to_owned(),
        parent: parent(&head.headers),
        attributes: caller.attributes(&policies.told),
    };
    let accepted = http.ingest.push(policies, request).await.map_err(|error| http.not_taken(error, id))?;
    let mut response = accepted_with(http.accepted, &accepted.findings, &head.headers);
    response.headers_mut().extend(accepted.ttl.map(wish::answer));
    Ok(response)
}

/// The span of the client's that a request is a part of.
pub(super) fn parent(headers: &HeaderMap) -> Option<Parent> {
    Parent::read(headers.get("traceparent")?.as_bytes())
}

/// The times of a group that comes from another gateway, if that is what is pushed.
fn restored_times(http: &Http, change: Change, headers: &HeaderMap) -> Result<Option<Times>, Failure> {
    let Some(value) = headers.get(RESTORE) else { return Ok(None) };
    if !http.admin_api {
        return Err(Failure::NoImport);
    }
    let times = value.to_str().ok().and_then(read_times).filter(|_| change == Change::Replace);
    times.map(Some).ok_or(Failure::BadRestore)
}

/// Reads `push=1.5e9, failure=0`.
fn read_times(value: &str) -> Option<Times> {
    let (push, failure) = value.split_once(',')?;
    let time = |text: &str, name: &str| {
        let seconds: f64 = text.trim().strip_prefix(name)?.strip_prefix('=')?.parse().ok()?;
        (seconds.is_finite() && seconds >= 0.0).then_some(seconds)
    };
    Some(Times { push: time(push, "push")?, failure: time(failure, "failure")?, wish: None })
}

/// How many bytes a request is, as the original counts them: without the blanks and line ends of the head, and without
/// a body whose length was not announced.
pub(super) fn size(head: &Parts, body: &Incoming) -> u64 {
    let url = head.uri.path_and_query().map_or(0, |url| url.as_str().len());
    let headers: usize = head.headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    let line = url + head.method.as_str().len() + "HTTP/1.1".len();
    (line + headers) as u64 + body.size_hint().exact().unwrap_or_default()
}

/// No body, as clients know it; findings when a policy let something pass with a warning.
fn accepted_with(status: StatusCode, findings: &[PolicyFinding], headers: &HeaderMap) -> Response<Payload> {
    if findings.is_empty() {
        return payload::empty(status);
    }
    if prefers_json(headers) {
        let body = format!("{}\n", json!({ "findings": findings::json(findings) }));
        payload::whole(status, HeaderValue::from_static("application/json"), body)
    } else {
        payload::whole(status, payload::TEXT, findings::lines(findings))
    }
}

#[cfg(test)]
mod tests {
    use http::header::{ACCEPT, CONTENT_TYPE};

    use super::*;

    fn told(findings: &[PolicyFinding], accept: &str) -> (Option<HeaderValue>, String) {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, accept.parse().unwrap());
        let response = accepted_with(StatusCode::OK, findings, &headers);
        assert_eq!(response.status(), 200);
        let media_type = response.headers().get(CONTENT_TYPE).cloned();
        let body: Vec<u8> = response.into_body().into_chunks().flatten().collect();
        (media_type, String::from_utf8(body).unwrap())
    }

    #[test]
    fn times_of_a_restored_group() {
        let times = |push, failure| Some(Times { push, failure, wish: None });
        assert_eq!(read_times("push=1.5e9, failure=0"), times(1.5e9, 0.0));
        assert_eq!(read_times("push=0.0,failure=2"), times(0.0, 2.0));
        for value in ["", "push=1", "push=1, failure=NaN", "push=-1, failure=0", "failure=1, push=0", "1, 2"]
        {
            assert_eq!(read_times(value), None, "{value}");
        }
    }

    #[test]
    fn an_accepted_push_tells_its_findings_only() {
        assert_eq!(told(&[], "*/*"), (None, String::new()));
        let finding = PolicyFinding {
            plugin: "p".to_owned(),
            code: "p/c".to_owned(),
            metric: None,
            series: None,
            label: None,
            message: "m".to_owned(),
        };
        let text = HeaderValue::from_static("text/plain; charset=utf-8");
        assert_eq!(told(std::slice::from_ref(&finding), "*/*"), (Some(text), "p: p/c: m\n".to_owned()));
        let (media_type, body) = told(&[finding], "application/json");
        assert_eq!(media_type, Some(HeaderValue::from_static("application/json")));
        assert_eq!(body, "{\"findings\":[{\"code\":\"p/c\",\"message\":\"m\",\"plugin\":\"p\"}]}\n");
    }
}
