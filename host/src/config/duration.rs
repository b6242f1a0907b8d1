//! Durations as people write them: `500ms`, `5s`, `1m30s`, and as Go's programs take and show them: `1.5h`, `1h30m0s`.

use std::time::Duration;

/// Each unit in nanoseconds. Days are not Go's, but people write them.
const UNITS: [(&str, u128); 9] = [
    ("d", 24 * HOUR),
    ("h", HOUR),
    ("m", MINUTE),
    ("s", SECOND),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("µs", 1_000), // U+00B5, the micro sign
    ("μs", 1_000), // U+03BC, the Greek letter
    ("ns", 1),
];
const HOUR: u128 = 60 * MINUTE;
const MINUTE: u128 = 60 * SECOND;
const SECOND: u128 = 1_000_000_000;

/// As many digits behind a point as count: a day has fewer nanoseconds.
const FRACTION: usize = 15;

/// Reads a duration: numbers, each with a unit, which are added up. Zero is a duration, and the only one that needs
/// no unit; whether it is allowed is for the key to say.
///
/// # Errors
/// When it is none, with how to write one.
pub fn parse(text: &str) -> Result<Duration, String> {
    let refused = || format!("'{text}' is not a duration; write it as \"500ms\", \"5s\" or \"1m30s\"");
    let too_long = || format!("'{text}' is too long for a duration");
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    if text.is_empty() {
        return Err(refused());
    }
    let mut total: u128 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let (whole, after) = digits(rest);
        let (fraction, after) = after.strip_prefix('.').map_or(("", after), digits);
        let unit = after.find(|letter: char| letter == '.' || letter.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(unit);
        let (_, nanos) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(refused)?;
        if whole.is_empty() && fraction.is_empty() {
            return Err(refused());
        }
        let part = number(whole).and_then(|count| count.checked_mul(*nanos)).ok_or_else(too_long)?;
        let fraction = fraction.get(..FRACTION).unwrap_or(fraction);
        let part_of_one =
            number(fraction).map_or(0, |count| count * nanos / 10u128.pow(fraction.len() as u32));
        total =
            part.checked_add(part_of_one).and_then(|part| total.checked_add(part)).ok_or_else(too_long)?;
        rest = after;
    }
    // A number of nanoseconds in 64 bits, as in Go, is some 580 years.
    u64::try_from(total).map(Duration::from_nanos).map_err(|_| too_long())
}

/// The form of the configuration file: `1m30s`, `1h`, `0s`.
pub fn show(duration: Duration) -> String {
    let mut rest = duration.as_nanos();
    let mut shown = String::new();
    for (name, nanos) in UNITS.into_iter().filter(|(name, _)| name.is_ascii()) {
        if rest >= nanos {
            shown.push_str(&format!("{}{name}", rest / nanos));
            rest %= nanos;
        }
    }
    if shown.is_empty() { "0s".to_owned() } else { shown }
}

/// Go's form: from the largest unit that there is down to the seconds, `1h30m0s`; less than a second is in the unit
/// that fits it, `200ms`.
pub(super) fn show_go(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    let (hours, minutes, seconds) = (nanos / HOUR, nanos % HOUR / MINUTE, nanos % MINUTE);
    match nanos {
        0 => "0s".to_owned(),
        HOUR.. => format!("{hours}h{minutes}m{}s", decimal(seconds, SECOND)),
        MINUTE.. => format!("{minutes}m{}s", decimal(seconds, SECOND)),
        SECOND.. => format!("{}s", decimal(seconds, SECOND)),
        1_000_000.. => format!("{}ms", decimal(nanos, 1_000_000)),
        1_000.. => format!("{}µs", decimal(nanos, 1_000)),
        _ => format!("{nanos}ns"),
    }
}

/// `nanos` in a unit, with as many digits behind the point as it takes.
fn decimal(nanos: u128, unit: u128) -> String {
    let digits = unit.ilog10() as usize;
    let shown = format!("{}.{:0digits$}", nanos / unit, nanos % unit);
    shown.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().take_while(u8::is_ascii_digit).count())
}

/// No digits are 0, which is what they are before and behind a point.
fn number(digits: &str) -> Option<u128> {
    if digits.is_empty() { Some(0) } else { digits.parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, nanos: Option<u64>) {
        assert_eq!(parse(text).ok(), nanos.map(Duration::from_nanos), "{text}");
    }

    #[test]
    fn durations_are_numbers_with_units_added_up() {
        let ms = |count: u64| Some(count * 1_000_000);
        check("0s", Some(0));
        check("0", Some(0));
        check("500ms", ms(500));
        check("5s", ms(5_000));
        check("1m30s", ms(90_000));
        check("90m", ms(5_400_000));
        check("1h30m0s", ms(5_400_000));
        check("1.5h", ms(5_400_000));
        check(".5s", ms(500));
        check("5.s", ms(5_000));
        check("30s1m1s", ms(91_000));
        check("2d1h1m1s1ms", ms(176_461_001));
        check("1us1µs1μs1ns", Some(3_001));
        check("0.0000000015s", Some(1));
        check("0.333333333333333333333333333333333333333333333333s", Some(333_333_333));
        check("18446744073709551615ns", Some(u64::MAX));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in
            ["", "5", "s", ".s", ".", "5 s", "-5s", "+5s", "5sec", "1..5s", "5S", " 5s", "1m30", "5x", "1e3s"]
        {
            check(text, None);
        }
        check("18446744073709551616ns", None);
        check("213504d", None);
        check("18446744073709551615ns1ns", None);
        check(&format!("{}h", "9".repeat(100)), None);
    }

    #[test]
    fn the_shown_form_reads_back_as_the_same_duration() {
        for (nanos, shown, go) in [
            (0, "0s", "0s"),
            (1, "1ns", "1ns"),
            (1_500, "1us500ns", "1.5µs"),
            (200_000_000, "200ms", "200ms"),
            (1_001_000_000, "1s1ms", "1.001s"),
            (5_000_000_000, "5s", "5s"),
            (90_000_000_000, "1m30s", "1m30s"),
            (300_000_000_000, "5m", "5m0s"),
            (5_400_000_000_000, "1h30m", "1h30m0s"),
            (86_461_001_000_000, "1d1m1s1ms", "24h1m1.001s"),
        ] {
            let duration = Duration::from_nanos(nanos);
            assert_eq!((show(duration).as_str(), show_go(duration).as_str()), (shown, go));
            check(shown, Some(nanos));
            check(go, Some(nanos));
        }
    }
}
