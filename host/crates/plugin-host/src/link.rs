//! A policy in a chain: a plugin, and what its answers do.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pushgate_exposition::edit::Patch;
use pushgate_exposition::{Push, text};

use crate::memo::Known;
use crate::outcome::{Outcome, RawFinding};
use crate::plugin::Call;
use crate::shadow::Comparison;
use crate::shape::Shape;
use crate::{
    Breaker, BreakerSettings, Decision, Edited, End, Fault, Finding, Memo, Origin, Plugin, Request, Shadow,
    Skip, Step,
};

/// What a policy's outcome does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Its edits are made, its rejections stand.
    Enforce,
    /// It is asked, counted and logged, and changes nothing.
    Monitor,
}

impl Mode {
    /// Its name in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Monitor => "monitor",
        }
    }
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
    /// The pushes that it is for; nothing if those are all.
    pub covers: Option<Covers>,
    /// Candidates for its place: asked about the same pushes, while their answers change nothing.
    pub shadows: Vec<Shadow>,
    /// What it has answered, if that can be remembered.
    pub memo: Option<Memo>,
    /// Keeps pushes from it while it keeps failing.
    pub breaker: Arc<Breaker>,
}

/// Tells whether a policy is for a push.
pub type Covers = Box<dyn Fn(&Push, Request<'_>) -> bool + Send + Sync>;

/// What a policy answered about one push, in words that outlive the push.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) step: Step,
    pub(crate) origin: Origin,
    /// They speak of the push as the policy saw it.
    pub(crate) findings: Vec<Finding>,
    /// The push with the policy's edits.
    pub(crate) edited: Option<Box<Push>>,
    /// The edits themselves.
    pub(crate) patch: Option<Arc<Patch>>,
    /// How many those are.
    pub(crate) edits: usize,
    /// 0 without a call.
    pub(crate) fuel: u64,
    pub(crate) began: Instant,
    pub(crate) duration: Duration,
}

impl Link {
    /// A policy that decides about every push, closed when it fails, with nothing beside it.
    pub fn of(plugin: Plugin) -> Self {
        Self {
            breaker: Arc::new(Breaker::new(plugin.name(), BreakerSettings::default())),
            plugin,
            mode: Mode::Enforce,
            fail: Fail::Closed,
            covers: None,
            shadows: Vec::new(),
            memo: None,
        }
    }

    /// Asks the policy and its candidates, and makes the policy's edits if it may. What it edited comes back as well.
    /// `shape` is that of the push, once it is known.
    pub(crate) fn ask(
        &self,
        push: &mut Push,
        request: Request<'_>,
        shape: &mut Option<Shape>,
    ) -> (Answer, Vec<Comparison>, Option<Box<Edited>>) {
        let job = push.grouping_label("job").unwrap_or_default();
        let ticket = match self.breaker.admit(job) {
            Ok(ticket) => ticket,
            Err(retry_after) => return (Answer::skipped(Skip::Suspended { retry_after }), Vec::new(), None),
        };
        let mut answer = match &self.memo {
            Some(memo) => recall_or_ask(memo, &self.plugin, push, request, shape),
            None => ask(&self.plugin, push, request),
        };
        if answer.origin != Origin::Remembered {
            self.breaker.settle(ticket, job, &answer.step);
        }
        let shadows = self.shadows.iter().map(|shadow| shadow.ask(push, job, request, &answer));
        let shadows = shadows.collect();
        let edited = match (self.mode, answer.edited.take(), answer.patch.take()) {
            (Mode::Enforce, Some(edited), Some(patch)) => {
                *shape = None;
                Some(Box::new(Edited { before: std::mem::replace(push, *edited), patch }))
            }
            _ => None,
        };
        (answer, shadows, edited)
    }

    /// What an enforcing policy's step does to the push.
    pub(crate) fn end(&self, step: &Step) -> End {
        match (step, self.fail) {
            (Step::Skipped(Skip::Suspended { retry_after }), Fail::Closed) => {
                End::Suspended { plugin: self.plugin.name().to_owned(), retry_after: *retry_after }
            }
            (Step::Accepted | Step::Mutated | Step::Skipped(_), _) | (Step::Fault(_), Fail::Open) => {
                End::Accepted
            }
            (Step::Rejected, _) => End::Rejected,
            (Step::Fault(Fault::Busy), Fail::Closed) => End::Busy,
            (Step::Fault(_), Fail::Closed) => End::Fault { plugin: self.plugin.name().to_owned() },
        }
    }
}

/// Asks a policy.
pub(crate) fn ask(plugin: &Plugin, push: &Push, request: Request<'_>) -> Answer {
    let Call { result, fuel, began, duration } = plugin.evaluate(push, request);
    match result {
        Ok(outcome) => Answer::of(plugin, push, &outcome, fuel, (began, duration)),
        Err(fault) => Answer::fault(fault, fuel, (began, duration)),
    }
}

/// Asks a policy, unless it is known what it answers, and remembers the answer. A fault is none, not even one of edits
/// that do not fit.
fn recall_or_ask(
    memo: &Memo,
    plugin: &Plugin,
    push: &Push,
    request: Request<'_>,
    shape: &mut Option<Shape>,
) -> Answer {
    if memo.is_revoked() {
        return ask(plugin, push, request);
    }
    let began = Instant::now();
    let shape = *shape.get_or_insert_with(|| Shape::of(push, request));
    let known = memo.recall(shape);
    if let Some(Known::Outcome(outcome)) = &known {
        let answer = Answer::of(plugin, push, outcome, 0, (began, began.elapsed()));
        return Answer { origin: Origin::Remembered, ..answer };
    }
    let Call { result, fuel, began, duration } = plugin.evaluate(push, request);
    let outcome = match result {
        Ok(outcome) => outcome,
        Err(fault) => return Answer::fault(fault, fuel, (began, duration)),
    };
    let mut answer = Answer::of(plugin, push, &outcome, fuel, (began, duration));
    match known {
        Some(Known::Doubtful(before)) if *before != outcome => {
            memo.revoke();
            answer.origin = Origin::Contradicted;
        }
        None if !matches!(answer.step, Step::Fault(_)) => memo.keep(shape, outcome),
        _ => {}
    }
    answer
}

impl Answer {
    /// The edits are made on a copy, also if nobody wants them, so that a policy shows the faults that it would have.
    fn of(plugin: &Plugin, push: &Push, outcome: &Outcome, fuel: u64, time: (Instant, Duration)) -> Self {
        let findings = outcome.findings.iter().map(|raw| finding(plugin, push, raw)).collect();
        let (step, edited) = match &outcome.decision {
            Decision::Accept => (Step::Accepted, None),
            Decision::Reject => (Step::Rejected, None),
            Decision::Mutate(patch) => match push.edited(patch) {
                Ok(push) => (Step::Mutated, Some((Box::new(push), patch.clone()))),
                Err(error) => (Step::Fault(error.into()), None),
            },
        };
        let (edited, patch) = edited.unzip();
        let edits = patch.as_ref().map_or(0, |patch| patch.edits.len());
        let (began, duration) = time;
        Self { step, origin: Origin::Called, findings, edited, patch, edits, fuel, began, duration }
    }

    pub(crate) fn skipped(why: Skip) -> Self {
        let (step, findings) = (Step::Skipped(why), Vec::new());
        let (origin, began, duration) = (Origin::NotAsked, Instant::now(), Duration::ZERO);
        Self { step, origin, findings, edited: None, patch: None, edits: 0, fuel: 0, began, duration }
    }

    fn fault(fault: Fault, fuel: u64, (began, duration): (Instant, Duration)) -> Self {
        let (step, findings) = (Step::Fault(fault), Vec::new());
        Self {
            step,
            origin: Origin::Called,
            findings,
            edited: None,
            patch: None,
            edits: 0,
            fuel,
            began,
            duration,
        }
    }
}

/// A finding with names for its numbers. Numbers that are not in the push name nothing.
fn finding(plugin: &Plugin, push: &Push, raw: &RawFinding) -> Finding {
    let series = raw.series.and_then(|index| push.series(index as usize));
    let family = match series {
        Some((family, _)) => Some(family),
        None => raw.family.and_then(|index| push.families().nth(index as usize)),
    };
    Finding {
        plugin: plugin.name().to_owned(),
        code: raw.code.clone(),
        message: raw.message.clone(),
        metric: family.map(|family| family.name().to_owned()),
        series: series.map(|(family, series)| text::encode::series_name(family, series)),
        label: raw.label.map(|label| push.text(label).to_owned()).filter(|label| !label.is_empty()),
    }
}
