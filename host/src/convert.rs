//! What others have written for Prometheus, as configuration of the plugins that do the same.

mod toml_text;

use std::fmt::Write as _;

use pushgate_web_config::yaml::{self, Entry, Node, Value};

use self::toml_text::quoted;

/// Why there is nothing to convert.
#[derive(Debug, thiserror::Error)]
pub enum ConvertError {
    /// It is no YAML, or not all of it is understood.
    #[error("line{0}")]
    Yaml(#[from] pushgate_web_config::Problem),
    /// There is a rule that is none.
    #[error("line {line}: {message}")]
    Rule {
        /// Where.
        line: usize,
        /// What is wrong, and what to do.
        message: String,
    },
    /// It has no rules.
    #[error("it has neither a list of rules nor the key 'metric_relabel_configs' or 'relabel_configs'")]
    NoRules,
}

/// Prints the relabelling rules in a text, which is a list of them, or a mapping that has such lists somewhere: a whole
/// `prometheus.yml` or one job of it. What the rules must be is checked by the plugin.
///
/// # Errors
/// When there are none, or one is written in a way that Prometheus does not know.
pub fn relabel(text: &str) -> Result<String, ConvertError> {
    let root = yaml::read(text)?;
    let mut lists = Vec::new();
    match &root.value {
        Value::List(nodes) if nodes.iter().all(is_rule) => lists.push((None, nodes)),
        _ => find(&root, None, &mut lists),
    }
    if lists.is_empty() {
        return Err(ConvertError::NoRules);
    }
    let mut out = String::new();
    for (origin, rules) in lists {
        if let Some(Origin { job, entry }) = origin {
            let job = job.map_or(String::new(), |job| format!(" of the job {job:?}"));
            let _ = writeln!(out, "# {}{job}, line {}", entry.key, entry.line);
            if entry.key == "relabel_configs" {
                out.push_str("# These are for targets: labels with __meta_ in front are not there when something is pushed.\n");
            }
            out.push('\n');
        }
        for node in rules {
            rule(node, &mut out)?;
        }
    }
    Ok(out)
}

/// Where a list of rules was found.
#[derive(Clone, Copy)]
struct Origin<'y> {
    job: Option<&'y str>,
    entry: &'y Entry,
}

/// Finds all lists of rules below a node.
fn find<'y>(node: &'y Node, job: Option<&'y str>, lists: &mut Vec<(Option<Origin<'y>>, &'y Vec<Node>)>) {
    match &node.value {
        Value::Map(entries) => {
            let own_job =
                entries.iter().find(|entry| entry.key == "job_name").and_then(|entry| text(&entry.node));
            let job = own_job.or(job);
            for entry in entries {
                match &entry.node.value {
                    Value::List(rules)
                        if matches!(entry.key.as_str(), "metric_relabel_configs" | "relabel_configs") =>
                    {
                        lists.push((Some(Origin { job, entry }), rules));
                    }
                    _ => find(&entry.node, job, lists),
                }
            }
        }
        Value::List(nodes) => nodes.iter().for_each(|node| find(node, job, lists)),
        Value::Null | Value::Scalar { .. } => {}
    }
}

const KEYS: [&str; 7] =
    ["source_labels", "separator", "regex", "modulus", "target_label", "replacement", "action"];

fn is_rule(node: &Node) -> bool {
    matches!(&node.value, Value::Map(entries) if entries.iter().any(|entry| KEYS.contains(&entry.key.as_str())))
}

fn rule(node: &Node, out: &mut String) -> Result<(), ConvertError> {
    let wrong = |line: usize, message: String| Err(ConvertError::Rule { line, message });
    let Value::Map(entries) = &node.value else {
        return wrong(node.line, "a rule is a mapping".to_owned());
    };
    out.push_str("[[plugin.config.rules]]\n");
    for Entry { key, line, node } in entries {
        if !KEYS.contains(&key.as_str()) {
            return wrong(*line, format!("'{key}' is no key of a rule; those are {}", KEYS.join(", ")));
        }
        let value = match (&node.value, key.as_str()) {
            // As if it were not there.
            (Value::Null, _) => continue,
            (Value::List(labels), "source_labels") => {
                let labels: Option<Vec<String>> =
                    labels.iter().map(|label| text(label).map(quoted)).collect();
                match labels {
                    Some(labels) => format!("[{}]", labels.join(", ")),
                    None => return wrong(*line, "'source_labels' is a list of names".to_owned()),
                }
            }
            (Value::Scalar { text, plain: true }, "modulus") => match modulus(text) {
                Some(modulus) => modulus.to_string(),
                None => {
                    return wrong(
                        *line,
                        format!("'modulus' is {text}; it must be a whole number of at most 2^63-1"),
                    );
                }
            },
            (Value::Scalar { text, .. }, key) if key != "source_labels" && key != "modulus" => quoted(text),
            _ => return wrong(*line, format!("'{key}' has a value of another kind than in Prometheus")),
        };
        let _ = writeln!(out, "{key} = {value}");
    }
    out.push('\n');
    Ok(())
}

fn text(node: &Node) -> Option<&str> {
    match &node.value {
        Value::Scalar { text, .. } => Some(text),
        _ => None,
    }
}

/// TOML has no greater numbers.
fn modulus(text: &str) -> Option<i64> {
    text.parse().ok().filter(|modulus| *modulus >= 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(yaml: &str, expected: &str) {
        let converted = relabel(yaml).unwrap_or_else(|error| format!("{error}"));
        assert_eq!(converted, expected, "{yaml}");
    }

    const ONE: &str = "[[plugin.config.rules]]\nregex = \"a\"\naction = \"labeldrop\"\n\n";

    #[test]
    fn rules_are_found_wherever_they_stand() {
        check("- regex: a\n  action: labeldrop\n", ONE);
        check("  - {regex: a, action: labeldrop}\n", ONE);
        check(
            "metric_relabel_configs:\n- regex: a\n  action: labeldrop\n",
            &format!("# metric_relabel_configs, line 1\n\n{ONE}"),
        );
        check(
            "global: {scrape_interval: 1s}\nscrape_configs:\n- job_name: nodes\n  static_configs: [{targets: ['a:1']}]\n  relabel_configs:\n  - regex: a\n    action: labeldrop\n- job_name: 7\n  metric_relabel_configs: [{regex: a, action: labeldrop}]\n",
            &format!(
                "# relabel_configs of the job \"nodes\", line 5\n# These are for targets: labels with __meta_ in front are not there when something is pushed.\n\n{ONE}# metric_relabel_configs of the job \"7\", line 9\n\n{ONE}"
            ),
        );
    }

    #[test]
    fn values_are_those_that_prometheus_reads() {
        check(
            "- source_labels: [__name__, 'a b']\n  separator: ''\n  regex: '(\\d+)\\.\"x'\n  target_label: \"t\\n\"\n  replacement: 017\n  modulus: 8\n  action: HashMod\n",
            "[[plugin.config.rules]]\nsource_labels = [\"__name__\", \"a b\"]\nseparator = \"\"\nregex = '(\\d+)\\.\"x'\ntarget_label = \"t\\n\"\nreplacement = \"017\"\nmodulus = 8\naction = \"HashMod\"\n\n",
        );
        check(
            "- source_labels:\n    - a\n  regex:\n  target_label: true\n",
            "[[plugin.config.rules]]\nsource_labels = [\"a\"]\ntarget_label = \"true\"\n\n",
        );
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        let none = "it has neither a list of rules nor the key 'metric_relabel_configs' or 'relabel_configs'";
        check("", none);
        check("- a\n", none);
        check("scrape_configs: []\n", none);
        check(
            "- regex: a\n  actoin: drop\n",
            "line 2: 'actoin' is no key of a rule; those are source_labels, separator, regex, modulus, target_label, replacement, action",
        );
        check("relabel_configs: [7]\n", "line 1: a rule is a mapping");
        check(
            "- source_labels: a\n",
            "line 1: 'source_labels' has a value of another kind than in Prometheus",
        );
        check("- source_labels: [[a]]\n", "line 1: 'source_labels' is a list of names");
        check("- regex: [a]\n", "line 1: 'regex' has a value of another kind than in Prometheus");
        check(
            "- modulus: 9223372036854775808\n",
            "line 1: 'modulus' is 9223372036854775808; it must be a whole number of at most 2^63-1",
        );
        check("- modulus: -1\n", "line 1: 'modulus' is -1; it must be a whole number of at most 2^63-1");
        check("- regex: &x a\n", "line:1: anchors and tags are not supported; write the plain value");
    }
}
