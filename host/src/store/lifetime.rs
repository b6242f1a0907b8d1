//! How long groups are kept: each group that has a TTL, or is stale after a while, has a [`Lifetime`].
//!
//! What the operator says can change while groups are stored, so of a push only the wish is kept, and what follows from
//! it is worked out anew then. A store in which nobody says anything has no lifetimes, and a push looks at one flag.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use imbl::OrdMap;
use pushgate_exposition::GroupingKey;

use super::deadlines::{Deadline, Deadlines};
use super::group::{Group, GroupId, GroupName, Groups, ShownLabels};
use super::jobs::Jobs;
use super::{Change, State, Store, Times};
use crate::config::{Bounds, Retention, Terms};

/// Groups whose lifetime is worked out anew under one hold of the lock.
const BATCH: usize = 256;

/// Groups whose time has come that are looked up under one hold of the lock.
const DUE: usize = 256;

/// How long a group is kept. Made anew with each push; shared by the store and its snapshots.
#[derive(Debug)]
pub struct Lifetime {
    pub(super) name: GroupName,
    pub(super) terms: Terms,
    /// What the last push that was stored wished for.
    pub(super) wish: Option<Duration>,
    /// When that was, in seconds since 1970; 0 for never.
    pub(super) pushed_at: f64,
    /// What the time counts from, in seconds since 1970.
    since: f64,
    /// Which [`Rules`] it follows from.
    rules: u64,
}

impl Lifetime {
    /// How long the group is kept after its last push, if it is not kept for ever.
    pub fn ttl(&self) -> Option<Duration> {
        self.terms.ttl
    }

    /// What its last push wished for.
    pub fn wish(&self) -> Option<Duration> {
        self.wish
    }

    /// When it goes, in seconds since 1970.
    pub fn expires_at(&self) -> Option<f64> {
        self.deadline().map(Deadline::as_seconds)
    }

    /// Whether the data of the group is older than it is to be. A group that was never pushed to has none.
    pub fn is_stale(&self, now: f64) -> bool {
        let is_over = |time| Deadline::after(self.pushed_at, time).has_come(now);
        self.pushed_at > 0.0 && self.terms.stale_after.is_some_and(is_over)
    }

    fn deadline(&self) -> Option<Deadline> {
        self.terms.ttl.map(|ttl| Deadline::after(self.since, ttl))
    }
}

/// What the operator says, and the how-manieth it is.
#[derive(Debug, Default)]
pub(super) struct Rules {
    retention: Retention,
    number: u64,
}

/// The terms of a group, worked out before the lock was taken, by the rules of that number.
#[derive(Clone, Copy, Debug)]
pub(super) struct WorkedOut {
    terms: Terms,
    pub(super) bounds: Bounds,
    rules: u64,
}

/// The lifetimes of all groups that have one.
#[derive(Default)]
pub(super) struct Lifetimes {
    rules: Arc<Rules>,
    deadlines: Deadlines,
    /// A copy of pointers for each scrape.
    pub(super) all: OrdMap<GroupId, Arc<Lifetime>>,
}

impl Store {
    /// Keeps groups for another time from now on, which is `now` in seconds since 1970. Also those that are stored; their
    /// time goes on counting from their last push, or from now, if that is still to come. Nothing happens when that is what
    /// holds already.
    pub fn retain(&self, retention: Retention, now: f64) {
        if self.rules.read().retention == retention {
            return;
        }
        let names = {
            let mut rules = self.rules.write();
            let next = Arc::new(Rules { number: rules.number + 1, retention });
            rules.clone_from(&next);
            self.has_rules.store(!next.retention.is_for_ever(), Ordering::Release);
            let mut state = self.state.lock();
            state.jobs = next.retention.has_bounds().then(|| Jobs::of(&state.groups, &next.retention));
            state.lifetimes.rules = next;
            let names: Vec<_> = state.groups.iter().map(|group| group.name.clone()).collect();
            names
        };
        self.count_anew(&names, now);
    }

    /// Lets groups whose last push is still to come, as the clock was wrong then or is wrong now, be kept from now on, which
    /// is `now` in seconds since 1970: else they might be kept for years.
    pub fn count_from(&self, now: f64) {
        let all = self.state.lock().lifetimes.all.clone();
        let is_to_come = |lifetime: &&Arc<Lifetime>| lifetime.since > now;
        let names: Vec<_> = all.values().filter(is_to_come).map(|lifetime| lifetime.name.clone()).collect();
        self.count_anew(&names, now);
    }

    fn count_anew(&self, names: &[GroupName], now: f64) {
        for batch in names.chunks(BATCH) {
            let mut state = self.state.lock();
            for name in batch {
                state.count_anew(&name.labels, now);
            }
        }
    }

    /// How long a group of that job would be kept whose last push came with that wish; for ever without an answer.
    pub fn ttl(&self, job: &str, wish: Option<Duration>) -> Option<Duration> {
        self.rules.read().retention.terms(job, wish).ttl
    }

    /// Whether the time of any group has come, at `now` in seconds since 1970.
    pub fn has_expired(&self, now: f64) -> bool {
        self.state.lock().lifetimes.deadlines.due(now).next().is_some()
    }

    /// Removes groups whose time has come, at `now` in seconds since 1970: the longest over first, and not all if there are
    /// very many. Each vanishes in one step, and in between others have their turn. A group that is pushed to meanwhile stays.
    pub fn expire(&self, now: f64) -> Vec<Arc<GroupingKey>> {
        let due: Vec<GroupName> = {
            let state = self.state.lock();
            let due = state.lifetimes.deadlines.due(now).take(DUE);
            due.filter_map(|id| state.lifetimes.all.get(&id)).map(|lifetime| lifetime.name.clone()).collect()
        };
        due.into_iter().filter_map(|name| self.expire_one(name, now)).collect()
    }

    fn expire_one(&self, group: GroupName, now: f64) -> Option<Arc<GroupingKey>> {
        let (key, labels) = (group.key.clone(), group.labels.clone());
        let change = Change::Delete { group };
        self.read_labels(&change);
        let mut state = self.state.lock();
        // What held when its time was worked out may hold no more.
        if state.groups.get(&labels)?.lifetime.as_ref()?.rules != state.lifetimes.rules.number {
            state.count_anew(&labels, now);
        }
        let deadline = state.groups.get(&labels)?.lifetime.as_ref()?.deadline()?;
        if !deadline.has_come(now) {
            return None;
        }
        let _ = self.journal.record(&change); // Nobody waits for it.
        state.version += 1;
        state.commit(change, None);
        Some(key)
    }

    /// The terms of the group that a change is about, where anybody says anything. Patterns are matched before the lock is
    /// taken.
    pub(super) fn work_out(&self, change: &Change) -> Option<WorkedOut> {
        let (group, wish) = match change {
            Change::Push { group, arrival, .. } => (group, arrival.wish),
            Change::Restore { group, times, .. } => (group, times.wish),
            // The time of a group that was never pushed to counts from its failures.
            Change::Failure { group, .. } => (group, None),
            Change::Delete { .. } | Change::DeleteMany { .. } | Change::Wipe => return None,
        };
        if wish.is_none() && !self.has_rules.load(Ordering::Acquire) {
            return None;
        }
        let rules = self.rules.read().clone();
        Some(rules.work_out(group, wish))
    }
}

impl Rules {
    fn work_out(&self, group: &GroupName, wish: Option<Duration>) -> WorkedOut {
        let job = group.key.job();
        let (terms, bounds) = (self.retention.terms(job, wish), self.retention.bounds(job));
        WorkedOut { terms, bounds, rules: self.number }
    }
}

impl State {
    /// A group was pushed to, or made by a failure.
    pub(super) fn live(&mut self, name: &GroupName, times: Times, worked_out: Option<WorkedOut>) {
        if worked_out.is_none()
            && self.lifetimes.all.is_empty()
            && self.lifetimes.rules.retention.is_for_ever()
        {
            return;
        }
        let rules = &self.lifetimes.rules;
        let current = worked_out.filter(|worked_out| worked_out.rules == rules.number);
        let WorkedOut { terms, rules, .. } = current.unwrap_or_else(|| rules.work_out(name, times.wish));
        let since = if times.push > 0.0 { times.push } else { times.failure };
        let lifetime =
            Lifetime { name: name.clone(), terms, wish: times.wish, pushed_at: times.push, since, rules };
        self.lifetimes.put(&mut self.groups, &name.labels, Some(lifetime));
    }

    /// Works the lifetime of a group out by the rules of now.
    fn count_anew(&mut self, labels: &ShownLabels, now: f64) {
        let Some(group) = self.groups.get(labels) else { return };
        let (name, times) = (group.name.clone(), group.times());
        let WorkedOut { terms, rules, .. } = self.lifetimes.rules.work_out(&name, times.wish);
        let since = if times.push > 0.0 { times.push } else { times.failure }.min(now);
        let lifetime = Lifetime { name, terms, wish: times.wish, pushed_at: times.push, since, rules };
        self.lifetimes.put(&mut self.groups, labels, Some(lifetime));
    }
}

impl Lifetimes {
    /// What the operator says.
    pub(super) fn retention(&self) -> &Retention {
        &self.rules.retention
    }

    /// The lifetime of a group becomes another one. One that says nothing is none.
    fn put(&mut self, groups: &mut Groups, labels: &ShownLabels, lifetime: Option<Lifetime>) {
        let Some(group) = groups.get_mut(labels) else { return };
        let says_something =
            |lifetime: &Lifetime| lifetime.terms != Terms::default() || lifetime.wish.is_some();
        let after = lifetime.filter(says_something).map(Arc::new);
        let before = std::mem::replace(&mut group.lifetime, after.clone());
        self.replace(group.id, before.as_deref(), after);
    }

    /// A group goes.
    pub(super) fn remove(&mut self, group: &Group) {
        if group.lifetime.is_some() {
            self.replace(group.id, group.lifetime.as_deref(), None);
        }
    }

    /// All groups go.
    pub(super) fn clear(&mut self) {
        self.deadlines.clear();
        self.all = OrdMap::new();
    }

    fn replace(&mut self, group: GroupId, before: Option<&Lifetime>, after: Option<Arc<Lifetime>>) {
        let deadline = |lifetime: Option<&Lifetime>| lifetime.and_then(Lifetime::deadline);
        self.deadlines.replace(group, deadline(before), deadline(after.as_deref()));
        match after {
            Some(after) => drop(self.all.insert(group, after)),
            None if before.is_some() => drop(self.all.remove(&group)),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use proptest::prelude::*;
    use pushgate_exposition::text;

    use super::*;
    use crate::config::Config;
    use crate::journal::InMemory;
    use crate::store::{Arrival, Limits, Mode, OwnFamilies, Unknown};

    fn retention(text: &str) -> Retention {
        Config::parse(&format!("[store]\n{text}"), Path::new("c.toml")).unwrap().store.retention
    }

    fn key(job: &str) -> GroupingKey {
        GroupingKey::new([("job", job)]).unwrap()
    }

    fn store(rules: &str) -> Store {
        let store =
            Store::new(Limits { groups: 1_000, series: 9_999 }, OwnFamilies::default(), Box::new(InMemory));
        store.retain(retention(rules), 0.0);
        store
    }

    fn push(store: &Store, job: &str, mode: Mode, at: f64, wish: Option<u64>) {
        let push =
            text::parse(format!("{job} 1\n").as_bytes(), &key(job), &pushgate_exposition::Rules::default());
        let wish = wish.map(Duration::from_secs);
        store.push(&push.unwrap(), mode, Arrival { at, wish }).unwrap();
    }

    fn fail(store: &Store, job: &str, at: f64) {
        store.fail(key(job), Unknown::Create, "it failed", at);
    }

    fn expires_at(store: &Store, job: &str) -> Option<f64> {
        store.group(&key(job)).unwrap().info.lifetime?.expires_at()
    }

    fn jobs(keys: &[Arc<GroupingKey>]) -> Vec<&str> {
        keys.iter().map(|key| key.job()).collect()
    }

    #[test]
    fn without_a_word_there_are_no_lifetimes() {
        let store = store("");
        push(&store, "a", Mode::Replace, 5.0, None);
        fail(&store, "b", 5.0);
        assert!(store.groups().iter().all(|group| group.lifetime.is_none()));
        assert!(!store.has_expired(1e12) && store.expire(1e12).is_empty());
    }

    #[test]
    fn time_counts_from_the_last_push_that_was_stored() {
        let store = store("ttl = '10s'\n[[store.jobs]]\njob = 'kept'\nttl = '0s'\n");
        push(&store, "a", Mode::Replace, 5.0, None);
        assert_eq!(expires_at(&store, "a"), Some(15.0));
        fail(&store, "a", 7.0);
        assert_eq!(expires_at(&store, "a"), Some(15.0), "a failure is no push");
        push(&store, "a", Mode::Merge, 8.0, None);
        assert_eq!(expires_at(&store, "a"), Some(18.0));
        push(&store, "a", Mode::Merge, 9.0, Some(3));
        assert_eq!(expires_at(&store, "a"), Some(12.0));
        push(&store, "a", Mode::Merge, 9.5, None);
        assert_eq!(expires_at(&store, "a"), Some(19.5), "the last push has no wish");
        fail(&store, "never", 9.0);
        fail(&store, "never", 11.0);
        assert_eq!(expires_at(&store, "never"), Some(21.0), "from the failure, where there is no push");
        push(&store, "kept", Mode::Replace, 5.0, None);
        assert_eq!(expires_at(&store, "kept"), None);
        push(&store, "kept", Mode::Replace, 5.0, Some(1));
        assert_eq!(expires_at(&store, "kept"), Some(6.0));
        store.delete(key("a"));
        push(&store, "a", Mode::Replace, 30.0, None);
        assert_eq!(expires_at(&store, "a"), Some(40.0));
        assert_eq!(jobs(&store.expire(21.0)), ["kept", "never"]);
    }

    #[test]
    fn what_has_expired_is_gone_as_if_it_was_deleted() {
        let store = store("ttl = '10s'");
        for job in 0..=DUE {
            push(&store, &format!("j{job}"), Mode::Replace, job as f64, None);
        }
        push(&store, "last", Mode::Replace, 1e6, None);
        assert!(!store.has_expired(9.9) && store.expire(9.9).is_empty());
        let before = store.version();
        assert_eq!(jobs(&store.expire(11.0)), ["j0", "j1"]);
        assert_eq!(store.version(), before + 2, "so the persistence file is written");
        assert_eq!(store.expire(1e5).len(), DUE - 1);
        assert_eq!(store.size(), crate::store::Size { groups: 1, series: 1 });
        let names: Vec<_> = store.snapshot().families().map(|family| family.name.to_owned()).collect();
        assert_eq!(names, ["last", "push_failure_time_seconds", "push_time_seconds"]);
        store.wipe();
        assert!(!store.has_expired(1e9));
    }

    #[test]
    fn a_push_that_races_the_expiry_is_kept() {
        let store = store("ttl = '10s'");
        push(&store, "a", Mode::Replace, 5.0, None);
        let name = GroupName::from(key("a"));
        assert!(store.has_expired(15.0));
        push(&store, "a", Mode::Replace, 14.0, None);
        assert_eq!(store.expire_one(name.clone(), 15.0), None, "it came before");
        assert_eq!(expires_at(&store, "a"), Some(24.0));
        assert!(store.expire_one(name.clone(), 24.0).is_some());
        assert_eq!(store.expire_one(name, 24.0), None, "it is gone");
        push(&store, "a", Mode::Replace, 24.0, None);
        assert_eq!(store.group(&key("a")).unwrap().info.series, 1, "it came behind");
    }

    #[test]
    fn other_rules_hold_for_what_is_stored() {
        let store = store("");
        push(&store, "a", Mode::Replace, 5.0, None);
        push(&store, "b", Mode::Replace, 5.0, Some(3_600));
        fail(&store, "c", 6.0);
        store.retain(retention("ttl = '10s'"), 7.0);
        let all = |store: &Store| ["a", "b", "c"].map(|job| expires_at(store, job));
        assert_eq!(all(&store), [Some(15.0), Some(15.0), Some(16.0)], "and caps the wish");
        store.retain(retention("ttl = '20s'\nmax_ttl = '1h'"), 7.0);
        assert_eq!(all(&store), [Some(25.0), Some(3_605.0), Some(26.0)]);
        let number = store.rules.read().number;
        store.retain(retention("ttl = '20s'\nmax_ttl = '1h'"), 7.0);
        assert_eq!(store.rules.read().number, number, "the same rules are no others");
        store.retain(retention(""), 7.0);
        assert_eq!(all(&store), [None, Some(3_605.0), None], "a wish is not forgotten");
        assert_eq!(jobs(&store.expire(1e9)), ["b"]);
    }

    #[test]
    fn what_was_worked_out_by_rules_before_does_not_hold() {
        let store = store("ttl = '10s'");
        let name = GroupName::from(key("a"));
        let worked_out = store.rules.read().work_out(&name, None);
        store.retain(retention("ttl = '20s'"), 0.0);
        push(&store, "a", Mode::Replace, 5.0, None);
        let times = Times { push: 5.0, ..Times::default() };
        store.state.lock().live(&name, times, Some(worked_out));
        assert_eq!(expires_at(&store, "a"), Some(25.0));
        // A reload that has not come to it yet.
        let rules = Arc::new(Rules { retention: retention(""), number: 99 });
        store.state.lock().lifetimes.rules = rules;
        assert!(store.has_expired(25.0) && store.expire(25.0).is_empty() && !store.has_expired(1e9));
    }

    #[test]
    fn a_push_that_is_still_to_come_counts_from_now() {
        let store = store("ttl = '10s'");
        push(&store, "future", Mode::Replace, 1e9, None);
        push(&store, "past", Mode::Replace, 50.0, None);
        store.count_from(55.0);
        assert_eq!((expires_at(&store, "future"), expires_at(&store, "past")), (Some(65.0), Some(60.0)));
        assert_eq!(store.group(&key("future")).unwrap().info.times.push, 1e9, "and is shown as it was");
    }

    #[derive(Clone, Debug)]
    enum Step {
        Push { job: usize, at: u32, wish: Option<u64>, mode: Mode },
        Fail { job: usize, at: u32 },
        Delete { job: usize },
        Wipe,
        Retain { rules: usize },
        Expire { now: u32 },
    }

    const RULES: [&str; 4] = [
        "",
        "ttl = '20s'",
        "ttl = '5s'\nmax_ttl = '30s'\n[[store.jobs]]\njob = '[ab]'\nttl = '0s'",
        "stale_after = '3s'\n[[store.jobs]]\njob = 'c'\nttl = '9s'",
    ];

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let (job, at) = (0_usize..4, 1_u32..100);
        let wish = prop::option::of(1_u64..60);
        let mode = prop::sample::select(vec![Mode::Replace, Mode::Merge]);
        prop::collection::vec(
            prop_oneof![
                6 => (job.clone(), at.clone(), wish, mode)
                    .prop_map(|(job, at, wish, mode)| Step::Push { job, at, wish, mode }),
                2 => (job.clone(), at.clone()).prop_map(|(job, at)| Step::Fail { job, at }),
                1 => job.prop_map(|job| Step::Delete { job }),
                1 => Just(Step::Wipe),
                2 => (0..RULES.len()).prop_map(|rules| Step::Retain { rules }),
                3 => at.prop_map(|now| Step::Expire { now }),
            ],
            0..60,
        )
    }

    /// What is known of a group: its last push, its wish, its last failure.
    type Known = (Option<u32>, Option<u64>, Option<u32>);

    proptest! {
        /// Whatever happens, what expires is what the rules of now say of what is stored.
        #[test]
        fn deadlines_are_those_of_the_rules_of_now(steps in steps()) {
            const JOBS: [&str; 4] = ["a", "b", "c", "d"];
            let store = store("");
            let mut model: BTreeMap<usize, Known> = BTreeMap::new();
            let mut rules = 0;
            for step in steps {
                match step {
                    Step::Push { job, at, wish, mode } => {
                        push(&store, JOBS[job], mode, f64::from(at), wish);
                        let failure = model.get(&job).and_then(|known| known.2);
                        model.insert(job, (Some(at), wish, failure));
                    }
                    Step::Fail { job, at } => {
                        fail(&store, JOBS[job], f64::from(at));
                        model.entry(job).or_default().2 = Some(at);
                    }
                    Step::Delete { job } => {
                        store.delete(key(JOBS[job]));
                        model.remove(&job);
                    }
                    Step::Wipe => {
                        store.wipe();
                        model.clear();
                    }
                    Step::Retain { rules: next } => {
                        store.retain(retention(RULES[next]), 1e3);
                        rules = next;
                    }
                    Step::Expire { now } => {
                        let mut expired = jobs(&store.expire(f64::from(now)))
                            .iter()
                            .map(|job| JOBS.iter().position(|other| other == job).unwrap())
                            .collect::<Vec<_>>();
                        expired.sort_unstable();
                        let terms = retention(RULES[rules]);
                        let is_over = |(job, (push, wish, failure)): &(&usize, &Known)| {
                            let ttl = terms.terms(JOBS[**job], wish.map(Duration::from_secs)).ttl;
                            let since = push.or(*failure).unwrap();
                            ttl.is_some_and(|ttl| u64::from(since) + ttl.as_secs() <= u64::from(now))
                        };
                        let expected: Vec<usize> = model.iter().filter(is_over).map(|(job, _)| *job).collect();
                        prop_assert_eq!(&expired, &expected);
                        model.retain(|job, _| !expected.contains(job));
                    }
                }
                prop_assert_eq!(store.size().groups, model.len());
                let state = store.state.lock();
                let lifetimes = state.groups.iter().filter(|group| group.lifetime.is_some()).count();
                prop_assert_eq!(state.lifetimes.all.len(), lifetimes);
            }
        }
    }
}
