//! A group: what was pushed under one grouping key.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use pushgate_exposition::text::{encode, number};
use pushgate_exposition::{GroupingKey, LabelPair, is_label_name};

use super::chunk::{Chunk, Rare};
use super::lifetime::Lifetime;
use super::template::Template;
use super::{FAILURE_TIME, PUSH_TIME, Times};

/// The labels that a group's series are shown with, as a scrape writes them: `{instance="",job="x"}`. One string,
/// so that finding a group among many touches little memory.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct ShownLabels(Box<str>);

impl fmt::Display for ShownLabels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A grouping key's labels, and `instance=""` if it has no instance, since Prometheus would put its own there.
pub fn with_instance(key: &GroupingKey) -> Vec<LabelPair<'_>> {
    let mut labels: Vec<_> = key.labels().collect();
    if let Err(at) = labels.binary_search_by(|(name, _)| (*name).cmp("instance")) {
        labels.insert(at, ("instance", ""));
    }
    labels
}

/// Names a group: by its key, and by the labels it is shown with. Made once for each change.
#[derive(Clone, Debug)]
pub struct GroupName {
    pub(super) key: Arc<GroupingKey>,
    pub(super) labels: Arc<ShownLabels>,
}

impl From<GroupingKey> for GroupName {
    fn from(key: GroupingKey) -> Self {
        let labels = with_instance(&key);
        // Room for each with quotes, and for some that is escaped.
        let length = labels.iter().map(|(name, value)| name.len() + value.len() + 4).sum::<usize>();
        let mut set = String::with_capacity(length + 2);
        set.push('{');
        labels.into_iter().for_each(|(name, value)| encode::any_label(&mut set, name, value));
        set.push('}');
        Self { key: Arc::new(key), labels: Arc::new(ShownLabels(set.into())) }
    }
}

impl GroupName {
    /// The grouping key.
    pub fn key(&self) -> &GroupingKey {
        &self.key
    }

    /// Whether two names that are shown alike are of the same key: the one may have no instance where the other
    /// has an empty one.
    pub(super) fn is_same_key(&self, other: &Self) -> bool {
        self.key.labels().len() == other.key.labels().len()
    }
}

/// A group's number, given when it is made and never again. In a scrape groups stand in this order: comparing
/// numbers costs the same however many groups there are, comparing labels does not.
pub(super) type GroupId = u64;

/// The families of a group, by name.
pub(super) type FamilyChunks = BTreeMap<Arc<str>, Arc<Chunk>>;

/// The HELP text of [`PUSH_TIME`].
pub const PUSH_TIME_HELP: &str = "Last Unix time when changing this group in the Pushgateway succeeded.";
/// The HELP text of [`FAILURE_TIME`].
pub const FAILURE_TIME_HELP: &str = "Last Unix time when changing this group in the Pushgateway failed.";

/// What is stored under one grouping key.
pub(super) struct Group {
    pub(super) id: GroupId,
    pub(super) name: GroupName,
    pub(super) families: FamilyChunks,
    /// Seconds since 1970; 0 for never.
    pub(super) push_time: f64,
    pub(super) failure_time: f64,
    /// Why the last push was refused, if one was.
    pub(super) last_error: Option<Arc<str>>,
    /// How long it is kept, if that is not simply for ever.
    pub(super) lifetime: Option<Arc<Lifetime>>,
    /// What is known of its last push that was stored, for the next one.
    pub(super) template: Option<Arc<Template>>,
}

impl Group {
    /// Its two times, and the wish of its last push.
    pub(super) fn times(&self) -> Times {
        let wish = self.lifetime.as_ref().and_then(|lifetime| lifetime.wish());
        Times { push: self.push_time, failure: self.failure_time, wish }
    }

    /// One of its two times as a chunk.
    pub(super) fn render_time(&self, which: Time) -> Chunk {
        let (family, time, help) = match which {
            Time::Push => (PUSH_TIME, self.push_time, PUSH_TIME_HELP),
            Time::Failure => (FAILURE_TIME, self.failure_time, FAILURE_TIME_HELP),
        };
        let mut text = String::with_capacity(family.len() + self.name.labels.0.len() + MAX_NUMBER + 2);
        text.push_str(family);
        text.push_str(&self.name.labels.0);
        text.push(' ');
        number::write(&mut text, time);
        text.push('\n');
        let has_utf8_names = !self.name.key.labels().all(|(name, _)| is_label_name(name));
        Chunk {
            text: text.into(),
            help: Some(Cow::Borrowed(help)),
            series: Arc::default(),
            pushed_at: time,
            rare: has_utf8_names.then(|| Arc::new(Rare { utf8_names: true, ..Rare::default() })),
            labels: OnceLock::new(),
            text_hash: OnceLock::new(),
        }
    }
}

/// A time that is shown of each group.
#[derive(Clone, Copy, Debug)]
pub(super) enum Time {
    /// Of the last push that was stored.
    Push,
    /// Of the last one that was not.
    Failure,
}

impl Time {
    /// The family that shows it.
    pub(super) fn family(self) -> &'static str {
        match self {
            Self::Push => PUSH_TIME,
            Self::Failure => FAILURE_TIME,
        }
    }
}

/// Bytes of a number as text, and no fewer.
const MAX_NUMBER: usize = 24;

/// All groups. Two grouping keys may be exposed with the same labels, one with `instance=""` and one
/// without: only one of them can be stored at a time.
#[derive(Default)]
pub(super) struct Groups {
    by_labels: HashMap<Arc<ShownLabels>, Group, RandomState>,
    labels_of: HashMap<GroupId, Arc<ShownLabels>, RandomState>,
    next_id: GroupId,
}

impl Groups {
    pub(super) fn len(&self) -> usize {
        self.by_labels.len()
    }

    pub(super) fn get(&self, labels: &ShownLabels) -> Option<&Group> {
        self.by_labels.get(labels)
    }

    pub(super) fn get_mut(&mut self, labels: &ShownLabels) -> Option<&mut Group> {
        self.by_labels.get_mut(labels)
    }

    /// A group by its number.
    pub(super) fn by_id(&self, id: GroupId) -> Option<&Group> {
        self.get(self.labels_of.get(&id)?)
    }

    /// The key of a group, by its number.
    pub(super) fn key(&self, id: GroupId) -> Option<&GroupingKey> {
        Some(&self.by_id(id)?.name.key)
    }

    /// The number of the next group that is made.
    pub(super) fn next_id(&self) -> GroupId {
        self.next_id
    }

    /// The group of that name, made if there is none.
    pub(super) fn entry(&mut self, name: &GroupName) -> &mut Group {
        self.by_labels.entry(name.labels.clone()).or_insert_with(|| {
            let id = self.next_id;
            self.next_id += 1;
            self.labels_of.insert(id, name.labels.clone());
            Group {
                id,
                name: name.clone(),
                families: FamilyChunks::new(),
                push_time: 0.0,
                failure_time: 0.0,
                last_error: None,
                lifetime: None,
                template: None,
            }
        })
    }

    /// All of them, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Group> {
        self.by_labels.values()
    }

    /// Takes all of them out. Numbers are not given again.
    pub(super) fn clear(&mut self) {
        self.by_labels = HashMap::default();
        self.labels_of = HashMap::default();
    }

    /// Takes the group of just that key out.
    pub(super) fn remove(&mut self, name: &GroupName) -> Option<Group> {
        if !self.get(&name.labels)?.name.is_same_key(name) {
            return None;
        }
        let group = self.by_labels.remove(&name.labels)?;
        self.labels_of.remove(&group.id);
        Some(group)
    }
}
