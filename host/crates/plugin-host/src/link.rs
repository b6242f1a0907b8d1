//! A policy in a chain: a plugin, and what its answers do.

use std::time::Duration;

use pushgate_exposition::{Push, text};

use crate::outcome::RawFinding;
use crate::shadow::{Comparison, compare};
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
    /// Candidates for its place: asked about the same pushes, while their answers change nothing.
    pub shadows: Vec<Plugin>,
}

/// Tells whether a policy is for a push.
pub type Covers = Box<dyn Fn(&Push, Request<'_>) -> bool + Send + Sync>;

/// What a policy answered about one push, in words that outlive the push.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) step: Step,
    /// They speak of the push as the policy saw it.
    pub(crate) findings: Vec<Finding>,
    /// The push with the policy's edits.
    pub(crate) edited: Option<Push>,
    /// 0 after a fault.
    pub(crate) fuel: u64,
    pub(crate) duration: Duration,
}

impl Link {
    /// Asks the policy and its candidates, and makes the policy's edits if it may.
    pub(crate) fn ask(&self, push: &mut Push, request: Request<'_>) -> (Answer, Vec<Comparison>) {
        let mut answer = ask(&self.plugin, push, request);
        let shadows = self.shadows.iter().map(|shadow| compare(push, &answer, ask(shadow, push, request)));
        let shadows = shadows.collect();
        if let (Mode::Enforce, Some(edited)) = (self.mode, answer.edited.take()) {
            *push = edited;
        }
        (answer, shadows)
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
}

/// Asks a policy. Its edits are made on a copy, also if nobody wants them, so that it shows the faults that it would
/// have.
fn ask(plugin: &Plugin, push: &Push, request: Request<'_>) -> Answer {
    let call = plugin.evaluate(push, request);
    let (fuel, duration) = (call.fuel, call.duration);
    let answer = |step, findings, edited| Answer { step, findings, edited, fuel, duration };
    match call.result {
        Ok(outcome) => {
            let findings = outcome.findings.into_iter().map(|raw| finding(plugin, push, raw)).collect();
            match outcome.decision {
                Decision::Accept => answer(Step::Accepted, findings, None),
                Decision::Reject => answer(Step::Rejected, findings, None),
                Decision::Mutate(patch) => match push.edited(&patch) {
                    Ok(edited) => answer(Step::Mutated, findings, Some(edited)),
                    Err(error) => answer(Step::Fault(error.into()), findings, None),
                },
            }
        }
        Err(fault) => answer(Step::Fault(fault), Vec::new(), None),
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
