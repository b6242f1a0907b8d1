//! What is counted of the capture.

use std::sync::atomic::{AtomicU64, Ordering};

use pushgate_exposition::{InternError, Kind};

use super::writer::Writer;

/// Pushes by whether they are in the file of the capture.
#[derive(Debug, Default)]
pub struct CaptureMetrics {
    written: AtomicU64,
    dropped: AtomicU64,
    failed: AtomicU64,
}

impl CaptureMetrics {
    /// A push is in the file.
    pub fn written(&self) {
        self.written.fetch_add(1, Ordering::Relaxed);
    }

    /// There was no room for a push.
    pub fn dropped(&self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }

    /// The file cannot be written.
    pub fn failed(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn write(&self, out: &mut Writer) -> Result<(), InternError> {
        let help = "Pushes that were to be captured: written; dropped, as too many or too large ones waited; failed, \
                    as the file cannot be written.";
        let family = out.family("pushgate_captured_pushes_total", Kind::Counter, help)?;
        for (result, count) in
            [("dropped", &self.dropped), ("failed", &self.failed), ("written", &self.written)]
        {
            out.count(family, &[("result", result)], count)?;
        }
        Ok(())
    }
}
