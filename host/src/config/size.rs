//! Sizes in bytes, written with their unit.

use std::fmt;
use std::str::FromStr;

/// Longest suffix first, so that `KiB` is not read as `B`. The decimal units are there because people
/// write them; they mean powers of ten, as everywhere else.
const UNITS: [(&str, u64); 8] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("B", 1),
];

/// A number of bytes, in files and messages as `16MiB`.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct ByteSize(u64);

impl ByteSize {
    /// That many bytes.
    pub const fn bytes(bytes: u64) -> Self {
        Self(bytes)
    }

    /// That many kibibytes.
    pub const fn kib(count: u32) -> Self {
        Self((count as u64) << 10)
    }

    /// That many mebibytes.
    pub const fn mib(count: u32) -> Self {
        Self((count as u64) << 20)
    }

    /// The number of bytes.
    pub const fn as_u64(self) -> u64 {
        self.0
    }

    /// The number of bytes as a length in memory; what no memory can hold becomes `usize::MAX`.
    pub fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// The shortest form that is exact: `64KiB`, `1500B`.
impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let binary = UNITS.iter().take(4).rev();
        match binary.into_iter().find(|(_, unit)| self.0 != 0 && self.0.is_multiple_of(*unit)) {
            Some((suffix, unit)) => write!(f, "{}{suffix}", self.0 / unit),
            None => write!(f, "{}B", self.0),
        }
    }
}

impl FromStr for ByteSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused =
            || format!("'{text}' is not a size; write a whole number with its unit, such as \"16MiB\"");
        let (digits, unit) = UNITS
            .iter()
            .find_map(|(suffix, unit)| Some((text.strip_suffix(suffix)?.trim_end_matches(' '), unit)))
            .ok_or_else(refused)?;
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(refused());
        }
        let count: Option<u64> = digits.parse().ok();
        let bytes = count.and_then(|count| count.checked_mul(*unit));
        bytes.map(Self).ok_or_else(|| format!("'{text}' is too large for a size"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<u64>) {
        assert_eq!(text.parse::<ByteSize>().ok().map(ByteSize::as_u64), expected, "{text}");
    }

    #[test]
    fn sizes_have_a_whole_number_and_a_unit() {
        check("0B", Some(0));
        check("512B", Some(512));
        check("64KiB", Some(65_536));
        check("64 KiB", Some(65_536));
        check("16MiB", Some(16 << 20));
        check("2GiB", Some(2 << 30));
        check("1TiB", Some(1 << 40));
        check("1kB", Some(1_000));
        check("3MB", Some(3_000_000));
        check("1GB", Some(1_000_000_000));
        check("18446744073709551615B", Some(u64::MAX));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "B", "KiB", "16", "16mib", "16M", "1.5MiB", "-1MiB", "+1MiB", "1_000B", "MiB16"] {
            check(text, None);
        }
        check("18446744073709551616B", None);
        check("18014398509481984KiB", None);
        let error = "16 M".parse::<ByteSize>().unwrap_err();
        assert_eq!(error, "'16 M' is not a size; write a whole number with its unit, such as \"16MiB\"");
    }

    #[test]
    fn the_shown_form_reads_back_as_the_same_size() {
        for (size, shown) in [
            (ByteSize::bytes(0), "0B"),
            (ByteSize::bytes(1_500), "1500B"),
            (ByteSize::kib(64), "64KiB"),
            (ByteSize::kib(1_536), "1536KiB"),
            (ByteSize::mib(16), "16MiB"),
            (ByteSize::mib(2_048), "2GiB"),
            (ByteSize::bytes(u64::MAX), "18446744073709551615B"),
        ] {
            assert_eq!(size.to_string(), shown);
            assert_eq!(shown.parse(), Ok(size));
        }
    }
}
