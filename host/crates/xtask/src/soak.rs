//! `cargo xtask soak`: everything at once against the gateway, for minutes or hours.

use crate::failure::Result;
use crate::{step, test, wasm_target, workspace};

/// Builds the gateway, the guests and the program that does it, which is the tests' (`tests/src/soak.rs`); the arguments
/// are for that one.
pub fn soak(arguments: &[&str]) -> Result {
    wasm_target::ensure(&[wasm_target::UNKNOWN, wasm_target::WASI])?;
    test::build()?;
    let mut soak = std::process::Command::new(workspace::target().join("debug/soak"));
    soak.args(arguments).env(test::READY, "1");
    step::run("soak", &mut soak)
}
