//! The circuit breaker of a policy: when a plugin keeps failing, it is not asked for a while.
//!
//! It works job by job. What makes a plugin fail is most often in the pushes of one job, and those of the others must
//! not suffer for it; a plugin that fails on everything is suspended for each of its jobs. While a job is suspended, its
//! pushes cost no WebAssembly, and now and then one of them is let through to see whether the plugin is well again.

mod circuits;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use parking_lot::Mutex;
use tracing::{info, warn};

use self::circuits::Circuits;
use crate::{Fault, Step};

/// When a plugin is suspended, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerSettings {
    /// Faults in a row, on the pushes of one job, that suspend the plugin for that job; 0 for never.
    pub faults: u32,
    /// The time within which they count.
    pub window: Duration,
    /// How long it is left alone at first; each probe that fails doubles it, up to a minute.
    pub backoff: Duration,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self { faults: 5, window: Duration::from_secs(60), backoff: Duration::from_secs(1) }
    }
}

/// The breaker of one policy. One that belongs to a new chain knows nothing of the old one: whoever has mended a
/// plugin reads the configuration again, and need not wait.
pub struct Breaker {
    plugin: String,
    made: Instant,
    made_at: SystemTime,
    /// Whether every job is well, which spares the lock.
    is_calm: AtomicBool,
    state: Mutex<State>,
}

struct State {
    circuits: Circuits,
    last_faults: VecDeque<PastFault>,
}

/// Faults that are remembered.
const LAST_FAULTS: usize = 8;

/// A fault of a plugin, for whoever asks later.
#[derive(Clone, Debug)]
pub struct PastFault {
    /// When it was.
    pub at: SystemTime,
    /// The job of the push.
    pub job: String,
    /// As in the metric.
    pub kind: &'static str,
    /// In words, for operators.
    pub message: String,
}

/// A job that a plugin is suspended for.
#[derive(Clone, Debug)]
pub struct Suspended {
    /// The job.
    pub job: String,
    /// Since when.
    pub since: SystemTime,
    /// How many faults in a row, failed probes included.
    pub faults: u32,
    /// When the next push is let through to see whether the plugin is well again.
    pub until: SystemTime,
}

/// That a plugin may be asked, and for which job if that is one to look at.
pub(crate) struct Ticket(Option<String>);

impl Breaker {
    /// A breaker for the policy of that name.
    pub fn new(plugin: &str, settings: BreakerSettings) -> Self {
        let state = State { circuits: Circuits::new(settings), last_faults: VecDeque::new() };
        Self {
            plugin: plugin.to_owned(),
            made: Instant::now(),
            made_at: SystemTime::now(),
            is_calm: AtomicBool::new(true),
            state: Mutex::new(state),
        }
    }

    /// The jobs that the plugin is suspended for, in order of their names.
    pub fn suspended(&self) -> Vec<Suspended> {
        let (now, at) = (self.made.elapsed(), |time| self.made_at + time);
        let mut state = self.state.lock();
        let suspended = state.circuits.suspended(now).map(|(job, suspension)| Suspended {
            job: job.to_owned(),
            since: at(suspension.since),
            faults: suspension.faults,
            until: at(suspension.until),
        });
        let mut suspended: Vec<_> = suspended.collect();
        suspended.sort_by(|one, other| one.job.cmp(&other.job));
        suspended
    }

    /// The last faults, the newest first, also of jobs that are well again.
    pub fn last_faults(&self) -> Vec<PastFault> {
        self.state.lock().last_faults.iter().rev().cloned().collect()
    }

    /// Whether it may be asked about pushes of every job.
    pub(crate) fn is_calm(&self) -> bool {
        self.is_calm.load(Ordering::Relaxed)
    }

    /// Whether the plugin may be asked about a push of that job; if not, after what time to try again.
    pub(crate) fn admit(&self, job: &str) -> Result<Ticket, Duration> {
        if self.is_calm() {
            return Ok(Ticket(None));
        }
        self.state.lock().circuits.admit(job, self.made.elapsed())?;
        Ok(Ticket(Some(job.to_owned())))
    }

    /// Learns what came of it.
    pub(crate) fn settle(&self, ticket: Ticket, job: &str, step: &Step) {
        match (step, ticket) {
            (Step::Fault(Fault::Busy), Ticket(Some(job))) => {
                self.state.lock().circuits.try_again(&job, self.made.elapsed());
            }
            (Step::Fault(Fault::Busy), _) => {}
            (Step::Fault(fault), _) => self.fault(job, fault),
            (_, Ticket(Some(job))) => self.success(&job),
            (_, Ticket(None)) => {}
        }
    }

    fn fault(&self, job: &str, fault: &Fault) {
        let mut state = self.state.lock();
        if state.last_faults.len() == LAST_FAULTS {
            state.last_faults.pop_front();
        }
        let (at, kind, message) = (SystemTime::now(), fault.kind(), fault.to_string());
        state.last_faults.push_back(PastFault { at, job: job.to_owned(), kind, message });
        let suspended = state.circuits.fault(job, self.made.elapsed());
        self.is_calm.store(state.circuits.is_calm(), Ordering::Relaxed);
        drop(state);
        if let Some((faults, wait)) = suspended {
            let (plugin, seconds) = (&self.plugin, wait.as_secs_f64());
            warn!(plugin, job, faults, seconds, "plugin keeps failing and is suspended for a job");
        }
    }

    fn success(&self, job: &str) {
        let mut state = self.state.lock();
        let was_suspended = state.circuits.success(job);
        self.is_calm.store(state.circuits.is_calm(), Ordering::Relaxed);
        drop(state);
        if was_suspended {
            info!(plugin = self.plugin, job, "plugin is well again, and no longer suspended for a job");
        }
    }
}
