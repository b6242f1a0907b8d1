//! What can be wrong with the bytes of a stream, said so that the person who pushed it can mend it.

use std::fmt;

use crate::{Bound, OverLimit};

/// A stream was refused: the first place where it cannot be decoded. Nothing of it is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// Bytes of the stream before the problem.
    pub offset: usize,
    /// The family, counted from 1.
    pub family: u32,
    /// Its name, if that could be read.
    pub name: Option<String>,
    /// What is wrong there.
    pub problem: Problem,
}

impl std::error::Error for DecodeError {}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "protobuf format parsing error in family number {}", self.family)?;
        if let Some(name) = &self.name {
            write!(f, " ({name:?})")?;
        }
        write!(f, " at byte {}: {}", self.offset, self.problem)?;
        match self.problem.hint() {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

impl DecodeError {
    /// The bound that is passed, if the stream is legal but larger than is taken.
    pub fn bound(&self) -> Option<Bound> {
        match &self.problem {
            Problem::OverLimit(over) => Some(over.bound),
            _ => None,
        }
    }
}

/// One kind of problem.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what the variant means")]
pub enum Problem {
    #[error("unexpected end of input stream")]
    UnexpectedEnd,
    #[error("{announced} bytes are announced, but only {left} follow")]
    Truncated { announced: u64, left: usize },
    #[error("a number does not fit into 64 bits")]
    VarintOverflow,
    #[error("{0} is no field number")]
    FieldNumber(u64),
    #[error("{0} is no wire type")]
    WireType(u8),
    #[error("the group of field {0} ends, but did not begin")]
    EndGroup(u32),
    #[error("more than {0} groups are inside each other")]
    TooDeep(u32),
    #[error(transparent)]
    OverLimit(#[from] OverLimit),
}

impl Problem {
    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::UnexpectedEnd | Self::Truncated { .. } => Some(
                "the body is cut, or is none of this format: each MetricFamily has its length before it; send text as Content-Type: text/plain",
            ),
            Self::OverLimit(_) => None,
            _ => Some("send io.prometheus.client.MetricFamily messages, each with its length before it"),
        }
    }
}

/// A problem and its place, before it is known in which family that is.
pub(super) struct Fault {
    pub(super) offset: usize,
    pub(super) problem: Problem,
}
