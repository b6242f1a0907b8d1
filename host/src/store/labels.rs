//! How many values each label has in each job: kept only while somebody may ask.

use std::sync::Arc;

use hashbrown::{HashMap, HashSet};
use pushgate_exposition::{GroupingKey, Kind};

use super::chunk::Chunk;
use super::group::GroupName;
use super::render::RenderedFamily;
use super::{Change, Mode, Store};

type Hasher = foldhash::fast::RandomState;
type Values = HashMap<String, i64, Hasher>;

/// For each job and label, its values, each with how many groups and families of groups have it. A label with the empty
/// value is none.
#[derive(Default)]
pub(super) struct Labels {
    jobs: HashMap<String, HashMap<String, Values, Hasher>, Hasher>,
    /// How many [`LabelCounting`]s there are.
    users: usize,
    /// Whether everything was removed since the first of them came.
    cleared: bool,
}

/// While there is one, labels are counted with every change.
pub struct LabelCounting(Arc<Store>);

impl Drop for LabelCounting {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.labels = state.labels.take().filter(|labels| labels.users > 1);
        state.labels.iter_mut().for_each(|labels| labels.users -= 1);
    }
}

impl Store {
    /// Counts labels from now on, and those of what is stored. Blocks while that is read, without keeping pushes from
    /// being stored meanwhile.
    pub fn count_labels(store: &Arc<Self>) -> LabelCounting {
        let mut state = store.state.lock();
        let counting = LabelCounting(store.clone());
        let labels = state.labels.get_or_insert_default();
        labels.users += 1;
        if labels.users > 1 {
            return counting;
        }
        let keys: Vec<_> = state.groups.iter().map(|group| group.name.key.clone()).collect();
        let kind = |name: &Arc<str>| state.index.get(name).map_or(Kind::Untyped, |index| index.kind);
        let chunks: Vec<_> = state
            .groups
            .iter()
            .flat_map(|group| group.families.iter().map(|family| (group.name.key.clone(), family)))
            .map(|(key, (name, chunk))| (key, name.clone(), kind(name), chunk.clone()))
            .collect();
        drop(state);
        let mut stored = Labels::default();
        keys.iter().for_each(|key| stored.count_group(key, 1));
        chunks.iter().for_each(|(key, name, kind, chunk)| stored.count_chunk(key, name, *kind, chunk, 1));
        if let Some(labels) = store.state.lock().labels.as_mut().filter(|labels| !labels.cleared) {
            labels.merge(&stored);
        }
        counting
    }

    /// Where labels are counted, reads those that a change may touch, before the change is made under the lock. What is
    /// not read here, since the group was pushed to in between, is read there.
    pub(super) fn read_labels(&self, change: &Change) {
        let (group, mode, brought) = match change {
            Change::Push { group, mode, families, .. } => (group, *mode, families.as_slice()),
            Change::Restore { group, families, .. } => (group, Mode::Replace, families.as_slice()),
            Change::Delete { group } => (group, Mode::Replace, &[][..]),
            // Whoever removes many has them read one by one.
            Change::Failure { .. } | Change::DeleteMany { .. } | Change::Wipe => return,
        };
        let state = self.state.lock();
        if state.labels.is_none() {
            return;
        }
        let stored = state.groups.get(&group.labels).map(|group| &group.families);
        let mut touched = Vec::new();
        let mut is_touched: HashMap<&str, bool, Hasher> = HashMap::default();
        for RenderedFamily { name, kind, chunk } in brought {
            let before = stored.and_then(|families| families.get(name));
            let is_other = before.is_none_or(|before| before.series != chunk.series);
            is_touched.insert(name, is_other);
            if is_other {
                touched.push((name.clone(), *kind, chunk.clone()));
            }
        }
        for (name, chunk) in stored.into_iter().flatten() {
            if is_touched.get(&**name).copied().unwrap_or(mode == Mode::Replace) {
                let kind = state.index.get(name).map_or(Kind::Untyped, |index| index.kind);
                touched.push((name.clone(), kind, chunk.clone()));
            }
        }
        drop(state);
        for (name, kind, chunk) in touched {
            chunk.labels.get_or_init(|| read(&group.key, &name, kind, &chunk));
        }
    }

    /// How many values a label has in a job, if labels are counted.
    pub fn label_values(&self, job: &str, label: &str) -> u64 {
        let state = self.state.lock();
        state
            .labels
            .as_ref()
            .and_then(|labels| labels.values(job, label))
            .map_or(0, |values| values.len() as u64)
    }

    /// Whether a label has a value in a job, if labels are counted.
    pub fn has_label_value(&self, job: &str, label: &str, value: &str) -> bool {
        let state = self.state.lock();
        let values = state.labels.as_ref().and_then(|labels| labels.values(job, label));
        values.is_some_and(|values| values.contains_key(value))
    }
}

/// What becomes of a label's values with a push.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelGrowth {
    /// How many there are in the end.
    pub values: u64,
    /// For each one that the push brings, whether it is there already.
    pub known: Vec<bool>,
    /// Labels of what is replaced, which had to be looked at.
    pub looked_at: usize,
}

impl Store {
    /// What becomes of a label in the job of a key when its group loses some families and a push brings these values,
    /// if labels are counted.
    pub fn label_growth(
        &self,
        key: &GroupingKey,
        is_replaced: impl Fn(&str) -> bool,
        label: &str,
        brought: &[String],
    ) -> LabelGrowth {
        let replaced = self.families(key, is_replaced);
        let mut looked_at = 0;
        let mut going: HashMap<&str, i64, Hasher> = HashMap::default();
        for (name, kind, chunk) in &replaced {
            let labels = chunk.labels.get_or_init(|| read(key, name, *kind, chunk));
            let start = labels.partition_point(|(name, _)| name.as_str() < label);
            looked_at += 1;
            for (_, value) in labels[start..].iter().take_while(|(name, _)| name == label) {
                looked_at += 1;
                *going.entry(value).or_default() += 1;
            }
        }
        let mut coming: HashSet<&str, Hasher> =
            brought.iter().map(String::as_str).filter(|value| !value.is_empty()).collect();
        let state = self.state.lock();
        let nothing = Values::default();
        let stored = state.labels.as_ref().and_then(|labels| labels.values(key.job(), label));
        let stored = stored.unwrap_or(&nothing);
        let known = brought.iter().map(|value| stored.contains_key(value.as_str())).collect();
        let is_gone = |(value, count): &(&&str, &i64)| {
            !coming.contains(**value) && stored.get(**value).is_some_and(|all| all <= count)
        };
        let gone = going.iter().filter(is_gone).count();
        coming.retain(|value| !stored.contains_key(*value));
        LabelGrowth { values: (stored.len() - gone + coming.len()) as u64, known, looked_at }
    }

    /// How many series stay in a group that loses some families.
    pub fn kept_series(&self, key: &GroupingKey, is_replaced: impl Fn(&str) -> bool) -> usize {
        let kept = self.families(key, |family| !is_replaced(family));
        kept.iter().map(|(_, _, chunk)| chunk.series.len()).sum()
    }

    /// Those of the families of a group.
    fn families(
        &self,
        key: &GroupingKey,
        is_wanted: impl Fn(&str) -> bool,
    ) -> Vec<(Arc<str>, Kind, Arc<Chunk>)> {
        let name = GroupName::from(key.clone());
        let state = self.state.lock();
        let group = state.groups.get(&name.labels).filter(|group| group.name.is_same_key(&name));
        let families = group.into_iter().flat_map(|group| &group.families);
        let wanted = families.filter(|(name, _)| is_wanted(name));
        wanted
            .map(|(name, chunk)| {
                let kind = state.index.get(name).map_or(Kind::Untyped, |index| index.kind);
                (name.clone(), kind, chunk.clone())
            })
            .collect()
    }
}

impl Labels {
    fn values(&self, job: &str, label: &str) -> Option<&Values> {
        self.jobs.get(job)?.get(label)
    }

    /// The labels of a group's key: `by` is 1 for one that is new, -1 for one that goes.
    pub(super) fn count_group(&mut self, key: &GroupingKey, by: i64) {
        key.labels().for_each(|(name, value)| self.add(key.job(), name, value, by));
    }

    /// The labels that a family of a group has beside the key's.
    pub(super) fn count_chunk(&mut self, key: &GroupingKey, name: &str, kind: Kind, chunk: &Chunk, by: i64) {
        let mut add = |labels: &[(String, String)]| {
            labels.iter().for_each(|(name, value)| self.add(key.job(), name, value, by));
        };
        match chunk.labels.get() {
            Some(labels) => add(labels),
            None => add(&read(key, name, kind, chunk)),
        }
    }

    /// Everything is removed.
    pub(super) fn clear(&mut self) {
        self.jobs.clear();
        self.cleared = true;
    }

    /// A count may be below 0 until what was stored before is merged.
    fn add(&mut self, job: &str, label: &str, value: &str, by: i64) {
        if value.is_empty() {
            return;
        }
        let labels = self.jobs.entry_ref(job).or_default();
        let values = labels.entry_ref(label).or_default();
        let count = values.entry_ref(value).or_default();
        *count += by;
        if *count == 0 {
            values.remove(value);
            if values.is_empty() {
                labels.remove(label);
                if labels.is_empty() {
                    self.jobs.remove(job);
                }
            }
        }
    }

    fn merge(&mut self, other: &Self) {
        for (job, labels) in &other.jobs {
            for (label, values) in labels {
                values.iter().for_each(|(value, count)| self.add(job, label, value, *count));
            }
        }
    }
}

/// The labels of a family of a group, without those of the key, sorted.
fn read(key: &GroupingKey, name: &str, kind: Kind, chunk: &Chunk) -> Arc<[(String, String)]> {
    // What was rendered can be read.
    let Ok(push) = chunk.read_back(name, kind) else { return Arc::default() };
    let columns = push.series_columns();
    let pairs = columns.label_name.iter().zip(&columns.label_value);
    let distinct: HashSet<_, Hasher> = pairs.map(|(&name, &value)| (name, value)).collect();
    let texts = distinct.into_iter().map(|(name, value)| (push.text(name), push.text(value)));
    let own = texts.filter(|(name, value)| key.label(name).is_none() && !value.is_empty());
    let mut own: Vec<_> = own.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    own.sort_unstable();
    own.into()
}
