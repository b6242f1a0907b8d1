//! Shadows: candidates for the place of a policy. They are asked about the pushes that the policy is asked about, as it
//! saw them, and nothing that they answer does anything. One that keeps failing is suspended like a policy, on its own.

use std::sync::Arc;
use std::time::Duration;

use pushgate_exposition::Push;
use pushgate_exposition::text::{Difference, difference};

use crate::link::{Answer, ask};
use crate::{Breaker, Finding, Plugin, Request, Skip, Step};

/// Lines that are kept of what two answers make of a push.
const MAX_LINES: usize = 20;

/// A candidate.
pub struct Shadow {
    /// What is asked.
    pub plugin: Plugin,
    /// Keeps pushes from it while it keeps failing; the policy goes on.
    pub breaker: Arc<Breaker>,
}

/// What a candidate answered, beside what the policy did.
#[derive(Debug)]
pub struct Comparison {
    /// What the candidate would have done.
    pub step: Step,
    /// Its remarks.
    pub findings: Vec<Finding>,
    /// Fuel used; 0 when it was not called.
    pub fuel: u64,
    /// How long it took.
    pub duration: Duration,
    /// How that differs.
    pub contrast: Contrast,
}

/// How a candidate's answer differs from the policy's, told by what weighs most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contrast {
    /// Not at all: the same would have become of the push, for the same reasons.
    Same,
    /// One lets the push pass that the other does not.
    Decision,
    /// They find something else. The wording of a message is no difference.
    Findings,
    /// They let different pushes pass: `-` is what the policy's edits leave, `+` what the candidate's would.
    Edits(Difference),
    /// The candidate failed.
    Fault,
    /// The candidate was not asked, because it keeps failing.
    Suspended,
}

impl Shadow {
    /// Asks the candidate about a push of that job, and compares.
    pub(crate) fn ask(&self, push: &Push, job: &str, request: Request<'_>, policy: &Answer) -> Comparison {
        let candidate = match self.breaker.admit(job) {
            Ok(ticket) => {
                let answer = ask(&self.plugin, push, request);
                self.breaker.settle(ticket, job, &answer.step);
                answer
            }
            Err(retry_after) => Answer::skipped(Skip::Suspended { retry_after }),
        };
        compare(push, policy, candidate)
    }
}

/// Compares the answers of a policy and of a candidate to a push.
fn compare(push: &Push, policy: &Answer, candidate: Answer) -> Comparison {
    let contrast = match (&policy.step, &candidate.step) {
        (_, Step::Fault(_)) => Contrast::Fault,
        (_, Step::Skipped(_)) => Contrast::Suspended,
        (one, other) if end(one) != end(other) => Contrast::Decision,
        _ if found(&policy.findings) != found(&candidate.findings) => Contrast::Findings,
        _ if policy.edited.is_none() && candidate.edited.is_none() => Contrast::Same,
        _ => {
            let (one, other) = (policy.edited.as_deref(), candidate.edited.as_deref());
            match difference(one.unwrap_or(push), other.unwrap_or(push), MAX_LINES) {
                nothing if nothing.is_empty() => Contrast::Same,
                edits => Contrast::Edits(edits),
            }
        }
    };
    let Answer { step, findings, fuel, duration, .. } = candidate;
    Comparison { step, findings, fuel, duration, contrast }
}

/// What becomes of a push; edits may be none.
fn end(step: &Step) -> &'static str {
    match step {
        Step::Accepted | Step::Mutated => "passes",
        Step::Rejected => "rejected",
        Step::Fault(_) => "fault",
        Step::Skipped(_) => "not asked",
    }
}

/// Codes and places, in an order that does not depend on the plugin.
fn found(findings: &[Finding]) -> Vec<Found<'_>> {
    let mut found: Vec<_> = findings.iter().map(Found::from).collect();
    found.sort_unstable();
    found
}

/// A finding without its words.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Found<'a> {
    code: &'a str,
    metric: Option<&'a str>,
    series: Option<&'a str>,
    label: Option<&'a str>,
}

impl<'a> From<&'a Finding> for Found<'a> {
    fn from(finding: &'a Finding) -> Self {
        Self {
            code: &finding.code,
            metric: finding.metric.as_deref(),
            series: finding.series.as_deref(),
            label: finding.label.as_deref(),
        }
    }
}
