//! PUT and POST: the body goes to ingest, and what comes of it is told.

use std::time::SystemTime;

use http::header::{HeaderValue, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, Response, StatusCode};
use hyper::body::Incoming;
use pushgate_exposition::GroupingKey;
use serde_json::json;

use super::accept::prefers_json;
use super::error::Failure;
use super::payload::{self, Payload};
use super::route::Change;
use super::{Http, findings};
use crate::ingest::{Method, PolicyFinding, PushRequest};

pub(super) async fn push(
    http: &Http,
    change: Change,
    key: GroupingKey,
    id: &str,
    headers: &HeaderMap,
    body: Incoming,
) -> Result<Response<Payload>, Failure> {
    let body = http.bodies.read(headers, body).await?;
    let method = match change {
        Change::Replace => Method::Put,
        Change::Merge => Method::Post,
    };
    let request = PushRequest { method, key, body, received_at: SystemTime::now(), id: id.to_owned() };
    let accepted = http.ingest.push(request).await?;
    Ok(accepted_with(&accepted.findings, headers))
}

/// 200 without a body, as clients know it; with findings when a policy let something pass with a warning.
fn accepted_with(findings: &[PolicyFinding], headers: &HeaderMap) -> Response<Payload> {
    if findings.is_empty() {
        return payload::empty(StatusCode::OK);
    }
    let mut response = if prefers_json(headers) {
        let body = format!("{}\n", json!({ "findings": findings::json(findings) }));
        payload::whole(StatusCode::OK, HeaderValue::from_static("application/json"), body)
    } else {
        payload::whole(StatusCode::OK, payload::TEXT, findings::lines(findings))
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
        let response = accepted_with(findings, &headers);
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
