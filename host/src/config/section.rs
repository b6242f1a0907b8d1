//! Reads the tables of a configuration file key by key, and remembers every problem on the way.
//!
//! serde would stop at the first error and knows no lines for values that are of the right type but
//! out of bounds. Here a key is declared where it is read (its name, its kind, where the value goes), so
//! the list of allowed keys in a message cannot differ from what is read.

use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::kind::{self, Kind, Refusal};
use super::problem::Problems;

/// The file's text with the problems found so far.
pub(super) struct Findings<'d> {
    text: &'d str,
    problems: Problems,
}

impl<'d> Findings<'d> {
    pub(super) fn new(text: &'d str, file: &Path) -> Self {
        Self { text, problems: Problems::of(file) }
    }

    /// The line, from 1, that a byte offset stands in.
    pub(super) fn line(&self, offset: usize) -> usize {
        line_at(self.text, offset)
    }

    pub(super) fn add(&mut self, offset: usize, place: impl Into<String>, message: impl Into<String>) {
        let line = self.line(offset);
        self.problems.add(Some(line), place, message);
    }

    pub(super) fn into_problems(self) -> Problems {
        self.problems
    }
}

/// The line of a text, from 1, that a byte offset stands in.
pub(super) fn line_at(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

/// One table that is being read. What is not asked for until [`Section::finish`] is an unknown key.
pub(super) struct Section<'s, 'd> {
    findings: &'s mut Findings<'d>,
    /// What precedes a key in messages: `[web]`; empty for the file itself.
    place: String,
    /// Where the table begins; a missing key is reported here.
    offset: usize,
    table: &'s DeTable<'d>,
    known: Vec<&'static str>,
}

impl<'s, 'd> Section<'s, 'd> {
    pub(super) fn new(
        findings: &'s mut Findings<'d>,
        place: impl Into<String>,
        offset: usize,
        table: &'s DeTable<'d>,
    ) -> Self {
        Self { findings, place: place.into(), offset, table, known: Vec::new() }
    }

    /// Reads a key into `target`, which keeps its default when the key is absent or its value illegal.
    pub(super) fn key<K: Kind>(&mut self, name: &'static str, kind: &K, target: &mut K::Value) {
        if let Some(value) = self.optional(name, kind) {
            *target = value;
        }
    }

    /// Reads a key that may be absent and then means something of its own.
    pub(super) fn optional<K: Kind>(&mut self, name: &'static str, kind: &K) -> Option<K::Value> {
        let value = self.take(name)?;
        match kind.read(value) {
            Ok(value) => Some(value),
            Err(refusal) => {
                self.refuse(name, refusal);
                None
            }
        }
    }

    /// Reads a key that must be there.
    pub(super) fn required<K: Kind>(&mut self, name: &'static str, kind: &K) -> Option<K::Value> {
        if self.table.get(name).is_none() {
            self.findings.add(self.offset, self.place.clone(), format!("needs a key '{name}'"));
        }
        self.optional(name, kind)
    }

    /// The value of a key as it stands in the file, for readers that look into it themselves.
    pub(super) fn take(&mut self, name: &'static str) -> Option<&'s Spanned<DeValue<'d>>> {
        self.known.push(name);
        self.table.get(name)
    }

    /// The table at `name`; `None` when it is absent or something else, which is then a problem.
    pub(super) fn table(&mut self, name: &'static str) -> Option<(&'s DeTable<'d>, usize)> {
        let value = self.take(name)?;
        match value.get_ref() {
            DeValue::Table(table) => Some((table, value.span().start)),
            _ => {
                self.refuse(name, kind::wrong_type(value, "a table", "write { key = value }"));
                None
            }
        }
    }

    /// Reads the subsection `[name]` with `read`, which is called for an empty table when there is
    /// none, so that the keys of every section are declared whether or not the file has it.
    pub(super) fn section(&mut self, name: &'static str, read: impl FnOnce(&mut Section<'_, 'd>)) {
        let nothing = DeTable::new();
        let (table, offset) = self.table(name).unwrap_or((&nothing, self.offset));
        let mut section = Section::new(self.findings, format!("[{name}]"), offset, table);
        read(&mut section);
        section.finish();
    }

    pub(super) fn refuse(&mut self, name: &str, refusal: Refusal) {
        let place = self.place_of(name);
        self.findings.add(refusal.at, place, refusal.message);
    }

    /// The place of a key in messages.
    pub(super) fn place_of(&self, name: &str) -> String {
        if self.place.is_empty() { name.to_owned() } else { format!("{} {name}", self.place) }
    }

    pub(super) fn rename(&mut self, place: String) {
        self.place = place;
    }

    pub(super) fn findings(&mut self) -> &mut Findings<'d> {
        self.findings
    }

    /// Where a key stands; where the table begins, when it is not there.
    pub(super) fn offset_of(&self, name: &str) -> usize {
        self.table.get_key_value(name).map_or(self.offset, |(key, _)| key.span().start)
    }

    /// The line that the table begins in.
    pub(super) fn line(&self) -> usize {
        self.findings.line(self.offset)
    }

    /// The line of a key, when it is there.
    pub(super) fn line_of(&self, name: &str) -> Option<usize> {
        let (key, _) = self.table.get_key_value(name)?;
        Some(self.findings.line(key.span().start))
    }

    /// Reports the keys that nobody asked for.
    pub(super) fn finish(mut self) {
        self.known.sort_unstable();
        let table = self.table;
        for (key, _) in table.iter().filter(|(key, _)| !self.known.contains(&key.get_ref().as_ref())) {
            let mut message = "unknown key; ".to_owned();
            if let Some(near) = nearest(key.get_ref(), &self.known) {
                message.push_str(&format!("did you mean '{near}'? "));
            }
            message.push_str(&format!("allowed: {}", self.known.join(", ")));
            let place = self.place_of(key.get_ref());
            self.findings.add(key.span().start, place, message);
        }
    }
}

/// The known word that `word` is most likely a misspelling of, if any is near enough: one edit for
/// every three letters.
fn nearest<'w>(word: &str, known: &[&'w str]) -> Option<&'w str> {
    let word = word.to_ascii_lowercase().replace('-', "_");
    let allowed = (word.chars().count() / 3).max(1);
    let distances = known.iter().map(|candidate| (edits(&word, candidate), *candidate));
    distances.filter(|(edits, _)| *edits <= allowed).min().map(|(_, candidate)| candidate)
}

/// Levenshtein distance. Keys are short; a word of any length costs at most its own length times that
/// of a known key.
fn edits(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.chars().count()).collect();
    for (line, a) in from.chars().enumerate() {
        let mut diagonal = line;
        let mut left = line + 1;
        for (cell, b) in row.iter_mut().skip(1).zip(to.chars()) {
            let replaced = diagonal + usize::from(a != b);
            diagonal = *cell;
            left = replaced.min(left + 1).min(diagonal + 1);
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = line + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_key_is_recognised() {
        let known = ["body_timeout", "header_timeout", "listen_address", "max_body"];
        for (word, expected) in [
            ("listen_adress", Some("listen_address")),
            ("listen-address", Some("listen_address")),
            ("ListenAddress", Some("listen_address")),
            ("max_bdy", Some("max_body")),
            ("body_timeouts", Some("body_timeout")),
            ("timeout", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, &known), expected, "{word}");
        }
    }

    #[test]
    fn edits_are_counted() {
        for (from, to, expected) in [
            ("", "", 0),
            ("a", "", 1),
            ("", "abc", 3),
            ("kitten", "sitting", 3),
            ("mode", "mdoe", 2),
            ("ä", "a", 1),
        ] {
            assert_eq!(edits(from, to), expected, "{from} {to}");
        }
    }

    #[test]
    fn every_problem_of_a_section_is_found_with_its_line() {
        let text = "[web]\nlisten = 1\nmax = 99\n\n[push]\n";
        let document = DeTable::parse(text).unwrap();
        let mut findings = Findings::new(text, Path::new("c.toml"));
        let mut root = Section::new(&mut findings, "", 0, document.get_ref());
        let mut max = 5;
        root.section("web", |web| {
            web.key("max", &kind::whole(1..=9), &mut max);
            assert_eq!(web.required("name", &kind::whole(1..=9)), None);
        });
        root.section("log", |log| assert_eq!(log.line_of("level"), None));
        root.finish();
        assert_eq!(max, 5, "an illegal value leaves the default");
        assert_eq!(
            findings.into_problems().to_string(),
            "c.toml:1: [web]: needs a key 'name'\n\
             c.toml:2: [web] listen: unknown key; allowed: max, name\n\
             c.toml:3: [web] max: 99 is out of bounds; allowed: 1 to 9\n\
             c.toml:5: push: unknown key; allowed: log, web"
        );
    }
}
