//! Names that the monitoring system keeps for itself.

use std::borrow::Cow;

use pushgate_plugin::{Family, Finding, Findings, GroupingLabel, Kind, Pattern, Push, quote};

use crate::{RESERVED_JOB, RESERVED_LABEL, RESERVED_METRIC};

/// What nobody may push.
#[derive(Debug)]
pub(crate) struct Reserved {
    pub(crate) jobs: Vec<Pattern>,
    /// The job by which Prometheus scrapes the gateway.
    pub(crate) own_job: String,
    pub(crate) metrics: Vec<Pattern>,
    pub(crate) labels: Vec<Pattern>,
}

impl Reserved {
    /// Adds a finding for each name that is reserved.
    pub(crate) fn judge(&self, push: &Push, findings: &mut Findings) {
        let job = push.job();
        if job == self.own_job || matching(&self.jobs, job).is_some() {
            findings.add(|| {
                let message = format!(
                    "push to another job than {}, which is one of the monitoring system's own: its alerts and \
                     dashboards would take these series for theirs",
                    quote(job),
                );
                Finding::new(&RESERVED_JOB, message)
            });
        }
        for family in push.families() {
            if let Some(pattern) = self.metric(family) {
                findings.add(|| {
                    let (name, pattern) = (quote(family.name()), quote(pattern.as_str()));
                    let message =
                        format!("rename {name}: names that match {pattern} are the monitoring system's own");
                    Finding::new(&RESERVED_METRIC, message).at_family(family)
                });
            }
        }
        self.judge_labels(push, findings);
    }

    fn judge_labels(&self, push: &Push, findings: &mut Findings) {
        for name in push.grouping().map(GroupingLabel::name) {
            if let Some(pattern) = self.label(name) {
                findings.add(|| {
                    let label = format!("{} of the grouping key", quote(name));
                    Finding::new(&RESERVED_LABEL, rename_label(&label, pattern))
                });
            }
        }
        for name in push.label_names() {
            if let Some(pattern) = self.label(name.as_str()) {
                findings.add(|| {
                    let label = quote(name.as_str()).to_string();
                    Finding::new(&RESERVED_LABEL, rename_label(&label, pattern))
                        .at_series(name.first())
                        .at_label(name.sym())
                });
            }
        }
    }

    /// The pattern that a name of the family's samples matches.
    fn metric(&self, family: Family<'_>) -> Option<&Pattern> {
        let name = as_classic(family.name());
        let suffixes: &[&str] = match family.kind() {
            Kind::Histogram | Kind::GaugeHistogram => &["_bucket", "_sum", "_count"],
            Kind::Summary => &["_sum", "_count"],
            Kind::Counter | Kind::Gauge | Kind::Untyped => &[],
        };
        matching(&self.metrics, &name).or_else(|| {
            suffixes.iter().find_map(|suffix| matching(&self.metrics, &format!("{name}{suffix}")))
        })
    }

    fn label(&self, name: &str) -> Option<&Pattern> {
        // Where these two may stand is told by the target's labels.
        if names_target(name) { None } else { matching(&self.labels, &as_classic(name)) }
    }
}

fn rename_label(label: &str, pattern: &Pattern) -> String {
    let pattern = quote(pattern.as_str());
    format!("rename the label {label}: Prometheus gives names that match {pattern} to labels that it renames")
}

fn matching<'a>(patterns: &'a [Pattern], name: &str) -> Option<&'a Pattern> {
    patterns.iter().find(|pattern| pattern.is_match(name))
}

/// Whether the label is one that `honor_labels` is there for, in the grouping key.
pub(crate) fn names_target(label: &str) -> bool {
    matches!(label, "job" | "instance")
}

/// The name as a scraper sees it that knows none beyond the classic ones: `exported.job` is `exported_job` for it.
pub(crate) fn as_classic(name: &str) -> Cow<'_, str> {
    if name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':')) {
        return name.into();
    }
    name.replace(|character: char| !character.is_ascii_alphanumeric() && !matches!(character, '_' | ':'), "_")
        .into()
}
