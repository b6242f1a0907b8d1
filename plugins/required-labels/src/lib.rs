//! The bundled plugin `required-labels`: which labels must be there, what values they may have, and
//! which must not be there.
//!
//! It judges what a scrape will show: a label of the grouping key is a label of every series. A DELETE is
//! always accepted, since what it removes was judged when it came. README.md has the options and examples.

mod config;
mod place;
mod values;

mod fill;
mod rule;

use pushgate_plugin::{Code, Edits, Findings, Manifest, Method, Outcome, Plugin, Problems, Push};

pub use crate::config::{Config, Forbidden, ForbiddenTable, Required, RequiredTable, Restricted};
pub use crate::place::On;
use crate::rule::{Ban, Rule};

const MISSING: Code =
    Code::new("required-labels/missing", "a label that must be there is not there, or empty");
const VALUE: Code = Code::new("required-labels/value", "a label has a value that is not allowed");
const FORBIDDEN: Code = Code::new("required-labels/forbidden", "a label is there that must not be there");

/// The configured plugin.
#[derive(Debug)]
pub struct RequiredLabels {
    rules: Vec<Rule>,
    bans: Vec<Ban>,
}

impl Plugin for RequiredLabels {
    type Config = Config;

    const MANIFEST: Manifest = Manifest::new(
        "required-labels",
        env!("CARGO_PKG_VERSION"),
        "Refuses pushes without the labels they need, and with labels they must not have.",
    )
    .mutates()
    .pure()
    .codes(&[MISSING, VALUE, FORBIDDEN]);

    fn configure(config: Config) -> Result<Self, Problems> {
        config.resolve()
    }

    fn warnings(&self) -> Problems {
        let mut problems = Problems::default();
        if self.rules.is_empty() && self.bans.is_empty() {
            problems.add(Default::default(), "there is no rule, so every push is accepted");
        }
        problems
    }

    fn evaluate(&self, push: &Push) -> Outcome {
        let mut findings = Findings::default();
        let mut edits = Edits::new(push);
        let rules = || self.rules.iter().filter(|rule| rule.jobs.include(push.job()));
        // For a DELETE as well, so that it finds the group that was pushed.
        fill::fill(rules(), push, &mut edits, &mut findings);
        if push.method() != Method::Delete {
            rules().for_each(|rule| rule.judge(push, &mut findings));
            let bans = self.bans.iter().filter(|ban| ban.jobs.include(push.job()));
            bans.for_each(|ban| ban.judge(push, &mut findings));
        }
        match findings.is_empty() {
            false => findings.verdict(),
            true if edits.is_empty() => Outcome::accept(),
            true => Outcome::mutate(edits),
        }
    }
}

pushgate_plugin::register!(RequiredLabels);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases() {
        pushgate_plugin::testing::run_cases::<RequiredLabels>(env!("CARGO_MANIFEST_DIR"));
    }
}
