//! Labels that are missing and have a default.

use std::collections::BTreeSet;

use pushgate_plugin::{Edits, Finding, Findings, Push, Scope, Sym, quote};

use crate::MISSING;
use crate::place::On;
use crate::rule::Rule;

/// A label that series are given unless they have it.
#[derive(Clone, Copy)]
struct Fill<'r> {
    label: &'r str,
    value: &'r str,
}

/// Writes the edits that fill in what is missing. What cannot be filled in is a finding.
pub(crate) fn fill<'r>(
    rules: impl Iterator<Item = &'r Rule>,
    push: &Push,
    edits: &mut Edits,
    findings: &mut Findings,
) {
    let mut fills: Vec<Fill<'_>> = Vec::new();
    for rule in rules {
        let Some(value) = rule.default.as_deref() else { continue };
        let label = rule.label.as_str();
        match push.grouping_label(label) {
            // An empty label of the key hides those of series, so it has to be filled in itself.
            Some("") if rule.on != On::Series => edits.set_grouping_label(label, value),
            None if rule.on == On::Grouping => edits.set_grouping_label(label, value),
            None if fills.iter().all(|fill| fill.label != label) => fills.push(Fill { label, value }),
            _ => {}
        }
    }
    let mut is_partial = false;
    for fill in &fills {
        let Some(name) = push.label_name(fill.label) else {
            edits.set_label(Scope::All, fill.label, fill.value);
            continue;
        };
        for series in push.series() {
            if series.own_value_sym(name).is_none_or(|value| value == Sym::EMPTY) {
                edits.set_label(series, fill.label, fill.value);
                is_partial = true;
            }
        }
    }
    // Series that a label told apart from those without may be equal now.
    if is_partial {
        find_duplicates(push, &fills, findings);
    }
}

fn find_duplicates(push: &Push, fills: &[Fill<'_>], findings: &mut Findings) {
    for family in push.families() {
        let mut seen = BTreeSet::new();
        for series in family.series() {
            let own = series.labels().map(|label| (label.name(), label.value()));
            let mut labels: Vec<(&str, &str)> = own.filter(|(_, value)| !value.is_empty()).collect();
            for fill in fills {
                if labels.iter().all(|(name, _)| *name != fill.label) {
                    labels.push((fill.label, fill.value));
                }
            }
            labels.sort_unstable();
            if !seen.insert(labels) {
                let names: Vec<String> = fills.iter().map(|fill| quote(fill.label).to_string()).collect();
                let message = format!(
                    "add {} to each series: with the default for those without, this one is there twice",
                    names.join(" and ")
                );
                findings.add(|| Finding::new(&MISSING, message).at_series(series));
            }
        }
    }
}
