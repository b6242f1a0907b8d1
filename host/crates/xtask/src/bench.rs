//! `cargo xtask bench`: how fast parsing, pushing, scraping and one plugin call are.

use crate::failure::Result;
use crate::{guests, step, wasm_target, workspace};

/// Builds the bundled plugins and runs the benchmarks in the release profile; `filter` picks some by their names.
pub fn bench(filter: &[&str]) -> Result {
    wasm_target::ensure(&[wasm_target::UNKNOWN])?;
    guests::PLUGINS.build()?;
    let mut bench = workspace::cargo(".");
    bench.args(["bench", "--package", "pushgate-exposition", "--package", "pushgate"]);
    bench.args(["--bench", "text", "--bench", "push", "--"]).args(filter);
    step::run("run the benchmarks (the first build takes some minutes)", &mut bench)
}
