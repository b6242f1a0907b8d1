//! `rules`: the labels of each series.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use pushgate_plugin::{Finding, Findings, Kind, LabelName, Outcome, Push, Scope, Series, Sym, quote};

use crate::bound::METRIC_NAME;
use crate::grouping::Key;
use crate::label_set::{Entry, LabelSet};
use crate::program::{Program, Ran};
use crate::rule::{Place, Rule};
use crate::texts::Texts;
use crate::{DROPPED_SERIES, GROUPING_LABEL, POINT_LABEL, duplicates, patch};

/// What became of the series of a push.
#[derive(Debug, Default)]
pub(crate) struct Relabelled {
    fates: Vec<Fate>,
    /// The changes of all series, one series behind the other. An empty value stands for a label that is
    /// there no more.
    changes: Vec<Entry>,
    /// Symbols of the push that stand for the same text as one of a change: from the one to the other.
    aliases: BTreeMap<Sym, Sym>,
}

/// What became of one series.
#[derive(Clone, Copy, Debug)]
enum Fate {
    /// Its changes, maybe none, are these rows.
    Kept {
        start: u32,
        end: u32,
    },
    Dropped,
}

impl Relabelled {
    pub(crate) fn is_dropped(&self, series: Series<'_>) -> bool {
        matches!(self.fates[series.index()], Fate::Dropped)
    }

    /// The changes of a series; none for one that was dropped.
    #[inline]
    pub(crate) fn changes(&self, series: Series<'_>) -> &[Entry] {
        &self.changes[self.change_rows(series)]
    }

    /// Where the changes of a series are among [those of all](Self::all_changes).
    #[inline]
    pub(crate) fn change_rows(&self, series: Series<'_>) -> Range<usize> {
        match self.fates[series.index()] {
            Fate::Kept { start, end } => start as usize..end as usize,
            Fate::Dropped => 0..0,
        }
    }

    /// A label as a change would have it: the same text, maybe under another symbol.
    pub(crate) fn as_changed(&self, entry: Entry) -> Entry {
        Entry { value: self.aliases.get(&entry.value).copied().unwrap_or(entry.value), ..entry }
    }

    /// The changes of all series.
    pub(crate) fn all_changes(&self) -> &[Entry] {
        &self.changes
    }

    /// Whether all series changed, and in the same way. Most rules are of this kind.
    pub(crate) fn is_one_change_for_all(&self) -> bool {
        let mut first = None;
        self.fates.iter().all(|fate| match *fate {
            Fate::Kept { start, end } => {
                let changes = &self.changes[start as usize..end as usize];
                changes == *first.get_or_insert(changes)
            }
            Fate::Dropped => false,
        })
    }

    fn is_everything_dropped(&self) -> bool {
        self.fates.iter().all(|fate| matches!(fate, Fate::Dropped))
    }
}

/// Runs the rules and makes the outcome, the edits of the grouping key included.
pub(crate) fn relabel<'p>(rules: &[Rule], push: &'p Push, key: &Key, mut texts: Texts<'p>) -> Outcome {
    if (rules.is_empty() && key.new_names.is_empty()) || push.series_count() == 0 {
        return Outcome::mutate(texts.edits);
    }
    let mut run = Run::new(rules, push, key, &mut texts);
    let relabelled = run.all(push, &mut texts);
    let Run { dropped_by, mut reasons, .. } = run;
    if reasons.is_empty() {
        duplicates::find(push, &relabelled, &key.new_names, &texts, &mut reasons);
    }
    if !reasons.is_empty() {
        return reasons.verdict();
    }
    let mut notes = Findings::default();
    for (rule, (first, count)) in dropped_by {
        let of = push.series_count();
        let message = format!("{rule} dropped {count} of {of} series, this one first");
        notes.add(|| Finding::new(&DROPPED_SERIES, message).at_series(first));
    }
    if relabelled.is_everything_dropped() {
        texts.edits.drop(Scope::All);
    } else {
        if !notes.is_empty() {
            patch::drop_series(push, &relabelled, &mut texts.edits);
        }
        patch::change_labels(push, &relabelled, &mut texts.edits);
    }
    Outcome::mutate(texts.edits).with_notes(notes)
}

/// The rules at work on the series of a push.
struct Run<'r, 'p> {
    /// Fixed are `__name__`, in slot 0, and the grouping key.
    program: Program<'r>,
    /// The rules that dropped series, each with the first of them and how many they are.
    dropped_by: BTreeMap<Place, (Series<'p>, usize)>,
    /// Each label that was written and is fixed, once for each rule.
    told: BTreeSet<(Place, Sym)>,
    reasons: Findings,
}

impl<'r, 'p> Run<'r, 'p> {
    fn new(rules: &'r [Rule], push: &'p Push, key: &Key, texts: &mut Texts<'p>) -> Self {
        let mut fixed = vec![Entry { name: texts.name(METRIC_NAME), value: Sym::EMPTY }];
        fixed.extend_from_slice(&key.labels);
        let names: Vec<Sym> = push.label_names().map(LabelName::sym).collect();
        Self {
            program: Program::new(rules, &fixed, &names, texts),
            dropped_by: BTreeMap::new(),
            told: BTreeSet::new(),
            reasons: Findings::default(),
        }
    }

    fn all(&mut self, push: &'p Push, texts: &mut Texts<'p>) -> Relabelled {
        let mut relabelled = Relabelled::default();
        if self.program.is_idle() {
            relabelled.fates.resize(push.series_count(), Fate::Kept { start: 0, end: 0 });
            return relabelled;
        }
        relabelled.fates.reserve(push.series_count());
        for family in push.families() {
            self.program.set.fix(0, family.name_sym());
            for series in family.series() {
                let fate = self.one(series, texts, &mut relabelled.changes);
                relabelled.fates.push(fate);
            }
        }
        relabelled.aliases = std::mem::take(&mut self.program.set.aliases);
        relabelled
    }

    #[inline]
    fn one(&mut self, series: Series<'p>, texts: &mut Texts<'p>, changes: &mut Vec<Entry>) -> Fate {
        self.program.set.clear();
        for label in series.labels() {
            self.program.set.load(Entry { name: label.name_sym(), value: label.value_sym() });
        }
        let Self { program, told, reasons, .. } = self;
        let ran = program.run(texts, |rule, wanted, set, texts| {
            if told.insert((rule, wanted.name)) {
                reasons.add(|| grouping_label(rule, series, wanted, set, texts));
            }
        });
        if let Ran::DroppedBy(rule) = ran {
            self.dropped_by.entry(rule).or_insert((series, 0)).1 += 1;
            return Fate::Dropped;
        }
        let start = changes.len() as u32;
        changes.extend(self.program.set.changes());
        check_point_label(series, &changes[start as usize..], texts, &mut self.reasons);
        Fate::Kept { start, end: changes.len() as u32 }
    }
}

/// `le` and `quantile` are no labels of a histogram or summary but tell its points apart.
fn check_point_label(series: Series<'_>, changes: &[Entry], texts: &Texts<'_>, reasons: &mut Findings) {
    let kind = series.family().kind();
    let point_label = match kind {
        Kind::Histogram | Kind::GaugeHistogram => "le",
        Kind::Summary => "quantile",
        Kind::Untyped | Kind::Counter | Kind::Gauge => return,
    };
    if changes.iter().any(|change| change.value != Sym::EMPTY && texts.text(change.name) == point_label) {
        let message =
            format!("the rules add the label '{point_label}', which a {} has of its own", kind.as_str());
        reasons.add(|| Finding::new(&POINT_LABEL, message).at_series(series));
    }
}

fn grouping_label(
    rule: Place,
    series: Series<'_>,
    wanted: Entry,
    set: &mut LabelSet,
    texts: &Texts<'_>,
) -> Finding {
    let (name, value) = (quote(texts.text(wanted.name)), quote(texts.text(wanted.value)));
    let slot = set.slot(wanted.name, texts);
    let held = quote(texts.text(set.value(slot)));
    let message = format!(
        "take the label {name} out of the grouping key, or make it {value}: {rule} sets it, and the key has {held}"
    );
    Finding::new(&GROUPING_LABEL, message).at_series(series)
}
