//! The options, and what they must be.

use pushgate_plugin::{Pattern, Pointer, Problems};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::Cardinality;
use crate::entropy::Kind;
use crate::limits::{Action, ByJob, HighEntropy, LabelValues, Limit, Limits};

/// The options of `cardinality`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Config {
    /// The limits of all jobs.
    pub limits: LimitsConfig,
    /// Other limits for some jobs. The first entry that matches counts.
    pub jobs: Vec<JobConfig>,
}

/// Other limits for some jobs.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct JobConfig {
    /// An anchored regex on the grouping label `job`.
    pub job: String,
    /// Limits in place of those of all jobs; what is not named here stays as it is there. 0 is no limit.
    pub limits: LimitsConfig,
}

/// Limits. Where none is set, there is none.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct LimitsConfig {
    /// Series in one push.
    pub series_per_push: Option<LimitConfig<SeriesAction>>,
    /// Series that a group has after the push. A POST adds to those of metrics that it does not name.
    pub series_per_group: Option<LimitConfig<SeriesAction>>,
    /// Series of one metric in a push.
    pub series_per_family: Option<LimitConfig<SeriesAction>>,
    /// Labels of a series, counted as Prometheus does: with its metric name and the grouping labels.
    pub label_limit: Option<LimitConfig<SeriesAction>>,
    /// Buckets of a histogram, or quantiles of a summary.
    pub bucket_limit: Option<LimitConfig<SeriesAction>>,
    /// Bytes of a metric name.
    pub metric_name_length_limit: Option<LimitConfig<SeriesAction>>,
    /// Bytes of a label name.
    pub label_name_length_limit: Option<LimitConfig<LabelAction>>,
    /// Bytes of a label value.
    pub label_value_length_limit: Option<LimitConfig<LabelAction>>,
    /// Distinct values of a label in everything that its job has stored. The first entry that matches counts.
    pub label_values: Option<Vec<LabelValuesConfig>>,
    /// Values that are new with every run or request, such as a UUID.
    pub high_entropy: Option<HighEntropyConfig>,
}

/// A limit: a number alone rejects what is over it; 0 is no limit.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "expected a number of 0 or more, or a table with the keys 'limit' and 'action'"
)]
pub enum LimitConfig<A> {
    /// What is over it is rejected.
    Number(u64),
    /// With another action.
    Table(LimitTable<A>),
}

/// A limit, and what becomes of what is over it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LimitTable<A> {
    /// The most that is allowed; 0 is no limit.
    pub limit: u64,
    /// What becomes of what is over it; without one it is rejected.
    pub action: Option<A>,
}

/// What becomes of series that are over a limit.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum SeriesAction {
    /// The push is refused.
    Reject,
    /// The series are dropped, and the rest is stored.
    Drop,
    /// A finding says so, and nothing is changed.
    Warn,
}

/// What becomes of labels that are over a limit.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum LabelAction {
    /// The push is refused.
    #[default]
    Reject,
    /// The series with such a label are dropped, and the rest is stored.
    Drop,
    /// The label is dropped from the series.
    Labeldrop,
    /// A finding says so, and nothing is changed.
    Warn,
}

/// How many values a label may have in a job.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct LabelValuesConfig {
    /// An anchored regex on label names.
    pub label: String,
    /// The most values that are allowed; 0 is no limit.
    pub limit: u64,
    /// What becomes of new values that are over it.
    #[serde(default)]
    pub action: LabelAction,
}

/// Values that are new with every run or request.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default)]
pub struct HighEntropyConfig {
    /// What to look for, anywhere in a value.
    pub kinds: Vec<Kind>,
    /// What becomes of such labels.
    pub action: LabelAction,
    /// Anchored regexes of names of labels that may have such values.
    pub exempt: Vec<String>,
}

impl Default for HighEntropyConfig {
    fn default() -> Self {
        Self {
            kinds: vec![Kind::Uuid, Kind::Timestamp, Kind::Email, Kind::Hash],
            action: LabelAction::Warn,
            exempt: Vec::new(),
        }
    }
}

impl From<SeriesAction> for Action {
    fn from(action: SeriesAction) -> Self {
        match action {
            SeriesAction::Reject => Self::Reject,
            SeriesAction::Drop => Self::Drop,
            SeriesAction::Warn => Self::Warn,
        }
    }
}

impl From<LabelAction> for Action {
    fn from(action: LabelAction) -> Self {
        match action {
            LabelAction::Reject => Self::Reject,
            LabelAction::Drop => Self::Drop,
            LabelAction::Labeldrop => Self::Labeldrop,
            LabelAction::Warn => Self::Warn,
        }
    }
}

impl Config {
    /// Checks everything and makes the policy.
    pub(crate) fn resolve(self) -> Result<Cardinality, Problems> {
        let mut problems = Problems::default();
        let root = Pointer::default();
        let mut general = Limits::default();
        self.limits.resolve(&mut general, &root.clone().key("limits"), &mut problems);
        let mut by_job = Vec::new();
        for (index, entry) in self.jobs.into_iter().enumerate() {
            let pointer = root.clone().key("jobs").index(index);
            let job = pattern(&entry.job, pointer.clone().key("job"), &mut problems);
            let mut limits = general.clone();
            entry.limits.resolve(&mut limits, &pointer.key("limits"), &mut problems);
            by_job.extend(job.map(|job| (job, limits)));
        }
        problems.into_result()?;
        Ok(Cardinality { limits: ByJob::new(general, by_job) })
    }
}

impl LimitsConfig {
    /// Puts what is set in the place of what was.
    fn resolve(self, limits: &mut Limits, pointer: &Pointer, problems: &mut Problems) {
        set(&mut limits.series_per_push, self.series_per_push);
        set(&mut limits.series_per_group, self.series_per_group);
        set(&mut limits.series_per_family, self.series_per_family);
        set(&mut limits.label_limit, self.label_limit);
        set(&mut limits.bucket_limit, self.bucket_limit);
        set(&mut limits.metric_name_length, self.metric_name_length_limit);
        set(&mut limits.label_name_length, self.label_name_length_limit);
        set(&mut limits.label_value_length, self.label_value_length_limit);
        if let Some(rules) = self.label_values {
            let pointer = pointer.clone().key("label_values");
            let rule = |(index, rule): (usize, LabelValuesConfig)| {
                let label = pattern(&rule.label, pointer.clone().index(index).key("label"), problems)?;
                Some(LabelValues { label, limit: limit(rule.limit, rule.action) })
            };
            limits.label_values = rules.into_iter().enumerate().filter_map(rule).collect();
        }
        if let Some(HighEntropyConfig { kinds, action, exempt }) = self.high_entropy {
            let pointer = pointer.clone().key("high_entropy").key("exempt");
            let exempt = exempt
                .iter()
                .enumerate()
                .filter_map(|(index, source)| pattern(source, pointer.clone().index(index), problems))
                .collect();
            let action = action.into();
            limits.high_entropy = (!kinds.is_empty()).then_some(HighEntropy { kinds, action, exempt });
        }
    }
}

fn set<A: Into<Action>>(before: &mut Option<Limit>, config: Option<LimitConfig<A>>) {
    match config {
        None => {}
        Some(LimitConfig::Number(most)) => *before = limit(most, Action::Reject),
        Some(LimitConfig::Table(LimitTable { limit: most, action })) => {
            *before = limit(most, action.map_or(Action::Reject, Into::into));
        }
    }
}

fn limit(most: u64, action: impl Into<Action>) -> Option<Limit> {
    (most > 0).then(|| Limit { most, action: action.into() })
}

fn pattern(source: &str, pointer: Pointer, problems: &mut Problems) -> Option<Pattern> {
    Pattern::new(source).map_err(|error| problems.add(pointer, format!("no regex: {error}"))).ok()
}
