//! Where a rule looks for a label.

use schemars::JsonSchema;
use serde::Deserialize;

/// Where a rule looks for a label.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum On {
    /// In the grouping key or, when it is not there, on each series: what a scrape will show.
    #[default]
    Any,
    /// In the grouping key.
    Grouping,
    /// On each series itself.
    Series,
}

impl On {
    pub(crate) fn looks_at_grouping(self) -> bool {
        self != Self::Series
    }

    pub(crate) fn looks_at_series(self) -> bool {
        self != Self::Grouping
    }

    /// Whether two rules may look at one and the same label.
    pub(crate) fn overlaps(self, other: Self) -> bool {
        self == Self::Any || other == Self::Any || self == other
    }
}
