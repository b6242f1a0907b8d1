//! A rule at work on one push: its labels as slots, and what it found of each distinct value.

use std::borrow::Cow;

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use pushgate_plugin::{Pattern, Sym, Template};

use crate::label_set::{Entry, LabelSet, SlotId};
use crate::rule::{METRIC_NAME, OnMatch, Place, Rule, Step, is_label_name};
use crate::texts::Texts;

/// Whether to go on after a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    GoOn,
    Drop,
}

/// A rule at work on one push.
pub(crate) struct Bound<'r> {
    rule: &'r Rule,
    /// Of the labels that it looks at; for a comparison, the one that it compares with comes last.
    sources: Vec<SlotId>,
    /// By symbol, or tuple of symbols, of the source labels' values; for rules on names by slot.
    verdicts: Verdicts,
    tuples: Tuples,
    /// Kept from series to series for its memory.
    writes: Vec<(SlotId, Sym)>,
}

/// What a rule makes of a value, or of a name.
#[derive(Clone, Copy, Debug)]
enum Verdict {
    NoMatch,
    Match,
    Write { slot: SlotId, value: Sym },
}

impl<'r> Bound<'r> {
    /// Makes slots for the labels that the rule has to do with. `names` are those of the push.
    pub(crate) fn new(rule: &'r Rule, set: &mut LabelSet, names: &[Sym], texts: &mut Texts<'_>) -> Self {
        let sources = rule
            .sources()
            .iter()
            .map(|label| {
                let name = texts.name(label);
                set.slot(name, texts)
            })
            .collect();
        let mut bound = Self {
            rule,
            sources,
            verdicts: Verdicts::default(),
            tuples: Tuples::default(),
            writes: Vec::new(),
        };
        match &rule.step {
            Step::Replace { target, .. } => {
                if let Some(target) = target.constant() {
                    let target = texts.name(target);
                    set.slot(target, texts);
                }
            }
            Step::Compare { target, .. } | Step::Derive { target, .. } => {
                let name = texts.name(target);
                let slot = set.slot(name, texts);
                if matches!(rule.step, Step::Compare { .. }) {
                    bound.sources.push(slot);
                }
            }
            Step::Filter { .. } => {}
            Step::MapLabels { .. } | Step::FilterLabels { .. } => bound.judge_names(set, names, texts),
        }
        bound
    }

    /// Judges all names that there are, so that those that the rule acts on have slots.
    fn judge_names(&mut self, set: &mut LabelSet, names: &[Sym], texts: &mut Texts<'_>) {
        for &name in names {
            if self.acts_on(self.judge_name(name, set, texts)) {
                set.slot(name, texts);
            }
        }
        for slot in 0..set.len() {
            let verdict = self.judge_name(set.name(slot), set, texts);
            self.verdicts.keep(slot, verdict);
        }
    }

    /// Whether a rule on names does something to a label of a name, by the verdict on it.
    fn acts_on(&self, verdict: Verdict) -> bool {
        let matches = !matches!(verdict, Verdict::NoMatch);
        match &self.rule.step {
            Step::FilterLabels { on_match: OnMatch::Keep } => !matches,
            _ => matches,
        }
    }

    /// Whether the rule acts on no name that there is.
    pub(crate) fn is_idle(&self) -> bool {
        matches!(self.rule.step, Step::MapLabels { .. } | Step::FilterLabels { .. })
            && !self.verdicts.kept.iter().any(|verdict| self.acts_on(*verdict))
    }

    /// Whether it reads or writes the metric's name.
    pub(crate) fn touches_metric_name(&self, set: &LabelSet) -> bool {
        let Some(name) = set.name_slot() else { return false };
        let writes_it = |verdict: &Verdict| matches!(verdict, Verdict::Write { slot, .. } if *slot == name);
        match &self.rule.step {
            Step::Replace { target, .. } if target.constant() == Some(METRIC_NAME) => true,
            Step::Derive { target, .. } if target == METRIC_NAME => true,
            Step::MapLabels { .. } => {
                self.verdicts.known(name).is_some_and(|verdict| self.acts_on(verdict))
                    || self.verdicts.kept.iter().any(writes_it)
            }
            _ => self.sources.contains(&name),
        }
    }

    pub(crate) fn place(&self) -> Place {
        self.rule.place
    }

    /// Runs the rule on a label set.
    #[inline]
    pub(crate) fn run(
        &mut self,
        set: &mut LabelSet,
        texts: &mut Texts<'_>,
        conflict: &mut impl FnMut(Place, Entry, &mut LabelSet, &Texts<'_>),
    ) -> Flow {
        let place = self.rule.place;
        let mut write = |set: &mut LabelSet, slot: SlotId, value: Sym, texts: &Texts<'_>| {
            if set.write(slot, value, texts).is_err() {
                conflict(place, Entry { name: set.name(slot), value }, set, texts);
            }
        };
        match &self.rule.step {
            Step::Filter { on_match, .. } => {
                let matches = !matches!(self.verdict_on_values(set, texts), Verdict::NoMatch);
                return if matches == (*on_match == OnMatch::Keep) { Flow::GoOn } else { Flow::Drop };
            }
            Step::Compare { on_equal, .. } => {
                let is_equal = matches!(self.verdict_on_values(set, texts), Verdict::Match);
                return if is_equal == (*on_equal == OnMatch::Keep) { Flow::GoOn } else { Flow::Drop };
            }
            Step::Replace { .. } | Step::Derive { .. } => {
                if let Verdict::Write { slot, value } = self.verdict_on_values(set, texts) {
                    write(set, slot, value, texts);
                }
            }
            Step::MapLabels { .. } => {
                let mut writes = std::mem::take(&mut self.writes);
                self.find_writes(set, texts, &mut writes);
                for (slot, value) in writes.drain(..) {
                    write(set, slot, value, texts);
                }
                self.writes = writes;
            }
            Step::FilterLabels { .. } => {
                for place in 0..set.places() {
                    let slot = set.slot_at(place);
                    if !set.is_standing(slot) {
                        let verdict = self.verdict_on_name(slot, set, texts);
                        if self.acts_on(verdict) {
                            set.remove(slot);
                        }
                    }
                }
            }
        }
        Flow::GoOn
    }

    /// What a labelmap writes: all of it is settled before any of it is written.
    fn find_writes(&mut self, set: &mut LabelSet, texts: &mut Texts<'_>, writes: &mut Vec<(SlotId, Sym)>) {
        let mut found: Vec<(SlotId, SlotId)> = Vec::new();
        for place in 0..set.places() {
            let from = set.slot_at(place);
            if set.value(from) != Sym::EMPTY
                && let Verdict::Write { slot, .. } = self.verdict_on_name(from, set, texts)
            {
                found.push((from, slot));
            }
        }
        // Of labels that go to one name, the last one counts: in order of names, behind them those that rules
        // wrote, in that order.
        if found.len() > 1 {
            found.sort_by_key(|&(from, _)| match set.added(from) {
                0 => (0, texts.text(set.name(from))),
                added => (added, ""),
            });
        }
        writes.extend(found.into_iter().map(|(from, slot)| (slot, set.value(from))));
    }

    #[inline]
    fn verdict_on_values(&mut self, set: &mut LabelSet, texts: &mut Texts<'_>) -> Verdict {
        let key = match self.sources.as_slice() {
            [] => 0,
            [source] => set.value(*source).index(),
            [first, others @ ..] => others.iter().fold(set.value(*first).index(), |tuple, source| {
                self.tuples.number(tuple as u32, set.value(*source).index() as u32)
            }),
        };
        match self.verdicts.known(key) {
            Some(verdict) => verdict,
            None => {
                let verdict = self.judge_values(set, texts);
                self.verdicts.keep(key, verdict)
            }
        }
    }

    #[cold]
    fn judge_values(&self, set: &mut LabelSet, texts: &mut Texts<'_>) -> Verdict {
        let values: Vec<Sym> = self.sources.iter().map(|source| set.value(*source)).collect();
        let joined = match (&self.rule.step, values.as_slice()) {
            (Step::Compare { .. }, [values @ .., target]) => {
                let is_equal = self.joined(values, texts) == texts.text(*target);
                return if is_equal { Verdict::Match } else { Verdict::NoMatch };
            }
            (_, values) => self.joined(values, texts),
        };
        let written = match &self.rule.step {
            Step::Replace { target, replacement, .. } => {
                expand(&self.rule.pattern, target, replacement, &joined)
            }
            Step::Derive { target, function, .. } => {
                Some((Cow::Borrowed(target.as_str()), Cow::Owned(function.of(&joined))))
            }
            _ if self.rule.pattern.is_match(&joined) => return Verdict::Match,
            _ => None,
        };
        let Some((target, value)) = written else { return Verdict::NoMatch };
        // The common case of a value that is copied needs no new symbol.
        let copied = values.iter().copied().find(|known| texts.text(*known) == value);
        let value = copied.unwrap_or_else(|| texts.value(&value));
        match slot_for(&target, set, texts) {
            Some(slot) => Verdict::Write { slot, value },
            None => Verdict::NoMatch,
        }
    }

    fn joined<'t>(&self, values: &[Sym], texts: &'t Texts<'_>) -> Cow<'t, str> {
        match values {
            [] => Cow::Borrowed(""),
            [value] => Cow::Borrowed(texts.text(*value)),
            values => {
                let values: Vec<&str> = values.iter().map(|value| texts.text(*value)).collect();
                Cow::Owned(values.join(self.rule.separator()))
            }
        }
    }

    #[inline]
    fn verdict_on_name(&mut self, slot: SlotId, set: &mut LabelSet, texts: &mut Texts<'_>) -> Verdict {
        match self.verdicts.known(slot) {
            Some(verdict) => verdict,
            None => {
                let verdict = self.judge_name(set.name(slot), set, texts);
                self.verdicts.keep(slot, verdict)
            }
        }
    }

    #[cold]
    fn judge_name(&self, name: Sym, set: &mut LabelSet, texts: &mut Texts<'_>) -> Verdict {
        let text = texts.text(name);
        let Step::MapLabels { replacement } = &self.rule.step else {
            return if self.rule.pattern.is_match(text) { Verdict::Match } else { Verdict::NoMatch };
        };
        let Some(target) = self.rule.pattern.captures(text).map(|captures| replacement.expand(&captures))
        else {
            return Verdict::NoMatch;
        };
        match slot_for(&target, set, texts) {
            Some(slot) => Verdict::Write { slot, value: Sym::EMPTY },
            None => Verdict::NoMatch,
        }
    }
}

/// The slot for a label that a rule writes. A name that comes out illegal is not written, as in Prometheus.
fn slot_for(name: &str, set: &mut LabelSet, texts: &mut Texts<'_>) -> Option<SlotId> {
    if !is_label_name(name) {
        return None;
    }
    let name = texts.name(name);
    Some(set.slot(name, texts))
}

/// The target and the replacement for a text that matches.
fn expand<'r>(
    pattern: &Pattern,
    target: &'r Template,
    replacement: &'r Template,
    text: &str,
) -> Option<(Cow<'r, str>, Cow<'r, str>)> {
    // Groups are only looked for when they are asked for.
    if let (Some(target), Some(replacement)) = (target.constant(), replacement.constant()) {
        return pattern.is_match(text).then_some((target.into(), replacement.into()));
    }
    let captures = pattern.captures(text)?;
    Some((target.expand(&captures).into(), replacement.expand(&captures).into()))
}

/// Verdicts by number.
#[derive(Debug, Default)]
struct Verdicts {
    /// One more than the place in `kept`; 0 for none yet.
    places: Vec<u32>,
    kept: Vec<Verdict>,
}

impl Verdicts {
    #[inline]
    fn known(&self, key: usize) -> Option<Verdict> {
        let place = self.places.get(key)?.checked_sub(1)?;
        self.kept.get(place as usize).copied()
    }

    fn keep(&mut self, key: usize, verdict: Verdict) -> Verdict {
        if self.places.len() <= key {
            self.places.resize(key + 1, 0);
        }
        self.kept.push(verdict);
        self.places[key] = self.kept.len() as u32;
        verdict
    }
}

/// Numbers for pairs of numbers, and so, pair by pair, for tuples.
#[derive(Debug, Default)]
struct Tuples {
    numbers: HashMap<(u32, u32), u32, FixedState>,
}

impl Tuples {
    #[inline]
    fn number(&mut self, a: u32, b: u32) -> usize {
        let next = self.numbers.len() as u32;
        *self.numbers.entry((a, b)).or_insert(next) as usize
    }
}
