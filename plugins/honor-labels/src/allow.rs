//! What callers may push.

use std::collections::BTreeMap;
use std::fmt;

use pushgate_plugin::{Finding, Findings, Pattern, Push, quote};

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
        // The row that takes the job is the one that was meant.
        let mut nearest: Option<Vec<String>> = None;
        let mut rows = self.0.iter().filter(|row| row.caller.is_of(push)).peekable();
        if rows.peek().is_none() {
            return findings.add(|| Finding::new(&UNKNOWN_CALLER, unknown(push)));
        }
        let mut jobs = Vec::new();
        for row in rows {
            if !row.jobs.iter().any(|pattern| pattern.is_match(push.job())) {
                jobs.extend(&row.jobs);
                continue;
            }
            let reasons = row.refuses(push);
            if reasons.is_empty() {
                return;
            }
            nearest.get_or_insert(reasons);
        }
        let reasons = nearest.unwrap_or_else(|| {
            let (job, jobs) = (quote(push.job()), OneOf(&jobs));
            vec![format!("push to a job that matches {jobs} instead of {job}")]
        });
        for reason in reasons {
            findings.add(|| {
                Finding::new(&NOT_ALLOWED, format!("{reason}: no more is allowed to {}", Known(push)))
            });
        }
    }
}

fn unknown(push: &Push) -> String {
    if push.attributes().next().is_none() {
        return "push as a caller that the gateway knows: of this one it knows nothing".to_owned();
    }
    format!("ask for permission to push: there is none for {}", Known(push))
}

impl Row {
    /// Why the labels are not allowed; the job is.
    fn refuses(&self, push: &Push) -> Vec<String> {
        let mut reasons = Vec::new();
        for label in push.grouping().filter(|label| label.name() != "job") {
            let name = quote(label.name());
            match self.labels.get(label.name()).or_else(|| self.labels.get(OTHERS)) {
                Some(pattern) if pattern.is_match(label.value()) => {}
                Some(pattern) => reasons.push(format!(
                    "change the label {name} of the grouping key from {} to a value that matches {}",
                    quote(label.value()),
                    quote(pattern.as_str()),
                )),
                None => reasons.push(format!("remove the label {name} from the grouping key")),
            }
        }
        for (name, pattern) in self.labels.iter().filter(|(name, _)| *name != OTHERS) {
            if push.grouping_label(name).is_some() {
                continue;
            }
            let (label, expected) = (quote(name), quote(pattern.as_str()));
            if !pattern.is_match("") {
                reasons.push(format!(
                    "add the label {label} to the grouping key, with a value that matches {expected}"
                ));
                continue;
            }
            // Then it would be what the series say.
            let Some(sym) = push.label_name(name) else { continue };
            let mut values = push.series().filter_map(|series| series.own_value_sym(sym));
            let mut seen = push.memo::<()>();
            if let Some(value) =
                values.find(|value| seen.insert(*value, ()) && !pattern.is_match(push.text(*value)))
            {
                reasons.push(format!(
                    "change the label {label} from {} to a value that matches {expected}",
                    quote(push.text(value)),
                ));
            }
        }
        reasons
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
