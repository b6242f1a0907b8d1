//! What can be wrong with a web configuration file.

use std::path::{Path, PathBuf};

/// Why a web configuration cannot be used. Shown, it names the file, the line, the key and the mend.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{}{problem}", .file.display())]
pub struct Error {
    file: PathBuf,
    problem: Problem,
}

impl Error {
    pub(crate) fn new(file: &Path, problem: Problem) -> Self {
        Self { file: file.to_owned(), problem }
    }
}

/// A problem in the file at hand. Its message must not repeat a value that may be secret.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{}: {}{message}", Line(*.line), Key(.key))]
pub struct Problem {
    line: Option<usize>,
    /// The whole way to the key, as in `tls_server_config.cert_file`; empty for the file itself.
    key: String,
    message: String,
}

impl Problem {
    pub(crate) fn of_file(message: impl Into<String>) -> Self {
        Self { line: None, key: String::new(), message: message.into() }
    }

    pub(crate) fn at(line: usize, key: impl Into<String>, message: impl Into<String>) -> Self {
        Self { line: Some(line), key: key.into(), message: message.into() }
    }
}

struct Line(Option<usize>);

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.map_or(Ok(()), |line| write!(f, ":{line}"))
    }
}

struct Key<'k>(&'k str);

impl std::fmt::Display for Key<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, "{}: ", self.0) }
    }
}
