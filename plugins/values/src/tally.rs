//! What was found of one metric.

use pushgate_plugin::{Family, Finding, Findings, Series};

use crate::check::{Act, Actions, CHECKS, Check};

/// What was found of one metric: of each check the first series, and how many there are. Series come one after the other.
pub(crate) struct Tally<'p, 'a> {
    family: Family<'p>,
    actions: &'a Actions,
    /// In the order in which they were found.
    found: Vec<Found<'p>>,
    /// By check: where it is among those found, from 1 on.
    places: [u8; CHECKS],
    dropped: Vec<Series<'p>>,
}

struct Found<'p> {
    check: Check,
    act: Act,
    first: Series<'p>,
    series: usize,
    last: usize,
    message: String,
}

impl<'p, 'a> Tally<'p, 'a> {
    pub(crate) fn new(family: Family<'p>, actions: &'a Actions) -> Self {
        Self { family, actions, found: Vec::new(), places: [0; CHECKS], dropped: Vec::new() }
    }

    pub(crate) fn family(&self) -> Family<'p> {
        self.family
    }

    /// Notes what a check finds of a series, of which there may be more than one thing. The message says what to do.
    pub(crate) fn note(&mut self, check: Check, series: Series<'p>, message: impl FnOnce() -> String) {
        if let Some(act) = self.actions.of(check) {
            self.note_as(check, act, series, message);
        }
    }

    /// Notes what a check finds, where it has an action of its own.
    pub(crate) fn note_as(
        &mut self,
        check: Check,
        act: Act,
        series: Series<'p>,
        message: impl FnOnce() -> String,
    ) {
        let place = &mut self.places[check as usize];
        match self.found.get_mut(usize::from(*place).wrapping_sub(1)) {
            Some(found) => {
                found.series +=
                    usize::from(std::mem::replace(&mut found.last, series.index()) != series.index());
            }
            None => {
                let (message, last) = (message(), series.index());
                self.found.push(Found { check, act, first: series, series: 1, last, message });
                *place = self.found.len() as u8;
            }
        }
        let is_new = self.dropped.last().is_none_or(|last| last.index() != series.index());
        if act == Act::Drop && is_new {
            self.dropped.push(series);
        }
    }

    /// The series that are dropped.
    pub(crate) fn dropped(&self) -> &[Series<'p>] {
        &self.dropped
    }

    /// Adds a finding for each check that found something.
    pub(crate) fn tell(&self, reasons: &mut Findings, notes: &mut Findings) {
        for found in &self.found {
            let findings = if found.act == Act::Reject { &mut *reasons } else { &mut *notes };
            findings.add(|| {
                let more = match found.series {
                    1 => String::new(),
                    2 => "; 1 more series is like that".to_owned(),
                    series => format!("; {} more series are like that", series - 1),
                };
                let dropped = match (found.act, found.series) {
                    (Act::Drop, 1) => "; it was dropped",
                    (Act::Drop, _) => "; they were dropped",
                    (Act::Warn | Act::Reject, _) => "",
                };
                Finding::new(found.check.code(), format!("{}{more}{dropped}", found.message))
                    .at_series(found.first)
            });
        }
    }
}
