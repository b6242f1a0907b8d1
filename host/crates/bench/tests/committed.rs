//! What PERFORMANCE.md and the plots show is what was measured.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking, too")]

use std::fs;

use pushgate_bench::results::Results;
use pushgate_bench::{plot, report};
use xtask::workspace;

const ADVICE: &str = "`cargo xtask bench render` writes tables and plots of the committed results";

fn results() -> Results {
    let text = fs::read_to_string(workspace::path("host/crates/bench/results/results.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn the_tables_are_those_of_the_committed_results() {
    let document = fs::read_to_string(workspace::path("PERFORMANCE.md")).unwrap();
    let rendered = report::insert(&document, &results());
    assert!(rendered.as_deref() == Some(&*document), "{ADVICE}");
}

#[test]
fn the_plots_are_those_of_the_committed_results() {
    let plots = plot::plots(&results());
    assert!(!plots.is_empty());
    for (file, picture) in plots {
        let committed = fs::read_to_string(workspace::path("host/crates/bench/results").join(file));
        assert!(committed.ok() == Some(picture), "{file}: {ADVICE}");
    }
}

#[test]
fn pictures_that_are_shown_are_there() {
    let document = fs::read_to_string(workspace::path("PERFORMANCE.md")).unwrap();
    let shown: Vec<&str> = document
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(file, _)| file)
        .filter(|file| file.ends_with(".svg"))
        .collect();
    assert!(!shown.is_empty());
    for file in shown {
        assert!(workspace::path(file).is_file(), "{file}");
    }
}
