//! The ordered policies that every push runs through.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use pushgate_exposition::{Push, text};

use crate::outcome::{Outcome, RawFinding};
use crate::{Decision, Fault, Finding, Plugin, Request};

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
    pub covers: Box<dyn Fn(&Push) -> bool + Send + Sync>,
}

/// The policies in the order of the configuration. Each sees what those before it made of the push.
pub struct Chain {
    links: Vec<Link>,
    made: Instant,
    /// Until when the chain is suspect, in milliseconds since it was made.
    suspect_until: AtomicU64,
}

/// How long a chain is suspect after a policy ran into a limit.
const SUSPICION: Duration = Duration::from_secs(30);

/// How a push came out of the chain.
#[derive(Debug)]
pub struct Verdict {
    /// Whether it may be stored.
    pub end: End,
    /// Remarks of enforcing policies: on a rejection the reasons, else warnings.
    pub findings: Vec<Finding>,
    /// What each policy did, for metrics and log.
    pub reports: Vec<Report>,
}

/// The end of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The push may be stored, as it is now.
    Accepted,
    /// A policy rejected it.
    Rejected,
    /// A policy failed that fails closed.
    Fault {
        /// The policy.
        plugin: String,
    },
    /// There was no free instance; later there may be one.
    Busy,
}

/// What one policy did with one push.
#[derive(Debug)]
pub struct Report {
    /// The policy's place in the chain.
    pub link: usize,
    /// What it did.
    pub step: Step,
    /// Its remarks, also of a monitoring policy.
    pub findings: Vec<Finding>,
    /// Fuel used; 0 after a fault.
    pub fuel: u64,
    /// How long it took, boundary included.
    pub duration: Duration,
}

/// What a policy did.
#[derive(Debug)]
pub enum Step {
    /// The push passed as it was.
    Accepted,
    /// The push was edited, or would have been.
    Mutated,
    /// The push was rejected, or would have been.
    Rejected,
    /// The policy failed.
    Fault(Fault),
}

impl Chain {
    /// A chain of these policies.
    pub fn new(links: Vec<Link>) -> Self {
        Self { links, made: Instant::now(), suspect_until: AtomicU64::new(0) }
    }

    /// The policies.
    pub fn links(&self) -> &[Link] {
        &self.links
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
        let mut verdict = Verdict { end: End::Accepted, findings: Vec::new(), reports: Vec::new() };
        for (index, link) in self.links.iter().enumerate() {
            if !(link.covers)(push) {
                continue;
            }
            let (report, end) = self.step(index, link, push, request);
            if link.mode == Mode::Enforce {
                verdict.end = end;
                if verdict.end == End::Rejected {
                    verdict.findings.clear(); // Warnings would hide the reasons.
                }
                verdict.findings.extend_from_slice(&report.findings);
            }
            verdict.reports.push(report);
            if verdict.end != End::Accepted {
                break;
            }
        }
        verdict
    }

    fn step(&self, index: usize, link: &Link, push: &mut Push, request: Request<'_>) -> (Report, End) {
        let call = link.plugin.evaluate(push, request);
        let (step, findings) = match call.result {
            Ok(outcome) => settle(link, push, outcome),
            Err(fault) => (Step::Fault(fault), Vec::new()),
        };
        let end = match &step {
            Step::Rejected => End::Rejected,
            Step::Fault(fault) => {
                if matches!(fault, Fault::Fuel | Fault::Memory | Fault::Stack) {
                    self.suspect();
                }
                match (link.fail, fault) {
                    (Fail::Open, _) => End::Accepted,
                    (Fail::Closed, Fault::Busy) => End::Busy,
                    (Fail::Closed, _) => End::Fault { plugin: link.plugin.name().to_owned() },
                }
            }
            Step::Accepted | Step::Mutated => End::Accepted,
        };
        (Report { link: index, step, findings, fuel: call.fuel, duration: call.duration }, end)
    }
}

/// Makes the edits of an enforcing policy; those of a monitoring one are tried and thrown away, so that it
/// shows the faults that it would have.
fn settle(link: &Link, push: &mut Push, outcome: Outcome) -> (Step, Vec<Finding>) {
    // The findings speak of the push as the policy saw it, so they come before the edits.
    let findings = outcome.findings.into_iter().map(|raw| finding(&link.plugin, push, raw)).collect();
    let step = match outcome.decision {
        Decision::Accept => Step::Accepted,
        Decision::Reject => Step::Rejected,
        Decision::Mutate(patch) => {
            let edited = match link.mode {
                Mode::Enforce => push.apply(&patch),
                Mode::Monitor => push.clone().apply(&patch),
            };
            edited.map_or_else(|error| Step::Fault(error.into()), |()| Step::Mutated)
        }
    };
    (step, findings)
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
