//! `cargo xtask bench`: how fast pushgate is, beside the original Pushgateway and beside a server that does nothing.

use std::process::Command;

use crate::failure::Result;
use crate::{guests, step, wasm_target, workspace};

/// Builds the gateway as it is shipped and measures it; `options` are those of `pushgate-bench`, the crate that does.
pub fn bench(options: &[&str]) -> Result {
    wasm_target::ensure(&[wasm_target::UNKNOWN])?;
    guests::PLUGINS.build()?;
    let mut build = workspace::cargo(".");
    // All together, so that the features are those of every other build.
    build.args(["build", "--release", "--workspace", "--bins"]);
    step::run("build what is measured (the first time takes some minutes)", &mut build)?;
    let release = workspace::target().join("release");
    let mut bench = Command::new(release.join("pushgate-bench"));
    if options != ["render"] {
        bench.arg("--gateway").arg(release.join("pushgate"));
    }
    step::run("measure", bench.args(options))
}

/// Runs the benchmarks of single functions, in the process; `filter` picks some by their names.
pub fn micro(filter: &[&str]) -> Result {
    wasm_target::ensure(&[wasm_target::UNKNOWN])?;
    guests::PLUGINS.build()?;
    let mut bench = workspace::cargo(".");
    bench.args(["bench", "--package", "pushgate-exposition", "--package", "pushgate"]);
    bench.args(["--bench", "text", "--bench", "push", "--"]).args(filter);
    step::run("run the benchmarks (the first build takes some minutes)", &mut bench)
}
