//! Waiting for something that another process does.

use std::fmt::Display;
use std::time::{Duration, Instant};

/// How long anything may take. Far more than it does on an idle machine: two cores shared by a compiler and a
/// dozen tests are slow, and a test that fails there tells nothing.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// How long something may take whose absence is no surprise, such as a rule that does not hold.
pub const SOON: Duration = Duration::from_secs(5);

/// Asks until there is an answer. Panics with `what` when there is none in time.
pub fn until<T>(what: impl Display, ask: impl FnMut() -> Option<T>) -> T {
    within(PATIENCE, ask).unwrap_or_else(|| panic!("waited {PATIENCE:?} in vain: {what}"))
}

/// Asks until there is an answer, or `patience` is over.
pub fn within<T>(patience: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let started = Instant::now();
    loop {
        let answer = ask();
        if answer.is_some() || started.elapsed() >= patience {
            return answer;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
