//! What only some formats can say about a series: exemplars, the time it was created, native histograms.
//!
//! Plugins do not see it and a text scrape does not show it; it is kept for scrapes in formats that can.

/// What a series has beside its columns. Most have none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Detail {
    /// When the counter, summary or histogram began to count.
    pub created: Option<Timestamp>,
    /// At most one for a counter, one for each bucket of a histogram, and any number for a native histogram.
    pub exemplars: Box<[Exemplar]>,
    /// The native part of a histogram.
    pub native: Option<Box<NativeHistogram>>,
    /// A histogram that was sent without its last bucket, `+Inf`. Text has it all the same.
    pub without_infinity: bool,
}

impl Detail {
    /// Whether there is nothing to keep.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A point in time, as protobuf has it (`google.protobuf.Timestamp`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timestamp {
    /// Since 1970.
    pub seconds: i64,
    /// Below 1,000,000,000; counts forward in time also before 1970.
    pub nanos: i32,
}

/// One observation, with labels that lead to where it was made, such as a trace.
#[derive(Clone, Debug)]
pub struct Exemplar {
    /// What it belongs to.
    pub of: ExemplarOf,
    /// In the order sent.
    pub labels: Box<[(Box<str>, Box<str>)]>,
    /// What was observed.
    pub value: f64,
    /// When.
    pub timestamp: Option<Timestamp>,
}

/// Numbers are compared by their bits: a NaN is itself.
impl PartialEq for Exemplar {
    fn eq(&self, other: &Self) -> bool {
        let key = |it: &Self| (it.of, it.value.to_bits(), it.timestamp);
        key(self) == key(other) && self.labels == other.labels
    }
}

/// What an exemplar belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExemplarOf {
    /// The counter.
    Counter,
    /// A bucket, as a number among the points of its series.
    Bucket(u32),
    /// The native histogram.
    Native,
}

/// Exponential buckets, each as wide as its schema says, of which only those in use are listed.
/// <https://prometheus.io/docs/specs/native_histograms/>
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NativeHistogram {
    /// How fine the buckets are: a bucket ends at `2^(2^-schema)` times where it begins. -4 to 8.
    pub schema: i32,
    /// Half the width of the zero bucket.
    pub zero_threshold: f64,
    /// How many observations are in the zero bucket.
    pub zero_count: Count,
    /// The count of all observations as it was sent: a float histogram counts in fractions.
    pub count: Count,
    /// Buckets below zero, the one nearest to it first.
    pub negative: Buckets,
    /// Buckets above zero, the one nearest to it first.
    pub positive: Buckets,
}

impl NativeHistogram {
    /// Whether there are buckets besides the zero bucket.
    pub fn has_spans(&self) -> bool {
        !self.negative.spans.is_empty() || !self.positive.spans.is_empty()
    }
}

/// How many, whole or in fractions.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Count {
    Integer(u64),
    Float(f64),
}

impl Default for Count {
    fn default() -> Self {
        Self::Integer(0)
    }
}

/// One side of a native histogram.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Buckets {
    /// Runs of buckets.
    pub spans: Box<[Span]>,
    /// For each bucket, how many more observations it has than the one before; of an integer histogram.
    pub deltas: Box<[i64]>,
    /// For each bucket, how many observations it has; of a float histogram.
    pub counts: Box<[f64]>,
}

/// Buckets that follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// How many buckets lie between the run before, or bucket 0, and this one.
    pub offset: i32,
    /// How many buckets it has.
    pub length: u32,
}
