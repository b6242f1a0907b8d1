//! Points in time, as people read them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A point in time, seen from now.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Moment {
    /// In UTC, by RFC 3339: `2026-11-22T07:16:06Z`.
    pub(super) utc: String,
    /// `3 minutes ago`.
    pub(super) ago: String,
}

/// Seconds since 1970 of the first moment that RFC 3339 cannot write.
const YEAR_10000: u64 = 253_402_300_800;

impl Moment {
    /// That many seconds since 1970; `None` for 0, which means never, and for what is no time.
    pub(super) fn from_seconds(seconds: f64, now: SystemTime) -> Option<Self> {
        let is_time = seconds >= 1.0 && seconds < YEAR_10000 as f64;
        is_time.then(|| Self::at(seconds as u64, now))
    }

    /// A time of the system clock.
    pub(super) fn new(time: SystemTime, now: SystemTime) -> Self {
        Self::at(time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs(), now)
    }

    fn at(seconds: u64, now: SystemTime) -> Self {
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let ago = match now.checked_sub(seconds) {
            None => format!("in {}", span(seconds - now)),
            Some(0) => "just now".to_owned(),
            Some(past) => format!("{} ago", span(past)),
        };
        Self { utc: utc(seconds), ago }
    }
}

/// How long, in the largest unit of which there is one.
pub(super) fn duration(duration: Duration) -> String {
    span(duration.as_secs())
}

fn span(seconds: u64) -> String {
    let (count, unit) = match seconds {
        ..60 => (seconds, "second"),
        60..3_600 => (seconds / 60, "minute"),
        3_600..172_800 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

fn utc(seconds: u64) -> String {
    let (year, month, day) = date(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// The date of a day, counted from 1970-01-01.
fn date(mut day: u64) -> (u64, usize, u64) {
    let mut year = 1970;
    // A turn of the calendar, 400 years, has the same days every time.
    year += 400 * (day / 146_097);
    day %= 146_097;
    while day >= 365 + u64::from(is_leap(year)) {
        day -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let february = 28 + u64::from(is_leap(year));
    let mut month = 1;
    for days in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if day < days {
            break;
        }
        day -= days;
        month += 1;
    }
    (year, month, day + 1)
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_in_utc() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (68_255_999, "1972-02-29T23:59:59Z"),
            (68_256_000, "1972-03-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (978_307_199, "2000-12-31T23:59:59Z"),
            (1_795_331_766, "2026-11-22T07:16:06Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (YEAR_10000 - 1, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(utc(seconds), expected);
        }
    }

    #[test]
    fn times_are_shown_as_seen_from_now() {
        let now = 1_000_000;
        for (seconds, expected) in [
            (now, "just now"),
            (now - 1, "1 second ago"),
            (now - 59, "59 seconds ago"),
            (now - 60, "1 minute ago"),
            (now - 3_599, "59 minutes ago"),
            (now - 3_600, "1 hour ago"),
            (now - 172_799, "47 hours ago"),
            (now - 172_800, "2 days ago"),
            (now + 90, "in 1 minute"),
        ] {
            assert_eq!(Moment::at(seconds, UNIX_EPOCH + Duration::from_secs(now)).ago, expected);
        }
    }

    #[test]
    fn what_is_no_time_is_not_shown() {
        for seconds in [0.0, 0.5, -1.0, f64::NAN, f64::INFINITY, YEAR_10000 as f64] {
            assert_eq!(Moment::from_seconds(seconds, UNIX_EPOCH), None, "{seconds}");
        }
        assert!(Moment::from_seconds(1.0, UNIX_EPOCH).is_some());
    }
}
