//! The example of a plugin that is not in Rust, built as its README says: by npm, in its own folder.

use std::path::PathBuf;
use std::process::Command;

use crate::failure::{Failure, Result};
use crate::{step, workspace};

const FOLDER: &str = "examples/javascript-plugin";

/// Installs the tools that its lock file names, if they are not there, and builds the plugin. Returns the file.
pub fn build() -> Result<PathBuf> {
    let folder = workspace::path(FOLDER);
    // npm writes it last.
    if !folder.join("node_modules/.package-lock.json").is_file() {
        step::run_quietly("install what builds the plugin in JavaScript", &mut npm(&["ci"]))?;
    }
    step::run_quietly("build the plugin in JavaScript", &mut npm(&["run", "build"]))?;
    let file = folder.join("owners.wasm");
    if file.is_file() { Ok(file) } else { Err(Failure::new(format!("{} was not built", file.display()))) }
}

fn npm(arguments: &[&str]) -> Command {
    let mut npm = Command::new("npm");
    npm.args(arguments).args(["--no-audit", "--no-fund", "--no-update-notifier"]);
    npm.current_dir(workspace::path(FOLDER));
    npm
}
