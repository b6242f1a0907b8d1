//! The options, and what they must be.

use pushgate_plugin::{Code, Pattern, Pointer, Problems, quote};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::rules::{Banned, Exemption, JOB, PrefixRules, Rules, Scope};
use crate::snake_case::is_snake_case;
use crate::{CODES, Naming, units};

/// The options of `naming`. Without any, the rules are on that can be told from names alone, and names may start as they
/// like.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Config {
    /// Metrics have a HELP text.
    pub help: bool,
    /// Metric names are lower-case letters, digits and `_`.
    pub snake_case: bool,
    /// Label names are lower-case letters, digits and `_`.
    pub label_snake_case: bool,
    /// Metric names have no `:`.
    pub colons: bool,
    /// Names of counters end in `_total`, and those of other types do not.
    pub counter_suffix: bool,
    /// Units in names are base units: `_seconds`, not `_minutes`.
    pub base_units: bool,
    /// Units in names are written out: `_seconds`, not `_s`.
    pub abbreviated_units: bool,
    /// Names do not say the type: no `_counter`.
    pub type_in_name: bool,
    /// `_bucket`, `_sum` and `_count` are left to histograms and summaries.
    pub reserved_suffixes: bool,
    /// The labels `le` and `quantile` are left to histograms and summaries.
    pub reserved_labels: bool,
    /// No series is there twice. The gateway itself refuses those as well.
    pub duplicates: bool,
    /// Only what `promtool check metrics` reports is refused by these rules.
    pub promtool_only: bool,
    /// Codes that refuse nothing and are said to whoever pushes, as in `["naming/base-unit"]`.
    pub warn: Vec<String>,
    /// How names must start; one of these. `${job}` is the name of the job. Empty: any way.
    pub prefixes: Vec<String>,
    /// The same for some jobs, in place of `prefixes`. The first entry that matches counts.
    pub job_prefixes: Vec<JobPrefixes>,
    /// Units that are no base units, or abbreviated, and still allowed, as in `["percent"]`.
    pub allowed_units: Vec<String>,
    /// What metric names must match: an anchored regex.
    pub metric_pattern: Option<String>,
    /// What label names must match: an anchored regex.
    pub label_pattern: Option<String>,
    /// How many characters a metric name may have.
    pub max_metric_length: Option<usize>,
    /// How many characters a label name may have.
    pub max_label_length: Option<usize>,
    /// Metric names that may not be used.
    pub banned: Vec<BannedConfig>,
    /// Metric names that rules are not applied to: anchored regexes, or each with the reason and some codes only.
    pub exempt: Vec<Exempt>,
}

/// Metric names that may not be used.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BannedConfig {
    /// An anchored regex.
    pub metric: String,
    /// Why, and what to use; said to whoever pushes.
    pub reason: String,
}

/// Metric names that rules are not applied to.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a regex, or a table with 'metric' and 'reason'")]
pub enum Exempt {
    /// An anchored regex.
    Metric(String),
    /// With the reason.
    Reasoned(ExemptConfig),
}

/// An exception, with its reason.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExemptConfig {
    /// An anchored regex.
    pub metric: String,
    /// Why, for those who read the configuration.
    pub reason: String,
    /// The codes that it is exempt from; all if there are none.
    #[serde(default)]
    pub codes: Vec<String>,
}

/// How the names of some jobs must start.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct JobPrefixes {
    /// An anchored regex on the grouping label `job`.
    pub job: String,
    /// One of these. Empty: any way.
    pub prefixes: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            help: false,
            snake_case: true,
            label_snake_case: true,
            colons: true,
            counter_suffix: true,
            base_units: true,
            abbreviated_units: true,
            type_in_name: true,
            reserved_suffixes: true,
            reserved_labels: true,
            duplicates: false,
            promtool_only: false,
            warn: Vec::new(),
            prefixes: Vec::new(),
            job_prefixes: Vec::new(),
            allowed_units: Vec::new(),
            metric_pattern: None,
            label_pattern: None,
            max_metric_length: None,
            max_label_length: None,
            banned: Vec::new(),
            exempt: Vec::new(),
        }
    }
}

impl Config {
    /// Checks everything and makes the policy.
    pub(crate) fn resolve(self) -> Result<Naming, Problems> {
        let root = Pointer::default();
        let problems = &mut Problems::default();
        let prefixes = self.resolve_prefixes(problems);
        let exempt = self.resolve_exempt(problems);
        let banned = self.resolve_banned(problems);
        let mut optional = |key, source: &Option<String>| {
            source.as_deref().and_then(|source| pattern(source, root.clone().key(key), problems))
        };
        let metric_pattern = optional("metric_pattern", &self.metric_pattern);
        let label_pattern = optional("label_pattern", &self.label_pattern);
        check_codes(&self.warn, &root.clone().key("warn"), problems);
        for (index, unit) in self.allowed_units.iter().enumerate() {
            if !units::is_known(unit) {
                let message = format!("{} is no unit that would be refused", quote(unit));
                problems.add(root.clone().key("allowed_units").index(index), message);
            }
        }
        std::mem::take(problems).into_result()?;
        Ok(Naming {
            rules: Rules {
                scope: if self.promtool_only { Scope::Promtool } else { Scope::Beyond },
                help: self.help,
                snake_case: self.snake_case,
                label_snake_case: self.label_snake_case,
                colons: self.colons,
                counter_suffix: self.counter_suffix,
                base_units: self.base_units,
                abbreviated_units: self.abbreviated_units,
                type_in_name: self.type_in_name,
                reserved_suffixes: self.reserved_suffixes,
                reserved_labels: self.reserved_labels,
                duplicates: self.duplicates,
                allowed_units: self.allowed_units,
                metric_pattern,
                label_pattern,
                max_metric_length: self.max_metric_length.unwrap_or(usize::MAX),
                max_label_length: self.max_label_length.unwrap_or(usize::MAX),
                banned,
                exempt,
                warn: self.warn,
            },
            prefixes,
        })
    }

    fn resolve_prefixes(&self, problems: &mut Problems) -> PrefixRules {
        let root = Pointer::default();
        self.check_prefixes(&self.prefixes, &root.clone().key("prefixes"), problems);
        let mut by_job = Vec::new();
        for (index, entry) in self.job_prefixes.iter().enumerate() {
            let pointer = root.clone().key("job_prefixes").index(index);
            self.check_prefixes(&entry.prefixes, &pointer.clone().key("prefixes"), problems);
            let job = pattern(&entry.job, pointer.key("job"), problems);
            by_job.extend(job.map(|job| (job, entry.prefixes.clone())));
        }
        PrefixRules { general: self.prefixes.clone(), by_job }
    }

    fn resolve_exempt(&self, problems: &mut Problems) -> Vec<Exemption> {
        let mut resolved = Vec::new();
        for (index, exempt) in self.exempt.iter().enumerate() {
            let pointer = Pointer::default().key("exempt").index(index);
            let (metric, codes) = match exempt {
                Exempt::Metric(metric) => (pattern(metric, pointer, problems), Vec::new()),
                Exempt::Reasoned(ExemptConfig { metric, reason, codes }) => {
                    check_reason(reason, &pointer, problems);
                    check_codes(codes, &pointer.clone().key("codes"), problems);
                    (pattern(metric, pointer.key("metric"), problems), codes.clone())
                }
            };
            resolved.extend(metric.map(|metric| Exemption { metric, codes }));
        }
        resolved
    }

    fn resolve_banned(&self, problems: &mut Problems) -> Vec<Banned> {
        let mut resolved = Vec::new();
        for (index, BannedConfig { metric, reason }) in self.banned.iter().enumerate() {
            let pointer = Pointer::default().key("banned").index(index);
            check_reason(reason, &pointer, problems);
            let metric = pattern(metric, pointer.key("metric"), problems);
            resolved.extend(metric.map(|metric| Banned { metric, reason: reason.clone() }));
        }
        resolved
    }

    fn check_prefixes(&self, prefixes: &[String], pointer: &Pointer, problems: &mut Problems) {
        for (index, prefix) in prefixes.iter().enumerate() {
            let pointer = pointer.clone().index(index);
            if prefix.is_empty() {
                problems.add(pointer, "an empty prefix allows every name; leave the list empty for that");
            } else if self.snake_case && !is_snake_case(&prefix.replace(JOB, "")) && prefix != JOB {
                let message = format!("no name in snake_case starts with {}", quote(prefix));
                problems.add(pointer, message);
            }
        }
    }
}

fn check_reason(reason: &str, pointer: &Pointer, problems: &mut Problems) {
    if reason.trim().is_empty() {
        problems.add(pointer.clone().key("reason"), "say why, for whoever asks in a year");
    }
}

fn check_codes(codes: &[String], pointer: &Pointer, problems: &mut Problems) {
    for (index, code) in codes.iter().enumerate() {
        if !CODES.iter().any(|known| known.id() == code) {
            let known: Vec<&str> = CODES.iter().map(Code::id).collect();
            let message =
                format!("{} is no code of this plugin; those are {}", quote(code), known.join(", "));
            problems.add(pointer.clone().index(index), message);
        }
    }
}

fn pattern(source: &str, pointer: Pointer, problems: &mut Problems) -> Option<Pattern> {
    Pattern::new(source).map_err(|error| problems.add(pointer, format!("no regex: {error}"))).ok()
}
