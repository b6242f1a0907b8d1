//! A group: what was pushed under one grouping key.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use hashbrown::HashMap;
use pushgate_exposition::GroupingKey;
use pushgate_exposition::text::{encode, number};

use super::render::Chunk;
use super::{FAILURE_TIME, PUSH_TIME};

/// The labels that a group's series are exposed with: its grouping key, and `instance=""` if that has no
/// instance, since Prometheus would put its own there.
///
/// In order, groups stand as their series do in a scrape: by the number of labels, then by the values in
/// order of the names.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct ExposedLabels {
    labels: Box<[(Box<str>, Box<str>)]>,
}

impl ExposedLabels {
    pub(super) fn of(key: &GroupingKey) -> Self {
        let mut labels: Vec<(Box<str>, Box<str>)> = Vec::with_capacity(key.labels().len() + 1);
        labels.extend(key.labels().map(|(name, value)| (name.into(), value.into())));
        if let Err(at) = labels.binary_search_by(|(name, _)| (**name).cmp("instance")) {
            labels.insert(at, ("instance".into(), "".into()));
        }
        Self { labels: labels.into() }
    }

    /// The labels, sorted by name.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> + Clone {
        self.labels.iter().map(|(name, value)| (&**name, &**value))
    }
}

impl Ord for ExposedLabels {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.labels.len().cmp(&other.labels.len()))
            .then_with(|| self.iter().map(|(_, value)| value).cmp(other.iter().map(|(_, value)| value)))
            .then_with(|| self.iter().map(|(name, _)| name).cmp(other.iter().map(|(name, _)| name)))
    }
}

impl PartialOrd for ExposedLabels {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Names a group: by its key, and by the labels it is shown with. Made once for each change.
#[derive(Clone, Debug)]
pub struct GroupName {
    pub(super) key: GroupingKey,
    pub(super) labels: Arc<ExposedLabels>,
}

impl From<GroupingKey> for GroupName {
    fn from(key: GroupingKey) -> Self {
        let labels = Arc::new(ExposedLabels::of(&key));
        Self { key, labels }
    }
}

/// The families of a group, by name.
pub(super) type FamilyChunks = BTreeMap<Arc<str>, Arc<Chunk>>;

/// What is stored under one grouping key.
pub(super) struct Group {
    pub(super) name: GroupName,
    pub(super) families: FamilyChunks,
    /// Seconds since 1970; 0 for never.
    pub(super) push_time: f64,
    pub(super) failure_time: f64,
}

impl Group {
    /// Its two times as chunks, in the order of [`PUSH_TIME`], [`FAILURE_TIME`].
    pub(super) fn render_times(&self) -> [Chunk; 2] {
        let mut set = String::from("{");
        self.name.labels.iter().for_each(|(name, value)| encode::label(&mut set, name, value));
        let line = |family: &str, time: f64| {
            let mut text = format!("{family}{set}}} ");
            number::write(&mut text, time);
            text.push('\n');
            text.into()
        };
        let chunk = |family, time, outcome: &str| Chunk {
            text: line(family, time),
            help: format!("Last Unix time when changing this group in the Pushgateway {outcome}.").into(),
            series: Box::default(),
        };
        [chunk(PUSH_TIME, self.push_time, "succeeded"), chunk(FAILURE_TIME, self.failure_time, "failed")]
    }
}

/// All groups. Two grouping keys may be exposed with the same labels, one with `instance=""` and one
/// without: only one of them can be stored at a time.
#[derive(Default)]
pub(super) struct Groups {
    by_labels: HashMap<Arc<ExposedLabels>, Group, foldhash::fast::RandomState>,
}

impl Groups {
    pub(super) fn len(&self) -> usize {
        self.by_labels.len()
    }

    pub(super) fn get(&self, labels: &ExposedLabels) -> Option<&Group> {
        self.by_labels.get(labels)
    }

    /// The group of that name, made if there is none.
    pub(super) fn entry(&mut self, name: &GroupName) -> &mut Group {
        self.by_labels.entry(name.labels.clone()).or_insert_with(|| Group {
            name: name.clone(),
            families: FamilyChunks::new(),
            push_time: 0.0,
            failure_time: 0.0,
        })
    }

    /// Takes the group of just that key out.
    pub(super) fn remove(&mut self, name: &GroupName) -> Option<Group> {
        if self.get(&name.labels)?.name.key != name.key {
            return None;
        }
        self.by_labels.remove(&name.labels)
    }
}
