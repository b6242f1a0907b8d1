//! Series that become equal when labels are dropped from them.
//!
//! The host would call that a fault of the plugin. It is one of the limits and the push together, so it is found here,
//! and told to the person who pushed.

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use pushgate_plugin::{Family, Finding, Series, Sym, quote};

use crate::DUPLICATE_SERIES;
use crate::judge::Judgement;
use crate::limits::Action;

/// Adds a reason for each series that is equal to one before it, once labels are dropped.
pub(crate) fn find(judgement: &mut Judgement<'_>) {
    if judgement.is_rejected() || judgement.fates.label_drop_count() == 0 {
        return;
    }
    for family in judgement.push.families() {
        let start = family.series().next().map_or(0, Series::index);
        let end = start + family.series().len();
        if !judgement.fates.label_drops(start..end).is_empty() {
            find_in(family, judgement);
        }
    }
}

fn find_in(family: Family<'_>, judgement: &mut Judgement<'_>) {
    let push = judgement.push;
    let mut seen: HashMap<Vec<(Sym, Sym)>, Series<'_>, FixedState> = HashMap::default();
    for series in family.series() {
        if judgement.fates.is_dropped(series) {
            continue;
        }
        let drops = judgement.fates.label_drops(series.index()..series.index() + 1);
        // Both are in the order of the labels.
        let mut next = drops.iter().map(|drop| drop.name).peekable();
        let mut is_left = |name: Sym| next.next_if_eq(&name).is_none();
        let labels = series.labels().map(|label| (label.name_sym(), label.value_sym()));
        let left = labels.filter(|(name, value)| is_left(*name) && *value != Sym::EMPTY).collect();
        let Some(first) = seen.get(&left).copied() else {
            seen.insert(left, series);
            continue;
        };
        // Labels were dropped from one of the two, or the push came with duplicates, which the gateway refuses.
        let first_drops = judgement.fates.label_drops(first.index()..first.index() + 1);
        let Some(name) = drops.iter().chain(first_drops).map(|drop| drop.name).next() else { continue };
        judgement.add(Action::Reject, || {
            let (label, first) = (quote(push.text(name)), shown(first));
            let message = format!(
                "push only one of this series and {}, or give the label {label} values within its limits: without it they are equal",
                quote(&first)
            );
            Finding::new(&DUPLICATE_SERIES, message).at_series(series).at_label(name)
        });
    }
}

/// A series as it came, as far as a message shows it.
fn shown(series: Series<'_>) -> String {
    let mut shown = format!("{}{{", series.family().name());
    for (at, label) in series.labels().enumerate() {
        if shown.len() > SHOWN {
            break;
        }
        let comma = if at == 0 { "" } else { "," };
        shown += &format!("{comma}{}={:?}", label.name(), label.value());
    }
    shown + "}"
}

/// More than [`quote`] shows.
const SHOWN: usize = 400;
