//! What the gateway says of itself: its log, and its own metrics.

mod capture;
mod chain;
mod counters;
mod expired;
mod histogram;
mod http;
mod jobs;
mod journal;
mod limits;
mod line;
mod log;
mod metrics;
mod plugin;
mod process;
mod rights;
mod shadow;
mod timestamp;
mod traces;
mod window;
mod writer;

pub use capture::CaptureMetrics;
pub use chain::ChainMetrics;
pub use jobs::MAX_JOBS;
pub use journal::JournalMetrics;
pub use limits::{Limit, LimitMetrics};
pub use log::start_log;
pub use metrics::{Metrics, Outcome, own_families};
pub use plugin::PluginCounts;
pub use shadow::{Difference, Opinion, ShadowReport, Shadows};
pub use timestamp::rfc3339_nano;
pub use traces::{Parent, Recording, Tracer};
