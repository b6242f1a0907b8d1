//! The bundled plugin `rules`: policies as CEL expressions, without compiling anything.
//!
//! A rule is on the push, on each metric or on each series, and has an expression that must be true of it. Expressions
//! are parsed, checked and prepared when the plugin is configured; what they read is looked up only when they are run,
//! and they are run only when what they read is different. README.md has the variables, the functions and examples.

mod config;

mod expression;
mod message;
mod rule;

mod check;
mod functions;
mod suggestion;
mod types;
mod variables;

mod condition;
mod input;
mod label_map;
mod on;

mod breaches;
mod ruling;

use std::sync::Arc;

use cel::Env;
use pushgate_plugin::{Code, Column, Manifest, Outcome, Plugin, Problems, Push};

pub use crate::config::{Config, RuleMethod, RuleTable};
pub use crate::on::On;
use crate::rule::Rule;
pub use crate::rule::{Action, OnError};
use crate::ruling::Ruling;

const BROKEN: Code =
    Code::new("rules/*", "a rule of the configuration is not kept; its own code stands here");
const ERROR: Code = Code::new("rules/error", "an expression of a rule failed, as a division by zero does");

/// The configured plugin.
pub struct Rules {
    rules: Vec<Rule>,
    env: Arc<Env>,
}

impl Plugin for Rules {
    type Config = Config;

    const MANIFEST: Manifest = Manifest::new(
        "rules",
        env!("CARGO_PKG_VERSION"),
        "Refuses, drops or remarks on what breaks the rules that its configuration has as CEL expressions.",
    )
    .wants(&[Column::Help, Column::Unit, Column::Values])
    .mutates()
    .pure()
    .codes(&[ERROR, BROKEN]);

    fn configure(config: Config) -> Result<Self, Problems> {
        config.resolve()
    }

    fn warnings(&self) -> Problems {
        let mut problems = Problems::default();
        if self.rules.is_empty() {
            problems.add(Default::default(), "there is no rule, so every push is accepted");
        }
        problems
    }

    fn evaluate(&self, push: &Push) -> Outcome {
        let mut ruling = Ruling::new(push);
        self.rules.iter().for_each(|rule| rule.judge(&self.env, push, &mut ruling));
        ruling.into_outcome()
    }
}

pushgate_plugin::register!(Rules);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases() {
        pushgate_plugin::testing::run_cases::<Rules>(env!("CARGO_MANIFEST_DIR"));
    }
}
