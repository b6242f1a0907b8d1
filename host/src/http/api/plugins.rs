//! The configured policies, as JSON. Members may be added; the ones that are here stay, as tools read them.
//!
//! Of each, in the order of the configuration: `name`, `state` (`running`; `suspended`, for the jobs that are listed;
//! `off`, as is a candidate beside a policy that is off), `mode` (`enforce`, `monitor`, `shadow`, `off`), `shadow_of` of a
//! candidate, which has the `match` of that policy, `fail`, `plugin` and `version` (what the plugin calls itself), `digest`, `source`,
//! `capabilities` (what it can do) and `grants` (what it may), `match` (patterns by grouping label), `limits` (named as
//! in the configuration; bytes and seconds), `suspended` (`job`, `since`, `until`, `faults`), `last_faults` (`time`,
//! `job`, `kind`, `message`; the newest first), and what is counted since it was loaded, in the words of the metrics:
//! `evaluations`, `faults`, `skipped`; `duration_seconds` and `fuel` with their `p50` and `p99`, absent before the first
//! call; `memory_peak_bytes`, `instances`. A candidate has no counts: `/diff` tells of it.
//!
//! One that is asked for by its name has `summary`, `codes` (`code`, `meaning`), `config_schema` and `warnings`
//! (`pointer`, `message`) as well. Its configuration is not told, as it may hold secrets.

use pushgate_plugin_host::{API, Limits, PastFault, Suspended};
use serde_json::{Map, Value, json};

use crate::ingest::Policies;
use crate::policies::Member;
use crate::telemetry::{PluginCounts, rfc3339_nano};

/// All of them, in short.
pub(super) fn list(policies: &Policies) -> Value {
    let members = policies.roster.members();
    json!({ "plugins": members.map(|member| one(policies, member)).collect::<Vec<_>>() })
}

/// One with everything.
pub(super) fn whole(policies: &Policies, member: &Member) -> Value {
    let mut value = one(policies, member);
    let manifest = member.plugin.manifest();
    value["summary"] = json!(manifest.summary);
    value["codes"] =
        manifest.codes.iter().map(|code| json!({ "code": code.id, "meaning": code.meaning })).collect();
    // A plugin's schema is its own words: what is no JSON is told as text.
    value["config_schema"] = match &manifest.config_schema {
        Some(schema) => serde_json::from_str(schema).unwrap_or_else(|_| json!(schema)),
        None => Value::Null,
    };
    let warnings = member.plugin.warnings().iter();
    value["warnings"] = warnings.map(|it| json!({ "pointer": it.pointer, "message": it.message })).collect();
    value
}

fn one(policies: &Policies, member: &Member) -> Value {
    let Member { policy, scope, plugin } = member;
    let standing = policies.standing(member);
    let mut value = json!({
        "name": standing.name,
        "state": standing.state(),
        "mode": standing.mode,
        "fail": standing.fail,
        "plugin": standing.plugin,
        "version": standing.version,
        "api": API,
        "digest": standing.digest,
        "source": standing.source,
        "capabilities": names(plugin.capabilities()),
        "grants": names(&policy.grants),
        "limits": limits(&policy.limits),
        "suspended": standing.suspended.iter().map(suspension).collect::<Vec<_>>(),
        "last_faults": standing.last_faults.iter().map(fault).collect::<Vec<_>>(),
        "memory_peak_bytes": plugin.memory_peak(),
    });
    for (key, what) in scope.shown() {
        value[key] = what;
    }
    if let Some(other) = &standing.shadow_of {
        value["shadow_of"] = json!(other);
    }
    let instances = plugin.instances();
    value["instances"] = json!({ "busy": instances.busy, "idle": instances.idle });
    if let Some(counts) = &standing.counts {
        add_counts(&mut value, counts);
    }
    value
}

fn names<T: ToString>(all: &[T]) -> Vec<String> {
    all.iter().map(ToString::to_string).collect()
}

fn add_counts(value: &mut Value, counts: &PluginCounts) {
    let by_name = |counts: &[(&str, u64)]| {
        Value::Object(counts.iter().map(|(name, count)| ((*name).to_owned(), json!(count))).collect())
    };
    value["evaluations"] = by_name(&counts.evaluations);
    value["faults"] = by_name(&counts.faults);
    value["skipped"] = by_name(&counts.skipped);
    for (name, quantiles) in [("duration_seconds", counts.duration), ("fuel", counts.fuel)] {
        if let Some([p50, p99]) = quantiles {
            value[name] = json!({ "p50": p50, "p99": p99 });
        }
    }
}

fn suspension(suspended: &Suspended) -> Value {
    json!({
        "job": suspended.job,
        "since": rfc3339_nano(suspended.since),
        "until": rfc3339_nano(suspended.until),
        "faults": suspended.faults,
    })
}

fn fault(fault: &PastFault) -> Value {
    json!({ "time": rfc3339_nano(fault.at), "job": fault.job, "kind": fault.kind, "message": fault.message })
}

fn limits(limits: &Limits) -> Value {
    let rows = [
        ("fuel_base", json!(limits.fuel_base)),
        ("fuel_per_series", json!(limits.fuel_per_series)),
        ("deadline", json!(limits.deadline.as_secs_f64())),
        ("memory", json!(limits.memory)),
        ("max_log_lines", json!(limits.log_lines)),
        ("max_findings", json!(limits.findings)),
        ("edits_base", json!(limits.edits_base)),
        ("edits_per_series", json!(limits.edits_per_series)),
        ("symbols_base", json!(limits.symbols_base)),
        ("symbols_per_series", json!(limits.symbols_per_series)),
        ("max_symbol_length", json!(limits.symbol_length)),
        ("data_base", json!(limits.data_base)),
        ("data_per_series", json!(limits.data_per_series)),
        ("instances", json!(limits.warm_instances)),
    ];
    Value::Object(rows.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Map<_, _>>())
}
