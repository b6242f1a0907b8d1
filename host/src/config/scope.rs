//! Which pushes a policy is for: by grouping labels, by method and by who sends them.

use pushgate_plugin_host::{Method, Request};
use serde_json::Value;

use super::caller::Caller;
use super::caller_match::CallerMatch;
use super::kind::{Kind as _, list, text};
use super::pattern::Pattern;
use super::section::Section;

/// All methods, in the order in which they are told.
const METHODS: [Method; 3] = [Method::Put, Method::Post, Method::Delete];

/// The pushes that a policy is run for: those whose grouping labels match every pattern, sent in one of these ways by one
/// of these callers.
///
/// A grouping label that a push does not have is the empty string, as in Prometheus.
#[derive(Clone, Debug, PartialEq)]
pub struct Scope {
    matchers: Vec<Matcher>,
    methods: Vec<Method>,
    pub(super) callers: CallerMatch,
}

#[derive(Clone, Debug, PartialEq)]
struct Matcher {
    label: String,
    pattern: Pattern,
}

impl Default for Scope {
    /// Every push.
    fn default() -> Self {
        Self { matchers: Vec::new(), methods: METHODS.to_vec(), callers: CallerMatch::default() }
    }
}

impl Scope {
    /// Whether the policy is for a push with these grouping labels; `value_of` answers for `job` as well.
    pub fn covers<'l>(&self, request: Request<'_>, value_of: impl Fn(&str) -> Option<&'l str>) -> bool {
        self.methods.contains(&request.method)
            && self.covers_group(value_of)
            && self.callers.covers(request.attributes)
    }

    /// Whether it is for pushes to a group with these labels, whoever sends them in whatever way.
    pub fn covers_group<'l>(&self, value_of: impl Fn(&str) -> Option<&'l str>) -> bool {
        self.matchers
            .iter()
            .all(|matcher| matcher.pattern.is_match(value_of(&matcher.label).unwrap_or_default()))
    }

    /// The keys that say it, with what the operator wrote.
    pub fn shown(&self) -> [(&'static str, Value); 3] {
        let pattern = |matcher: &Matcher| (matcher.label.clone(), matcher.pattern.as_str().into());
        [
            ("match", Value::Object(self.matchers.iter().map(pattern).collect())),
            ("match_methods", self.methods.iter().map(|method| method.as_str()).collect()),
            ("match_caller", self.callers.shown()),
        ]
    }

    /// Reads the keys of a policy. `caller` is what policies are told.
    pub(super) fn read(policy: &mut Section<'_, '_>, caller: &Caller) -> Self {
        let mut methods = METHODS.to_vec();
        policy.key("match_methods", &list(text("a method such as \"PUT\"", method)), &mut methods);
        methods.sort_unstable_by_key(|method| METHODS.iter().position(|other| other == method));
        Self { matchers: read_matchers(policy), methods, callers: CallerMatch::read(policy, caller) }
    }
}

/// Reads the key `match`: every key of its table is a grouping label of the operator's choosing.
fn read_matchers(policy: &mut Section<'_, '_>) -> Vec<Matcher> {
    let mut matchers = Vec::new();
    let Some((table, _)) = policy.table("match") else { return matchers };
    for (label, pattern) in table.iter() {
        let place = format!("match {}", label.get_ref());
        if !is_label_name(label.get_ref()) {
            let message = "not a label name; letters, digits and '_', and no leading '__'";
            let place = policy.place_of(&place);
            policy.findings().add(label.span().start, place, message);
            continue;
        }
        match text(Pattern::EXAMPLE, str::parse).read(pattern) {
            Ok(pattern) => matchers.push(Matcher { label: label.get_ref().to_string(), pattern }),
            Err(refusal) => policy.refuse(&place, refusal),
        }
    }
    matchers
}

fn method(text: &str) -> Result<Method, String> {
    let found = METHODS.into_iter().find(|method| method.as_str() == text);
    found.ok_or_else(|| format!("'{text}' is not a method of pushes; allowed: PUT, POST, DELETE"))
}

fn is_label_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    let starts = bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_');
    starts && !name.starts_with("__") && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;

    #[test]
    fn every_pattern_must_match_and_an_absent_label_is_empty() {
        let matcher = |label: &str, pattern: &str| Matcher {
            label: label.to_owned(),
            pattern: pattern.parse().unwrap(),
        };
        let matchers = vec![matcher("job", "batch_.*"), matcher("team", "|ops")];
        let scope = Scope { matchers, ..Scope::default() };
        assert!(scope.covers_group(|label| (label == "job").then_some("batch_1")));
        assert!(scope.covers_group(|label| if label == "job" { Some("batch_1") } else { Some("ops") }));
        assert!(!scope.covers_group(|label| if label == "job" { Some("batch_1") } else { Some("dev") }));
        assert!(!scope.covers_group(|_| None));
        assert!(Scope::default().covers_group(|_| None));
    }

    #[test]
    fn a_push_must_match_in_every_way() {
        let read = |keys: &str| {
            let text = format!(
                "[caller]\nattributes = ['user']\n[[plugin]]\nname = 'a'\nsource = 'a.wasm'\n{keys}\n"
            );
            let (config, problems) = Config::examine(&text, Path::new("c.toml"));
            (config.chain[0].scope.clone(), problems.to_string())
        };
        let ci = [("user".to_owned(), "ci".to_owned())];
        for (keys, expected) in [
            // As PUT, POST and DELETE by ci, and as PUT by nobody.
            ("", [true, true, true, true]),
            ("match_methods = ['PUT', 'POST']", [true, true, false, true]),
            ("match_methods = ['DELETE']", [false, false, true, false]),
            ("match_caller = { user = 'ci' }", [true, true, true, false]),
            ("match_methods = ['PUT']\nmatch_caller = { user = 'ci' }", [true, false, false, false]),
            ("match = { job = 'x' }", [false; 4]),
            ("match = { job = 'j' }\nmatch_methods = ['POST']", [false, true, false, false]),
        ] {
            let (scope, problems) = read(keys);
            assert_eq!(problems, "", "{keys}");
            let ways = METHODS.map(|method| (method, &ci[..])).into_iter().chain([(Method::Put, &[][..])]);
            for ((method, attributes), expected) in ways.zip(expected) {
                let request = Request { id: "", method, received_ms: 0, attributes };
                let covers = scope.covers(request, |label| (label == "job").then_some("j"));
                assert_eq!(covers, expected, "{keys} {request:?}");
            }
        }
        for (value, expected) in [
            ("['put']", "'put' is not a method of pushes; allowed: PUT, POST, DELETE"),
            ("[]", "the list is empty; at least one element is needed"),
            ("'PUT'", "expected a list, found a string; write it in square brackets"),
        ] {
            let expected = format!("c.toml:6: [[plugin]] 'a' match_methods: {expected}");
            assert_eq!(read(&format!("match_methods = {value}")).1, expected);
        }
        assert_eq!(read("match_methods = ['POST', 'PUT']").0, read("match_methods = ['PUT', 'POST']").0);
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
