//! The bundled plugin `relabel`: Prometheus' relabelling, at push time.
//! <https://prometheus.io/docs/prometheus/latest/configuration/configuration/#relabel_config>
//!
//! `group_rules` work on the grouping key and run first; `rules` work on each series and see the key that
//! results. A push is read once into label sets of symbols, each rule looks at each distinct value once,
//! and what changed is told to the host in as few edits as will do. README.md has the options and examples.

mod config;
mod function;
mod rule;

mod texts;

mod label_set;

mod bound;
mod program;

mod grouping;
mod parts;
mod series;

mod duplicates;
mod names;
mod patch;

use pushgate_plugin::{Code, Manifest, Outcome, Plugin, Problems, Push};

pub use crate::config::{Action, Config, RuleConfig};
use crate::rule::Rule;
use crate::texts::Texts;

const GROUP_REFUSED: Code =
    Code::new("relabel/group-refused", "a keep or drop rule does not let the group in");
const NO_JOB: Code = Code::new("relabel/no-job", "the rules leave the grouping key without a job");
const GROUPING_LABEL: Code =
    Code::new("relabel/grouping-label", "a rule for series writes a label that the grouping key has");
const POINT_LABEL: Code =
    Code::new("relabel/point-label", "a rule writes 'le' or 'quantile' where it tells points apart");
const METRIC_NAME: Code = Code::new(
    "relabel/metric-name",
    "the rules leave a metric without a name, or with one that is not legal",
);
const SPLIT_FAMILY: Code = Code::new(
    "relabel/split-family",
    "the rules treat the lines of a histogram or summary differently, or rename only some of them",
);
const MIXED_TYPES: Code =
    Code::new("relabel/mixed-types", "the rules give metrics of different types the same name");
const DUPLICATE_SERIES: Code = Code::new("relabel/duplicate-series", "the rules make two series equal");
const DROPPED_SERIES: Code = Code::new("relabel/dropped-series", "series were dropped by a rule");

/// The configured plugin.
#[derive(Debug)]
pub struct Relabel {
    rules: Vec<Rule>,
    group_rules: Vec<Rule>,
    warnings: Problems,
}

impl Plugin for Relabel {
    type Config = Config;

    const MANIFEST: Manifest = Manifest::new(
        "relabel",
        env!("CARGO_PKG_VERSION"),
        "Rewrites labels and grouping keys with Prometheus' relabelling rules.",
    )
    .mutates()
    .pure()
    .codes(&[
        GROUP_REFUSED,
        NO_JOB,
        GROUPING_LABEL,
        POINT_LABEL,
        METRIC_NAME,
        SPLIT_FAMILY,
        MIXED_TYPES,
        DUPLICATE_SERIES,
        DROPPED_SERIES,
    ]);

    fn configure(config: Config) -> Result<Self, Problems> {
        config.resolve()
    }

    fn warnings(&self) -> Problems {
        self.warnings.clone()
    }

    fn evaluate(&self, push: &Push) -> Outcome {
        let mut texts = Texts::new(push);
        match grouping::relabel(&self.group_rules, push, &mut texts) {
            Ok(key) => series::relabel(&self.rules, push, &key, texts),
            Err(reason) => Outcome::reject(reason),
        }
    }
}

pushgate_plugin::register!(Relabel);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases() {
        pushgate_plugin::testing::run_cases::<Relabel>(env!("CARGO_MANIFEST_DIR"));
    }
}
