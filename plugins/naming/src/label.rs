//! The rules for the names of labels, and for labels that only some types may have.

use std::collections::BTreeSet;

use pushgate_plugin::{Code, Family, Finding, Kind, LabelName, Push, Series, Sym, quote};

use crate::rules::Rules;
use crate::snake_case::{is_camel_case, is_snake_case, snake_case};
use crate::verdict::Verdict;
use crate::{DUPLICATE_SERIES, LABEL_PATTERN, LABEL_SNAKE_CASE, LABEL_TOO_LONG, RESERVED_LABEL};

/// Adds a finding for each label whose name breaks a rule: one, with the first series that has it.
pub(crate) fn judge(rules: &Rules, name: LabelName<'_>, push: &Push, verdict: &mut Verdict<'_>) {
    let text = name.as_str();
    let found = quote(text);
    let mut add = |code: &'static Code, message: String| {
        // promtool says it of each metric.
        let families = if rules.is_beyond() { 1 } else { usize::MAX };
        let firsts = push.families().filter_map(|family| first_with(family, name.sym()));
        for series in firsts.take(families) {
            verdict.add(code, || Finding::new(code, message.as_str()).at_series(series).at_label(name.sym()));
        }
    };
    if rules.label_snake_case && (is_camel_case(text) || rules.is_beyond() && !is_snake_case(text)) {
        add(
            &LABEL_SNAKE_CASE,
            match snake_case(text).as_str() {
                "" => format!("rename the label {found}: use lower-case letters, digits and '_'"),
                better => {
                    format!("rename the label {found} to {}: labels are written in snake_case", quote(better))
                }
            },
        );
    }
    if let Some(pattern) = rules.label_pattern.as_ref().filter(|pattern| !pattern.is_match(text)) {
        let message = format!("rename the label {found}: names of labels match {}", quote(pattern.as_str()));
        add(&LABEL_PATTERN, message);
    }
    if text.len() > rules.max_label_length {
        let (length, allowed) = (text.len(), rules.max_label_length);
        let message = format!("rename the label {found}: it has {length} characters, {allowed} are allowed");
        add(&LABEL_TOO_LONG, message);
    }
}

/// Adds a finding for each metric with a label that only histograms or summaries may have.
pub(crate) fn judge_reserved(rules: &Rules, push: &Push, verdict: &mut Verdict<'_>) {
    for label in ["le", "quantile"] {
        let Some(name) = push.label_name(label) else { continue };
        for family in push.families() {
            let (kind, others) = (family.kind(), if label == "le" { "histograms" } else { "summaries" });
            let may_have_it = match kind {
                Kind::Untyped => true,
                Kind::Histogram | Kind::GaugeHistogram => label == "le",
                Kind::Summary => label == "quantile",
                Kind::Counter | Kind::Gauge => false,
            };
            if let Some(series) = first_with(family, name).filter(|_| !may_have_it)
                && !rules.is_exempt(family.name(), &RESERVED_LABEL)
            {
                let kind = kind.as_str();
                let message =
                    format!("rename the label '{label}': it belongs to {others}, and this is a {kind}");
                verdict.add(&RESERVED_LABEL, || {
                    Finding::new(&RESERVED_LABEL, message).at_series(series).at_label(name)
                });
            }
        }
    }
}

/// Adds a finding for each series that is there a second time.
pub(crate) fn judge_duplicates(push: &Push, verdict: &mut Verdict<'_>) {
    for family in push.families() {
        let mut seen: BTreeSet<Vec<(usize, usize)>> = BTreeSet::new();
        for series in family.series() {
            let labels = series.labels().map(|label| (label.name_sym().index(), label.value_sym().index()));
            if !seen.insert(labels.collect()) {
                let message = "push each series once: it has this name and these labels a second time";
                verdict.add(&DUPLICATE_SERIES, || Finding::new(&DUPLICATE_SERIES, message).at_series(series));
            }
        }
    }
}

fn first_with(family: Family<'_>, label: Sym) -> Option<Series<'_>> {
    family.series().find(|series| series.own_value_sym(label).is_some())
}
