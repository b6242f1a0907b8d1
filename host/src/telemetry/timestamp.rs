//! The time in the form of RFC 3339, in UTC.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// With milliseconds, as the log has it: `2026-11-22T07:16:06.286Z`. A time before 1970 is shown as its beginning.
pub(super) fn rfc3339(time: SystemTime) -> String {
    format!("{}.{:03}Z", whole_seconds(time), since_1970(time).subsec_millis())
}

/// As precise as it is, without zeros at the end, as Go writes it (`time.RFC3339Nano`): `2026-11-22T07:16:07.6725Z`.
pub fn rfc3339_nano(time: SystemTime) -> String {
    let mut text = whole_seconds(time);
    let nanos = since_1970(time).subsec_nanos();
    if nanos > 0 {
        let _ = write!(text, ".{nanos:09}");
        text.truncate(text.trim_end_matches('0').len());
    }
    text.push('Z');
    text
}

fn since_1970(time: SystemTime) -> Duration {
    time.duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Up to the seconds.
fn whole_seconds(time: SystemTime) -> String {
    let seconds = since_1970(time).as_secs();
    let (year, month, day) = date(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
}

/// Year, month and day of a day since 1970-01-01. The year is counted from 1 March, so that a leap day is the last
/// of its year and the lengths of the months before it are a straight line, cut to whole days.
fn date(days: u64) -> (u64, u64, u64) {
    const DAYS_OF_400_YEARS: u64 = 146_097;
    let days = days + 719_468; // since 0000-03-01
    let (cycle, day) = (days / DAYS_OF_400_YEARS, days % DAYS_OF_400_YEARS);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month + 2) / 5 + 1;
    let (year, month) = if month < 10 { (year, month + 3) } else { (year + 1, month - 9) };
    (cycle * 400 + year, month, day_of_month)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_in_utc() {
        for (millis, expected) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (951_868_800_000, "2000-03-01T00:00:00.000Z"),
            (1_795_331_766_286, "2026-11-22T07:16:06.286Z"),
            (4_107_542_399_000, "2100-02-28T23:59:59.000Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (253_402_300_799_000, "9999-12-31T23:59:59.000Z"),
        ] {
            assert_eq!(rfc3339(UNIX_EPOCH + Duration::from_millis(millis)), expected);
        }
        assert_eq!(rfc3339(UNIX_EPOCH - Duration::from_secs(1)), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn times_are_as_precise_as_they_are() {
        for (seconds, nanos, expected) in [
            (0, 0, "1970-01-01T00:00:00Z"),
            (951_782_400, 500_000_000, "2000-02-29T00:00:00.5Z"),
            (1_795_331_767, 672_517_371, "2026-11-22T07:16:07.672517371Z"),
            (1_798_761_599, 10, "2026-12-31T23:59:59.00000001Z"),
        ] {
            assert_eq!(rfc3339_nano(UNIX_EPOCH + Duration::new(seconds, nanos)), expected);
        }
    }
}
