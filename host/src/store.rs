//! What was pushed, ready to be scraped.
//!
//! The store is a state machine: a [`Change`] is checked against the state and, if nothing speaks against
//! it, made in one synchronous step; else nothing changes. What the contract guarantees:
//!
//! - **A push costs what it brings.** Families are rendered before the lock is taken; under it, only the
//!   pushed series are looked up and the pushed chunks swapped. Nothing walks over what is stored.
//! - **A scrape cannot fail.** Whatever would break the exposition, for whichever group, is refused when it
//!   is pushed: a [`Refusal`] says what.
//! - **Readers wait for nobody.** A [`Snapshot`] is a copy of two pointers; it shows the state between two
//!   changes and is never changed itself.
//! - Of a refused push only the time remains, in `push_failure_time_seconds` of its group.
//!
//! The store never awaits and does no I/O.

mod ages;
mod check;
mod chunk;
mod deadlines;
mod group;
mod index;
mod jobs;
mod labels;
mod lifetime;
mod render;
mod selection;
mod state;
mod template;
mod view;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use hashbrown::HashMap;
use parking_lot::{Mutex, RwLock};
use pushgate_exposition::{Family, GroupingKey, Kind, Push, find_escaped_alike};

pub use self::ages::{PUSH_AGE, PUSH_STALE};
pub use self::check::{OWN_PREFIX, Refusal};
pub use self::chunk::Chunk;
pub use self::group::{FAILURE_TIME_HELP, GroupName, PUSH_TIME_HELP, with_instance};
pub use self::jobs::{BoundUsage, JobUsage};
pub use self::labels::{LabelCounting, LabelGrowth};
pub use self::lifetime::Lifetime;
use self::lifetime::Rules;
pub use self::render::RenderedFamily;
use self::render::Renderer;
use self::state::{Exposed, ExposedFamily, State};
pub use self::template::{LastPush, Learned, Numbered, Template};
pub use self::view::{FamilySnapshot, GroupInfo, GroupSnapshot, Snapshot, StoredFamily};
use crate::journal::{Journal, Receipt};

/// The family with the time of each group's last push that was stored.
pub const PUSH_TIME: &str = "push_time_seconds";
/// The family with the time of each group's last push that was refused.
pub const FAILURE_TIME: &str = "push_failure_time_seconds";

/// Bytes that are kept of the reason of a refusal.
const MAX_REASON: usize = 4 << 10;

/// Bounds of the whole store. A push that would pass one is refused.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Groups, that is distinct grouping keys.
    pub groups: usize,
    /// Series of all groups.
    pub series: usize,
}

/// How a push treats the families that its group has already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// PUT: they all go.
    Replace,
    /// POST: those that the push does not name stay.
    Merge,
}

/// What is asked of the store, and what a journal would write down.
#[derive(Debug)]
pub enum Change {
    /// A push to a group.
    Push {
        /// Which group.
        group: GroupName,
        /// What happens to the rest of it.
        mode: Mode,
        /// What it brings, rendered.
        families: Vec<RenderedFamily>,
        /// When it came, and for how long.
        arrival: Arrival,
        /// What is known of it, for the next one.
        template: Option<Arc<Template>>,
    },
    /// A push to a group was refused.
    Failure {
        /// Which group.
        group: GroupName,
        /// Whether a group that does not exist is made, to show the failure.
        unknown: Unknown,
        /// Why it was refused.
        reason: Arc<str>,
        /// When it arrived, in seconds since 1970.
        at: f64,
    },
    /// A group that was stored elsewhere, with its times.
    Restore {
        /// Which group. It must not be there yet.
        group: GroupName,
        /// What it has, rendered.
        families: Vec<RenderedFamily>,
        /// Its times.
        times: Times,
    },
    /// A group is removed.
    Delete {
        /// Which group.
        group: GroupName,
    },
    /// Some groups are removed, all of them or none. Each is there.
    DeleteMany {
        /// Which groups.
        groups: Vec<GroupName>,
    },
    /// All groups are removed.
    Wipe,
}

/// When a push came, and for how long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Arrival {
    /// When it arrived, in seconds since 1970.
    pub at: f64,
    /// How long whoever pushes wishes its group to be kept, if nothing else comes. Nothing of a wish before is left when a
    /// push comes without one.
    pub wish: Option<Duration>,
}

impl From<f64> for Arrival {
    /// At that time, without a wish.
    fn from(at: f64) -> Self {
        Self { at, wish: None }
    }
}

/// When a group was pushed to, in seconds since 1970; 0 is never.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Times {
    /// The last push that was stored.
    pub push: f64,
    /// The last push that was refused.
    pub failure: f64,
    /// How long the last push that was stored wished its group to be kept.
    pub wish: Option<Duration>,
}

/// What a failure does to a group that does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// It is made, as the original Pushgateway does for a push that does not fit what is stored.
    Create,
    /// Nothing: of a push that a policy rejected nothing is stored.
    Ignore,
}

/// The store. Shared by all connections.
pub struct Store {
    state: Mutex<State>,
    renderer: Renderer,
    limits: Limits,
    own: OwnFamilies,
    journal: Box<dyn Journal>,
    /// How long groups are kept. The state has the same; this one is for who does not hold its lock.
    rules: RwLock<Arc<Rules>>,
    /// Whether that is not simply for ever.
    has_rules: AtomicBool,
}

/// The types of the gateway's own families, by name. A push may bring series of the same name and type, which are
/// shown beside them.
pub type OwnFamilies = HashMap<String, Kind, foldhash::fast::RandomState>;

impl Store {
    /// An empty store, in a gateway with families of its own.
    pub fn new(limits: Limits, own: OwnFamilies, journal: Box<dyn Journal>) -> Self {
        Self {
            state: Mutex::default(),
            renderer: Renderer::default(),
            limits,
            own,
            journal,
            rules: RwLock::default(),
            has_rules: AtomicBool::default(),
        }
    }

    /// Stores a push under its grouping key, or refuses it as a whole. It lasts once the receipt says so.
    ///
    /// # Errors
    /// When the push does not fit what is stored, or could break a scrape. The refusal is noted as the
    /// group's failure time.
    pub fn push(&self, push: &Push, mode: Mode, arrival: impl Into<Arrival>) -> Result<Receipt, Refusal> {
        let (group, arrival) = (GroupName::from(push.grouping_key()), arrival.into());
        let rendered =
            self.objections(push, &group).and_then(|()| self.renderer.render(push, &group, arrival.at));
        self.push_rendered(group, mode, rendered, arrival, None)
    }

    /// Stores what was rendered of a push, or notes why it cannot be.
    fn push_rendered(
        &self,
        group: GroupName,
        mode: Mode,
        rendered: Result<Vec<RenderedFamily>, Refusal>,
        arrival: Arrival,
        template: Option<Arc<Template>>,
    ) -> Result<Receipt, Refusal> {
        let name = group.clone();
        let stored = rendered
            .and_then(|families| self.apply(Change::Push { group, mode, families, arrival, template }));
        if let Err(refusal) = &stored {
            self.note_failure(name, Unknown::Create, &refusal.to_string(), arrival.at);
        }
        stored
    }

    /// What speaks against a push before what it brings is looked at.
    fn objections(&self, push: &Push, group: &GroupName) -> Result<(), Refusal> {
        check::objections(push)?;
        if let Some(told) = push.families().find(|family| ages::TOLD.contains(&family.name())) {
            return Err(Refusal::Told { name: told.name().into() });
        }
        // A pushed failure time is not stored, but it must not be of another type than the one that is there.
        let is_odd = |family: &Family<'_>| family.name() == FAILURE_TIME && family.kind() != Kind::Gauge;
        match push.families().find(is_odd) {
            Some(family) if self.state.lock().groups.get(&group.labels).is_some() => Err(Refusal::Kind {
                name: FAILURE_TIME.to_owned(),
                pushed: family.kind().as_str(),
                stored: Kind::Gauge.as_str(),
            }),
            _ => Ok(()),
        }
    }

    /// Stores a group that was stored elsewhere, checked like any push. `pushed_at` tells when a family was pushed.
    ///
    /// # Errors
    /// When the group exists already, or does not fit what is stored. Nothing is noted then.
    pub fn restore(
        &self,
        push: &Push,
        times: Times,
        pushed_at: impl Fn(&str) -> Option<f64>,
    ) -> Result<Receipt, Refusal> {
        let group = GroupName::from(push.grouping_key());
        check::objections(push)?;
        let mut families = self.renderer.render(push, &group, times.push)?;
        for family in &mut families {
            if let (Some(at), Some(chunk)) = (pushed_at(&family.name), Arc::get_mut(&mut family.chunk)) {
                chunk.pushed_at = at;
            }
        }
        self.apply(Change::Restore { group, families, times })
    }

    /// Removes a group. One that does not exist is no error.
    pub fn delete(&self, key: GroupingKey) -> Receipt {
        // A deletion is never refused.
        self.apply(Change::Delete { group: key.into() }).unwrap_or_default()
    }

    /// Removes all groups.
    pub fn wipe(&self) -> Receipt {
        self.apply(Change::Wipe).unwrap_or_default()
    }

    /// Why nothing can be made to last at the moment, if that is so and pushes are to be refused for it.
    pub fn trouble(&self) -> Option<Arc<str>> {
        self.journal.trouble()
    }

    /// Notes that a push was refused.
    pub fn fail(&self, key: GroupingKey, unknown: Unknown, reason: &str, at: f64) {
        self.note_failure(key.into(), unknown, reason, at);
    }

    fn note_failure(&self, group: GroupName, unknown: Unknown, reason: &str, at: f64) {
        if find_escaped_alike(group.key.labels().map(|(name, _)| name)).is_some() {
            return; // A policy made it so; such a group cannot be shown.
        }
        let end = reason.floor_char_boundary(MAX_REASON);
        let reason = Arc::from(reason.get(..end).unwrap_or_default());
        // If even this is refused, for want of room or since the group cannot be, there is nowhere to note it.
        let _ = self.apply(Change::Failure { group, unknown, reason, at });
    }

    /// Makes scrapes fail until the group is pushed to again or removed: what the operator asked for who switched
    /// the check off. The group was noted to have failed before.
    pub fn expose_as_unsound(&self, key: GroupingKey, reason: &str) {
        let name = GroupName::from(key);
        let mut state = self.state.lock();
        if let Some(id) = state.groups.get(&name.labels).map(|group| group.id) {
            state.unsound.insert(id, reason.into());
        }
    }

    /// Checks a change and makes it, or leaves everything as it was.
    fn apply(&self, change: Change) -> Result<Receipt, Refusal> {
        self.read_labels(&change);
        let worked_out = self.work_out(&change);
        let mut state = self.state.lock();
        let bounds = worked_out.map(|worked_out| worked_out.bounds).unwrap_or_default();
        let checked = check::change(&state, &change, &self.limits, bounds, &self.own);
        if let (Change::Push { .. }, Err(Refusal::JobFull { job, key, .. })) = (&change, &checked)
            && let Some(jobs) = &mut state.jobs
        {
            jobs.refused(job, key);
        }
        checked?;
        if !state.is_changed_by(&change) {
            return Ok(Receipt::default());
        }
        let receipt = self.journal.record(&change);
        state.version += 1;
        state.commit(change, worked_out);
        Ok(receipt)
    }

    /// The state as it is now.
    pub fn snapshot(&self) -> Snapshot {
        let state = self.state.lock();
        Snapshot {
            families: state.exposed.clone(),
            text_len: state.text_len,
            unsound: state.unsound.values().next().cloned(),
            lifetimes: state.lifetimes.all.clone(),
        }
    }

    /// A number that goes up with every change, to see whether there was one.
    pub fn version(&self) -> u64 {
        self.state.lock().version
    }

    /// Every group without its families, in the order of their first push.
    pub fn groups(&self) -> Vec<GroupInfo> {
        let state = self.state.lock();
        let mut groups: Vec<_> =
            state.groups.iter().map(|group| (group.id, GroupInfo::from(group))).collect();
        drop(state);
        groups.sort_unstable_by_key(|(id, _)| *id);
        groups.into_iter().map(|(_, info)| info).collect()
    }

    /// One group with its families, by name.
    pub fn group(&self, key: &GroupingKey) -> Option<GroupSnapshot> {
        let name = GroupName::from(key.clone());
        let state = self.state.lock();
        let group = state.groups.get(&name.labels).filter(|group| group.name.is_same_key(&name))?;
        let family = |(name, chunk): (&Arc<str>, &Arc<Chunk>)| {
            let kind = state.index.get(name).map_or(Kind::Untyped, |index| index.kind);
            StoredFamily { name: name.clone(), kind, chunk: chunk.clone() }
        };
        Some(GroupSnapshot {
            info: GroupInfo::from(group),
            families: group.families.iter().map(family).collect(),
        })
    }

    /// Groups and series stored.
    pub fn size(&self) -> Size {
        self.state.lock().stored()
    }
}

/// How much is stored, in all or of one job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Groups, also those with nothing but their times.
    pub groups: usize,
    /// Series that were pushed.
    pub series: usize,
}
