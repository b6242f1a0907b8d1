//! How much of their own bounds jobs use.

use pushgate_exposition::{InternError, Kind};

use super::writer::Writer;
use crate::store::{BoundUsage, JobUsage};

/// Jobs that are shown: those that come nearest to their bounds.
pub const MAX_JOBS: usize = 100;

const LIMIT_HELP: &str = "The bounds of [[store.jobs]] by their keys there, for each job that has any: the 100 jobs that come nearest to \
     theirs.";
const USED_HELP: &str = "How much of such a bound the job uses.";
const HITS_HELP: &str = "Pushes of the job that were refused (429) because of such a bound. Begins anew when all of the job is gone.";

/// What there is of one bound.
type Column = fn(&BoundUsage) -> f64;

pub(super) fn write(out: &mut Writer, jobs: &[JobUsage]) -> Result<(), InternError> {
    if jobs.is_empty() {
        return Ok(());
    }
    let families: [(_, _, _, Column); 3] = [
        ("pushgate_job_limit", Kind::Gauge, LIMIT_HELP, |of| of.limit as f64),
        ("pushgate_job_limit_hits_total", Kind::Counter, HITS_HELP, |of| of.refused as f64),
        ("pushgate_job_limit_used", Kind::Gauge, USED_HELP, |of| of.used as f64),
    ];
    for (name, kind, help, value) in families {
        let family = out.family(name, kind, help)?;
        for usage in jobs {
            for (key, of) in &usage.bounds {
                out.value(family, &[("key", key), ("pushed_job", &usage.job)], value(of))?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bound_is_told_with_what_is_used_of_it() {
        let groups = BoundUsage { limit: 5, used: 4, refused: 2 };
        let series = BoundUsage { limit: 0, used: 1, refused: 0 };
        let jobs = [
            ("a", vec![("max_groups", groups), ("max_series", series)]),
            ("b", vec![("max_series", series)]),
        ];
        let jobs = jobs.map(|(job, bounds)| JobUsage { job: job.to_owned(), bounds });
        let text = |jobs: &[JobUsage]| {
            let mut out = Writer::new();
            write(&mut out, jobs).unwrap();
            pushgate_exposition::text::encode(&out.finish())
        };
        let told = text(&jobs);
        for line in [
            "pushgate_job_limit{key=\"max_groups\",pushed_job=\"a\"} 5",
            "pushgate_job_limit{key=\"max_series\",pushed_job=\"b\"} 0",
            "pushgate_job_limit_hits_total{key=\"max_groups\",pushed_job=\"a\"} 2",
            "pushgate_job_limit_used{key=\"max_groups\",pushed_job=\"a\"} 4",
            "pushgate_job_limit_used{key=\"max_series\",pushed_job=\"a\"} 1",
        ] {
            assert!(told.lines().any(|other| other == line), "{line} is missing in {told}");
        }
        assert_eq!(text(&[]), "");
    }
}
