//! Durations as people write them: `500ms`, `5s`, `1m30s`.

use std::time::Duration;

/// Largest first: the parts of a duration stand in this order, each at most once.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Reads a duration. Zero is a duration; whether it is allowed is for the key to say.
pub(super) fn parse(text: &str) -> Result<Duration, String> {
    let refused = || format!("'{text}' is not a duration; write it as \"500ms\", \"5s\" or \"1m30s\"");
    let mut rest = text;
    let mut units = UNITS.as_slice();
    let mut total: Option<u64> = Some(0);
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at(digits);
        let letters = after.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, after) = after.split_at(letters);
        let position = units.iter().position(|(name, _)| *name == unit).ok_or_else(refused)?;
        let Some(((_, millis), smaller)) = units.get(position..).and_then(<[_]>::split_first) else {
            return Err(refused());
        };
        if number.is_empty() {
            return Err(refused());
        }
        let count: Option<u64> = number.parse().ok();
        let part = count.and_then(|count| count.checked_mul(*millis));
        total = total.zip(part).and_then(|(total, part)| total.checked_add(part));
        units = smaller;
        rest = after;
    }
    if text.is_empty() {
        return Err(refused());
    }
    total.map(Duration::from_millis).ok_or_else(|| format!("'{text}' is too long for a duration"))
}

/// The form that [`parse`] reads: `1m30s`.
pub(super) fn show(duration: Duration) -> String {
    let mut rest = duration.as_millis();
    let mut shown = String::new();
    for (name, millis) in UNITS {
        let millis = u128::from(millis);
        if rest >= millis {
            shown.push_str(&format!("{}{name}", rest / millis));
            rest %= millis;
        }
    }
    if shown.is_empty() { "0s".to_owned() } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, millis: Option<u64>) {
        assert_eq!(parse(text).ok(), millis.map(Duration::from_millis), "{text}");
    }

    #[test]
    fn durations_are_parts_with_units_largest_first() {
        check("0s", Some(0));
        check("500ms", Some(500));
        check("5s", Some(5_000));
        check("1m30s", Some(90_000));
        check("1h", Some(3_600_000));
        check("2d1h1m1s1ms", Some(176_461_001));
        check("90s", Some(90_000));
        check("18446744073709551615ms", Some(u64::MAX));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "5", "s", "5 s", "-5s", "1.5s", "5sec", "30s1m", "1s1s", "5µs", "5S", " 5s", "1m30"]
        {
            check(text, None);
        }
        check("18446744073709551616ms", None);
        check("213503982335d", None);
        check("18446744073709551615ms1ms", None);
    }

    #[test]
    fn the_shown_form_reads_back_as_the_same_duration() {
        for (millis, shown) in [
            (0, "0s"),
            (1, "1ms"),
            (5_000, "5s"),
            (90_000, "1m30s"),
            (3_600_000, "1h"),
            (86_461_001, "1d1m1s1ms"),
        ] {
            assert_eq!(show(Duration::from_millis(millis)), shown);
            check(shown, Some(millis));
        }
    }
}
