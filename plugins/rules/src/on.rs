//! What a rule is about.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;

/// What a rule is about, and with that how often in a push it is asked.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "snake_case")]
pub enum On {
    /// The push as a whole: asked once.
    Push,
    /// Each metric of it, that is each family.
    Metric,
    /// Each series of it.
    Series,
    /// Each label, of the grouping key or of series: asked once for all that have the same name and value.
    Label,
}

impl On {
    /// Whether a rule on this has a variable that stands for that.
    pub(crate) fn has(self, variable: Self) -> bool {
        match self {
            Self::Label => variable == Self::Push || variable == Self::Label,
            Self::Push | Self::Metric | Self::Series => variable <= self,
        }
    }
}

impl fmt::Display for On {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Push => "push",
            Self::Metric => "metric",
            Self::Series => "series",
            Self::Label => "label",
        })
    }
}
