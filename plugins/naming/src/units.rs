//! Units that are no base units, and what to use in their place.
//! <https://prometheus.io/docs/practices/naming/#base-units>

/// A unit that names end in and should not.
#[derive(Debug)]
pub(crate) struct Unit {
    /// The last word of the name.
    word: &'static str,
    /// The base unit.
    pub(crate) base: &'static str,
    /// What to do with the values, as an imperative.
    pub(crate) conversion: &'static str,
}

/// The units, sorted by word.
///
/// Words that mean something else as often are left out: `min` and `max`, `m`, `h`, `bits`.
#[rustfmt::skip]
static UNITS: &[Unit] = &[
    Unit { word: "celcius", base: "celsius", conversion: "keep the values" },
    Unit { word: "centimeters", base: "meters", conversion: "divide the values by 100" },
    Unit { word: "days", base: "seconds", conversion: "multiply the values by 86400" },
    Unit { word: "fahrenheit", base: "celsius", conversion: "convert the values" },
    Unit { word: "gb", base: "bytes", conversion: "multiply the values by 1000000000" },
    Unit { word: "gib", base: "bytes", conversion: "multiply the values by 1073741824" },
    Unit { word: "gibibytes", base: "bytes", conversion: "multiply the values by 1073741824" },
    Unit { word: "gigabytes", base: "bytes", conversion: "multiply the values by 1000000000" },
    Unit { word: "hours", base: "seconds", conversion: "multiply the values by 3600" },
    Unit { word: "kb", base: "bytes", conversion: "multiply the values by 1000" },
    Unit { word: "kib", base: "bytes", conversion: "multiply the values by 1024" },
    Unit { word: "kibibytes", base: "bytes", conversion: "multiply the values by 1024" },
    Unit { word: "kilobytes", base: "bytes", conversion: "multiply the values by 1000" },
    Unit { word: "kilograms", base: "grams", conversion: "multiply the values by 1000" },
    Unit { word: "kilometers", base: "meters", conversion: "multiply the values by 1000" },
    Unit { word: "kilowatts", base: "watts", conversion: "multiply the values by 1000" },
    Unit { word: "mb", base: "bytes", conversion: "multiply the values by 1000000" },
    Unit { word: "mebibytes", base: "bytes", conversion: "multiply the values by 1048576" },
    Unit { word: "megabytes", base: "bytes", conversion: "multiply the values by 1000000" },
    Unit { word: "mib", base: "bytes", conversion: "multiply the values by 1048576" },
    Unit { word: "micros", base: "seconds", conversion: "divide the values by 1000000" },
    Unit { word: "microseconds", base: "seconds", conversion: "divide the values by 1000000" },
    Unit { word: "milliamperes", base: "amperes", conversion: "divide the values by 1000" },
    Unit { word: "millimeters", base: "meters", conversion: "divide the values by 1000" },
    Unit { word: "millis", base: "seconds", conversion: "divide the values by 1000" },
    Unit { word: "milliseconds", base: "seconds", conversion: "divide the values by 1000" },
    Unit { word: "millivolts", base: "volts", conversion: "divide the values by 1000" },
    Unit { word: "milliwatts", base: "watts", conversion: "divide the values by 1000" },
    Unit { word: "mins", base: "seconds", conversion: "multiply the values by 60" },
    Unit { word: "minutes", base: "seconds", conversion: "multiply the values by 60" },
    Unit { word: "ms", base: "seconds", conversion: "divide the values by 1000" },
    Unit { word: "msec", base: "seconds", conversion: "divide the values by 1000" },
    Unit { word: "msecs", base: "seconds", conversion: "divide the values by 1000" },
    Unit { word: "nanos", base: "seconds", conversion: "divide the values by 1000000000" },
    Unit { word: "nanoseconds", base: "seconds", conversion: "divide the values by 1000000000" },
    Unit { word: "ns", base: "seconds", conversion: "divide the values by 1000000000" },
    Unit { word: "pct", base: "ratio", conversion: "divide the values by 100" },
    Unit { word: "percent", base: "ratio", conversion: "divide the values by 100" },
    Unit { word: "percentage", base: "ratio", conversion: "divide the values by 100" },
    Unit { word: "sec", base: "seconds", conversion: "keep the values" },
    Unit { word: "secs", base: "seconds", conversion: "keep the values" },
    Unit { word: "tb", base: "bytes", conversion: "multiply the values by 1000000000000" },
    Unit { word: "terabytes", base: "bytes", conversion: "multiply the values by 1000000000000" },
    Unit { word: "tib", base: "bytes", conversion: "multiply the values by 1099511627776" },
    Unit { word: "us", base: "seconds", conversion: "divide the values by 1000000" },
    Unit { word: "usec", base: "seconds", conversion: "divide the values by 1000000" },
    Unit { word: "usecs", base: "seconds", conversion: "divide the values by 1000000" },
    Unit { word: "weeks", base: "seconds", conversion: "multiply the values by 604800" },
];

/// The unit that a name ends in when it is no base unit: what stands before it, and the unit.
pub(crate) fn last_unit(name: &str) -> Option<(&str, &'static Unit)> {
    let (before, word) = name.rsplit_once('_')?;
    let at = UNITS.binary_search_by(|unit| unit.word.cmp(word)).ok()?;
    Some((before, &UNITS[at]))
}

impl Unit {
    /// Whether an operator allows it.
    pub(crate) fn is_allowed(&self, allowed: &[String]) -> bool {
        allowed.iter().any(|word| word == self.word)
    }
}

/// Whether names that end in this word are refused.
pub(crate) fn is_known(word: &str) -> bool {
    UNITS.binary_search_by(|unit| unit.word.cmp(word)).is_ok()
}

/// All words that names may not end in.
pub(crate) fn known() -> impl Iterator<Item = &'static str> {
    UNITS.iter().map(|unit| unit.word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_leads_to_base_units() {
        assert!(UNITS.is_sorted_by(|a, b| a.word < b.word));
        assert!(UNITS.iter().all(|unit| !is_known(unit.base)));
    }

    #[test]
    fn the_last_word_is_the_unit() {
        for (name, expected) in [
            ("took_ms", Some(("took", "seconds"))),
            ("heap_used_mib", Some(("heap_used", "bytes"))),
            ("ms_taken", None),
            ("took_seconds", None),
            ("terms", None),
            ("ms", None),
        ] {
            assert_eq!(last_unit(name).map(|(before, unit)| (before, unit.base)), expected, "{name}");
        }
    }
}
