//! Labels: the lengths of names and values, and values that are new each time.

use pushgate_plugin::{Code, Finding, GroupingLabel, LabelName, Push, Sym, quote};

use crate::entropy::Kind;
use crate::judge::{Judgement, dropped};
use crate::limits::{Action, Limit, Limits};
use crate::pairs::{Pair, Pairs, TooMany};
use crate::values::{self, Excess};
use crate::{DISTINCT_LABELS, HIGH_ENTROPY, LABEL_NAME_LENGTH_LIMIT, LABEL_VALUE_LENGTH_LIMIT, LABEL_VALUES};

/// What is wrong with a label.
#[derive(Clone, Copy)]
pub(crate) enum Fault {
    NameLength(u64),
    ValueLength(u64),
    HighEntropy(Kind),
    Values(Excess),
}

/// A fault of one or more values of a label.
struct Offence {
    fault: Fault,
    action: Action,
    /// The first of the labels.
    first: Pair,
    /// How many distinct values it is of.
    values: usize,
    /// How many series something was done about.
    series: usize,
}

/// Labels that may be dropped, beside some for each series: more would take more fuel and edits than a gateway allows.
const LABEL_DROPS: usize = 1_000;
const LABEL_DROPS_PER_SERIES: usize = 16;

/// Judges the labels of the grouping key and of all series.
pub(crate) fn judge(limits: &Limits, judgement: &mut Judgement<'_>) {
    judgement.push.grouping().for_each(|label| judge_grouping_label(limits, label, judgement));
    if !limits.judge_values() && limits.label_name_length.is_none() && limits.label_values.is_empty() {
        return;
    }
    let push = judgement.push;
    let pairs = match Pairs::read(push, &judgement.fates) {
        Ok(pairs) => pairs,
        Err(TooMany { most }) => {
            let series = push.series_count();
            let message = format!(
                "give the labels fewer values: {series} series may have {most} distinct labels, and these have more"
            );
            return judgement.add(Action::Reject, || Finding::new(&DISTINCT_LABELS, message));
        }
    };
    let mut offences = Offences::new(push, pairs);
    if let Some(limit) = limits.label_name_length {
        offences.judge_names(limit);
    }
    if limits.judge_values() {
        offences.judge_values(limits);
    }
    if !limits.label_values.is_empty() {
        offences.judge_growth(limits);
    }
    offences.act(judgement);
    offences.tell(judgement);
}

/// A label of the grouping key cannot be dropped: the push would be stored in another group.
fn judge_grouping_label(limits: &Limits, label: GroupingLabel<'_>, judgement: &mut Judgement<'_>) {
    let push = judgement.push;
    let mut add = |action, code: &Code, message: String| {
        let action = if action == Action::Warn { Action::Warn } else { Action::Reject };
        judgement.add(action, || Finding::new(code, message));
    };
    let (name, value) = (label.name(), label.value());
    if let Some(limit) = limits.label_name_length.filter(|limit| limit.is_passed_by(name.len())) {
        let (code, message) = Fault::NameLength(limit.most).words(push, name, value, Place::GroupingKey, 1);
        add(limit.action, code, message);
    }
    if let Some(limit) = limits.label_value_length.filter(|limit| limit.is_passed_by(value.len())) {
        let (code, message) = Fault::ValueLength(limit.most).words(push, name, value, Place::GroupingKey, 1);
        add(limit.action, code, message);
    }
    if let Some(high) = &limits.high_entropy
        && let Some(kind) = high.find(value)
        && !high.exempts(name)
    {
        let (code, message) = Fault::HighEntropy(kind).words(push, name, value, Place::GroupingKey, 1);
        add(high.action, code, message);
    }
    if let Some(limit) = limits.values_of(name).filter(|_| !value.is_empty())
        && let Some((excess, _)) = values::excess(limit, name, 1, || vec![value])
    {
        let (code, message) = Fault::Values(excess).words(push, name, value, Place::GroupingKey, 1);
        add(limit.action, code, message);
    }
}

/// Where a label is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    GroupingKey,
    Series,
}

impl Fault {
    /// The code, and what to do; `values` distinct values have the fault.
    fn words(
        self,
        push: &Push,
        name: &str,
        value: &str,
        place: Place,
        values: usize,
    ) -> (&'static Code, String) {
        let of_key = if place == Place::GroupingKey { " of the grouping key" } else { "" };
        let (label, length, value) = (quote(name), value.len(), quote(value));
        let more = |one: &str, several: &str| match values {
            1 => String::new(),
            2 => format!(", and {one}"),
            _ => format!(", and {}", several.replace('#', &(values - 1).to_string())),
        };
        // A push has a job, whatever else it has.
        let or_without = match (name, place) {
            ("job", Place::GroupingKey) => "",
            (_, Place::GroupingKey) => ", or take it out",
            (_, Place::Series) => ", or leave it out",
        };
        match self {
            Self::NameLength(most) => (
                &LABEL_NAME_LENGTH_LIMIT,
                format!("shorten the label name {label}{of_key} to {most} bytes: it has {}", name.len()),
            ),
            Self::ValueLength(most) => {
                let more = more("1 more is too long", "# more are too long");
                (
                    &LABEL_VALUE_LENGTH_LIMIT,
                    format!(
                        "shorten the label {label}{of_key} to {most} bytes{or_without}: {value} has {length}{more}"
                    ),
                )
            }
            Self::HighEntropy(kind) => {
                let (kind, more) = (kind.as_str(), more("1 more does", "# more do"));
                (
                    &HIGH_ENTROPY,
                    format!(
                        "give the label {label}{of_key} one of a few values{or_without}: {value} contains {kind}{more}"
                    ),
                )
            }
            Self::Values(Excess { most, values }) => {
                let (job, more) = (quote(push.job()), more("1 more is", "# more are"));
                (
                    &LABEL_VALUES,
                    format!(
                        "give the label {label}{of_key} fewer values{or_without}: the job {job} would have {values} of it and may have {most}; {value} is new{more}"
                    ),
                )
            }
        }
    }
}

/// What is known of a label's name while its values are looked at: offences, and whether it is exempt.
#[derive(Clone, Default)]
struct Known {
    too_long: Option<u32>,
    /// By kind.
    kinds: [Option<u32>; Kind::COUNT],
    is_exempt: Option<bool>,
}

struct Offences<'p> {
    push: &'p Push,
    pairs: Pairs<'p>,
    all: Vec<Offence>,
    /// By pair: the offence for which it is dropped.
    dropped_for: Vec<Option<u32>>,
}

impl<'p> Offences<'p> {
    fn new(push: &'p Push, pairs: Pairs<'p>) -> Self {
        let dropped_for = vec![None; pairs.pairs.len()];
        Self { push, pairs, all: Vec::new(), dropped_for }
    }

    /// Adds an offence, and answers its number.
    fn add(&mut self, fault: Fault, action: Action, first: Pair) -> u32 {
        self.all.push(Offence { fault, action, first, values: 0, series: 0 });
        self.all.len() as u32 - 1
    }

    /// Notes that a pair has the fault.
    fn note(&mut self, offence: u32, pair: usize) {
        let Offence { action, values, .. } = &mut self.all[offence as usize];
        *values += 1;
        if matches!(action, Action::Drop | Action::Labeldrop) {
            self.dropped_for[pair].get_or_insert(offence);
        }
    }

    fn judge_names(&mut self, limit: Limit) {
        let is_long = |name: &LabelName<'_>| limit.is_passed_by(name.as_str().len());
        let mut offences: Vec<Option<u32>> = vec![None; self.pairs.names.len()];
        if !self.pairs.names.iter().any(is_long) {
            return;
        }
        for at in 0..self.pairs.pairs.len() {
            let pair = self.pairs.pairs[at];
            if is_long(&self.pairs.names[pair.name as usize]) {
                let offence = *offences[pair.name as usize]
                    .get_or_insert_with(|| self.add(Fault::NameLength(limit.most), limit.action, pair));
                self.note(offence, at);
            }
        }
    }

    /// The lengths of values, and what is in them.
    fn judge_values(&mut self, limits: &Limits) {
        let push = self.push;
        let mut kinds = push.memo::<Option<Kind>>();
        let mut known = vec![Known::default(); self.pairs.names.len()];
        for at in 0..self.pairs.pairs.len() {
            let pair = self.pairs.pairs[at];
            let value = push.text(pair.value);
            let known = &mut known[pair.name as usize];
            if let Some(limit) = limits.label_value_length.filter(|limit| limit.is_passed_by(value.len())) {
                let fault = Fault::ValueLength(limit.most);
                let offence = *known.too_long.get_or_insert_with(|| self.add(fault, limit.action, pair));
                self.note(offence, at);
            }
            if let Some(high) = &limits.high_entropy
                && self.dropped_for[at].is_none()
                && let Some(kind) = kinds.get_or(pair.value, || high.find(value))
            {
                let name = self.pairs.names[pair.name as usize].as_str();
                if !*known.is_exempt.get_or_insert_with(|| high.exempts(name)) {
                    let offence = *known.kinds[kind as usize]
                        .get_or_insert_with(|| self.add(Fault::HighEntropy(kind), high.action, pair));
                    self.note(offence, at);
                }
            }
        }
    }

    /// How many values labels would have in the job.
    fn judge_growth(&mut self, limits: &Limits) {
        let mut counts = vec![0_usize; self.pairs.names.len()];
        let pairs = self.pairs.pairs.iter().zip(&self.dropped_for);
        pairs.filter(|(_, dropped)| dropped.is_none()).for_each(|(pair, _)| counts[pair.name as usize] += 1);
        let mut by_name = None;
        for (name, count) in counts.into_iter().enumerate() {
            let label = self.pairs.names[name].as_str();
            let Some(limit) = limits.values_of(label) else { continue };
            let mut left: Vec<usize> = Vec::new();
            let texts = || {
                let (order, ends): &(Vec<usize>, Vec<usize>) =
                    by_name.get_or_insert_with(|| self.pairs.by_name());
                let start = if name == 0 { 0 } else { ends[name - 1] };
                let own = order[start..ends[name]].iter().copied();
                left.extend(own.filter(|pair| self.dropped_for[*pair].is_none()));
                left.iter().map(|pair| self.push.text(self.pairs.pairs[*pair].value)).collect()
            };
            let Some((excess, over)) = values::excess(limit, label, count, texts) else { continue };
            let Some(&first) = over.first() else { continue };
            let offence = self.add(Fault::Values(excess), limit.action, self.pairs.pairs[left[first]]);
            over.into_iter().for_each(|at| self.note(offence, left[at]));
        }
    }

    /// Drops series and labels; of a push that has too many to drop, none.
    fn act(&mut self, judgement: &mut Judgement<'_>) {
        let most = LABEL_DROPS + LABEL_DROPS_PER_SERIES * self.push.series_count();
        let acts = |offence: &Offence| matches!(offence.action, Action::Drop | Action::Labeldrop);
        if judgement.is_rejected() || !self.all.iter().any(acts) {
            return;
        }
        let mut labels: Vec<(Sym, u32)> = Vec::new();
        for series in self.push.series() {
            if judgement.fates.is_dropped(series) {
                continue;
            }
            labels.clear();
            labels.extend(series.label_syms().filter_map(|(name, value)| {
                let offence = self.pairs.find(name, value).and_then(|pair| self.dropped_for[pair])?;
                Some((name, offence))
            }));
            let is_drop = |(_, offence): &(Sym, u32)| self.all[*offence as usize].action == Action::Drop;
            if labels.iter().any(is_drop) {
                judgement.fates.drop(series, self.push);
                labels.retain(is_drop);
                labels.iter().for_each(|(_, offence)| self.all[*offence as usize].series += 1);
                continue;
            }
            for &(name, offence) in &labels {
                judgement.fates.drop_label(series, name);
                self.all[offence as usize].series += 1;
            }
            if judgement.fates.label_drop_count() > most {
                let to_drop = self.all.iter_mut().filter(|offence| offence.action == Action::Labeldrop);
                return to_drop.for_each(|offence| offence.action = Action::Reject);
            }
        }
    }

    fn tell(&self, judgement: &mut Judgement<'_>) {
        for offence in &self.all {
            let &Offence { fault, action, first, values, series } = offence;
            judgement.add(action, || {
                let (name, value) = (self.pairs.names[first.name as usize], self.push.text(first.value));
                let (code, message) = fault.words(self.push, name.as_str(), value, Place::Series, values);
                let finding = Finding::new(code, message + &dropped(action, series)).at_label(name.sym());
                match self.push.series_at(first.series as usize) {
                    Some(series) => finding.at_series(series),
                    None => finding,
                }
            });
        }
    }
}
