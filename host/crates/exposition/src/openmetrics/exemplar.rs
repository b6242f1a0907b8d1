//! Exemplars, which stand behind the samples of counters and buckets.

use crate::openmetrics::Problem;
use crate::openmetrics::line::ExemplarText;
use crate::openmetrics::tokens::check_label_name;
use crate::text::{self, quote};
use crate::{Bound, Exemplar, ExemplarOf, Rules};

/// How many characters the names and values of its labels may have.
const MAX: usize = 128;

/// Whether it may be written.
pub(super) fn is_short(exemplar: &Exemplar) -> bool {
    let length = |(name, value): &(Box<str>, Box<str>)| name.chars().count() + value.chars().count();
    exemplar.labels.iter().map(length).sum::<usize>() <= MAX
}

/// What was written, as the exemplar of a counter.
pub(super) fn read(text: &ExemplarText<'_>, rules: &Rules) -> Result<Exemplar, Problem> {
    rules.limits.check(Bound::Labels, text.labels.len())?;
    let mut labels = Vec::with_capacity(text.labels.len());
    for (name, value) in &text.labels {
        rules.limits.check(Bound::ValueLength, value.len())?;
        let name = check_label_name(rules, name)?;
        labels.push((name.into(), String::from_utf8_lossy(value).into()));
    }
    let labels = labels.into();
    let exemplar = Exemplar { of: ExemplarOf::Counter, labels, value: text.value, timestamp: text.timestamp };
    if !is_short(&exemplar) {
        return Err(Problem::LongExemplar);
    }
    let mut names: Vec<&str> = exemplar.labels.iter().map(|(name, _)| &**name).collect();
    names.sort_unstable();
    if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(text::Problem::DuplicateLabelNames(quote(pair[0].as_bytes())).into());
    }
    Ok(exemplar)
}
