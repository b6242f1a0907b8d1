//! A limit on how many requests are served, whoever they come from.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::error::Problem;
use crate::table::{Field, Table};

/// More at once is no limit.
const MAX_BURST: u32 = 1_000_000;
/// One request a day.
const MAX_INTERVAL: Duration = Duration::from_secs(86_400);

/// One request every `interval`, and up to `burst` at once after a rest.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RateLimit {
    /// How long one request takes to become possible again.
    pub interval: Duration,
    /// How many requests are possible at once, at least 1.
    pub burst: u32,
}

impl RateLimit {
    pub(crate) fn read(mut table: Table<'_>) -> Result<Option<Self>, Problem> {
        let interval_field = table.take("interval");
        let burst_field = table.take("burst");
        table.finish()?;
        let interval = interval_field.as_ref().map_or(Ok(Duration::ZERO), Field::duration)?;
        let burst = burst_field.as_ref().map_or(Ok(0), Field::whole)?;
        match (interval_field.or(burst_field), interval, burst) {
            (None, ..) | (_, Duration::ZERO, 0) => Ok(None),
            (Some(field), Duration::ZERO, _) => {
                Err(field.problem("limits nothing without an interval; add one, such as interval: 1s"))
            }
            (Some(field), _, 0) => {
                Err(field.problem("needs a burst of at least 1, or every request would be refused"))
            }
            (Some(field), interval, burst) if interval > MAX_INTERVAL || burst > MAX_BURST => Err(field
                .problem(format!(
                    "is out of bounds; allowed: an interval of up to 24h, a burst of up to {MAX_BURST}"
                ))),
            (Some(_), interval, burst) => Ok(Some(Self { interval, burst })),
        }
    }
}

/// The token bucket of a [`RateLimit`], full at first. It keeps the moment when it will be full again, which
/// is all there is to know.
#[derive(Debug)]
pub struct Bucket {
    limit: RateLimit,
    full_at: Mutex<Option<Instant>>,
}

impl Bucket {
    /// A full bucket.
    pub fn new(limit: RateLimit) -> Self {
        Self { limit, full_at: Mutex::new(None) }
    }

    /// Takes a token, if there is one at `now`.
    pub fn take(&self, now: Instant) -> bool {
        let RateLimit { interval, burst } = self.limit;
        let mut full_at = self.full_at.lock();
        let missing = full_at.map_or(Duration::ZERO, |full_at| full_at.saturating_duration_since(now));
        let may_miss = interval.saturating_mul(burst.saturating_sub(1));
        if missing > may_miss {
            return false;
        }
        *full_at = now.checked_add(missing.saturating_add(interval));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml;

    fn read(text: &str) -> Result<Option<RateLimit>, String> {
        let node = yaml::read(text).unwrap();
        Table::root(&node).and_then(RateLimit::read).map_err(|problem| problem.to_string())
    }

    #[test]
    fn a_limit_has_both_numbers() {
        let limit = |interval, burst| Ok(Some(RateLimit { interval, burst }));
        for (text, expected) in [
            ("", Ok(None)),
            ("interval: 0s\nburst: 0", Ok(None)),
            ("interval: 1s\nburst: 3", limit(Duration::from_secs(1), 3)),
            ("interval: 1000000\nburst: 1", limit(Duration::from_millis(1), 1)),
            ("interval: 24h\nburst: 1000000", limit(MAX_INTERVAL, MAX_BURST)),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
        for (text, told) in [
            ("burst: 3", ":1: burst: limits nothing without an interval"),
            ("interval: 1s", ":1: interval: needs a burst of at least 1"),
            ("interval: 25h\nburst: 1", ":1: interval: is out of bounds"),
            ("interval: 1s\nburst: 1000001", ":1: interval: is out of bounds"),
            ("interval: -1s\nburst: 1", ":1: interval: must be a duration"),
            ("interval: 1s\nburst: '1'", ":2: burst: must be a whole number"),
            ("every: 1s", ":1: every: unknown key; allowed: interval, burst"),
        ] {
            let problem = read(text).unwrap_err();
            assert!(problem.starts_with(told), "{text}: {problem}");
        }
    }

    #[test]
    fn tokens_come_back_one_by_one_up_to_the_burst() {
        let second = Duration::from_secs(1);
        let bucket = Bucket::new(RateLimit { interval: second, burst: 3 });
        let start = Instant::now();
        let taken = |after: Duration, tries: usize| (0..tries).filter(|_| bucket.take(start + after)).count();
        assert_eq!(taken(Duration::ZERO, 10), 3, "it is full at first");
        assert_eq!(taken(second - Duration::from_nanos(1), 10), 0);
        assert_eq!(taken(second, 10), 1);
        assert_eq!(taken(second * 5 / 2, 10), 1);
        assert_eq!(taken(second * 3, 10), 1, "half a token was left");
        assert_eq!(taken(second * 100, 10), 3, "and not more than the burst");
        assert_eq!(taken(Duration::ZERO, 10), 0, "a clock that goes back gives nothing");
    }
}
