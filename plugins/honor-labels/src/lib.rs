//! The bundled plugin `honor-labels`: who may push what, where Prometheus scrapes with `honor_labels: true`.
//!
//! With that option whoever pushes decides what Prometheus stores as `job`, `instance` and every other label, so a
//! push can pass for any target, a rule or the monitoring system itself. It looks at the grouping key, at each distinct
//! label name and at each family, so its cost hardly depends on how many series a push has. README.md has the options
//! and examples.

mod config;

mod allow;
mod caller;

mod names;
mod preview;
mod target;

use pushgate_plugin::{Code, Finding, Findings, Manifest, Method, Outcome, Plugin, Problems, Push};

use crate::allow::Allowed;
pub use crate::config::{Allow, Config, OneOrMore};
use crate::names::Reserved;
use crate::target::Target;

const RESERVED_JOB: Code =
    Code::new("honor-labels/reserved-job", "the job is one of the monitoring system's own");
const RESERVED_METRIC: Code =
    Code::new("honor-labels/reserved-metric", "a metric has a name that the monitoring system writes itself");
const RESERVED_LABEL: Code = Code::new(
    "honor-labels/reserved-label",
    "a label has a name that Prometheus gives to labels that it renames",
);
const TARGET_LABEL: Code =
    Code::new("honor-labels/target-label", "a label would replace one that Prometheus gives its target");
const UNKNOWN_CALLER: Code = Code::new(
    "honor-labels/unknown-caller",
    "nothing is allowed to whoever pushes, or it is not known who that is",
);
const NOT_ALLOWED: Code =
    Code::new("honor-labels/not-allowed", "whoever pushes is allowed other jobs or labels than these");
const PREVIEW: Code =
    Code::new("honor-labels/preview", "what Prometheus will store; no reason to refuse a push");

/// Families of one push that have a preview.
const MAX_PREVIEWS: usize = 20;

/// The configured plugin.
#[derive(Debug)]
pub struct HonorLabels {
    allowed: Allowed,
    reserved: Reserved,
    target: Target,
    preview: bool,
}

impl Plugin for HonorLabels {
    type Config = Config;

    const MANIFEST: Manifest = Manifest::new(
        "honor-labels",
        env!("CARGO_PKG_VERSION"),
        "Refuses pushes that would pass for something else where Prometheus honors their labels.",
    )
    .pure()
    .codes(&[
        RESERVED_JOB,
        RESERVED_METRIC,
        RESERVED_LABEL,
        TARGET_LABEL,
        UNKNOWN_CALLER,
        NOT_ALLOWED,
        PREVIEW,
    ]);

    fn configure(config: Config) -> Result<Self, Problems> {
        config.resolve()
    }

    fn evaluate(&self, push: &Push) -> Outcome {
        let mut findings = Findings::default();
        self.allowed.judge(push, &mut findings);
        if push.method() != Method::Delete {
            self.reserved.judge(push, &mut findings);
            self.target.judge(push, &mut findings);
        }
        if self.preview && findings.is_empty() {
            return Outcome::accept().with_notes(self.previews(push));
        }
        findings.verdict()
    }
}

impl HonorLabels {
    fn previews(&self, push: &Push) -> Findings {
        let mut previews = Findings::default();
        for series in push.families().filter_map(|family| family.series().next()).take(MAX_PREVIEWS) {
            previews.add(|| {
                Finding::new(&PREVIEW, self.target.preview(push, series).to_string()).at_series(series)
            });
        }
        previews
    }
}

pushgate_plugin::register!(HonorLabels);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases() {
        pushgate_plugin::testing::run_cases::<HonorLabels>(env!("CARGO_MANIFEST_DIR"));
    }
}
