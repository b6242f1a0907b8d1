//! Programs of the machine that a test needs.

use std::path::PathBuf;

pub use xtask::tools::Tool;
use xtask::{skipped, workspace};

/// The program, or `None` when the machine does not have it: then the test returns, and `cargo xtask test` prints
/// its name and the reason at the end. In CI nothing is skipped; there this panics.
pub fn require(tool: Tool) -> Option<PathBuf> {
    let found = tool.find();
    if found.is_none() {
        skip(&tool.missing());
    }
    found
}

/// Says that the test is skipped, and why.
pub(crate) fn skip(reason: &str) {
    assert!(!workspace::in_ci(), "in CI nothing is skipped: {reason}");
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    println!("skipped: {reason}");
    skipped::note(&test, reason).unwrap();
}
