//! What is wrong with a configuration: everything at once, each with its place and line.

use std::fmt;
use std::path::{Path, PathBuf};

/// One thing that is wrong, told so that it can be mended without the documentation at hand.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Problem {
    /// Line in the file, from 1. A problem of the file as a whole has none.
    pub line: Option<usize>,
    /// Section and key, such as `[web] listen_address` or `[[plugin]] 'naming' mode`; may be empty.
    pub place: String,
    /// What is wrong and what is allowed.
    pub message: String,
}

/// All problems of one configuration file, in the order of its lines.
///
/// [`Config::examine`](super::Config::examine) makes it, and whoever checks what the configuration
/// only names (plugin files, the configuration of a plugin) adds to it, so that the operator sees
/// everything in one go.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Problems {
    file: PathBuf,
    problems: Vec<Problem>,
}

impl Problems {
    /// No problems yet with `file`.
    pub fn of(file: &Path) -> Self {
        Self { file: file.to_owned(), problems: Vec::new() }
    }

    /// Adds one.
    pub fn add(&mut self, line: Option<usize>, place: impl Into<String>, message: impl Into<String>) {
        self.push(Problem { line, place: place.into(), message: message.into() });
    }

    /// Adds one that is made already.
    pub fn push(&mut self, problem: Problem) {
        let position = self.problems.partition_point(|other| other.line <= problem.line);
        self.problems.insert(position, problem);
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.problems.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.problems.len()
    }

    /// The problems, by line; those without a line come first.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.problems.iter()
    }

    /// `Ok` with the value when nothing is wrong, the problems otherwise.
    pub fn or<T>(self, value: T) -> Result<T, Self> {
        if self.is_empty() { Ok(value) } else { Err(self) }
    }
}

/// One line for each problem: `config.toml:12: [web] listen_adress: unknown key; ...`.
impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{}:", self.file.display())?;
            if let Some(line) = problem.line {
                write!(f, "{line}:")?;
            }
            if !problem.place.is_empty() {
                write!(f, " {}:", problem.place)?;
            }
            write!(f, " {}", problem.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_are_shown_by_line_whatever_the_order_they_were_found_in() {
        let mut problems = Problems::of(Path::new("config.toml"));
        assert!(problems.is_empty());
        problems.add(Some(7), "[log] level", "second");
        problems.add(Some(2), "", "first");
        problems.add(Some(7), "[log] format", "third");
        problems.add(None, "", "cannot be read");
        assert_eq!(problems.len(), 4);
        assert_eq!(
            problems.to_string(),
            "config.toml: cannot be read\n\
             config.toml:2: first\n\
             config.toml:7: [log] level: second\n\
             config.toml:7: [log] format: third"
        );
    }
}
