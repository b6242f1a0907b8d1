//! Values that are times: metrics such as `last_success_timestamp_seconds`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pushgate_plugin::{Pattern, Series};

use crate::check::Check;
use crate::duration::shown;
use crate::number::Shown;
use crate::tally::Tally;

/// What times may be.
#[derive(Debug)]
pub(crate) struct Timestamps {
    /// The metrics that are times.
    pub(crate) metrics: Pattern,
    /// How long ago they may be.
    pub(crate) max_age: Duration,
    /// How far ahead.
    pub(crate) max_ahead: Duration,
}

/// What is taken for seconds: the year 5138, and every time in milliseconds after March 1973.
const SECONDS: f64 = 1e11;

impl Timestamps {
    pub(crate) fn judge<'p>(
        &self,
        value: f64,
        series: Series<'p>,
        received_at: SystemTime,
        tally: &mut Tally<'p, '_>,
    ) {
        // What never happened is 0, or no number.
        if !value.is_finite() || value == 0.0 {
            return;
        }
        if value >= SECONDS {
            return tally.note(Check::TimestampUnit, series, || in_seconds(value));
        }
        // Where a push is only tried, it has no time.
        let Some(now) = received_at.duration_since(UNIX_EPOCH).ok().filter(|now| !now.is_zero()) else {
            return;
        };
        let ahead = value - now.as_secs_f64();
        let distance = || shown(Duration::try_from_secs_f64(ahead.abs()).unwrap_or(Duration::MAX));
        if ahead < -self.max_age.as_secs_f64() {
            tally.note(Check::TimestampPast, series, || {
                let (value, age, most) = (Shown(value), distance(), shown(self.max_age));
                format!("push a Unix time in seconds, or 0 for never: {value} is {age} ago, and {most} are allowed")
            });
        } else if ahead > self.max_ahead.as_secs_f64() {
            tally.note(Check::TimestampFuture, series, || {
                let (value, ahead, most) = (Shown(value), distance(), shown(self.max_ahead));
                format!("push a Unix time in seconds, by a clock that is right: {value} is {ahead} ahead, and {most} are allowed")
            });
        }
    }
}

/// What to do about a time in a smaller unit.
fn in_seconds(value: f64) -> String {
    let units = [(1e14, "milliseconds", 1e3), (1e17, "microseconds", 1e6), (1e20, "nanoseconds", 1e9)];
    match units.into_iter().find(|(past, _, _)| value < *past) {
        Some((_, unit, factor)) => {
            format!("push seconds: {} are {unit} since 1970, so divide by {}", Shown(value), Shown(factor))
        }
        None => format!("push seconds since 1970: {} are too many", Shown(value)),
    }
}
