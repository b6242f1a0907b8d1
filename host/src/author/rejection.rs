//! `plugin explain ID`: why a push was rejected, as the gateway that it was sent to remembers.

use std::fmt::Write as _;
use std::io::{Read as _, Write};

use anyhow::Context as _;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Answer;
use crate::remote::GatewayUrl;

/// Bytes that are read of an answer: a gateway keeps far less of one push.
const MAX_ANSWER: u64 = 8 << 20;

/// What the API answers.
#[derive(Deserialize)]
struct Answered<T> {
    data: T,
}

/// Why a push was rejected. What another version of the gateway does not tell is empty.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Rejection {
    id: String,
    time: Option<String>,
    method: String,
    group: String,
    outcome: String,
    judgements: Vec<Judgement>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Judgement {
    plugin: String,
    version: String,
    mode: String,
    decision: String,
    fault: Option<String>,
    findings: Vec<Finding>,
    more_findings: u64,
    config: Option<Value>,
    group: String,
    push: Excerpt,
    edits: Vec<Edits>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Finding {
    code: String,
    metric: Option<String>,
    series: Option<String>,
    label: Option<String>,
    message: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Excerpt {
    text: String,
    series: u64,
    of: u64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Edits {
    plugin: String,
    changes: Vec<Change>,
    more: u64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Change {
    edit: String,
    name: String,
    to: Option<String>,
    value: Option<String>,
    series: u64,
}

/// What a policy is, as far as it is told here.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Policy {
    codes: Vec<Code>,
}

#[derive(Deserialize)]
struct Code {
    code: String,
    meaning: String,
}

/// Writes what a gateway knows of a push that a policy spoke against.
///
/// # Errors
/// When the gateway cannot be reached, or answers what it should not.
pub fn explain_rejection(gateway: &GatewayUrl, id: &str, out: &mut dyn Write) -> anyhow::Result<Answer> {
    let Some(rejection) = ask::<Rejection>(gateway, &format!("/api/v1/rejections/{id}"))? else {
        writeln!(
            out,
            "{gateway} keeps no rejection '{id}': [rejections] says how many are kept, and they are gone with the \
             process; the log has a line with the id"
        )?;
        return Ok(Answer::No);
    };
    let mut text = String::new();
    rejection.tell(&mut text);
    for judgement in &rejection.judgements {
        // Only for the meaning of its codes, which says more; the policy may be gone by now.
        let policy = ask::<Policy>(gateway, &format!("/api/v1/plugins/{}", judgement.plugin));
        judgement.tell(&policy.ok().flatten().unwrap_or_default().codes, &mut text);
    }
    out.write_all(text.as_bytes())?;
    Ok(Answer::Yes)
}

/// What the gateway answers at a path, if there is anything.
fn ask<T: DeserializeOwned>(gateway: &GatewayUrl, path: &str) -> anyhow::Result<Option<T>> {
    let Some(body) = gateway.find(path, "application/json")? else { return Ok(None) };
    let answered: Answered<T> = serde_json::from_reader(body.take(MAX_ANSWER))
        .with_context(|| format!("{gateway}{path} is not what a pushgate answers"))?;
    Ok(Some(answered.data))
}

impl Rejection {
    fn tell(&self, text: &mut String) {
        let time = self.time.as_deref().map(|time| format!(" at {}", line(time))).unwrap_or_default();
        let [method, group, outcome, id] =
            [&self.method, &self.group, &self.outcome, &self.id].map(|part| line(part));
        let _ = writeln!(text, "{method} {group}{time}: {outcome} (id {id})");
    }
}

impl Judgement {
    fn tell(&self, codes: &[Code], text: &mut String) {
        let [plugin, version, mode, decision] =
            [&self.plugin, &self.version, &self.mode, &self.decision].map(|part| line(part));
        let _ = writeln!(text, "\n{plugin} {version}, mode {mode}: {decision}");
        if let Some(fault) = &self.fault {
            let _ = writeln!(text, "  {}", line(fault));
        }
        for Finding { code, metric, series, label, message } in &self.findings {
            let place = series.as_ref().or(metric.as_ref()).map(|place| format!(" at {}", line(place)));
            let label = label.as_ref().map(|label| format!(", label {}", line(label)));
            let [place, label] = [place, label].map(Option::unwrap_or_default);
            let _ = writeln!(text, "  {}{place}{label}: {}", line(code), line(message));
        }
        more(self.more_findings, "findings", text);
        for Code { code, meaning } in codes {
            if self.findings.iter().any(|finding| finding.code == *code) {
                let _ = writeln!(text, "  {} means: {}", line(code), line(meaning));
            }
        }
        for Edits { plugin, changes, more: others } in &self.edits {
            let _ = writeln!(text, "\n{} had changed before", line(plugin));
            changes.iter().for_each(|change| change.tell(text));
            more(*others, "edits", text);
        }
        let Excerpt { text: pushed, series, of } = &self.push;
        let _ = writeln!(text, "\n{plugin} saw {}, {series} of {of} series", line(&self.group));
        block(pushed, text);
        if let Some(config) = &self.config {
            let _ = writeln!(text, "\n{plugin} is configured with");
            block(&format!("{config:#}"), text);
        }
    }
}

impl Change {
    fn tell(&self, text: &mut String) {
        let _ = write!(text, "  {} {}", line(&self.edit), line(&self.name));
        if let Some(to) = &self.to {
            let _ = write!(text, " to {}", line(to));
        }
        if let Some(value) = &self.value {
            let _ = write!(text, " = {value:?}");
        }
        let _ = match self.series {
            0 => writeln!(text),
            series => writeln!(text, ", {series} series"),
        };
    }
}

fn more(count: u64, of: &str, text: &mut String) {
    if count > 0 {
        let _ = writeln!(text, "  and {count} more {of}");
    }
}

/// Several lines, indented, so that none of them can pass for one of ours.
fn block(lines: &str, text: &mut String) {
    for one in lines.lines() {
        let _ = writeln!(text, "  {}", line(one));
    }
}

/// Somebody's words, for a terminal: they stay on their line and cannot command it.
fn line(words: &str) -> String {
    let mut shown = String::with_capacity(words.len());
    for character in words.chars() {
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(rejection: Value) -> String {
        let rejection: Rejection = serde_json::from_value(rejection).unwrap();
        let codes = [Code { code: "p/bad".to_owned(), meaning: "it is bad".to_owned() }];
        let mut text = String::new();
        rejection.tell(&mut text);
        rejection.judgements.iter().for_each(|judgement| judgement.tell(&codes, &mut text));
        text
    }

    #[test]
    fn everything_is_told() {
        let change = json!({"edit": "rename-label", "name": "a", "to": "b", "series": 2});
        let set = json!({"edit": "set-grouping-label", "name": "job", "value": "x\"", "series": 0});
        let finding =
            json!({"plugin": "p", "code": "p/bad", "series": "m{l=\"1\"}", "label": "l", "message": "no"});
        let text = told(json!({
            "id": "1", "time": "2026-11-25T21:30:27Z", "method": "PUT", "group": "{job=\"a\"}", "outcome": "refused",
            "judgements": [{
                "plugin": "p", "version": "1.0.0", "mode": "enforce", "decision": "rejected",
                "findings": [finding, {"code": "p/other", "message": "neither"}], "more_findings": 3,
                "config": {"limit": 1}, "group": "{job=\"x\"}",
                "push": {"text": "m{l=\"1\"} 1\n", "series": 1, "of": 9},
                "edits": [{"plugin": "before", "changes": [change, set], "more": 1}],
            }],
        }));
        let expected = r#"PUT {job="a"} at 2026-11-25T21:30:27Z: refused (id 1)

p 1.0.0, mode enforce: rejected
  p/bad at m{l="1"}, label l: no
  p/other: neither
  and 3 more findings
  p/bad means: it is bad

before had changed before
  rename-label a to b, 2 series
  set-grouping-label job = "x\""
  and 1 more edits

p saw {job="x"}, 1 of 9 series
  m{l="1"} 1

p is configured with
  {
    "limit": 1
  }
"#;
        assert_eq!(text, expected);
    }

    #[test]
    fn nobody_writes_more_than_their_own_line() {
        let text = told(json!({
            "group": "\u{1b}[2J", "judgements": [{
                "fault": "trap\nbefore had changed", "findings": [{"code": "c", "message": "a\nb\u{9b}1m"}],
                "push": {"text": "m 1\n\r\u{1b}[1m 2\n"},
            }],
        }));
        assert!(!text.chars().any(|character| character.is_control() && character != '\n'), "{text:?}");
        for part in ["\\u{1b}[2J", "  trap\\nbefore", "c: a\\nb\\u{9b}1m\n", "\n  \\r\\u{1b}[1m 2\n"] {
            assert!(text.contains(part), "{part:?} in {text:?}");
        }
    }
}
