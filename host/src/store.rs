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

mod check;
mod group;
mod index;
mod render;

use std::sync::Arc;

use imbl::OrdMap;
use parking_lot::Mutex;
use pushgate_exposition::{GroupingKey, Kind, Push};

pub use self::check::{OWN_PREFIX, Refusal};
pub use self::group::GroupName;
use self::group::{GroupId, Groups};
use self::index::Index;
use self::render::{Chunk, RenderedFamily, Renderer};
use crate::journal::Journal;

/// The family with the time of each group's last push that was stored.
pub const PUSH_TIME: &str = "push_time_seconds";
/// The family with the time of each group's last push that was refused.
pub const FAILURE_TIME: &str = "push_failure_time_seconds";

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
        /// When it arrived, in seconds since 1970.
        at: f64,
    },
    /// A push to a group was refused.
    Failure {
        /// Which group.
        group: GroupName,
        /// Whether a group that does not exist is made, to show the failure.
        unknown: Unknown,
        /// When it arrived, in seconds since 1970.
        at: f64,
    },
    /// A group is removed.
    Delete {
        /// Which group.
        group: GroupName,
    },
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
    journal: Box<dyn Journal>,
}

#[derive(Default)]
struct State {
    groups: Groups,
    index: Index,
    exposed: Exposed,
    series: usize,
    /// Bytes of all chunks that are exposed.
    text_len: usize,
}

/// What a scrape sees: families by name.
type Exposed = OrdMap<Arc<str>, ExposedFamily>;

/// A family over all groups. Cloning it copies pointers.
#[derive(Clone)]
struct ExposedFamily {
    kind: Kind,
    chunks: OrdMap<GroupId, Arc<Chunk>>,
}

impl Store {
    /// An empty store.
    pub fn new(limits: Limits, journal: Box<dyn Journal>) -> Self {
        Self { state: Mutex::default(), renderer: Renderer::default(), limits, journal }
    }

    /// Stores a push under its grouping key, or refuses it as a whole.
    ///
    /// # Errors
    /// When the push does not fit what is stored, or could break a scrape. The refusal is noted as the
    /// group's failure time.
    pub fn push(&self, push: &Push, mode: Mode, at: f64) -> Result<(), Refusal> {
        let group = GroupName::from(push.grouping_key());
        let rendered = check::objections(push).and_then(|()| self.renderer.render(push, &group));
        let stored = rendered
            .and_then(|families| self.apply(Change::Push { group: group.clone(), mode, families, at }));
        if stored.is_err() {
            self.note_failure(group, Unknown::Create, at);
        }
        stored
    }

    /// Removes a group. One that does not exist is no error.
    pub fn delete(&self, key: GroupingKey) {
        // A deletion is never refused.
        let _ = self.apply(Change::Delete { group: key.into() });
    }

    /// Notes that a push was refused.
    pub fn fail(&self, key: GroupingKey, unknown: Unknown, at: f64) {
        self.note_failure(key.into(), unknown, at);
    }

    fn note_failure(&self, group: GroupName, unknown: Unknown, at: f64) {
        // If even this is refused, for want of room or since the group cannot be, there is nowhere to note it.
        let _ = self.apply(Change::Failure { group, unknown, at });
    }

    /// Checks a change and makes it, or leaves everything as it was.
    fn apply(&self, change: Change) -> Result<(), Refusal> {
        let mut state = self.state.lock();
        check::change(&state, &change, &self.limits)?;
        self.journal.record(&change);
        state.commit(change);
        Ok(())
    }

    /// The state as it is now.
    pub fn snapshot(&self) -> Snapshot {
        let state = self.state.lock();
        Snapshot { families: state.exposed.clone(), text_len: state.text_len }
    }

    /// Groups and series stored.
    pub fn size(&self) -> Size {
        let state = self.state.lock();
        Size { groups: state.groups.len(), series: state.series }
    }
}

/// How much is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Groups, also those with nothing but their times.
    pub groups: usize,
    /// Series that were pushed.
    pub series: usize,
}

impl State {
    fn commit(&mut self, change: Change) {
        match change {
            Change::Push { group, mode, families, at } => self.commit_push(&group, mode, families, at),
            Change::Failure { group: name, unknown, at } => {
                if unknown == Unknown::Create || self.groups.get(&name.labels).is_some() {
                    let group = self.groups.entry(&name);
                    group.failure_time = at;
                    let (id, times) = (group.id, group.render_times());
                    self.expose_times(id, times);
                }
            }
            Change::Delete { group } => {
                let Some(group) = self.groups.remove(&group) else { return };
                for (name, chunk) in group.families {
                    self.remove_chunk(&name, group.id, &chunk);
                }
                for name in [PUSH_TIME, FAILURE_TIME] {
                    self.hide(name, group.id);
                }
            }
        }
    }

    fn commit_push(&mut self, name: &GroupName, mode: Mode, mut families: Vec<RenderedFamily>, at: f64) {
        for family in &mut families {
            self.index.share_name(&mut family.name);
        }
        let group = self.groups.entry(name);
        group.push_time = at;
        let mut gone = match mode {
            Mode::Replace => std::mem::take(&mut group.families),
            Mode::Merge => group::FamilyChunks::new(),
        };
        let mut replaced = Vec::with_capacity(families.len());
        for family in &families {
            let before = gone.remove(&family.name);
            let before = group.families.insert(family.name.clone(), family.chunk.clone()).or(before);
            replaced.push(before);
        }
        let (id, times) = (group.id, group.render_times());
        for (family, chunk) in gone {
            self.remove_chunk(&family, id, &chunk);
        }
        for (family, before) in families.into_iter().zip(replaced) {
            self.put_chunk(family, id, before.as_deref());
        }
        self.expose_times(id, times);
    }

    fn put_chunk(&mut self, family: RenderedFamily, group: GroupId, before: Option<&Chunk>) {
        self.series += family.chunk.series.len();
        self.series -= before.map_or(0, |before| before.series.len());
        self.index.replace(&family.name, family.kind, group, before, Some(&family.chunk));
        self.expose(family.name, family.kind, group, family.chunk);
    }

    fn remove_chunk(&mut self, name: &Arc<str>, group: GroupId, chunk: &Chunk) {
        self.series -= chunk.series.len();
        self.index.replace(name, Kind::Untyped, group, Some(chunk), None);
        self.hide(name, group);
    }

    fn expose(&mut self, name: Arc<str>, kind: Kind, group: GroupId, chunk: Arc<Chunk>) {
        let family =
            self.exposed.entry(name).or_insert_with(|| ExposedFamily { kind, chunks: OrdMap::new() });
        family.kind = kind; // A group that has a family for itself may change its type.
        self.text_len += chunk.text.len();
        if let Some(before) = family.chunks.insert(group, chunk) {
            self.text_len -= before.text.len();
        }
    }

    fn expose_times(&mut self, group: GroupId, times: [Chunk; 2]) {
        for (name, chunk) in [PUSH_TIME, FAILURE_TIME].into_iter().zip(times) {
            self.expose(Arc::from(name), Kind::Gauge, group, Arc::new(chunk));
        }
    }

    fn hide(&mut self, name: &str, group: GroupId) {
        if let Some(family) = self.exposed.get_mut(name) {
            if let Some(chunk) = family.chunks.remove(&group) {
                self.text_len -= chunk.text.len();
            }
            if family.chunks.is_empty() {
                self.exposed.remove(name);
            }
        }
    }
}

/// The state between two changes.
pub struct Snapshot {
    families: Exposed,
    text_len: usize,
}

/// A family in a snapshot.
pub struct FamilySnapshot<'a> {
    /// The family's name.
    pub name: &'a str,
    /// Its type.
    pub kind: Kind,
    chunks: &'a OrdMap<GroupId, Arc<Chunk>>,
}

impl Snapshot {
    /// Bytes of all lines of all groups; HELP and TYPE lines come on top.
    pub fn text_len(&self) -> usize {
        self.text_len
    }

    /// The families, by name.
    pub fn families(&self) -> impl Iterator<Item = FamilySnapshot<'_>> {
        self.families.iter().map(|(name, family)| FamilySnapshot {
            name,
            kind: family.kind,
            chunks: &family.chunks,
        })
    }
}

impl<'a> FamilySnapshot<'a> {
    /// The HELP text: that of the first group that has one. Groups may differ in it.
    pub fn help(&self) -> &'a str {
        self.chunks.values().map(|chunk| &*chunk.help).find(|help| !help.is_empty()).unwrap_or_default()
    }

    /// The lines of each group.
    pub fn chunks(&self) -> impl Iterator<Item = &'a str> {
        self.chunks.values().map(|chunk| &*chunk.text)
    }
}
