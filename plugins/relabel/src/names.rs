//! Metrics that the rules give other names.

use std::collections::{BTreeMap, BTreeSet};

use pushgate_plugin::{Family, Finding, Findings, Kind, Push, Series, Sym, quote};

use crate::series::Relabelled;
use crate::texts::Texts;
use crate::{MIXED_TYPES, SPLIT_FAMILY};

/// Adds a finding for names that cannot be given.
pub(crate) fn check(push: &Push, relabelled: &Relabelled, texts: &Texts<'_>, reasons: &mut Findings) {
    let mut named: BTreeMap<Sym, Family<'_>> = BTreeMap::new();
    for family in push.families() {
        let mut names: BTreeSet<Sym> = BTreeSet::new();
        for series in live(family, relabelled) {
            let name = relabelled.name(series);
            if !names.insert(name) {
                continue;
            }
            let (new, kind) = (quote(texts.text(name)), family.kind().as_str());
            if names.len() > 1 && !is_simple(family) {
                let message = format!(
                    "name all series of this {kind} the same: the rules make {new} of this one, and another name of others"
                );
                reasons.add(|| Finding::new(&SPLIT_FAMILY, message).at_series(series));
            }
            let other = *named.entry(name).or_insert(family);
            if other.kind() != family.kind() {
                let message = format!(
                    "push metrics of one type under one name: the rules make {new} of this {kind} and of the {} {}",
                    other.kind().as_str(),
                    quote(other.name())
                );
                reasons.add(|| Finding::new(&MIXED_TYPES, message).at_series(series));
            }
        }
    }
}

/// Writes the edits.
pub(crate) fn rename(push: &Push, relabelled: &Relabelled, texts: &mut Texts<'_>) {
    let moves = |series: &Series<'_>| relabelled.name(*series) != series.family().name_sym();
    let targets: BTreeSet<Sym> = push
        .families()
        .flat_map(|family| live(family, relabelled))
        .filter(moves)
        .map(|series| relabelled.name(series))
        .collect();
    // Edits go one after the other, so a name that one family leaves and another takes is vacated first.
    for family in push.families().filter(|family| targets.contains(&family.name_sym())) {
        if live(family, relabelled).all(|series| moves(&series)) {
            let mut vacant = format!("moved_{}", family.index());
            while push.families().any(|other| other.name() == vacant) {
                vacant.push('_');
            }
            texts.edits.rename_family(family, vacant.as_str());
        }
    }
    for family in push.families() {
        let Some(first) = live(family, relabelled).next().map(|series| relabelled.name(series)) else {
            continue;
        };
        if live(family, relabelled).all(|series| relabelled.name(series) == first) {
            if first != family.name_sym() {
                texts.edits.rename_family(family, first);
            }
        } else {
            for series in live(family, relabelled).filter(moves) {
                texts.edits.rename_series(series, relabelled.name(series));
            }
        }
    }
}

fn live<'p>(family: Family<'p>, relabelled: &Relabelled) -> impl Iterator<Item = Series<'p>> {
    family.series().filter(|series| !relabelled.is_dropped(*series))
}

fn is_simple(family: Family<'_>) -> bool {
    matches!(family.kind(), Kind::Untyped | Kind::Counter | Kind::Gauge)
}
