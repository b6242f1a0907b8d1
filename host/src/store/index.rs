//! Who owns which series: what makes a check cost what is pushed and not what is stored.

use std::sync::Arc;

use hashbrown::HashMap;
use pushgate_exposition::Kind;

use super::chunk::Chunk;
use super::group::GroupId;

type Hasher = foldhash::fast::RandomState;

/// For each family name, its type and the owners of its series.
#[derive(Default)]
pub(super) struct Index {
    families: HashMap<Arc<str>, FamilyIndex, Hasher>,
}

/// One family over all groups.
pub(super) struct FamilyIndex {
    pub(super) kind: Kind,
    /// How many groups have it.
    pub(super) groups: usize,
    /// The group of each series, by the hash of all its labels. Hashes are 64 bits wide and seeded: among a
    /// million series, a push is refused for a chance collision once in tens of millions of years.
    owners: HashMap<u64, GroupId, Hasher>,
}

impl FamilyIndex {
    pub(super) fn owner(&self, series: u64) -> Option<GroupId> {
        self.owners.get(&series).copied()
    }
}

impl Index {
    pub(super) fn get(&self, name: &str) -> Option<&FamilyIndex> {
        self.families.get(name)
    }

    /// Makes a family's name the one copy that all groups share, if there is one: it is in the processor's caches.
    pub(super) fn share_name(&self, name: &mut Arc<str>) {
        if let Some((shared, _)) = self.families.get_key_value(name) {
            name.clone_from(shared);
        }
    }

    /// A group's chunk of a family becomes another one; `None` is no chunk.
    pub(super) fn replace(
        &mut self,
        name: &Arc<str>,
        kind: Kind,
        owner: GroupId,
        before: Option<&Chunk>,
        after: Option<&Chunk>,
    ) {
        let new = || FamilyIndex { kind, groups: 0, owners: HashMap::default() };
        let family = self.families.entry_ref(name).or_insert_with(new);
        family.groups = family.groups + usize::from(after.is_some()) - usize::from(before.is_some());
        if family.groups == 0 {
            self.families.remove(name);
            return;
        }
        if after.is_some() {
            family.kind = kind;
        }
        let [before, after] = [before, after].map(|chunk| chunk.map(|chunk| &chunk.series));
        // A job that pushes the same series again, which most do, changes nothing here; mostly they are the very same ones.
        if before != after {
            for series in before.into_iter().flat_map(|series| &**series) {
                family.owners.remove(series);
            }
            let series = after.into_iter().flat_map(|series| &**series);
            family.owners.extend(series.map(|&series| (series, owner)));
        }
    }
}
