//! Series that the rules make equal.
//!
//! The host would call that a fault of the plugin. It is one of the rules and the push together, so it is
//! found here, and told to the person who pushed.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use pushgate_plugin::{Finding, Findings, LabelName, Push, Series, Sym, quote};

use crate::DUPLICATE_SERIES;
use crate::label_set::Entry;
use crate::series::Relabelled;
use crate::texts::Texts;

/// Adds a finding for each series that is equal to one before it and was not when it came. `hidden` are
/// labels that the grouping key took from the series.
pub(crate) fn find(
    push: &Push,
    relabelled: &Relabelled,
    hidden: &[Sym],
    texts: &Texts<'_>,
    reasons: &mut Findings,
) {
    let had_by_some: Vec<Sym> = push.label_names().map(LabelName::sym).collect();
    let hides_some = hidden.iter().any(|name| had_by_some.contains(name));
    // Series that were told apart by their labels still are when they only get labels of other names.
    let mut names: Vec<Sym> = relabelled.all_changes().iter().map(|change| change.name).collect();
    names.sort_unstable();
    names.dedup();
    if !hides_some && !relabelled.has_new_names() && !names.iter().any(|name| had_by_some.contains(name)) {
        return;
    }
    let mut search = Search { push, relabelled, hidden, texts, hashes: Vec::new() };
    if relabelled.has_new_names() {
        return search.among(push.series(), push.series_count(), reasons);
    }
    for family in push.families() {
        let is_changed = |series| !relabelled.changes(series).is_empty();
        if family.series().len() > 1 && (hides_some || family.series().any(is_changed)) {
            search.among(family.series(), family.series().len(), reasons);
        }
    }
}

struct Search<'a, 'p> {
    push: &'a Push,
    relabelled: &'a Relabelled,
    hidden: &'a [Sym],
    texts: &'a Texts<'p>,
    /// The hash of each value's text, by symbol; 0 where it was not asked for yet.
    hashes: Vec<u64>,
}

impl Search<'_, '_> {
    fn among<'p>(&mut self, series: impl Iterator<Item = Series<'p>>, count: usize, reasons: &mut Findings) {
        let mut seen: HashTable<(u64, usize)> = HashTable::with_capacity(count);
        for series in series.filter(|series| !self.relabelled.is_dropped(*series)) {
            let own = self.hash(series);
            let is_equal = |&(other, index): &(u64, usize)| {
                other == own && self.push.series_at(index).is_some_and(|other| self.are_equal(other, series))
            };
            let Some(&(_, first)) = seen.find(own, is_equal) else {
                seen.insert_unique(own, (own, series.index()), |(hash, _)| *hash);
                continue;
            };
            // A push that came with duplicates is refused by the gateway, and not because of the rules.
            let came_equal = |first: &Series<'_>| {
                first.family().index() == series.family().index() && own_labels(*first).eq(own_labels(series))
            };
            if let Some(first) = self.push.series_at(first).filter(|first| !came_equal(first)) {
                reasons.add(|| {
                    let first = shown(first, self.push);
                    let message = format!(
                        "push only one of this series and {}: the rules make them equal",
                        quote(&first)
                    );
                    Finding::new(&DUPLICATE_SERIES, message).at_series(series)
                });
            }
        }
    }

    /// Calls `look` with each label of a series as it is now.
    #[inline]
    fn each_label(&self, series: Series<'_>, mut look: impl FnMut(Entry)) {
        let changes = self.relabelled.changes(series);
        for entry in own_labels(series) {
            let is_gone = entry.value == Sym::EMPTY || self.hidden.contains(&entry.name);
            if !is_gone && changes.iter().all(|change| change.name != entry.name) {
                look(entry);
            }
        }
        changes.iter().filter(|change| change.value != Sym::EMPTY).for_each(|change| look(*change));
    }

    /// A hash that does not depend on the order of the labels.
    fn hash(&mut self, series: Series<'_>) -> u64 {
        let mut hashes = std::mem::take(&mut self.hashes);
        let mut sum = self.relabelled.name(series).index() as u64;
        self.each_label(series, |Entry { name, value }| {
            if hashes.len() <= value.index() {
                hashes.resize(value.index() + 1, 0);
            }
            let text_hash = &mut hashes[value.index()];
            if *text_hash == 0 {
                *text_hash = FixedState::default().hash_one(self.texts.text(value)) | 1;
            }
            // Odd multipliers by name keep a="1",b="2" apart from a="2",b="1".
            let name_hash = (name.index() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
            sum = sum.wrapping_add(text_hash.wrapping_mul(name_hash).rotate_left(29));
        });
        self.hashes = hashes;
        sum.wrapping_mul(0xd6e8_feb8_6659_fd93)
    }

    fn are_equal(&self, a: Series<'_>, b: Series<'_>) -> bool {
        let labels = |series| {
            let mut labels: Vec<(Sym, &str)> = Vec::new();
            self.each_label(series, |entry| labels.push((entry.name, self.texts.text(entry.value))));
            labels.sort_unstable();
            labels
        };
        self.relabelled.name(a) == self.relabelled.name(b) && labels(a) == labels(b)
    }
}

/// The labels that a series came with.
#[inline]
fn own_labels(series: Series<'_>) -> impl Iterator<Item = Entry> {
    series.labels().map(|label| Entry { name: label.name_sym(), value: label.value_sym() })
}

/// A series as it came.
fn shown(series: Series<'_>, push: &Push) -> String {
    let label = |entry: Entry| format!("{}={:?}", push.text(entry.name), push.text(entry.value));
    let labels: Vec<String> = own_labels(series).map(label).collect();
    format!("{}{{{}}}", series.family().name(), labels.join(","))
}
