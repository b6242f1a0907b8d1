//! How much each job has stored: counted only while the configuration bounds any job.

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::group::Groups;
use super::{Size, State, Store};
use crate::config::{Bounds, Retention};

/// What each job has, by its name. One that has nothing is not in it.
#[derive(Default)]
pub(super) struct Jobs(HashMap<String, Job, RandomState>);

#[derive(Clone, Copy)]
struct Job {
    stored: Size,
    bounds: Bounds,
    /// Pushes that a bound was the reason to refuse: that of groups, and that of series.
    refused: [u64; 2],
}

/// How much of its bounds a job uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobUsage {
    /// Its name.
    pub job: String,
    /// For each of its bounds its key in `[[store.jobs]]`.
    pub bounds: Vec<(&'static str, BoundUsage)>,
}

/// How much of one bound is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BoundUsage {
    /// What there may be.
    pub limit: usize,
    /// What there is.
    pub used: usize,
    /// Pushes that were refused for it, since the job has had anything.
    pub refused: u64,
}

impl Jobs {
    /// What is stored already.
    pub(super) fn of(groups: &Groups, retention: &Retention) -> Self {
        let mut jobs = Self::default();
        for group in groups.iter() {
            let series = group.families.values().map(|chunk| chunk.series.len()).sum();
            jobs.change(group.name.key.job(), Size::default(), Size { groups: 1, series }, retention);
        }
        jobs
    }

    /// What a job has.
    pub(super) fn get(&self, job: &str) -> Size {
        self.0.get(job).map(|job| job.stored).unwrap_or_default()
    }

    /// The job has as much more as the one is less than the other.
    fn change(&mut self, job: &str, before: Size, after: Size, retention: &Retention) {
        let new = || Job { stored: Size::default(), bounds: retention.bounds(job), refused: [0; 2] };
        let stored = &mut self.0.entry_ref(job).or_insert_with(new).stored;
        stored.groups = (stored.groups + after.groups).saturating_sub(before.groups);
        stored.series = (stored.series + after.series).saturating_sub(before.series);
        if *stored == Size::default() {
            self.0.remove(job);
        }
    }

    /// A push of that job was refused for the bound of that key.
    pub(super) fn refused(&mut self, job: &str, key: &str) {
        if let Some(job) = self.0.get_mut(job) {
            let at = usize::from(key != KEYS[0]);
            job.refused[at] += 1;
        }
    }
}

/// The bounds that a job can have, by their keys in `[[store.jobs]]`.
const KEYS: [&str; 2] = ["max_groups", "max_series"];

impl Job {
    fn bounds(&self) -> impl Iterator<Item = (&'static str, BoundUsage)> {
        let limits = [self.bounds.max_groups, self.bounds.max_series];
        let used = [self.stored.groups, self.stored.series];
        let each = KEYS.into_iter().zip(limits).zip(used).zip(self.refused);
        each.filter_map(|(((key, limit), used), refused)| {
            Some((key, BoundUsage { limit: limit?, used, refused }))
        })
    }

    /// The largest part of any bound that is used, in thousandths.
    fn fullness(&self) -> usize {
        let parts = self.bounds().map(|(_, of)| of.used.saturating_mul(1_000) / of.limit.max(1));
        parts.max().unwrap_or_default()
    }
}

impl Store {
    /// The jobs that have bounds of their own and come nearest to them: at most so many, the fullest first.
    pub fn fullest_jobs(&self, most: usize) -> Vec<JobUsage> {
        let state = self.state.lock();
        let Some(Jobs(jobs)) = &state.jobs else { return Vec::new() };
        let bounded = jobs.iter().filter(|(_, job)| job.bounds != Bounds::default());
        let mut jobs: Vec<_> = bounded.map(|(name, job)| (job.fullness(), name, job)).collect();
        let order = |one: &(usize, &String, &Job), other: &(usize, &String, &Job)| {
            other.0.cmp(&one.0).then_with(|| one.1.cmp(other.1))
        };
        if jobs.len() > most {
            jobs.select_nth_unstable_by(most, order);
            jobs.truncate(most);
        }
        jobs.sort_unstable_by(order);
        let usage = |(_, name, job): (usize, &String, &Job)| JobUsage {
            job: name.clone(),
            bounds: job.bounds().collect(),
        };
        jobs.into_iter().map(usage).collect()
    }
}

impl State {
    /// Makes a change of one group, and counts what it makes of its job.
    pub(super) fn counted(&mut self, job: &str, make: impl FnOnce(&mut Self)) {
        let before = self.stored();
        make(self);
        let after = self.stored();
        if before != after
            && let Some(jobs) = &mut self.jobs
        {
            jobs.change(job, before, after, self.lifetimes.retention());
        }
    }

    pub(super) fn stored(&self) -> Size {
        Size { groups: self.groups.len(), series: self.series }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use pushgate_exposition::{GroupingKey, Rules, text};

    use super::{BoundUsage, JobUsage};
    use crate::config::Config;
    use crate::journal::InMemory;
    use crate::store::{Limits, Mode, OwnFamilies, Refusal, Store, Times, Unknown};

    const BOUNDS: &str = "[[store.jobs]]\njob = 'a.*'\nmax_groups = 2\nmax_series = 5\n";

    fn store(rules: &str) -> Store {
        let store = Store::new(Limits { groups: 99, series: 99 }, OwnFamilies::default(), Box::new(InMemory));
        store.retain(Config::parse(rules, Path::new("c.toml")).unwrap().store.retention, 0.0);
        store
    }

    fn key(job: &str, instance: &str) -> GroupingKey {
        GroupingKey::new([("job", job), ("instance", instance)]).unwrap()
    }

    fn push(store: &Store, job: &str, instance: &str, mode: Mode, body: &str) -> Result<(), Refusal> {
        let push = text::parse(body.as_bytes(), &key(job, instance), &Rules::default()).unwrap();
        store.push(&push, mode, 5.0).map(drop)
    }

    fn counted(store: &Store, job: &str) -> (usize, usize) {
        let stored = store.state.lock().jobs.as_ref().unwrap().get(job);
        (stored.groups, stored.series)
    }

    const THREE: &str = "m{x=\"1\"} 1\nm{x=\"2\"} 1\nm{x=\"3\"} 1\n";

    #[test]
    fn each_job_has_its_own_bounds() {
        let store = store(BOUNDS);
        let put = |job: &str, instance: &str, body: &str| push(&store, job, instance, Mode::Replace, body);
        put("a1", "1", THREE).unwrap();
        put("a1", "2", "m 1\nn 1\n").unwrap();
        assert_eq!(counted(&store, "a1"), (2, 5), "at both of them");
        let full = |key, limit| Refusal::JobFull { job: "a1".to_owned(), key, limit };
        assert_eq!(put("a1", "3", ""), Err(full("max_groups", 2)));
        assert_eq!(put("a1", "2", "m 1\nn 1\no 1\n"), Err(full("max_series", 5)));
        assert_eq!(push(&store, "a1", "2", Mode::Merge, "o 1\n"), Err(full("max_series", 5)));
        store.fail(key("a1", "3"), Unknown::Create, "it failed", 6.0);
        assert_eq!(counted(&store, "a1"), (2, 5), "nothing came of it");
        let usage = |limit, used, refused| BoundUsage { limit, used, refused };
        let a1 = JobUsage {
            job: "a1".to_owned(),
            bounds: vec![("max_groups", usage(2, 2, 1)), ("max_series", usage(5, 5, 2))],
        };
        assert_eq!(store.fullest_jobs(9), [a1]);
        put("a1", "2", "m 1\no 1\n").unwrap();
        push(&store, "a1", "2", Mode::Merge, "m 2\n").unwrap();
        put("a2", "1", THREE).unwrap();
        put("b", "1", THREE).unwrap();
        put("b", "2", THREE).unwrap();
        put("b", "3", THREE).unwrap();
        assert_eq!((counted(&store, "a2"), counted(&store, "b")), ((1, 3), (3, 9)));
        // The other jobs have no bounds.
        let fullest = |most| store.fullest_jobs(most).into_iter().map(|of| of.job).collect::<Vec<_>>();
        assert_eq!((fullest(9), fullest(1)), (vec!["a1".to_owned(), "a2".to_owned()], vec!["a1".to_owned()]));
        store.delete(key("a1", "1"));
        put("a1", "3", "m 1\n").unwrap();
        assert_eq!(counted(&store, "a1"), (2, 3));
        store.delete_selected(|key| key.job() == "a1");
        assert_eq!(counted(&store, "a1"), (0, 0));
        store.wipe();
        assert_eq!(counted(&store, "b"), (0, 0));
        let told = full("max_groups", 2).to_string();
        assert!(
            told.starts_with("the job \"a1\" stores as much as it may ([[store.jobs]] max_groups = 2)"),
            "{told}"
        );
    }

    #[test]
    fn what_is_stored_counts_when_bounds_come_and_none_of_it_is_lost() {
        let store = store("");
        assert!(store.state.lock().jobs.is_none());
        for instance in ["1", "2", "3"] {
            push(&store, "a", instance, Mode::Replace, THREE).unwrap();
        }
        store.retain(Config::parse(BOUNDS, Path::new("c.toml")).unwrap().store.retention, 0.0);
        assert_eq!(counted(&store, "a"), (3, 9));
        push(&store, "a", "1", Mode::Replace, THREE).unwrap();
        assert!(push(&store, "a", "4", Mode::Replace, "").is_err());
        let restored = text::parse(b"m 1\n", &key("a", "5"), &Rules::default()).unwrap();
        store.restore(&restored, Times::default(), |_| None).unwrap();
        assert_eq!(counted(&store, "a"), (4, 10), "what was stored elsewhere is not refused");
    }
}
