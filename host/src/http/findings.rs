//! How findings of policies are told to whoever pushed: one line each, or JSON.

use serde_json::{Map, Value};

use crate::ingest::PolicyFinding;

/// One line a finding: `naming: naming/counter-suffix: requests: a counter ends in _total; ...`.
pub(super) fn lines(findings: &[PolicyFinding]) -> String {
    let mut text = String::new();
    for finding in findings {
        let place = finding.series.as_deref().or(finding.metric.as_deref());
        let parts = [Some(finding.plugin.as_str()), Some(&finding.code), place, Some(&finding.message)];
        for (index, part) in parts.into_iter().flatten().enumerate() {
            if index > 0 {
                text.push_str(": ");
            }
            push_on_one_line(&mut text, part);
        }
        text.push('\n');
    }
    text
}

/// The findings as members of a JSON answer; what a finding does not name is left out.
pub(super) fn json(findings: &[PolicyFinding]) -> Value {
    let one = |finding: &PolicyFinding| {
        let members = [
            ("plugin", Some(&finding.plugin)),
            ("code", Some(&finding.code)),
            ("metric", finding.metric.as_ref()),
            ("series", finding.series.as_ref()),
            ("label", finding.label.as_ref()),
            ("message", Some(&finding.message)),
        ];
        let given = members.into_iter().filter_map(|(name, value)| Some((name, value?)));
        Value::Object(
            given.map(|(name, value)| (name.to_owned(), Value::from(value.as_str()))).collect::<Map<_, _>>(),
        )
    };
    findings.iter().map(one).collect()
}

/// A plugin's words come from outside: a line feed in them would forge a further finding.
fn push_on_one_line(text: &mut String, part: &str) {
    for character in part.chars() {
        if character.is_control() {
            text.extend(character.escape_default());
        } else {
            text.push(character);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn finding(
        metric: Option<&str>,
        series: Option<&str>,
        label: Option<&str>,
        message: &str,
    ) -> PolicyFinding {
        PolicyFinding {
            plugin: "naming".to_owned(),
            code: "naming/x".to_owned(),
            metric: metric.map(str::to_owned),
            series: series.map(str::to_owned),
            label: label.map(str::to_owned),
            message: message.to_owned(),
        }
    }

    #[test]
    fn a_finding_is_one_line() {
        let findings = [
            finding(Some("m"), None, None, "rename it"),
            finding(Some("m"), Some("m{a=\"1\"}"), Some("a"), "drop it"),
            finding(None, None, None, "not\nat\u{7f} all"),
        ];
        assert_eq!(
            lines(&findings),
            "naming: naming/x: m: rename it\n\
             naming: naming/x: m{a=\"1\"}: drop it\n\
             naming: naming/x: not\\nat\\u{7f} all\n"
        );
    }

    #[test]
    fn json_has_what_the_finding_names() {
        let findings = [finding(None, None, None, "a"), finding(Some("m"), Some("s"), Some("l"), "b\n")];
        assert_eq!(
            json(&findings),
            json!([
                {"plugin": "naming", "code": "naming/x", "message": "a"},
                {"plugin": "naming", "code": "naming/x", "metric": "m", "series": "s", "label": "l", "message": "b\n"},
            ])
        );
    }
}
