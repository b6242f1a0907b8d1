//! The rules that are on, and what is exempt from them.

use std::borrow::Cow;

use pushgate_plugin::{Code, Pattern};

use crate::units::Unit;

/// The rules that are on.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) scope: Scope,
    pub(crate) help: bool,
    pub(crate) snake_case: bool,
    pub(crate) label_snake_case: bool,
    pub(crate) colons: bool,
    pub(crate) counter_suffix: bool,
    pub(crate) base_units: bool,
    pub(crate) abbreviated_units: bool,
    pub(crate) type_in_name: bool,
    pub(crate) reserved_suffixes: bool,
    pub(crate) reserved_labels: bool,
    pub(crate) duplicates: bool,
    pub(crate) allowed_units: Vec<String>,
    pub(crate) metric_pattern: Option<Pattern>,
    pub(crate) label_pattern: Option<Pattern>,
    pub(crate) max_metric_length: usize,
    pub(crate) max_label_length: usize,
    pub(crate) banned: Vec<Banned>,
    pub(crate) exempt: Vec<Exemption>,
    /// Codes of findings that refuse nothing.
    pub(crate) warn: Vec<String>,
}

/// How strict the rules are that promtool has as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// As strict as promtool.
    Promtool,
    /// Also about what it does not know.
    Beyond,
}

/// Metric names that may not be used.
#[derive(Debug)]
pub(crate) struct Banned {
    pub(crate) metric: Pattern,
    pub(crate) reason: String,
}

/// Metric names that rules are not applied to.
#[derive(Debug)]
pub(crate) struct Exemption {
    pub(crate) metric: Pattern,
    /// Codes; empty for all.
    pub(crate) codes: Vec<String>,
}

impl Rules {
    pub(crate) fn is_beyond(&self) -> bool {
        self.scope == Scope::Beyond
    }

    pub(crate) fn allows_unit(&self, unit: &Unit) -> bool {
        self.allowed_units.contains(&unit.word)
    }

    pub(crate) fn is_exempt(&self, name: &str, code: &Code) -> bool {
        let is_meant = |exemption: &Exemption| {
            exemption.codes.is_empty() || exemption.codes.iter().any(|exempt| exempt == code.id())
        };
        self.exempt.iter().any(|exemption| is_meant(exemption) && exemption.metric.is_match(name))
    }

    pub(crate) fn only_warns(&self, code: &Code) -> bool {
        self.warn.iter().any(|warn| warn == code.id())
    }
}

/// How names must start, for all jobs and for some.
#[derive(Debug)]
pub(crate) struct PrefixRules {
    pub(crate) general: Vec<String>,
    pub(crate) by_job: Vec<(Pattern, Vec<String>)>,
}

/// How the names of one job must start: with one of these. None means that any name will do.
#[derive(Debug)]
pub(crate) struct Prefixes<'r>(pub(crate) Vec<Cow<'r, str>>);

/// What stands for the job's name in a prefix.
pub(crate) const JOB: &str = "${job}";

impl PrefixRules {
    pub(crate) fn of_job(&self, job: &str) -> Prefixes<'_> {
        let own = self.by_job.iter().find(|(pattern, _)| pattern.is_match(job));
        let prefixes = own.map_or(&self.general, |(_, prefixes)| prefixes);
        Prefixes(prefixes.iter().map(|prefix| with_job(prefix, job)).collect())
    }
}

impl Prefixes<'_> {
    pub(crate) fn allow(&self, name: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|prefix| name.starts_with(prefix.as_ref()))
    }
}

/// A prefix for a job. What a metric's name cannot have of the job's is `_`, and capitals are small.
fn with_job<'r>(prefix: &'r str, job: &str) -> Cow<'r, str> {
    if !prefix.contains(JOB) {
        return Cow::Borrowed(prefix);
    }
    let legal = |of: char| if of.is_ascii_alphanumeric() { of.to_ascii_lowercase() } else { '_' };
    let job: String = job.chars().map(legal).collect();
    Cow::Owned(prefix.replace(JOB, &job))
}
