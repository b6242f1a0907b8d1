//! The bundled plugin `naming`: names that Prometheus' best practices ask for.
//! <https://prometheus.io/docs/practices/naming/>
//!
//! It looks at names and types only, once for each family and once for each distinct label name, so its
//! cost does not depend on how many series a push has. README.md has the options and examples.

mod config;
mod metric;
mod prefixes;
mod snake_case;
mod units;

use pushgate_plugin::{
    Code, Finding, Findings, LabelName, Manifest, Outcome, Pattern, Plugin, Problems, Push, quote,
};

pub use crate::config::{Config, JobPrefixes};
use crate::metric::Rules;
use crate::prefixes::Prefixes;
use crate::snake_case::snake_case;

const SNAKE_CASE: Code = Code::new("naming/snake-case", "a metric's name is not in snake_case");
const LABEL_SNAKE_CASE: Code = Code::new("naming/label-snake-case", "a label's name is not in snake_case");
const PREFIX: Code = Code::new("naming/prefix", "a metric's name does not start as its job's names must");
const COUNTER_SUFFIX: Code = Code::new("naming/counter-suffix", "a counter's name does not end in _total");
const TOTAL_SUFFIX: Code = Code::new("naming/total-suffix", "a name ends in _total and is no counter's");
const BASE_UNIT: Code = Code::new("naming/base-unit", "a name ends in a unit that is no base unit");
const RESERVED_SUFFIX: Code =
    Code::new("naming/reserved-suffix", "a name ends as the parts of histograms and summaries do");

/// The configured plugin.
#[derive(Debug)]
pub struct Naming {
    rules: Rules,
    label_snake_case: bool,
    prefixes: Prefixes,
    exempt: Vec<Pattern>,
}

impl Plugin for Naming {
    type Config = Config;

    const MANIFEST: Manifest = Manifest::new(
        "naming",
        env!("CARGO_PKG_VERSION"),
        "Refuses names that do not follow Prometheus' naming practices.",
    )
    .pure()
    .codes(&[
        SNAKE_CASE,
        LABEL_SNAKE_CASE,
        PREFIX,
        COUNTER_SUFFIX,
        TOTAL_SUFFIX,
        BASE_UNIT,
        RESERVED_SUFFIX,
    ]);

    fn configure(config: Config) -> Result<Self, Problems> {
        config.resolve()
    }

    fn evaluate(&self, push: &Push) -> Outcome {
        let mut findings = Findings::default();
        let prefixes = self.prefixes.of_job(push.job());
        for family in push.families() {
            if !metric::is_fine(&self.rules, prefixes, family) && !self.is_exempt(family.name()) {
                metric::judge(&self.rules, prefixes, family, &mut findings);
            }
        }
        if self.label_snake_case {
            push.label_names().for_each(|name| judge_label(name, &mut findings));
        }
        findings.verdict()
    }
}

impl Naming {
    fn is_exempt(&self, name: &str) -> bool {
        self.exempt.iter().any(|pattern| pattern.is_match(name))
    }
}

fn judge_label(name: LabelName<'_>, findings: &mut Findings) {
    if snake_case::is_snake_case(name.as_str()) {
        return;
    }
    findings.add(|| {
        let found = quote(name.as_str());
        let message = match snake_case(name.as_str()).as_str() {
            "" => format!("rename the label {found}: use lower-case letters, digits and '_'"),
            better => {
                format!("rename the label {found} to {}: labels are written in snake_case", quote(better))
            }
        };
        Finding::new(&LABEL_SNAKE_CASE, message).at_series(name.first()).at_label(name.sym())
    });
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
