//! The rules, held against a push.

use pushgate_plugin::{Finding, Findings, Pattern, Push, Series, Sym, quote};

use crate::place::On;
use crate::values::Values;
use crate::{FORBIDDEN, MISSING, VALUE};

/// A label that must be there, or that must have certain values where it is.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) label: String,
    pub(crate) on: On,
    pub(crate) presence: Presence,
    pub(crate) values: Values,
    /// What it is given where it is missing.
    pub(crate) default: Option<String>,
    pub(crate) jobs: Jobs,
    pub(crate) hint: Hint,
}

/// Whether a label may be absent. An empty value is no label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    Required,
    Optional,
}

/// A label that must not be there.
#[derive(Debug)]
pub(crate) struct Ban {
    pub(crate) label: Banned,
    pub(crate) on: On,
    pub(crate) jobs: Jobs,
    pub(crate) hint: Hint,
}

#[derive(Debug)]
pub(crate) enum Banned {
    Name(String),
    Pattern(Pattern),
}

/// The jobs that a rule is for; all, if there is no pattern.
#[derive(Debug)]
pub(crate) struct Jobs(pub(crate) Option<Pattern>);

impl Jobs {
    pub(crate) fn include(&self, job: &str) -> bool {
        self.0.as_ref().is_none_or(|jobs| jobs.is_match(job))
    }

    /// Whether two rules are for one and the same job for sure.
    pub(crate) fn overlap(&self, other: &Self) -> bool {
        let source = |jobs: &Self| jobs.0.as_ref().map(|jobs| jobs.as_str().to_owned());
        self.0.is_none() || other.0.is_none() || source(self) == source(other)
    }
}

/// What the operator has to say on a rule; stands at the end of its messages.
#[derive(Debug, Default)]
pub(crate) struct Hint(pub(crate) Option<String>);

impl Hint {
    fn add_to(&self, message: String) -> String {
        match &self.0 {
            Some(hint) => format!("{message}; {hint}"),
            None => message,
        }
    }
}

impl Rule {
    /// Adds a finding when the label is missing, and one for each distinct value that is not allowed.
    pub(crate) fn judge(&self, push: &Push, findings: &mut Findings) {
        if self.on.looks_at_grouping() {
            // The grouping key wins, so that no series has a label of this name to look at. When its value
            // is empty, no series will show the label.
            match push.grouping_label(&self.label) {
                Some("") | None if self.on == On::Grouping => return self.judge_absence(None, findings),
                Some("") => {
                    return self.judge_absence(
                        push.series().next().map(|first| Absence::all(push, first)),
                        findings,
                    );
                }
                Some(value) => return self.judge_value(value, None, findings),
                None => {}
            }
        }
        self.judge_series(push, findings);
    }

    fn judge_series(&self, push: &Push, findings: &mut Findings) {
        let Some(name) = push.label_name(&self.label) else {
            // No series has the label, and there is no need to look at each.
            if let Some(first) = push.series().next() {
                self.judge_absence(Some(Absence::all(push, first)), findings);
            }
            return;
        };
        let mut absence: Option<Absence<'_>> = None;
        let mut seen = push.memo::<()>();
        for series in push.series() {
            match series.own_value_sym(name) {
                None | Some(Sym::EMPTY) => {
                    let absence =
                        absence.get_or_insert(Absence { first: series, count: 0, of: push.series_count() });
                    absence.count += 1;
                }
                Some(value) => {
                    if seen.insert(value, ()) {
                        self.judge_value(push.text(value), Some((series, name)), findings);
                    }
                }
            }
        }
        if absence.is_some() {
            self.judge_absence(absence, findings);
        }
    }

    fn judge_value(&self, value: &str, place: Option<(Series<'_>, Sym)>, findings: &mut Findings) {
        if self.values.allow(value) {
            return;
        }
        findings.add(|| {
            let source = if place.is_some() { "" } else { " of the grouping key" };
            let (label, value) = (quote(&self.label), quote(value));
            let message = format!("change the label {label}{source} from {value} to {}", self.values);
            let finding = Finding::new(&VALUE, self.hint.add_to(message));
            match place {
                Some((series, name)) => finding.at_series(series).at_label(name),
                None => finding,
            }
        });
    }

    /// `absence` is `None` for a label that the grouping key lacks.
    fn judge_absence(&self, absence: Option<Absence<'_>>, findings: &mut Findings) {
        // What is missing and has a default is filled in.
        if self.presence == Presence::Optional || self.default.is_some() {
            return;
        }
        // A push of no series lacks nothing that series must have.
        if absence.is_none() && self.on != On::Grouping {
            return;
        }
        findings.add(|| {
            let label = quote(&self.label);
            let to = match self.on {
                On::Any => "to the grouping key or to each series",
                On::Grouping => "to the grouping key, in the URL of the push",
                On::Series => "to each series",
            };
            let mut message = format!("add the label {label} {to}");
            if !matches!(self.values, Values::Any) {
                message.push_str(&format!(", as {}", self.values));
            }
            match absence {
                Some(Absence { first, count, of }) => {
                    message.push_str(&format!(": it is missing on {count} of {of} series"));
                    Finding::new(&MISSING, self.hint.add_to(message)).at_series(first)
                }
                None => Finding::new(&MISSING, self.hint.add_to(message)),
            }
        });
    }
}

/// The series that lack a label.
#[derive(Clone, Copy)]
struct Absence<'p> {
    first: Series<'p>,
    count: usize,
    of: usize,
}

impl<'p> Absence<'p> {
    fn all(push: &Push, first: Series<'p>) -> Self {
        Self { first, count: push.series_count(), of: push.series_count() }
    }
}

impl Ban {
    /// Adds a finding for each label that must not be there, however many series have it.
    pub(crate) fn judge(&self, push: &Push, findings: &mut Findings) {
        if self.on.looks_at_grouping() {
            for label in push.grouping().filter(|label| !label.value().is_empty() && self.hits(label.name()))
            {
                findings.add(|| {
                    let message = format!("remove the label {} from the grouping key", quote(label.name()));
                    Finding::new(&FORBIDDEN, self.hint.add_to(message))
                });
            }
        }
        if self.on.looks_at_series() {
            for name in push.label_names().filter(|name| self.hits(name.as_str())) {
                findings.add(|| {
                    let has_it = |series: &Series<'_>| series.own_value_sym(name.sym()).is_some();
                    let count = push.series().filter(has_it).count();
                    let of = push.series_count();
                    let label = quote(name.as_str());
                    let message = format!("remove the label {label}: it is on {count} of {of} series");
                    Finding::new(&FORBIDDEN, self.hint.add_to(message))
                        .at_series(name.first())
                        .at_label(name.sym())
                });
            }
        }
    }

    pub(crate) fn hits(&self, name: &str) -> bool {
        match &self.label {
            Banned::Name(banned) => banned == name,
            Banned::Pattern(pattern) => pattern.is_match(name),
        }
    }
}
