//! From changes to edits, as few as will do.
//!
//! A change that is true of all series of the push, or of a family, is one edit. It need not have been made
//! to each of them: to set a label is right where it is set already, to drop one where there is none.

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use pushgate_plugin::{Edits, Family, Push, Scope, Series, Sym};

use crate::label_set::Entry;
use crate::series::Relabelled;

/// Writes the edits that drop series, when some are left.
pub(crate) fn drop_series(push: &Push, relabelled: &Relabelled, edits: &mut Edits) {
    for family in push.families() {
        let mut dropped = family.series().filter(|series| relabelled.is_dropped(*series)).peekable();
        if dropped.peek().is_none() {
            continue;
        }
        if family.series().all(|series| relabelled.is_dropped(series)) {
            edits.drop(family);
        } else {
            dropped.for_each(|series| edits.drop(series));
        }
    }
}

/// Writes the edits that change labels.
pub(crate) fn change_labels(push: &Push, relabelled: &Relabelled, edits: &mut Edits) {
    if relabelled.all_changes().is_empty() {
        return;
    }
    if relabelled.is_one_change_for_all() {
        let first = push.series().next().map_or(&[][..], |series| relabelled.changes(series));
        return first.iter().for_each(|entry| write(edits, Scope::All, *entry));
    }
    let mut tally = Tally::new(push, relabelled);
    push.families().for_each(|family| tally.family(family, relabelled));
    tally.write(edits);
}

fn write(edits: &mut Edits, scope: Scope, entry: Entry) {
    match entry.value {
        Sym::EMPTY => edits.drop_label(scope, entry.name),
        value => edits.set_label(scope, entry.name, value),
    }
}

/// The distinct changes of a push, numbered, and what each of them is true of.
#[derive(Default)]
struct Tally {
    numbers: HashMap<(Sym, Sym), usize, FixedState>,
    changes: Vec<Distinct>,
    /// By row of all changes: the number.
    number_of: Vec<usize>,
    /// The numbers of changes that were counted in the family at hand.
    counted: Vec<usize>,
    /// By name: the changes of such labels.
    touched: Vec<Touched>,
    /// Series that were not dropped.
    series: usize,
    /// Changes of families and of series; written unless the change is true of all series.
    narrow: Vec<(Scope, usize)>,
}

/// A change that one or more series have in common.
struct Distinct {
    /// A label that is set, or dropped when its value is empty.
    entry: Entry,
    /// How many series of the family at hand have such a label now; for a drop, one of that name.
    in_family: usize,
    /// How many series have.
    in_all: usize,
    /// The last family of which it is true.
    family: Option<usize>,
}

/// What changes there are of the labels of one name.
#[derive(Clone, Copy, Default)]
struct Touched {
    /// How many series have one.
    changes: usize,
    /// The value and the number of the last one.
    last: Option<(Sym, usize)>,
    /// The number of the one that drops the label.
    drop: Option<usize>,
    /// Whether series may have such a label that did not change.
    is_partial: bool,
}

impl Distinct {
    fn is_true_of_all(&self, having: usize, series: usize) -> bool {
        if self.entry.value == Sym::EMPTY { having == 0 } else { having == series }
    }
}

impl Tally {
    fn new(push: &Push, relabelled: &Relabelled) -> Self {
        let mut tally =
            Self { number_of: Vec::with_capacity(relabelled.all_changes().len()), ..Self::default() };
        for &entry in relabelled.all_changes() {
            let number = tally.number(entry);
            tally.number_of.push(number);
        }
        let series = push.series().filter(|series| !relabelled.is_dropped(*series)).count();
        for name in push.label_names() {
            if let Some(touched) = tally.touched.get_mut(name.sym().index()) {
                touched.is_partial = touched.changes > 0 && touched.changes < series;
            }
        }
        tally.series = series;
        tally
    }

    /// The number of a change, which is made when it is a new one.
    fn number(&mut self, entry: Entry) -> usize {
        if self.touched.len() <= entry.name.index() {
            self.touched.resize(entry.name.index() + 1, Touched::default());
        }
        let touched = &mut self.touched[entry.name.index()];
        touched.changes += 1;
        // Series that follow each other mostly have changes in common.
        if let Some((value, number)) = touched.last
            && value == entry.value
        {
            return number;
        }
        let next = self.changes.len();
        let number = *self.numbers.entry((entry.name, entry.value)).or_insert(next);
        if number == next {
            self.changes.push(Distinct { entry, in_family: 0, in_all: 0, family: None });
        }
        touched.last = Some((entry.value, number));
        if entry.value == Sym::EMPTY {
            touched.drop = Some(number);
        }
        number
    }

    /// Settles which changes are true of a whole family, and which of some of its series only.
    fn family(&mut self, family: Family<'_>, relabelled: &Relabelled) {
        let mut live = 0;
        for series in family.series().filter(|series| !relabelled.is_dropped(*series)) {
            live += 1;
            self.count(series, relabelled);
        }
        for series in family.series() {
            for row in relabelled.change_rows(series) {
                let number = self.number_of[row];
                let change = &mut self.changes[number];
                if !change.is_true_of_all(change.in_family, live) {
                    self.narrow.push((series.into(), number));
                } else if change.family.replace(family.index()) != Some(family.index()) {
                    self.narrow.push((family.into(), number));
                }
            }
        }
        for number in self.counted.drain(..) {
            let change = &mut self.changes[number];
            change.in_all += std::mem::take(&mut change.in_family);
        }
    }

    /// Counts the labels of a series that changes are about.
    fn count(&mut self, series: Series<'_>, relabelled: &Relabelled) {
        let rows = relabelled.change_rows(series);
        let changes = &relabelled.all_changes()[rows.clone()];
        for label in series.labels() {
            let (name, value) = (label.name_sym(), label.value_sym());
            if let Some(touched) =
                self.touched.get(name.index()).copied().filter(|touched| touched.is_partial)
                && changes.iter().all(|change| change.name != name)
            {
                let Entry { name, value } = relabelled.as_changed(Entry { name, value });
                let number = self.numbers.get(&(name, value)).copied();
                self.note(number.into_iter().chain(touched.drop));
            }
        }
        for (row, change) in rows.zip(changes).filter(|(_, change)| change.value != Sym::EMPTY) {
            let drop = self.touched[change.name.index()].drop;
            self.note([self.number_of[row]].into_iter().chain(drop));
        }
    }

    #[inline]
    fn note(&mut self, numbers: impl Iterator<Item = usize>) {
        for number in numbers {
            self.changes[number].in_family += 1;
            self.counted.push(number);
        }
    }

    fn write(self, edits: &mut Edits) {
        let is_wide = |change: &Distinct| change.is_true_of_all(change.in_all, self.series);
        for change in self.changes.iter().filter(|change| is_wide(change)) {
            write(edits, Scope::All, change.entry);
        }
        for (scope, number) in self.narrow {
            let change = &self.changes[number];
            if !is_wide(change) {
                write(edits, scope, change.entry);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use pushgate_plugin::{Edits, Plugin, testing};

    use crate::Relabel;

    const PUSH: &str =
        "runs{host=\"a\",env=\"prod\"} 1\nruns{host=\"b\"} 2\nfiles{host=\"a\"} 3\nsize{pid=\"1\"} 4\n";

    #[test]
    fn edits_are_few() {
        for (rules, expected) in [
            // The same for all, whether or not a series has it already.
            (r#"{"target_label": "region", "replacement": "eu"}"#, 1),
            (r#"{"target_label": "env", "replacement": "prod"}"#, 1),
            (r#"{"regex": "pid|env", "action": "labeldrop"}"#, 2),
            // Two changes, one for all and one of a family.
            (
                r#"{"target_label": "region", "replacement": "eu"},
                   {"source_labels": ["__name__"], "regex": "runs", "target_label": "kind", "replacement": "x"}"#,
                2,
            ),
            // A change of one series in a family of two, and of all series in another.
            (r#"{"source_labels": ["host"], "regex": "a", "target_label": "kind", "replacement": "x"}"#, 2),
            // Dropped series need no changes, and nothing else is in the way of one for all.
            (
                r#"{"source_labels": ["host"], "regex": "a", "action": "drop"},
                   {"target_label": "region", "replacement": "eu"}"#,
                3,
            ),
            (r#"{"source_labels": ["job"], "regex": "backup", "action": "drop"}"#, 1),
        ] {
            let config = format!(r#"{{"rules": [{rules}]}}"#);
            let relabel = testing::configure::<Relabel>(&config).unwrap();
            let push = testing::push(r#"PUT {job="backup"}"#, PUSH).unwrap();
            assert_eq!(relabel.evaluate(&push).edits().map(Edits::len), Some(expected), "{rules}");
        }
    }
}
