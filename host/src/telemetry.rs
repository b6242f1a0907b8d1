//! What the gateway says of itself: its log, and its own metrics.

mod histogram;
mod log;
mod metrics;

pub use log::start_log;
pub use metrics::{Metrics, Outcome};
