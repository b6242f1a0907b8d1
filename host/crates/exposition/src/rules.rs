//! How a body is read: what it may hold, and what is forgiven.

use crate::name::Names;

/// How a body is read, whatever its format. The default is what the original Pushgateway does by default, without
/// any bounds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rules {
    /// How much it may hold.
    pub limits: Limits,
    /// Which names it may use.
    pub names: Names,
    /// Whether common slips are forgiven.
    pub manners: Manners,
}

/// Whether common slips in a text are forgiven.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Manners {
    /// A body with a slip is refused, with a hint how to mend it.
    #[default]
    Strict,
    /// A last line without line feed, CRLF and blanks at the end of a line are read as they were meant, and
    /// timestamps are dropped.
    Lenient,
}

/// How much a body may hold. The default sets no bounds.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Series in a push; a histogram or summary is one.
    pub series: usize,
    /// Labels of a series, or of an exemplar.
    pub labels: usize,
    /// Bytes of a metric or label name.
    pub name_length: usize,
    /// Bytes of a label value, or of a HELP text.
    pub value_length: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { series: usize::MAX, labels: usize::MAX, name_length: usize::MAX, value_length: usize::MAX }
    }
}

/// What there can be too much of, by the fields of [`Limits`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what the variant means")]
pub enum Bound {
    #[error("too many series in one push")]
    Series,
    #[error("too many labels in one series")]
    Labels,
    #[error("too many bytes in a name")]
    NameLength,
    #[error("too many bytes in a label value or HELP text")]
    ValueLength,
    #[error("too many bytes in all names and values")]
    Arena,
}

/// Too much of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{bound}, {limit} are allowed")]
pub struct OverLimit {
    /// What there is too much of.
    pub bound: Bound,
    /// How much is allowed.
    pub limit: usize,
}

impl OverLimit {
    /// More names and values than an arena can hold.
    pub(crate) const ARENA: Self = Self { bound: Bound::Arena, limit: u32::MAX as usize };
}

impl Limits {
    /// The limit of a bound.
    pub(crate) fn of(&self, bound: Bound) -> usize {
        match bound {
            Bound::Series => self.series,
            Bound::Labels => self.labels,
            Bound::NameLength => self.name_length,
            Bound::ValueLength => self.value_length,
            Bound::Arena => OverLimit::ARENA.limit,
        }
    }

    /// Whether there may be so much of something.
    #[inline]
    pub(crate) fn check(&self, bound: Bound, length: usize) -> Result<(), OverLimit> {
        let limit = self.of(bound);
        if length > limit { Err(OverLimit { bound, limit }) } else { Ok(()) }
    }
}
