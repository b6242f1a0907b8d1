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

struct Parser<'a> {
    cursor: Cursor<'a>,
    line: u32,
    rules: &'a Rules,
    assembler: Assembler<'a>,
    /// The name of the sample before, and where it went.
    last_target: Option<(&'a [u8], Target)>,
    /// The labels of this line and of the line before, as written, without `le` and `quantile`.
    labels: Vec<Label>,
    last_labels: Vec<Label>,
}

impl<'a> Parser<'a> {
    fn new(body: &'a [u8], builder: Builder, rules: &'a Rules) -> Self {
        Self {
            cursor: Cursor::new(body),
            line: 0,
            rules,
            assembler: Assembler::new(builder, &rules.limits),
            last_target: None,
            labels: Vec::new(),
            last_labels: Vec::new(),
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
        let mut target = None;
        if self.cursor.peek()? != b'{' {
            target = Some(self.target()?);
            self.cursor.skip_blanks();
        }
        let mut bound = None;
        self.labels.clear();
        if self.cursor.peek()? == b'{' {
            self.cursor.bump();
            match target {
                Some(target) => self.labels_of(target, &mut bound)?,
                None => target = Some(self.labels_with_name(&mut bound)?),
            }
            self.cursor.skip_blanks();
        }
        let target = target.ok_or(Problem::MetricName)?;
        let word = self.cursor.word()?;
        let value = number::read(word).ok_or_else(|| Problem::ExpectedValue(quote(word)))?;
        self.last_labels.clone_from(&self.labels);
        // A bucket that ends nowhere makes its series and says nothing, as in Go.
        let bound = bound.filter(|bound| !bound.is_nan());
        self.assembler.sample(target, &mut self.labels, bound, value)?;
        if self.cursor.peek()? == b'\n' {
            self.cursor.bump();
            return Ok(());
        }
        self.timestamp()
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
        while !self.closing_brace()? {
            if self.label_as_before(point_label)? {
                continue;
            }
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
            } else {
                self.label(&name)?;
            }
        }
        Ok(self.rules.limits.check(Bound::Labels, self.labels.len())?)
    }

    /// Labels with the metric's name, quoted, among them. Only when the name is known can it be said
    /// which label is `le` or `quantile`, so that one is taken out at the end.
    #[cold]
    fn labels_with_name(&mut self, bound: &mut Option<f64>) -> Result<Target, Problem> {
        let mut target: Option<Target> = None;
        while !self.closing_brace()? {
            let name = name_token(&mut self.cursor, label_name_len)?;
            self.cursor.skip_blanks();
            if self.cursor.peek()? == b'=' {
                self.equals()?;
                self.label(&name)?;
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

    /// The label next, if it has the name that the line before has in this place.
    #[inline]
    fn label_as_before(&mut self, point_label: Option<&str>) -> Result<bool, Problem> {
        let Some(before) = self.last_labels.get(self.labels.len()).copied() else { return Ok(false) };
        let name = self.assembler.builder().symbols().get(before.name);
        if Some(name) == point_label || !self.cursor.take_label_name(name.as_bytes()) {
            return Ok(false);
        }
        self.value_of(before.name, Some(before.value))?;
        Ok(true)
    }

    /// An ordinary label, from behind its equals sign.
    fn label(&mut self, name: &[u8]) -> Result<(), Problem> {
        let name = self.label_name(name)?;
        self.value_of(name, None)
    }

    /// The value of a label, which may be the one that the line before has in this place.
    #[inline]
    fn value_of(&mut self, name: u32, before: Option<u32>) -> Result<(), Problem> {
        let token = self.value_token()?;
        self.end_of_value(&token)?;
        let symbols = self.assembler.builder().symbols();
        let value = match before {
            Some(before) if symbols.get(before).as_bytes() == &*token => before,
            _ => self.assembler.label_value(&token)?,
        };
        self.labels.push(Label { name, value });
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
