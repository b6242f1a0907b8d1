//! What a chain does with a push that it has seen before but for the numbers, without looking at it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::{Chain, End, Link, Memo, Origin, Report, Skip, Step, Verdict};

/// What each policy of a chain did with a push, where it would do just that with each push that differs in nothing but
/// numbers: all that were asked are remembered, and had no remarks.
#[derive(Debug)]
pub struct Routine {
    chain: u64,
    habits: Box<[Habit]>,
}

#[derive(Clone, Copy, Debug)]
enum Habit {
    /// The policy is not for the push.
    Passed,
    Accepted,
    Mutated {
        edits: usize,
    },
}

/// A number for each chain of this process.
pub(crate) fn number_of_next_chain() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed)
}

impl Chain {
    /// Whether a push may have a routine: no policy that is for all pushes has to look at each of them.
    pub fn may_have_routines(&self) -> bool {
        self.links().iter().all(|link| link.covers.is_some() || is_remembered(link))
    }

    /// What came of a push, if the same comes of each push that differs in nothing but its numbers.
    pub fn routine(&self, verdict: &Verdict) -> Option<Routine> {
        let is_whole = verdict.end == End::Accepted && verdict.reports.len() == self.links().len();
        let habits = self.links().iter().zip(&verdict.reports).map(|(link, report)| habit(link, report));
        let habits = is_whole.then_some(habits)?.collect::<Option<_>>()?;
        Some(Routine { chain: self.number(), habits })
    }

    /// Takes a push through the policies like the one before: what they did then, counted as remembered. Nothing if it
    /// is to be [`run`](Self::run) all the same, since it was through other policies, one of them keeps failing or is
    /// not believed any more, or it is time to try one.
    pub fn follow(&self, routine: &Routine) -> Option<Vec<Report>> {
        let is_asked = |habit: &Habit| !matches!(habit, Habit::Passed);
        let mut asked = self.links().iter().zip(&routine.habits).filter(|(_, habit)| is_asked(habit));
        if routine.chain != self.number() || !asked.clone().all(|(link, _)| is_dependable(link)) {
            return None;
        }
        if !asked.all(|(link, _)| link.memo.as_ref().is_some_and(Memo::answers_again)) {
            return None;
        }
        let mut began = Instant::now();
        let report = |(link, habit): (usize, &Habit)| {
            let (step, edits) = match *habit {
                Habit::Passed => return Report::skipped(link, Skip::Scope),
                Habit::Accepted => (Step::Accepted, 0),
                Habit::Mutated { edits } => (Step::Mutated, edits),
            };
            let report =
                Report { step, origin: Origin::Remembered, edits, ..Report::skipped(link, Skip::Scope) };
            let duration = report.began.saturating_duration_since(began);
            Report { began: std::mem::replace(&mut began, report.began), duration, ..report }
        };
        Some(routine.habits.iter().enumerate().map(report).collect())
    }
}

fn habit(link: &Link, report: &Report) -> Option<Habit> {
    if !report.findings.is_empty() || !report.shadows.is_empty() {
        return None;
    }
    match report.step {
        Step::Skipped(Skip::Scope) => Some(Habit::Passed),
        Step::Accepted if is_remembered(link) => Some(Habit::Accepted),
        Step::Mutated if is_remembered(link) => Some(Habit::Mutated { edits: report.edits }),
        _ => None,
    }
}

/// Whether what a policy answers to a push is what it answered before.
fn is_remembered(link: &Link) -> bool {
    link.shadows.is_empty() && link.memo.as_ref().is_some_and(|memo| !memo.is_revoked())
}

fn is_dependable(link: &Link) -> bool {
    is_remembered(link) && link.breaker.is_calm()
}
