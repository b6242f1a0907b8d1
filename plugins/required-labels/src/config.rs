//! The options, and what they must be.

use pushgate_plugin::{Pattern, Pointer, Problems, quote};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::RequiredLabels;
use crate::place::On;
use crate::rule::{Ban, Banned, Hint, Jobs, Presence, Rule};
use crate::values::Values;

/// The options of `required-labels`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Config {
    /// Labels that must be there and not empty. A name alone allows any value.
    pub required: Vec<Required>,
    /// Labels that need not be there, but must have certain values where they are.
    pub allowed: Vec<Restricted>,
    /// Labels that must not be there. A name alone forbids it everywhere.
    pub forbidden: Vec<Forbidden>,
}

/// A label that must be there.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a label name, or a table with the key 'label'")]
pub enum Required {
    /// With any value, in the grouping key or on each series.
    Name(String),
    /// With all options.
    Table(RequiredTable),
}

/// A label that must be there, and more about it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequiredTable {
    /// The label's name.
    pub label: String,
    /// Where it must be.
    #[serde(default)]
    pub on: On,
    /// The values it may have.
    pub values: Option<Vec<String>>,
    /// An anchored regex on its value, in place of `values`.
    pub pattern: Option<String>,
    /// The value that it is given where it is missing.
    pub default: Option<String>,
    /// The jobs that it is for: an anchored regex.
    pub jobs: Option<String>,
    /// Added to the message, as in "see https://wiki/labels".
    pub hint: Option<String>,
}

/// A label that must have certain values where it is.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Restricted {
    /// The label's name.
    pub label: String,
    /// Where to look for it.
    #[serde(default)]
    pub on: On,
    /// The values it may have.
    pub values: Option<Vec<String>>,
    /// An anchored regex on its value, in place of `values`.
    pub pattern: Option<String>,
    /// The jobs that it is for: an anchored regex.
    pub jobs: Option<String>,
    /// Added to the message.
    pub hint: Option<String>,
}

/// A label that must not be there.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a label name, or a table with the key 'label' or 'label_pattern'")]
pub enum Forbidden {
    /// Neither in the grouping key nor on a series.
    Name(String),
    /// With all options.
    Table(ForbiddenTable),
}

/// A label that must not be there, and more about it.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ForbiddenTable {
    /// The label's name.
    pub label: Option<String>,
    /// An anchored regex on label names, in place of `label`.
    pub label_pattern: Option<String>,
    /// Where it must not be.
    pub on: On,
    /// The jobs that it is for: an anchored regex.
    pub jobs: Option<String>,
    /// Added to the message.
    pub hint: Option<String>,
}

impl Config {
    /// Checks everything and makes the policy.
    pub(crate) fn resolve(self) -> Result<RequiredLabels, Problems> {
        let mut problems = Problems::default();
        let mut rules = Vec::new();
        for (index, required) in self.required.into_iter().enumerate() {
            let (pointer, table) = (Pointer::default().key("required").index(index), required.into_table());
            let default = table.default;
            let restricted = Restricted {
                label: table.label,
                on: table.on,
                values: table.values,
                pattern: table.pattern,
                jobs: table.jobs,
                hint: table.hint,
            };
            let rule = restricted.resolve(Presence::Required, &pointer, &mut problems);
            rules.extend(rule.map(|rule| rule.with_default(default, &pointer.key("default"), &mut problems)));
        }
        for (index, restricted) in self.allowed.into_iter().enumerate() {
            let pointer = Pointer::default().key("allowed").index(index);
            if restricted.values.is_none() && restricted.pattern.is_none() {
                problems.add(pointer.clone(), "either 'values' or 'pattern' is needed");
            }
            rules.extend(restricted.resolve(Presence::Optional, &pointer, &mut problems));
        }
        let mut bans = Vec::new();
        for (index, forbidden) in self.forbidden.into_iter().enumerate() {
            let pointer = Pointer::default().key("forbidden").index(index);
            bans.extend(forbidden.into_table().resolve(&rules, &pointer, &mut problems));
        }
        problems.into_result()?;
        Ok(RequiredLabels { rules, bans })
    }
}

impl Required {
    fn into_table(self) -> RequiredTable {
        match self {
            Self::Table(table) => table,
            Self::Name(label) => RequiredTable {
                label,
                on: On::Any,
                values: None,
                pattern: None,
                default: None,
                jobs: None,
                hint: None,
            },
        }
    }
}

impl Restricted {
    fn resolve(self, presence: Presence, pointer: &Pointer, problems: &mut Problems) -> Option<Rule> {
        check_label_name(&self.label, &pointer.clone().key("label"), problems);
        if self.label == "job" && self.on == On::Series {
            problems.add(pointer.clone().key("on"), "'job' is in the grouping key, never on a series");
        }
        let values = resolve_values(self.values, self.pattern.as_deref(), pointer, problems)?;
        let jobs = resolve_jobs(self.jobs.as_deref(), pointer, problems)?;
        let hint = Hint(self.hint);
        Some(Rule { label: self.label, on: self.on, presence, values, default: None, jobs, hint })
    }
}

impl Rule {
    fn with_default(mut self, default: Option<String>, pointer: &Pointer, problems: &mut Problems) -> Self {
        if let Some(value) = &default {
            if value.is_empty() {
                problems.add(pointer.clone(), "a label with an empty value is no label");
            } else if !self.values.allow(value) {
                problems.add(pointer.clone(), format!("{} is not one of the allowed values", quote(value)));
            }
        }
        self.default = default;
        self
    }
}

fn resolve_jobs(jobs: Option<&str>, pointer: &Pointer, problems: &mut Problems) -> Option<Jobs> {
    match jobs {
        Some(jobs) => compile(jobs, pointer.clone().key("jobs"), problems).map(|jobs| Jobs(Some(jobs))),
        None => Some(Jobs(None)),
    }
}

impl Forbidden {
    fn into_table(self) -> ForbiddenTable {
        match self {
            Self::Table(table) => table,
            Self::Name(label) => ForbiddenTable { label: Some(label), ..ForbiddenTable::default() },
        }
    }
}

impl ForbiddenTable {
    fn resolve(self, rules: &[Rule], pointer: &Pointer, problems: &mut Problems) -> Option<Ban> {
        let label = match (self.label, self.label_pattern) {
            (Some(label), None) => {
                check_label_name(&label, &pointer.clone().key("label"), problems);
                Banned::Name(label)
            }
            (None, Some(pattern)) => {
                Banned::Pattern(compile(&pattern, pointer.clone().key("label_pattern"), problems)?)
            }
            _ => {
                problems.add(pointer.clone(), "either 'label' or 'label_pattern' is needed, and not both");
                return None;
            }
        };
        let jobs = resolve_jobs(self.jobs.as_deref(), pointer, problems)?;
        let ban = Ban { label, on: self.on, jobs, hint: Hint(self.hint) };
        if ban.hits("job") && ban.on.looks_at_grouping() {
            problems
                .add(pointer.clone(), "every push has the grouping label 'job', so none would be accepted");
        }
        let is_required = |rule: &&Rule| {
            rule.presence == Presence::Required
                && rule.on.overlaps(ban.on)
                && rule.jobs.overlap(&ban.jobs)
                && ban.hits(&rule.label)
        };
        if let Some(rule) = rules.iter().find(is_required).filter(|rule| rule.label != "job") {
            problems.add(pointer.clone(), format!("{} is required as well", quote(&rule.label)));
        }
        Some(ban)
    }
}

fn resolve_values(
    values: Option<Vec<String>>,
    pattern: Option<&str>,
    pointer: &Pointer,
    problems: &mut Problems,
) -> Option<Values> {
    match (values, pattern) {
        (None, None) => Some(Values::Any),
        (None, Some(pattern)) => {
            compile(pattern, pointer.clone().key("pattern"), problems).map(Values::Pattern)
        }
        (Some(values), None) => {
            let pointer = pointer.clone().key("values");
            if values.is_empty() {
                problems.add(pointer.clone(), "the list is empty, so no value would be allowed");
            }
            for (index, _) in values.iter().enumerate().filter(|(_, value)| value.is_empty()) {
                problems.add(pointer.clone().index(index), "a label with an empty value is no label");
            }
            Some(Values::list(values))
        }
        (Some(_), Some(_)) => {
            problems.add(pointer.clone(), "'values' and 'pattern' exclude each other");
            None
        }
    }
}

fn compile(pattern: &str, pointer: Pointer, problems: &mut Problems) -> Option<Pattern> {
    Pattern::new(pattern).map_err(|error| problems.add(pointer, format!("no regex: {error}"))).ok()
}

fn check_label_name(name: &str, pointer: &Pointer, problems: &mut Problems) {
    let starts_well = name.starts_with(|first: char| first == '_' || first.is_ascii_alphabetic());
    let is_legal = |character: char| character == '_' || character.is_ascii_alphanumeric();
    if !starts_well || !name.chars().all(is_legal) {
        problems.add(
            pointer.clone(),
            format!("{} is no label name; those match '[a-zA-Z_][a-zA-Z0-9_]*'", quote(name)),
        );
    }
}
