//! Names and samples to families and series.

use crate::series_index::SeriesIndex;
use crate::text::{Problem, quote};
use crate::{Bound, Builder, InternError, Kind, Label, Limits, Objection, OverLimit};

/// Where a sample goes, by its name.
#[derive(Clone, Copy)]
pub(super) struct Target {
    pub(super) family: u32,
    pub(super) kind: Kind,
    part: Part,
}

/// What a sample is to its family.
#[derive(Clone, Copy)]
enum Part {
    /// Has the family's own name: the sample of a simple family, or a quantile.
    Own,
    Bucket,
    Sum,
    Count,
}

/// Parts of histograms and summaries, by the suffix of their samples' names.
const SUFFIXES: [(&[u8], Part); 3] =
    [(b"_bucket", Part::Bucket), (b"_sum", Part::Sum), (b"_count", Part::Count)];

/// What the lines so far said about a family.
#[derive(Clone, Copy, Default)]
struct Declared {
    help: bool,
    /// By a TYPE line, or by a sample before one.
    kind: bool,
}

/// Puts the samples of a text below their families, and those of one histogram or summary together.
pub(super) struct Assembler<'a> {
    builder: Builder,
    limits: &'a Limits,
    /// Beside the families of the builder.
    declared: Vec<Declared>,
    /// Histograms and summaries, and the one that got a sample last.
    merged: SeriesIndex,
    last_merged: Option<u32>,
}

impl<'a> Assembler<'a> {
    pub(super) fn new(builder: Builder, limits: &'a Limits) -> Self {
        Self {
            declared: vec![Declared::default(); builder.family_count()],
            builder,
            limits,
            merged: SeriesIndex::default(),
            last_merged: None,
        }
    }

    pub(super) fn builder(&self) -> &Builder {
        &self.builder
    }

    pub(super) fn into_builder(self) -> Builder {
        self.builder
    }

    pub(super) fn note_utf8_label(&mut self) {
        self.builder.note_utf8_label();
    }

    pub(super) fn object(&mut self, objection: Objection) {
        self.builder.object(objection);
    }

    /// Where samples of that name go. A family of just that name comes first; then a histogram or
    /// summary that the name is a part of, if its TYPE line was seen; else a family is made.
    pub(super) fn target(&mut self, name: &[u8]) -> Result<Target, Problem> {
        if let Some(target) = self.known_target(name) {
            return Ok(target);
        }
        self.limits.check(Bound::NameLength, name.len())?;
        let name = self.builder.intern(name).map_err(|_| OverLimit::ARENA)?;
        let family = self.builder.family(name);
        self.declared.push(Declared::default());
        Ok(Target { family, kind: Kind::Untyped, part: Part::Own })
    }

    fn known_target(&self, name: &[u8]) -> Option<Target> {
        let find = |name| self.builder.find_symbol(name).and_then(|name| self.builder.find_family(name));
        if let Some(family) = find(name) {
            return Some(Target { family, kind: self.builder.kind(family), part: Part::Own });
        }
        SUFFIXES.iter().find_map(|&(suffix, part)| {
            let family = find(name.strip_suffix(suffix)?)?;
            let kind = self.builder.kind(family);
            let has_part = match kind {
                Kind::Summary => !matches!(part, Part::Bucket),
                kind => !kind.is_simple(),
            };
            has_part.then_some(Target { family, kind, part })
        })
    }

    /// Where a sample of that name goes: from now on the family's type stands.
    pub(super) fn target_of_sample(&mut self, name: &[u8]) -> Result<Target, Problem> {
        let target = self.target(name)?;
        self.declared[target.family as usize].kind = true;
        Ok(target)
    }

    pub(super) fn family_name(&self, target: Target) -> String {
        self.builder.family_name(target.family).to_owned()
    }

    /// A HELP line's text, its escapes undone.
    pub(super) fn help(&mut self, target: Target, text: &[u8]) -> Result<(), Problem> {
        if std::mem::replace(&mut self.declared[target.family as usize].help, true) {
            return Err(Problem::SecondHelp(self.family_name(target)));
        }
        self.limits.check(Bound::ValueLength, text.len())?;
        let help = self.builder.intern(text).map_err(|error| match error {
            InternError::NotUtf8 => Problem::HelpNotUtf8(self.family_name(target)),
            InternError::Full => OverLimit::ARENA.into(),
        })?;
        self.builder.set_help(target.family, help);
        Ok(())
    }

    /// A TYPE line's word.
    pub(super) fn kind(&mut self, target: Target, word: &[u8]) -> Result<(), Problem> {
        if std::mem::replace(&mut self.declared[target.family as usize].kind, true) {
            return Err(Problem::SecondType(self.family_name(target)));
        }
        let kind = match word.to_ascii_lowercase().as_slice() {
            b"counter" => Kind::Counter,
            b"gauge" => Kind::Gauge,
            b"summary" => Kind::Summary,
            b"untyped" => Kind::Untyped,
            b"histogram" => Kind::Histogram,
            b"gauge_histogram" | b"gaugehistogram" => Kind::GaugeHistogram,
            _ => return Err(Problem::UnknownType(quote(word))),
        };
        self.builder.set_kind(target.family, kind);
        Ok(())
    }

    /// The symbol of a label's name.
    pub(super) fn label_name(&mut self, name: &[u8]) -> Result<u32, Problem> {
        self.limits.check(Bound::NameLength, name.len())?;
        Ok(self.builder.intern(name).map_err(|_| OverLimit::ARENA)?)
    }

    /// The symbol of a label's value.
    pub(super) fn label_value(&mut self, value: &[u8]) -> Result<u32, Problem> {
        self.limits.check(Bound::ValueLength, value.len())?;
        self.builder.intern(value).map_err(|error| match error {
            InternError::NotUtf8 => Problem::LabelValueNotUtf8(quote(value)),
            InternError::Full => OverLimit::ARENA.into(),
        })
    }

    /// A sample with its labels, `le` or `quantile` taken out of them as `bound`.
    #[inline]
    pub(super) fn sample(
        &mut self,
        target: Target,
        labels: &mut [Label],
        bound: Option<f64>,
        value: f64,
    ) -> Result<(), Problem> {
        if !self.builder.sort_labels(labels) {
            return Err(Problem::DuplicateLabelNames(self.family_name(target)));
        }
        if target.kind.is_simple() {
            self.limits.check(Bound::Series, self.builder.series_count() + 1)?;
            self.builder.series(target.family, labels, value);
            return Ok(());
        }
        let series = self.merged(target, labels)?;
        self.add_part(target, series, bound, value)
    }

    /// The histogram or summary with those labels, made if there is none.
    fn merged(&mut self, target: Target, labels: &[Label]) -> Result<u32, Problem> {
        if let Some(last) = self.last_merged
            && self.builder.is_series(last, target.family, labels)
        {
            return Ok(last);
        }
        let series = match self.merged.find(&self.builder, target.family, labels) {
            Some(series) => series,
            None => {
                self.limits.check(Bound::Series, self.builder.series_count() + 1)?;
                let series = self.builder.series(target.family, labels, 0.0);
                self.merged.insert(&self.builder, series);
                series
            }
        };
        self.last_merged = Some(series);
        Ok(series)
    }

    /// A bucket without `le`, a quantile without `quantile` and a sample of a histogram's own name say
    /// nothing; they only make the series.
    fn add_part(
        &mut self,
        target: Target,
        series: u32,
        bound: Option<f64>,
        value: f64,
    ) -> Result<(), Problem> {
        match (target.kind, target.part) {
            (_, Part::Sum) => self.builder.set_sum(series, value),
            (Kind::Summary, Part::Count) => self.builder.set_count(series, as_go_uint64(value)),
            (_, Part::Count) if value < 0.0 => return Err(Problem::NegativeCount(self.family_name(target))),
            (_, Part::Count) => self.builder.set_count(series, value),
            (Kind::Summary, Part::Own) => {
                if let Some(bound) = bound {
                    self.builder.point(series, bound, value);
                }
            }
            (_, Part::Bucket) => {
                if let Some(bound) = bound {
                    if value < 0.0 {
                        return Err(Problem::NegativeBucket(self.family_name(target)));
                    }
                    self.builder.point(series, bound, value);
                }
            }
            (_, Part::Own) => {}
        }
        Ok(())
    }
}

/// Go keeps the count of a summary as an unsigned integer: it is cut, a negative one wraps, and NaN is 2^63.
fn as_go_uint64(value: f64) -> f64 {
    if value.is_nan() {
        return (1u64 << 63) as f64;
    }
    let count = if value < 0.0 { value as i64 as u64 } else { value as u64 };
    count as f64
}
