//! Lines for the gateway's log.
//!
//! The host bounds their number and length. What a person who pushes should know is a
//! [`Finding`](crate::Finding), not a log line. Natively the lines are kept for the test; see
//! [`testing::take_log`](crate::testing::take_log).

use crate::bindings::log::Level;

/// Logs what only the author of a plugin wants to see.
///
/// ```
/// pushgate_plugin::log::debug("looked at 3 names");
/// ```
pub fn debug(message: &str) {
    write(Level::Debug, message);
}

/// Logs a fact.
///
/// ```
/// pushgate_plugin::log::info("12 rules loaded");
/// ```
pub fn info(message: &str) {
    write(Level::Info, message);
}

/// Logs what an operator may have to look at.
///
/// ```
/// pushgate_plugin::log::warn("a rule matches nothing since it was loaded");
/// ```
pub fn warn(message: &str) {
    write(Level::Warn, message);
}

/// Logs what an operator has to look at.
///
/// ```
/// pushgate_plugin::log::error("the list of teams is empty");
/// ```
pub fn error(message: &str) {
    write(Level::Error, message);
}

#[cfg(target_arch = "wasm32")]
fn write(level: Level, message: &str) {
    crate::bindings::log::log(level, message);
}

#[cfg(not(target_arch = "wasm32"))]
fn write(level: Level, message: &str) {
    crate::testing::keep_log_line(level, message);
}
