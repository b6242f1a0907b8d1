//! How many series there are: of a metric, in the push, and in its group afterwards.

use foldhash::fast::FixedState;
use hashbrown::HashSet;
use pushgate_plugin::{Finding, Method, Series, cardinality, quote};

use crate::judge::{Judgement, dropped};
use crate::limits::{Action, Limit, Limits};
use crate::{SERIES_PER_FAMILY, SERIES_PER_GROUP, SERIES_PER_PUSH};

/// Counts the series that are left.
pub(crate) fn judge(limits: &Limits, judgement: &mut Judgement<'_>) {
    if let Some(limit) = limits.series_per_family {
        per_family(limit, judgement);
    }
    if let Some(limit) = limits.series_per_push {
        per_push(limit, judgement);
    }
    if let Some(limit) = limits.series_per_group {
        per_group(limit, judgement);
    }
}

fn per_family(limit: Limit, judgement: &mut Judgement<'_>) {
    let push = judgement.push;
    for family in push.families().filter(|family| limit.is_passed_by(family.series().len())) {
        let left = || family.series().filter(|series| !judgement.fates.is_dropped(*series));
        let number = left().count();
        if !limit.is_passed_by(number) {
            continue;
        }
        let widest = widest(left());
        let gone = drop_past(limit, limit.most, family.series(), judgement);
        judgement.add(limit.action, || {
            let (most, name, kind) = (limit.most, quote(family.name()), family.kind().as_str());
            let message =
                format!("push at most {most} series of the {kind} {name}: there are {number}{widest}");
            Finding::new(&SERIES_PER_FAMILY, message + &dropped(limit.action, gone)).at_family(family)
        });
    }
}

fn per_push(limit: Limit, judgement: &mut Judgement<'_>) {
    let (push, number) = (judgement.push, judgement.fates.left(judgement.push));
    if !limit.is_passed_by(number) {
        return;
    }
    let widest = widest(push.series().filter(|series| !judgement.fates.is_dropped(*series)));
    let gone = drop_past(limit, limit.most, push.series(), judgement);
    judgement.add(limit.action, || {
        let message = format!("push at most {} series: there are {number}{widest}", limit.most);
        Finding::new(&SERIES_PER_PUSH, message + &dropped(limit.action, gone))
    });
}

fn per_group(limit: Limit, judgement: &mut Judgement<'_>) {
    let (push, number) = (judgement.push, judgement.fates.left(judgement.push));
    let kept = match push.method() {
        Method::Post => cardinality::kept_series(),
        Method::Put | Method::Delete => 0,
    };
    let all = kept.saturating_add(number as u64);
    if all <= limit.most || number == 0 {
        return;
    }
    let room = limit.most.saturating_sub(kept);
    let gone = drop_past(limit, room, push.series(), judgement);
    judgement.add(limit.action, || {
        let most = limit.most;
        let beside = match kept {
            0 => String::new(),
            kept => format!(", {kept} of them stored, of metrics that the push does not name"),
        };
        let message = format!("keep the group at {most} series: with this push it would have {all}{beside}");
        Finding::new(&SERIES_PER_GROUP, message + &dropped(limit.action, gone))
    });
}

/// Drops those of some series that come after the first `room`, where that is what the limit does. Returns how many.
fn drop_past<'p>(
    limit: Limit,
    room: u64,
    series: impl Iterator<Item = Series<'p>>,
    judgement: &mut Judgement<'p>,
) -> usize {
    if limit.action != Action::Drop {
        return 0;
    }
    let room = usize::try_from(room).unwrap_or(usize::MAX);
    let (mut seen, mut gone) = (0, 0);
    for series in series {
        if !judgement.fates.is_dropped(series) {
            seen += 1;
            if seen > room {
                judgement.fates.drop(series, judgement.push);
                gone += 1;
            }
        }
    }
    gone
}

/// The label that has most values among some series, as the end of a message: nothing if each label has one only.
fn widest<'p>(series: impl Iterator<Item = Series<'p>>) -> String {
    let mut seen: HashSet<_, FixedState> = HashSet::default();
    let mut counts: Vec<(&str, usize)> = Vec::new();
    let mut names: hashbrown::HashMap<_, usize, FixedState> = hashbrown::HashMap::default();
    for label in series.flat_map(Series::labels) {
        if seen.insert((label.name_sym(), label.value_sym())) {
            let at = *names.entry(label.name_sym()).or_insert_with(|| {
                counts.push((label.name(), 0));
                counts.len() - 1
            });
            counts[at].1 += 1;
        }
    }
    // The first one, of several.
    match counts.into_iter().rev().max_by_key(|(_, count)| *count) {
        Some((name, count)) if count > 1 => format!("; the label {} has {count} values", quote(name)),
        _ => String::new(),
    }
}
