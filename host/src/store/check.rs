//! Would this change expose cleanly? Everything that could break a scrape is found here, or while rendering.

use std::cell::OnceCell;

use hashbrown::HashMap;
use pushgate_exposition::text::encode;
use pushgate_exposition::{Kind, Objection, Push, find_escaped_alike};

use super::group::{Group, GroupName, with_instance};
use super::render::RenderedFamily;
use super::{Change, Limits, Mode, OwnFamilies, State, Unknown};
use crate::config::Bounds;

/// Families that begin with it are the gateway's own.
pub const OWN_PREFIX: &str = "pushgate_";

/// Why a change was not made. The messages go to the client.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Found by the parser.
    #[error(transparent)]
    Objection(#[from] Objection),
    /// Two series of one push.
    #[error("{series} was collected before with the same name and label values; push each series once")]
    Duplicate {
        /// The second of them.
        series: String,
    },
    /// A series of another group.
    #[error(
        "a series of metric {name:?} is stored already by the group {owner}; use other labels, or delete that group"
    )]
    Owned {
        /// The family.
        name: String,
        /// The group that has it.
        owner: String,
    },
    /// Another group has the family with another type.
    #[error(
        "metric {name:?} has the type {pushed}, but other groups have stored it with the type {stored}; use one type for a name"
    )]
    Kind {
        /// The family.
        name: String,
        /// Its type in the push.
        pushed: &'static str,
        /// Its type in the store.
        stored: &'static str,
    },
    /// A sample of one family would have the name of a sample of another.
    #[error(
        "metric {part:?} collides with the {kind} {whole:?}, which has samples of that name; rename one of them"
    )]
    Collision {
        /// The family whose name it is.
        part: String,
        /// What the other one is.
        kind: &'static str,
        /// The histogram or summary.
        whole: String,
    },
    /// The name is one of the gateway's own.
    #[error("metric {name:?} has a name of the gateway's own metrics, which begin with pushgate_; rename it")]
    OwnName {
        /// The family.
        name: String,
    },
    /// The name is one that the gateway tells of groups.
    #[error("metric {name:?} is what the gateway itself tells of each group; rename it")]
    Told {
        /// The family.
        name: String,
    },
    /// The gateway's own family of that name has another type.
    #[error(
        "metric {name:?} has the type {pushed}, but the gateway's own metric of that name is a {own}; rename it, or push it as {own}"
    )]
    OwnKind {
        /// The family.
        name: String,
        /// Its type in the push.
        pushed: &'static str,
        /// Its type.
        own: &'static str,
    },
    /// A grouping label that a histogram or summary has for itself.
    #[error(
        "{kind} {name:?} cannot be in a group with the label {label:?}, which tells its own samples apart"
    )]
    PointLabel {
        /// The family.
        name: String,
        /// What it is.
        kind: &'static str,
        /// `le` or `quantile`.
        label: &'static str,
    },
    /// `{job="x"}` and `{job="x",instance=""}` are shown with the same labels.
    #[error(
        "the group cannot be told from the group {other}, as both are shown with instance=\"\"; use one of the two, or delete that group"
    )]
    SameLabels {
        /// The group that is there.
        other: String,
    },
    /// A group that is to be restored is there already.
    #[error("the group {group} exists already")]
    Exists {
        /// Its key.
        group: String,
    },
    /// Scrapers that know classic names only would take two labels for one.
    #[error(
        "{series}: the label names {one:?} and {other:?} are the same once they are escaped; rename one of them"
    )]
    EscapedAlike {
        /// The series.
        series: String,
        /// One label.
        one: String,
        /// The other one.
        other: String,
    },
    /// A bound that the operator has set for some jobs.
    #[error(
        "the job {job:?} stores as much as it may ([[store.jobs]] {key} = {limit}); push less, delete groups of that job, or have the bound raised"
    )]
    JobFull {
        /// The job.
        job: String,
        /// The key of the entry in the configuration.
        key: &'static str,
        /// The bound.
        limit: usize,
    },
    /// A bound of the store.
    #[error("the gateway stores as much as it may ({key} = {limit})")]
    Full {
        /// The key of the configuration.
        key: &'static str,
        /// The bound.
        limit: usize,
    },
}

/// What the parser noted, and names that are taken.
pub(super) fn objections(push: &Push) -> Result<(), Refusal> {
    if let Some(objection) = push.objection() {
        return Err(objection.clone().into());
    }
    if let Some(family) = push.families().find(|family| family.name().starts_with(OWN_PREFIX)) {
        return Err(Refusal::OwnName { name: family.name().into() });
    }
    if push.has_utf8_names() { escaped_names(push) } else { Ok(()) }
}

/// Every label set must have a name for each label, however names are escaped.
fn escaped_names(push: &Push) -> Result<(), Refusal> {
    let key = push.grouping_key();
    let group = with_instance(&key);
    let series = push.families().flat_map(|family| family.series().map(move |series| (family, series)));
    for (family, series) in series {
        let own = series.labels().filter(|(name, _)| group.iter().all(|(other, _)| other != name));
        let names = group.iter().copied().chain(own).map(|(name, _)| name);
        if let Some((one, other)) = find_escaped_alike(names) {
            return Err(Refusal::EscapedAlike { series: encode::series_name(family, series), one, other });
        }
    }
    Ok(())
}

/// Whether a change may be made. Looks at what the change brings, never at all that is stored.
pub(super) fn change(
    state: &State,
    change: &Change,
    limits: &Limits,
    bounds: Bounds,
    own: &OwnFamilies,
) -> Result<(), Refusal> {
    let room_in_job = |name: &GroupName| {
        let job = name.key.job();
        let stored = state.jobs.as_ref().map_or(0, |jobs| jobs.get(job).groups);
        bound(job, "max_groups", bounds.max_groups, stored + 1)
    };
    match change {
        Change::Delete { .. } | Change::DeleteMany { .. } | Change::Wipe => Ok(()),
        Change::Failure { group: name, unknown, .. } => match state.groups.get(&name.labels) {
            Some(group) => same_group(group, name),
            None if *unknown == Unknown::Ignore => Ok(()),
            None => room_in_job(name).and_then(|()| room_for_a_group(state, limits)),
        },
        Change::Push { group: name, mode, families, .. } => {
            let group = state.groups.get(&name.labels);
            match group {
                Some(group) => same_group(group, name)?,
                None => room_in_job(name).and_then(|()| room_for_a_group(state, limits))?,
            }
            let view = View::new(state, own, group, *mode, families);
            room_for_series_in_job(&view, name.key.job(), bounds)?;
            view.check_all(limits)
        }
        Change::Restore { group: name, families, .. } => {
            if let Some(group) = state.groups.get(&name.labels) {
                return Err(Refusal::Exists { group: group.name.key.to_string() });
            }
            room_for_a_group(state, limits)?;
            View::new(state, own, None, Mode::Replace, families).check_all(limits)
        }
    }
}

fn same_group(group: &Group, name: &GroupName) -> Result<(), Refusal> {
    if group.name.is_same_key(name) {
        return Ok(());
    }
    Err(Refusal::SameLabels { other: group.name.key.to_string() })
}

fn room_for_a_group(state: &State, limits: &Limits) -> Result<(), Refusal> {
    if state.groups.len() < limits.groups {
        return Ok(());
    }
    Err(Refusal::Full { key: "store.max_groups", limit: limits.groups })
}

fn room_for_series(view: &View<'_>, limits: &Limits) -> Result<(), Refusal> {
    let (brought, freed) = view.exchanged();
    if brought <= freed || view.state.series - freed + brought <= limits.series {
        return Ok(());
    }
    Err(Refusal::Full { key: "store.max_series", limit: limits.series })
}

fn room_for_series_in_job(view: &View<'_>, job: &str, bounds: Bounds) -> Result<(), Refusal> {
    let (Some(_), Some(jobs)) = (bounds.max_series, &view.state.jobs) else { return Ok(()) };
    let (brought, freed) = view.exchanged();
    if brought <= freed {
        return Ok(());
    }
    bound(job, "max_series", bounds.max_series, jobs.get(job).series.saturating_sub(freed) + brought)
}

/// Whether a job may have that much.
fn bound(job: &str, key: &'static str, limit: Option<usize>, wanted: usize) -> Result<(), Refusal> {
    match limit.filter(|limit| wanted > *limit) {
        Some(limit) => Err(Refusal::JobFull { job: job.to_owned(), key, limit }),
        None => Ok(()),
    }
}

/// The state as it would be after a push.
struct View<'a> {
    state: &'a State,
    own: &'a OwnFamilies,
    group: Option<&'a Group>,
    mode: Mode,
    families: &'a [RenderedFamily],
    pushed: OnceCell<HashMap<&'a str, Kind, foldhash::fast::RandomState>>,
}

impl<'a> View<'a> {
    fn new(
        state: &'a State,
        own: &'a OwnFamilies,
        group: Option<&'a Group>,
        mode: Mode,
        families: &'a [RenderedFamily],
    ) -> Self {
        Self { state, own, group, mode, families, pushed: OnceCell::new() }
    }

    /// The series that the push brings, and those that go for it.
    fn exchanged(&self) -> (usize, usize) {
        let brought = self.families.iter().map(|family| family.chunk.series.len()).sum();
        let freed = match (self.group, self.mode) {
            (None, _) => 0,
            (Some(group), Mode::Replace) => group.families.values().map(|chunk| chunk.series.len()).sum(),
            (Some(group), Mode::Merge) => (self.families.iter())
                .filter_map(|family| group.families.get(&family.name))
                .map(|chunk| chunk.series.len())
                .sum(),
        };
        (brought, freed)
    }

    fn check_all(&self, limits: &Limits) -> Result<(), Refusal> {
        room_for_series(self, limits)?;
        self.families.iter().try_for_each(|family| self.check(family))
    }

    fn check(&self, family: &RenderedFamily) -> Result<(), Refusal> {
        if let Some(own) = self.own.get(&*family.name).filter(|own| **own != family.kind) {
            return Err(Refusal::OwnKind {
                name: family.name.to_string(),
                pushed: family.kind.as_str(),
                own: own.as_str(),
            });
        }
        if let Some(stored) = self.elsewhere(&family.name)
            && stored != family.kind
        {
            return Err(Refusal::Kind {
                name: family.name.to_string(),
                pushed: family.kind.as_str(),
                stored: stored.as_str(),
            });
        }
        self.check_owners(family)?;
        self.check_suffixes(family)
    }

    fn check_owners(&self, family: &RenderedFamily) -> Result<(), Refusal> {
        let before = self.group.and_then(|group| group.families.get(&family.name));
        if before.is_some_and(|before| before.series == family.chunk.series) {
            return Ok(()); // They are its own: most jobs push the same series again.
        }
        let Some(index) = self.state.index.get(&family.name) else { return Ok(()) };
        let own = self.group.map(|group| group.id);
        let owners = family.chunk.series.iter().filter_map(|&series| index.owner(series));
        match owners.into_iter().find(|owner| Some(*owner) != own) {
            Some(owner) => Err(Refusal::Owned {
                name: family.name.to_string(),
                owner: self.state.groups.key(owner).map_or_else(String::new, ToString::to_string),
            }),
            None => Ok(()),
        }
    }

    /// The names of a histogram's and a summary's samples must not be names of other families, whichever
    /// came first.
    fn check_suffixes(&self, family: &RenderedFamily) -> Result<(), Refusal> {
        let name = &*family.name;
        let collision = |part: &str, kind: Kind, whole: &str| {
            Err(Refusal::Collision { part: part.into(), kind: kind.as_str(), whole: whole.into() })
        };
        for suffix in ["_bucket", "_sum", "_count"] {
            if has_samples(family.kind, suffix) {
                let part = format!("{name}{suffix}");
                if self.kind(&part).is_some() {
                    return collision(&part, family.kind, name);
                }
            }
            if let Some(whole) = name.strip_suffix(suffix)
                && let Some(kind) = self.kind(whole)
                && has_samples(kind, suffix)
            {
                return collision(name, kind, whole);
            }
        }
        Ok(())
    }

    /// The type of a family after the push, if there is one of that name.
    fn kind(&self, name: &str) -> Option<Kind> {
        let kinds = || self.families.iter().map(|family| (&*family.name, family.kind)).collect();
        let pushed = self.pushed.get_or_init(kinds).get(name).copied();
        let kept = || {
            let stays =
                self.mode == Mode::Merge && self.group.is_some_and(|group| group.families.contains_key(name));
            stays.then(|| self.state.index.get(name).map(|index| index.kind)).flatten()
        };
        pushed.or_else(kept).or_else(|| self.own.get(name).copied()).or_else(|| self.elsewhere(name))
    }

    /// The type that other groups have stored a family with.
    fn elsewhere(&self, name: &str) -> Option<Kind> {
        let index = self.state.index.get(name)?;
        let own = self.group.is_some_and(|group| group.families.contains_key(name));
        (index.groups > usize::from(own)).then_some(index.kind)
    }
}

/// Whether a family of that kind has samples with that suffix.
fn has_samples(kind: Kind, suffix: &str) -> bool {
    match kind {
        Kind::Histogram | Kind::GaugeHistogram => true,
        Kind::Summary => suffix != "_bucket",
        _ => false,
    }
}
