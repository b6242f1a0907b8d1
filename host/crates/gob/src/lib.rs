//! The persistence file of the Go Pushgateway, read and written.
//!
//! The file is one value in Go's [gob encoding]: a map of groups, each with its labels and, under their
//! names, its metric families with the time of their push. A family is in there as the protobuf encoding of
//! `io.prometheus.client.MetricFamily`, which this crate passes on as bytes.
//!
//! [`read`] goes by the type definitions that the file begins with, since versions of the Pushgateway differ
//! in them. It borrows everything from the file's bytes and yields one group after the other. [`Writer`]
//! takes one group after the other, too, and writes definitions of its own, the fewest that the Pushgateway
//! loads.
//!
//! Names and label values are bytes, not strings: Go's strings may hold any bytes, and the Pushgateway does
//! store groups whose labels are not UTF-8. The caller can leave out such a group and keep the others.
//!
//! This crate is pure: no files, no clock, no async, no serde.
//!
//! ```
//! use std::io::Cursor;
//!
//! use pushgate_gob::{Family, Group, Limits, Timestamp, Writer, read};
//!
//! let pushed_at = Timestamp::new(1_795_333_108, 958_381_131).expect("less than a second of nanoseconds");
//! let family = Family { name: b"up", pushed_at, metric_family: b"\x0a\x02up" };
//! let group = Group::new(vec![(b"job", b"backup")], vec![family])?;
//!
//! let mut writer = Writer::new(Cursor::new(Vec::new()))?;
//! writer.group(&group)?;
//! let file = writer.finish()?.into_inner();
//!
//! let groups: Vec<Group> = read(&file, Limits::default())?.collect::<Result<_, _>>()?;
//! assert_eq!(groups, [group]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [gob encoding]: https://pkg.go.dev/encoding/gob

mod cursor;
mod error;
mod group;
mod layout;
mod read;
mod skip;
mod types;
mod write;

pub use error::{Problem, ReadError};
pub use group::{Family, Group, Repeated, Timestamp};
pub use read::{Groups, Limits, read};
pub use write::Writer;
