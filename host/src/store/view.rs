//! What others see of the store: the families over all groups, and the groups. Copies of pointers, which no change touches.

use std::sync::Arc;

use imbl::OrdMap;
use pushgate_exposition::{Builder, GroupingKey, InternError, Kind, Label, Push, Series};

use super::chunk::Chunk;
use super::group::{Group, GroupId};
use super::lifetime::Lifetime;
use super::{Exposed, Times};

/// The state between two changes.
pub struct Snapshot {
    pub(super) families: Exposed,
    pub(super) text_len: usize,
    pub(super) unsound: Option<Arc<str>>,
    pub(super) lifetimes: OrdMap<GroupId, Arc<Lifetime>>,
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

    /// The same, each with a number that its group keeps for as long as it is stored.
    pub fn numbered_chunks(&self) -> impl Iterator<Item = (u64, &'a Chunk)> + use<'a> {
        self.chunks.iter().map(|(group, chunk)| (*group, &**chunk))
    }
}

/// A group without its families.
#[derive(Clone, Debug)]
pub struct GroupInfo {
    /// Its grouping key.
    pub key: Arc<GroupingKey>,
    /// When it was pushed to.
    pub times: Times,
    /// How long it is kept, if that is not simply for ever.
    pub lifetime: Option<Arc<Lifetime>>,
    /// Why the last push was refused, if one was.
    pub last_error: Option<Arc<str>>,
    /// Series that it has.
    pub series: usize,
}

impl From<&Group> for GroupInfo {
    fn from(group: &Group) -> Self {
        Self {
            key: group.name.key.clone(),
            times: group.times(),
            lifetime: group.lifetime.clone(),
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

impl GroupSnapshot {
    /// The group as columns again, as it would be pushed: the labels of its key are not among those of the series.
    /// Always there, as what was rendered can be read.
    pub fn columns(&self) -> Option<Push> {
        let key = &self.info.key;
        let mut builder = Builder::new(key).ok()?;
        for stored in &self.families {
            let read = stored.chunk.read_back(&stored.name, stored.kind).ok()?;
            for family in read.families() {
                let name = builder.intern(family.name().as_bytes()).ok()?;
                let to = builder.family(name);
                builder.set_kind(to, family.kind());
                if let Some(help) = stored.chunk.help() {
                    let help = builder.intern(help.as_bytes()).ok()?;
                    builder.set_help(to, help);
                }
                let unit = builder.intern(stored.chunk.unit().as_bytes()).ok()?;
                builder.set_unit(to, unit);
                for series in family.series() {
                    copy_series(&mut builder, to, key, series).ok()?;
                }
            }
        }
        Some(builder.finish())
    }
}

/// The gateway has put the labels of the key to those of the series, and an empty instance where there was none.
fn copy_series(
    builder: &mut Builder,
    family: u32,
    key: &GroupingKey,
    series: Series<'_>,
) -> Result<(), InternError> {
    let own = series.labels().filter(|(name, value)| !value.is_empty() && key.label(name).is_none());
    let labels: Result<Vec<_>, InternError> = own
        .map(|(name, value)| {
            let name = builder.intern(name.as_bytes())?;
            Ok(Label { name, value: builder.intern(value.as_bytes())? })
        })
        .collect();
    let row = builder.series(family, &labels?, series.value());
    builder.set_count(row, series.count());
    // Text shows a last bucket whether it was sent or not.
    let is_open = series.detail().is_some_and(|detail| detail.without_infinity);
    for point in series.points().filter(|point| !is_open || point.bound != f64::INFINITY) {
        builder.point(row, point.bound, point.value);
    }
    Ok(())
}
