//! A policy in a chain: a plugin, and what its answers do.

use std::time::Duration;

use pushgate_exposition::{Push, text};

use crate::outcome::{Outcome, RawFinding};
use crate::{Decision, End, Fault, Finding, Plugin, Request, Step};

/// What a policy's outcome does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Its edits are made, its rejections stand.
    Enforce,
    /// It is asked, counted and logged, and changes nothing.
    Monitor,
}

/// What happens to a push when an enforcing policy fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fail {
    /// The push is refused.
    Closed,
    /// The push goes on as if the policy were not there.
    Open,
}

/// A policy in a chain.
pub struct Link {
    /// What is asked.
    pub plugin: Plugin,
    /// What its answer does.
    pub mode: Mode,
    /// What its failure does.
    pub fail: Fail,
    /// The pushes that it is for.
    pub covers: Covers,
}

/// Tells whether a policy is for a push.
pub type Covers = Box<dyn Fn(&Push, Request<'_>) -> bool + Send + Sync>;

/// What one call cost.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cost {
    /// 0 after a fault.
    pub(crate) fuel: u64,
    pub(crate) duration: Duration,
}

impl Link {
    /// Asks the policy, and makes its edits if it may. The findings speak of the push as the policy saw it.
    pub(crate) fn ask(&self, push: &mut Push, request: Request<'_>) -> (Step, Vec<Finding>, Cost) {
        let call = self.plugin.evaluate(push, request);
        let cost = Cost { fuel: call.fuel, duration: call.duration };
        match call.result {
            Ok(outcome) => {
                let (step, findings) = self.settle(push, outcome);
                (step, findings, cost)
            }
            Err(fault) => (Step::Fault(fault), Vec::new(), cost),
        }
    }

    /// What an enforcing policy's step does to the push.
    pub(crate) fn end(&self, step: &Step) -> End {
        match (step, self.fail) {
            (Step::Accepted | Step::Mutated, _) | (Step::Fault(_), Fail::Open) => End::Accepted,
            (Step::Rejected, _) => End::Rejected,
            (Step::Fault(Fault::Busy), Fail::Closed) => End::Busy,
            (Step::Fault(_), Fail::Closed) => End::Fault { plugin: self.plugin.name().to_owned() },
        }
    }

    /// Makes the edits of an enforcing policy; those of a monitoring one are tried and thrown away, so that it
    /// shows the faults that it would have.
    fn settle(&self, push: &mut Push, outcome: Outcome) -> (Step, Vec<Finding>) {
        // The findings speak of the push as the policy saw it, so they come before the edits.
        let findings = outcome.findings.into_iter().map(|raw| finding(&self.plugin, push, raw)).collect();
        let step = match outcome.decision {
            Decision::Accept => Step::Accepted,
            Decision::Reject => Step::Rejected,
            Decision::Mutate(patch) => {
                let edited = match self.mode {
                    Mode::Enforce => push.apply(&patch),
                    Mode::Monitor => push.clone().apply(&patch),
                };
                edited.map_or_else(|error| Step::Fault(error.into()), |()| Step::Mutated)
            }
        };
        (step, findings)
    }
}

/// A finding with names for its numbers. Numbers that are not in the push name nothing.
fn finding(plugin: &Plugin, push: &Push, raw: RawFinding) -> Finding {
    let series = raw.series.and_then(|index| push.series(index as usize));
    let family = match series {
        Some((family, _)) => Some(family),
        None => raw.family.and_then(|index| push.families().nth(index as usize)),
    };
    Finding {
        plugin: plugin.name().to_owned(),
        code: raw.code,
        message: raw.message,
        metric: family.map(|family| family.name().to_owned()),
        series: series.map(|(family, series)| text::encode::series_name(family, series)),
        label: raw.label.map(|label| push.text(label).to_owned()).filter(|label| !label.is_empty()),
    }
}
