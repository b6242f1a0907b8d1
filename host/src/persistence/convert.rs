//! Between the groups of the store and those of the file.

use std::collections::BTreeMap;
use std::io::{self, Write};

use pushgate_exposition::protobuf::{self, DecodeError, FamilyEncoder};
use pushgate_exposition::{
    Builder, Escaping, GroupingKey, GroupingKeyError, InternError, Kind, Label, Names, Push, Rules,
};
use pushgate_gob::{Family, Group, Timestamp};

use crate::store::{
    FAILURE_TIME, FAILURE_TIME_HELP, GroupSnapshot, PUSH_TIME, PUSH_TIME_HELP, Refusal, Store, Times,
    with_instance,
};

/// A group of the file in the forms of a push.
#[derive(Debug)]
pub struct GroupParts {
    /// Its grouping key.
    pub key: GroupingKey,
    /// Its families, its times among them, as delimited protobuf.
    pub body: Vec<u8>,
    /// When each family was pushed, in seconds since 1970.
    pub pushed_at: BTreeMap<String, f64>,
}

/// Why a group of the file cannot be stored.
#[derive(Debug, thiserror::Error)]
pub enum Unrestorable {
    /// Its labels are no grouping key.
    #[error("the group {labels:?}: {source}")]
    Key {
        /// As they are.
        labels: Vec<(String, String)>,
        /// What is wrong with them.
        source: GroupingKeyError,
    },
    /// Its families are not what they should be.
    #[error("the group {key}: {source}")]
    Families {
        /// Which group.
        key: GroupingKey,
        /// What is wrong.
        source: DecodeError,
    },
    /// It could break a scrape, or there is no room.
    #[error("the group {key}: {source}")]
    Refused {
        /// Which group.
        key: GroupingKey,
        /// What is wrong.
        source: Refusal,
    },
}

/// A group of the file, ready to be pushed.
///
/// # Errors
/// When its labels are no grouping key.
pub fn parts(group: Group) -> Result<GroupParts, Unrestorable> {
    let key = GroupingKey::with_names(group.labels.clone(), Names::Utf8)
        .map_err(|source| Unrestorable::Key { labels: group.labels, source })?;
    let mut body = Vec::new();
    let mut pushed_at = BTreeMap::new();
    for family in group.families {
        protobuf::delimit(&mut body, &family.metric_family);
        let at = family.pushed_at.seconds as f64 + f64::from(family.pushed_at.nanos) / 1e9;
        pushed_at.insert(family.name, at);
    }
    Ok(GroupParts { key, body, pushed_at })
}

pub(super) fn restore(store: &Store, group: Group, rules: &Rules) -> Result<(), Unrestorable> {
    let GroupParts { key, body, pushed_at } = parts(group)?;
    let push = protobuf::parse(&body, &key, rules)
        .map_err(|source| Unrestorable::Families { key: key.clone(), source })?;
    store
        .restore(&push, times(&push), |family| pushed_at.get(family).copied())
        .map_err(|source| Unrestorable::Refused { key, source })
}

/// The times of a group, from the families that hold them; never where there are none.
pub fn times(push: &Push) -> Times {
    let time = |name| {
        let family = push.families().find(|family| family.name() == name)?;
        let value = family.series().next()?.value();
        value.is_finite().then_some(value)
    };
    Times { push: time(PUSH_TIME).unwrap_or_default(), failure: time(FAILURE_TIME).unwrap_or_default() }
}

/// Writes everything stored.
pub(super) fn write(store: &Store, out: &mut dyn Write) -> io::Result<()> {
    let groups = store.groups();
    // A group that was removed in between is not there any more.
    let groups = groups.iter().filter_map(|info| store.group(&info.key)).map(|group| to_file(&group));
    pushgate_gob::write(&groups.collect::<io::Result<Vec<_>>>()?, out)
}

fn to_file(group: &GroupSnapshot) -> io::Result<Group> {
    let info = &group.info;
    let labels = info.key.labels().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let mut families = Vec::with_capacity(group.families.len() + 2);
    for stored in &group.families {
        let push = stored.chunk.read_back(&stored.name, stored.kind).map_err(io::Error::other)?;
        families.push(family(&push, stored.chunk.help(), stored.chunk.unit(), stored.chunk.pushed_at()));
    }
    for (name, help, time) in
        [(PUSH_TIME, PUSH_TIME_HELP, info.times.push), (FAILURE_TIME, FAILURE_TIME_HELP, info.times.failure)]
    {
        let push = time_family(&info.key, name, time).map_err(io::Error::other)?;
        families.push(family(&push, help, "", time));
    }
    Ok(Group { labels, families })
}

/// The one family of a push.
fn family(push: &Push, help: &str, unit: &str, pushed_at: f64) -> Family {
    let (mut metric_family, mut name) = (Vec::new(), String::new());
    if let Some(family) = push.families().next() {
        family.name().clone_into(&mut name);
        let mut encoder =
            FamilyEncoder::new(&mut metric_family, &name, help, family.kind(), Escaping::AllowUtf8);
        family.series().for_each(|series| encoder.series(series));
        encoder.finish_undelimited(unit);
    }
    let nanos = (pushed_at.fract() * 1e9) as u32;
    Family { name, pushed_at: Timestamp { seconds: pushed_at as i64, nanos }, metric_family }
}

/// A time of a group as the family that a scrape shows.
fn time_family(key: &GroupingKey, name: &str, time: f64) -> Result<Push, InternError> {
    let mut builder = Builder::without_group();
    let name = builder.intern(name.as_bytes())?;
    let family = builder.family(name);
    builder.set_kind(family, Kind::Gauge);
    let mut labels = Vec::new();
    for (name, value) in with_instance(key) {
        let name = builder.intern(name.as_bytes())?;
        labels.push(Label { name, value: builder.intern(value.as_bytes())? });
    }
    builder.series(family, &labels, time);
    Ok(builder.finish())
}
