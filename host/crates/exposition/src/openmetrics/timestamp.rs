//! Points in time as decimal seconds.

use std::fmt::Write as _;

use crate::Timestamp;
use crate::openmetrics::Problem;
use crate::text::{number, quote};

const NANOS: i128 = 1_000_000_000;

/// Reads seconds since 1970, with or without fraction and exponent, to the nanosecond; what is finer is cut off.
pub(super) fn read(word: &[u8]) -> Option<Timestamp> {
    number::read(word).filter(|seconds| seconds.is_finite())?;
    let word = std::str::from_utf8(word).ok()?;
    let unsigned = word.strip_prefix(['+', '-']).unwrap_or(word);
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = whole.bytes().chain(fraction.bytes()).map(|byte| i128::from(byte.wrapping_sub(b'0')));
    // An exponent that is no `i32` belongs to a number that is 0 or next to it.
    let exponent = exponent.parse::<i32>().unwrap_or(-100);
    // The power of ten of the first digit, in nanoseconds.
    let first = i64::try_from(whole.len()).ok()? + i64::from(exponent) + 8;
    let mut total = 0i128;
    for (at, digit) in digits.enumerate().filter(|&(_, digit)| digit != 0) {
        let power = first - i64::try_from(at).ok()?;
        if power >= 0 {
            let power = u32::try_from(power).ok().filter(|&power| power <= 28)?;
            total += digit * 10i128.pow(power);
        }
    }
    if word.starts_with('-') {
        total = -total;
    }
    let seconds = i64::try_from(total.div_euclid(NANOS)).ok()?;
    Some(Timestamp { seconds, nanos: i32::try_from(total.rem_euclid(NANOS)).ok()? })
}

/// A time that is kept, which must be one that protobuf can have.
pub(super) fn read_kept(word: &[u8]) -> Result<Timestamp, Problem> {
    const YEAR_1: i64 = -62_135_596_800;
    const YEAR_10000: i64 = 253_402_300_800;
    read(word)
        .filter(|time| (YEAR_1..YEAR_10000).contains(&time.seconds))
        .ok_or_else(|| Problem::ExpectedTimestamp(quote(word)))
}

/// Appends seconds since 1970, exactly.
pub(super) fn write(out: &mut String, time: Timestamp) {
    let total = i128::from(time.seconds) * NANOS + i128::from(time.nanos);
    let sign = if total < 0 { "-" } else { "" };
    let _ = write!(out, "{sign}{}.{:09}", total.abs() / NANOS, total.abs() % NANOS);
    let digits = out.trim_end_matches('0').len();
    out.truncate(if out[..digits].ends_with('.') { digits + 1 } else { digits });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps() {
        let max = i64::MAX.to_string();
        for (word, expected) in [
            ("0", Some("0.0")),
            ("-0", Some("0.0")),
            ("123", Some("123.0")),
            ("+1520879607.789", Some("1520879607.789")),
            ("1.7953343575279772e+09", Some("1795334357.5279772")),
            ("1604676851.1234567899", Some("1604676851.123456789")),
            ("-0.5", Some("-0.5")),
            ("-1.000000001", Some("-1.000000001")),
            ("5E-1", Some("0.5")),
            ("1e-9", Some("0.000000001")),
            ("1e-10", Some("0.0")),
            ("00012.50", Some("12.5")),
            (".5", Some("0.5")),
            ("5.", Some("5.0")),
            ("1e-99999999999", Some("0.0")),
            ("0e99999999999", Some("0.0")),
            ("0e300", Some("0.0")),
            (&max, Some("9223372036854775807.0")),
            ("9223372036854775808", None),
            ("1e300", None),
            ("1e19", None),
            ("NaN", None),
            ("-Inf", None),
            ("0x1p-3", None),
            ("1.1.1", None),
            ("", None),
        ] {
            let written = read(word.as_bytes()).map(|time| {
                let mut out = String::new();
                write(&mut out, time);
                assert_eq!(read(out.as_bytes()), Some(time));
                out
            });
            assert_eq!(written.as_deref(), expected, "{word}");
        }
    }
}
