//! What can be wrong with an OpenMetrics body, said so that the person who pushed it can mend it.

use std::fmt;

use crate::{Bound, OverLimit, text};

/// A body was refused: the first line with a problem. Nothing of the body is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// Counted from 1. For what is wrong with a metric as a whole, where it begins.
    pub line: u32,
    /// What is wrong there.
    pub problem: Problem,
}

impl std::error::Error for ParseError {}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpenMetrics parsing error in line {}: {}", self.line, self.problem)?;
        match self.problem.hint() {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

/// One kind of problem; the strings are what was found, cut to a length that fits on a line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what the variant means")]
pub enum Problem {
    #[error("not UTF-8")]
    NotUtf8,
    #[error("the last line is not \"# EOF\"")]
    NoEof,
    #[error("there is something after \"# EOF\"")]
    AfterEof,
    #[error("blank line")]
    BlankLine,
    #[error("the line ends in a carriage return")]
    CarriageReturn,
    #[error("the line begins with #, but is none of # HELP, # TYPE, # UNIT and # EOF")]
    Comment,
    #[error("the line ends too early")]
    LineEnd,
    #[error("expected a blank, found {0:?}")]
    ExpectedBlank(char),
    #[error("expected an exemplar's labels in braces, found {0:?}")]
    ExpectedBrace(char),
    #[error("expected seconds as timestamp, got {0:?}")]
    ExpectedTimestamp(String),
    #[error("unknown metric type {0:?}")]
    UnknownType(String),
    #[error("second {keyword} line for metric name {name:?}")]
    SecondMetadata { keyword: &'static str, name: String },
    #[error("{keyword} line for metric name {name:?} after its samples")]
    LateMetadata { keyword: &'static str, name: String },
    #[error("the metric name {name:?} does not end in _{unit}, which is its unit")]
    Unit { name: String, unit: String },
    #[error("the metric name {0:?} belongs to a family further up")]
    NameTaken(String),
    #[error("a sample of {kind} {name:?} cannot have just that name")]
    NoSuffix { kind: &'static str, name: String },
    #[error("{kind} {name:?} with those labels has this sample already")]
    DuplicateSample { kind: &'static str, name: String },
    #[error("{kind} {name:?} with those labels came already, and another one since")]
    DuplicateMetric { kind: &'static str, name: String },
    #[error("exemplar of {kind} {name:?}, which cannot have one here")]
    Exemplar { kind: &'static str, name: String },
    #[error("the labels of the exemplar have more than 128 characters")]
    LongExemplar,
    #[error("{kind} {name:?}: {rule}")]
    Rule { kind: &'static str, name: String, rule: &'static str },
    #[error(transparent)]
    Token(text::Problem),
    #[error(transparent)]
    OverLimit(#[from] OverLimit),
}

impl From<text::Problem> for Problem {
    fn from(problem: text::Problem) -> Self {
        match problem {
            text::Problem::UnexpectedEnd => Self::LineEnd, // Each line is read on its own.
            text::Problem::OverLimit(over) => Self::OverLimit(over),
            problem => Self::Token(problem),
        }
    }
}

impl Problem {
    /// What to do about it, where the usual cause is known.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NotUtf8 => Some("send the body as UTF-8"),
            Self::NoEof => Some(
                "end the body with a line # EOF, which shows that nothing was cut off; for the format without it, send Content-Type: text/plain",
            ),
            Self::BlankLine | Self::Comment => {
                Some("OpenMetrics has no blank lines and no comments; text/plain has")
            }
            Self::CarriageReturn => Some("convert the body to LF line ends, for example with tr -d '\\r'"),
            Self::Token(text::Problem::ExpectedValue(found)) if found.is_empty() => {
                Some("there must be one blank before the value, not more")
            }
            Self::ExpectedBlank('.' | '-' | '/') => {
                Some("metric names may hold letters, digits, '_' and ':' only, unless they stand in quotes")
            }
            Self::ExpectedTimestamp(found) if found.is_empty() => {
                Some("remove the blank at the end of the line")
            }
            Self::UnknownType(found) if found == "untyped" => Some("in OpenMetrics it is unknown"),
            Self::UnknownType(_) => {
                Some("use counter, gauge, histogram, gaugehistogram, summary, info, stateset or unknown")
            }
            Self::LateMetadata { .. } => Some("put HELP, TYPE and UNIT before the samples"),
            Self::NameTaken(_) => Some(
                "the lines of a family stand together; beside a counter a there can be no a_total or a_created",
            ),
            Self::NoSuffix { kind: "counter", .. } => {
                Some("the TYPE line of a counter has its name without _total, its sample has it with _total")
            }
            Self::NoSuffix { kind: "info", .. } => {
                Some("the TYPE line of an info has its name without _info, its sample has it with _info")
            }
            Self::NoSuffix { .. } => {
                Some("the samples end in _bucket, _sum or _count, or in _gsum or _gcount")
            }
            Self::DuplicateMetric { .. } => Some("the lines of a metric stand together"),
            Self::Exemplar { .. } => Some("exemplars belong to the _total of counters and to buckets"),
            Self::Token(problem) => problem.hint(),
            _ => None,
        }
    }

    /// The bound that is passed, if the body is legal but larger than is taken.
    pub fn bound(&self) -> Option<Bound> {
        match self {
            Self::OverLimit(over) => Some(over.bound),
            _ => None,
        }
    }
}
