//! OpenMetrics text to columns, line by line.
//!
//! The grammar and the rules are those of the specification; the table in `tests/openmetrics_rules.rs` has a row for
//! each. Three are left out, since the client library for Go breaks them and Prometheus reads it all the same: sums
//! and quantiles may be negative where negative values were observed, and a gauge may have the name of a counter. That
//! the value of an exemplar lies in its bucket is not checked either.

use std::borrow::Cow;
use std::collections::HashSet;

use foldhash::fast::RandomState;
use memchr::memchr;

use crate::cursor::Cursor;
use crate::lenient::tidy;
use crate::name::{is_bare_label_name, metric_name_len};
use crate::openmetrics::family::{Family, Part, Type};
use crate::openmetrics::line::SampleLine;
use crate::openmetrics::metric::{Fault, Metric, Sample};
use crate::openmetrics::timestamp::read_kept;
use crate::openmetrics::tokens::{self, Pair, check_label_name};
use crate::openmetrics::{ParseError, Problem, exemplar};
use crate::series_index::SeriesIndex;
use crate::text::{self, number, quote};
use crate::{
    Bound, Builder, GroupingKey, InternError, Label, Manners, Names, Objection, OverLimit, Place, Push,
    Rules, Sym,
};

/// Reads a body that is pushed to the group of `key`.
///
/// With [`Manners::Lenient`] blank lines and a missing `# EOF` are forgiven too: that line shows that nothing was cut
/// off, which HTTP does as well.
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

fn run(body: &[u8], builder: Builder, rules: &Rules) -> Result<Push, ParseError> {
    if let Err(error) = std::str::from_utf8(body) {
        let before = body.get(..error.valid_up_to()).unwrap_or_default();
        let lines = before.iter().filter(|&&byte| byte == b'\n').count();
        let line = u32::try_from(lines).unwrap_or(u32::MAX).saturating_add(1);
        return Err(ParseError { line, problem: Problem::NotUtf8 });
    }
    let mut parser = Parser::new(builder, rules);
    match parser.lines(body) {
        Ok(()) => Ok(parser.builder.finish()),
        Err(problem) => Err(ParseError { line: parser.line.max(1), problem }),
    }
}

struct Parser<'a> {
    line: u32,
    rules: &'a Rules,
    builder: Builder,
    /// The names of the families so far and of all samples that they can have.
    taken: HashSet<Box<[u8]>, RandomState>,
    /// All series, to find one that comes again.
    seen: SeriesIndex,
    family: Option<Family<'a>>,
    /// Room for the labels of a line, as they are written.
    pairs: Vec<Pair<'a>>,
}

impl<'a> Parser<'a> {
    fn new(builder: Builder, rules: &'a Rules) -> Self {
        Self {
            line: 0,
            rules,
            builder,
            taken: HashSet::default(),
            seen: SeriesIndex::default(),
            family: None,
            pairs: Vec::new(),
        }
    }

    fn lines(&mut self, body: &'a [u8]) -> Result<(), Problem> {
        let mut rest = body;
        while !rest.is_empty() {
            self.line = self.line.saturating_add(1);
            let end = memchr(b'\n', rest).unwrap_or(rest.len());
            let (line, behind) = rest.split_at(end);
            rest = behind.get(1..).unwrap_or_default();
            if line == b"# EOF" {
                self.end_family()?;
                return self.end(rest);
            }
            self.one_line(line)?;
        }
        self.end_family()?;
        if self.is_lenient() { Ok(()) } else { Err(Problem::NoEof) }
    }

    fn end(&mut self, rest: &[u8]) -> Result<(), Problem> {
        if rest.is_empty() || (self.is_lenient() && rest.iter().all(|&byte| byte == b'\n')) {
            return Ok(());
        }
        self.line = self.line.saturating_add(1);
        Err(Problem::AfterEof)
    }

    fn is_lenient(&self) -> bool {
        self.rules.manners == Manners::Lenient
    }

    fn one_line(&mut self, line: &'a [u8]) -> Result<(), Problem> {
        match line.first() {
            None if self.is_lenient() => Ok(()),
            None => Err(Problem::BlankLine),
            // What ends a HELP line is a part of its text.
            Some(_) if line.ends_with(b"\r") && !line.starts_with(b"# HELP ") => Err(Problem::CarriageReturn),
            Some(b'#') => self.metadata(line),
            Some(_) => self.sample(line),
        }
    }

    /// `# HELP name text`, `# TYPE name type` or `# UNIT name unit`.
    fn metadata(&mut self, line: &'a [u8]) -> Result<(), Problem> {
        let keywords = [("HELP", &b"# HELP "[..]), ("TYPE", b"# TYPE "), ("UNIT", b"# UNIT ")];
        let found = keywords.iter().find_map(|&(keyword, start)| Some((keyword, line.strip_prefix(start)?)));
        let (keyword, rest) = found.ok_or(Problem::Comment)?;
        let mut cursor = Cursor::new(rest);
        let name =
            tokens::name(&mut cursor, metric_name_len).map_err(|_| text::Problem::MetricNameInComment)?;
        if name.is_empty() {
            return Err(text::Problem::MetricNameInComment.into());
        }
        let value = match cursor.rest() {
            [b' ', value @ ..] => value,
            // The blank before an empty text was tidied away.
            [] if self.is_lenient() && keyword != "TYPE" => b"",
            [] => return Err(Problem::LineEnd),
            _ => return Err(text::Problem::MetricNameInComment.into()),
        };
        self.check_metric_name(&name)?;
        let same = self.family.as_ref().filter(|family| family.name == name);
        if same.is_none_or(|family| family.row.is_some()) {
            let late = same.is_some().then_some(keyword);
            if same.is_some_and(|family| family.declared.is_none()) {
                return Err(Problem::LateMetadata { keyword, name: quote(&name) });
            }
            self.begin_family(name, late)?;
        }
        match keyword {
            "HELP" => self.help(value),
            "UNIT" => self.unit(value),
            _ => self.kind(value),
        }
    }

    fn help(&mut self, value: &[u8]) -> Result<(), Problem> {
        let help = tokens::unescape(value);
        self.rules.limits.check(Bound::ValueLength, help.len())?;
        let help = intern(&mut self.builder, &help)?;
        let Some(family) = &mut self.family else { return Ok(()) };
        only_once("HELP", &family.name, family.help.replace(help).is_some())
    }

    fn unit(&mut self, value: &[u8]) -> Result<(), Problem> {
        self.rules.limits.check(Bound::NameLength, value.len())?;
        let unit = intern(&mut self.builder, value)?;
        let Some(family) = &mut self.family else { return Ok(()) };
        let is_suffix = family.name.strip_suffix(value).is_some_and(|rest| rest.ends_with(b"_"));
        if !value.is_empty() && !is_suffix {
            return Err(Problem::Unit { name: quote(&family.name), unit: quote(value) });
        }
        only_once("UNIT", &family.name, family.unit.replace(unit).is_some())?;
        check_unit(family)
    }

    fn kind(&mut self, word: &[u8]) -> Result<(), Problem> {
        let kind = Type::from_word(word).ok_or_else(|| Problem::UnknownType(quote(word)))?;
        let Some(family) = &mut self.family else { return Ok(()) };
        only_once("TYPE", &family.name, family.declared.replace(kind).is_some())?;
        check_unit(family)
    }

    fn sample(&mut self, line: &'a [u8]) -> Result<(), Problem> {
        let line = SampleLine::read(line, std::mem::take(&mut self.pairs))?;
        let part = self.part(line.name)?;
        let created = if part == Part::Created { Some(read_kept(line.word)?) } else { None };
        let (bound, labels) = self.labels(part, &line.labels)?;
        let exemplar = line.exemplar.map(|text| exemplar::read(&text, self.rules)).transpose()?;
        if line.timestamp.is_some() && !self.is_lenient() {
            self.builder.object(Objection::Timestamp { place: Place::Line(self.line) });
        }
        self.pairs = line.labels;
        self.put(
            labels,
            Sample { part, value: line.value, created, bound, timestamp: line.timestamp, exemplar },
        )
    }

    /// What a sample of that name is to the family at hand, or to a new one without metadata.
    fn part(&mut self, name: Cow<'a, [u8]>) -> Result<Part, Problem> {
        self.check_metric_name(&name)?;
        if let Some(family) = &self.family {
            if let Some(part) = family.part(&name) {
                return Ok(part);
            }
            if family.name == name {
                return Err(Problem::NoSuffix { kind: family.kind().as_str(), name: quote(&name) });
            }
        }
        self.begin_family(name, None)?;
        Ok(Part::Value)
    }

    /// The labels of a sample, sorted, with `le` or `quantile` taken out if it tells its points apart.
    fn labels(&mut self, part: Part, pairs: &[Pair<'a>]) -> Result<(Option<f64>, Vec<Label>), Problem> {
        let Some(family) = &self.family else { return Ok((None, Vec::new())) };
        let kind = family.kind();
        let point_label = kind.kind().point_label();
        let mut bound = None;
        let mut labels = Vec::with_capacity(pairs.len());
        for (name, value) in pairs {
            if let Some(point_label) = point_label
                && **name == *point_label.as_bytes()
            {
                if !matches!(part, Part::Bucket | Part::Quantile) {
                    return Err(family.rule("le and quantile are labels of buckets and quantiles only"));
                }
                let found = number::read(value).filter(|bound| !bound.is_nan()).ok_or_else(|| {
                    text::Problem::ExpectedBound { label: point_label, found: quote(value) }
                })?;
                if bound.replace(found).is_some() {
                    return Err(text::Problem::DuplicateLabelNames(quote(&family.name)).into());
                }
                continue;
            }
            let text = check_label_name(self.rules, name)?;
            if text.starts_with("__") {
                self.builder
                    .object(Objection::ReservedLabel { place: Place::Line(self.line), name: quote(name) });
            }
            if !is_bare_label_name(text) {
                self.builder.note_utf8_label();
            }
            let name = intern(&mut self.builder, name)?;
            self.rules.limits.check(Bound::ValueLength, value.len())?;
            labels.push(Label { name, value: intern(&mut self.builder, value)? });
        }
        self.rules.limits.check(Bound::Labels, labels.len())?;
        if !self.builder.sort_labels(&mut labels) {
            return Err(text::Problem::DuplicateLabelNames(quote(&family.name)).into());
        }
        let has_state = |label: &Label| self.builder.symbols().get(label.name).as_bytes() == &*family.name;
        if kind == Type::StateSet && !labels.iter().any(has_state) {
            return Err(family.rule("a state has its name in a label that is named like the family"));
        }
        Ok((bound, labels))
    }

    /// Adds a sample to the metric with its labels, which is the one at hand or a new one.
    fn put(&mut self, labels: Vec<Label>, sample: Sample) -> Result<(), Problem> {
        let Some(family) = &mut self.family else { return Ok(()) };
        let kind = family.kind();
        if let Some(rule) = kind.value_rule(sample.part, sample.value) {
            return Err(family.rule(rule));
        }
        if sample.exemplar.is_some() && !kind.may_have_exemplar(sample.part) {
            return Err(Problem::Exemplar { kind: kind.as_str(), name: quote(&family.name) });
        }
        let row = match family.row {
            Some(row) => row,
            None => self.make_row()?,
        };
        let Some(family) = &mut self.family else { return Ok(()) };
        if family.metric.as_ref().is_none_or(|metric| metric.labels != labels) {
            self.end_metric()?;
            if self.seen.find(&self.builder, row, &labels).is_some() {
                return Err(self.duplicate_metric());
            }
            self.rules.limits.check(Bound::Series, self.builder.series_count() + 1)?;
        }
        let Some(family) = &mut self.family else { return Ok(()) };
        let new = || Metric::new(self.line, labels, sample.timestamp);
        let added = family.metric.get_or_insert_with(new).add(kind, sample);
        added.map_err(|fault| problem(family, fault))
    }

    fn duplicate_metric(&self) -> Problem {
        let (kind, name) =
            self.family.as_ref().map(|family| (family.kind(), quote(&family.name))).unwrap_or_default();
        Problem::DuplicateMetric { kind: kind.as_str(), name }
    }

    fn begin_family(&mut self, name: Cow<'a, [u8]>, late: Option<&'static str>) -> Result<(), Problem> {
        self.end_family()?;
        self.family = Some(Family::new(name, self.line, late));
        Ok(())
    }

    fn end_family(&mut self) -> Result<(), Problem> {
        self.end_metric()?;
        if self.family.as_ref().is_some_and(|family| family.row.is_none()) {
            self.take_names()?;
        }
        self.family = None;
        Ok(())
    }

    /// Takes the names that the family at hand and its samples have, now that its type is known.
    ///
    /// The specification has it that a gauge `a` cannot stand beside a counter `a` either. But each Go program
    /// exposes such a pair, `go_memstats_alloc_bytes`, and no two samples are mixed up by it.
    fn take_names(&mut self) -> Result<(), Problem> {
        let Some(family) = &self.family else { return Ok(()) };
        if let Some(keyword) = family.late
            && family.declared.is_none()
        {
            self.line = family.line;
            return Err(Problem::LateMetadata { keyword, name: quote(&family.name) });
        }
        let kind = family.kind();
        let parts = kind.parts().iter().map(|&(suffix, _)| suffix);
        let column = Some(kind.column_suffix()).filter(|&suffix| parts.clone().all(|other| other != suffix));
        for suffix in parts.chain(column) {
            let name = [&family.name, suffix].concat();
            if self.taken.contains(&*name) {
                self.line = family.line;
                return Err(match family.late {
                    Some(keyword) => Problem::LateMetadata { keyword, name: quote(&family.name) },
                    None => Problem::NameTaken(quote(&name)),
                });
            }
            self.taken.insert(name.into());
        }
        Ok(())
    }

    /// Makes the family at hand a row, since it has a sample.
    fn make_row(&mut self) -> Result<u32, Problem> {
        self.take_names()?;
        let Some(family) = &mut self.family else { return Ok(0) };
        let kind = family.kind();
        let name = [&family.name, kind.column_suffix()].concat();
        let name = intern(&mut self.builder, &name)?;
        let row = self.builder.family(name);
        self.builder.set_kind(row, kind.kind());
        if let Some(help) = family.help {
            self.builder.set_help(row, help);
        }
        self.builder.set_unit(row, family.unit.unwrap_or_default());
        family.row = Some(row);
        Ok(row)
    }

    /// Makes the metric at hand a series.
    fn end_metric(&mut self) -> Result<(), Problem> {
        let Some(family) = &mut self.family else { return Ok(()) };
        let (Some(metric), Some(row)) = (family.metric.take(), family.row) else { return Ok(()) };
        if let Err(fault) = metric.check(family.kind()) {
            self.line = metric.line;
            return Err(problem(family, fault));
        }
        let series = metric.write(&mut self.builder, row);
        self.seen.insert(&self.builder, series);
        Ok(())
    }

    fn check_metric_name(&self, name: &[u8]) -> Result<(), Problem> {
        self.rules.limits.check(Bound::NameLength, name.len())?;
        match metric_name_len(name) {
            0 if name.is_empty() => Err(text::Problem::MetricName.into()),
            len if len == name.len() || self.rules.names == Names::Utf8 => Ok(()),
            _ => Err(text::Problem::QuotedMetricName(quote(name)).into()),
        }
    }
}

fn problem(family: &Family<'_>, fault: Fault) -> Problem {
    match fault {
        Fault::Rule(rule) => family.rule(rule),
        Fault::Duplicate => {
            Problem::DuplicateSample { kind: family.kind().as_str(), name: quote(&family.name) }
        }
    }
}

/// Refuses a line of metadata that came before.
fn only_once(keyword: &'static str, name: &[u8], came_before: bool) -> Result<(), Problem> {
    if came_before { Err(Problem::SecondMetadata { keyword, name: quote(name) }) } else { Ok(()) }
}

fn check_unit(family: &Family<'_>) -> Result<(), Problem> {
    if family.unit.is_some_and(|unit| unit != 0) && !family.kind().may_have_unit() {
        return Err(family.rule("it cannot have a unit"));
    }
    Ok(())
}

/// The symbol of a token of a body that is UTF-8.
fn intern(builder: &mut Builder, token: &[u8]) -> Result<Sym, Problem> {
    builder.intern(token).map_err(|error| match error {
        InternError::NotUtf8 => Problem::NotUtf8,
        InternError::Full => OverLimit::ARENA.into(),
    })
}
