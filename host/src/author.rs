//! What a plugin's author does with the program, and whoever tries a configuration: each command is a file.
//!
//! Nothing here prints: a command writes to what it is given, and says how it ended.

mod bench;
mod build;
mod case;
mod check;
mod conditions;
mod difference;
mod explain;
mod inspect;
mod manifest;
mod project;
mod rejection;
mod test;
mod workbench;

pub use bench::bench;
pub use build::build;
pub use check::{Check, Shown};
pub use conditions::Conditions;
pub use explain::explain;
pub use inspect::{Layout, inspect};
pub use project::create;
pub use rejection::explain_rejection;
pub use test::{Expectations, test};

/// How a command ended that could be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// As hoped for.
    Yes,
    /// With a push that is refused, a case that failed, or nothing found.
    No,
}
