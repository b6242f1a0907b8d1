//! The labels that rules work on.

use std::collections::BTreeMap;

use pushgate_plugin::Sym;

use crate::rule::{METRIC_NAME, is_temporary};
use crate::texts::Texts;

/// A label as symbols.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) name: Sym,
    /// Empty for a label that is not there, or not any more.
    pub(crate) value: Sym,
}

/// The labels of one series after the other, or of a grouping key, as far as rules have to do with them.
///
/// Each name that a rule may read or write has a slot; labels of other names are passed by. The first
/// slots are standing: they hold the metric's name, which rules may write, and, for a series, the grouping
/// key, which is fixed. Rules that drop labels by name leave them alone.
#[derive(Debug)]
pub(crate) struct LabelSet {
    slots: Vec<Slot>,
    standing: usize,
    /// The slot of the metric's name, where there is one.
    name: Option<SlotId>,
    /// By symbol of a name: one more than the number of its slot; 0 for none.
    slot_of: Vec<u32>,
    /// The slots that this series uses, the standing ones aside.
    used: Vec<u32>,
    /// How many labels rules have added to this series.
    additions: u32,
    /// Whether rules wrote a standing label of it.
    is_standing_written: bool,
    /// Values that labels had already when a rule wrote the same text, each with the symbol of the rule.
    pub(crate) aliases: BTreeMap<Sym, Sym>,
}

/// The number of a slot.
pub(crate) type SlotId = usize;

#[derive(Clone, Copy, Debug)]
struct Slot {
    name: Sym,
    value: Sym,
    /// The value that it had before any rule ran.
    before: Sym,
    /// When a rule wrote it, counted from 1; 0 for a label that is as it came, or is not there.
    added: u32,
    is_used: bool,
    /// Whether it is there for the rules only.
    is_temporary: bool,
}

/// Why a label was not written: it is a fixed one, with another value.
#[derive(Debug)]
pub(crate) struct IsFixed;

impl LabelSet {
    /// A set of these standing labels, in slots from 0 on.
    pub(crate) fn new(standing: &[Entry], texts: &Texts<'_>) -> Self {
        let mut set = Self {
            slots: Vec::new(),
            standing: standing.len(),
            name: standing.iter().position(|entry| texts.text(entry.name) == METRIC_NAME),
            slot_of: Vec::new(),
            used: Vec::new(),
            additions: 0,
            is_standing_written: false,
            aliases: BTreeMap::new(),
        };
        for entry in standing {
            let slot = set.slot(entry.name, texts);
            set.stand(slot, entry.value);
        }
        set
    }

    /// The slot for labels of a name, made when there is none.
    pub(crate) fn slot(&mut self, name: Sym, texts: &Texts<'_>) -> SlotId {
        if self.slot_of.len() <= name.index() {
            self.slot_of.resize(name.index() + 1, 0);
        }
        let slot_of = &mut self.slot_of[name.index()];
        if *slot_of == 0 {
            let is_temporary = is_temporary(texts.text(name));
            self.slots.push(Slot {
                name,
                value: Sym::EMPTY,
                before: Sym::EMPTY,
                added: 0,
                is_used: false,
                is_temporary,
            });
            *slot_of = self.slots.len() as u32;
        }
        *slot_of as usize - 1
    }

    /// How many slots there are.
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// The name of the labels in a slot.
    pub(crate) fn name(&self, slot: SlotId) -> Sym {
        self.slots[slot].name
    }

    /// The value of the label in a slot, the empty string when there is none.
    #[inline]
    pub(crate) fn value(&self, slot: SlotId) -> Sym {
        self.slots[slot].value
    }

    /// When a rule wrote the label in a slot, counted from 1; 0 when it is as it came.
    pub(crate) fn added(&self, slot: SlotId) -> u32 {
        self.slots[slot].added
    }

    /// The slot of the metric's name, where there is one.
    pub(crate) fn name_slot(&self) -> Option<SlotId> {
        self.name
    }

    /// The metric's name.
    pub(crate) fn metric_name(&self) -> Sym {
        self.name.map_or(Sym::EMPTY, |slot| self.slots[slot].value)
    }

    /// Gives a standing label its value, for the series to come.
    pub(crate) fn stand(&mut self, slot: SlotId, value: Sym) {
        (self.slots[slot].value, self.slots[slot].before) = (value, value);
    }

    /// Forgets the labels of the series before.
    #[inline]
    pub(crate) fn clear(&mut self) {
        for slot in self.used.drain(..) {
            let slot = &mut self.slots[slot as usize];
            (slot.value, slot.before, slot.added, slot.is_used) = (Sym::EMPTY, Sym::EMPTY, 0, false);
        }
        self.additions = 0;
        if std::mem::take(&mut self.is_standing_written) {
            for slot in &mut self.slots[..self.standing] {
                (slot.value, slot.added) = (slot.before, 0);
            }
        }
    }

    /// Adds a label that a series came with. One that stands hides it.
    #[inline]
    pub(crate) fn load(&mut self, entry: Entry) {
        let Some(&slot_of) = self.slot_of.get(entry.name.index()) else { return };
        let slot = slot_of.wrapping_sub(1) as usize;
        if slot >= self.standing
            && let Some(label) = self.slots.get_mut(slot)
        {
            (label.value, label.before, label.is_used) = (entry.value, entry.value, true);
            self.used.push(slot as u32);
        }
    }

    /// Adds a label, replaces its value, or removes it when the value is empty.
    #[inline]
    pub(crate) fn write(&mut self, slot: SlotId, value: Sym, texts: &Texts<'_>) -> Result<(), IsFixed> {
        let label = &mut self.slots[slot];
        let is_same = texts.same_text(label.value, value);
        if !is_same && slot < self.standing && self.name != Some(slot) {
            return Err(IsFixed);
        }
        self.is_standing_written |= slot < self.standing;
        if value == Sym::EMPTY {
            label.added = 0;
        } else if label.added == 0 {
            self.additions += 1;
            label.added = self.additions;
        }
        if is_same {
            if label.value != value {
                self.aliases.insert(label.value, value);
            }
            return Ok(());
        }
        // What comes back to the text it had is no change.
        label.value = if texts.same_text(label.before, value) { label.before } else { value };
        if slot >= self.standing && !std::mem::replace(&mut label.is_used, true) {
            self.used.push(slot as u32);
        }
        Ok(())
    }

    /// The slots that may hold a label now: how many, and each by its place among them.
    pub(crate) fn places(&self) -> usize {
        self.standing + self.used.len()
    }

    /// The slot in a place.
    #[inline]
    pub(crate) fn slot_at(&self, place: usize) -> SlotId {
        place.checked_sub(self.standing).map_or(place, |place| self.used[place] as usize)
    }

    /// Whether rules that drop labels by name leave a slot alone.
    pub(crate) fn is_standing(&self, slot: SlotId) -> bool {
        slot < self.standing
    }

    /// Removes the label in a slot that is not a standing one.
    pub(crate) fn remove(&mut self, slot: SlotId) {
        (self.slots[slot].value, self.slots[slot].added) = (Sym::EMPTY, 0);
    }

    /// The labels that are not what they were. Temporary ones are not among them.
    #[inline]
    pub(crate) fn changes(&self) -> impl Iterator<Item = Entry> {
        let slots = self.used.iter().map(|slot| &self.slots[*slot as usize]);
        let changed = slots.filter(|slot| slot.value != slot.before && !slot.is_temporary);
        changed.map(|slot| Entry { name: slot.name, value: slot.value })
    }
}
