//! What comes of all rules.

use pushgate_plugin::{Edits, Family, Findings, Outcome, Push, Series};

use crate::input::Subject;

/// What comes of a push, as the rules are gone through.
#[derive(Debug)]
pub(crate) struct Ruling {
    /// Why it is refused.
    pub(crate) reasons: Findings,
    /// What is only told.
    pub(crate) remarks: Findings,
    edits: Edits,
    metrics: Vec<bool>,
    series: Vec<bool>,
}

impl Ruling {
    pub(crate) fn new(push: &Push) -> Self {
        Self {
            reasons: Findings::default(),
            remarks: Findings::default(),
            edits: Edits::new(push),
            metrics: Vec::new(),
            series: Vec::new(),
        }
    }

    /// Leaves a metric or a series out. Rules that follow are not asked about it.
    pub(crate) fn drop(&mut self, subject: Subject<'_>) {
        if let Some(series) = subject.series {
            self.edits.drop(series);
            mark(&mut self.series, series.index());
        } else if let Some(family) = subject.family {
            self.edits.drop(family);
            mark(&mut self.metrics, family.index());
        }
    }

    pub(crate) fn has_dropped(&self, subject: Subject<'_>) -> bool {
        let is_marked = |marks: &[bool], index: Option<usize>| {
            index.and_then(|index| marks.get(index)).is_some_and(|marked| *marked)
        };
        is_marked(&self.metrics, subject.family.map(Family::index))
            || is_marked(&self.series, subject.series.map(Series::index))
    }

    pub(crate) fn into_outcome(self) -> Outcome {
        if self.reasons.is_empty() {
            Outcome::mutate(self.edits).with_notes(self.remarks)
        } else {
            self.reasons.verdict().with_notes(self.remarks)
        }
    }
}

fn mark(marks: &mut Vec<bool>, index: usize) {
    if marks.len() <= index {
        marks.resize(index + 1, false);
    }
    marks[index] = true;
}
