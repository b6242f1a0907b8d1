//! `cargo xtask test`: sets up whatever the tests need, then runs all of them.

use std::process::Command;

use crate::failure::{Failure, Result};
use crate::{guests, skipped, step, tools, wasm_target, workspace};

/// Tells the end-to-end tests that the gateway and the guests are built, so that they need not ask cargo.
pub const READY: &str = "XTASK_TEST_READY";

/// Runs every test of the repository: the host's, the guests' own (which run natively), the end-to-end ones.
/// Goes on after a failure, so that one run shows them all.
pub fn test() -> Result {
    wasm_target::ensure(&[wasm_target::UNKNOWN, wasm_target::WASI])?;
    tools::ensure_all();
    build()?;
    skipped::clear()?;
    let result = step::run_all(suites());
    let skipped = skipped::report();
    result?;
    if skipped > 0 && workspace::in_ci() {
        // They have failed already, each by itself; this is for the day when one forgets to.
        return Err(Failure::new("in CI nothing may be skipped"));
    }
    Ok(())
}

/// Builds what the end-to-end tests start and load.
pub fn build() -> Result {
    for workspace in guests::ALL {
        workspace.build()?;
    }
    // One invocation with the tests: features are resolved for all that is built together, and with another
    // selection the large dependencies would be built twice.
    let mut build = workspace::cargo(".");
    build.args(["build", "--workspace", "--bins", "--tests"]);
    step::run("build the gateway and its tests", &mut build)
}

fn suites() -> Vec<(String, Command)> {
    let mut suites: Vec<(String, Command)> = guests::ALL
        .into_iter()
        // Guests that nobody should load do their harm when they are called; there is nothing to test natively.
        .filter(|workspace| workspace.folder != guests::TEST_GUESTS.folder)
        .map(|workspace| {
            let mut command = workspace.cargo("test");
            command.args(["--workspace", "--no-fail-fast"]);
            (format!("test {} natively", workspace.folder), command)
        })
        .collect();
    let mut host = workspace::cargo(".");
    host.args(["test", "--workspace", "--no-fail-fast"]).env(READY, "1");
    suites.push(("test the host, end to end as well".to_owned(), host));
    suites
}
