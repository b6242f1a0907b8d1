//! Pushes that policies spoke against, as JSON. Members may be added; the ones that are here stay, as tools read them.
//!
//! Of each: `id`, `time` (RFC 3339), `method`, `group` (as pushed), `outcome` (`refused`, or `passed` where policies only
//! watch or are left out when they fail) and `judgements`, those of the policies that spoke against it, in the order
//! of the chain. Of each judgement: `plugin`, `version`, `mode`, `decision` (`rejected`, `would have rejected`,
//! `fault`) and `codes`. One that is asked for by its id has more in each judgement:
//!
//! - `fault`: what it failed of
//! - `findings`, as in the answer to the client, and `more_findings`, how many were not kept
//! - `config`: the policy's; absent where it is redacted or too long
//! - `group`: the group as the policy saw it
//! - `push`: `text`, the series that findings name and the first others; `series`, how many these are, `of` how many
//! - `edits`: what policies before it had changed: `plugin`, `changes` and `more`, how many edits were not kept. Of
//!   each change: `edit`, named as in `wit/types.wit`; `name` of the label or family; `to`, its new name; `value`, if the
//!   same was set everywhere; `series`, how many were touched.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::http::findings;
use crate::rejections::{Edits, Judgement, Rejection};
use crate::telemetry::rfc3339_nano;

/// All that are kept, in short, and how many there were since the start.
pub(super) fn list(kept: &[Arc<Rejection>], seen: u64) -> Value {
    let kept: Vec<_> = kept.iter().map(|rejection| one(rejection, in_short)).collect();
    json!({ "rejections": kept, "seen": seen })
}

/// One with everything.
pub(super) fn whole(rejection: &Rejection) -> Value {
    one(rejection, in_full)
}

fn one(rejection: &Rejection, judgement: impl Fn(&Judgement) -> Value) -> Value {
    json!({
        "id": rejection.id,
        "time": rfc3339_nano(rejection.at),
        "method": rejection.method,
        "group": rejection.group,
        "outcome": if rejection.passed { "passed" } else { "refused" },
        "judgements": rejection.judgements.iter().map(judgement).collect::<Vec<_>>(),
    })
}

fn in_short(judgement: &Judgement) -> Value {
    json!({
        "plugin": judgement.plugin,
        "version": judgement.version,
        "mode": judgement.mode,
        "decision": judgement.decision.as_str(),
        "codes": judgement.codes(),
    })
}

fn in_full(judgement: &Judgement) -> Value {
    let mut value = in_short(judgement);
    if let Some(fault) = &judgement.fault {
        value["fault"] = json!(fault);
    }
    value["findings"] = findings::json(&judgement.findings);
    value["more_findings"] = json!(judgement.more_findings);
    if let Some(config) = &judgement.config {
        // It was JSON when the plugin was given it.
        value["config"] = serde_json::from_str(config).unwrap_or_default();
    }
    let excerpt = &judgement.excerpt;
    value["group"] = json!(judgement.group);
    value["push"] = json!({ "text": excerpt.text, "series": excerpt.series, "of": excerpt.of });
    value["edits"] = judgement.edits.iter().map(edits).collect();
    value
}

fn edits(edits: &Edits) -> Value {
    let changes: Vec<_> = edits
        .changes
        .iter()
        .map(|change| {
            let mut value = Map::new();
            value.insert("edit".to_owned(), json!(change.edit));
            value.insert("name".to_owned(), json!(change.name));
            for (member, text) in [("to", &change.to), ("value", &change.value)] {
                value.extend(text.as_ref().map(|text| (member.to_owned(), json!(text))));
            }
            value.insert("series".to_owned(), json!(change.series));
            Value::Object(value)
        })
        .collect();
    json!({ "plugin": edits.plugin, "changes": changes, "more": edits.more })
}
