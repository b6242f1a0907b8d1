//! Waiting for something that another process does.

use std::fmt::Display;
use std::time::{Duration, Instant};

/// How long anything may take. Far more than it does on an idle machine: two cores shared by a compiler and a
/// dozen tests are slow, and a test that fails there tells nothing.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Asks until there is an answer. Panics with `what` when there is none in time.
pub fn until<T>(what: impl Display, mut ask: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(started.elapsed() < PATIENCE, "waited {PATIENCE:?} in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
