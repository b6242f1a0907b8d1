//! `shadow_of`: what a candidate for another plugin's place may be a shadow of, and which keys it cannot have.

use toml::de::{DeArray, DeTable, DeValue};

use super::section::Findings;

const SAME_PUSHES: &str =
    "a shadow is asked about the pushes of the plugin that it is a shadow of; leave it out";

/// Keys that a shadow has from the plugin whose place it wants: it sees the same pushes, and does nothing to them.
const OF_THE_OTHER: [(&str, &str); 5] = [
    ("mode", "a shadow changes nothing, whatever its mode; leave it out"),
    ("fail", "a push does not depend on a shadow, whether it fails or not; leave it out"),
    ("match", SAME_PUSHES),
    ("match_methods", SAME_PUSHES),
    ("match_caller", SAME_PUSHES),
];

/// Looks at the entries of `[[plugin]]` side by side.
pub(super) fn check(entries: &DeArray<'_>, findings: &mut Findings<'_>) {
    let tables = || entries.iter().filter_map(|entry| entry.get_ref().as_table());
    for table in tables() {
        let (Some(name), Some(other)) = (text(table, "name"), text(table, "shadow_of")) else { continue };
        let target = tables().find(|table| text(table, "name") == Some(other));
        let problem = match target {
            _ if other == name => Some("a plugin cannot be a shadow of itself".to_owned()),
            None => Some(format!("there is no plugin '{other}'")),
            Some(target) if target.contains_key("shadow_of") => {
                Some(format!("'{other}' is a shadow as well; name the plugin that decides"))
            }
            Some(_) => None,
        };
        let mut refuse = |key: &str, message: String| {
            if let Some((key, _)) = table.get_key_value(key) {
                let place = format!("[[plugin]] '{name}' {}", key.get_ref());
                findings.add(key.span().start, place, message);
            }
        };
        for (key, message) in OF_THE_OTHER {
            refuse(key, message.to_owned());
        }
        if let Some(message) = problem {
            refuse("shadow_of", message);
        }
    }
}

fn text<'t>(table: &'t DeTable<'_>, key: &str) -> Option<&'t str> {
    match table.get(key)?.get_ref() {
        DeValue::String(text) => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::Config;

    #[track_caller]
    fn check(entries: &[&str], expected: &[&str]) {
        let entry = |entry: &&str| format!("[[plugin]]\nsource = 'x'\n{entry}\n");
        let text: String = entries.iter().map(entry).collect();
        let (config, problems) = Config::examine(&text, Path::new("c.toml"));
        let problems: Vec<_> =
            problems.iter().map(|problem| format!("{}: {}", problem.place, problem.message)).collect();
        assert_eq!(problems, expected, "{text}");
        assert_eq!(config.chain.len(), entries.len());
    }

    #[test]
    fn a_shadow_names_a_plugin_that_decides() {
        check(&["name = 'a'", "name = 'b'\nshadow_of = 'a'", "name = 'c'\nshadow_of = 'a'"], &[]);
        check(&["name = 'b'\nshadow_of = 'a'", "name = 'a'"], &[]);
        check(
            &["name = 'a'\nshadow_of = 'a'"],
            &["[[plugin]] 'a' shadow_of: a plugin cannot be a shadow of itself"],
        );
        check(&["name = 'a'\nshadow_of = 'b'"], &["[[plugin]] 'a' shadow_of: there is no plugin 'b'"]);
        check(
            &["name = 'a'", "name = 'b'\nshadow_of = 'a'", "name = 'c'\nshadow_of = 'b'"],
            &["[[plugin]] 'c' shadow_of: 'b' is a shadow as well; name the plugin that decides"],
        );
    }

    #[test]
    fn what_a_shadow_has_from_the_other_it_cannot_have_itself() {
        check(
            &[
                "name = 'a'",
                "name = 'b'\nshadow_of = 'a'\nmode = 'enforce'\nfail = 'open'\nmatch = { job = 'x' }\nmatch_methods = ['PUT']\nmatch_caller = {}",
            ],
            &[
                "[[plugin]] 'b' mode: a shadow changes nothing, whatever its mode; leave it out",
                "[[plugin]] 'b' fail: a push does not depend on a shadow, whether it fails or not; leave it out",
                "[[plugin]] 'b' match: a shadow is asked about the pushes of the plugin that it is a shadow of; leave it out",
                "[[plugin]] 'b' match_methods: a shadow is asked about the pushes of the plugin that it is a shadow of; leave it out",
                "[[plugin]] 'b' match_caller: a shadow is asked about the pushes of the plugin that it is a shadow of; leave it out",
            ],
        );
    }
}
