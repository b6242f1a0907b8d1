//! One captured push.

use bytes::Bytes;

/// A push as it came, and what became of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// Names the push in the log.
    pub id: String,
    /// When it arrived, in milliseconds since 1970.
    pub received_ms: i64,
    /// How it was sent.
    pub method: Method,
    /// What the body is.
    pub format: Format,
    /// The labels of the group in the URL, names and values.
    pub key: Vec<(String, String)>,
    /// What plugins are told of the caller, names and values.
    pub attributes: Vec<(String, String)>,
    /// The metrics, decompressed.
    pub body: Bytes,
    /// What the policies made of it.
    pub outcome: Outcome,
}

/// How a push was sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "named like the methods of HTTP")]
pub enum Method {
    #[default]
    Put,
    Post,
    Delete,
}

/// How a body is to be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "named like the formats")]
pub enum Format {
    #[default]
    Text,
    Protobuf,
    OpenMetrics,
}

/// What the policies made of a push.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// How it came out of the chain.
    pub end: End,
    /// What each policy did that was asked, in their order.
    pub policies: Vec<Policy>,
    /// The push in text, if it was edited and may be stored.
    pub edited: Option<String>,
}

/// How a push came out of the chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum End {
    /// It may be stored.
    #[default]
    Accepted,
    /// A policy rejected it.
    Rejected,
    /// A policy failed that fails closed.
    Fault,
    /// There was no free instance.
    Busy,
}

/// What one policy did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Its name in the configuration.
    pub name: String,
    /// Whether its answer counted.
    pub enforces: bool,
    /// What it answered.
    pub step: Step,
    /// The codes of its findings, in order, each once.
    pub codes: Vec<String>,
    /// Fuel used; 0 after a fault, and when its answer was remembered.
    pub fuel: u64,
}

/// What a policy answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Step {
    Accepted,
    Mutated,
    Rejected,
    Fault,
}

/// The numbers that stand for the variants in a file. Numbers are never used again for something else.
pub(crate) trait Numbered: Copy + PartialEq + Sized + 'static {
    const ALL: &'static [Self];

    fn number(self) -> u8 {
        Self::ALL.iter().position(|other| *other == self).unwrap_or_default() as u8
    }

    fn of(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

impl Numbered for Method {
    const ALL: &'static [Self] = &[Self::Put, Self::Post, Self::Delete];
}

impl Numbered for Format {
    const ALL: &'static [Self] = &[Self::Text, Self::Protobuf, Self::OpenMetrics];
}

impl Numbered for End {
    const ALL: &'static [Self] = &[Self::Accepted, Self::Rejected, Self::Fault, Self::Busy];
}

impl Numbered for Step {
    const ALL: &'static [Self] = &[Self::Accepted, Self::Mutated, Self::Rejected, Self::Fault];
}

impl Numbered for bool {
    const ALL: &'static [Self] = &[false, true];
}
