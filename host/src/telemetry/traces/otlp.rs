//! Traces as OTLP's JSON: <https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>. Ids are written in
//! hexadecimal, 64-bit numbers as strings.

use std::time::{Instant, UNIX_EPOCH};

use serde_json::{Value as Json, json};

use super::recording::{Span, Trace, Value};

/// The body of a request to `/v1/traces`.
pub(super) fn request(traces: &[Box<Trace>]) -> String {
    let spans: Vec<Json> = traces.iter().flat_map(|trace| spans(trace)).collect();
    let version = env!("CARGO_PKG_VERSION");
    let resource = [("service.name", "pushgate"), ("service.version", version)];
    let resource = resource.map(|(name, value)| json!({ "key": name, "value": { "stringValue": value } }));
    json!({
        "resourceSpans": [{
            "resource": { "attributes": resource },
            "scopeSpans": [{ "scope": { "name": "pushgate", "version": version }, "spans": spans }],
        }],
    })
    .to_string()
}

const INTERNAL: u8 = 1;
const SERVER: u8 = 2;
const ERROR: u8 = 2;

fn spans(trace: &Trace) -> impl Iterator<Item = Json> {
    let root = span(trace, &trace.root, SERVER, trace.parent);
    let child = |child| span(trace, child, INTERNAL, Some(trace.root.id));
    [root].into_iter().chain(trace.children.iter().map(child))
}

fn span(trace: &Trace, span: &Span, kind: u8, parent: Option<u64>) -> Json {
    let (began, base) = trace.began;
    let nanos = |at: Instant| {
        let time = began + at.saturating_duration_since(base);
        time.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos().to_string()
    };
    let attribute = |(name, value): &(&str, Value)| {
        let value = match value {
            Value::Text(text) => json!({ "stringValue": text }),
            Value::Number(number) => json!({ "intValue": number.to_string() }),
        };
        json!({ "key": name, "value": value })
    };
    let mut json = json!({
        "traceId": format!("{:032x}", trace.id),
        "spanId": format!("{:016x}", span.id),
        "name": span.name,
        "kind": kind,
        "startTimeUnixNano": nanos(span.began),
        "endTimeUnixNano": nanos(span.ended),
        "attributes": span.attributes.iter().map(attribute).collect::<Vec<_>>(),
    });
    if let Some(parent) = parent {
        json["parentSpanId"] = format!("{parent:016x}").into();
    }
    if let Some(error) = &span.error {
        json["status"] = json!({ "code": ERROR, "message": error });
    }
    json
}
