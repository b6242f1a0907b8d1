//! The rules for metric names.

use std::borrow::Cow;

use pushgate_plugin::{Code, Family, Finding, Findings, Kind, quote};

use crate::snake_case::{is_snake_case, snake_case};
use crate::units::{self, Unit};
use crate::{BASE_UNIT, COUNTER_SUFFIX, PREFIX, RESERVED_SUFFIX, SNAKE_CASE, TOTAL_SUFFIX};

/// The rules that are on.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) snake_case: bool,
    pub(crate) counter_suffix: bool,
    pub(crate) base_units: bool,
    pub(crate) reserved_suffixes: bool,
    pub(crate) allowed_units: Vec<String>,
}

/// What is wrong with one name. All of it, so that one renaming mends it.
#[derive(Debug, Default)]
struct Faults {
    is_not_snake_case: bool,
    lacks_total: bool,
    has_total: bool,
    unit: Option<&'static Unit>,
    reserved_suffix: Option<&'static str>,
    lacks_prefix: bool,
}

/// Whether a family has a name that no rule objects to.
pub(crate) fn is_fine(rules: &Rules, prefixes: &[String], family: Family<'_>) -> bool {
    let faults = Faults::of(rules, prefixes, family);
    !(faults.is_not_snake_case || faults.lacks_total || faults.has_total || faults.lacks_prefix)
        && faults.unit.is_none()
        && faults.reserved_suffix.is_none()
}

/// Adds a finding for each rule that a family's name breaks. Each says the same new name, which keeps
/// all the rules.
pub(crate) fn judge(rules: &Rules, prefixes: &[String], family: Family<'_>, findings: &mut Findings) {
    let faults = Faults::of(rules, prefixes, family);
    let name = family.name();
    let better = faults.better_name(rules, prefixes, family);
    let rename = match better.as_deref() {
        Some(better) => format!("rename {} to {}", quote(name), quote(better)),
        None => format!("rename {}", quote(name)),
    };
    let mut add =
        |code: &Code, message: String| findings.add(|| Finding::new(code, message).at_family(family));
    if faults.is_not_snake_case {
        add(&SNAKE_CASE, format!("{rename}: metric names are lower-case letters, digits and '_'"));
    }
    if faults.lacks_prefix {
        let allowed: Vec<String> = prefixes.iter().map(|prefix| quote(prefix).to_string()).collect();
        add(&PREFIX, format!("{rename}: the names of this job start with {}", allowed.join(" or ")));
    }
    if faults.lacks_total {
        add(&COUNTER_SUFFIX, format!("{rename}: the name of a counter ends in '_total'"));
    }
    if faults.has_total {
        let kind = family.kind().as_str();
        add(&TOTAL_SUFFIX, format!("{rename}: '_total' is for counters, and this is a {kind}"));
    }
    if let Some(unit) = faults.unit {
        add(&BASE_UNIT, format!("{rename} and {}: use the base unit", unit.conversion));
    }
    if let Some(suffix) = faults.reserved_suffix {
        add(&RESERVED_SUFFIX, format!("{rename}: '{suffix}' belongs to histograms and summaries"));
    }
}

impl Faults {
    fn of(rules: &Rules, prefixes: &[String], family: Family<'_>) -> Self {
        let (name, kind) = (family.name(), family.kind());
        let is_not_snake_case = rules.snake_case && !is_snake_case(name);
        // The other rules look at the name as it will be, so that one renaming is enough.
        let snake = if is_not_snake_case { Cow::Owned(snake_case(name)) } else { Cow::Borrowed(name) };
        let base = snake.strip_suffix("_total");
        let unit = units::last_unit(base.unwrap_or(&snake))
            .map(|(_, unit)| unit)
            .filter(|unit| rules.base_units && !unit.is_allowed(&rules.allowed_units));
        Self {
            is_not_snake_case,
            lacks_total: rules.counter_suffix && kind == Kind::Counter && base.is_none(),
            // Nothing is known of an untyped metric: it may well be a counter.
            has_total: rules.counter_suffix
                && !matches!(kind, Kind::Counter | Kind::Untyped)
                && base.is_some(),
            unit,
            reserved_suffix: reserved_suffix(base.unwrap_or(&snake), kind)
                .filter(|_| rules.reserved_suffixes),
            lacks_prefix: !prefixes.is_empty() && !prefixes.iter().any(|prefix| snake.starts_with(prefix)),
        }
    }

    /// A name that keeps all the rules, when there is one to be guessed.
    fn better_name(&self, rules: &Rules, prefixes: &[String], family: Family<'_>) -> Option<String> {
        let name = family.name();
        let mut better = if self.is_not_snake_case { snake_case(name) } else { name.to_owned() };
        let is_counter = family.kind() == Kind::Counter;
        let ends_in_total = better.ends_with("_total");
        strip_suffix(&mut better, "_total");
        if let Some(suffix) = self.reserved_suffix {
            strip_suffix(&mut better, suffix);
        }
        if let (Some(unit), Some((before, _))) = (self.unit, units::last_unit(&better)) {
            better = format!("{before}_{}", unit.base);
        }
        if if rules.counter_suffix { is_counter || (ends_in_total && !self.has_total) } else { ends_in_total }
        {
            better.push_str("_total");
        }
        if self.lacks_prefix {
            // With several prefixes, only the one who pushes can tell which is meant.
            let [prefix] = prefixes else { return None };
            better.insert_str(0, prefix);
        }
        let is_name = better.starts_with(|first: char| first == '_' || first.is_ascii_alphabetic());
        (is_name && better != name).then_some(better)
    }
}

/// The suffix of a typed name that is neither a histogram's nor a summary's, when it is one of theirs.
/// Untyped names are let be: the parts of a histogram that was pushed without its type are untyped.
fn reserved_suffix(name: &str, kind: Kind) -> Option<&'static str> {
    if !matches!(kind, Kind::Counter | Kind::Gauge) {
        return None;
    }
    ["_bucket", "_sum", "_count"].into_iter().find(|suffix| name.ends_with(suffix))
}

fn strip_suffix(name: &mut String, suffix: &str) {
    if name.ends_with(suffix) {
        name.truncate(name.len() - suffix.len());
    }
}
