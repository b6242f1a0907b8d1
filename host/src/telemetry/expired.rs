//! How many groups have expired, by their job.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use pushgate_exposition::{InternError, Kind};

use super::writer::Writer;

/// Jobs that are counted by name; further ones together.
const JOBS: usize = 100;

/// Bytes of a job's name; one with a longer name is not counted by it.
const NAME: usize = 256;

/// Stands for all jobs that are not counted by name. A job of this name is counted with them.
const OTHER: &str = "other";

/// Counts groups that have expired.
#[derive(Debug, Default)]
pub(super) struct Expired(Mutex<BTreeMap<String, u64>>);

impl Expired {
    /// A group of that job has expired.
    pub(super) fn count(&self, job: &str) {
        let mut counts = self.0.lock();
        let has_room = job.len() <= NAME && counts.keys().filter(|name| *name != OTHER).count() < JOBS;
        let name = if has_room || counts.contains_key(job) { job } else { OTHER };
        match counts.get_mut(name) {
            Some(count) => *count += 1,
            None => drop(counts.insert(name.to_owned(), 1)),
        }
    }

    pub(super) fn write(&self, out: &mut Writer) -> Result<(), InternError> {
        let help = "Groups that were removed as their TTL was over, by their job; jobs past the first 100 are 'other'.";
        let family = out.family("pushgate_groups_expired_total", Kind::Counter, help)?;
        for (job, count) in &*self.0.lock() {
            out.value(family, &[("pushed_job", job)], *count as f64)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_are_counted_by_name_as_far_as_there_is_room() {
        let expired = Expired::default();
        let (longest, too_long) = ("x".repeat(NAME), "x".repeat(NAME + 1));
        for job in [&longest, &too_long, &longest] {
            expired.count(job);
        }
        (1..JOBS).for_each(|number| expired.count(&number.to_string()));
        ["one more", "and another", "1", &longest, OTHER].into_iter().for_each(|job| expired.count(job));
        let mut out = Writer::new();
        expired.write(&mut out).unwrap();
        let text = pushgate_exposition::text::encode(&out.finish());
        let value = |job: &str| {
            let start = format!("pushgate_groups_expired_total{{pushed_job=\"{job}\"}} ");
            text.lines().find_map(|line| line.strip_prefix(&start)).map(str::to_owned)
        };
        assert_eq!(value(&longest).as_deref(), Some("3"));
        assert_eq!(value("1").as_deref(), Some("2"));
        assert_eq!(value(OTHER).as_deref(), Some("4"), "{text}");
        assert_eq!(value("one more"), None);
        assert_eq!(text.lines().filter(|line| !line.starts_with('#')).count(), JOBS + 1);
    }

    #[test]
    fn nothing_is_shown_while_nothing_has_expired() {
        let mut out = Writer::new();
        Expired::default().write(&mut out).unwrap();
        assert_eq!(pushgate_exposition::text::encode(&out.finish()), "");
    }
}
