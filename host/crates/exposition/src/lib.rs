//! Prometheus pushes as columns.
//!
//! A [`Push`] is the one form that pushed data has inside pushgate: a byte arena with interned symbols
//! and flat columns over it. [`text::parse`] writes it, plugins see it across the WebAssembly boundary
//! as it is, [`edit`] changes it in place, and [`text::encode()`] renders it; [`protobuf`] is the other format.
//! There is no second model.
//!
//! This crate is pure: no I/O, no clock, no async, no serde.
//!
//! ```
//! use pushgate_exposition::{GroupingKey, Kind, Rules, text};
//!
//! let key = GroupingKey::new([("job", "backup")])?;
//! let body = b"# TYPE runs_total counter\nruns_total{host=\"a\"} 3\n";
//! let push = text::parse(body, &key, &Rules::default())?;
//!
//! let family = push.families().next().expect("one family was pushed");
//! assert_eq!((family.name(), family.kind()), ("runs_total", Kind::Counter));
//! assert_eq!(text::encode(&push).as_bytes(), body);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod builder;
mod cursor;
mod detail;
pub mod edit;
mod escaping;
mod grouping;
mod lenient;
mod name;
mod objection;
pub mod openmetrics;
pub mod protobuf;
mod push;
mod rules;
mod sample_name;
mod series_index;
mod symbols;
mod tables;
pub mod text;

pub use builder::Builder;
pub use detail::{Buckets, Count, Detail, Exemplar, ExemplarOf, NativeHistogram, Span, Timestamp};
pub use escaping::{Escaping, find_escaped_alike, unescape};
pub use grouping::{GroupingKey, GroupingKeyError};
pub use name::{Names, is_label_name, is_metric_name};
pub use objection::{Flaw, Objection, Place};
pub use push::{Family, FamilyColumns, Kind, Label, LabelPair, Point, Push, Series, SeriesColumns};
pub use rules::{Bound, Limits, Manners, OverLimit, Rules};
pub use symbols::{InternError, Interner, Sym, Symbols};
