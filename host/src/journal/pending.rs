//! The changes that are not written yet, as what they come to.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use super::key;
use crate::store::{Change, GroupName, Mode, RenderedFamily, StoredFamily};

/// What is to be written, by group.
#[derive(Debug, Default)]
pub(super) struct Pending {
    /// Whether all groups go first.
    pub(super) wiped: bool,
    /// By the bytes of their keys.
    pub(super) groups: HashMap<Vec<u8>, GroupChange>,
}

/// What becomes of a group.
#[derive(Debug, Default)]
pub(super) struct GroupChange {
    /// Nothing of what is in the file stays, not even its times.
    pub(super) is_new: bool,
    /// The families that are in the file go.
    pub(super) is_cleared: bool,
    /// Nothing takes its place.
    pub(super) is_gone: bool,
    /// Times that have changed, in seconds since 1970.
    pub(super) push: Option<f64>,
    pub(super) failure: Option<f64>,
    /// The wish of the last push, if there was a push.
    pub(super) wish: Option<Option<Duration>>,
    /// Families that were pushed, by name.
    pub(super) families: BTreeMap<Arc<str>, StoredFamily>,
}

impl Pending {
    pub(super) fn is_empty(&self) -> bool {
        !self.wiped && self.groups.is_empty()
    }

    /// Adds a change that the store makes.
    pub(super) fn add(&mut self, change: &Change) {
        let nothing = GroupChange::default;
        let (group, change) = match change {
            Change::Push { group, mode, families, arrival, .. } => {
                let is_cleared = *mode == Mode::Replace;
                let families = by_name(families);
                let (push, wish) = (Some(arrival.at), Some(arrival.wish));
                (group, GroupChange { is_cleared, push, wish, families, ..nothing() })
            }
            Change::Failure { group, at, .. } => (group, GroupChange { failure: Some(*at), ..nothing() }),
            Change::Restore { group, families, times } => {
                let (push, failure, families) = (Some(times.push), Some(times.failure), by_name(families));
                let new = GroupChange { is_new: true, is_cleared: true, ..nothing() };
                (group, GroupChange { push, failure, wish: Some(times.wish), families, ..new })
            }
            Change::Delete { group } => return self.remove(group),
            Change::DeleteMany { groups } => return groups.iter().for_each(|group| self.remove(group)),
            Change::Wipe => {
                *self = Self { wiped: true, groups: HashMap::new() };
                return;
            }
        };
        self.groups.entry(key::encode(group.key())).or_default().then(change);
    }

    fn remove(&mut self, group: &GroupName) {
        let gone = GroupChange { is_new: true, is_cleared: true, is_gone: true, ..GroupChange::default() };
        self.groups.entry(key::encode(group.key())).or_default().then(gone);
    }

    /// Adds what came later.
    pub(super) fn then(&mut self, later: Self) {
        if later.wiped {
            *self = later;
            return;
        }
        for (group, change) in later.groups {
            self.groups.entry(group).or_default().then(change);
        }
    }
}

impl GroupChange {
    fn then(&mut self, later: Self) {
        if later.is_new {
            *self = later;
            return;
        }
        if later.is_cleared {
            self.families.clear();
            self.is_cleared = true;
        }
        self.is_gone = false;
        self.push = later.push.or(self.push);
        self.failure = later.failure.or(self.failure);
        self.wish = later.wish.or(self.wish);
        self.families.extend(later.families);
    }
}

fn by_name(families: &[RenderedFamily]) -> BTreeMap<Arc<str>, StoredFamily> {
    families.iter().map(|family| (family.name().clone(), family.to_stored())).collect()
}
