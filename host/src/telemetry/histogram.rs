//! A histogram that many threads may write to.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use pushgate_exposition::{Builder, Label};

/// What is measured: upper bounds, and how many of what is counted are one of their unit.
#[derive(Debug)]
struct Scale {
    bounds: [f64; BOUNDS],
    per_unit: f64,
}

const BOUNDS: usize = 12;

/// From an outcome that is remembered to the longest call that limits allow; counted in nanoseconds.
const SECONDS: Scale = Scale {
    bounds: [5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 1e-3, 5e-3, 2.5e-2, 0.1, 0.5, 2.5],
    per_unit: 1e9,
};

/// From a push of one series to all that a push of 100,000 may use.
const FUEL: Scale =
    Scale { bounds: [5e3, 1e4, 2.5e4, 5e4, 1e5, 2.5e5, 5e5, 1e6, 2.5e6, 1e7, 1e8, 1e9], per_unit: 1.0 };

#[derive(Debug)]
pub(super) struct Histogram {
    scale: &'static Scale,
    /// Not cumulative; the last one is for what is over all bounds.
    buckets: [AtomicU64; BOUNDS + 1],
    sum: AtomicU64,
}

impl Histogram {
    /// One of durations.
    pub(super) fn of_seconds() -> Self {
        Self { scale: &SECONDS, buckets: Default::default(), sum: AtomicU64::default() }
    }

    /// One of plugins' fuel.
    pub(super) fn of_fuel() -> Self {
        Self { scale: &FUEL, ..Self::of_seconds() }
    }

    pub(super) fn observe_duration(&self, duration: Duration) {
        self.observe(duration.as_nanos() as u64);
    }

    pub(super) fn observe(&self, count: u64) {
        let value = count as f64 / self.scale.per_unit;
        let bucket = self.scale.bounds.partition_point(|bound| *bound < value);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(count, Ordering::Relaxed);
    }

    /// Adds the histogram to a family as a series.
    pub(super) fn write(&self, builder: &mut Builder, family: u32, labels: &[Label]) {
        let sum = self.sum.load(Ordering::Relaxed) as f64 / self.scale.per_unit;
        let series = builder.series(family, labels, sum);
        let mut count = 0;
        for (bound, bucket) in self.scale.bounds.into_iter().chain([f64::INFINITY]).zip(&self.buckets) {
            count += bucket.load(Ordering::Relaxed);
            builder.point(series, bound, count as f64);
        }
        builder.set_count(series, count as f64);
    }
}
