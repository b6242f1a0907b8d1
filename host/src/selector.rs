//! Which groups somebody means: series selectors as Prometheus has them, `{job="x",instance=~"old.*"}`, over the labels of
//! grouping keys. A label that a key does not have is the empty string. What Prometheus reads otherwise than we would is refused.

mod parse;
mod quoted;
mod regex;

use std::fmt;

use pushgate_exposition::GroupingKey;

pub use self::parse::{ParseError, Problem};
use crate::config::Pattern;

/// Bytes of a selector.
pub const MAX_LENGTH: usize = 4_096;

/// Matchers of a selector.
pub const MAX_MATCHERS: usize = 32;

/// Selects groups: those whose labels match all of its matchers.
#[derive(Debug)]
pub struct Selector {
    text: String,
    matchers: Vec<Matcher>,
}

/// What one label must be.
#[derive(Debug)]
struct Matcher {
    label: String,
    is_negated: bool,
    value: Value,
}

#[derive(Debug)]
enum Value {
    /// Any bytes: an escape may make them something that no label can be.
    Exactly(Vec<u8>),
    /// All of the label.
    Like(Pattern),
}

impl Selector {
    /// Reads a selector.
    ///
    /// # Errors
    /// When it is none, or over a bound: what is wrong, and where.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        Ok(Self { matchers: parse::matchers(text)?, text: text.trim().to_owned() })
    }

    /// Whether it selects the group of that key.
    pub fn selects(&self, key: &GroupingKey) -> bool {
        self.matchers.iter().all(|matcher| matcher.matches(key.label(&matcher.label).unwrap_or_default()))
    }

    /// Whether there may be groups that it does not select, however they are labelled: Prometheus demands of each selector a
    /// matcher that the empty string does not match.
    pub fn demands_something(&self) -> bool {
        self.matchers.iter().any(|matcher| !matcher.matches(""))
    }
}

impl Matcher {
    fn matches(&self, label: &str) -> bool {
        let is_alike = match &self.value {
            Value::Exactly(value) => label.as_bytes() == value,
            Value::Like(pattern) => pattern.is_match(label),
        };
        is_alike != self.is_negated
    }
}

impl fmt::Display for Selector {
    /// As it was written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_matchers_must_match_and_an_absent_label_is_empty() {
        let key = GroupingKey::new([("job", "backup"), ("instance", "db1"), ("empty", "")]).unwrap();
        for (text, expected) in [
            ("{}", true),
            (r#"{job="backup"}"#, true),
            (r#"{job="back"}"#, false),
            (r#"{job=~"back"}"#, false),
            (r#"{job=~"back.*",instance="db1"}"#, true),
            (r#"{job=~"back.*",instance="db2"}"#, false),
            (r#"{job!~"back.*"}"#, false),
            (r#"{job!="x",job!~"y"}"#, true),
            (r#"{job="backup",job="x"}"#, false),
            (r#"{zone=""}"#, true),
            (r#"{zone!=""}"#, false),
            (r#"{zone=~".*"}"#, true),
            (r#"{zone=~".+"}"#, false),
            (r#"{empty=""}"#, true),
            (r#"{job="\xff"}"#, false),
            (r#"{job!="\xff"}"#, true),
        ] {
            assert_eq!(Selector::parse(text).unwrap().selects(&key), expected, "{text}");
        }
    }
}
