//! The labels that Prometheus gives its target, the gateway, held against those that were pushed.

use std::collections::BTreeMap;

use pushgate_plugin::{Finding, Findings, GroupingLabel, LabelName, Push, Series, quote};

use crate::TARGET_LABEL;
use crate::names::{as_classic, names_target};
use crate::preview::Preview;

/// The labels that Prometheus has for the gateway; `job` and `instance` are among them.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) instance_on_series: bool,
}

impl Target {
    /// Adds a finding for each label that would replace one of the target's with another value.
    pub(crate) fn judge(&self, push: &Push, findings: &mut Findings) {
        for label in push.grouping().filter(|label| !names_target(label.name())) {
            self.judge_grouping(push, label, findings);
        }
        for name in push.label_names() {
            let classic = as_classic(name.as_str());
            match self.labels.get(&*classic) {
                Some(_) if *classic == *"instance" && self.instance_on_series => {}
                Some(_) if *classic == *"instance" => {
                    let reason =
                        || "or put it into the grouping key, as /instance/<value> in the URL".to_owned();
                    // Without a value it is what the gateway itself adds.
                    self.judge_series(push, name, str::is_empty, reason, findings);
                }
                Some(own) => {
                    let reason = || format!("as Prometheus has {} for it", quote(own));
                    self.judge_series(push, name, |value| value == own, reason, findings);
                }
                None => {}
            }
        }
    }

    /// What Prometheus will store of a series.
    pub(crate) fn preview<'p>(&self, push: &'p Push, series: Series<'p>) -> Preview<'p> {
        Preview::new(push, series, &self.labels)
    }

    fn judge_grouping(&self, push: &Push, label: GroupingLabel<'_>, findings: &mut Findings) {
        let own = self.labels.get(&*as_classic(label.name()));
        let Some(own) = own.filter(|own| *own != label.value()) else { return };
        findings.add(|| {
            let (label, own) = (quote(label.name()), quote(own));
            let mut message =
                format!("remove the label {label} from the grouping key, as Prometheus has {own} for it");
            if let Some(first) = push.series().next() {
                message += &format!(": {}", self.preview(push, first));
            }
            Finding::new(&TARGET_LABEL, message)
        });
    }

    fn judge_series(
        &self,
        push: &Push,
        name: LabelName<'_>,
        is_fine: impl Fn(&str) -> bool,
        reason: impl FnOnce() -> String,
        findings: &mut Findings,
    ) {
        let replaces = |series: &Series<'_>| {
            series.own_value_sym(name.sym()).is_some_and(|value| !is_fine(push.text(value)))
        };
        let Some(first) = push.series().find(replaces) else { return };
        findings.add(|| {
            let (label, reason, preview) = (quote(name.as_str()), reason(), self.preview(push, first));
            let (count, of) = (push.series().filter(replaces).count(), push.series_count());
            let message =
                format!("remove the label {label} from {count} of {of} series, {reason}: {preview}");
            Finding::new(&TARGET_LABEL, message).at_series(first).at_label(name.sym())
        });
    }
}
