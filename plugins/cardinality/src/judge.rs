//! A push under judgement.

use pushgate_plugin::{Code, Finding, Findings, Kind, Outcome, Push, Series, Sym, quote};

use crate::fates::Fates;
use crate::limits::{Action, Limit, Limits};
use crate::{BUCKET_LIMIT, LABEL_LIMIT, METRIC_NAME_LENGTH_LIMIT, duplicates, labels, series};

/// Holds a push against the limits: names and labels first, then how many series are left.
pub(crate) fn judge(push: &Push, limits: &Limits) -> Outcome {
    let mut judgement = Judgement::new(push);
    judgement.metric_names(limits);
    judgement.shapes(limits);
    labels::judge(limits, &mut judgement);
    series::judge(limits, &mut judgement);
    duplicates::find(&mut judgement);
    judgement.outcome()
}

/// What was found of a push so far.
pub(crate) struct Judgement<'p> {
    pub(crate) push: &'p Push,
    pub(crate) fates: Fates,
    reasons: Findings,
    notes: Findings,
}

impl<'p> Judgement<'p> {
    fn new(push: &'p Push) -> Self {
        Self { push, fates: Fates::default(), reasons: Findings::default(), notes: Findings::default() }
    }

    /// Adds a finding, as a reason to reject the push or as a note.
    pub(crate) fn add(&mut self, action: Action, finding: impl FnOnce() -> Finding) {
        match action {
            Action::Reject => self.reasons.add(finding),
            Action::Drop | Action::Labeldrop | Action::Warn => self.notes.add(finding),
        }
    }

    /// Whether the push will be rejected, so that nothing need be edited.
    pub(crate) fn is_rejected(&self) -> bool {
        !self.reasons.is_empty()
    }

    fn metric_names(&mut self, limits: &Limits) {
        let Some(limit) = limits.metric_name_length else { return };
        let push = self.push;
        for family in push.families().filter(|family| limit.is_passed_by(family.name().len())) {
            let series = family.series().len();
            if limit.action == Action::Drop {
                family.series().for_each(|series| self.fates.drop(series, push));
            }
            self.add(limit.action, || {
                let (name, length) = (quote(family.name()), family.name().len());
                let message =
                    format!("shorten the metric name {name} to {} bytes: it has {length}", limit.most);
                let message = message + &dropped(limit.action, series);
                Finding::new(&METRIC_NAME_LENGTH_LIMIT, message).at_family(family)
            });
        }
    }

    /// Labels and buckets of each series, by their number.
    fn shapes(&mut self, limits: &Limits) {
        if let Some(limit) = limits.label_limit {
            let of_group = self.push.grouping().filter(|label| !label.value().is_empty()).count();
            self.shape(
                limit,
                &LABEL_LIMIT,
                |series| {
                    let is_simple = !matches!(
                        series.family().kind(),
                        Kind::Histogram | Kind::GaugeHistogram | Kind::Summary
                    );
                    // An empty value is no label. The metric name is one, and so are `le` and `quantile`.
                    let own = series.label_syms().filter(|(_, value)| *value != Sym::EMPTY).count();
                    own + of_group + if is_simple { 1 } else { 2 }
                },
                |most, number| {
                    format!(
                        "use at most {most} labels: with its name and the grouping key, this series has {number}"
                    )
                },
            );
        }
        if let Some(limit) = limits.bucket_limit {
            self.shape(
                limit,
                &BUCKET_LIMIT,
                |series| series.points().count(),
                |most, number| format!("use at most {most} buckets or quantiles: this series has {number}"),
            );
        }
    }

    fn shape(
        &mut self,
        limit: Limit,
        code: &Code,
        number: impl Fn(Series<'p>) -> usize,
        message: impl FnOnce(u64, usize) -> String,
    ) {
        let mut first = None;
        let mut count = 0;
        for series in self.push.series() {
            let number = number(series);
            if limit.is_passed_by(number) && !self.fates.is_dropped(series) {
                first.get_or_insert((series, number));
                count += 1;
                if limit.action == Action::Drop {
                    self.fates.drop(series, self.push);
                }
            }
        }
        let Some((series, number)) = first else { return };
        self.add(limit.action, || {
            let mut message = message(limit.most, number);
            if count > 1 {
                message += &format!(", and {} more have too many", count - 1);
            }
            Finding::new(code, message + &dropped(limit.action, count)).at_series(series)
        });
    }

    fn outcome(self) -> Outcome {
        if self.is_rejected() {
            return self.reasons.verdict();
        }
        Outcome::mutate(self.fates.edits(self.push)).with_notes(self.notes)
    }
}

/// What was done about series, at the end of a message.
pub(crate) fn dropped(action: Action, series: usize) -> String {
    match (action, series) {
        (_, 0) | (Action::Reject | Action::Warn, _) => String::new(),
        (Action::Drop, 1) => "; 1 series was dropped".to_owned(),
        (Action::Drop, _) => format!("; {series} series were dropped"),
        (Action::Labeldrop, _) => format!("; the label was dropped from {series} series"),
    }
}
