//! PUT and POST: the body goes to ingest, and what comes of it is told.

use std::time::SystemTime;

use http::header::{HeaderValue, X_CONTENT_TYPE_OPTIONS};
use http::request::Parts;
use http::{HeaderMap, Response, StatusCode};
use hyper::body::{Body, Incoming};
use serde_json::json;

use super::accept::prefers_json;
use super::error::Failure;
use super::media_type::body_format;
use super::payload::{self, Payload};
use super::route::Change;
use super::{Http, findings};
use crate::ingest::{Method, PolicyFinding, PushRequest};

pub(super) async fn push(
    http: &Http,
    change: Change,
    path: &[u8],
    id: &str,
    head: &Parts,
    body: Incoming,
) -> Result<Response<Payload>, Failure> {
    let key = http.grouping_key(path)?;
    let body = http.bodies.read(&head.headers, body).await?;
    let method = match change {
        Change::Replace => Method::Put,
        Change::Merge => Method::Post,
    };
    let format = body_format(&head.headers, http.openmetrics_bodies);
    let received_at = SystemTime::now();
    let request = PushRequest { method, key, format, body, received_at, id: id.to_owned() };
    let accepted = http.ingest.push(request).await?;
    Ok(accepted_with(http.accepted, &accepted.findings, &head.headers))
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
    let mut response = if prefers_json(headers) {
        let body = format!("{}\n", json!({ "findings": findings::json(findings) }));
        payload::whole(status, HeaderValue::from_static("application/json"), body)
    } else {
        payload::whole(status, payload::TEXT, findings::lines(findings))
    };
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
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
