//! Which pushes a policy is for: regular expressions on grouping labels.

use std::fmt;

use regex::{Regex, RegexBuilder};
use toml::Spanned;
use toml::de::DeValue;

use super::kind;
use super::section::Section;

/// The largest program that a pattern may compile to. The default of the regex crate, ten times as
/// much, would let one line of a configuration take seconds to compile.
const PROGRAM_LIMIT: usize = 1 << 20;

/// The pushes that a policy is run for: those whose grouping labels match every pattern.
///
/// Patterns are anchored at both ends and `.` matches a newline, as in Prometheus. A grouping label that
/// a push does not have is the empty string, as in Prometheus, too.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scope {
    matchers: Vec<Matcher>,
}

#[derive(Clone)]
struct Matcher {
    label: String,
    /// As the operator wrote it, without the anchors.
    pattern: String,
    regex: Regex,
}

impl Scope {
    /// Whether the policy is for a push with these grouping labels; `value_of` answers for `job` as well.
    pub fn covers<'l>(&self, value_of: impl Fn(&str) -> Option<&'l str>) -> bool {
        self.matchers
            .iter()
            .all(|matcher| matcher.regex.is_match(value_of(&matcher.label).unwrap_or_default()))
    }

    /// Whether it covers every push.
    pub fn is_everything(&self) -> bool {
        self.matchers.is_empty()
    }

    /// The labels with their patterns, as the operator wrote them.
    pub fn patterns(&self) -> impl Iterator<Item = (&str, &str)> {
        self.matchers.iter().map(|matcher| (matcher.label.as_str(), matcher.pattern.as_str()))
    }

    /// Reads the key `match`: every key of its table is a grouping label of the operator's choosing.
    pub(super) fn read(policy: &mut Section<'_, '_>) -> Self {
        let mut scope = Self::default();
        let Some((table, _)) = policy.table("match") else {
            return scope;
        };
        for (label, pattern) in table.iter() {
            let place = policy.place_of(&format!("match {}", label.get_ref()));
            if !is_label_name(label.get_ref()) {
                let message = "not a label name; letters, digits and '_', and no leading '__'";
                policy.findings().add(label.span().start, place, message);
                continue;
            }
            match read_pattern(pattern) {
                Ok((pattern, regex)) => {
                    scope.matchers.push(Matcher { label: label.get_ref().to_string(), pattern, regex });
                }
                Err(refusal) => policy.findings().add(refusal.at, place, refusal.message),
            }
        }
        scope
    }
}

fn read_pattern(value: &Spanned<DeValue<'_>>) -> Result<(String, Regex), kind::Refusal> {
    use kind::Kind as _;
    let example = "a regular expression such as \"batch_.*\"";
    kind::text(example, |text| Ok((text.to_owned(), anchored(text)?))).read(value)
}

fn anchored(pattern: &str) -> Result<Regex, String> {
    let compile = |pattern: &str| RegexBuilder::new(pattern).size_limit(PROGRAM_LIMIT).build();
    // The pattern must be legal on its own: `a)|(b` would become so between the parentheses.
    compile(pattern).and_then(|_| compile(&format!("^(?s:{pattern})$"))).map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => format!("the regular expression '{pattern}' is too large"),
        error => {
            // The message draws the pattern over several lines; its last one says what is wrong.
            let message = error.to_string();
            let reason = message.lines().last().unwrap_or_default();
            let reason = reason.strip_prefix("error: ").unwrap_or(reason);
            format!("'{pattern}' is not a regular expression: {reason}")
        }
    })
}

fn is_label_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    let starts = bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_');
    starts && !name.starts_with("__") && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

impl PartialEq for Matcher {
    fn eq(&self, other: &Self) -> bool {
        (&self.label, &self.pattern) == (&other.label, &other.pattern)
    }
}

impl fmt::Debug for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {:?}", self.label, self.pattern)
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
            assert_eq!(anchored(pattern).unwrap().is_match(value), expected, "{pattern} {value:?}");
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
            assert_eq!(anchored(pattern).unwrap_err(), expected);
        }
    }

    #[test]
    fn every_pattern_must_match_and_an_absent_label_is_empty() {
        let matcher = |label: &str, pattern: &str| Matcher {
            label: label.to_owned(),
            pattern: pattern.to_owned(),
            regex: anchored(pattern).unwrap(),
        };
        let scope = Scope { matchers: vec![matcher("job", "batch_.*"), matcher("team", "|ops")] };
        assert!(scope.covers(|label| (label == "job").then_some("batch_1")));
        assert!(scope.covers(|label| if label == "job" { Some("batch_1") } else { Some("ops") }));
        assert!(!scope.covers(|label| if label == "job" { Some("batch_1") } else { Some("dev") }));
        assert!(!scope.covers(|_| None));
        assert!(Scope::default().covers(|_| None));
        assert!(Scope::default().is_everything() && !scope.is_everything());
    }

    #[test]
    fn label_names_are_those_of_prometheus() {
        for (name, expected) in [
            ("job", true),
            ("_a1", true),
            ("", false),
            ("1a", false),
            ("a-b", false),
            ("__a", false),
            ("ä", false),
        ] {
            assert_eq!(is_label_name(name), expected, "{name}");
        }
    }
}
