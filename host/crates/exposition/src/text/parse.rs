//! Text to columns, in one pass.
//!
//! The grammar is that of Go's `expfmt.TextParser`, in which the Pushgateway and so every client library
//! was tried; the table in `tests/text_rules.rs` has a row for each of its rules. Where that parser
//! accepts by accident (a quote right behind a name) or panics (`{}` as the first sample), this one
//! refuses.
//!
//! Speed comes from looking at what the line before had in the same place: most series of a family
//! repeat its names and many of its values, and comparing is cheaper than hashing.

use std::borrow::Cow;

use memchr::memchr_iter;

use crate::cursor::{Cursor, is_blank, unescape};
use crate::lenient::tidy;
use crate::name::{label_name_len, metric_name_len};
use crate::text::assembler::{Assembler, Target};
use crate::text::{ParseError, Problem, number, quote};
use crate::{
    Bound, Builder, Detail, GroupingKey, Kind, Label, Manners, Names, Objection, OverLimit, Place, Push,
    Rules,
};

/// Reads a body that is pushed to the group of `key`.
///
/// # Errors
/// The first problem, with its line. The whole body is refused then.
pub fn parse(body: &[u8], key: &GroupingKey, rules: &Rules) -> Result<Push, ParseError> {
    let builder = Builder::new(key).map_err(|_| ParseError { line: 1, problem: OverLimit::ARENA.into() })?;
    match rules.manners {
        Manners::Strict => run(body, builder, rules),
        Manners::Lenient => run(&tidy(body), builder, rules),
    }
}

/// Reads the lines of one family back that [`encode`](crate::text::encode()) wrote, all labels as they stand there;
/// `details` are those of its series, by row. Without lines there is no family.
///
/// # Errors
/// When they are not such lines.
pub fn read_back(
    name: &str,
    kind: Kind,
    lines: &str,
    details: impl IntoIterator<Item = (u32, Detail)>,
) -> Result<Push, ParseError> {
    let mut builder = Builder::without_group();
    let symbol = builder.intern(name.as_bytes());
    let symbol = symbol.map_err(|_| ParseError { line: 1, problem: OverLimit::ARENA.into() })?;
    let family = builder.family(symbol);
    builder.set_kind(family, kind);
    let rules = Rules { names: Names::Utf8, ..Rules::default() };
    let mut parser = Parser::new(lines.as_bytes(), builder, &rules);
    parser.lines().map_err(|problem| ParseError { line: parser.line, problem })?;
    let mut builder = parser.assembler.into_builder();
    for (series, detail) in details {
        if (series as usize) < builder.series_count() {
            builder.set_detail(series, detail);
        }
    }
    Ok(builder.finish())
}

fn run(body: &[u8], builder: Builder, rules: &Rules) -> Result<Push, ParseError> {
    let mut parser = Parser::new(body, builder, rules);
    match parser.lines() {
        Ok(()) => Ok(parser.assembler.into_builder().finish()),
        Err(problem) => Err(ParseError { line: parser.line, problem }),
    }
}

/// More labels than most series have.
const LABELS: usize = 16;

struct Parser<'a> {
    cursor: Cursor<'a>,
    line: u32,
    rules: &'a Rules,
    assembler: Assembler<'a>,
    /// The name of the sample before, and where it went.
    last_target: Option<(&'a [u8], Target)>,
    /// The labels of this line in the order written, without `le` and `quantile`.
    labels: Vec<Label>,
    /// What labels were written as: in each place the one of this line, or of a line before.
    written: Vec<Written<'a>>,
    /// Where the last line with labels begins.
    start: usize,
    /// How many bytes of it each of its labels needs, with the comma or brace behind it; none from a point's on.
    ends: Vec<usize>,
    /// What [`written`](Self::written) has left out.
    point_label: Option<&'static str>,
}

/// A label as it stands in the body, and what it is.
#[derive(Clone, Copy)]
struct Written<'a> {
    /// From the first byte of the name up to and with the quote behind the value.
    text: &'a [u8],
    /// Of these, the bytes up to the quote before the value.
    value_at: usize,
    label: Label,
}

impl<'a> Parser<'a> {
    fn new(body: &'a [u8], mut builder: Builder, rules: &'a Rules) -> Self {
        // So nearly no column grows while it is written. A line may have no label, but hardly one that is none has many.
        builder.reserve(memchr_iter(b'\n', body).count(), memchr_iter(b'=', body).count());
        Self {
            cursor: Cursor::new(body),
            line: 0,
            rules,
            assembler: Assembler::new(builder, &rules.limits),
            last_target: None,
            labels: Vec::with_capacity(LABELS),
            written: Vec::with_capacity(LABELS),
            start: 0,
            ends: Vec::with_capacity(LABELS),
            point_label: None,
        }
    }

    fn lines(&mut self) -> Result<(), Problem> {
        loop {
            self.line = self.line.saturating_add(1);
            self.cursor.skip_blanks();
            match self.cursor.next() {
                None => return Ok(()),
                Some(b'\n') => self.cursor.bump(),
                Some(b'#') => self.comment()?,
                Some(_) => self.sample()?,
            }
        }
    }

    /// `# HELP name text`, `# TYPE name type`, or anything else behind a `#`. A keyword with no more
    /// than a name behind it says nothing.
    fn comment(&mut self) -> Result<(), Problem> {
        let line = self.cursor.line()?;
        let line = trim_blanks(&line[1..]);
        let (keyword, line) =
            line.split_at(line.iter().position(|&byte| is_blank(byte)).unwrap_or(line.len()));
        let line = trim_blanks(line);
        if !matches!(keyword, b"HELP" | b"TYPE") || line.is_empty() {
            return Ok(());
        }
        let mut cursor = Cursor::new(line);
        let name = name_token(&mut cursor, metric_name_len).map_err(|_| Problem::MetricNameInComment)?;
        let rest = cursor.rest();
        if rest.is_empty() && !name.is_empty() {
            return Ok(());
        }
        if name.is_empty() || !rest.first().is_some_and(|&byte| is_blank(byte)) {
            return Err(Problem::MetricNameInComment);
        }
        let target = self.assembler.target(self.check_metric_name(&name)?)?;
        let rest = trim_blanks(rest);
        if rest.is_empty() {
            return Ok(());
        }
        if keyword == b"HELP" {
            return self.assembler.help(target, &unescape_help(rest)?);
        }
        self.last_target = None; // Names seen before may go elsewhere, now that this one has a type.
        self.assembler.kind(target, rest)
    }

    /// `name{labels} value`, or `{"name",labels} value`.
    fn sample(&mut self) -> Result<(), Problem> {
        let mut bound = None;
        self.labels.clear();
        let target = match self.beginning_as_before() {
            Some(target) => {
                self.labels_of(target, &mut bound)?;
                target
            }
            None => self.beginning(&mut bound)?,
        };
        self.cursor.skip_blanks();
        let word = self.cursor.word()?;
        let value = number::read(word).ok_or_else(|| Problem::ExpectedValue(quote(word)))?;
        // A bucket that ends nowhere makes its series and says nothing, as in Go.
        let bound = bound.filter(|bound| !bound.is_nan());
        self.assembler.sample(target, &mut self.labels, bound, value)?;
        if self.cursor.peek()? == b'\n' {
            self.cursor.bump();
            return Ok(());
        }
        self.timestamp()
    }

    /// The name and the labels of a sample.
    fn beginning(&mut self, bound: &mut Option<f64>) -> Result<Target, Problem> {
        self.start = self.cursor.at();
        self.ends.clear();
        if self.cursor.peek()? == b'{' {
            self.cursor.bump();
            return self.labels_with_name(bound);
        }
        let target = self.target()?;
        self.cursor.skip_blanks();
        if self.cursor.peek()? == b'{' {
            self.cursor.bump();
            self.labels_of(target, bound)?;
        }
        Ok(target)
    }

    /// Takes the name and all labels that are written as in the line before, up to the first that is not; nothing if that
    /// is the first one already.
    #[inline]
    fn beginning_as_before(&mut self) -> Option<Target> {
        let (_, target) = self.last_target?;
        let common = self.cursor.common_with(self.start);
        let count = self.ends.iter().take_while(|&&end| end <= common).count();
        self.ends.truncate(count);
        let end = *self.ends.last()?;
        self.labels.extend(self.written.iter().take(count).map(|written| written.label));
        self.start = self.cursor.at();
        self.cursor.take(end - 1);
        if self.cursor.next() == Some(b',') {
            self.cursor.bump();
        }
        Some(target)
    }

    /// Where the sample goes whose name comes next.
    #[inline]
    fn target(&mut self) -> Result<Target, Problem> {
        if let Some((last, target)) = self.last_target
            && self.cursor.take_name(last)
        {
            return Ok(target);
        }
        let rest = self.cursor.rest();
        let name = self.cursor.take(metric_name_len(rest));
        if name.is_empty() {
            return Err(Problem::MetricName);
        }
        let target = self.assembler.target_of_sample(name)?;
        self.last_target = Some((name, target));
        Ok(target)
    }

    /// A timestamp is legal in the format, but not in a push: it is noted, and the store refuses.
    fn timestamp(&mut self) -> Result<(), Problem> {
        self.cursor.skip_blanks();
        let word = self.cursor.word()?;
        let is_integer = std::str::from_utf8(word).is_ok_and(|word| word.parse::<i64>().is_ok());
        if !is_integer {
            return Err(Problem::ExpectedTimestamp(quote(word)));
        }
        let rest = self.cursor.line()?;
        if !rest.is_empty() {
            return Err(Problem::AfterTimestamp(quote(rest)));
        }
        if self.rules.manners == Manners::Strict {
            self.assembler.object(Objection::Timestamp { place: Place::Line(self.line) });
        }
        Ok(())
    }

    /// The labels of a sample whose name stood before the brace, up to and with the closing one.
    #[inline]
    fn labels_of(&mut self, target: Target, bound: &mut Option<f64>) -> Result<(), Problem> {
        let point_label = target.kind.point_label();
        if self.point_label != point_label {
            self.point_label = point_label;
            self.written.clear();
        }
        // From a point's label on, the labels of a line are not those before it and after it.
        let mut is_pointless = true;
        while !self.closing_brace()? {
            if self.label_as_before()? {
                self.note_end(is_pointless);
                continue;
            }
            let start = self.cursor.at();
            let name = name_token(&mut self.cursor, label_name_len)?;
            if name.is_empty() {
                return Err(Problem::LabelName(self.assembler.family_name(target)));
            }
            self.equals()?;
            if let Some(point_label) = point_label
                && *name == *point_label.as_bytes()
            {
                let value = self.value_token()?;
                if bound.replace(read_bound(point_label, &value)?).is_some() {
                    return Err(Problem::DuplicateLabelNames(self.assembler.family_name(target)));
                }
                self.end_of_value(&value)?;
                is_pointless = false;
            } else {
                self.label(&name, start)?;
                self.note_end(is_pointless);
            }
        }
        Ok(self.rules.limits.check(Bound::Labels, self.labels.len())?)
    }

    /// A label has ended, and if a comma followed, that was taken.
    #[inline]
    fn note_end(&mut self, counts: bool) {
        if counts {
            let taken = self.cursor.at() - self.start;
            let is_last = self.cursor.next() == Some(b'}');
            self.ends.push(taken + usize::from(is_last));
        }
    }

    /// Labels with the metric's name, quoted, among them. Only when the name is known can it be said
    /// which label is `le` or `quantile`, so that one is taken out at the end.
    #[cold]
    fn labels_with_name(&mut self, bound: &mut Option<f64>) -> Result<Target, Problem> {
        let mut target: Option<Target> = None;
        self.written.clear();
        while !self.closing_brace()? {
            let start = self.cursor.at();
            let name = name_token(&mut self.cursor, label_name_len)?;
            self.cursor.skip_blanks();
            if self.cursor.peek()? == b'=' {
                self.equals()?;
                self.label(&name, start)?;
                continue;
            }
            if let Some(target) = target {
                return Err(Problem::SecondMetricName(self.assembler.family_name(target)));
            }
            target = Some(self.assembler.target_of_sample(self.check_metric_name(&name)?)?);
            match self.cursor.peek()? {
                b',' => self.cursor.bump(),
                b'}' => {}
                _ => return Err(Problem::ExpectedEquals(self.cursor.char())),
            }
        }
        let target = target.ok_or(Problem::MetricName)?;
        let symbols = self.assembler.builder().symbols();
        let is_bound = |label: &Label| target.kind.point_label() == Some(symbols.get(label.name));
        if let Some(at) = self.labels.iter().position(is_bound) {
            let label = self.labels.remove(at);
            *bound = Some(read_bound(symbols.get(label.name), symbols.get(label.value).as_bytes())?);
        }
        self.rules.limits.check(Bound::Labels, self.labels.len())?;
        self.written.clear();
        Ok(target)
    }

    #[inline]
    fn closing_brace(&mut self) -> Result<bool, Problem> {
        self.cursor.skip_blanks();
        let closing = self.cursor.peek()? == b'}';
        if closing {
            self.cursor.bump();
        }
        Ok(closing)
    }

    #[inline]
    fn equals(&mut self) -> Result<(), Problem> {
        self.cursor.skip_blanks();
        if self.cursor.peek()? != b'=' {
            return Err(Problem::ExpectedEquals(self.cursor.char()));
        }
        self.cursor.bump();
        Ok(())
    }

    /// A label's value, from behind the equals sign.
    #[inline]
    fn value_token(&mut self) -> Result<Cow<'a, [u8]>, Problem> {
        self.cursor.skip_blanks();
        if self.cursor.peek()? != b'"' {
            return Err(Problem::ExpectedQuote(self.cursor.char()));
        }
        self.cursor.quoted()
    }

    #[inline]
    fn end_of_value(&mut self, value: &[u8]) -> Result<(), Problem> {
        self.cursor.skip_blanks();
        match self.cursor.peek()? {
            b',' => self.cursor.bump(),
            b'}' => {}
            _ => return Err(Problem::EndOfLabelValue(quote(value))),
        }
        Ok(())
    }

    /// Takes the label next if it is written as one before was in this place, or at least its name is.
    #[inline]
    fn label_as_before(&mut self) -> Result<bool, Problem> {
        let Some(before) = self.written.get(self.labels.len()).copied() else { return Ok(false) };
        if self.cursor.take_label(before.text) {
            self.labels.push(before.label);
            return Ok(true);
        }
        let start = self.cursor.at();
        let (name, _) = before.text.split_at_checked(before.value_at).unwrap_or_default();
        let taken = self.cursor.take_if(name);
        if taken {
            self.value(before.label.name, start)?;
        }
        Ok(taken)
    }

    /// An ordinary label, from behind its equals sign; it began at `start`.
    fn label(&mut self, name: &[u8], start: usize) -> Result<(), Problem> {
        let name = self.label_name(name)?;
        self.value(name, start)
    }

    /// The value of a label, which began at `start`.
    #[inline]
    fn value(&mut self, name: u32, start: usize) -> Result<(), Problem> {
        self.cursor.skip_blanks();
        let value_at = self.cursor.at() - start;
        let token = self.value_token()?;
        let text = self.cursor.since(start);
        self.end_of_value(&token)?;
        let label = Label { name, value: self.assembler.label_value(&token)? };
        let written = Written { text, value_at, label };
        match self.written.get_mut(self.labels.len()) {
            Some(before) => *before = written,
            None => self.written.push(written),
        }
        self.labels.push(label);
        Ok(())
    }

    fn check_metric_name<'n>(&self, name: &'n [u8]) -> Result<&'n [u8], Problem> {
        match metric_name_len(name) {
            0 if name.is_empty() => Err(Problem::MetricName),
            len if len == name.len() => Ok(name),
            _ if self.rules.names == Names::Utf8 && std::str::from_utf8(name).is_ok() => Ok(name),
            _ => Err(Problem::QuotedMetricName(quote(name))),
        }
    }

    fn label_name(&mut self, name: &[u8]) -> Result<u32, Problem> {
        if label_name_len(name) != name.len() || name.is_empty() {
            let is_legal = std::str::from_utf8(name).is_ok_and(|name| self.rules.names.allow_label(name));
            if !is_legal {
                return Err(Problem::QuotedLabelName(quote(name)));
            }
            self.assembler.note_utf8_label();
        }
        if name == b"__name__" {
            return Err(Problem::ReservedLabelName(quote(name)));
        }
        if name.starts_with(b"__") {
            let place = Place::Line(self.line);
            self.assembler.object(Objection::ReservedLabel { place, name: quote(name) });
        }
        self.assembler.label_name(name)
    }
}

/// A name: bare as far as `bare_len` says, or quoted. A bare one may be empty, where none begins.
#[inline]
fn name_token<'a>(cursor: &mut Cursor<'a>, bare_len: fn(&[u8]) -> usize) -> Result<Cow<'a, [u8]>, Problem> {
    if cursor.peek()? == b'"' {
        return cursor.quoted();
    }
    let len = bare_len(cursor.rest());
    Ok(Cow::Borrowed(cursor.take(len)))
}

fn read_bound(label: &str, value: &[u8]) -> Result<f64, Problem> {
    let label = if label == "le" { "le" } else { "quantile" };
    number::read(value).ok_or_else(|| Problem::ExpectedBound { label, found: quote(value) })
}

fn unescape_help(text: &[u8]) -> Result<Cow<'_, [u8]>, Problem> {
    if !text.contains(&b'\\') {
        return Ok(Cow::Borrowed(text));
    }
    let mut plain = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(&byte) = bytes.next() {
        plain.push(match byte {
            b'\\' => {
                let escaped = bytes.next().copied().unwrap_or(b'\n');
                unescape(escaped).ok_or_else(|| Problem::InvalidEscape(char::from(escaped)))?
            }
            _ => byte,
        });
    }
    Ok(Cow::Owned(plain))
}

fn trim_blanks(line: &[u8]) -> &[u8] {
    &line[line.iter().position(|&byte| !is_blank(byte)).unwrap_or(line.len())..]
}
