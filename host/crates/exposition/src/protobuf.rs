//! The protobuf exposition format, in and out: a stream of `io.prometheus.client.MetricFamily`, each with its length
//! before it.
//! <https://github.com/prometheus/client_model/blob/v0.6.2/io/prometheus/client/metrics.proto>
//!
//! The wire is read by hand, straight into the columns: there is no generated model in between, and nothing is
//! allocated because a body announces it. What cannot be decoded is a [`DecodeError`]. What can, but would break a
//! scrape, is an [`Objection`](crate::Objection) of the push, so that the store refuses it.

mod clash;
pub mod encode;
mod error;
mod exemplar;
mod native;
mod parse;
mod prototext;
mod sample;
mod wire;

pub use encode::{FamilyEncoder, delimit, encode};
pub use error::{DecodeError, Problem};
pub use parse::{parse, parse_exposed};
pub use prototext::{Layout, to_text};

/// The media type of the format, as it stands in Content-Type and Accept.
pub const CONTENT_TYPE: &str =
    "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited";
