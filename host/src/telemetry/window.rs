//! The last pushes, for quantiles of what they are like at the time.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Pushes that are remembered: the tenth of the slowest is then a hundred of them, and sorting them at a scrape costs
/// some ten microseconds.
const CAPACITY: usize = 1_000;

/// A push that is older says nothing of now.
const MAX_AGE: Duration = Duration::from_secs(600);

/// The quantiles that are shown, as in the original.
pub(super) const RANKS: [f64; 3] = [0.1, 0.5, 0.9];

/// The last pushes, and the sums over all of them.
#[derive(Debug, Default)]
pub(super) struct Window {
    recent: VecDeque<Observation>,
    /// All pushes that there were.
    pub(super) count: u64,
    /// Of all of them.
    pub(super) bytes: f64,
    /// Of all of them.
    pub(super) seconds: f64,
}

/// What one push was like.
#[derive(Clone, Copy, Debug)]
pub(super) struct Observation {
    pub(super) at: Instant,
    pub(super) bytes: f64,
    pub(super) seconds: f64,
}

impl Window {
    pub(super) fn observe(&mut self, observation: Observation) {
        if self.recent.len() == CAPACITY {
            self.recent.pop_front();
        }
        self.recent.push_back(observation);
        self.count += 1;
        self.bytes += observation.bytes;
        self.seconds += observation.seconds;
    }

    /// The [`RANKS`] of the remembered pushes that are not too old, by nearest rank; NaN when there are none.
    pub(super) fn quantiles(&self, now: Instant, of: impl Fn(&Observation) -> f64) -> [f64; RANKS.len()] {
        let young = self.recent.iter().filter(|push| now.duration_since(push.at) <= MAX_AGE);
        let mut values: Vec<f64> = young.map(of).collect();
        values.sort_unstable_by(f64::total_cmp);
        RANKS.map(|rank| {
            let nearest = (rank * values.len() as f64).ceil() as usize;
            values.get(nearest.saturating_sub(1)).copied().unwrap_or(f64::NAN)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(values: impl IntoIterator<Item = u32>, at: Instant) -> Window {
        let mut window = Window::default();
        for value in values {
            window.observe(Observation { at, bytes: f64::from(value), seconds: 0.5 });
        }
        window
    }

    #[test]
    fn quantiles_are_those_of_the_last_pushes() {
        let now = Instant::now();
        let bytes = |window: &Window| window.quantiles(now, |push| push.bytes);
        assert_eq!(bytes(&window([7], now)), [7.0; 3]);
        assert_eq!(bytes(&window((1..=10).rev(), now)), [1.0, 5.0, 9.0]);
        let all = window(1..=3_000, now);
        assert_eq!(bytes(&all), [2_100.0, 2_500.0, 2_900.0]);
        assert_eq!((all.count, all.bytes, all.seconds), (3_000, 4_501_500.0, 1_500.0));
    }

    #[test]
    fn there_are_none_when_nothing_was_pushed_for_long() {
        let past = Instant::now();
        let window = window(1..=10, past);
        let quantiles = |age| window.quantiles(past + age, |push| push.seconds);
        assert_eq!(quantiles(MAX_AGE), [0.5; 3]);
        assert!(quantiles(MAX_AGE + Duration::from_nanos(1)).iter().all(|value| value.is_nan()));
        assert_eq!(window.count, 10);
    }
}
