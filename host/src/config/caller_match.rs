//! `match_caller`: whose pushes a policy is for.

use serde_json::Value;
use toml::Spanned;
use toml::de::DeValue;

use super::caller::{Caller, Fact};
use super::kind::{Kind as _, Refusal, list, text};
use super::network::Network;
use super::pattern::Pattern;
use super::section::Section;

/// The key.
const KEY: &str = "match_caller";

/// The callers whose attributes match in every way. Of an attribute that has several values one must match; one that is
/// not known is the empty string, as a label is that a push does not have.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct CallerMatch {
    matchers: Vec<Matcher>,
}

#[derive(Clone, Debug, PartialEq)]
struct Matcher {
    attribute: String,
    values: Values,
}

#[derive(Clone, Debug, PartialEq)]
enum Values {
    Pattern(Pattern),
    Networks(Vec<Network>),
}

impl CallerMatch {
    /// Whether it is for a caller of whom this is told.
    pub(super) fn covers(&self, attributes: &[(String, String)]) -> bool {
        self.matchers.iter().all(|matcher| {
            let of_the_name = attributes.iter().filter(|(name, _)| *name == matcher.attribute);
            let mut values = of_the_name.map(|(_, value)| value.as_str()).peekable();
            values.peek().is_none() && matcher.values.cover("")
                || values.any(|value| matcher.values.cover(value))
        })
    }

    /// The attributes, with what the operator wrote.
    pub(super) fn shown(&self) -> Value {
        let shown = |matcher: &Matcher| (matcher.attribute.clone(), matcher.values.shown());
        Value::Object(self.matchers.iter().map(shown).collect())
    }

    /// Reads the key: every key of its table is an attribute that `caller` tells.
    pub(super) fn read(policy: &mut Section<'_, '_>, caller: &Caller) -> Self {
        let mut matchers = Vec::new();
        let Some((table, _)) = policy.table(KEY) else { return Self::default() };
        for (name, value) in table.iter() {
            let read =
                caller.find(name.get_ref()).map_err(|message| Refusal { at: name.span().start, message });
            match read.and_then(|attribute| Ok((attribute, Values::read(&attribute.fact, value)?))) {
                Ok((attribute, values)) => {
                    matchers.push(Matcher { attribute: attribute.as_str().to_owned(), values });
                }
                Err(refusal) => policy.refuse(&format!("{KEY} {}", name.get_ref()), refusal),
            }
        }
        Self { matchers }
    }
}

impl Values {
    fn read(fact: &Fact, value: &Spanned<DeValue<'_>>) -> Result<Self, Refusal> {
        let network = || text("a network such as \"10.0.0.0/8\"", str::parse);
        match (fact, value.get_ref()) {
            (Fact::Address, DeValue::Array(_)) => list(network()).read(value).map(Self::Networks),
            (Fact::Address, _) => network().read(value).map(|network| Self::Networks(vec![network])),
            _ => text(Pattern::EXAMPLE, str::parse).read(value).map(Self::Pattern),
        }
    }

    fn cover(&self, value: &str) -> bool {
        match self {
            Self::Pattern(pattern) => pattern.is_match(value),
            Self::Networks(networks) => {
                value.parse().is_ok_and(|address| networks.iter().any(|network| network.contains(address)))
            }
        }
    }

    fn shown(&self) -> Value {
        match self {
            Self::Pattern(pattern) => pattern.as_str().into(),
            Self::Networks(networks) => networks.iter().map(ToString::to_string).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::Config;

    const ALL: &str = "'user', 'tls-san', 'network', 'header:x-team'";

    fn examine(told: &str, of: &str) -> (Config, String) {
        let text = format!(
            "[caller]\nattributes = [{told}]\n[[plugin]]\nname = 'a'\nsource = 'a.wasm'\nmatch_caller = {of}\n"
        );
        let (config, problems) = Config::examine(&text, Path::new("c.toml"));
        (config, problems.to_string())
    }

    #[test]
    fn every_attribute_must_match_and_one_value_of_each() {
        for (of, attributes, expected) in [
            ("{}", &[][..], true),
            ("{ user = 'ci-.*' }", &[("user", "ci-1")], true),
            ("{ user = 'ci-.*' }", &[("user", "a-ci-1")], false),
            ("{ user = 'ci-.*' }", &[("header:x-team", "ci-1")], false),
            ("{ user = 'ci-.*' }", &[], false),
            ("{ user = '' }", &[], true),
            ("{ user = '' }", &[("user", "ci-1")], false),
            ("{ user = 'ci|' }", &[], true),
            ("{ user = '.*' }", &[], true),
            ("{ tls-san = 'a' }", &[("tls-san", "b"), ("tls-san", "a")], true),
            ("{ tls-san = 'a' }", &[("tls-san", "b"), ("tls-san", "c")], false),
            ("{ tls-san = '' }", &[("tls-san", "b")], false),
            ("{ 'header:x-team' = 'a', user = 'b' }", &[("header:x-team", "a"), ("user", "b")], true),
            ("{ 'header:x-team' = 'a', user = 'b' }", &[("header:x-team", "a")], false),
            ("{ network = '10.0.0.0/8' }", &[("network", "10.1.2.3")], true),
            ("{ network = ['10.0.0.0/8', 'fd00::/8'] }", &[("network", "fd00::1")], true),
            ("{ network = ['10.0.0.0/8', 'fd00::/8'] }", &[("network", "11.0.0.1")], false),
            ("{ network = '0.0.0.0/0' }", &[], false),
        ] {
            let (config, problems) = examine(ALL, of);
            assert_eq!(problems, "", "{of}");
            let attributes: Vec<_> =
                attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            assert_eq!(config.chain[0].scope.callers.covers(&attributes), expected, "{of} {attributes:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_mend() {
        for (told, of, expected) in [
            (
                "",
                "{ user = 'a' }",
                "user: it is not told of callers; write attributes = [\"user\"] below [caller]",
            ),
            (
                "'network'",
                "{ 'header:x-team' = 'a' }",
                "header:x-team: it is not told of callers; write attributes = [\"network\", \"header:x-team\"] below [caller]",
            ),
            (
                ALL,
                "{ job = 'a' }",
                "job: 'job' is no attribute of a caller; allowed: user, token, tls-san, network, header:<name>",
            ),
            ("", "{ 'header:cookie' = 'a' }", "header:cookie: 'cookie' is a secret, which no plugin is told"),
            (ALL, "{ user = '[' }", "user: '[' is not a regular expression: unclosed character class"),
            (
                ALL,
                "{ network = ['ten'] }",
                "network: 'ten' is not a network such as '10.0.0.0/8' or 'fd00::/8'",
            ),
            (ALL, "{ network = [] }", "network: the list is empty; at least one element is needed"),
        ] {
            let (config, problems) = examine(told, of);
            assert_eq!(problems, format!("c.toml:6: [[plugin]] 'a' match_caller {expected}"), "{of}");
            assert_eq!(config.chain.len(), 1);
        }
    }
}
