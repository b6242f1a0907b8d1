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

    /// What a share of all that was observed is not over, read from the buckets as `histogram_quantile` does; nothing
    /// without observations. What is over all bounds counts as the last of them.
    pub(super) fn quantile(&self, share: f64) -> Option<f64> {
        let buckets: Vec<u64> = self.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).collect();
        let count: u64 = buckets.iter().sum();
        let rank = share * count as f64;
        let (mut below, mut lower) = (0.0, 0.0);
        for (bound, bucket) in self.scale.bounds.into_iter().zip(&buckets) {
            let bucket = *bucket as f64;
            if bucket > 0.0 && below + bucket >= rank {
                return Some(lower + (bound - lower) * (rank - below) / bucket);
            }
            (below, lower) = (below + bucket, bound);
        }
        (count > 0).then_some(lower)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_prometheus() {
        let histogram = Histogram::of_fuel();
        assert_eq!(histogram.quantile(0.5), None);
        // Of histogram_quantile over these buckets: 40 up to 5,000, 50 more up to 10,000, 10 more up to 1e5.
        for (fuel, times) in [(4_000, 40), (6_000, 50), (60_000, 10)] {
            (0..times).for_each(|_| histogram.observe(fuel));
        }
        for (share, expected) in [(0.4, 5_000.0), (0.5, 6_000.0), (0.9, 10_000.0), (0.99, 95_000.0)] {
            let quantile = histogram.quantile(share).unwrap();
            assert!((quantile - expected).abs() < 1e-6, "{share}: {quantile}");
        }
        let histogram = Histogram::of_seconds();
        histogram.observe_duration(Duration::from_secs(60));
        assert_eq!(histogram.quantile(0.5), Some(2.5), "over all bounds");
    }
}
