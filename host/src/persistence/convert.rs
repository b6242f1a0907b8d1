//! Between the groups of the store and those of the file.

use std::collections::BTreeMap;
use std::io::{self, Seek, Write};
use std::string::FromUtf8Error;

use pushgate_exposition::protobuf::{self, DecodeError, FamilyEncoder};
use pushgate_exposition::{
    Builder, Escaping, GroupingKey, GroupingKeyError, InternError, Kind, Label, Names, Push, Rules,
};
use pushgate_gob::{Family, Group, Limits, ReadError, Timestamp, Writer};

use crate::store::{
    FAILURE_TIME, FAILURE_TIME_HELP, GroupSnapshot, PUSH_TIME, PUSH_TIME_HELP, Refusal, Store, StoredFamily,
    Times, with_instance,
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

/// All groups of a file.
///
/// # Errors
/// When it is damaged anywhere.
pub fn groups(file: &[u8]) -> Result<Vec<Group<'_>>, ReadError> {
    pushgate_gob::read(file, Limits::default())?.collect()
}

/// Why a group of the file cannot be stored.
#[derive(Debug, thiserror::Error)]
pub enum Unrestorable {
    /// Its labels are not UTF-8: the original stores such a group, and no scrape can show it.
    #[error("the group {0} is not UTF-8")]
    NotUtf8(String),
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
        source: Box<Refusal>,
    },
}

/// A group of the file, ready to be pushed.
///
/// # Errors
/// When its labels are no grouping key.
pub fn parts(group: &Group<'_>) -> Result<GroupParts, Unrestorable> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec());
    let labels = group.labels().map(|(name, value)| Ok((text(name)?, text(value)?)));
    let labels = labels.collect::<Result<Vec<_>, FromUtf8Error>>().map_err(|_| {
        let shown = group
            .labels()
            .map(|(name, value)| format!("{}={:?}", name.escape_ascii(), value.escape_ascii().to_string()));
        Unrestorable::NotUtf8(shown.collect::<Vec<_>>().join(","))
    })?;
    let key = GroupingKey::with_names(labels.clone(), Names::Utf8)
        .map_err(|source| Unrestorable::Key { labels, source })?;
    let mut body = Vec::new();
    let mut pushed_at = BTreeMap::new();
    for family in group.families() {
        protobuf::delimit(&mut body, family.metric_family);
        let at = family.pushed_at.seconds() as f64 + f64::from(family.pushed_at.nanos()) / 1e9;
        pushed_at.insert(String::from_utf8_lossy(family.name).into_owned(), at);
    }
    Ok(GroupParts { key, body, pushed_at })
}

pub(super) fn restore_group(store: &Store, group: &Group<'_>, rules: &Rules) -> Result<(), Unrestorable> {
    let parts = parts(group)?;
    let push = parse(&parts, rules)?;
    put(store, parts, &push, times(&push))
}

/// Stores a group with its times.
///
/// # Errors
/// When its families are not what they should be, or the store refuses them.
pub fn restore(store: &Store, parts: GroupParts, times: Times, rules: &Rules) -> Result<(), Unrestorable> {
    let push = parse(&parts, rules)?;
    put(store, parts, &push, times)
}

fn parse(parts: &GroupParts, rules: &Rules) -> Result<Push, Unrestorable> {
    let families = |source| Unrestorable::Families { key: parts.key.clone(), source };
    protobuf::parse(&parts.body, &parts.key, rules).map_err(families)
}

fn put(store: &Store, parts: GroupParts, push: &Push, times: Times) -> Result<(), Unrestorable> {
    let restored = store.restore(push, times, |family| parts.pushed_at.get(family).copied());
    // What it is restored from is on disk.
    restored.map(drop).map_err(|source| Unrestorable::Refused { key: parts.key, source: Box::new(source) })
}

/// The times of a group, from the families that hold them; never where there are none.
pub fn times(push: &Push) -> Times {
    let time = |name| {
        let family = push.families().find(|family| family.name() == name)?;
        let value = family.series().next()?.value();
        value.is_finite().then_some(value)
    };
    let (push, failure) = (time(PUSH_TIME).unwrap_or_default(), time(FAILURE_TIME).unwrap_or_default());
    Times { push, failure, wish: None }
}

/// Writes everything stored, a group at a time.
pub(super) fn write(store: &Store, out: impl Write + Seek) -> io::Result<()> {
    let mut writer = Writer::new(out)?;
    for info in store.groups() {
        // A group that was removed in between is not there any more.
        if let Some(group) = store.group(&info.key) {
            write_group(&mut writer, &group)?;
        }
    }
    writer.finish()?.flush()
}

fn write_group(writer: &mut Writer<impl Write + Seek>, group: &GroupSnapshot) -> io::Result<()> {
    let info = &group.info;
    let mut encoded = Vec::with_capacity(group.families.len() + 2);
    for family in &group.families {
        encoded.push((&*family.name, family.chunk.pushed_at(), encode(family)?));
    }
    for (name, help, time) in
        [(PUSH_TIME, PUSH_TIME_HELP, info.times.push), (FAILURE_TIME, FAILURE_TIME_HELP, info.times.failure)]
    {
        let push = time_family(&info.key, name, time).map_err(io::Error::other)?;
        encoded.push((name, time, message(&push, Some(help), "")));
    }
    let families = encoded.iter().map(|(name, at, metric_family)| Family {
        name: name.as_bytes(),
        pushed_at: timestamp(*at),
        metric_family,
    });
    let labels = info.key.labels().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    let group = Group::new(labels.collect(), families.collect()).map_err(io::Error::other)?;
    writer.group(&group)
}

fn timestamp(at: f64) -> Timestamp {
    Timestamp::new(at as i64, (at.fract() * 1e9) as u32).unwrap_or(Timestamp::ZERO)
}

/// A family as a message of the protobuf format.
///
/// # Errors
/// Never, as what was rendered can be read.
pub fn encode(StoredFamily { name, kind, chunk }: &StoredFamily) -> io::Result<Vec<u8>> {
    let push = chunk.read_back(name, *kind).map_err(io::Error::other)?;
    Ok(message(&push, chunk.help(), chunk.unit()))
}

/// The one family of a push, as a message.
fn message(push: &Push, help: Option<&str>, unit: &str) -> Vec<u8> {
    let mut message = Vec::new();
    for family in push.families() {
        let mut encoder =
            FamilyEncoder::new(&mut message, family.name(), help, family.kind(), Escaping::AllowUtf8);
        family.series().for_each(|series| encoder.series(series));
        encoder.finish_undelimited(unit);
    }
    message
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
