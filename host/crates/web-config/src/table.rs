//! Reads mappings key by key.
//!
//! A key is declared where it is read, so the list of allowed keys in a message cannot differ from what is read.

use std::time::Duration;

use crate::error::Problem;
use crate::names::go_duration;
use crate::yaml::{Entry, Node, Value};

/// One mapping that is being read. What is not asked for until [`Table::finish`] is an unknown key.
pub(crate) struct Table<'n> {
    /// The way to this mapping; empty for the file itself.
    place: String,
    entries: &'n [Entry],
    known: Vec<&'static str>,
}

/// The value of a key, which knows its way for messages.
pub(crate) struct Field<'n> {
    pub(crate) place: String,
    /// The line of the key, or of the item of a list.
    pub(crate) line: usize,
    pub(crate) node: &'n Node,
}

impl<'n> Table<'n> {
    pub(crate) fn root(node: &'n Node) -> Result<Self, Problem> {
        Field { place: String::new(), line: node.line, node }.table()
    }

    /// The value of `key`; nothing at all counts as absent.
    pub(crate) fn take(&mut self, key: &'static str) -> Option<Field<'n>> {
        self.known.push(key);
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        let present = !matches!(entry.node.value, Value::Null);
        present.then(|| self.field(entry))
    }

    /// All keys and values of a mapping whose keys are not fixed.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&'n str, Field<'n>)> {
        self.entries.iter().map(|entry| (entry.key.as_str(), self.field(entry)))
    }

    fn field(&self, entry: &'n Entry) -> Field<'n> {
        Field { place: join(&self.place, &entry.key), line: entry.line, node: &entry.node }
    }

    /// Refuses the first key that nobody asked for.
    pub(crate) fn finish(self) -> Result<(), Problem> {
        match self.entries.iter().find(|entry| !self.known.contains(&entry.key.as_str())) {
            None => Ok(()),
            Some(unknown) => Err(Problem::at(
                unknown.line,
                join(&self.place, &unknown.key),
                format!("unknown key; allowed: {}", self.known.join(", ")),
            )),
        }
    }
}

fn join(place: &str, key: &str) -> String {
    // Whatever somebody took for a key must not fill the log.
    let shown: String = key.chars().take(64).collect();
    if place.is_empty() { shown } else { format!("{place}.{shown}") }
}

impl<'n> Field<'n> {
    pub(crate) fn problem(&self, message: impl Into<String>) -> Problem {
        Problem::at(self.line, self.place.clone(), message)
    }

    pub(crate) fn table(self) -> Result<Table<'n>, Problem> {
        let entries: &[Entry] = match &self.node.value {
            Value::Map(entries) => entries,
            Value::Null => &[],
            _ => return Err(self.problem("must be a mapping; write 'key: value' lines")),
        };
        Ok(Table { place: self.place, entries, known: Vec::new() })
    }

    /// Text, whatever it looks like: `1234` is a fine file name.
    pub(crate) fn text(&self) -> Result<&'n str, Problem> {
        match &self.node.value {
            Value::Scalar { text, .. } => Ok(text),
            Value::Null => Ok(""),
            _ => Err(self.problem("must be text")),
        }
    }

    pub(crate) fn texts(&self) -> Result<Vec<Field<'n>>, Problem> {
        let Value::List(nodes) = &self.node.value else {
            return Err(self.problem("must be a list; write [first, second]"));
        };
        let fields: Vec<_> =
            nodes.iter().map(|node| Field { place: self.place.clone(), line: node.line, node }).collect();
        fields.iter().try_for_each(|field| field.text().map(drop))?;
        Ok(fields)
    }

    /// A boolean as YAML 1.1 writes it, which the original reads.
    pub(crate) fn flag(&self) -> Result<bool, Problem> {
        match self.plain() {
            Some("true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "y" | "Y" | "on" | "On" | "ON") => {
                Ok(true)
            }
            Some("false" | "False" | "FALSE" | "no" | "No" | "NO" | "n" | "N" | "off" | "Off" | "OFF") => {
                Ok(false)
            }
            _ => Err(self.problem("must be true or false, without quotes")),
        }
    }

    pub(crate) fn whole(&self) -> Result<u32, Problem> {
        let number = self.plain().and_then(|text| text.parse().ok());
        number.ok_or_else(|| self.problem("must be a whole number from 0 to 4294967295"))
    }

    pub(crate) fn duration(&self) -> Result<Duration, Problem> {
        let duration = match &self.node.value {
            Value::Scalar { text, .. } => go_duration(text),
            _ => None,
        };
        duration.ok_or_else(|| self.problem("must be a duration such as 1s, 500ms or 1m30s"))
    }

    fn plain(&self) -> Option<&'n str> {
        match &self.node.value {
            Value::Scalar { text, plain: true } => Some(text),
            _ => None,
        }
    }
}
