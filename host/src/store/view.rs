//! What others see of the store: the families over all groups, and the groups. Copies of pointers, which no change touches.

use std::sync::Arc;

use imbl::OrdMap;
use pushgate_exposition::{GroupingKey, Kind};

use super::chunk::Chunk;
use super::group::{Group, GroupId};
use super::{Exposed, Times};

/// The state between two changes.
pub struct Snapshot {
    pub(super) families: Exposed,
    pub(super) text_len: usize,
    pub(super) unsound: Option<Arc<str>>,
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

    /// Why there can be no scrape: only where the operator has switched the consistency check off.
    pub fn unsound(&self) -> Option<&str> {
        self.unsound.as_deref()
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
    pub fn help(&self) -> Option<&'a str> {
        self.chunks.values().find_map(|chunk| chunk.help())
    }

    /// The unit: that of the first group that has one.
    pub fn unit(&self) -> &'a str {
        self.chunks.values().map(|chunk| chunk.unit()).find(|unit| !unit.is_empty()).unwrap_or_default()
    }

    /// What each group has of it.
    pub fn chunks(&self) -> impl Iterator<Item = &'a Chunk> + use<'a> {
        self.chunks.values().map(|chunk| &**chunk)
    }
}

/// A group without its families.
#[derive(Clone, Debug)]
pub struct GroupInfo {
    /// Its grouping key.
    pub key: Arc<GroupingKey>,
    /// When it was pushed to.
    pub times: Times,
    /// Why the last push was refused, if one was.
    pub last_error: Option<Arc<str>>,
    /// Series that it has.
    pub series: usize,
}

impl From<&Group> for GroupInfo {
    fn from(group: &Group) -> Self {
        Self {
            key: group.name.key.clone(),
            times: Times { push: group.push_time, failure: group.failure_time },
            last_error: group.last_error.clone(),
            series: group.families.values().map(|chunk| chunk.series.len()).sum(),
        }
    }
}

impl GroupInfo {
    /// Whether the last push was stored.
    pub fn last_push_successful(&self) -> bool {
        self.times.failure <= self.times.push
    }
}

/// A group between two changes.
#[derive(Debug)]
pub struct GroupSnapshot {
    /// All but the families.
    pub info: GroupInfo,
    /// By name, without the two that hold its times.
    pub families: Vec<StoredFamily>,
}

/// A family of a group.
#[derive(Debug)]
pub struct StoredFamily {
    /// Its name.
    pub name: Arc<str>,
    /// Its type.
    pub kind: Kind,
    /// Its lines.
    pub chunk: Arc<Chunk>,
}
