//! Units in names, and what to use in place of those that are no base units.
//! <https://prometheus.io/docs/practices/naming/#base-units>

/// A unit in a name that should not be there.
#[derive(Clone, Debug)]
pub(crate) struct Unit {
    /// The word of the name.
    pub(crate) word: String,
    /// The base unit; empty when it cannot be told.
    pub(crate) base: &'static str,
    /// What to do with the values, as an imperative; empty when there is no base unit.
    pub(crate) conversion: &'static str,
}

/// A unit that we know how to convert.
struct Known {
    word: &'static str,
    base: &'static str,
    conversion: &'static str,
}

/// The base units that promtool knows.
const BASE_UNITS: [&str; 10] =
    ["amperes", "bytes", "celsius", "grams", "joules", "kelvin", "meters", "metres", "seconds", "volts"];

/// The other units that promtool knows, each with its base unit.
const OTHER_UNITS: [(&str, &str); 14] = [
    ("bits", "bytes"),
    ("calories", "joules"),
    ("days", "seconds"),
    ("fahrenheit", "celsius"),
    ("hours", "seconds"),
    ("inches", "meters"),
    ("kelvins", "kelvin"),
    ("miles", "meters"),
    ("minutes", "seconds"),
    ("ounces", "grams"),
    ("pounds", "grams"),
    ("rankine", "celsius"),
    ("weeks", "seconds"),
    ("yards", "meters"),
];

/// What may stand before one of its units.
const PREFIXES: [&str; 18] = [
    "centi", "deca", "deci", "gibi", "giga", "hecto", "kibi", "kilo", "mega", "mibi", "micro", "milli",
    "nano", "pebi", "peta", "pico", "tebi", "tera",
];

/// What promtool calls abbreviated units.
const ABBREVIATIONS: [&str; 14] =
    ["b", "d", "gb", "h", "kb", "m", "mb", "ms", "ns", "pb", "s", "sec", "tb", "us"];

/// The units that we know how to convert, sorted by word.
#[rustfmt::skip]
static UNITS: &[Known] = &[
    Known { word: "b", base: "bytes", conversion: "keep the values" },
    Known { word: "bits", base: "bytes", conversion: "divide the values by 8" },
    Known { word: "celcius", base: "celsius", conversion: "keep the values" },
    Known { word: "centimeters", base: "meters", conversion: "divide the values by 100" },
    Known { word: "d", base: "seconds", conversion: "multiply the values by 86400" },
    Known { word: "days", base: "seconds", conversion: "multiply the values by 86400" },
    Known { word: "fahrenheit", base: "celsius", conversion: "convert the values" },
    Known { word: "gb", base: "bytes", conversion: "multiply the values by 1000000000" },
    Known { word: "gib", base: "bytes", conversion: "multiply the values by 1073741824" },
    Known { word: "gibibytes", base: "bytes", conversion: "multiply the values by 1073741824" },
    Known { word: "gigabytes", base: "bytes", conversion: "multiply the values by 1000000000" },
    Known { word: "h", base: "seconds", conversion: "multiply the values by 3600" },
    Known { word: "hours", base: "seconds", conversion: "multiply the values by 3600" },
    Known { word: "inches", base: "meters", conversion: "multiply the values by 0.0254" },
    Known { word: "kb", base: "bytes", conversion: "multiply the values by 1000" },
    Known { word: "kelvins", base: "kelvin", conversion: "keep the values" },
    Known { word: "kib", base: "bytes", conversion: "multiply the values by 1024" },
    Known { word: "kibibytes", base: "bytes", conversion: "multiply the values by 1024" },
    Known { word: "kilobytes", base: "bytes", conversion: "multiply the values by 1000" },
    Known { word: "kilograms", base: "grams", conversion: "multiply the values by 1000" },
    Known { word: "kilojoules", base: "joules", conversion: "multiply the values by 1000" },
    Known { word: "kilometers", base: "meters", conversion: "multiply the values by 1000" },
    Known { word: "kilovolts", base: "volts", conversion: "multiply the values by 1000" },
    Known { word: "kilowatts", base: "watts", conversion: "multiply the values by 1000" },
    Known { word: "mb", base: "bytes", conversion: "multiply the values by 1000000" },
    Known { word: "mebibytes", base: "bytes", conversion: "multiply the values by 1048576" },
    Known { word: "megabytes", base: "bytes", conversion: "multiply the values by 1000000" },
    Known { word: "mib", base: "bytes", conversion: "multiply the values by 1048576" },
    Known { word: "mibibytes", base: "bytes", conversion: "multiply the values by 1048576" },
    Known { word: "micros", base: "seconds", conversion: "divide the values by 1000000" },
    Known { word: "microseconds", base: "seconds", conversion: "divide the values by 1000000" },
    Known { word: "microvolts", base: "volts", conversion: "divide the values by 1000000" },
    Known { word: "miles", base: "meters", conversion: "multiply the values by 1609.344" },
    Known { word: "milliamperes", base: "amperes", conversion: "divide the values by 1000" },
    Known { word: "milligrams", base: "grams", conversion: "divide the values by 1000" },
    Known { word: "millimeters", base: "meters", conversion: "divide the values by 1000" },
    Known { word: "millis", base: "seconds", conversion: "divide the values by 1000" },
    Known { word: "milliseconds", base: "seconds", conversion: "divide the values by 1000" },
    Known { word: "millivolts", base: "volts", conversion: "divide the values by 1000" },
    Known { word: "milliwatts", base: "watts", conversion: "divide the values by 1000" },
    Known { word: "mins", base: "seconds", conversion: "multiply the values by 60" },
    Known { word: "minutes", base: "seconds", conversion: "multiply the values by 60" },
    Known { word: "ms", base: "seconds", conversion: "divide the values by 1000" },
    Known { word: "msec", base: "seconds", conversion: "divide the values by 1000" },
    Known { word: "msecs", base: "seconds", conversion: "divide the values by 1000" },
    Known { word: "nanos", base: "seconds", conversion: "divide the values by 1000000000" },
    Known { word: "nanoseconds", base: "seconds", conversion: "divide the values by 1000000000" },
    Known { word: "ns", base: "seconds", conversion: "divide the values by 1000000000" },
    Known { word: "pb", base: "bytes", conversion: "multiply the values by 1000000000000000" },
    Known { word: "pct", base: "ratio", conversion: "divide the values by 100" },
    Known { word: "percent", base: "ratio", conversion: "divide the values by 100" },
    Known { word: "percentage", base: "ratio", conversion: "divide the values by 100" },
    Known { word: "s", base: "seconds", conversion: "keep the values" },
    Known { word: "sec", base: "seconds", conversion: "keep the values" },
    Known { word: "secs", base: "seconds", conversion: "keep the values" },
    Known { word: "tb", base: "bytes", conversion: "multiply the values by 1000000000000" },
    Known { word: "terabytes", base: "bytes", conversion: "multiply the values by 1000000000000" },
    Known { word: "tib", base: "bytes", conversion: "multiply the values by 1099511627776" },
    Known { word: "us", base: "seconds", conversion: "divide the values by 1000000" },
    Known { word: "usec", base: "seconds", conversion: "divide the values by 1000000" },
    Known { word: "usecs", base: "seconds", conversion: "divide the values by 1000000" },
    Known { word: "weeks", base: "seconds", conversion: "multiply the values by 604800" },
    Known { word: "yards", base: "meters", conversion: "multiply the values by 0.9144" },
];

/// The first unit in a name that promtool knows, unless it is a base unit.
pub(crate) fn first(name: &str) -> Option<Unit> {
    let (word, base) = words(name).find_map(|word| Some((word, base_of(word)?)))?;
    (word != base).then(|| unit(word, base))
}

/// The base unit of a word that promtool takes for a unit.
fn base_of(word: &str) -> Option<&'static str> {
    // All but a few words of names are passed by here.
    if word.len() < 4 || !matches!(word.as_bytes()[word.len() - 1], b's' | b'n' | b't' | b'e') {
        return None;
    }
    let unprefixed = PREFIXES.iter().filter_map(|prefix| word.strip_prefix(prefix));
    std::iter::once(word).chain(unprefixed).find_map(|word| {
        let base = BASE_UNITS.binary_search(&word).ok().map(|at| BASE_UNITS[at]);
        let other =
            || OTHER_UNITS.binary_search_by(|(unit, _)| (*unit).cmp(word)).ok().map(|at| OTHER_UNITS[at].1);
        base.or_else(other)
    })
}

/// The unit that a name ends in, before `_total`, when only we know it, and it is no base unit.
pub(crate) fn unknown_to_promtool(name: &str) -> Option<Unit> {
    let (_, word) = name.strip_suffix("_total").unwrap_or(name).rsplit_once('_')?;
    let known = known_unit(word)?;
    (base_of(word).is_none() && !ABBREVIATIONS.contains(&word)).then(|| unit(word, known.base))
}

/// The words of a name, the first one apart, that promtool calls abbreviated units.
pub(crate) fn abbreviations(name: &str) -> impl Iterator<Item = Unit> {
    let is_abbreviation =
        |word: &&str| word.len() <= 3 && ABBREVIATIONS.iter().any(|known| known.eq_ignore_ascii_case(word));
    words(name).skip(1).filter(is_abbreviation).map(|word| {
        let word = word.to_ascii_lowercase();
        let base = known_unit(&word).map_or("", |known| known.base);
        unit(&word, base)
    })
}

fn known_unit(word: &str) -> Option<&'static Known> {
    let first = |word: &str| word.as_bytes().first().copied();
    // Texts are compared byte by byte in WebAssembly, and most words begin as few units do.
    let (initial, start) = (first(word), UNITS.partition_point(|unit| first(unit.word) < first(word)));
    let units = UNITS[start..].iter().take_while(|unit| first(unit.word) == initial);
    units.into_iter().find(|unit| unit.word == word)
}

/// The words of a name, which `_` stands between.
pub(crate) fn words(name: &str) -> impl Iterator<Item = &str> {
    // Not `str::split`, which looks for the sign as for any other character.
    let mut rest = Some(name);
    std::iter::from_fn(move || {
        let name = rest?;
        let end = name.bytes().position(|byte| byte == b'_');
        rest = end.and_then(|end| name.get(end + 1..));
        name.get(..end.unwrap_or(name.len()))
    })
}

fn unit(word: &str, base: &'static str) -> Unit {
    let otherwise = if base.is_empty() { "" } else { "convert the values" };
    let conversion = known_unit(word).map_or(otherwise, |known| known.conversion);
    Unit { word: word.to_owned(), base, conversion }
}

/// A name with the base unit in place of a unit.
pub(crate) fn replace(name: &str, unit: &Unit) -> String {
    if unit.base.is_empty() {
        return name.to_owned();
    }
    let word = |word| if unit.word.eq_ignore_ascii_case(word) { unit.base } else { word };
    words(name).map(word).collect::<Vec<_>>().join("_")
}

/// Whether a word is a unit that would be refused.
pub(crate) fn is_known(word: &str) -> bool {
    known_unit(word).is_some()
        || ABBREVIATIONS.contains(&word)
        || base_of(word).is_some_and(|base| base != word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sorted_and_lead_to_base_units() {
        assert!(UNITS.is_sorted_by(|a, b| a.word < b.word));
        assert!(BASE_UNITS.is_sorted() && OTHER_UNITS.is_sorted());
        assert!(UNITS.iter().all(|unit| !is_known(unit.base)));
    }

    #[test]
    fn units_are_words_of_names() {
        for (name, expected) in [
            ("took_milliseconds", Some(("milliseconds", "seconds"))),
            ("took_minutes_total", Some(("minutes", "seconds"))),
            ("minutes", Some(("minutes", "seconds"))),
            ("hours_in_seconds", Some(("hours", "seconds"))),
            ("seconds_in_hours", None),
            ("took_ms", None),
            ("thermometers", None),
            ("kilometers", Some(("kilometers", "meters"))),
            ("Minutes", None),
            ("disk_percent", None),
        ] {
            assert_eq!(first(name).as_ref().map(|unit| (unit.word.as_str(), unit.base)), expected, "{name}");
        }
        for (name, expected) in [
            ("took_ms", Some(("ms", "seconds"))),
            ("a_MB_used", Some(("mb", "bytes"))),
            ("a_m", Some(("m", ""))),
            ("ms", None),
            ("terms", None),
        ] {
            let found = abbreviations(name).next();
            assert_eq!(found.as_ref().map(|unit| (unit.word.as_str(), unit.base)), expected, "{name}");
        }
        for (name, expected) in [
            ("heap_mib", Some(("mib", "bytes"))),
            ("used_percent_total", Some(("percent", "ratio"))),
            ("percent_used", None),
            ("took_ms", None),
            ("took_minutes", None),
        ] {
            let found = unknown_to_promtool(name);
            assert_eq!(found.as_ref().map(|unit| (unit.word.as_str(), unit.base)), expected, "{name}");
        }
    }
}
