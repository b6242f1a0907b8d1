//! What is known of the jobs that a plugin has failed on. Time is told by the caller, and by several at once: it may go back
//! a little from one call to the next.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use super::BreakerSettings;

/// Jobs that are looked at, at the same time. On further ones a plugin may fail as often as it does: each time costs the
/// fuel of a push.
const JOBS: usize = 256;

/// The longest time between two probes, unless the first one is longer already.
const LONGEST_BACKOFF: Duration = Duration::from_secs(60);

/// How long nothing needs to be heard of a probe until there is another one.
const PROBE: Duration = Duration::from_secs(10);

/// After what time without a push, from when there might have been a probe, a job is forgotten.
const FORGOTTEN: Duration = Duration::from_secs(600);

pub(super) struct Circuits {
    settings: BreakerSettings,
    jobs: HashMap<String, Circuit>,
    /// Spreads probes: clients that were refused at the same time should not come back so.
    jitter: RandomState,
}

enum Circuit {
    /// It has failed, but not often enough.
    Closed { since: Duration, faults: u32 },
    /// It has.
    Open(Suspension),
}

pub(super) struct Suspension {
    pub(super) since: Duration,
    pub(super) until: Duration,
    pub(super) faults: u32,
    probes: u32,
}

impl Circuits {
    pub(super) fn new(settings: BreakerSettings) -> Self {
        Self { settings, jobs: HashMap::new(), jitter: RandomState::new() }
    }

    /// Whether there is no job to look at.
    pub(super) fn is_calm(&self) -> bool {
        self.jobs.is_empty()
    }

    /// The jobs that are suspended.
    pub(super) fn suspended(&mut self, now: Duration) -> impl Iterator<Item = (&str, &Suspension)> {
        self.forget(now);
        self.jobs.iter().filter_map(|(job, circuit)| match circuit {
            Circuit::Open(suspension) => Some((job.as_str(), suspension)),
            Circuit::Closed { .. } => None,
        })
    }

    /// Whether a push of that job may go to the plugin; if not, after what time to try again. When the time is over, one
    /// may, and the others go on waiting for what comes of it.
    pub(super) fn admit(&mut self, job: &str, now: Duration) -> Result<(), Duration> {
        match self.jobs.get_mut(job) {
            Some(Circuit::Open(suspension)) if now < suspension.until => Err(suspension.until - now),
            Some(Circuit::Open(suspension)) => {
                suspension.until = now + PROBE;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// A probe that did not reach the plugin: the next push is one again.
    pub(super) fn try_again(&mut self, job: &str, now: Duration) {
        if let Some(Circuit::Open(suspension)) = self.jobs.get_mut(job) {
            suspension.until = now;
        }
    }

    /// The plugin failed. Answers after how many faults and for how long it is suspended now, if it is.
    pub(super) fn fault(&mut self, job: &str, now: Duration) -> Option<(u32, Duration)> {
        if !self.jobs.contains_key(job) {
            if self.jobs.len() >= JOBS {
                self.forget(now);
            }
            if self.jobs.len() >= JOBS || self.settings.faults == 0 {
                return None;
            }
            self.jobs.insert(job.to_owned(), Circuit::Closed { since: now, faults: 0 });
        }
        let settings = self.settings;
        let circuit = self.jobs.get_mut(job)?;
        let (since, faults, probes) = match circuit {
            Circuit::Open(before) => (before.since, before.faults + 1, before.probes + 1),
            Circuit::Closed { since, faults } => {
                if now.saturating_sub(*since) > settings.window {
                    (*since, *faults) = (now, 0);
                }
                *faults += 1;
                if *faults < settings.faults {
                    return None;
                }
                (now, *faults, 0)
            }
        };
        let wait = backoff(settings.backoff, probes, self.jitter.hash_one((job, probes)));
        *circuit = Circuit::Open(Suspension { since, until: now + wait, faults, probes });
        Some((faults, wait))
    }

    /// The plugin answered. Says whether it was suspended until now.
    pub(super) fn success(&mut self, job: &str) -> bool {
        matches!(self.jobs.remove(job), Some(Circuit::Open(_)))
    }

    fn forget(&mut self, now: Duration) {
        let window = self.settings.window;
        self.jobs.retain(|_, circuit| match circuit {
            Circuit::Closed { since, .. } => now.saturating_sub(*since) <= window,
            Circuit::Open(suspension) => now <= suspension.until + FORGOTTEN,
        });
    }
}

/// The time until a probe, a fifth more or less.
fn backoff(first: Duration, probes: u32, jitter: u64) -> Duration {
    let doubled = first.saturating_mul(2_u32.saturating_pow(probes)).min(LONGEST_BACKOFF.max(first));
    doubled.mul_f64(0.8 + 0.4 * (jitter % 1_000) as f64 / 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: BreakerSettings =
        BreakerSettings { faults: 3, window: Duration::from_secs(60), backoff: Duration::from_secs(1) };

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// That fail often enough, at that time.
    fn suspended(job: &str, at: Duration) -> Circuits {
        let mut circuits = Circuits::new(SETTINGS);
        for _ in 1..3 {
            assert_eq!(circuits.fault(job, at), None);
            assert_eq!(circuits.admit(job, at), Ok(()));
        }
        let (faults, wait) = circuits.fault(job, at).unwrap();
        assert_eq!(faults, 3);
        assert!((800..=1_200).contains(&wait.as_millis()), "{wait:?}");
        circuits
    }

    #[test]
    fn a_plugin_that_keeps_failing_is_suspended_for_the_job() {
        let mut circuits = suspended("a", seconds(5));
        let wait = circuits.admit("a", seconds(5)).unwrap_err();
        assert!(wait >= Duration::from_millis(800), "{wait:?}");
        assert_eq!(circuits.admit("b", seconds(5)), Ok(()), "others are not");
        let all: Vec<_> =
            circuits.suspended(seconds(5)).map(|(job, at)| (job, at.since, at.faults)).collect();
        assert_eq!(all, [("a", seconds(5), 3)]);
    }

    #[test]
    fn faults_count_in_a_row_and_within_the_window() {
        let mut circuits = Circuits::new(SETTINGS);
        for _ in 0..9 {
            assert_eq!(circuits.fault("a", seconds(1)), None);
            assert_eq!(circuits.fault("a", seconds(1)), None);
            assert!(!circuits.success("a"), "it was not suspended");
        }
        assert!(circuits.is_calm());
        assert_eq!(circuits.fault("a", seconds(0)), None);
        assert_eq!(circuits.fault("a", seconds(60)), None);
        assert_eq!(
            circuits.fault("a", seconds(61)),
            None,
            "the first one is too long ago, so this is the first"
        );
        assert_eq!(circuits.fault("a", seconds(61)), None);
        assert!(circuits.fault("a", seconds(121)).is_some(), "at the very end of the window");
    }

    #[test]
    fn there_is_one_probe_at_a_time_and_each_that_fails_doubles_the_time_to_the_next() {
        let mut circuits = suspended("a", seconds(0));
        let mut now = seconds(0);
        for (probe, least) in [2, 4, 8, 16, 32, 60, 60].into_iter().enumerate() {
            now += seconds(120);
            assert_eq!(circuits.admit("a", now), Ok(()), "probe {probe}");
            assert_eq!(circuits.admit("a", now), Err(PROBE), "not a second one beside it");
            let (faults, wait) = circuits.fault("a", now).unwrap();
            assert_eq!(faults, 4 + probe as u32);
            let bounds = seconds(least).mul_f64(0.8)..=seconds(least).mul_f64(1.2);
            assert!(bounds.contains(&wait), "probe {probe}: {wait:?}");
        }
        now += seconds(120);
        assert_eq!(circuits.admit("a", now), Ok(()));
        assert!(circuits.success("a"), "it was suspended");
        assert_eq!(circuits.admit("a", now), Ok(()));
        assert!(circuits.is_calm());
    }

    #[test]
    fn a_probe_that_comes_to_nothing_is_followed_by_another() {
        let mut circuits = suspended("a", seconds(0));
        assert_eq!(circuits.admit("a", seconds(2)), Ok(()));
        circuits.try_again("a", seconds(3));
        assert_eq!(circuits.admit("a", seconds(3)), Ok(()), "no instance was free");
        assert_eq!(circuits.admit("a", seconds(13)), Ok(()), "and of this one nothing was heard");
    }

    #[test]
    fn jobs_are_forgotten_and_bounded() {
        let mut circuits = suspended("a", seconds(0));
        assert_eq!(circuits.suspended(seconds(600)).count(), 1);
        assert_eq!(circuits.suspended(seconds(602)).count(), 0);
        for job in 0..=JOBS {
            circuits.fault(&job.to_string(), seconds(700));
        }
        assert_eq!(circuits.jobs.len(), JOBS);
        circuits.fault("later", seconds(761));
        assert_eq!(circuits.jobs.len(), 1, "the window of the others is over");
        let mut never = Circuits::new(BreakerSettings { faults: 0, ..SETTINGS });
        assert_eq!((0..99).find_map(|_| never.fault("a", seconds(1))), None);
    }
    #[test]
    fn a_call_that_looked_at_the_clock_earlier_may_come_later() {
        let mut circuits = Circuits::new(SETTINGS);
        assert_eq!(circuits.fault("a", seconds(5)), None);
        assert_eq!(circuits.suspended(seconds(4)).count(), 0);
        assert_eq!(circuits.fault("a", seconds(3)), None);
        assert!(circuits.fault("a", seconds(4)).is_some(), "all three count");
        assert_eq!(circuits.suspended(seconds(2)).count(), 1);
        assert!(circuits.admit("a", seconds(2)).is_err());
    }
}
