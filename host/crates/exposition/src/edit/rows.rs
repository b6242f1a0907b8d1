//! Edits of families, series and their labels, on a copy that is easy to change.

use crate::edit::{Edit, EditError, Names, Scope};
use crate::push::{FamilyColumns, SeriesColumns, rows};
use crate::tables::Tables;
use crate::{Kind, Label, Push, Sym};

/// How many rows the edits of one patch may touch: this for each series, and [`SPARE_ROWS`]. Enough for a
/// hundred rules that each change every series, and a bound for a patch of a million edits of all.
const ROWS_PER_SERIES: usize = 256;
const SPARE_ROWS: usize = 1024;

/// The family of a series that was dropped.
const DROPPED: u32 = u32::MAX;

/// A push with its labels in slots that can grow.
pub(super) struct Rows<'a> {
    push: &'a Push,
    names: &'a Names,
    families: FamilyColumns,
    /// The family each series is in now.
    family_of: Vec<u32>,
    /// Families that joined another one.
    joined: Vec<u32>,
    /// Where in `labels` the labels of each series are.
    slots: Vec<Slot>,
    labels: Vec<Label>,
    rows_left: usize,
}

#[derive(Clone, Copy)]
struct Slot {
    start: usize,
    len: usize,
    capacity: usize,
}

impl<'a> Rows<'a> {
    pub(super) fn new(push: &'a Push, names: &'a Names) -> Self {
        let columns = &push.series;
        let label = |(&name, &value): (&Sym, &Sym)| Label { name, value };
        let slot = |series| {
            let rows = rows(&columns.label_end, series);
            Slot { start: rows.start, len: rows.len(), capacity: rows.len() }
        };
        let families = 0..push.families.name.len();
        Self {
            push,
            names,
            families: push.families.clone(),
            family_of: families
                .flat_map(|family| rows(&push.families.series_end, family).map(move |_| family as u32))
                .collect(),
            joined: Vec::new(),
            slots: (0..push.series_count()).map(slot).collect(),
            labels: columns.label_name.iter().zip(&columns.label_value).map(label).collect(),
            rows_left: ROWS_PER_SERIES * push.series_count() + SPARE_ROWS,
        }
    }

    pub(super) fn apply(&mut self, edit: Edit) -> Result<(), EditError> {
        match edit {
            Edit::SetLabel { scope, name, value } => {
                let name = self.names.label_name(name)?;
                match self.names.symbol(value)? {
                    0 => self.drop_labels(scope, name),
                    value => self.each(scope, |rows, series| rows.set_label(series, Label { name, value })),
                }
            }
            Edit::RenameLabel { scope, from, to } => {
                let (from, to) = (self.names.symbol(from)?, self.names.label_name(to)?);
                self.each(scope, |rows, series| rows.rename_label(series, from, to))
            }
            Edit::DropLabel { scope, name } => {
                let name = self.names.symbol(name)?;
                self.drop_labels(scope, name)
            }
            Edit::Drop(scope) => self.each(scope, |rows, series| {
                rows.family_of[series] = DROPPED;
                Ok(())
            }),
            Edit::RenameFamily { family, name } => self.rename_family(family, name),
            Edit::RenameSeries { series, name } => self.rename_series(series, name),
            Edit::SetHelp { family, help } => {
                let help = self.names.symbol(help)?;
                let family = self.received_family(family)?;
                self.families.help[family] = help;
                self.families.blank_help[family] = false;
                Ok(())
            }
            Edit::SetGroupingLabel(_) | Edit::DropGroupingLabel(_) => Ok(()), // Not about rows.
        }
    }

    /// Calls `change` for each series in a scope that is still there.
    fn each(
        &mut self,
        scope: Scope,
        mut change: impl FnMut(&mut Self, usize) -> Result<(), EditError>,
    ) -> Result<(), EditError> {
        let range = match scope {
            Scope::All => 0..self.slots.len(),
            Scope::Family(family) => rows(&self.push.families.series_end, self.received_family(family)?),
            Scope::Series(series) => {
                let index = self.received_series(series)?;
                index..index + 1
            }
        };
        self.spend(range.len())?;
        for series in range {
            if self.family_of[series] != DROPPED {
                change(self, series)?;
            }
        }
        Ok(())
    }

    fn spend(&mut self, rows: usize) -> Result<(), EditError> {
        let allowed = ROWS_PER_SERIES * self.push.series_count() + SPARE_ROWS;
        self.rows_left = self.rows_left.checked_sub(rows.max(1)).ok_or(EditError::TooManyRows(allowed))?;
        Ok(())
    }

    fn received_family(&self, family: u32) -> Result<usize, EditError> {
        let index = family as usize;
        if index < self.push.families.name.len() { Ok(index) } else { Err(EditError::NoFamily(family)) }
    }

    fn received_series(&self, series: u32) -> Result<usize, EditError> {
        let index = series as usize;
        if index < self.slots.len() { Ok(index) } else { Err(EditError::NoSeries(series)) }
    }

    fn kind(&self, family: u32) -> Kind {
        Kind::from_u8(self.families.kind[family as usize])
    }

    fn family_name(&self, family: u32) -> String {
        self.names.symbols.get(self.families.name[family as usize]).to_owned()
    }

    /// `le` and `quantile` stand for points in text, so a series with points may not have them as labels.
    fn check_point_label(&self, series: usize, name: Sym) -> Result<(), EditError> {
        let family = self.family_of[series];
        let kind = self.kind(family);
        match kind.point_label() {
            Some(label) if label == self.names.symbols.get(name) => Err(EditError::PointLabel {
                label: label.to_owned(),
                kind: kind.as_str(),
                family: self.family_name(family),
            }),
            _ => Ok(()),
        }
    }

    fn label_slice(&self, series: usize) -> &[Label] {
        let slot = self.slots[series];
        &self.labels[slot.start..slot.start + slot.len]
    }

    fn set_label(&mut self, series: usize, label: Label) -> Result<(), EditError> {
        self.check_point_label(series, label.name)?;
        let symbols = &self.names.symbols;
        let name = symbols.get(label.name);
        let slot = self.slots[series];
        match self.label_slice(series).binary_search_by(|other| symbols.get(other.name).cmp(name)) {
            Ok(at) => self.labels[slot.start + at] = label,
            Err(at) => self.insert(series, at, label),
        }
        Ok(())
    }

    /// Inserts into a slot; one without room moves to the end, with some to spare.
    fn insert(&mut self, series: usize, at: usize, label: Label) {
        let slot = &mut self.slots[series];
        if slot.len == slot.capacity {
            let start = self.labels.len();
            self.labels.extend_from_within(slot.start..slot.start + slot.len);
            self.labels.resize(start + slot.len + 4, label);
            *slot = Slot { start, len: slot.len, capacity: slot.len + 4 };
        }
        let (from, to) = (slot.start + at, slot.start + slot.len);
        self.labels.copy_within(from..to, from + 1);
        self.labels[from] = label;
        slot.len += 1;
    }

    fn drop_labels(&mut self, scope: Scope, name: Sym) -> Result<(), EditError> {
        self.each(scope, |rows, series| {
            rows.drop_label(series, name);
            Ok(())
        })
    }

    fn drop_label(&mut self, series: usize, name: Sym) {
        if let Some(at) = self.label_slice(series).iter().position(|label| label.name == name) {
            let slot = &mut self.slots[series];
            self.labels.copy_within(slot.start + at + 1..slot.start + slot.len, slot.start + at);
            slot.len -= 1;
        }
    }

    fn rename_label(&mut self, series: usize, from: Sym, to: Sym) -> Result<(), EditError> {
        match self.label_slice(series).iter().find(|label| label.name == from).copied() {
            Some(label) if from != to => {
                self.drop_label(series, from);
                self.set_label(series, Label { name: to, value: label.value })
            }
            _ => Ok(()),
        }
    }

    fn rename_family(&mut self, family: u32, name: Sym) -> Result<(), EditError> {
        let name = self.names.metric_name(name)?;
        self.received_family(family)?;
        self.spend(self.families.name.len())?;
        match self.find_family(name) {
            Some(other) if other == family => {}
            Some(other) => {
                self.check_same_kind(family, other)?;
                self.joined.push(family);
                self.move_series(family, other)?;
            }
            None => self.families.name[family as usize] = name,
        }
        Ok(())
    }

    fn move_series(&mut self, from: u32, to: u32) -> Result<(), EditError> {
        self.spend(self.family_of.len())?;
        self.family_of.iter_mut().filter(|family| **family == from).for_each(|family| *family = to);
        Ok(())
    }

    fn rename_series(&mut self, series: u32, name: Sym) -> Result<(), EditError> {
        let name = self.names.metric_name(name)?;
        let index = self.received_series(series)?;
        let family = self.family_of[index];
        if family == DROPPED {
            return Ok(());
        }
        let kind = self.kind(family);
        if !kind.is_simple() {
            return Err(EditError::NotSimple { kind: kind.as_str(), family: self.family_name(family) });
        }
        self.spend(self.families.name.len())?;
        let target = match self.find_family(name) {
            Some(other) => {
                self.check_same_kind(family, other)?;
                other
            }
            None => self.add_family(family, name),
        };
        self.family_of[index] = target;
        Ok(())
    }

    /// The family that has a name now. A family that joined another has none any more.
    fn find_family(&self, name: Sym) -> Option<u32> {
        let mut families = (0u32..).zip(&self.families.name);
        families
            .find(|&(family, &other)| other == name && !self.joined.contains(&family))
            .map(|(family, _)| family)
    }

    fn check_same_kind(&self, from: u32, to: u32) -> Result<(), EditError> {
        let (from_kind, to_kind) = (self.kind(from), self.kind(to));
        if from_kind == to_kind {
            return Ok(());
        }
        Err(EditError::KindsDiffer {
            from: self.family_name(from),
            from_kind: from_kind.as_str(),
            to: self.family_name(to),
            to_kind: to_kind.as_str(),
        })
    }

    /// A family like another one, under a name that none has.
    fn add_family(&mut self, like: u32, name: Sym) -> u32 {
        let like = like as usize;
        self.families.name.push(name);
        self.families.kind.push(self.families.kind[like]);
        self.families.help.push(self.families.help[like]);
        self.families.blank_help.push(self.families.blank_help[like]);
        self.families.unit.push(self.families.unit[like]);
        self.families.name.len() as u32 - 1
    }

    /// The columns as they are now, without what was dropped.
    pub(super) fn finish(self) -> (FamilyColumns, SeriesColumns) {
        let before = &self.push.series;
        let mut tables = Tables { families: self.families, ..Tables::default() };
        for (series, &family) in self.family_of.iter().enumerate().filter(|(_, family)| **family != DROPPED) {
            let index = tables.series_family.len() as u32;
            tables.series_family.push(family);
            let slot = self.slots[series];
            let labels = &self.labels[slot.start..slot.start + slot.len];
            tables.series.label_name.extend(labels.iter().map(|label| label.name));
            tables.series.label_value.extend(labels.iter().map(|label| label.value));
            tables.series.label_end.push(tables.series.label_name.len() as u32);
            tables.series.value.push(before.value[series]);
            tables.series.count.push(before.count[series]);
            tables.series.detail.push(before.detail[series]);
            let points = rows(&before.point_end, series);
            tables.point_series.extend(points.clone().map(|_| index));
            tables.series.point_bound.extend_from_slice(&before.point_bound[points.clone()]);
            tables.series.point_value.extend_from_slice(&before.point_value[points]);
        }
        tables.finish()
    }
}
