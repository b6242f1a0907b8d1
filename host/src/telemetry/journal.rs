//! What is counted of the journal.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use pushgate_exposition::{InternError, Kind};

use super::histogram::Histogram;
use super::writer::Writer;

/// Writes of the journal, and what they came to.
#[derive(Debug)]
pub struct JournalMetrics {
    bytes: AtomicU64,
    writes: Histogram,
    failures: AtomicU64,
}

impl Default for JournalMetrics {
    fn default() -> Self {
        Self { bytes: AtomicU64::default(), writes: Histogram::of_seconds(), failures: AtomicU64::default() }
    }
}

impl JournalMetrics {
    /// The file has that many bytes.
    pub fn size(&self, bytes: u64) {
        self.bytes.store(bytes, Ordering::Relaxed);
    }

    /// Changes are on disk, which took that long.
    pub fn written(&self, duration: Duration) {
        self.writes.observe_duration(duration);
    }

    /// They are not.
    pub fn failed(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn write(&self, out: &mut Writer) -> Result<(), InternError> {
        let help = "Bytes of the journal's file, 0 without one. Of what is written over and over, up to half is unused.";
        out.single("pushgate_journal_bytes", Kind::Gauge, help, self.bytes.load(Ordering::Relaxed) as f64)?;
        let help = "How often the journal could not be written. Pushes are answered 503 meanwhile, unless durability is \
                    \"interval\".";
        let family = out.family("pushgate_journal_failures_total", Kind::Counter, help)?;
        out.count(family, &[], &self.failures)?;
        let help = "How long a write of the journal took, which is shared by all pushes that came during the one before.";
        let family = out.family("pushgate_journal_write_duration_seconds", Kind::Histogram, help)?;
        out.histogram(family, &[], &self.writes)
    }
}
