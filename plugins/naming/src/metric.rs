//! What is said about metric names: each fault, and the name that would mend them all.

use pushgate_plugin::{Family, Finding, Kind, quote};

use crate::fault::{self, Fault, Metric};
use crate::rules::{Prefixes, Rules};
use crate::snake_case::snake_case;
use crate::units;
use crate::verdict::Verdict;

/// The metric that a family is.
pub(crate) fn of(family: Family<'_>) -> Metric<'_> {
    let has_help = family.help().is_some_and(|help| !help.is_empty());
    Metric { name: family.name(), kind: family.kind(), has_help }
}

/// Whether there is nothing wrong with a metric.
pub(crate) fn is_fine(rules: &Rules, prefixes: &Prefixes<'_>, metric: Metric<'_>) -> bool {
    let mut is_fine = true;
    fault::find(rules, prefixes, metric, |_| is_fine = false);
    is_fine
}

/// Adds a finding for each rule that a metric breaks. Each says the same new name, which keeps all the rules.
pub(crate) fn judge(rules: &Rules, prefixes: &Prefixes<'_>, family: Family<'_>, verdict: &mut Verdict<'_>) {
    let metric = of(family);
    let mut faults = Vec::new();
    fault::find(rules, prefixes, metric, |fault| faults.push(fault));
    faults.retain(|fault| !rules.is_exempt(metric.name, fault.code()));
    let better = better_name(rules, prefixes, metric, &faults);
    for fault in &faults {
        let message = message(rules, prefixes, metric, fault, better.as_deref());
        verdict.add(fault.code(), || Finding::new(fault.code(), message).at_family(family));
    }
}

fn message(
    rules: &Rules,
    prefixes: &Prefixes<'_>,
    metric: Metric<'_>,
    fault: &Fault,
    better: Option<&str>,
) -> String {
    let name = quote(metric.name);
    let rename = match better {
        Some(better) => format!("rename {name} to {}", quote(better)),
        None => format!("rename {name}"),
    };
    match fault {
        Fault::NoHelp => format!("add a line '# HELP {} ...' that says what is measured", metric.name),
        Fault::Colon => format!("{rename}: ':' is for the names of recording rules"),
        Fault::NotSnakeCase => format!("{rename}: metric names are lower-case letters, digits and '_'"),
        Fault::LacksPrefix => {
            let allowed: Vec<String> = prefixes.0.iter().map(|prefix| quote(prefix).to_string()).collect();
            format!("{rename}: the names of this job start with {}", allowed.join(" or "))
        }
        Fault::LacksTotal => format!("{rename}: the name of a counter ends in '_total'"),
        Fault::HasTotal => {
            format!("{rename}: '_total' is for counters, and this is a {}", metric.kind.as_str())
        }
        Fault::Unit(unit) => {
            let (word, base) = (quote(&unit.word), quote(unit.base));
            format!("{rename} and {}: use the base unit {base}, not {word}", unit.conversion)
        }
        Fault::Abbreviation(unit) if unit.conversion.is_empty() => {
            format!("{rename}: write out the unit that {} stands for, as a base unit", quote(&unit.word))
        }
        Fault::Abbreviation(unit) => {
            let (word, base) = (quote(&unit.word), quote(unit.base));
            format!("{rename} and {}: write out the base unit {base}, not {word}", unit.conversion)
        }
        Fault::ReservedSuffix("_bucket") => format!("{rename}: '_bucket' belongs to histograms"),
        Fault::ReservedSuffix(suffix) => format!("{rename}: '{suffix}' belongs to histograms and summaries"),
        Fault::Type(kind) => format!("{rename}: the type, '{kind}', is no part of a name"),
        Fault::Pattern => {
            let pattern = rules.metric_pattern.as_ref().map_or("", |pattern| pattern.as_str());
            format!("{rename}: names match {}", quote(pattern))
        }
        Fault::TooLong => {
            format!(
                "{rename}: it has {} characters, {} are allowed",
                metric.name.len(),
                rules.max_metric_length
            )
        }
        Fault::Banned(entry) => format!("{rename}: {}", rules.banned[*entry].reason),
    }
}

/// A name that keeps all the rules, when there is one to be guessed.
fn better_name(
    rules: &Rules,
    prefixes: &Prefixes<'_>,
    metric: Metric<'_>,
    faults: &[Fault],
) -> Option<String> {
    let has = |wanted: fn(&Fault) -> bool| faults.iter().any(wanted);
    let mut better = metric.name.to_owned();
    if has(|fault| matches!(fault, Fault::NotSnakeCase | Fault::Colon)) {
        better = snake_case(&better);
    }
    let ends_in_total = strip_suffix(&mut better, "_total");
    for fault in faults {
        match fault {
            Fault::ReservedSuffix(suffix) => {
                strip_suffix(&mut better, suffix);
            }
            Fault::Type(_) => better = without_types(&better),
            Fault::Unit(unit) | Fault::Abbreviation(unit) => better = units::replace(&better, unit),
            _ => {}
        }
    }
    let is_total = if rules.counter_suffix { metric.kind == Kind::Counter } else { ends_in_total };
    if is_total || (ends_in_total && !has(|fault| matches!(fault, Fault::HasTotal))) {
        better.push_str("_total");
    }
    if has(|fault| matches!(fault, Fault::LacksPrefix)) {
        // With several prefixes, only the one who pushes can tell which is meant.
        let [prefix] = prefixes.0.as_slice() else { return None };
        better.insert_str(0, prefix);
    }
    let is_name = better.starts_with(|first: char| first == '_' || first.is_ascii_alphabetic());
    let is_better = is_name && better != metric.name;
    let renamed = Metric { name: &better, has_help: true, ..metric };
    (is_better && is_fine(rules, prefixes, renamed)).then_some(better)
}

fn without_types(name: &str) -> String {
    let (first, rest) = name.split_once('_').unwrap_or((name, ""));
    let is_type = |word: &str| fault::types_in(&format!("_{word}")).next().is_some();
    let kept = rest.split('_').filter(|word| !word.is_empty() && !is_type(word));
    std::iter::once(first).chain(kept).collect::<Vec<_>>().join("_")
}

fn strip_suffix(name: &mut String, suffix: &str) -> bool {
    let has_it = name.ends_with(suffix);
    if has_it {
        name.truncate(name.len() - suffix.len());
    }
    has_it
}
