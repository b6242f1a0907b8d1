//! A rule, checked and compiled.

use std::fmt;

use pushgate_plugin::{Pattern, Template};

/// A rule.
#[derive(Debug)]
pub(crate) struct Rule {
    /// Where it stands in the configuration, for messages.
    pub(crate) place: Place,
    pub(crate) pattern: Pattern,
    pub(crate) step: Step,
}

impl Rule {
    /// The labels whose values it looks at.
    pub(crate) fn sources(&self) -> &[String] {
        match &self.step {
            Step::Replace { sources, .. } | Step::Filter { sources, .. } => &sources.labels,
            Step::MapLabels { .. } | Step::FilterLabels { .. } => &[],
        }
    }

    /// What the values are joined with.
    pub(crate) fn separator(&self) -> &str {
        match &self.step {
            Step::Replace { sources, .. } | Step::Filter { sources, .. } => &sources.separator,
            Step::MapLabels { .. } | Step::FilterLabels { .. } => "",
        }
    }

    /// Whether the label that it writes depends on the values that it finds.
    pub(crate) fn has_open_target(&self) -> bool {
        matches!(&self.step, Step::Replace { target, .. } if target.constant().is_none())
    }
}

/// What a rule does.
#[derive(Debug)]
pub(crate) enum Step {
    Replace {
        sources: Sources,
        target: Template,
        replacement: Template,
    },
    /// Keeps or drops the whole, by the value of the source labels.
    Filter {
        sources: Sources,
        on_match: OnMatch,
    },
    MapLabels {
        replacement: Template,
    },
    /// Keeps or drops single labels, by their names.
    FilterLabels {
        on_match: OnMatch,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnMatch {
    Keep,
    Drop,
}

/// The labels whose values, joined, a rule looks at.
#[derive(Debug)]
pub(crate) struct Sources {
    pub(crate) labels: Vec<String>,
    pub(crate) separator: String,
}

/// `rules[2]`: the list and the index, as in the pointers of configuration problems.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) list: &'static str,
    pub(crate) index: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]", self.list, self.index)
    }
}

/// Whether a name is a legal label name, reserved ones included.
pub(crate) fn is_label_name(name: &str) -> bool {
    name.starts_with(|first: char| first == '_' || first.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
}

/// Whether a label is only there while the rules run, as all labels with `__` in front are in Prometheus.
pub(crate) fn is_temporary(name: &str) -> bool {
    name.starts_with("__")
}
