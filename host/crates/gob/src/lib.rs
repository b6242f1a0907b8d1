//! The original Pushgateway's persistence file, read and written.
//!
//! The file is one value of Go's gob encoding: a map of groups, each with its labels and its families, and each family
//! with the time of its push and its protobuf encoding, which this crate does not look into. A gob stream describes
//! its own types, so files of all versions that have these fields can be read, whatever else is in them.
//! <https://pkg.go.dev/encoding/gob>
//!
//! A file is as hostile as any other input: lengths, counts, types and depths are checked, reading takes time and
//! memory in proportion to the file, and an [`Error`] names the byte at which it is damaged.
//!
//! ```
//! use pushgate_gob::{Family, Group, Timestamp};
//!
//! let group = Group {
//!     labels: vec![("job".to_owned(), "backup".to_owned())],
//!     families: vec![Family {
//!         name: "runs_total".to_owned(),
//!         pushed_at: Timestamp { seconds: 1_700_000_000, nanos: 0 },
//!         metric_family: vec![0x0a, 0x01, b'a'],
//!     }],
//! };
//! let mut file = Vec::new();
//! pushgate_gob::write(std::slice::from_ref(&group), &mut file)?;
//! assert_eq!(pushgate_gob::read(&file)?, [group]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod groups;
mod reader;
mod schema;
mod write;

pub use error::{Error, Problem};
pub use groups::read;
pub use write::write;

/// What was pushed under one grouping key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// The grouping labels, `job` among them, in no order.
    pub labels: Vec<(String, String)>,
    /// Its families, the two with its push times among them, in no order.
    pub families: Vec<Family>,
}

/// A family of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Family {
    /// The name that it is stored under.
    pub name: String,
    /// When it was pushed.
    pub pushed_at: Timestamp,
    /// An encoded `io.prometheus.client.MetricFamily`, without its length.
    pub metric_family: Vec<u8>,
}

/// A point in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timestamp {
    /// Since 1970.
    pub seconds: i64,
    /// Below 1,000,000,000.
    pub nanos: u32,
}
