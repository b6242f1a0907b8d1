//! Numbers as Go reads and writes them, since that is what every Prometheus client was tried with.

/// Appends a sample's value: the shortest digits that read back as the same number, with an exponent
/// below 1e-4 and from 1e+06 up (Go's `strconv.FormatFloat(x, 'g', -1, 64)`). `-0` is written `0`.
///
/// ```
/// # use pushgate_exposition::text::number;
/// let mut out = String::new();
/// number::write(&mut out, 1234567.0);
/// assert_eq!(out, "1.234567e+06");
/// ```
pub fn write(out: &mut String, value: f64) {
    if value.is_nan() {
        return out.push_str("NaN");
    }
    if value.is_infinite() {
        return out.push_str(if value > 0.0 { "+Inf" } else { "-Inf" });
    }
    if value == 0.0 {
        return out.push('0');
    }
    if value < 0.0 {
        out.push('-');
    }
    let value = value.abs();
    if !(if value < 1e6 { write_short(out, value) } else { write_long(out, value) }) {
        write_any(out, value);
    }
}

/// Appends a number below a million that has up to three decimals, as most have. Answers whether it is one.
#[inline]
fn write_short(out: &mut String, value: f64) -> bool {
    const ONE: u32 = 1_000;
    let thousandths = (value * f64::from(ONE) + 0.5) as u32;
    // Of few digits, so no other number of as few is nearest to the same float.
    if f64::from(thousandths) / f64::from(ONE) != value {
        return false;
    }
    let mut buffer = itoa::Buffer::new();
    out.push_str(buffer.format(thousandths / ONE));
    let fraction = thousandths % ONE;
    if fraction > 0 {
        out.push('.');
        // With a digit before them, so that zeros are written.
        let (_, digits) = buffer.format(ONE + fraction).split_at(1);
        out.push_str(digits.trim_end_matches('0'));
    }
    true
}

/// Appends a number from a million up: a count of bytes, or a time. Answers whether it is of common size.
fn write_long(out: &mut String, value: f64) -> bool {
    if value >= 1e15 {
        return false;
    }
    let (mut integer, mut float) = (itoa::Buffer::new(), zmij::Buffer::new());
    let (whole, fraction) = if value.fract() == 0.0 {
        (integer.format(value as u64), "")
    } else {
        float.format_finite(value).split_once('.').unwrap_or_default()
    };
    let exponent = whole.len() as i32 - 1;
    let whole = if fraction.is_empty() { whole.trim_end_matches('0') } else { whole };
    write_scientific(out, whole, fraction, exponent);
    true
}

/// Appends any positive number.
fn write_any(out: &mut String, value: f64) {
    let mut buffer = zmij::Buffer::new();
    let shortest = buffer.format_finite(value);
    if (1e-4..1e6).contains(&value) {
        return out.push_str(shortest.strip_suffix(".0").unwrap_or(shortest)); // Laid out as Go does.
    }
    let (digits, exponent) = scientific(shortest);
    write_scientific(out, digits.as_str(), "", exponent);
}

/// Appends `d.ddd` and the exponent, for the digits of `start` and `rest` together.
fn write_scientific(out: &mut String, start: &str, rest: &str, exponent: i32) {
    let (first, start) = start.split_at(1);
    out.push_str(first);
    if !(start.is_empty() && rest.is_empty()) {
        out.push('.');
        out.push_str(start);
        out.push_str(rest);
    }
    out.push_str(if exponent < 0 { "e-" } else { "e+" });
    let exponent = exponent.unsigned_abs();
    if exponent < 10 {
        out.push('0');
    }
    out.push_str(itoa::Buffer::new().format(exponent));
}

/// The significant digits of a number, at most 17, in a fixed buffer.
struct Digits {
    bytes: [u8; 24],
    len: usize,
}

impl Digits {
    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.len]).unwrap_or_default()
    }
}

/// Digits and decimal exponent (`d.ddd × 10^exponent`) of a positive number written as a decimal,
/// with or without point and exponent.
fn scientific(text: &str) -> (Digits, i32) {
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut exponent = exponent.parse::<i32>().unwrap_or_default() + whole.len() as i32 - 1;
    let mut digits = Digits { bytes: [0; 24], len: 0 };
    for byte in whole.bytes().chain(fraction.bytes()) {
        if byte == b'0' && digits.len == 0 {
            exponent -= 1;
        } else if let Some(slot) = digits.bytes.get_mut(digits.len) {
            *slot = byte;
            digits.len += 1;
        }
    }
    while digits.len > 1 && digits.bytes[digits.len - 1] == b'0' {
        digits.len -= 1;
    }
    (digits, exponent)
}

/// Reads a value as Go's `strconv.ParseFloat` does without its hexadecimal form and underscores:
/// decimals with or without exponent, `NaN`, `Inf` and `Infinity` in any case. A number out of range
/// and a signed NaN are refused, a number too small becomes 0.
#[inline]
pub(crate) fn read(token: &[u8]) -> Option<f64> {
    if let Some(value) = read_short(token) {
        return Some(value);
    }
    let text = std::str::from_utf8(token).ok()?;
    let value: f64 = text.parse().ok()?;
    if value.is_finite() {
        return Some(value);
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let legal = if value.is_nan() { unsigned.len() == text.len() } else { unsigned.starts_with(['i', 'I']) };
    legal.then_some(value)
}

/// Powers of ten that an `f64` holds exactly.
const POWERS: [f64; 16] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// Up to 15 digits, with or without a point behind the first ones. An `f64` holds them exactly, and the power of ten that
/// they are divided by, so the quotient is rounded once, as it should be. Most pushed values are of this form.
#[inline]
fn read_short(token: &[u8]) -> Option<f64> {
    if token.len() > 15 {
        return None;
    }
    let mut digits = 0u64;
    let mut point = token.len();
    for (at, byte) in token.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit <= 9 {
            digits = digits * 10 + u64::from(digit);
        } else if *byte == b'.' && point == token.len() && at > 0 {
            point = at;
        } else {
            return None;
        }
    }
    let fraction = token.len().checked_sub(point + 1);
    match fraction {
        None if point > 0 => Some(digits as f64),
        Some(fraction) => POWERS.get(fraction).map(|power| digits as f64 / power),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(value: f64) -> String {
        let mut out = String::new();
        write(&mut out, value);
        out
    }

    #[test]
    fn writes_as_go_does() {
        for (value, expected) in [
            (0.0, "0"),
            (-0.0, "0"),
            (1.0, "1"),
            (-1.0, "-1"),
            (42.5, "42.5"),
            (100000.0, "100000"),
            (999999.0, "999999"),
            (1e6, "1e+06"),
            (1234567.0, "1.234567e+06"),
            (-1234567.0, "-1.234567e+06"),
            (123456789.0, "1.23456789e+08"),
            (123456.789, "123456.789"),
            (0.0001, "0.0001"),
            (0.00012, "0.00012"),
            (0.1, "0.1"),
            (0.05, "0.05"),
            (1e-5, "1e-05"),
            (1.5e-7, "1.5e-07"),
            (1e21, "1e+21"),
            (1e100, "1e+100"),
            (1.797_693_134_862_315_7e308, "1.7976931348623157e+308"),
            (5e-324, "5e-324"),
            (1.7953317676725173e9, "1.7953317676725173e+09"),
            (18446744073709551615.0, "1.8446744073709552e+19"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
        ] {
            assert_eq!(text(value), expected);
        }
    }

    #[test]
    fn reads_as_go_does() {
        for (token, expected) in [
            ("1", Some(1.0)),
            ("+1", Some(1.0)),
            ("-1", Some(-1.0)),
            (".5", Some(0.5)),
            ("5.", Some(5.0)),
            ("1e3", Some(1000.0)),
            ("1E-3", Some(0.001)),
            ("999999999999999", Some(999_999_999_999_999.0)),
            ("1e-400", Some(0.0)),
            ("inf", Some(f64::INFINITY)),
            ("+Infinity", Some(f64::INFINITY)),
            ("-INF", Some(f64::NEG_INFINITY)),
            ("1e400", None),
            ("-1e400", None),
            ("+nan", None),
            ("-NaN", None),
            ("0x10", None),
            ("1_000", None),
            ("1,5", None),
            ("1p3", None),
            ("", None),
            (".", None),
            ("e5", None),
            ("1\r", None),
            ("infin", None),
        ] {
            assert_eq!(read(token.as_bytes()), expected, "{token}");
        }
        assert!(read(b"nAn").is_some_and(f64::is_nan));
    }

    proptest! {
        #[test]
        fn numbers_with_few_decimals_are_written_as_all_are(thousandths in 1..1_000_000_000u32, bits: u64) {
            for value in [f64::from(thousandths) / 1_000.0, f64::from_bits(bits).abs()] {
                if value.is_finite() && value > 0.0 {
                    let mut any = String::new();
                    write_any(&mut any, value);
                    prop_assert_eq!(text(value), any);
                }
            }
        }

        #[test]
        fn short_numbers_are_read_as_all_are(token in "[0-9]{0,9}[.]?[0-9]{0,9}") {
            prop_assert_eq!(read(token.as_bytes()), token.parse().ok());
        }

        #[test]
        fn numbers_of_common_size_are_written_without_exponent(value in 1e-4..1e6) {
            prop_assert_eq!(text(value), value.to_string());
        }

        #[test]
        fn reads_what_it_wrote(bits: u64) {
            let value = f64::from_bits(bits);
            let read = read(text(value).as_bytes()).unwrap();
            prop_assert!(read == value || (read.is_nan() && value.is_nan()));
        }
    }
}
