//! `rules`: the labels of each series.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use pushgate_plugin::{Finding, Findings, Kind, LabelName, Outcome, Push, Scope, Series, Sym, quote};

use crate::grouping::Key;
use crate::label_set::{Entry, LabelSet};
use crate::parts::{self, Part};
use crate::program::{Program, Ran};
use crate::rule::{self, Place, Rule, is_metric_name};
use crate::texts::Texts;
use crate::{
    DROPPED_SERIES, GROUPING_LABEL, METRIC_NAME, POINT_LABEL, SPLIT_FAMILY, duplicates, names, patch,
};

/// What became of the series of a push.
#[derive(Debug, Default)]
pub(crate) struct Relabelled {
    fates: Vec<Fate>,
    /// The changes of all series, one series behind the other. An empty value stands for a label that is
    /// there no more.
    changes: Vec<Entry>,
    /// The name of each series' metric, unless all keep theirs.
    names: Vec<Sym>,
    has_new_names: bool,
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

    /// Whether series have another name than they came with.
    pub(crate) fn has_new_names(&self) -> bool {
        self.has_new_names
    }

    /// The name of a series' metric.
    pub(crate) fn name(&self, series: Series<'_>) -> Sym {
        self.names.get(series.index()).copied().unwrap_or_else(|| series.family().name_sym())
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
    if reasons.is_empty() && relabelled.has_new_names() {
        names::check(push, &relabelled, &texts, &mut reasons);
    }
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
        if relabelled.has_new_names() {
            names::rename(push, &relabelled, &mut texts);
        }
    }
    Outcome::mutate(texts.edits).with_notes(notes)
}

/// The rules at work on the series of a push.
struct Run<'r, 'p> {
    /// Standing are `__name__`, in slot 0, and the grouping key.
    program: Program<'r>,
    /// The lines of the family at hand.
    parts: Vec<Part>,
    /// The rules that dropped series, each with the first of them and how many they are.
    dropped_by: BTreeMap<Place, (Series<'p>, usize)>,
    /// Each label of the grouping key that was written, once for each rule.
    told: BTreeSet<(Place, Sym)>,
    reasons: Findings,
}

/// What the rules make of one line of a series.
#[derive(Clone, Copy)]
enum Line {
    /// It has this name, and those changes that were added.
    Kept(Sym),
    DroppedBy(Place),
}

impl<'r, 'p> Run<'r, 'p> {
    fn new(rules: &'r [Rule], push: &'p Push, key: &Key, texts: &mut Texts<'p>) -> Self {
        let mut standing = vec![Entry { name: texts.name(rule::METRIC_NAME), value: Sym::EMPTY }];
        standing.extend_from_slice(&key.labels);
        let names: Vec<Sym> = push.label_names().map(LabelName::sym).collect();
        Self {
            program: Program::new(rules, &standing, &names, texts),
            parts: Vec::new(),
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
            parts::of(family, self.program.touches_metric_name, texts, &mut self.parts);
            for series in family.series() {
                self.one(series, texts, &mut relabelled);
            }
        }
        relabelled.aliases = std::mem::take(&mut self.program.set.aliases);
        relabelled
    }

    #[inline]
    fn one(&mut self, series: Series<'p>, texts: &mut Texts<'p>, relabelled: &mut Relabelled) {
        let start = relabelled.changes.len();
        let first = self.line(series, self.parts[0], texts, &mut relabelled.changes);
        let end = relabelled.changes.len();
        if self.parts.len() > 1 {
            self.compare_lines(series, first, start, texts, &mut relabelled.changes);
        }
        let name = match first {
            Line::Kept(name) => {
                let fate = Fate::Kept { start: start as u32, end: end as u32 };
                relabelled.fates.push(fate);
                check_point_label(series, &relabelled.changes[start..end], texts, &mut self.reasons);
                self.new_name(series, name, texts)
            }
            Line::DroppedBy(rule) => {
                self.dropped_by.entry(rule).or_insert((series, 0)).1 += 1;
                relabelled.fates.push(Fate::Dropped);
                None
            }
        };
        if self.program.touches_metric_name {
            relabelled.has_new_names |= name.is_some();
            relabelled.names.push(name.unwrap_or_else(|| series.family().name_sym()));
        }
    }

    /// Runs the rules on a line, and adds what changes.
    #[inline]
    fn line(
        &mut self,
        series: Series<'p>,
        part: Part,
        texts: &mut Texts<'p>,
        changes: &mut Vec<Entry>,
    ) -> Line {
        self.program.set.clear();
        self.program.set.stand(0, part.name);
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
            return Line::DroppedBy(rule);
        }
        changes.extend(self.program.set.changes());
        Line::Kept(self.program.set.metric_name())
    }

    /// Runs the rules on the other lines of a histogram or summary. It is one series, so the same must come of all.
    #[cold]
    fn compare_lines(
        &mut self,
        series: Series<'p>,
        first: Line,
        start: usize,
        texts: &mut Texts<'p>,
        changes: &mut Vec<Entry>,
    ) {
        let end = changes.len();
        for index in 1..self.parts.len() {
            let (part, first_part) = (self.parts[index], self.parts[0]);
            let line = self.line(series, part, texts, changes);
            let difference = match (first, line) {
                (Line::DroppedBy(_), Line::DroppedBy(_)) => None,
                (Line::DroppedBy(rule), Line::Kept(_)) => Some(dropped(rule, first_part, part, texts)),
                (Line::Kept(_), Line::DroppedBy(rule)) => Some(dropped(rule, part, first_part, texts)),
                (Line::Kept(one), Line::Kept(other)) => {
                    let base = |name: Sym, part: Part| texts.text(name).strip_suffix(part.suffix);
                    let has_one_name = match (base(one, first_part), base(other, part)) {
                        (Some(one), Some(other)) => one == other,
                        _ => false,
                    };
                    let has_same_changes = are_same(&changes[start..end], &changes[end..], texts);
                    (!has_one_name)
                        .then(|| renamed([(first_part, one), (part, other)], texts))
                        .or_else(|| (!has_same_changes).then(|| "they give them other labels".to_owned()))
                }
            };
            changes.truncate(end);
            if let Some(difference) = difference {
                let kind = series.family().kind().as_str();
                let names: Vec<String> =
                    self.parts.iter().map(|part| quote(texts.text(part.name)).to_string()).collect();
                let message = format!(
                    "let the rules do the same to {}, which are one {kind}: {difference}",
                    names.join(", ")
                );
                return self.reasons.add(|| Finding::new(&SPLIT_FAMILY, message).at_series(series));
            }
        }
    }

    /// The name of the family that a line's name makes; `None` when it is as before, or no name.
    fn new_name(&mut self, series: Series<'p>, line_name: Sym, texts: &mut Texts<'p>) -> Option<Sym> {
        let part = self.parts[0];
        if line_name == part.name {
            return None;
        }
        let text = texts.text(line_name);
        let text = text.strip_suffix(part.suffix).unwrap_or(text).to_owned();
        if !is_metric_name(&text) {
            let message = format!("the rules make {} the name of this metric, which is none", quote(&text));
            self.reasons.add(|| Finding::new(&METRIC_NAME, message).at_series(series));
            return None;
        }
        Some(texts.metric_name(&text)).filter(|name| *name != series.family().name_sym())
    }
}

fn are_same(one: &[Entry], other: &[Entry], texts: &Texts<'_>) -> bool {
    let is_in_other = |entry: &Entry| {
        other.iter().any(|found| found.name == entry.name && texts.same_text(found.value, entry.value))
    };
    one.len() == other.len() && one.iter().all(is_in_other)
}

fn dropped(rule: Place, dropped: Part, kept: Part, texts: &Texts<'_>) -> String {
    format!("{rule} drops {} and not {}", quote(texts.text(dropped.name)), quote(texts.text(kept.name)))
}

fn renamed(renamed: [(Part, Sym); 2], texts: &Texts<'_>) -> String {
    let [one, other] = renamed
        .map(|(part, name)| format!("{} of {}", quote(texts.text(name)), quote(texts.text(part.name))));
    format!("they make {one} and {other}")
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
