//! A histogram of durations that many threads may write to.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use pushgate_exposition::{Builder, Label};

/// Upper bounds in seconds: from a memoised policy to the longest call that limits allow.
const BOUNDS: [f64; 12] = [5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 1e-3, 5e-3, 2.5e-2, 0.1, 0.5, 2.5];

#[derive(Debug, Default)]
pub(super) struct Histogram {
    /// Not cumulative; the last one is for what is over all bounds.
    buckets: [AtomicU64; BOUNDS.len() + 1],
    nanoseconds: AtomicU64,
}

impl Histogram {
    pub(super) fn observe(&self, duration: Duration) {
        let seconds = duration.as_secs_f64();
        let bucket = BOUNDS.partition_point(|bound| *bound < seconds);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.nanoseconds.fetch_add(duration.as_nanos() as u64, Ordering::Relaxed);
    }

    /// Adds the histogram to a family as a series.
    pub(super) fn write(&self, builder: &mut Builder, family: u32, labels: &[Label]) {
        let sum = self.nanoseconds.load(Ordering::Relaxed) as f64 / 1e9;
        let series = builder.series(family, labels, sum);
        let mut count = 0;
        for (bound, bucket) in BOUNDS.into_iter().chain([f64::INFINITY]).zip(&self.buckets) {
            count += bucket.load(Ordering::Relaxed);
            builder.point(series, bound, count as f64);
        }
        builder.set_count(series, count as f64);
    }
}
