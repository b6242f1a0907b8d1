//! What came of a soak.

use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::usage::{Course, Usage};
use super::{Plan, Soak};
use crate::Folder;

/// What was done, what it took, and what was wrong.
#[derive(Debug)]
pub struct Report {
    seed: u64,
    binary: PathBuf,
    lasted: Duration,
    counts: Vec<(&'static str, u64)>,
    courses: Vec<Course>,
    violations: Vec<String>,
    /// Where the log and the journal are, if anything was wrong.
    kept: Option<PathBuf>,
}

impl Report {
    pub(super) fn new(
        plan: &Plan,
        binary: PathBuf,
        lasted: Duration,
        soak: &Soak,
        usage: &Usage,
        folder: Folder,
    ) -> Self {
        let counts = &soak.counts;
        let read = |(name, count): (&'static str, &AtomicU64)| (name, count.load(Ordering::Relaxed));
        let counts = [
            ("pushes accepted", &counts.accepted),
            ("pushes refused", &counts.refused),
            ("groups deleted", &counts.deleted),
            ("pushes with a faulting plugin", &counts.faulted),
            ("reloads", &counts.reloaded),
            ("reloads refused", &counts.reloads_refused),
            ("scrapes", &counts.scrapes),
            ("groups seen as acknowledged", &counts.seen),
            ("groups gone after a deletion", &counts.deleted_gone),
            ("groups gone after their time", &counts.expired_gone),
        ];
        let violations = soak.violations.lock().clone();
        let kept = (!violations.is_empty()).then(|| folder.keep());
        Self {
            seed: plan.seed,
            binary,
            lasted,
            counts: counts.into_iter().map(read).collect(),
            courses: usage.courses(),
            violations,
            kept,
        }
    }

    /// Whether nothing was wrong.
    pub fn is_good(&self) -> bool {
        self.violations.is_empty()
    }

    /// What never happened: then the soak says nothing about it.
    pub fn missing(&self) -> Vec<&'static str> {
        self.counts.iter().filter(|(_, count)| *count == 0).map(|(name, _)| *name).collect()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "soak of {:.0?} with seed {}: {}", self.lasted, self.seed, self.binary.display())?;
        for (name, count) in &self.counts {
            writeln!(f, "  {count:>10}  {name}")?;
        }
        writeln!(
            f,
            "  {:<22} {:>12} {:>12} {:>12} {:>12}",
            "median of a quarter", "first", "last", "allowed", "most"
        )?;
        for Course { name, first, last, allowed, most } in &self.courses {
            writeln!(f, "  {name:<22} {first:>12.0} {last:>12.0} {allowed:>12.0} {most:>12.0}")?;
        }
        match &self.kept {
            None => write!(f, "no violations"),
            Some(folder) => {
                writeln!(
                    f,
                    "VIOLATIONS, the first {}; log and journal are in {}",
                    self.violations.len(),
                    folder.display()
                )?;
                self.violations.iter().try_for_each(|violation| writeln!(f, "  {violation}"))
            }
        }
    }
}
