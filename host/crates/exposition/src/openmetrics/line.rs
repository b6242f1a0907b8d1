//! The grammar of a sample's line: which piece stands where, whatever it means.

use std::borrow::Cow;

use crate::Timestamp;
use crate::cursor::Cursor;
use crate::name::metric_name_len;
use crate::openmetrics::tokens::{self, Pair, read_value};
use crate::openmetrics::{Problem, timestamp};
use crate::text::{self, quote};

/// `name{labels} value timestamp # {labels} value timestamp`, of which only name and value must be there.
pub(super) struct SampleLine<'a> {
    pub(super) name: Cow<'a, [u8]>,
    pub(super) labels: Vec<Pair<'a>>,
    /// The value as it is written.
    pub(super) word: &'a [u8],
    pub(super) value: f64,
    pub(super) timestamp: Option<Timestamp>,
    pub(super) exemplar: Option<ExemplarText<'a>>,
}

/// An exemplar of which no rule is checked yet.
pub(super) struct ExemplarText<'a> {
    pub(super) labels: Vec<Pair<'a>>,
    pub(super) value: f64,
    pub(super) timestamp: Option<Timestamp>,
}

impl<'a> SampleLine<'a> {
    /// Reads a line without its line feed. What was in `labels` is gone, only their room is used.
    pub(super) fn read(line: &'a [u8], mut labels: Vec<Pair<'a>>) -> Result<Self, Problem> {
        labels.clear();
        let mut cursor = Cursor::new(line);
        let name = name_and_labels(&mut cursor, &mut labels)?;
        tokens::blank(&mut cursor)?;
        let word = tokens::word(&mut cursor);
        let value = read_value(word)?;
        let mut line = Self { name, labels, word, value, timestamp: None, exemplar: None };
        if cursor.next().is_none() {
            return Ok(line);
        }
        tokens::blank(&mut cursor)?;
        if cursor.next() != Some(b'#') {
            let word = tokens::word(&mut cursor);
            let time = timestamp::read(word).ok_or_else(|| Problem::ExpectedTimestamp(quote(word)))?;
            line.timestamp = Some(time);
            if cursor.next().is_none() {
                return Ok(line);
            }
            tokens::blank(&mut cursor)?;
            if cursor.peek()? != b'#' {
                return Err(Problem::ExpectedTimestamp(quote(cursor.rest())));
            }
        }
        line.exemplar = Some(exemplar(&mut cursor)?);
        Ok(line)
    }
}

/// A bare name and labels that may be left out, or braces with a quoted name before the labels.
fn name_and_labels<'a>(
    cursor: &mut Cursor<'a>,
    labels: &mut Vec<Pair<'a>>,
) -> Result<Cow<'a, [u8]>, Problem> {
    let bare = cursor.take(metric_name_len(cursor.rest()));
    if !bare.is_empty() {
        if cursor.next() == Some(b'{') {
            tokens::labels(cursor, labels)?;
        }
        return Ok(Cow::Borrowed(bare));
    }
    if !cursor.rest().starts_with(b"{\"") {
        return Err(text::Problem::MetricName.into());
    }
    cursor.bump();
    let name = tokens::name(cursor, metric_name_len)?;
    match cursor.peek()? {
        b',' => tokens::labels(cursor, labels)?,
        b'}' => cursor.bump(),
        _ => return Err(text::Problem::MetricName.into()),
    }
    Ok(name)
}

/// `# {labels} value timestamp`, to the end of the line.
fn exemplar<'a>(cursor: &mut Cursor<'a>) -> Result<ExemplarText<'a>, Problem> {
    cursor.bump();
    tokens::blank(cursor)?;
    if cursor.peek()? != b'{' {
        return Err(Problem::ExpectedBrace(cursor.char()));
    }
    let mut labels = Vec::new();
    tokens::labels(cursor, &mut labels)?;
    tokens::blank(cursor)?;
    let value = read_value(tokens::word(cursor))?;
    let mut timestamp = None;
    if cursor.next().is_some() {
        tokens::blank(cursor)?;
        timestamp = Some(timestamp::read_kept(cursor.rest())?);
    }
    Ok(ExemplarText { labels, value, timestamp })
}
