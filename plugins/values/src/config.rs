//! The options, and what they must be.

use std::time::Duration;

use pushgate_plugin::{Pattern, Pointer, Problems, quote};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::Values;
use crate::check::{Act, Actions, Check};
use crate::duration;
use crate::number::Range;
use crate::timestamp::Timestamps;

/// The options of `values`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Config {
    /// A value, sum or count is NaN. Quantiles may be: those of nothing are.
    pub nan: Action,
    /// A value, sum, count or quantile is infinite.
    pub infinity: Action,
    /// A counter is below 0.
    pub negative_counter: Action,
    /// A bucket counts less than one below it.
    pub bucket_order: Action,
    /// A histogram has no bucket `+Inf`. Pushes in protobuf leave it out.
    pub missing_inf: Action,
    /// The count of a histogram is not that of its bucket `+Inf`, or less than its last one.
    pub count_mismatch: Action,
    /// The sum of a histogram or summary is below 0, and no bucket or quantile is.
    pub negative_sum: Action,
    /// The sum of a histogram cannot be that of what its buckets count, as when it is in another unit.
    pub sum_mismatch: Action,
    /// A quantile has a lower value than one below it.
    pub quantile_order: Action,
    /// A quantile is not between 0 and 1.
    pub quantile_range: Action,
    /// Metrics that are times.
    pub timestamps: TimestampConfig,
    /// The values that some metrics may have. The first entry that matches counts.
    pub ranges: Vec<RangeConfig>,
    /// Metrics that are not looked at: anchored regexes.
    pub exempt: Vec<String>,
}

/// What becomes of what a check finds.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It is not looked for.
    Off,
    /// A finding says so, and nothing is changed.
    Warn,
    /// The series is dropped, and the rest is stored.
    Drop,
    /// The push is refused.
    #[default]
    Reject,
}

/// Metrics that are times, in seconds since 1970. 0 stands for never.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TimestampConfig {
    /// Which ones: an anchored regex.
    pub metrics: String,
    /// The value is in milliseconds, microseconds or nanoseconds.
    pub unit: Action,
    /// The time is longer ago than `max_age`.
    pub past: Action,
    /// How long ago it may be, as in `"30d"`.
    pub max_age: String,
    /// The time is further ahead than `max_ahead`.
    pub future: Action,
    /// How far ahead it may be.
    pub max_ahead: String,
}

/// The values that some counters, gauges and untyped metrics may have.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct RangeConfig {
    /// An anchored regex on metric names.
    pub metric: String,
    /// The least value.
    pub min: Option<f64>,
    /// The greatest value.
    pub max: Option<f64>,
    /// What becomes of a value out of the range.
    #[serde(default)]
    pub action: Action,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            nan: Action::Warn,
            infinity: Action::Warn,
            negative_counter: Action::Reject,
            bucket_order: Action::Reject,
            missing_inf: Action::Off,
            count_mismatch: Action::Reject,
            negative_sum: Action::Warn,
            sum_mismatch: Action::Warn,
            quantile_order: Action::Reject,
            quantile_range: Action::Reject,
            timestamps: TimestampConfig::default(),
            ranges: Vec::new(),
            exempt: Vec::new(),
        }
    }
}

impl Default for TimestampConfig {
    fn default() -> Self {
        Self {
            metrics: ".*_timestamp_seconds".to_owned(),
            unit: Action::Reject,
            past: Action::Warn,
            max_age: "10y".to_owned(),
            future: Action::Warn,
            max_ahead: "1d".to_owned(),
        }
    }
}

impl Config {
    /// Checks everything and makes the policy.
    pub(crate) fn resolve(self) -> Result<Values, Problems> {
        let root = Pointer::default();
        let mut problems = Problems::default();
        let mut actions = Actions::default();
        for (check, action) in [
            (Check::Nan, self.nan),
            (Check::Infinity, self.infinity),
            (Check::NegativeCounter, self.negative_counter),
            (Check::BucketOrder, self.bucket_order),
            (Check::MissingInf, self.missing_inf),
            (Check::CountMismatch, self.count_mismatch),
            (Check::NegativeSum, self.negative_sum),
            (Check::SumMismatch, self.sum_mismatch),
            (Check::QuantileOrder, self.quantile_order),
            (Check::QuantileRange, self.quantile_range),
            (Check::TimestampUnit, self.timestamps.unit),
            (Check::TimestampPast, self.timestamps.past),
            (Check::TimestampFuture, self.timestamps.future),
        ] {
            actions.set(check, action);
        }
        let timestamps = self.timestamps.resolve(&root.clone().key("timestamps"), &mut problems);
        let mut ranges = Vec::new();
        for (index, range) in self.ranges.into_iter().enumerate() {
            ranges.extend(range.resolve(&root.clone().key("ranges").index(index), &mut problems));
        }
        let mut exempt = Vec::new();
        for (index, source) in self.exempt.iter().enumerate() {
            exempt.extend(pattern(source, root.clone().key("exempt").index(index), &mut problems));
        }
        problems.clone().into_result()?;
        let timestamps = timestamps.ok_or(problems)?;
        Ok(Values { actions, timestamps, ranges, exempt })
    }
}

impl TimestampConfig {
    fn resolve(self, pointer: &Pointer, problems: &mut Problems) -> Option<Timestamps> {
        let metrics = pattern(&self.metrics, pointer.clone().key("metrics"), problems);
        let max_age = duration(&self.max_age, pointer.clone().key("max_age"), problems);
        let max_ahead = duration(&self.max_ahead, pointer.clone().key("max_ahead"), problems);
        Some(Timestamps { metrics: metrics?, max_age: max_age?, max_ahead: max_ahead? })
    }
}

impl RangeConfig {
    fn resolve(self, pointer: &Pointer, problems: &mut Problems) -> Option<Range> {
        let Self { min, max, action, .. } = self;
        if min.is_none() && max.is_none() && action != Action::Off {
            problems.add(pointer.clone(), "either 'min' or 'max' is needed, or both");
        }
        if min.zip(max).is_some_and(|(min, max)| min > max) {
            problems.add(pointer.clone(), "'min' is above 'max', so no value would be allowed");
        }
        let metric = pattern(&self.metric, pointer.clone().key("metric"), problems)?;
        Some(Range { metric, min, max, act: Act::of(action) })
    }
}

fn duration(text: &str, pointer: Pointer, problems: &mut Problems) -> Option<Duration> {
    let duration = duration::parse(text);
    if duration.is_none() {
        problems.add(pointer, format!("{} is no duration such as '30d' or '1h30m'", quote(text)));
    }
    duration
}

fn pattern(source: &str, pointer: Pointer, problems: &mut Problems) -> Option<Pattern> {
    Pattern::new(source).map_err(|error| problems.add(pointer, format!("no regex: {error}"))).ok()
}
