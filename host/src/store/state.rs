//! What is stored, and how a change that was checked becomes part of it. All of it is behind the lock of the [`Store`](super::Store).

use std::collections::BTreeMap;
use std::sync::Arc;

use imbl::OrdMap;
use pushgate_exposition::{GroupingKey, Kind};

use super::chunk::Chunk;
use super::group::{self, Group, GroupId, GroupName, Groups, Time};
use super::index::Index;
use super::jobs::Jobs;
use super::labels::Labels;
use super::lifetime::{Lifetimes, WorkedOut};
use super::render::RenderedFamily;
use super::template::Template;
use super::{Arrival, Change, FAILURE_TIME, Mode, PUSH_TIME, Times, Unknown};

#[derive(Default)]
pub(super) struct State {
    pub(super) groups: Groups,
    pub(super) index: Index,
    /// Only while somebody may ask.
    pub(super) labels: Option<Labels>,
    pub(super) lifetimes: Lifetimes,
    /// Only where a job has bounds of its own.
    pub(super) jobs: Option<Jobs>,
    pub(super) exposed: Exposed,
    pub(super) series: usize,
    /// Bytes of all chunks that are exposed.
    pub(super) text_len: usize,
    /// Goes up with every change.
    pub(super) version: u64,
    /// Why no scrape is answered, by the group whose push could not be stored: only where the operator has switched
    /// the consistency check off.
    pub(super) unsound: BTreeMap<GroupId, Arc<str>>,
}

/// What a scrape sees: families by name.
pub(super) type Exposed = OrdMap<Arc<str>, ExposedFamily>;

/// A family over all groups. Cloning it copies pointers.
#[derive(Clone)]
pub(super) struct ExposedFamily {
    pub(super) kind: Kind,
    pub(super) chunks: OrdMap<GroupId, Arc<Chunk>>,
}

impl State {
    pub(super) fn is_changed_by(&self, change: &Change) -> bool {
        match change {
            Change::Failure { group, unknown: Unknown::Ignore, .. } => {
                self.groups.get(&group.labels).is_some()
            }
            Change::Delete { group } => {
                self.groups.get(&group.labels).is_some_and(|stored| stored.name.is_same_key(group))
            }
            _ => true,
        }
    }

    pub(super) fn commit(&mut self, change: Change, worked_out: Option<WorkedOut>) {
        match change {
            Change::Push { group, mode, families, arrival, template } => {
                self.counted(group.key.job(), |state| {
                    state.commit_push(&group, mode, families, arrival, worked_out, template);
                });
            }
            Change::Restore { group, families, times } => self.counted(group.key.job(), |state| {
                state.group_entry(&group).failure_time = times.failure;
                let arrival = Arrival { at: times.push, wish: times.wish };
                state.commit_push(&group, Mode::Replace, families, arrival, worked_out, None);
            }),
            Change::Wipe => {
                self.groups.clear();
                self.lifetimes.clear();
                self.jobs.iter_mut().for_each(|jobs| *jobs = Jobs::default());
                self.index = Index::default();
                self.labels.iter_mut().for_each(Labels::clear);
                self.exposed = Exposed::new();
                (self.series, self.text_len) = (0, 0);
                self.unsound.clear();
            }
            Change::Failure { group, reason, at, .. } => self.counted(group.key.job(), |state| {
                state.commit_failure(&group, reason, at, worked_out);
            }),
            Change::Delete { group } => self.counted(group.key.job(), |state| state.remove(&group)),
            Change::DeleteMany { groups } => {
                for group in &groups {
                    self.counted(group.key.job(), |state| state.remove(group));
                }
            }
        }
    }

    fn commit_failure(&mut self, name: &GroupName, reason: Arc<str>, at: f64, worked_out: Option<WorkedOut>) {
        let group = self.group_entry(name);
        group.failure_time = at;
        group.last_error = Some(reason);
        let (id, times) = (group.id, group.times());
        let (push, failure) = (group.render_time(Time::Push), group.render_time(Time::Failure));
        if times.push == 0.0 {
            self.live(name, times, worked_out);
            self.expose_time(id, Time::Push, push);
        }
        self.expose_time(id, Time::Failure, failure);
    }

    pub(super) fn remove(&mut self, name: &GroupName) {
        let Some(group) = self.groups.remove(name) else { return };
        self.lifetimes.remove(&group);
        self.unsound.remove(&group.id);
        self.labels.iter_mut().for_each(|labels| labels.count_group(&group.name.key, -1));
        for (name, chunk) in group.families {
            self.remove_chunk(&name, group.id, &group.name.key, &chunk);
        }
        for name in [PUSH_TIME, FAILURE_TIME] {
            self.hide(name, group.id);
        }
    }

    fn commit_push(
        &mut self,
        name: &GroupName,
        mode: Mode,
        mut families: Vec<RenderedFamily>,
        arrival: Arrival,
        worked_out: Option<WorkedOut>,
        template: Option<Arc<Template>>,
    ) {
        for family in &mut families {
            self.index.share_name(&mut family.name);
        }
        let group = self.group_entry(name);
        let is_new = group.push_time == 0.0;
        group.push_time = arrival.at;
        group.template = template;
        // Mostly they are the same ones, which are then replaced where they are.
        let are_same = families.len() == group.families.len()
            && families.iter().all(|family| group.families.contains_key(&family.name));
        let mut gone = match mode {
            Mode::Replace if !are_same => std::mem::take(&mut group.families),
            Mode::Replace | Mode::Merge => group::FamilyChunks::new(),
        };
        let mut replaced = Vec::with_capacity(families.len());
        for family in &families {
            let before = gone.remove(&family.name);
            let before = group.families.insert(family.name.clone(), family.chunk.clone()).or(before);
            replaced.push(before);
        }
        // The time of the last failure stays as it is.
        let (id, push_time) = (group.id, group.render_time(Time::Push));
        let failure_time = is_new.then(|| group.render_time(Time::Failure));
        let counted = Times { push: arrival.at, failure: group.failure_time, wish: arrival.wish };
        self.live(name, counted, worked_out);
        self.unsound.remove(&id);
        for (family, chunk) in gone {
            self.remove_chunk(&family, id, &name.key, &chunk);
        }
        for (family, before) in families.into_iter().zip(replaced) {
            self.put_chunk(family, id, &name.key, before.as_deref());
        }
        self.expose_time(id, Time::Push, push_time);
        failure_time.into_iter().for_each(|chunk| self.expose_time(id, Time::Failure, chunk));
    }

    /// The group of that name, made if there is none.
    fn group_entry(&mut self, name: &GroupName) -> &mut Group {
        if let Some(labels) = &mut self.labels
            && self.groups.get(&name.labels).is_none()
        {
            labels.count_group(&name.key, 1);
        }
        self.groups.entry(name)
    }

    fn put_chunk(
        &mut self,
        family: RenderedFamily,
        group: GroupId,
        key: &GroupingKey,
        before: Option<&Chunk>,
    ) {
        if let Some(labels) = &mut self.labels
            && before.is_none_or(|before| before.series != family.chunk.series)
        {
            // The type of the one before may be another.
            let kind = self.index.get(&family.name).map_or(family.kind, |index| index.kind);
            before.iter().for_each(|before| labels.count_chunk(key, &family.name, kind, before, -1));
            labels.count_chunk(key, &family.name, family.kind, &family.chunk, 1);
        }
        self.series += family.chunk.series.len();
        self.series -= before.map_or(0, |before| before.series.len());
        self.index.replace(&family.name, family.kind, group, before, Some(&family.chunk));
        self.expose(&family.name, family.kind, group, family.chunk);
    }

    fn remove_chunk(&mut self, name: &Arc<str>, group: GroupId, key: &GroupingKey, chunk: &Chunk) {
        if let Some(labels) = &mut self.labels {
            let kind = self.index.get(name).map_or(Kind::Untyped, |index| index.kind);
            labels.count_chunk(key, name, kind, chunk, -1);
        }
        self.series -= chunk.series.len();
        self.index.replace(name, Kind::Untyped, group, Some(chunk), None);
        self.hide(name, group);
    }

    fn expose(&mut self, name: &Arc<str>, kind: Kind, group: GroupId, chunk: Arc<Chunk>) {
        if !self.exposed.contains_key(name) {
            self.exposed.insert(name.clone(), ExposedFamily { kind, chunks: OrdMap::new() });
        }
        self.expose_in(name, kind, group, chunk);
    }

    fn expose_time(&mut self, group: GroupId, which: Time, chunk: Chunk) {
        let name = which.family();
        if !self.exposed.contains_key(name) {
            let family = ExposedFamily { kind: Kind::Gauge, chunks: OrdMap::new() };
            self.exposed.insert(name.into(), family);
        }
        self.expose_in(name, Kind::Gauge, group, Arc::new(chunk));
    }

    fn expose_in(&mut self, name: &str, kind: Kind, group: GroupId, chunk: Arc<Chunk>) {
        let Some(family) = self.exposed.get_mut(name) else { return };
        family.kind = kind; // A group that has a family for itself may change its type.
        self.text_len += chunk.text.len();
        if let Some(before) = family.chunks.insert(group, chunk) {
            self.text_len -= before.text.len();
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
