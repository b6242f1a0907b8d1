//! Everything a developer does to this repository besides writing it: build the guests, start the gateway, run
//! the tests, check what CI checks.
//!
//! It is a library as well as the program behind `cargo xtask`, because the end-to-end tests need the same
//! answers: where the guests were put, which tools of this machine can be used, what was skipped and why. It has
//! no dependencies, so that `cargo xtask run` on a fresh machine starts within seconds.
#![expect(clippy::print_stdout, reason = "a task talks to the person who started it")]

pub mod workspace;

pub mod bench;
pub mod ci;
pub mod counts;
pub mod run;
pub mod soak;
pub mod test;

pub mod guests;
pub mod javascript;
pub mod skipped;
pub mod tools;
pub mod wasm_target;

pub mod failure;
pub mod step;

pub use failure::{Failure, Result};
