//! What the process takes, and whether that stays as it is.
//!
//! The rule: the first tenth of the time is left out, in which caches fill; of the rest, the median of the last quarter
//! may not be above that of the first quarter by more than a share of it and an amount. Medians, for a large scrape or a
//! reload takes memory for a moment; the share is what differs between two quarters of a good run. A run of less than
//! two minutes is all warming up where memory is concerned, in which the policies are compiled: it may take more.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// What is measured, and what it may grow by between the quarters: a share in percent, and an amount.
const KINDS: [(&str, f64, f64); 4] = [
    ("resident memory, KiB", 10.0, 12_288.0),
    ("file descriptors", 10.0, 4.0),
    ("threads", 0.0, 4.0),
    ("journal, bytes", 25.0, 1_048_576.0),
];

/// What memory may grow by, in KiB, where there was no time to warm up.
const WARMING_UP: f64 = 98_304.0;
const WARM: Duration = Duration::from_secs(120);

/// Samples at a time; more teach nothing. When there are more, every second one is dropped.
const MOST: usize = 20_000;

/// What a process takes, sampled.
#[derive(Debug)]
pub(super) struct Usage {
    process: PathBuf,
    journal: PathBuf,
    samples: Vec<[f64; KINDS.len()]>,
    /// Only one of so many samples is kept.
    stride: usize,
    taken: usize,
    /// What is allowed of resident memory, in KiB.
    memory: f64,
}

/// One of the kinds over time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Course {
    pub(super) name: &'static str,
    pub(super) first: f64,
    pub(super) last: f64,
    pub(super) most: f64,
    /// What the last may be.
    pub(super) allowed: f64,
}

/// The time between two samples.
pub(super) fn pause(duration: Duration) -> Duration {
    (duration / 200).clamp(Duration::from_millis(50), Duration::from_secs(1))
}

impl Usage {
    /// Of that process and that file, for so long.
    pub(super) fn of(process: u32, journal: PathBuf, duration: Duration) -> Self {
        let process = PathBuf::from(format!("/proc/{process}"));
        let memory = if duration < WARM { WARMING_UP } else { KINDS[0].2 };
        Self { process, journal, samples: Vec::new(), stride: 1, taken: 0, memory }
    }

    /// Looks once more.
    ///
    /// # Errors
    /// When the process is gone.
    pub(super) fn sample(&mut self) -> io::Result<()> {
        self.taken += 1;
        if !self.taken.is_multiple_of(self.stride) {
            return Ok(());
        }
        let status = fs::read_to_string(self.process.join("status"))?;
        let number = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let number = line.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
            number.ok_or_else(|| io::Error::other(format!("no {name} in {}", self.process.display())))
        };
        let descriptors = fs::read_dir(self.process.join("fd"))?.count() as f64;
        let journal = fs::metadata(&self.journal)?.len() as f64;
        self.samples.push([number("VmRSS:")?, descriptors, number("Threads:")?, journal]);
        if self.samples.len() == MOST {
            let mut keep = false;
            self.samples.retain(|_| {
                keep = !keep;
                keep
            });
            self.stride *= 2;
        }
        Ok(())
    }

    /// How each of the kinds went.
    pub(super) fn courses(&self) -> Vec<Course> {
        let after_start = &self.samples[self.samples.len() / 10..];
        let quarter = after_start.len().div_ceil(4);
        let (first, last) = (&after_start[..quarter], &after_start[after_start.len() - quarter..]);
        let course = |(at, (name, percent, amount)): (usize, (&'static str, f64, f64))| {
            let median = |samples: &[[f64; KINDS.len()]]| {
                let mut values: Vec<f64> = samples.iter().map(|sample| sample[at]).collect();
                values.sort_by(f64::total_cmp);
                values.get(values.len() / 2).copied().unwrap_or_default()
            };
            let first = median(first);
            let amount = if at == 0 { self.memory } else { amount };
            let most = after_start.iter().map(|sample| sample[at]).fold(0.0, f64::max);
            Course {
                name,
                first,
                last: median(last),
                most,
                allowed: first * (1.0 + percent / 100.0) + amount,
            }
        };
        KINDS.into_iter().enumerate().map(course).collect()
    }

    /// What has grown.
    pub(super) fn violations(&self) -> Vec<String> {
        let grown = |course: &Course| course.last > course.allowed;
        let told = |course: Course| {
            let Course { name, first, last, allowed, .. } = course;
            format!(
                "{name}: the median grew from {first} in the first quarter to {last} in the last, {allowed:.0} is allowed"
            )
        };
        self.courses().into_iter().filter(grown).map(told).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(samples: impl IntoIterator<Item = f64>) -> Usage {
        let mut usage = Usage::of(0, PathBuf::new(), WARM);
        usage.samples = samples.into_iter().map(|memory| [memory, 9.0, 7.0, 4_096.0]).collect();
        usage
    }

    #[test]
    fn growth_is_found_and_peaks_and_warming_up_are_not() {
        let mib = 1_024.0;
        let cases = [
            ("flat", usage((0..100).map(|_| 50.0 * mib)), true),
            ("a leak", usage((0..100).map(|at| (50.0 + f64::from(at)) * mib)), false),
            ("warming up", usage((0..100).map(|at| f64::from(at.min(9)) * 100.0 * mib)), true),
            ("a peak", usage((0..100).map(|at| if at == 95 { 900.0 * mib } else { 50.0 * mib })), true),
            (
                "a step at the end",
                usage((0..100).map(|at| if at > 80 { 80.0 * mib } else { 50.0 * mib })),
                false,
            ),
            ("it becomes less", usage((0..100).map(|at| f64::from(200 - at) * mib)), true),
        ];
        for (rule, usage, is_flat) in cases {
            let violations = usage.violations();
            assert_eq!(violations.is_empty(), is_flat, "{rule}: {violations:?}");
        }
    }

    #[test]
    fn a_process_that_is_there_can_be_sampled_and_one_that_is_gone_cannot() {
        let mut ours = Usage::of(std::process::id(), std::env::current_exe().unwrap(), WARM);
        ours.sample().unwrap();
        assert!(ours.samples[0].iter().all(|value| *value > 0.0), "{:?}", ours.samples);
        assert!(Usage::of(0, PathBuf::new(), WARM).sample().is_err());
    }
}
