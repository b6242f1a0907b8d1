//! The columns of a push, and views that read like the data model.
//!
//! The rows of a child table that belong to row `i` of its parent are `end[i-1]..end[i]`, with
//! `end[-1] = 0`: series of a family, labels and points of a series.

use std::cmp::Ordering;
use std::hash::BuildHasher;
use std::ops::Range;
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use crate::{Detail, GroupingKey, Objection, Sym, Symbols};

/// The type of a family, numbered as in `wit/types.wit`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
#[expect(missing_docs, reason = "the names are those of the exposition formats")]
pub enum Kind {
    #[default]
    Untyped = 0,
    Counter = 1,
    Gauge = 2,
    Summary = 3,
    Histogram = 4,
    GaugeHistogram = 5,
}

impl Kind {
    /// The kind of a number in the `kind` column; unknown numbers are untyped.
    pub fn from_u8(number: u8) -> Self {
        match number {
            1 => Self::Counter,
            2 => Self::Gauge,
            3 => Self::Summary,
            4 => Self::Histogram,
            5 => Self::GaugeHistogram,
            _ => Self::Untyped,
        }
    }

    /// The word of a `# TYPE` line. Text has no gauge histograms, they are shown as histograms.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Untyped => "untyped",
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Summary => "summary",
            Self::Histogram | Self::GaugeHistogram => "histogram",
        }
    }

    /// Whether a series of this kind is one sample, with no points, sum or count.
    pub fn is_simple(self) -> bool {
        !matches!(self, Self::Summary | Self::Histogram | Self::GaugeHistogram)
    }

    /// The label that tells the points of a series apart, in text.
    pub fn point_label(self) -> Option<&'static str> {
        match self {
            Self::Summary => Some("quantile"),
            Self::Histogram | Self::GaugeHistogram => Some("le"),
            _ => None,
        }
    }
}

/// A label as symbols.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label {
    /// The label's name.
    pub name: Sym,
    /// The label's value.
    pub value: Sym,
}

/// A label as text: name and value.
pub type LabelPair<'a> = (&'a str, &'a str);

/// One row a family.
#[derive(Clone, Debug, Default)]
pub struct FamilyColumns {
    /// Each name occurs once.
    pub name: Vec<Sym>,
    /// [`Kind`] as a number.
    pub kind: Vec<u8>,
    /// The HELP text; 0 when there is none.
    pub help: Vec<Sym>,
    /// Whether there is a HELP text that is empty, which some formats tell from none.
    pub blank_help: Vec<bool>,
    /// The unit; 0 when the format has none.
    pub unit: Vec<Sym>,
    /// Where the family's series end.
    pub series_end: Vec<u32>,
}

/// One row a series, and the tables of labels and points below.
#[derive(Clone, Debug, Default)]
pub struct SeriesColumns {
    /// Where the series' labels end.
    pub label_end: Vec<u32>,
    /// Sorted by text within a series.
    pub label_name: Vec<Sym>,
    /// Beside `label_name`.
    pub label_value: Vec<Sym>,
    /// The sample's value, or the sum of a summary or histogram.
    pub value: Vec<f64>,
    /// The count of a summary or histogram, else 0. A float, as float histograms need it.
    pub count: Vec<f64>,
    /// Where the series' points end.
    pub point_end: Vec<u32>,
    /// The upper bound of a bucket (`le`) or the rank of a quantile.
    pub point_bound: Vec<f64>,
    /// The cumulative count of a bucket, or the value of a quantile.
    pub point_value: Vec<f64>,
    /// 0, or one more than the number of the series' [`Detail`] in the push.
    pub detail: Vec<u32>,
}

/// One push: its grouping key and the families it brings, as columns over one arena.
///
/// Made by a [`Builder`](crate::Builder) or a parser, changed only by [`edit`](crate::edit). It holds
/// at all times: every index is in range, family names are legal and occur once, every family has a
/// series, labels are legal by the [names](crate::Names) that were allowed, sorted and without duplicates within a series, and no series has a label
/// that the grouping key has (the key overrides it, so it is gone).
#[derive(Clone, Debug, Default)]
pub struct Push {
    pub(crate) symbols: Symbols,
    pub(crate) grouping: Vec<Label>,
    pub(crate) families: FamilyColumns,
    pub(crate) series: SeriesColumns,
    pub(crate) details: Arc<Vec<Detail>>,
    /// Whether a name is not a classic one.
    pub(crate) utf8_names: bool,
    pub(crate) objection: Option<Objection>,
}

impl Push {
    /// The symbol table.
    pub fn symbols(&self) -> &Symbols {
        &self.symbols
    }

    /// The text of a symbol.
    #[inline]
    pub fn text(&self, sym: Sym) -> &str {
        self.symbols.get(sym)
    }

    /// The grouping labels with `job` among them, sorted by name.
    pub fn grouping(&self) -> &[Label] {
        &self.grouping
    }

    /// The grouping key, as a value of its own.
    pub fn grouping_key(&self) -> GroupingKey {
        let labels = self.grouping.iter().map(|label| (self.text(label.name), self.text(label.value)));
        GroupingKey::from_legal(labels)
    }

    /// The table of families.
    pub fn family_columns(&self) -> &FamilyColumns {
        &self.families
    }

    /// The tables of series, labels and points.
    pub fn series_columns(&self) -> &SeriesColumns {
        &self.series
    }

    /// How many series there are, a histogram or summary counted as one.
    pub fn series_count(&self) -> usize {
        self.series.value.len()
    }

    /// Whether the name of a family or label is not a [classic](crate::is_metric_name) one, so that text must
    /// quote or escape it.
    pub fn has_utf8_names(&self) -> bool {
        self.utf8_names
    }

    /// Why this push may not be stored although it is well-formed: the first reason found.
    pub fn objection(&self) -> Option<&Objection> {
        self.objection.as_ref()
    }

    /// The families, in the order pushed.
    pub fn families(&self) -> impl ExactSizeIterator<Item = Family<'_>> {
        (0..self.families.name.len()).map(|index| Family { push: self, index })
    }

    /// A series by its row, with its family.
    pub fn series(&self, index: usize) -> Option<(Family<'_>, Series<'_>)> {
        let family = self.families.series_end.partition_point(|&end| end as usize <= index);
        let exists = index < self.series_count();
        exists.then_some((Family { push: self, index: family }, Series { push: self, index }))
    }

    /// The names of a series' labels, as symbols.
    pub(crate) fn label_names(&self, series: Series<'_>) -> &[Sym] {
        &self.series.label_name[rows(&self.series.label_end, series.index)]
    }

    /// The value of a grouping label.
    pub fn grouping_label(&self, name: &str) -> Option<&str> {
        let label = self.grouping.iter().find(|label| self.text(label.name) == name)?;
        Some(self.text(label.value))
    }

    /// A series that has the labels of another one of its family.
    pub fn find_duplicate(&self) -> Option<(Family<'_>, Series<'_>)> {
        let labels = |series: Series<'_>| {
            let rows = rows(&self.series.label_end, series.index);
            (&self.series.label_name[rows.clone()], &self.series.label_value[rows])
        };
        let hasher = RandomState::default();
        let mut seen = HashTable::new();
        for family in self.families().filter(|family| family.series().len() > 1) {
            seen.clear();
            for series in family.series() {
                let hash = hasher.hash_one(labels(series));
                if seen.find(hash, |&other| labels(other) == labels(series)).is_some() {
                    return Some((family, series));
                }
                seen.insert_unique(hash, series, |&other| hasher.hash_one(labels(other)));
            }
        }
        None
    }

    /// Takes the labels out of the series that the grouping key overrides.
    pub(crate) fn hide_overridden_labels(&mut self) {
        let grouping = &self.grouping;
        let hidden = |name: Sym| grouping.iter().any(|label| label.name == name);
        // The symbols of the group were the first, so nearly all labels are told apart by one comparison.
        let last = grouping.iter().map(|label| label.name).max().unwrap_or_default();
        if !self.series.label_name.iter().any(|&name| name <= last && hidden(name)) {
            return;
        }
        let series = &mut self.series;
        let (mut kept, mut start) = (0, 0);
        for end in &mut series.label_end {
            for label in start..*end as usize {
                if !hidden(series.label_name[label]) {
                    series.label_name[kept] = series.label_name[label];
                    series.label_value[kept] = series.label_value[label];
                    kept += 1;
                }
            }
            start = *end as usize;
            *end = kept as u32;
        }
        series.label_name.truncate(kept);
        series.label_value.truncate(kept);
    }
}

/// Equal families in the same order, whatever symbols they use. Numbers are compared by their bits.
impl PartialEq for Push {
    fn eq(&self, other: &Self) -> bool {
        self.grouping_key() == other.grouping_key()
            && self.families().len() == other.families().len()
            && self.families().zip(other.families()).all(|(a, b)| a == b)
    }
}

/// The rows of a child table that belong to row `index` of its parent.
#[inline]
pub(crate) fn rows(ends: &[u32], index: usize) -> Range<usize> {
    let start = if index == 0 { 0 } else { ends[index - 1] };
    start as usize..ends[index] as usize
}

/// A family of a push.
#[derive(Clone, Copy)]
pub struct Family<'a> {
    push: &'a Push,
    index: usize,
}

impl<'a> Family<'a> {
    /// The row in [`FamilyColumns`].
    pub fn index(self) -> usize {
        self.index
    }

    /// The family's name.
    #[inline]
    pub fn name(self) -> &'a str {
        self.push.text(self.push.families.name[self.index])
    }

    /// The family's type.
    #[inline]
    pub fn kind(self) -> Kind {
        Kind::from_u8(self.push.families.kind[self.index])
    }

    /// The HELP text, if there is one. It may be empty.
    pub fn help(self) -> Option<&'a str> {
        let families = &self.push.families;
        match families.help[self.index] {
            0 => families.blank_help[self.index].then_some(""),
            help => Some(self.push.text(help)),
        }
    }

    /// The unit, empty when there is none.
    pub fn unit(self) -> &'a str {
        self.push.text(self.push.families.unit[self.index])
    }

    /// Whether the push that it belongs to [has UTF-8 names](Push::has_utf8_names).
    #[inline]
    pub(crate) fn has_utf8_names(self) -> bool {
        self.push.utf8_names
    }

    /// The series, in the order pushed; never none.
    #[inline]
    pub fn series(self) -> impl ExactSizeIterator<Item = Series<'a>> + use<'a> {
        rows(&self.push.families.series_end, self.index).map(move |index| Series { push: self.push, index })
    }
}

impl PartialEq for Family<'_> {
    fn eq(&self, other: &Self) -> bool {
        (self.name(), self.kind(), self.help(), self.unit())
            == (other.name(), other.kind(), other.help(), other.unit())
            && self.series().len() == other.series().len()
            && self.series().zip(other.series()).all(|(a, b)| a == b)
    }
}

/// A series of a family. A histogram or summary is one series.
#[derive(Clone, Copy)]
pub struct Series<'a> {
    push: &'a Push,
    index: usize,
}

/// A bucket or a quantile.
#[derive(Clone, Copy, Debug)]
pub struct Point {
    /// `le` or `quantile`.
    pub bound: f64,
    /// The cumulative count, or the quantile's value.
    pub value: f64,
}

impl<'a> Series<'a> {
    /// The row in [`SeriesColumns`].
    pub fn index(self) -> usize {
        self.index
    }

    /// The series' own labels, sorted by name; those of the grouping key are not among them.
    #[inline]
    pub fn labels(self) -> impl ExactSizeIterator<Item = LabelPair<'a>> + Clone + use<'a> {
        let columns = &self.push.series;
        rows(&columns.label_end, self.index).map(move |row| {
            (self.push.text(columns.label_name[row]), self.push.text(columns.label_value[row]))
        })
    }

    /// The names of its own labels and their values, as symbols of the push. Equal symbols are equal texts.
    #[inline]
    pub fn label_symbols(self) -> (&'a [Sym], &'a [Sym]) {
        let columns = &self.push.series;
        let rows = rows(&columns.label_end, self.index);
        (&columns.label_name[rows.clone()], &columns.label_value[rows])
    }

    /// One of its own labels, by its place.
    #[inline]
    pub fn label(self, place: usize) -> Option<LabelPair<'a>> {
        let (names, values) = self.label_symbols();
        Some((self.push.text(*names.get(place)?), self.push.text(*values.get(place)?)))
    }

    /// Compares the values of its own labels with those of another series of the push, in order of their names.
    #[inline]
    pub fn cmp_values(self, other: Self) -> Ordering {
        let texts = |(one, two): (&Sym, &Sym)| {
            if one == two { Ordering::Equal } else { self.push.text(*one).cmp(other.push.text(*two)) }
        };
        let (one, two) = (self.label_symbols().1, other.label_symbols().1);
        let first = one.iter().zip(two).map(texts).find(|order| order.is_ne());
        first.unwrap_or_else(|| one.len().cmp(&two.len()))
    }

    /// The value, or the sum of a summary or histogram.
    #[inline]
    pub fn value(self) -> f64 {
        self.push.series.value[self.index]
    }

    /// The count of a summary or histogram.
    pub fn count(self) -> f64 {
        self.push.series.count[self.index]
    }

    /// What only some formats can say about the series.
    pub fn detail(self) -> Option<&'a Detail> {
        let number = self.push.series.detail[self.index] as usize;
        self.push.details.get(number.checked_sub(1)?)
    }

    /// Buckets or quantiles, in the order pushed.
    pub fn points(self) -> impl ExactSizeIterator<Item = Point> + use<'a> {
        let columns = &self.push.series;
        rows(&columns.point_end, self.index)
            .map(move |row| Point { bound: columns.point_bound[row], value: columns.point_value[row] })
    }
}

impl PartialEq for Series<'_> {
    fn eq(&self, other: &Self) -> bool {
        let bits = |series: &Self| (series.value().to_bits(), series.count().to_bits());
        let point_bits = |point: Point| (point.bound.to_bits(), point.value.to_bits());
        bits(self) == bits(other)
            && self.detail() == other.detail()
            && self.labels().eq(other.labels())
            && self.points().map(point_bits).eq(other.points().map(point_bits))
    }
}
