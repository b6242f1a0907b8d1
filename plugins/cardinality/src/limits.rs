//! The limits, as they are held against a push.

use pushgate_plugin::Pattern;

use crate::entropy::Kind;

/// The limits of all jobs, and those of some.
#[derive(Debug)]
pub(crate) struct ByJob {
    general: Limits,
    by_job: Vec<(Pattern, Limits)>,
}

impl ByJob {
    pub(crate) fn new(general: Limits, by_job: Vec<(Pattern, Limits)>) -> Self {
        Self { general, by_job }
    }

    pub(crate) fn of_job(&self, job: &str) -> &Limits {
        let own = self.by_job.iter().find(|(pattern, _)| pattern.is_match(job));
        own.map_or(&self.general, |(_, limits)| limits)
    }

    /// Whether no push of any job is over a limit.
    pub(crate) fn are_none(&self) -> bool {
        self.general.are_none() && self.by_job.iter().all(|(_, limits)| limits.are_none())
    }
}

/// The limits of a job.
#[derive(Clone, Debug, Default)]
pub(crate) struct Limits {
    pub(crate) series_per_push: Option<Limit>,
    pub(crate) series_per_group: Option<Limit>,
    pub(crate) series_per_family: Option<Limit>,
    pub(crate) label_limit: Option<Limit>,
    pub(crate) bucket_limit: Option<Limit>,
    pub(crate) metric_name_length: Option<Limit>,
    pub(crate) label_name_length: Option<Limit>,
    pub(crate) label_value_length: Option<Limit>,
    pub(crate) label_values: Vec<LabelValues>,
    pub(crate) high_entropy: Option<HighEntropy>,
}

/// The most that is allowed of something.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit {
    pub(crate) most: u64,
    pub(crate) action: Action,
}

/// What becomes of what is over a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Reject,
    Drop,
    Labeldrop,
    Warn,
}

/// How many values some labels may have in a job.
#[derive(Clone, Debug)]
pub(crate) struct LabelValues {
    pub(crate) label: Pattern,
    /// Without one, the labels may have any number.
    pub(crate) limit: Option<Limit>,
}

/// Values that are new with every run or request.
#[derive(Clone, Debug)]
pub(crate) struct HighEntropy {
    pub(crate) kinds: Vec<Kind>,
    pub(crate) action: Action,
    pub(crate) exempt: Vec<Pattern>,
}

impl Limit {
    pub(crate) fn is_passed_by(self, number: usize) -> bool {
        number as u64 > self.most
    }
}

impl Limits {
    fn are_none(&self) -> bool {
        let numbers = [
            self.series_per_push,
            self.series_per_group,
            self.series_per_family,
            self.label_limit,
            self.bucket_limit,
            self.metric_name_length,
            self.label_name_length,
            self.label_value_length,
        ];
        numbers.iter().all(Option::is_none)
            && self.label_values.iter().all(|rule| rule.limit.is_none())
            && self.high_entropy.is_none()
    }

    /// How many values a label may have in its job.
    pub(crate) fn values_of(&self, label: &str) -> Option<Limit> {
        self.label_values.iter().find(|rule| rule.label.is_match(label))?.limit
    }

    /// Whether the values of labels are looked at, beside how many there are.
    pub(crate) fn judge_values(&self) -> bool {
        self.label_value_length.is_some() || self.high_entropy.is_some()
    }
}

impl HighEntropy {
    /// What of a value is new with every run or request.
    pub(crate) fn find(&self, value: &str) -> Option<Kind> {
        self.kinds.iter().copied().find(|kind| kind.is_in(value))
    }

    pub(crate) fn exempts(&self, label: &str) -> bool {
        self.exempt.iter().any(|pattern| pattern.is_match(label))
    }
}
