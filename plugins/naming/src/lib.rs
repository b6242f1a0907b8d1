//! The bundled plugin `naming`: names that Prometheus' best practices ask for.
//! <https://prometheus.io/docs/practices/naming/>
//!
//! It looks at names and types only, once for each family and once for each distinct label name, so its
//! cost does not depend on how many series a push has. README.md has the options and examples.

mod config;
mod rules;

mod snake_case;
mod units;

mod fault;
mod verdict;

mod label;
mod metric;

use pushgate_plugin::{Code, Column, Manifest, Outcome, Plugin, Problems, Push};

pub use crate::config::{BannedConfig, Config, Exempt, ExemptConfig, JobPrefixes};
use crate::rules::{PrefixRules, Rules};
use crate::verdict::Verdict;

const NO_HELP: Code = Code::new("naming/no-help", "a metric has no HELP line that says what it measures");
const SNAKE_CASE: Code = Code::new("naming/snake-case", "a metric's name is not in snake_case");
const LABEL_SNAKE_CASE: Code = Code::new("naming/label-snake-case", "a label's name is not in snake_case");
const COLON: Code =
    Code::new("naming/colon", "a metric's name has a ':', which is for the names of recording rules");
const PREFIX: Code = Code::new("naming/prefix", "a metric's name does not start as its job's names must");
const COUNTER_SUFFIX: Code = Code::new("naming/counter-suffix", "a counter's name does not end in _total");
const TOTAL_SUFFIX: Code = Code::new("naming/total-suffix", "a name ends in _total and is no counter's");
const BASE_UNIT: Code = Code::new("naming/base-unit", "a name has a unit in it that is no base unit");
const ABBREVIATED_UNIT: Code =
    Code::new("naming/abbreviated-unit", "a name has an abbreviated unit in it, such as ms");
const TYPE_IN_NAME: Code = Code::new("naming/type-in-name", "a name has a type in it, such as counter");
const RESERVED_SUFFIX: Code =
    Code::new("naming/reserved-suffix", "a name ends as the parts of histograms and summaries do");
const RESERVED_LABEL: Code =
    Code::new("naming/reserved-label", "a metric has a label that only histograms or summaries may have");
const DUPLICATE_SERIES: Code = Code::new("naming/duplicate-series", "a series is there a second time");
const METRIC_PATTERN: Code =
    Code::new("naming/metric-pattern", "a metric's name does not match metric_pattern");
const LABEL_PATTERN: Code = Code::new("naming/label-pattern", "a label's name does not match label_pattern");
const TOO_LONG: Code = Code::new("naming/too-long", "a metric's name is too long");
const LABEL_TOO_LONG: Code = Code::new("naming/label-too-long", "a label's name is too long");
const BANNED: Code = Code::new("naming/banned", "a metric's name may not be used");

const CODES: &[Code] = &[
    NO_HELP,
    SNAKE_CASE,
    LABEL_SNAKE_CASE,
    COLON,
    PREFIX,
    COUNTER_SUFFIX,
    TOTAL_SUFFIX,
    BASE_UNIT,
    ABBREVIATED_UNIT,
    TYPE_IN_NAME,
    RESERVED_SUFFIX,
    RESERVED_LABEL,
    DUPLICATE_SERIES,
    METRIC_PATTERN,
    LABEL_PATTERN,
    TOO_LONG,
    LABEL_TOO_LONG,
    BANNED,
];

/// The configured plugin.
#[derive(Debug)]
pub struct Naming {
    rules: Rules,
    prefixes: PrefixRules,
}

impl Plugin for Naming {
    type Config = Config;

    const MANIFEST: Manifest = Manifest::new(
        "naming",
        env!("CARGO_PKG_VERSION"),
        "Refuses names that do not follow Prometheus' naming practices.",
    )
    .wants(&[Column::Help])
    .pure()
    .codes(CODES);

    fn configure(config: Config) -> Result<Self, Problems> {
        config.resolve()
    }

    fn evaluate(&self, push: &Push) -> Outcome {
        let rules = &self.rules;
        let mut verdict = Verdict::new(rules);
        let prefixes = self.prefixes.of_job(push.job());
        for family in push.families() {
            if !metric::is_fine(rules, &prefixes, metric::of(family)) {
                metric::judge(rules, &prefixes, family, &mut verdict);
            }
        }
        push.label_names().for_each(|name| label::judge(rules, name, push, &mut verdict));
        if rules.reserved_labels {
            label::judge_reserved(rules, push, &mut verdict);
        }
        if rules.duplicates {
            label::judge_duplicates(push, &mut verdict);
        }
        verdict.outcome()
    }
}

pushgate_plugin::register!(Naming);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases() {
        pushgate_plugin::testing::run_cases::<Naming>(env!("CARGO_MANIFEST_DIR"));
    }
}
