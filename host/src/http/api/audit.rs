//! What a policy would say to everything that is stored, as JSON.
//!
//! `plugin`, `mode`; `summary`, a sentence for people; `groups`, how many were stored; `looked_at`, how many there was
//! time for, and whether these are all (`complete`); `results`, the number of groups by what it would decide
//! (`accept`, `mutate`, `reject`, `fault`); `against`, the groups that it would reject or fails on, a thousand or some
//! 4 MiB at the most, each with its `group`, `decision` (`reject`, `fault`) and what is told of a rejection: `findings`,
//! `more_findings`, `push`, `fault`.

use serde_json::{Value, json};

use crate::audit::Audit;
use crate::http::findings;
use crate::ingest::Standing;
use crate::rejections::{Decision, Rejection};

/// The data of the answer.
pub(super) fn data(plugin: &Standing, audit: &Audit) -> Value {
    json!({
        "plugin": plugin.name,
        "mode": plugin.mode,
        "summary": summary(plugin, audit),
        "groups": audit.groups,
        "looked_at": audit.looked_at,
        "complete": audit.is_complete(),
        "results": {
            "accept": audit.accepted,
            "mutate": audit.changed,
            "reject": audit.rejected,
            "fault": audit.faults,
        },
        "against": audit.against.iter().map(group).collect::<Vec<_>>(),
    })
}

fn summary(plugin: &Standing, audit: &Audit) -> String {
    let looked_at = match audit.is_complete() {
        true => format!("{} groups that are stored", audit.groups),
        false => format!("first {} of {} groups that are stored", audit.looked_at, audit.groups),
    };
    format!(
        "in mode enforce '{}' would reject {}, change {} and fail on {} of the {looked_at}",
        plugin.name, audit.rejected, audit.changed, audit.faults
    )
}

fn group(rejection: &Rejection) -> Value {
    let mut value = json!({ "group": rejection.group });
    if let Some(judgement) = rejection.last() {
        let is_fault = judgement.decision == Decision::Fault;
        value["decision"] = json!(if is_fault { "fault" } else { "reject" });
        if let Some(fault) = &judgement.fault {
            value["fault"] = json!(fault);
        }
        value["findings"] = findings::json(&judgement.findings);
        value["more_findings"] = json!(judgement.more_findings);
        let excerpt = &judgement.excerpt;
        value["push"] = json!({ "text": excerpt.text, "series": excerpt.series, "of": excerpt.of });
    }
    value
}
