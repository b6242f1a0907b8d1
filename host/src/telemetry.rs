//! What the gateway says of itself: its log, and its own metrics.

mod histogram;
mod line;
mod log;
mod metrics;
mod timestamp;

pub use log::start_log;
pub use metrics::{ChainMetrics, Metrics, Outcome};
