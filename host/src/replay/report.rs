//! What a replay tells: each push of which something else would become, and how many there are.

use std::io::Write;
use std::num::NonZero;
use std::path::Path;
use std::time::SystemTime;

use pushgate_capture::{End, Outcome, ReadError};
use serde_json::{Value, json};

use super::change::Change;
use super::codes;
use crate::ingest::Method;
use crate::telemetry::rfc3339_nano;

/// How it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// For people.
    Text,
    /// For machines: an object a line, the summary last.
    Json,
}

/// What came of a replay.
#[derive(Debug, Default)]
pub struct Summary {
    /// Pushes that were replayed.
    pub pushes: u64,
    /// Those of which something else would become, by what that is.
    pub changes: [(&'static str, u64); 5],
    /// What could not be read at the end of a capture.
    pub left_out: Vec<String>,
    /// Fuel of each policy on the pushes where it was captured: its name, what that was, and what it is now.
    fuel: Vec<(String, u64, u64)>,
}

impl Summary {
    /// Whether something else would become of a push.
    pub fn has_changes(&self) -> bool {
        self.changes.iter().any(|(_, count)| *count > 0)
    }
}

/// A push that was replayed.
pub(super) struct Replayed {
    pub(super) id: String,
    pub(super) at: SystemTime,
    pub(super) method: Method,
    pub(super) group: String,
    pub(super) before: Outcome,
    /// Or why it cannot be read.
    pub(super) after: Result<Outcome, String>,
    pub(super) change: Change,
}

/// Tells as it goes.
pub(super) struct Report<'o> {
    form: Form,
    out: &'o mut dyn Write,
    summary: Summary,
}

impl<'o> Report<'o> {
    pub(super) fn new(form: Form, out: &'o mut dyn Write) -> Self {
        let changes =
            ["newly rejected", "newly accepted", "newly failing", "other findings", "edited differently"];
        let summary = Summary { changes: changes.map(|change| (change, 0)), ..Summary::default() };
        Self { form, out, summary }
    }

    pub(super) fn left_out(&mut self, path: &Path, error: &ReadError) {
        self.summary.left_out.push(format!("'{}': {error}, and left out", path.display()));
    }

    pub(super) fn tell(&mut self, push: &Replayed) -> anyhow::Result<()> {
        let summary = &mut self.summary;
        summary.pushes += 1;
        let change = push.change.as_str();
        summary.changes.iter_mut().filter(|(other, _)| *other == change).for_each(|(_, count)| *count += 1);
        for after in push.after.iter().flat_map(|outcome| &outcome.policies) {
            let before = push.before.policies.iter().find(|before| before.name == after.name);
            // What was remembered was not measured.
            let Some(measured) = before.map_or(Some(0), |before| NonZero::new(before.fuel).map(NonZero::get))
            else {
                continue;
            };
            let (_, before, now) = summary.fuel_of(&after.name);
            *before = before.saturating_add(measured);
            *now = now.saturating_add(after.fuel);
        }
        if push.change == Change::Same {
            return Ok(());
        }
        match self.form {
            Form::Text => self.out.write_all(printable(&push.text()).as_bytes())?,
            Form::Json => writeln!(self.out, "{}", push.json())?,
        }
        Ok(())
    }

    pub(super) fn end(self) -> anyhow::Result<Summary> {
        match self.form {
            Form::Text => self.out.write_all(printable(&self.summary.text()).as_bytes())?,
            Form::Json => writeln!(self.out, "{}", self.summary.json())?,
        }
        self.out.flush()?;
        Ok(self.summary)
    }
}

impl Replayed {
    fn text(&self) -> String {
        let Self { id, group, .. } = self;
        let time = rfc3339_nano(self.at);
        let mut text =
            format!("{} {group} at {time}, id {id}: {}\n", method(self.method), self.change.as_str());
        text += &format!("  before: {}\n", told(&self.before));
        match &self.after {
            Ok(after) => text += &format!("  after:  {}\n", told(after)),
            Err(reason) => text += &format!("  after:  cannot be read: {reason}\n"),
        }
        if let Change::Edits(edits) = &self.change {
            edits.lines.iter().for_each(|line| text += &format!("    {line}\n"));
            if edits.more > 0 {
                text += &format!("    and {} lines more\n", edits.more);
            }
        }
        text + "\n"
    }

    fn json(&self) -> Value {
        let outcome = |outcome: &Outcome| json!({ "end": end(outcome.end), "codes": codes(outcome) });
        let mut value = json!({
            "id": self.id,
            "time": rfc3339_nano(self.at),
            "method": method(self.method),
            "group": self.group,
            "change": self.change.as_str(),
            "before": outcome(&self.before),
            "after": match &self.after {
                Ok(after) => outcome(after),
                Err(reason) => json!({ "end": "cannot be read", "reason": reason }),
            },
        });
        if let Change::Edits(edits) = &self.change {
            value["lines"] = json!(edits.lines);
            value["more_lines"] = json!(edits.more);
        }
        value
    }
}

impl Summary {
    fn fuel_of(&mut self, policy: &str) -> &mut (String, u64, u64) {
        let at = self.fuel.iter().position(|(name, ..)| name == policy).unwrap_or_else(|| {
            self.fuel.push((policy.to_owned(), 0, 0));
            self.fuel.len() - 1
        });
        &mut self.fuel[at]
    }

    fn same(&self) -> u64 {
        self.pushes - self.changes.iter().map(|(_, count)| count).sum::<u64>()
    }

    fn text(&self) -> String {
        let mut text = format!("{} pushes, {} the same", self.pushes, self.same());
        self.changes.iter().for_each(|(change, count)| text += &format!(", {count} {change}"));
        text.push('\n');
        if !self.fuel.is_empty() {
            text += &format!("{:<24} {:>16} {:>16}\n", "fuel", "before", "after");
        }
        for (policy, before, after) in &self.fuel {
            text += &format!("{policy:<24} {before:>16} {after:>16}\n");
        }
        text
    }

    fn json(&self) -> Value {
        let members = |members: Vec<(&str, Value)>| -> Value {
            members
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect::<serde_json::Map<_, _>>()
                .into()
        };
        let changes = self.changes.iter().map(|(change, count)| (*change, json!(count)));
        let fuel = self
            .fuel
            .iter()
            .map(|(policy, before, after)| (policy.as_str(), json!({ "before": before, "after": after })));
        json!({ "summary": {
            "pushes": self.pushes,
            "same": self.same(),
            "changes": members(changes.collect()),
            "fuel": members(fuel.collect()),
        }})
    }
}

/// What was pushed comes from outside: nothing of it may steer a terminal.
fn printable(text: &str) -> String {
    let is_control = |character: char| character.is_control() && character != '\n';
    let escaped = |character: char| {
        if is_control(character) { character.escape_default().collect() } else { String::from(character) }
    };
    if text.contains(is_control) { text.chars().map(escaped).collect() } else { text.to_owned() }
}

/// An outcome in a line.
fn told(outcome: &Outcome) -> String {
    let codes = codes(outcome).join(", ");
    let edited = if outcome.edited.is_some() { " with edits" } else { "" };
    let separator = if codes.is_empty() { "" } else { ": " };
    format!("{}{edited}{separator}{codes}", end(outcome.end))
}

fn end(end: End) -> &'static str {
    match end {
        End::Accepted => "accepted",
        End::Rejected => "rejected",
        End::Fault => "fault of a plugin",
        End::Busy => "no instance was free",
    }
}

fn method(method: Method) -> &'static str {
    match method {
        Method::Put => "PUT",
        Method::Post => "POST",
        Method::Delete => "DELETE",
    }
}
