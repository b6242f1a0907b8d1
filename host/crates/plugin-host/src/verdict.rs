//! What comes out of a chain, and what each of its policies did.

use std::sync::Arc;
use std::time::Duration;

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
    /// Where that is known from.
    pub origin: Origin,
    /// Its remarks, also of a monitoring policy.
    pub findings: Vec<Finding>,
    /// Its edits, also of a monitoring policy.
    pub edits: usize,
    /// Fuel used; 0 after a fault, and when it was not called.
    pub fuel: u64,
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
