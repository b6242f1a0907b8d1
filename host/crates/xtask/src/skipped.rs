//! Tests that could not run because this machine lacks a tool: they say so here, and `cargo xtask test` prints
//! them at the end, by name and reason.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;

use crate::failure::{Context as _, Result};
use crate::{step, workspace};

/// Where tests leave their lines.
fn file() -> PathBuf {
    workspace::path("target/skipped-tests.txt")
}

/// Forgets what earlier runs have skipped.
pub fn clear() -> Result {
    match fs::remove_file(file()) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).context(|| file().display().to_string())
        }
        _ => Ok(()),
    }
}

/// Notes one test. Lines are appended in one write each, so that tests may do it at the same time.
pub fn note(test: &str, reason: &str) -> Result {
    let line = format!("{test}: {reason}\n");
    let mut file_to_append =
        OpenOptions::new().create(true).append(true).open(file()).context(|| file().display().to_string())?;
    file_to_append.write_all(line.as_bytes()).context(|| file().display().to_string())
}

/// Prints them, and says how many there were.
pub fn report() -> usize {
    let text = fs::read_to_string(file()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    if !lines.is_empty() {
        step::say(&format!("{} test(s) skipped:", lines.len()));
        for line in &lines {
            println!("  {line}");
        }
    }
    lines.len()
}
