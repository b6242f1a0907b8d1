//! What can be wrong with a body, said so that the person who pushed it can mend it.

use std::fmt;

use crate::{Bound, OverLimit};

/// A body was refused: the first line with a problem. Nothing of the body is used.
///
/// The words up to the hint are those of the Go parser, which people have searched the web for since
/// 2016.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// Counted from 1.
    pub line: u32,
    /// What is wrong there.
    pub problem: Problem,
}

impl std::error::Error for ParseError {}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "text format parsing error in line {}: {}", self.line, self.problem)?;
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
    #[error("unexpected end of input stream")]
    UnexpectedEnd,
    #[error("invalid metric name")]
    MetricName,
    #[error("invalid metric name {0:?}")]
    QuotedMetricName(String),
    #[error("multiple metric names for metric {0:?}")]
    SecondMetricName(String),
    #[error("invalid metric name in comment")]
    MetricNameInComment,
    #[error("second HELP line for metric name {0:?}")]
    SecondHelp(String),
    #[error("second TYPE line for metric name {0:?}, or TYPE reported after samples")]
    SecondType(String),
    #[error("unknown metric type {0:?}")]
    UnknownType(String),
    #[error("HELP text for metric name {0:?} is not UTF-8")]
    HelpNotUtf8(String),
    #[error("invalid label name for metric {0:?}")]
    LabelName(String),
    #[error("invalid label name {0:?}")]
    QuotedLabelName(String),
    #[error("label name {0:?} is reserved")]
    ReservedLabelName(String),
    #[error("duplicate label names for metric {0:?}")]
    DuplicateLabelNames(String),
    #[error("expected '=' after label name, found {0:?}")]
    ExpectedEquals(char),
    #[error("expected '\"' at start of label value, found {0:?}")]
    ExpectedQuote(char),
    #[error("label value {0:?} contains unescaped new-line")]
    NewLineInLabelValue(String),
    #[error("invalid escape sequence '\\{0}'")]
    InvalidEscape(char),
    #[error("invalid label value {0:?}")]
    LabelValueNotUtf8(String),
    #[error("unexpected end of label value {0:?}")]
    EndOfLabelValue(String),
    #[error("expected float as value, got {0:?}")]
    ExpectedValue(String),
    #[error("expected float as value for '{label}' label, got {found:?}")]
    ExpectedBound { label: &'static str, found: String },
    #[error("negative count for histogram {0:?}")]
    NegativeCount(String),
    #[error("negative bucket population for histogram {0:?}")]
    NegativeBucket(String),
    #[error("expected integer as timestamp, got {0:?}")]
    ExpectedTimestamp(String),
    #[error("spurious string after timestamp: {0:?}")]
    AfterTimestamp(String),
    #[error(transparent)]
    OverLimit(#[from] OverLimit),
}

impl Problem {
    /// What to do about it, where the usual cause is known.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::UnexpectedEnd => Some(
                "the last line must end in a line feed; with curl use --data-binary instead of -d, and echo instead of echo -n",
            ),
            Self::ExpectedValue(found) | Self::UnknownType(found) | Self::ExpectedTimestamp(found)
                if found.ends_with('\r') =>
            {
                Some("the line ends in CRLF; convert the body to LF line ends, for example with tr -d '\\r'")
            }
            Self::ExpectedTimestamp(found) if found.is_empty() => {
                Some("remove the blank at the end of the line")
            }
            Self::ExpectedTimestamp(found) if found.starts_with('#') => Some(
                "comments and exemplars behind a sample are not part of this format; put comments on lines of their own",
            ),
            Self::ExpectedValue(found) if found.starts_with(['-', '.', '/']) && !found.is_empty() => {
                Some("metric names may hold letters, digits, '_' and ':' only")
            }
            Self::ExpectedEquals(_) | Self::LabelName(_) => {
                Some("label names may hold letters, digits and '_' only, and not begin with a digit")
            }
            Self::ExpectedQuote(_) => Some("label values stand in double quotes"),
            Self::UnknownType(_) => Some("use counter, gauge, histogram, gaugehistogram, summary or untyped"),
            Self::LabelValueNotUtf8(_) | Self::HelpNotUtf8(_) => Some("send the body as UTF-8"),
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

/// A token as text, cut at 64 characters.
pub(crate) fn quote(token: &[u8]) -> String {
    const MAX: usize = 64;
    let text = String::from_utf8_lossy(&token[..token.len().min(4 * MAX)]);
    match text.char_indices().nth(MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into_owned(),
    }
}
