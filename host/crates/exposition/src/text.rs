//! The text exposition format 0.0.4, in and out.
//! <https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>

mod assembler;
mod difference;
pub mod encode;
mod error;
mod lines;
pub mod number;
mod outline;
mod parse;

pub use difference::{Difference, difference, line_difference, shown};
pub use encode::encode;
pub(crate) use error::quote;
pub use error::{ParseError, Problem};
pub use lines::Lines;
pub use outline::{Outline, is_whole};
pub use parse::{parse, read_back};
