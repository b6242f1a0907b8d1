//! Typed edits of a push: what a plugin may change, applied all or none.
//!
//! Nothing about a patch is trusted. Every number is checked against the tables and every result
//! against the data model, so that a push is as legal after an edit as it was before.

mod rows;
mod summary;

use crate::edit::rows::Rows;
pub use crate::edit::summary::{Change, summary};
use crate::text::encode;
use crate::{InternError, Interner, Label, Push, Sym, Symbols, is_label_name, is_metric_name};

/// The rows that an edit touches, by the numbers they had before the patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Every series.
    All,
    /// The series that were in this family.
    Family(u32),
    /// One series.
    Series(u32),
}

/// One change; `wit/types.wit` says what each does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are described in wit/types.wit")]
pub enum Edit {
    SetLabel { scope: Scope, name: Sym, value: Sym },
    RenameLabel { scope: Scope, from: Sym, to: Sym },
    DropLabel { scope: Scope, name: Sym },
    RenameFamily { family: u32, name: Sym },
    RenameSeries { series: u32, name: Sym },
    SetHelp { family: u32, help: Sym },
    Drop(Scope),
    SetGroupingLabel(Label),
    DropGroupingLabel(Sym),
}

/// Edits in order, and the symbols they add: symbol `n + i` is `bytes[ends[i-1]..ends[i]]`, where `n` is
/// how many symbols the push has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Patch {
    /// The arena of the new symbols.
    pub bytes: Vec<u8>,
    /// Where each new symbol ends.
    pub ends: Vec<u32>,
    /// What to do, in order.
    pub edits: Vec<Edit>,
}

/// Why a patch was not applied. Nothing of it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what the variant means")]
pub enum EditError {
    #[error("new symbol {0} does not end where a symbol can end")]
    SymbolEnd(usize),
    #[error("new symbol {0} is not UTF-8")]
    SymbolNotUtf8(usize),
    #[error("the symbols of the push are more than 4 GiB")]
    SymbolsFull,
    #[error("there is no symbol {0}")]
    NoSymbol(Sym),
    #[error("there is no family {0}")]
    NoFamily(u32),
    #[error("there is no series {0}")]
    NoSeries(u32),
    #[error("{0:?} is no label name")]
    LabelName(String),
    #[error("{0:?} is no metric name")]
    MetricName(String),
    #[error("{label:?} tells the points of {kind} {family:?} apart and cannot be set")]
    PointLabel { label: String, kind: &'static str, family: String },
    #[error("{from:?} is a {from_kind} and cannot join {to:?}, which is a {to_kind}")]
    KindsDiffer { from: String, from_kind: &'static str, to: String, to_kind: &'static str },
    #[error("a series of {kind} {family:?} cannot leave its family")]
    NotSimple { kind: &'static str, family: String },
    #[error("the grouping label job cannot be dropped or empty")]
    NoJob,
    #[error("two series are the same: {0}")]
    DuplicateSeries(String),
    #[error("the edits touch {0} rows, more than is allowed for a push of this size")]
    TooManyRows(usize),
}

impl Push {
    /// Applies a patch: all of it, or nothing when there is an error.
    ///
    /// # Errors
    /// When the patch names what is not there, or its result would break the data model.
    pub fn apply(&mut self, patch: &Patch) -> Result<(), EditError> {
        *self = self.edited(patch)?;
        Ok(())
    }

    /// The push as it is with a patch.
    ///
    /// # Errors
    /// As for [`apply`](Self::apply).
    pub fn edited(&self, patch: &Patch) -> Result<Self, EditError> {
        let names = Names::new(self, patch)?;
        let mut grouping = self.grouping.clone();
        let mut rows = None;
        for edit in &patch.edits {
            match *edit {
                Edit::SetGroupingLabel(label) => set_grouping_label(&mut grouping, &names, label)?,
                Edit::DropGroupingLabel(name) => drop_grouping_label(&mut grouping, &names, name)?,
                edit => rows.get_or_insert_with(|| Rows::new(self, &names)).apply(edit)?,
            }
        }
        let (families, series) = match rows {
            Some(rows) => rows.finish(),
            None => (self.families.clone(), self.series.clone()),
        };
        let mut edited = Self {
            symbols: names.symbols,
            grouping,
            families,
            series,
            details: self.details.clone(),
            utf8_names: self.utf8_names,
            objection: self.objection.clone(),
        };
        edited.hide_overridden_labels();
        if let Some((family, series)) = edited.find_duplicate()
            // A push that came with duplicates is its client's fault, and the store will say so.
            && self.find_duplicate().is_none()
        {
            return Err(EditError::DuplicateSeries(encode::series_name(family, series)));
        }
        Ok(edited)
    }
}

/// The symbols of a push and of a patch for it, in one table.
struct Names {
    symbols: Symbols,
    /// How many symbols the push had.
    received: usize,
    /// What became of the patch's symbols.
    added: Vec<Sym>,
}

impl Names {
    fn new(push: &Push, patch: &Patch) -> Result<Self, EditError> {
        let received = push.symbols.len();
        if patch.ends.is_empty() {
            return Ok(Self { symbols: push.symbols.clone(), received, added: Vec::new() });
        }
        let mut interner = Interner::from(push.symbols.clone());
        let mut start = 0;
        let mut added = Vec::with_capacity(patch.ends.len());
        for (index, &end) in patch.ends.iter().enumerate() {
            let token = patch.bytes.get(start..end as usize).ok_or(EditError::SymbolEnd(index))?;
            start = end as usize;
            added.push(interner.intern(token).map_err(|error| match error {
                InternError::NotUtf8 => EditError::SymbolNotUtf8(index),
                InternError::Full => EditError::SymbolsFull,
            })?);
        }
        Ok(Self { symbols: interner.into_symbols(), received, added })
    }

    /// The symbol that a number in the patch stands for.
    fn symbol(&self, number: Sym) -> Result<Sym, EditError> {
        let index = number as usize;
        let symbol =
            if index < self.received { Some(number) } else { self.added.get(index - self.received).copied() };
        symbol.ok_or(EditError::NoSymbol(number))
    }

    fn label_name(&self, number: Sym) -> Result<Sym, EditError> {
        let symbol = self.symbol(number)?;
        let name = self.symbols.get(symbol);
        if is_label_name(name) { Ok(symbol) } else { Err(EditError::LabelName(name.to_owned())) }
    }

    fn metric_name(&self, number: Sym) -> Result<Sym, EditError> {
        let symbol = self.symbol(number)?;
        let name = self.symbols.get(symbol);
        if is_metric_name(name) { Ok(symbol) } else { Err(EditError::MetricName(name.to_owned())) }
    }
}

fn set_grouping_label(grouping: &mut Vec<Label>, names: &Names, label: Label) -> Result<(), EditError> {
    let label = Label { name: names.label_name(label.name)?, value: names.symbol(label.value)? };
    let name = names.symbols.get(label.name);
    if name == "job" && label.value == 0 {
        return Err(EditError::NoJob);
    }
    match grouping.binary_search_by(|other| names.symbols.get(other.name).cmp(name)) {
        Ok(at) => grouping[at] = label,
        Err(at) => grouping.insert(at, label),
    }
    Ok(())
}

fn drop_grouping_label(grouping: &mut Vec<Label>, names: &Names, name: Sym) -> Result<(), EditError> {
    let name = names.symbol(name)?;
    if names.symbols.get(name) == "job" {
        return Err(EditError::NoJob);
    }
    grouping.retain(|label| label.name != name);
    Ok(())
}
