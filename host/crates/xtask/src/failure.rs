//! What a task says when it cannot go on.

use std::fmt::{self, Display};

/// The result of a task or of one of its steps.
pub type Result<T = ()> = std::result::Result<T, Failure>;

/// What went wrong and what to do about it, in words for the person at the terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure(String);

impl Failure {
    /// A failure with this message.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

/// Says what was being done when an operating system call failed.
pub(crate) trait Context<T> {
    /// Puts `what()` in front of the error.
    fn context<D: Display>(self, what: impl FnOnce() -> D) -> Result<T>;
}

impl<T> Context<T> for std::io::Result<T> {
    fn context<D: Display>(self, what: impl FnOnce() -> D) -> Result<T> {
        self.map_err(|error| Failure(format!("{}: {error}", what())))
    }
}
