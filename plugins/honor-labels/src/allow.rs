//! What callers may push.

use std::collections::BTreeMap;
use std::fmt;

use pushgate_plugin::{Finding, Findings, GroupingLabel, MAX_FINDINGS, Pattern, Push, quote};

use crate::caller::{Caller, Known};
use crate::{NOT_ALLOWED, UNKNOWN_CALLER};

/// The key of a row's labels that stands for all that it does not name.
pub(crate) const OTHERS: &str = "*";

/// The rows. A push has to be allowed by one of those that are for its caller; without any row, everybody may push.
#[derive(Debug)]
pub(crate) struct Allowed(pub(crate) Vec<Row>);

/// What some callers may push.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) caller: Caller,
    pub(crate) jobs: Vec<Pattern>,
    pub(crate) labels: BTreeMap<String, Pattern>,
}

impl Allowed {
    /// Adds a finding for all that keeps a push from being allowed.
    pub(crate) fn judge(&self, push: &Push, findings: &mut Findings) {
        if self.0.is_empty() {
            return;
        }
        let mut rows = self.0.iter().filter(|row| row.caller.is_of(push)).peekable();
        if rows.peek().is_none() {
            return findings.add(|| unknown(push));
        }
        let (mut jobs, mut nearest) = (Vec::new(), None);
        for row in rows {
            if !row.jobs.iter().any(|pattern| pattern.is_match(push.job())) {
                jobs.extend(&row.jobs);
                continue;
            }
            let reasons = row.refuse(push);
            if reasons.is_empty() {
                return;
            }
            // The first that allows the job is most likely the one that was meant.
            nearest.get_or_insert(reasons);
        }
        let reasons = nearest.unwrap_or_else(|| {
            let (job, jobs) = (quote(push.job()), OneOf(&jobs));
            vec![refusal(push, &format!("use a job that matches {jobs} instead of {job}"))]
        });
        reasons.into_iter().for_each(|reason| findings.add(|| reason));
    }
}

fn unknown(push: &Push) -> Finding {
    let message = match push.attributes().next() {
        Some(_) => format!("ask for permission: there is none for {}", Known(push)),
        None => "push as a caller that the gateway knows: of this one it knows nothing".to_owned(),
    };
    Finding::new(&UNKNOWN_CALLER, message)
}

fn refusal(push: &Push, advice: &str) -> Finding {
    Finding::new(&NOT_ALLOWED, format!("{advice}; the caller ({}) has permission for no more", Known(push)))
}

impl Row {
    /// Why the labels are not allowed; the job is.
    fn refuse(&self, push: &Push) -> Vec<Finding> {
        let mut reasons = Vec::new();
        for label in push.grouping().filter(|label| label.name() != "job") {
            reasons.extend(self.refuse_label(push, label));
        }
        for (name, pattern) in self.labels.iter().filter(|(name, _)| *name != OTHERS) {
            if push.grouping_label(name).is_some() {
                continue;
            }
            if pattern.is_match("") {
                refuse_on_series(push, name, pattern, &mut reasons);
            } else {
                let (label, expected) = (quote(name), quote(pattern.as_str()));
                let advice = format!(
                    "add the label {label} to the grouping key, with a value that matches {expected}"
                );
                reasons.push(refusal(push, &advice));
            }
        }
        reasons
    }

    fn refuse_label(&self, push: &Push, label: GroupingLabel<'_>) -> Option<Finding> {
        let (name, value) = (quote(label.name()), quote(label.value()));
        let Some(pattern) = self.labels.get(label.name()).or_else(|| self.labels.get(OTHERS)) else {
            return Some(refusal(push, &format!("remove the label {name} from the grouping key")));
        };
        let expected = quote(pattern.as_str());
        let advice = || format!("change {name} of the grouping key from {value} to what matches {expected}");
        (!pattern.is_match(label.value())).then(|| refusal(push, &advice()))
    }
}

/// Without the label in the grouping key it is what the series say.
fn refuse_on_series(push: &Push, name: &str, pattern: &Pattern, reasons: &mut Vec<Finding>) {
    let Some(sym) = push.label_name(name) else { return };
    let mut seen = push.memo::<()>();
    for series in push.series() {
        let Some(value) = series.own_value_sym(sym).filter(|value| seen.insert(*value, ())) else { continue };
        if !pattern.is_match(push.text(value)) && reasons.len() < MAX_FINDINGS {
            let (label, value, expected) = (quote(name), quote(push.text(value)), quote(pattern.as_str()));
            let advice = format!("change {label} from {value} to what matches {expected}");
            reasons.push(refusal(push, &advice).at_series(series).at_label(sym));
        }
    }
}

/// Patterns of which one has to match, in words.
struct OneOf<'a>(&'a [&'a Pattern]);

/// How many of them are named.
const SHOWN: usize = 8;

impl fmt::Display for OneOf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, pattern) in self.0.iter().take(SHOWN).enumerate() {
            let glue = if index == 0 { "" } else { " or " };
            write!(f, "{glue}{}", quote(pattern.as_str()))?;
        }
        match self.0.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, " or one of {more} others"),
        }
    }
}
