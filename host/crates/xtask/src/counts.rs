//! `cargo xtask bench counts`: instructions of parsing, of a plugin, of storing and of scraping, beside those that are
//! committed. Time depends on what else a machine does; instructions do not, so CI can hold them.
//!
//! valgrind is called directly. The usual crate for it, gungraun, needs a program of its own version installed beside
//! it, and a bench profile in which wasmtime would be compiled once more; here the build of the tests is measured, in
//! which dependencies and the parser are optimised (`[profile.dev.package]` in Cargo.toml), the gateway itself is not. So
//! counts of the store and of scrapes tell what is done more or less often, not what the compiler makes of it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::failure::{Context as _, Failure, Result};
use crate::tools::Tool;
use crate::{guests, step, wasm_target, workspace};

/// What is counted; `host/examples/counts.rs` knows them by these names.
const PIECES: [&str; 5] = ["parse", "plugin", "apply", "scrape", "scrape-gzip"];

/// The committed counts.
const BASELINE: &str = "host/crates/bench/results/counts.txt";

/// How many percent more or less than what is committed are let pass. Hash tables are seeded at random, which makes some
/// tenths of a percent.
const TOLERANCE: u64 = 5;

/// Whether counts are compared with those that are committed, or committed themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// Fails when one differs by more than a little.
    Compare,
    /// Writes them into the file that is committed.
    Write,
}

/// Builds what is counted, then counts.
pub fn counts(how: How) -> Result {
    wasm_target::ensure(&[wasm_target::UNKNOWN])?;
    guests::PLUGINS.build()?;
    let mut build = workspace::cargo(".");
    // All together, so that the features are those of every other build.
    build.args(["build", "--workspace", "--bins", "--tests", "--examples"]);
    step::run("build what is counted", &mut build)?;
    counts_of_built(how)
}

/// Counts what is built already. Without valgrind nothing is counted, which in CI is a failure.
pub fn counts_of_built(how: How) -> Result {
    if let Err(failure) = Tool::Valgrind.ensure() {
        let missing = Failure::new(format!("no instructions are counted: {failure}"));
        if workspace::in_ci() {
            return Err(missing);
        }
        step::say(&missing.to_string());
        return Ok(());
    }
    let valgrind = Tool::Valgrind.find().ok_or_else(|| Failure::new(Tool::Valgrind.missing()))?;
    let counted: Result<Counts> =
        PIECES.into_iter().map(|piece| Ok((piece.to_owned(), count(&valgrind, piece)?))).collect();
    let (counted, file) = (counted?, workspace::path(BASELINE));
    if how == How::Write {
        return fs::write(&file, written(&counted)).context(|| file.display().to_string());
    }
    let baseline = fs::read_to_string(&file).context(|| file.display().to_string())?;
    let wrong = compare(&read(&baseline), &counted);
    if wrong.is_empty() {
        return Ok(());
    }
    let advice = "if that is meant to be, commit what `cargo xtask bench counts --write` writes";
    Err(Failure::new(format!("{}\n{advice}", wrong.join("\n"))))
}

/// Instructions by piece.
type Counts = BTreeMap<String, u64>;

fn count(valgrind: &Path, piece: &str) -> Result<u64> {
    let folder = workspace::path("target/counts");
    fs::create_dir_all(&folder).context(|| folder.display().to_string())?;
    let out = folder.join(format!("{piece}.callgrind"));
    let mut command = Command::new(valgrind);
    command.args(["--tool=callgrind", "--collect-atstart=no", "--toggle-collect=*counted_runs"]);
    command.arg(format!("--callgrind-out-file={}", out.display()));
    command.arg(workspace::target().join("debug/examples/counts")).arg(piece);
    command.arg(workspace::path("config.toml")).arg(folder.join("cache"));
    step::run_quietly(&format!("count the instructions of: {piece}"), &mut command)?;
    let text = fs::read_to_string(&out).context(|| out.display().to_string())?;
    total(&text).ok_or_else(|| Failure::new(format!("{} has no total: nothing was counted", out.display())))
}

/// The sum over all functions that callgrind writes.
fn total(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("totals: ").or(line.strip_prefix("summary: ")));
    line?.trim().parse().ok().filter(|total| *total > 0)
}

/// What is not as it is committed, a line each.
fn compare(baseline: &Counts, counted: &Counts) -> Vec<String> {
    let mut wrong = Vec::new();
    for (piece, &now) in counted {
        let Some(&before) = baseline.get(piece) else {
            wrong.push(format!("{piece}: {now} instructions, none are committed"));
            continue;
        };
        step::say(&format!("{piece}: {now} instructions, {before} are committed"));
        if now.abs_diff(before) * 100 > before * TOLERANCE {
            wrong.push(format!(
                "{piece}: {now} instructions, more than {TOLERANCE} % off the {before} committed"
            ));
        }
    }
    wrong
}

fn written(counts: &Counts) -> String {
    let mut text = String::from("# Instructions, written by `cargo xtask bench counts --write`.\n");
    for (piece, count) in counts {
        let _ = writeln!(text, "{piece} {count}");
    }
    text
}

fn read(text: &str) -> Counts {
    let counts = text.lines().filter_map(|line| line.split_once(' '));
    counts.filter_map(|(piece, count)| Some((piece.to_owned(), count.parse().ok()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(count: u64) -> Counts {
        Counts::from([("parse".to_owned(), count)])
    }

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(read(&written(&counts(17))), counts(17));
    }

    #[test]
    fn a_count_may_differ_a_little() {
        for (now, is_wrong) in [(1_000, false), (1_050, false), (1_051, true), (950, false), (949, true)] {
            assert_eq!(!compare(&counts(1_000), &counts(now)).is_empty(), is_wrong, "{now}");
        }
        let wrong = compare(&Counts::new(), &counts(1));
        assert_eq!(wrong, ["parse: 1 instructions, none are committed"]);
    }

    #[test]
    fn a_total_of_nothing_is_none() {
        assert_eq!(total("events: Ir\nfn=x\n1 2\ntotals: 123\n"), Some(123));
        assert_eq!(total("summary: 5\n"), Some(5));
        assert_eq!(total("totals: 0\n"), None);
        assert_eq!(total("events: Ir\n"), None);
    }
}
