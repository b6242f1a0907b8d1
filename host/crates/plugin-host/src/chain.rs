//! The ordered policies that every push runs through.

use std::iter;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use pushgate_exposition::Push;

use crate::link::Answer;
use crate::{
    Breaker, End, Engine, Fault, Link, Mode, OnReject, Plugin, Report, Request, Skip, Step, Verdict, routine,
};

/// The policies in the order of the configuration. Each sees what those before it made of the push.
pub struct Chain {
    links: Vec<Link>,
    on_reject: OnReject,
    /// Tells it from all others.
    number: u64,
    made: Instant,
    /// Until when the chain is suspect, in milliseconds since it was made.
    suspect_until: AtomicU64,
}

impl Default for Chain {
    /// Without a policy, every push passes as it is.
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

/// How long a chain is suspect after a policy ran into a limit.
const SUSPICION: Duration = Duration::from_secs(30);

impl Chain {
    /// A chain of these policies.
    pub fn new(links: Vec<Link>) -> Self {
        Self {
            links,
            on_reject: OnReject::Stop,
            number: routine::number_of_next_chain(),
            made: Instant::now(),
            suspect_until: AtomicU64::new(0),
        }
    }

    /// The same chain, which does that when a policy rejects a push.
    #[must_use]
    pub fn on_reject(self, on_reject: OnReject) -> Self {
        Self { on_reject, ..self }
    }

    /// The policies.
    pub fn links(&self) -> &[Link] {
        &self.links
    }

    /// Tells it from all other chains of this process.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// The engine of its policies, for a chain that is to follow it.
    pub fn engine(&self) -> Option<&Engine> {
        self.links.first().map(|link| link.plugin.engine())
    }

    /// Lets go of the instances that wait for the next push: another chain will get it. Pushes under way go on.
    pub fn retire(&self) {
        self.plugins().for_each(Plugin::retire);
    }

    /// All plugins, shadows among them.
    pub fn plugins(&self) -> impl Iterator<Item = &Plugin> {
        self.links
            .iter()
            .flat_map(|link| iter::once(&link.plugin).chain(link.shadows.iter().map(|shadow| &shadow.plugin)))
    }

    /// The breaker of a policy, or of a shadow.
    pub fn breaker(&self, name: &str) -> Option<&Breaker> {
        self.links.iter().find_map(|link| {
            let shadow = link.shadows.iter().find(|shadow| shadow.plugin.name() == name);
            match shadow {
                Some(shadow) => Some(&*shadow.breaker),
                None => (link.plugin.name() == name).then_some(&*link.breaker),
            }
        })
    }

    /// The fuel that all policies together may use on a push of that many series.
    pub fn fuel(&self, series: usize) -> u64 {
        self.links.iter().fold(0, |fuel, link| fuel.saturating_add(link.plugin.fuel(series)))
    }

    /// Whether a policy ran into a limit a short while ago, and so may do it again: a caller with a thread to
    /// lose should not lend it.
    pub fn is_suspect(&self) -> bool {
        let until = self.suspect_until.load(Ordering::Relaxed);
        until > 0 && self.made.elapsed().as_millis() < u128::from(until)
    }

    fn suspect(&self) {
        let until = (self.made.elapsed() + SUSPICION).as_millis() as u64;
        self.suspect_until.store(until, Ordering::Relaxed);
    }

    /// Takes a push through the policies and edits it on the way. Blocks for as long as their fuel lasts.
    ///
    /// Unless the verdict is [`End::Accepted`], the push is not to be used.
    pub fn run(&self, push: &mut Push, request: Request<'_>) -> Verdict {
        let reports = Vec::with_capacity(self.links.len());
        let mut verdict = Verdict { end: End::Accepted, findings: Vec::new(), reports };
        let mut shape = None;
        for (index, link) in self.links.iter().enumerate() {
            if link.covers.as_ref().is_some_and(|covers| !covers(push, request)) {
                verdict.reports.push(Report::skipped(index, Skip::Scope));
                continue;
            }
            let (answer, shadows, edited) = link.ask(push, request, &mut shape);
            let Answer { step, origin, findings, edits, fuel, began, duration, .. } = answer;
            let candidates = shadows.iter().map(|shadow| &shadow.step);
            if candidates.chain([&step]).any(ran_into_a_limit) {
                self.suspect();
            }
            let end = link.end(&step);
            let report =
                Report { link: index, step, origin, findings, edits, fuel, began, duration, shadows, edited };
            if link.mode == Mode::Enforce {
                verdict.judge(end, &report.findings);
            }
            verdict.reports.push(report);
            match (&verdict.end, self.on_reject) {
                (End::Accepted, _) | (End::Rejected, OnReject::Collect) => {}
                _ => break,
            }
        }
        verdict
    }
}

fn ran_into_a_limit(step: &Step) -> bool {
    matches!(step, Step::Fault(Fault::Fuel | Fault::Deadline | Fault::Memory | Fault::Stack))
}
