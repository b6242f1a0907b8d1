//! What can be wrong with the name of a metric.

use std::borrow::Cow;

use pushgate_plugin::{Code, Kind};

use crate::rules::{Prefixes, Rules};
use crate::snake_case::{is_camel_case, is_snake_case, snake_case};
use crate::units::{self, Unit};
use crate::{
    ABBREVIATED_UNIT, BANNED, BASE_UNIT, COLON, COUNTER_SUFFIX, METRIC_PATTERN, NO_HELP, PREFIX,
    RESERVED_SUFFIX, SNAKE_CASE, TOO_LONG, TOTAL_SUFFIX, TYPE_IN_NAME,
};

/// A metric, as far as the rules look at it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Metric<'n> {
    pub(crate) name: &'n str,
    pub(crate) kind: Kind,
    pub(crate) has_help: bool,
}

/// One thing that is wrong with a metric.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    NoHelp,
    Colon,
    NotSnakeCase,
    LacksPrefix,
    LacksTotal,
    HasTotal,
    Unit(Unit),
    Abbreviation(Unit),
    ReservedSuffix(&'static str),
    Type(&'static str),
    Pattern,
    TooLong,
    /// The entry of `banned`.
    Banned(usize),
}

impl Fault {
    pub(crate) fn code(&self) -> &'static Code {
        match self {
            Self::NoHelp => &NO_HELP,
            Self::Colon => &COLON,
            Self::NotSnakeCase => &SNAKE_CASE,
            Self::LacksPrefix => &PREFIX,
            Self::LacksTotal => &COUNTER_SUFFIX,
            Self::HasTotal => &TOTAL_SUFFIX,
            Self::Unit(_) => &BASE_UNIT,
            Self::Abbreviation(_) => &ABBREVIATED_UNIT,
            Self::ReservedSuffix(_) => &RESERVED_SUFFIX,
            Self::Type(_) => &TYPE_IN_NAME,
            Self::Pattern => &METRIC_PATTERN,
            Self::TooLong => &TOO_LONG,
            Self::Banned(_) => &BANNED,
        }
    }
}

/// Calls `found` with all that is wrong with a metric.
pub(crate) fn find(rules: &Rules, prefixes: &Prefixes<'_>, metric: Metric<'_>, mut found: impl FnMut(Fault)) {
    let Metric { name, kind, has_help } = metric;
    if rules.help && !has_help {
        found(Fault::NoHelp);
    }
    let is_snake = is_snake_case(name);
    if rules.colons && !is_snake && name.contains(':') {
        found(Fault::Colon);
    }
    if rules.snake_case
        && !is_snake
        && (is_camel_case(name) || rules.is_beyond() && !is_snake_but_for_colons(name))
    {
        found(Fault::NotSnakeCase);
    }
    // The other rules look at the name as it will be, so that one renaming is enough; promtool at the name as it is.
    let name =
        if is_snake || !rules.is_beyond() { Cow::Borrowed(name) } else { Cow::Owned(snake_case(name)) };
    if !prefixes.allow(&name) {
        found(Fault::LacksPrefix);
    }
    let base = name.strip_suffix("_total");
    if rules.counter_suffix {
        match kind {
            Kind::Counter if base.is_none() => found(Fault::LacksTotal),
            // Nothing is known of an untyped metric: it may well be a counter.
            Kind::Gauge | Kind::Summary | Kind::Histogram | Kind::GaugeHistogram if base.is_some() => {
                found(Fault::HasTotal);
            }
            _ => {}
        }
    }
    find_units(rules, &name, &mut found);
    if rules.type_in_name {
        types_in(&name).for_each(|kind| found(Fault::Type(kind)));
    }
    if rules.reserved_suffixes
        && let Some(suffix) = reserved_suffix(&name, kind)
    {
        found(Fault::ReservedSuffix(suffix));
    }
    let name = metric.name;
    if rules.metric_pattern.as_ref().is_some_and(|pattern| !pattern.is_match(name)) {
        found(Fault::Pattern);
    }
    if name.len() > rules.max_metric_length {
        found(Fault::TooLong);
    }
    if let Some(entry) = rules.banned.iter().position(|banned| banned.metric.is_match(name)) {
        found(Fault::Banned(entry));
    }
}

fn find_units(rules: &Rules, name: &str, found: &mut impl FnMut(Fault)) {
    if rules.base_units
        && let Some(unit) =
            units::first(name).or_else(|| units::unknown_to_promtool(name).filter(|_| rules.is_beyond()))
        && !rules.allows_unit(&unit)
    {
        found(Fault::Unit(unit));
    }
    if rules.abbreviated_units
        && let Some(unit) = units::abbreviations(name).find(|unit| !rules.allows_unit(unit))
    {
        found(Fault::Abbreviation(unit));
    }
}

/// The types that are words of a name, the first word apart.
pub(crate) fn types_in(name: &str) -> impl Iterator<Item = &'static str> {
    const TYPES: [&str; 5] = ["counter", "gauge", "summary", "histogram", "gauge_histogram"];
    let mut before = "";
    units::words(name).skip(1).flat_map(move |word| {
        let kind = TYPES[..4].iter().find(|kind| kind.eq_ignore_ascii_case(word)).copied();
        let both = (before == "gauge" && kind == Some("histogram")).then_some(TYPES[4]);
        before = kind.unwrap_or_default();
        kind.into_iter().chain(both)
    })
}

/// The suffix of a name that only histograms and summaries may have. Untyped names are let be: the parts of a
/// histogram that was pushed without its type are untyped.
fn reserved_suffix(name: &str, kind: Kind) -> Option<&'static str> {
    let suffixes: &[&'static str] = match kind {
        Kind::Untyped | Kind::Histogram | Kind::GaugeHistogram => &[],
        Kind::Summary => &["_bucket"],
        Kind::Counter | Kind::Gauge => &["_bucket", "_count", "_sum"],
    };
    suffixes.iter().copied().find(|suffix| name.ends_with(suffix))
}

fn is_snake_but_for_colons(name: &str) -> bool {
    name.split(':').all(|part| part.is_empty() || is_snake_case(part))
}
