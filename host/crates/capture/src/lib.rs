//! Captured pushes: what came in, and what the policies made of it.
//!
//! A capture is a [header](HEADER) and [records](Record) behind it, each with its length and a checksum, so that a file
//! whose writer was killed can be read up to there. Nothing in a file is trusted. This crate is pure: it reads and
//! writes bytes.
//!
//! ```
//! use pushgate_capture::{HEADER, Reader, Record, encode};
//!
//! let record = Record { id: "1".to_owned(), ..Record::default() };
//! let mut file = HEADER.to_vec();
//! encode(&record, &mut file);
//! let read: Result<Vec<_>, _> = Reader::new(file.as_slice())?.collect();
//! assert_eq!(read?, [record]);
//! # Ok::<(), pushgate_capture::ReadError>(())
//! ```

mod read;
mod record;
mod write;

pub use read::{ReadError, Reader};
pub use record::{End, Format, Method, Outcome, Policy, Record, Step};
pub use write::encode;

/// What a capture begins with: its name, and the version of the format.
pub const HEADER: [u8; 20] = *b"pushgate-capture\x01\0\0\0";

/// Bytes before the payload of a record: its length and its checksum.
const FRAME: usize = 12;
