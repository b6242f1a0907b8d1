//! Durations as Prometheus writes them: `1d`, `1h30m`.

use std::time::Duration;

/// The units, from the longest, in milliseconds. A year has 365 days.
const UNITS: [(&str, u64); 7] = [
    ("y", 365 * 86_400_000),
    ("w", 7 * 86_400_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Reads a duration. Units follow from the longest to the shortest, each once at most.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut rest = text;
    let mut units = UNITS.iter();
    let mut all = 0_u64;
    while !rest.is_empty() {
        let (number, behind) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?);
        let (unit, behind) =
            behind.split_at(behind.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(behind.len()));
        let (_, ms) = units.find(|(name, _)| *name == unit)?;
        all = all.checked_add(number.parse::<u64>().ok()?.checked_mul(*ms)?)?;
        rest = behind;
    }
    (!text.is_empty()).then(|| Duration::from_millis(all))
}

/// A duration in its longest unit, of which the part that is left over is cut.
pub(crate) fn shown(duration: Duration) -> String {
    let all = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let (unit, ms) = UNITS.into_iter().find(|(_, ms)| all >= *ms).unwrap_or(("s", 1_000));
    format!("{}{unit}", all / ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, expected) in [
            ("10y", Some(10 * 365 * 86_400_000)),
            ("1d", Some(86_400_000)),
            ("1h30m", Some(5_400_000)),
            ("1m1ms", Some(60_001)),
            ("0", Some(0)),
            ("0s", Some(0)),
            ("", None),
            ("1", None),
            ("d", None),
            ("1 d", None),
            ("30m1h", None),
            ("1h1h", None),
            ("1.5h", None),
            ("-1h", None),
            ("99999999999y", None),
        ] {
            assert_eq!(parse(text), expected.map(Duration::from_millis), "{text:?}");
        }
    }

    #[test]
    fn the_longest_unit_is_shown() {
        for (ms, expected) in
            [(0, "0s"), (1, "1ms"), (90_000, "1m"), (86_400_000, "1d"), (400 * 86_400_000, "1y")]
        {
            assert_eq!(shown(Duration::from_millis(ms)), expected);
        }
    }
}
