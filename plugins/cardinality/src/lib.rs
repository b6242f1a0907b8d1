//! The bundled plugin `cardinality`: how many series and labels a push may bring, how long they may be, and how many
//! values a label may have in its job.
//!
//! A push is read once. Each distinct label is judged once, however many series have it, and the host is asked for what
//! is stored only where a limit might be passed. README.md has the options and examples.

mod config;
mod entropy;
mod limits;

mod pairs;

mod fates;
mod judge;
mod labels;
mod series;
mod values;

mod duplicates;

use pushgate_plugin::{Code, Manifest, Method, Outcome, Plugin, Problems, Push};

pub use crate::config::{
    Config, HighEntropyConfig, JobConfig, LabelAction, LabelValuesConfig, LimitConfig, LimitTable,
    LimitsConfig, SeriesAction,
};
pub use crate::entropy::Kind;
use crate::limits::ByJob;

const SERIES_PER_PUSH: Code = Code::new("cardinality/series-per-push", "a push has too many series");
const SERIES_PER_GROUP: Code =
    Code::new("cardinality/series-per-group", "a group has too many series with the push");
const SERIES_PER_FAMILY: Code =
    Code::new("cardinality/series-per-family", "a push has too many series of one metric");
const LABEL_LIMIT: Code = Code::new("cardinality/label-limit", "a series has too many labels");
const BUCKET_LIMIT: Code = Code::new(
    "cardinality/bucket-limit",
    "a histogram has too many buckets, or a summary too many quantiles",
);
const METRIC_NAME_LENGTH_LIMIT: Code =
    Code::new("cardinality/metric-name-length-limit", "a metric name is too long");
const LABEL_NAME_LENGTH_LIMIT: Code =
    Code::new("cardinality/label-name-length-limit", "a label name is too long");
const LABEL_VALUE_LENGTH_LIMIT: Code = Code::new(
    "cardinality/label-value-length-limit",
    "values of a label are too long; said once for each name",
);
const LABEL_VALUES: Code =
    Code::new("cardinality/label-values", "a push brings new values of a label that has too many in its job");
const HIGH_ENTROPY: Code =
    Code::new("cardinality/high-entropy", "a label has values that are new with every run or request");
const DISTINCT_LABELS: Code =
    Code::new("cardinality/distinct-labels", "a push has more distinct labels than can be judged");
const DUPLICATE_SERIES: Code =
    Code::new("cardinality/duplicate-series", "dropping a label makes two series equal");

/// The configured plugin.
#[derive(Debug)]
pub struct Cardinality {
    limits: ByJob,
}

impl Plugin for Cardinality {
    type Config = Config;

    const MANIFEST: Manifest = Manifest::new(
        "cardinality",
        env!("CARGO_PKG_VERSION"),
        "Limits series, labels, their lengths and the values of a label in its job.",
    )
    .wants(&[pushgate_plugin::Column::Points])
    .mutates()
    .codes(&[
        SERIES_PER_PUSH,
        SERIES_PER_GROUP,
        SERIES_PER_FAMILY,
        LABEL_LIMIT,
        BUCKET_LIMIT,
        METRIC_NAME_LENGTH_LIMIT,
        LABEL_NAME_LENGTH_LIMIT,
        LABEL_VALUE_LENGTH_LIMIT,
        LABEL_VALUES,
        HIGH_ENTROPY,
        DISTINCT_LABELS,
        DUPLICATE_SERIES,
    ]);

    fn configure(config: Config) -> Result<Self, Problems> {
        config.resolve()
    }

    fn warnings(&self) -> Problems {
        let mut problems = Problems::default();
        if self.limits.are_none() {
            problems.add(Default::default(), "there is no limit, so every push is accepted");
        }
        problems
    }

    fn evaluate(&self, push: &Push) -> Outcome {
        // What a DELETE removes was judged when it came.
        if push.method() == Method::Delete {
            return Outcome::accept();
        }
        judge::judge(push, self.limits.of_job(push.job()))
    }
}

pushgate_plugin::register!(Cardinality);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases() {
        pushgate_plugin::testing::run_cases::<Cardinality>(env!("CARGO_MANIFEST_DIR"));
    }
}
