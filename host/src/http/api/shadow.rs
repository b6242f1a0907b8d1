//! What a candidate would have done differently.

use serde_json::{Value, json};

use crate::telemetry::{Difference, Opinion, ShadowReport, rfc3339_nano};

/// The data of the answer.
pub(super) fn data(plugin: &str, report: &ShadowReport) -> Value {
    let results: serde_json::Map<String, Value> =
        report.results.iter().map(|(result, count)| ((*result).to_owned(), Value::from(*count))).collect();
    json!({
        "plugin": plugin,
        "shadow_of": report.shadow_of,
        "results": results,
        "differences": report.differences.iter().map(|it| difference(it)).collect::<Vec<_>>(),
    })
}

fn difference(difference: &Difference) -> Value {
    let mut value = json!({
        "id": difference.id,
        "time": rfc3339_nano(difference.at),
        "group": difference.group,
        "result": difference.result,
        "live": opinion(&difference.policy),
        "shadow": opinion(&difference.candidate),
    });
    if difference.result == "edits" {
        value["lines"] = json!(difference.lines);
        value["more_lines"] = json!(difference.more_lines);
    }
    value
}

fn opinion(opinion: &Opinion) -> Value {
    let mut value = json!({ "decision": opinion.decision, "codes": opinion.codes, "fuel": opinion.fuel });
    if let Some(fault) = &opinion.fault {
        value["fault"] = json!(fault);
    }
    value
}
