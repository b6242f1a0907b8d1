//! Writes the columns of a [`Push`] row by row.

use std::sync::Arc;

use crate::push::rows;
use crate::tables::Tables;
use crate::{Detail, GroupingKey, InternError, Interner, Kind, Label, Names, Objection, Push, Sym, Symbols};

/// Writes a [`Push`]: families by name, series into families, points into series.
///
/// Rows may come in any order; [`finish`](Self::finish) puts them below their parents. Data that comes
/// in order (nearly all) is written once and not moved.
#[derive(Debug)]
pub struct Builder {
    interner: Interner,
    grouping: Vec<Label>,
    tables: Tables,
    /// The family of a name, by the name's symbol.
    family_of: Vec<u32>,
    details: Vec<Detail>,
    utf8_names: bool,
    objection: Option<Objection>,
}

const NONE: u32 = u32::MAX;

/// Series that room is made for on the word of a client.
const MAX_RESERVED: usize = 1 << 14;

/// Names and values of a small push.
const RESERVED_SYMBOLS: usize = 56;

impl Builder {
    /// A builder for a push to the group of that key.
    ///
    /// # Errors
    /// [`InternError::Full`] for a key of 4 GiB.
    pub fn new(key: &GroupingKey) -> Result<Self, InternError> {
        let mut builder = Self::without_group();
        let mut grouping = Vec::with_capacity(key.labels().len());
        for (name, value) in key.labels() {
            builder.utf8_names |= !Names::Classic.allow_label(name);
            let name = builder.intern(name.as_bytes())?;
            grouping.push(Label { name, value: builder.intern(value.as_bytes())? });
        }
        Ok(Self { grouping, ..builder })
    }

    /// A builder of families that belong to no group, or have the labels of theirs already.
    pub fn without_group() -> Self {
        Self {
            interner: Interner::with_room(RESERVED_SYMBOLS),
            grouping: Vec::new(),
            tables: Tables::default(),
            family_of: Vec::new(),
            details: Vec::new(),
            utf8_names: false,
            objection: None,
        }
    }

    /// Makes room for so many series and labels, up to a bound: they may be the word of a client.
    pub(crate) fn reserve(&mut self, series: usize, labels: usize) {
        self.tables.reserve(series.min(MAX_RESERVED), labels.min(8 * MAX_RESERVED));
    }

    /// The symbol of a token.
    ///
    /// # Errors
    /// When it is not UTF-8, or the arena is full.
    #[inline]
    pub fn intern(&mut self, token: &[u8]) -> Result<Sym, InternError> {
        self.interner.intern(token)
    }

    /// The symbol of a token that was interned before.
    #[inline]
    pub fn find_symbol(&self, token: &[u8]) -> Option<Sym> {
        self.interner.find(token)
    }

    /// The symbols so far.
    #[inline]
    pub fn symbols(&self) -> &Symbols {
        self.interner.symbols()
    }

    /// The family of that name, if it was made.
    #[inline]
    pub fn find_family(&self, name: Sym) -> Option<u32> {
        self.family_of.get(name as usize).copied().filter(|&family| family != NONE)
    }

    /// The family of that name; made untyped when there is none. The name must be a legal one.
    pub fn family(&mut self, name: Sym) -> u32 {
        if let Some(family) = self.find_family(name) {
            return family;
        }
        let family = self.tables.families.name.len() as u32;
        self.tables.families.name.push(name);
        self.tables.families.kind.push(Kind::Untyped as u8);
        self.tables.families.help.push(0);
        self.tables.families.blank_help.push(false);
        self.tables.families.unit.push(0);
        let at = name as usize;
        if self.family_of.len() <= at {
            self.family_of.resize(at + 1, NONE);
        }
        self.family_of[at] = family;
        self.utf8_names |= !Names::Classic.allow_metric(self.symbols().get(name));
        family
    }

    /// The name of a family.
    pub fn family_name(&self, family: u32) -> &str {
        self.symbols().get(self.tables.families.name[family as usize])
    }

    /// The type of a family.
    #[inline]
    pub fn kind(&self, family: u32) -> Kind {
        Kind::from_u8(self.tables.families.kind[family as usize])
    }

    /// Sets the type of a family.
    pub fn set_kind(&mut self, family: u32, kind: Kind) {
        self.tables.families.kind[family as usize] = kind as u8;
    }

    /// Sets the HELP text of a family, which may be empty.
    pub fn set_help(&mut self, family: u32, help: Sym) {
        self.tables.families.help[family as usize] = help;
        self.tables.families.blank_help[family as usize] = help == 0;
    }

    /// Sets the unit of a family.
    pub fn set_unit(&mut self, family: u32, unit: Sym) {
        self.tables.families.unit[family as usize] = unit;
    }

    /// Notes that a label has a name that is not a classic one.
    pub fn note_utf8_label(&mut self) {
        self.utf8_names = true;
    }

    /// Adds a series to a family. `labels` are sorted by text and without duplicates: see
    /// [`sort_labels`](Self::sort_labels).
    #[inline]
    pub fn series(&mut self, family: u32, labels: &[Label], value: f64) -> u32 {
        let index = self.tables.series_family.len() as u32;
        self.tables.series_family.push(family);
        self.tables.series.label_name.extend(labels.iter().map(|label| label.name));
        self.tables.series.label_value.extend(labels.iter().map(|label| label.value));
        self.tables.series.label_end.push(self.tables.series.label_name.len() as u32);
        self.tables.series.value.push(value);
        self.tables.series.count.push(0.0);
        self.tables.series.detail.push(0);
        index
    }

    /// Sets the sum of a summary or histogram.
    pub fn set_sum(&mut self, series: u32, sum: f64) {
        self.tables.series.value[series as usize] = sum;
    }

    /// Sets the count of a summary or histogram.
    pub fn set_count(&mut self, series: u32, count: f64) {
        self.tables.series.count[series as usize] = count;
    }

    /// Sets what only some formats can say about a series.
    pub fn set_detail(&mut self, series: u32, detail: Detail) {
        self.details.push(detail);
        self.tables.series.detail[series as usize] = self.details.len() as u32;
    }

    /// Adds a bucket or quantile to a series.
    pub fn point(&mut self, series: u32, bound: f64, value: f64) {
        self.tables.point_series.push(series);
        self.tables.series.point_bound.push(bound);
        self.tables.series.point_value.push(value);
    }

    /// How many families were made.
    pub fn family_count(&self) -> usize {
        self.tables.families.name.len()
    }

    /// How many series were added.
    pub fn series_count(&self) -> usize {
        self.tables.series_family.len()
    }

    /// Notes why the push may not be stored. The first reason stays.
    pub fn object(&mut self, objection: Objection) {
        self.objection.get_or_insert(objection);
    }

    /// Whether there is a reason already.
    pub(crate) fn has_objection(&self) -> bool {
        self.objection.is_some()
    }

    /// The family that a series was added to.
    pub(crate) fn family_of_series(&self, series: u32) -> u32 {
        self.tables.series_family[series as usize]
    }

    /// The label names of the series added last.
    pub(crate) fn last_label_names(&self) -> &[Sym] {
        match self.tables.series.label_end.len() {
            0 => &[],
            len => &self.tables.series.label_name[rows(&self.tables.series.label_end, len - 1)],
        }
    }

    /// The labels of a series.
    pub(crate) fn labels_of(&self, series: u32) -> impl ExactSizeIterator<Item = Label> + '_ {
        rows(&self.tables.series.label_end, series as usize).map(|row| Label {
            name: self.tables.series.label_name[row],
            value: self.tables.series.label_value[row],
        })
    }

    /// Whether a series is the one with those labels in a family.
    #[inline]
    pub(crate) fn is_series(&self, series: u32, family: u32, labels: &[Label]) -> bool {
        self.family_of_series(series) == family && self.labels_of(series).eq(labels.iter().copied())
    }

    /// Sorts labels by the text of their names. False when a name comes twice.
    pub fn sort_labels(&self, labels: &mut [Label]) -> bool {
        if labels.iter().map(|label| label.name).eq(self.last_label_names().iter().copied()) {
            return true; // As in the series before: in order already, and seen to be without duplicates.
        }
        let symbols = self.symbols();
        if !labels.is_sorted_by(|a, b| symbols.get(a.name) < symbols.get(b.name)) {
            labels.sort_unstable_by(|a, b| symbols.get(a.name).cmp(symbols.get(b.name)));
        }
        labels.windows(2).all(|pair| pair[0].name != pair[1].name)
    }

    /// The push: rows below their parents, families without series gone, labels that the grouping key
    /// overrides gone.
    pub fn finish(self) -> Push {
        let (families, series) = self.tables.finish();
        let mut push = Push {
            symbols: self.interner.into_symbols(),
            grouping: self.grouping,
            families,
            series,
            details: Arc::new(self.details),
            utf8_names: self.utf8_names,
            objection: self.objection,
        };
        push.hide_overridden_labels();
        push
    }
}
