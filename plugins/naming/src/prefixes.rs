//! How names must start, by job.

use pushgate_plugin::Pattern;

/// The prefixes for all jobs, and those for some.
#[derive(Debug)]
pub(crate) struct Prefixes {
    general: Vec<String>,
    by_job: Vec<(Pattern, Vec<String>)>,
}

impl Prefixes {
    pub(crate) fn new(general: Vec<String>, by_job: Vec<(Pattern, Vec<String>)>) -> Self {
        Self { general, by_job }
    }

    /// The prefixes that the names of a job may have; none means that any name will do.
    pub(crate) fn of_job(&self, job: &str) -> &[String] {
        let own = self.by_job.iter().find(|(pattern, _)| pattern.is_match(job));
        own.map_or(&self.general, |(_, prefixes)| prefixes)
    }
}
