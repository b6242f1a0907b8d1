//! A rule, checked and compiled.

use std::fmt;

use pushgate_plugin::{Pattern, Template};

use crate::function::Function;

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
        self.step.sources().map_or(&[], |sources| &sources.labels)
    }

    /// What the values are joined with.
    pub(crate) fn separator(&self) -> &str {
        self.step.sources().map_or("", |sources| &sources.separator)
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
    /// Keeps or drops the whole, by whether the source labels are equal to another label.
    Compare {
        sources: Sources,
        target: String,
        on_equal: OnMatch,
    },
    /// Writes a function of the source labels, whatever the pattern.
    Derive {
        sources: Sources,
        target: String,
        function: Function,
    },
    MapLabels {
        replacement: Template,
    },
    /// Keeps or drops single labels, by their names.
    FilterLabels {
        on_match: OnMatch,
    },
}

impl Step {
    fn sources(&self) -> Option<&Sources> {
        match self {
            Self::Replace { sources, .. }
            | Self::Filter { sources, .. }
            | Self::Compare { sources, .. }
            | Self::Derive { sources, .. } => Some(sources),
            Self::MapLabels { .. } | Self::FilterLabels { .. } => None,
        }
    }
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

/// The label that stands for the metric's name.
pub(crate) const METRIC_NAME: &str = "__name__";

/// Whether a name is a legal metric name.
pub(crate) fn is_metric_name(name: &str) -> bool {
    !name.is_empty() && is_label_name(&name.replace(':', "_"))
}

/// Whether a label name with references to groups in it is one that Prometheus takes.
pub(crate) fn is_label_name_template(name: &str) -> bool {
    let is_word = |character: char| character == '_' || character.is_ascii_alphanumeric();
    let mut rest = name;
    while let Some(first) = rest.chars().next() {
        if first != '$' {
            if !is_word(first) || (rest.len() == name.len() && first.is_ascii_digit()) {
                return false;
            }
            rest = &rest[1..];
            continue;
        }
        rest = &rest[1..];
        let (reference, behind) = match rest.strip_prefix('{') {
            Some(inner) => inner.split_once('}').map_or(("", inner), |(reference, rest)| (reference, rest)),
            None => rest.split_at(rest.find(|next| !is_word(next)).unwrap_or(rest.len())),
        };
        if reference.is_empty() || !reference.chars().all(is_word) {
            return false;
        }
        rest = behind;
    }
    !name.is_empty()
}

/// Whether a label is only there while the rules run, as all labels with `__` in front are in Prometheus.
pub(crate) fn is_temporary(name: &str) -> bool {
    name.starts_with("__")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_of_names() {
        for name in ["a", "_", "a$1", "$1", "${1}", "${1}_x", "$1$2", "a1${name}9", "${1}2"] {
            assert!(is_label_name_template(name), "{name}");
        }
        for name in ["", "1", "1$1", "$", "a$", "$$1", "${}", "${1", "${a b}", "a-$1", "a}", "ä$1", "${1}}"]
        {
            assert!(!is_label_name_template(name), "{name}");
        }
    }
}
