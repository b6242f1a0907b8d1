//! Refuses pushes with more series than a job may have: the usual end of a label that holds a user's id.

use pushgate_plugin::{Code, Finding, Manifest, Outcome, Plugin, Problems, Push};

const TOO_MANY: Code = Code::new("series-budget/too-many", "a push has more series than its job may have");

/// The `[plugin.config]` table, and the plugin itself.
#[derive(serde::Deserialize, schemars::JsonSchema)]
pub struct SeriesBudget {
    /// How many series one push may have.
    limit: usize,
}

impl Plugin for SeriesBudget {
    type Config = Self;
    const MANIFEST: Manifest =
        Manifest::new("series-budget", env!("CARGO_PKG_VERSION"), "Pushes stay small.")
            .pure()
            .codes(&[TOO_MANY]);

    fn configure(config: Self) -> Result<Self, Problems> {
        Ok(config)
    }

    fn evaluate(&self, push: &Push) -> Outcome {
        let series = push.series_count();
        if series <= self.limit {
            return Outcome::accept();
        }
        let message = format!("{series} series, {} allowed; which label has so many values?", self.limit);
        Outcome::reject(Finding::new(&TOO_MANY, message))
    }
}

pushgate_plugin::register!(SeriesBudget);

#[cfg(test)]
mod tests {
    use super::*;
    use pushgate_plugin::testing;

    #[test]
    fn a_push_may_use_up_its_budget_but_not_more() {
        let budget = testing::configure::<SeriesBudget>(r#"{"limit": 2}"#).expect("a legal configuration");
        let cases = [
            ("one under", "a 1\n", false),
            ("at it", "a 1\nb 1\n", false),
            ("past it", "a 1\nb 1\nc 1\n", true),
        ];
        for (rule, body, refused) in cases {
            let push = testing::push(r#"PUT {job="backup"}"#, body).expect("a legal push");
            assert_eq!(budget.evaluate(&push).is_rejection(), refused, "{rule}");
        }
    }

    /// The same files that `pushgate plugin test` runs through the built plugin.
    #[test]
    fn cases() {
        testing::run_cases::<SeriesBudget>(env!("CARGO_MANIFEST_DIR"));
    }
}
