//! What comes out of a chain, and what each of its policies did.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pushgate_exposition::Push;
use pushgate_exposition::edit::Patch;

use crate::{Comparison, Fault, Finding};

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

impl Verdict {
    /// Takes in what an enforcing policy's answer comes to.
    pub(crate) fn judge(&mut self, end: End, findings: &[Finding]) {
        match (&self.end, &end) {
            // A push that is rejected is not stored whatever the others say. Only their reasons matter.
            (End::Rejected, End::Accepted | End::Fault { .. } | End::Busy) => return,
            (End::Rejected, End::Rejected) => {}
            // Warnings would hide the reasons.
            (_, End::Rejected) => self.findings.clear(),
            _ => {}
        }
        self.end = end;
        self.findings.extend_from_slice(findings);
    }
}

/// What follows when a policy rejects a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnReject {
    /// Nothing: the others are not asked.
    Stop,
    /// The others are asked as well, about the push as it was left, so that all reasons are told at once.
    Collect,
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
    /// A policy is suspended that fails closed.
    Suspended {
        /// The policy.
        plugin: String,
        /// After what time it may be asked again.
        retry_after: Duration,
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
    /// Where that is known from.
    pub origin: Origin,
    /// Its remarks, also of a monitoring policy.
    pub findings: Vec<Finding>,
    /// Its edits, also of a monitoring policy.
    pub edits: usize,
    /// Fuel used; 0 when it was not called.
    pub fuel: u64,
    /// When it was asked.
    pub began: Instant,
    /// How long it took, boundary included.
    pub duration: Duration,
    /// How the answers of its candidates compare, in their order.
    pub shadows: Vec<Comparison>,
    /// The edits that it made; none where it may not make any.
    pub edited: Option<Box<Edited>>,
}

/// What a policy edited. The push was replaced by its edited form, so keeping the one before costs nothing but the time
/// until it is freed.
#[derive(Debug)]
pub struct Edited {
    /// The push as the policy saw it.
    pub before: Push,
    /// What it changed.
    pub patch: Arc<Patch>,
}

impl Verdict {
    /// The push as the policy of a report saw it; `push` is what came out of the chain.
    pub fn seen_by<'p>(&'p self, report: usize, push: &'p Push) -> &'p Push {
        let later = self.reports.iter().skip(report).find_map(|report| report.edited.as_deref());
        later.map_or(push, |edited| &edited.before)
    }
}

impl Report {
    /// That of a policy that was not asked.
    pub(crate) fn skipped(link: usize, why: Skip) -> Self {
        Self {
            link,
            step: Step::Skipped(why),
            origin: Origin::NotAsked,
            findings: Vec::new(),
            edits: 0,
            fuel: 0,
            began: Instant::now(),
            duration: Duration::ZERO,
            shadows: Vec::new(),
            edited: None,
        }
    }
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
    /// The policy was not asked.
    Skipped(Skip),
}

/// Why a policy was not asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skip {
    /// It is not for this push.
    Scope,
    /// It keeps failing on the pushes of this job.
    Suspended {
        /// After what time it may be asked again.
        retry_after: Duration,
    },
}

/// Where an answer is known from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// There is none.
    NotAsked,
    /// The plugin gave it.
    Called,
    /// The plugin gave it to an earlier push of the same shape.
    Remembered,
    /// The plugin gave it when it was tried whether it would give the same as to an earlier push of the same shape,
    /// which it did not.
    Contradicted,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(code: &str) -> Finding {
        Finding {
            plugin: "p".to_owned(),
            code: code.to_owned(),
            message: String::new(),
            metric: None,
            series: None,
            label: None,
        }
    }

    #[test]
    fn a_rejection_stays_one_and_collects_only_reasons() {
        let fault = || End::Fault { plugin: "p".to_owned() };
        for (rule, steps, end, codes) in [
            ("warnings add up", vec![(End::Accepted, "a"), (End::Accepted, "b")], End::Accepted, "ab"),
            (
                "reasons push warnings out",
                vec![(End::Accepted, "a"), (End::Rejected, "b")],
                End::Rejected,
                "b",
            ),
            ("reasons add up", vec![(End::Rejected, "a"), (End::Rejected, "b")], End::Rejected, "ab"),
            ("later warnings are none", vec![(End::Rejected, "a"), (End::Accepted, "b")], End::Rejected, "a"),
            ("a later fault is no fault", vec![(End::Rejected, "a"), (fault(), "b")], End::Rejected, "a"),
            ("nor is a busy plugin", vec![(End::Rejected, "a"), (End::Busy, "b")], End::Rejected, "a"),
            ("a fault is one", vec![(End::Accepted, "a"), (fault(), "b")], fault(), "ab"),
        ] {
            let mut verdict = Verdict { end: End::Accepted, findings: Vec::new(), reports: Vec::new() };
            steps.into_iter().for_each(|(end, code)| verdict.judge(end, &[finding(code)]));
            let told: String = verdict.findings.iter().map(|finding| finding.code.as_str()).collect();
            assert_eq!((verdict.end, told.as_str()), (end, codes), "{rule}");
        }
    }
}
