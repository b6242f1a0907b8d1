//! The options, and what they must be.

use pushgate_plugin::{Pattern, Pointer, Problems, quote};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::metric::Rules;
use crate::prefixes::Prefixes;
use crate::snake_case::is_snake_case;
use crate::{Naming, units};

/// The options of `naming`. Without any, every rule is on and names may start as they like.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Config {
    /// Metric names are lower-case letters, digits and `_`.
    pub snake_case: bool,
    /// Label names are lower-case letters, digits and `_`.
    pub label_snake_case: bool,
    /// Names of counters end in `_total`, and those of other types do not.
    pub counter_suffix: bool,
    /// Names that end in a unit end in a base unit: `_seconds`, not `_ms`.
    pub base_units: bool,
    /// `_bucket`, `_sum` and `_count` are left to histograms and summaries.
    pub reserved_suffixes: bool,
    /// How names must start; one of these. Empty: any way.
    pub prefixes: Vec<String>,
    /// The same for some jobs, in place of `prefixes`. The first entry that matches counts.
    pub job_prefixes: Vec<JobPrefixes>,
    /// Units that are no base units and still allowed, as in `["percent"]`.
    pub allowed_units: Vec<String>,
    /// Metric names that no rule is applied to: anchored regexes.
    pub exempt: Vec<String>,
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
            snake_case: true,
            label_snake_case: true,
            counter_suffix: true,
            base_units: true,
            reserved_suffixes: true,
            prefixes: Vec::new(),
            job_prefixes: Vec::new(),
            allowed_units: Vec::new(),
            exempt: Vec::new(),
        }
    }
}

impl Config {
    /// Checks everything and makes the policy.
    pub(crate) fn resolve(self) -> Result<Naming, Problems> {
        let root = Pointer::default();
        let mut problems = Problems::default();
        let prefixes = self.resolve_prefixes(&mut problems);
        let exempt = patterns(&self.exempt, &root.clone().key("exempt"), &mut problems);
        for (index, unit) in self.allowed_units.iter().enumerate() {
            if !units::is_known(unit) {
                let message = format!(
                    "{} is no unit that would be refused; those are {}",
                    quote(unit),
                    units::known().collect::<Vec<_>>().join(", ")
                );
                problems.add(root.clone().key("allowed_units").index(index), message);
            }
        }
        problems.into_result()?;
        Ok(Naming {
            rules: Rules {
                snake_case: self.snake_case,
                counter_suffix: self.counter_suffix,
                base_units: self.base_units,
                reserved_suffixes: self.reserved_suffixes,
                allowed_units: self.allowed_units,
            },
            label_snake_case: self.label_snake_case,
            prefixes,
            exempt,
        })
    }

    fn resolve_prefixes(&self, problems: &mut Problems) -> Prefixes {
        let root = Pointer::default();
        self.check_prefixes(&self.prefixes, &root.clone().key("prefixes"), problems);
        let mut by_job = Vec::new();
        for (index, entry) in self.job_prefixes.iter().enumerate() {
            let pointer = root.clone().key("job_prefixes").index(index);
            self.check_prefixes(&entry.prefixes, &pointer.clone().key("prefixes"), problems);
            let job = pattern(&entry.job, pointer.key("job"), problems);
            by_job.extend(job.map(|job| (job, entry.prefixes.clone())));
        }
        Prefixes::new(self.prefixes.clone(), by_job)
    }

    fn check_prefixes(&self, prefixes: &[String], pointer: &Pointer, problems: &mut Problems) {
        for (index, prefix) in prefixes.iter().enumerate() {
            let pointer = pointer.clone().index(index);
            if prefix.is_empty() {
                problems.add(pointer, "an empty prefix allows every name; leave the list empty for that");
            } else if self.snake_case && !is_snake_case(prefix) {
                let message = format!("no name in snake_case starts with {}", quote(prefix));
                problems.add(pointer, message);
            }
        }
    }
}

fn patterns(sources: &[String], pointer: &Pointer, problems: &mut Problems) -> Vec<Pattern> {
    let compile = |(index, source): (usize, &String)| pattern(source, pointer.clone().index(index), problems);
    sources.iter().enumerate().filter_map(compile).collect()
}

fn pattern(source: &str, pointer: Pointer, problems: &mut Problems) -> Option<Pattern> {
    Pattern::new(source).map_err(|error| problems.add(pointer, format!("no regex: {error}"))).ok()
}
