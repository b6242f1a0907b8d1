//! Regular expressions of the operator's, and of who selects groups.

use std::fmt;
use std::str::FromStr;

use regex::{Regex, RegexBuilder};

/// The largest program that a pattern may compile to. The default of the regex crate, ten times as
/// much, would let one line of a configuration take seconds to compile.
const PROGRAM_LIMIT: usize = 1 << 20;

/// A regular expression that is anchored at both ends and in which `.` matches a newline, as in Prometheus.
#[derive(Clone)]
pub struct Pattern {
    /// As the operator wrote it, without the anchors.
    text: String,
    regex: Regex,
}

impl Pattern {
    /// What it looks like, for those who wrote something else.
    pub(super) const EXAMPLE: &str = "a regular expression such as \"batch_.*\"";

    /// As it was written, without the anchors.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it matches the whole of a value.
    pub fn is_match(&self, value: &str) -> bool {
        self.regex.is_match(value)
    }
}

impl FromStr for Pattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let compile = |pattern: &str| RegexBuilder::new(pattern).size_limit(PROGRAM_LIMIT).build();
        // The pattern must be legal on its own: `a)|(b` would become so between the parentheses.
        let compiled = compile(text).and_then(|_| compile(&format!("^(?s:{text})$")));
        let regex = compiled.map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => format!("the regular expression '{text}' is too large"),
            error => {
                // The message draws the pattern over several lines; its last one says what is wrong.
                let message = error.to_string();
                let reason = message.lines().last().unwrap_or_default();
                let reason = reason.strip_prefix("error: ").unwrap_or(reason);
                format!("'{text}' is not a regular expression: {reason}")
            }
        })?;
        Ok(Self { text: text.to_owned(), regex })
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_anchored() {
        for (pattern, value, expected) in [
            ("batch_.*", "batch_1", true),
            ("batch_.*", "a_batch_1", false),
            ("batch", "batch_1", false),
            ("a|b", "b", true),
            ("a|b", "bc", false),
            (".*", "two\nlines", true),
            ("", "", true),
            ("", "x", false),
            (".+", "", false),
            ("(?i)BATCH", "batch", true),
        ] {
            assert_eq!(pattern.parse::<Pattern>().unwrap().is_match(value), expected, "{pattern} {value:?}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused_in_one_line() {
        for (pattern, expected) in [
            ("a)|(b", "'a)|(b' is not a regular expression: unopened group"),
            ("[a", "'[a' is not a regular expression: unclosed character class"),
            ("(?x)a # b", "'(?x)a # b' is not a regular expression: unclosed group"),
            ("(a{1000}){1000}", "the regular expression '(a{1000}){1000}' is too large"),
        ] {
            assert_eq!(pattern.parse::<Pattern>().unwrap_err(), expected);
        }
    }
}
