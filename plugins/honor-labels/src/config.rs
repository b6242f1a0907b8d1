//! The options, and what they must be.

use std::collections::BTreeMap;

use pushgate_plugin::{Network, NetworkError, Pattern, Pointer, Problems, quote};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::HonorLabels;
use crate::allow::{Allowed, OTHERS, Row};
use crate::caller::{Caller, Fact, NETWORK, Values};
use crate::names::Reserved;
use crate::target::Target;

/// The options of `honor-labels`. Without any, everybody may push what is not reserved.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Config {
    /// The labels that Prometheus gives this gateway as its target: `job`, `instance`, and those of `static_configs`.
    pub target_labels: BTreeMap<String, String>,
    /// Series may have an `instance` of their own, beside that of the grouping key.
    pub instance_on_series: bool,
    /// Jobs that nobody may push: anchored regexes. The `job` of `target_labels` is another one.
    pub reserved_jobs: Vec<String>,
    /// Metrics that nobody may push: anchored regexes.
    pub reserved_metrics: Vec<String>,
    /// Labels that nobody may push, in the grouping key or on series: anchored regexes.
    pub reserved_labels: Vec<String>,
    /// What callers may push. Empty: everybody may push everything else.
    pub allow: Vec<Allow>,
    /// Tell with each push that is accepted what Prometheus will store of it.
    pub preview: bool,
}

/// What some callers may push. A push must be allowed by one entry.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Allow {
    /// Who: anchored regexes on attributes of the caller, and networks on `network`. All must match.
    pub caller: BTreeMap<String, OneOrMore>,
    /// Anchored regexes on the grouping label `job`; one must match.
    pub jobs: OneOrMore,
    /// Anchored regexes on the other labels of the grouping key, by name; `*` is for all that are not named.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
}

/// One or a list.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a string or a list of strings")]
pub enum OneOrMore {
    /// One.
    One(String),
    /// Any of these.
    More(Vec<String>),
}

impl Default for Config {
    fn default() -> Self {
        let strings = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect();
        Self {
            target_labels: BTreeMap::new(),
            instance_on_series: false,
            reserved_jobs: strings(&["prometheus", "alertmanager", "pushgateway", "pushgate"]),
            reserved_metrics: strings(&[
                "up",
                "scrape_.*",
                "ALERTS",
                "ALERTS_FOR_STATE",
                "push_time_seconds",
                "push_failure_time_seconds",
                "prometheus_.*",
                "alertmanager_.*",
                // Recording rules.
                ".*:.*",
            ]),
            reserved_labels: strings(&["exported_.*"]),
            allow: Vec::new(),
            preview: false,
        }
    }
}

impl Config {
    /// Checks everything and makes the policy.
    pub(crate) fn resolve(self) -> Result<HonorLabels, Problems> {
        let root = Pointer::default();
        let mut problems = Problems::default();
        let labels = target_labels(self.target_labels, &root.clone().key("target_labels"), &mut problems);
        let mut reserved = |names: Vec<String>, key: &str| {
            patterns(OneOrMore::More(names).entries(&root.clone().key(key)), &mut problems)
        };
        let reserved = Reserved {
            jobs: reserved(self.reserved_jobs, "reserved_jobs"),
            own_job: labels["job"].clone(),
            metrics: reserved(self.reserved_metrics, "reserved_metrics"),
            labels: reserved(self.reserved_labels, "reserved_labels"),
        };
        let rows = self.allow.into_iter().enumerate();
        let rows =
            rows.map(|(index, allow)| allow.resolve(&root.clone().key("allow").index(index), &mut problems));
        let allowed = Allowed(rows.collect());
        problems.into_result()?;
        let target = Target { labels, instance_on_series: self.instance_on_series };
        Ok(HonorLabels { allowed, reserved, target, preview: self.preview })
    }
}

/// Prometheus always has these two.
fn target_labels(
    mut labels: BTreeMap<String, String>,
    pointer: &Pointer,
    problems: &mut Problems,
) -> BTreeMap<String, String> {
    for (name, value) in &labels {
        check_label_name(name, pointer, problems);
        if value.is_empty() {
            problems.add(pointer.clone().key(name), "a label with an empty value is no label");
        }
    }
    for (name, value) in [("job", "pushgate"), ("instance", "localhost:9091")] {
        labels.entry(name.to_owned()).or_insert_with(|| value.to_owned());
    }
    labels
}

impl Allow {
    fn resolve(self, pointer: &Pointer, problems: &mut Problems) -> Row {
        let caller_pointer = pointer.clone().key("caller");
        if self.caller.is_empty() {
            problems.add(caller_pointer.clone(), "name at least one attribute of the caller, such as 'user'");
        }
        let mut facts = Vec::new();
        for (attribute, values) in self.caller {
            let pointer = caller_pointer.clone().key(&attribute);
            check_attribute(&attribute, &pointer, problems);
            let entries = values.some_entries(&pointer, problems);
            let values = if attribute == NETWORK {
                Values::Networks(networks(entries, problems))
            } else {
                Values::Patterns(patterns(entries, problems))
            };
            facts.push(Fact { attribute, values });
        }
        let jobs = self.jobs.some_entries(&pointer.clone().key("jobs"), problems);
        let jobs = patterns(jobs, problems);
        let mut labels = BTreeMap::new();
        for (name, source) in self.labels {
            let pointer = pointer.clone().key("labels");
            match name.as_str() {
                OTHERS => {}
                "job" => problems.add(pointer.clone().key(&name), "write the patterns of 'job' under 'jobs'"),
                _ => check_label_name(&name, &pointer, problems),
            }
            let pattern = pattern(&source, pointer.key(&name), problems);
            labels.extend(pattern.map(|pattern| (name, pattern)));
        }
        Row { caller: Caller(facts), jobs, labels }
    }
}

/// A text of the configuration, and where it stands.
type Entry = (Pointer, String);

impl OneOrMore {
    fn entries(self, pointer: &Pointer) -> Vec<Entry> {
        match self {
            Self::One(one) => vec![(pointer.clone(), one)],
            Self::More(more) => {
                (0..).zip(more).map(|(index, text)| (pointer.clone().index(index), text)).collect()
            }
        }
    }

    fn some_entries(self, pointer: &Pointer, problems: &mut Problems) -> Vec<Entry> {
        let entries = self.entries(pointer);
        if entries.is_empty() {
            problems.add(pointer.clone(), "the list is empty, so nothing would match");
        }
        entries
    }
}

fn check_attribute(name: &str, pointer: &Pointer, problems: &mut Problems) {
    let is_header = |header: &str| {
        !header.is_empty() && header.bytes().all(|byte| byte.is_ascii_graphic() && !byte.is_ascii_uppercase())
    };
    if !matches!(name, "user" | "tls-san" | NETWORK) && !name.strip_prefix("header:").is_some_and(is_header) {
        let message = format!(
            "{} is no attribute of a caller; those are 'user', 'tls-san', 'network' and, in lower case, 'header:<name>'",
            quote(name)
        );
        problems.add(pointer.clone(), message);
    }
}

fn networks(entries: Vec<Entry>, problems: &mut Problems) -> Vec<Network> {
    let parse = |(pointer, text): Entry| {
        text.parse().map_err(|error: NetworkError| problems.add(pointer, error.to_string())).ok()
    };
    entries.into_iter().filter_map(parse).collect()
}

fn patterns(entries: Vec<Entry>, problems: &mut Problems) -> Vec<Pattern> {
    entries.into_iter().filter_map(|(pointer, source)| pattern(&source, pointer, problems)).collect()
}

fn pattern(source: &str, pointer: Pointer, problems: &mut Problems) -> Option<Pattern> {
    Pattern::new(source).map_err(|error| problems.add(pointer, format!("no regex: {error}"))).ok()
}

fn check_label_name(name: &str, pointer: &Pointer, problems: &mut Problems) {
    let starts_well = name.starts_with(|first: char| first == '_' || first.is_ascii_alphabetic());
    let is_legal = |character: char| character == '_' || character.is_ascii_alphanumeric();
    if !starts_well || !name.chars().all(is_legal) {
        let message = format!("{} is no label name; those match '[a-zA-Z_][a-zA-Z0-9_]*'", quote(name));
        problems.add(pointer.clone().key(name), message);
    }
}
