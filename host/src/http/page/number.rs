//! Numbers, as people read them.

use pushgate_exposition::text::number;

/// A value: without an exponent while that is shorter to read.
pub(super) fn value(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 || (1e-6..1e15).contains(&size) {
        return format!("{}", value + 0.0); // -0 becomes 0
    }
    let mut text = String::new();
    number::write(&mut text, value);
    text
}

/// A count with a comma between thousands.
pub(super) fn count(count: usize) -> String {
    let digits = count.to_string();
    let mut shown = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// A time in seconds, in the unit that suits it, with two or three digits.
pub(super) fn seconds(seconds: f64) -> String {
    let (number, unit) = match seconds {
        ..1e-3 => (seconds * 1e6, "µs"),
        ..1.0 => (seconds * 1e3, "ms"),
        _ => (seconds, "s"),
    };
    let digits = if number < 10.0 { 1 } else { 0 };
    format!("{number:.digits$} {unit}")
}

/// As many of something, by its names for one and for several.
pub(super) fn many(number: usize, one: &str, several: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { several })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values() {
        for (number, expected) in [
            (0.0, "0"),
            (1.0, "1"),
            (-42.5, "-42.5"),
            (1_795_331_788.25, "1795331788.25"),
            (0.000_001, "0.000001"),
            (0.000_000_1, "1e-07"),
            (123_456_789_012_345.0, "123456789012345"),
            (1e15, "1e+15"),
            (f64::MAX, "1.7976931348623157e+308"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
        ] {
            assert_eq!(value(number), expected);
        }
    }

    #[test]
    fn counts() {
        for (number, expected) in
            [(0, "0"), (999, "999"), (1_000, "1,000"), (12_345, "12,345"), (1_000_000, "1,000,000")]
        {
            assert_eq!(count(number), expected);
        }
        for (time, expected) in [
            (0.0, "0.0 µs"),
            (4.26e-6, "4.3 µs"),
            (25e-6, "25 µs"),
            (0.0025, "2.5 ms"),
            (0.25, "250 ms"),
            (2.5, "2.5 s"),
        ] {
            assert_eq!(seconds(time), expected);
        }
        assert_eq!(many(1, "group", "groups"), "1 group");
        assert_eq!(many(0, "group", "groups"), "0 groups");
    }
}
