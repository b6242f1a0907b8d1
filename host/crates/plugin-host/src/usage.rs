//! What the instances of a plugin take, for whoever sets its limits.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Instances of a plugin, by what they do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instances {
    /// Kept ready for the next push.
    pub idle: usize,
    /// Starting, or with a push.
    pub busy: usize,
}

/// Counted beside the calls.
#[derive(Debug, Default)]
pub(crate) struct Usage {
    busy: AtomicUsize,
    memory_peak: AtomicUsize,
}

impl Usage {
    /// A call that lasts until it is dropped.
    pub(crate) fn call(&self) -> BusyCall<'_> {
        self.busy.fetch_add(1, Ordering::Relaxed);
        BusyCall(self)
    }

    /// Notes what an instance has grown to.
    pub(crate) fn note_memory(&self, bytes: usize) {
        self.memory_peak.fetch_max(bytes, Ordering::Relaxed);
    }

    pub(crate) fn busy(&self) -> usize {
        self.busy.load(Ordering::Relaxed)
    }

    pub(crate) fn memory_peak(&self) -> usize {
        self.memory_peak.load(Ordering::Relaxed)
    }
}

pub(crate) struct BusyCall<'a>(&'a Usage);

impl Drop for BusyCall<'_> {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Ordering::Relaxed);
    }
}
