//! Why a push that is well-formed may not be stored.
//!
//! What is found here would break a scrape for everybody, or would be lost on the way to one. The store refuses such
//! a push, and its group keeps the time of the failure.

use crate::Kind;

/// Why a push that is well-formed may not be stored, found while it was read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Objection {
    /// A sample carries a timestamp. It is not kept: the value of a push is as old as its scrape.
    #[error("pushed metrics must not have timestamps, but {place} has one; remove it")]
    Timestamp {
        /// The sample.
        place: Place,
    },
    /// A label's name begins with `__`.
    #[error("the label name {name:?} in {place} begins with __, which Prometheus keeps for itself")]
    ReservedLabel {
        /// The sample.
        place: Place,
        /// The label's name.
        name: String,
    },
    /// Anything else that cannot be shown on a scrape.
    #[error("{place} {flaw}")]
    Unfit {
        /// What has the flaw.
        place: Place,
        /// What is wrong with it.
        flaw: Flaw,
    },
}

/// Where in a push something is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Place {
    /// A line of a text, counted from 1.
    #[error("line {0}")]
    Line(u32),
    /// A family without a name, counted from 1.
    #[error("family number {0}")]
    Family(u32),
    /// A family.
    #[error("family {0:?}")]
    Named(String),
    /// A metric of a family, counted from 1.
    #[error("metric number {number} of family {family:?}")]
    Metric {
        /// The family's name.
        family: String,
        /// Counted from 1.
        number: u32,
    },
}

/// What a text cannot express and protobuf can, but no scrape may show. Worded to follow the place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what the variant means")]
pub enum Flaw {
    #[error("has no name; give it one")]
    NoName,
    #[error("has a {0} that is not UTF-8; send names and texts as UTF-8")]
    NotUtf8(&'static str),
    #[error("has the type number {0}, which is none; use 0 to 5")]
    UnknownType(i32),
    #[error("has no {} value, though that is the type of its family", kind_word(*.0))]
    NoValue(Kind),
    #[error("has a label without a name; give it one")]
    NoLabelName,
    #[error("has the label {0:?} twice; remove one")]
    DuplicateLabel(String),
    #[error(
        "has the labels {0:?} and {1:?}, which are both shown as {2:?} to readers of classic names; rename one"
    )]
    SameWhenEscaped(String, String, String),
    #[error("has the label {0:?}, which tells its own samples apart; rename it")]
    PointLabel(&'static str),
    #[error("has {0} that is NaN")]
    NotANumber(&'static str),
    #[error("has {0} that is negative or not finite")]
    ImpossibleCount(&'static str),
    #[error("has a time with {0} nanoseconds, which must be 0 to 999999999")]
    Nanoseconds(i32),
    #[error(
        "has a native histogram of schema {0}; -4 to 8 can be sent (and custom buckets only as classic ones)"
    )]
    Schema(i32),
    #[error("has a native histogram whose zero threshold is {0}; it must be 0 or more, and finite")]
    ZeroThreshold(String),
    #[error("has a native histogram with counts in integers and in floats; use one of them")]
    MixedCounts,
    #[error("has a native histogram whose {side} spans are for {spans} buckets, but {buckets} are given")]
    Spans { side: &'static str, spans: u64, buckets: usize },
    #[error(
        "has a native histogram whose positive spans overlap; let each begin where the one before ends, or behind"
    )]
    Overlap,
    #[error("has a native histogram with {0} buckets beyond what a bucket's number can be")]
    BucketNumber(&'static str),
    #[error("has a native histogram with a count of {count}, but {observed} observations in its buckets")]
    CountMismatch { count: u64, observed: u128 },
}

fn kind_word(kind: Kind) -> &'static str {
    match kind {
        Kind::GaugeHistogram => "histogram",
        kind => kind.as_str(),
    }
}
