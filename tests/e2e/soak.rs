//! Everything at once, for a short while; `cargo xtask soak` does the same for as long as one likes.

use std::time::Duration;

use e2e::soak::{Plan, run};

#[test]
fn a_short_soak_finds_nothing() {
    let report = run(&Plan { duration: Duration::from_secs(18), seed: 6, binary: None });
    assert!(report.is_good(), "{report}");
    assert_eq!(report.missing(), [""; 0], "{report}");
}
