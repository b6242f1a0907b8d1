//! Between the columns of a push and the types of `wit/`, both ways.

use std::sync::Arc;

use pushgate_exposition::edit::{Edit, Patch, Scope};
use pushgate_exposition::{Label, Push};

use crate::bindings::exports::pushgate::plugin::policy;
use crate::bindings::pushgate::plugin::types;
use crate::instance::one_line;
use crate::limits::{CODE_LENGTH, MESSAGE_LENGTH};
use crate::outcome::{Outcome, RawFinding};
use crate::{Decision, Fault, Limits, Manifest, Method, Request, Wants};

/// The push as a plugin is given it: slices of the columns, nothing copied, columns it does not want empty.
/// `grouping` is scratch for the labels beside `job`, `attributes` for what is told of the caller.
pub(crate) fn push_param<'a>(
    push: &'a Push,
    request: Request<'a>,
    wants: Wants,
    grouping: &'a mut Vec<types::Label>,
    attributes: &'a mut Vec<types::Attribute<'a>>,
) -> types::Push<'a> {
    let attribute = |(name, value): &'a (String, String)| types::Attribute { name, value };
    attributes.extend(request.attributes.iter().map(attribute));
    let mut job = 0;
    for label in push.grouping() {
        if push.text(label.name) == "job" {
            job = label.value;
        } else {
            grouping.push(types::Label { name: label.name, value: label.value });
        }
    }
    let (families, series) = (push.family_columns(), push.series_columns());
    types::Push {
        request: types::Request {
            id: request.id,
            method: match request.method {
                Method::Put => types::Method::Put,
                Method::Post => types::Method::Post,
                Method::Delete => types::Method::Delete,
            },
            job,
            grouping,
            received_ms: request.received_ms,
            attributes,
        },
        symbols: types::SymbolsParam { bytes: push.symbols().bytes(), ends: push.symbols().ends() },
        families: types::FamiliesParam {
            name: &families.name,
            kind: &families.kind,
            help: wanted(wants.help, &families.help),
            unit: wanted(wants.unit, &families.unit),
            series_end: &families.series_end,
        },
        series: types::SeriesParam {
            label_end: &series.label_end,
            label_name: &series.label_name,
            label_value: &series.label_value,
            value: wanted(wants.values, &series.value),
            count: wanted(wants.values, &series.count),
            point_end: wanted(wants.points, &series.point_end),
            point_bound: wanted(wants.points, &series.point_bound),
            point_value: wanted(wants.points, &series.point_value),
        },
    }
}

fn wanted<T>(wanted: bool, column: &[T]) -> &[T] {
    if wanted { column } else { &[] }
}

/// Takes an answer to a push of so many series over, if it keeps to the limits and to what the manifest promised.
pub(crate) fn outcome(
    answer: policy::Outcome,
    manifest: &Manifest,
    limits: &Limits,
    series: usize,
) -> Result<Outcome, Fault> {
    within(answer.findings.len(), limits.findings as u64, "findings", "max_findings")?;
    let findings = answer.findings.into_iter().map(finding).collect::<Result<Vec<_>, _>>()?;
    let decision = match answer.decision {
        types::Decision::Accept => Decision::Accept,
        types::Decision::Mutate(_) if !manifest.mutates => {
            return Err(Fault::Nonsense("edits, although its manifest says that it makes none".into()));
        }
        types::Decision::Mutate(patch) => Decision::Mutate(Arc::new(take_patch(patch, limits, series)?)),
        types::Decision::Reject if findings.is_empty() => {
            return Err(Fault::Nonsense("a rejection without a finding that says why".into()));
        }
        types::Decision::Reject => Decision::Reject,
    };
    Ok(Outcome { decision, findings })
}

fn take_patch(patch: types::Patch, limits: &Limits, series: usize) -> Result<Patch, Fault> {
    within(patch.edits.len(), limits.edits(series), "edits", "edits_base, edits_per_series")?;
    let ends = patch.symbols.ends;
    within(ends.len(), limits.symbols(series), "new symbols", "symbols_base, symbols_per_series")?;
    let starts = [0].iter().chain(&ends);
    // Ends that go backwards are for who applies the patch to complain about.
    let longest = starts.zip(&ends).map(|(start, end)| end.saturating_sub(*start)).max().unwrap_or(0);
    within(longest as usize, limits.symbol_length as u64, "bytes in a new symbol", "max_symbol_length")?;
    Ok(Patch { bytes: patch.symbols.bytes, ends, edits: patch.edits.into_iter().map(edit).collect() })
}

/// Refuses more of something than a limit allows; `keys` are what an operator calls it.
fn within(count: usize, limit: u64, what: &str, keys: &str) -> Result<(), Fault> {
    if count as u64 <= limit {
        return Ok(());
    }
    Err(Fault::Oversized(format!("{count} {what}, {limit} are allowed ({keys})")))
}

fn finding(finding: types::Finding) -> Result<RawFinding, Fault> {
    let (message, code) = (finding.message.len(), finding.code.len());
    within(message, MESSAGE_LENGTH as u64, "bytes in a message", "fixed")?;
    within(code, CODE_LENGTH as u64, "bytes in a code", "fixed")?;
    Ok(RawFinding {
        code: one_line(finding.code, CODE_LENGTH),
        message: one_line(finding.message, MESSAGE_LENGTH),
        family: finding.family,
        series: finding.series,
        label: finding.label,
    })
}

fn edit(edit: types::Edit) -> Edit {
    match edit {
        types::Edit::SetLabel((of, name, value)) => Edit::SetLabel { scope: scope(of), name, value },
        types::Edit::RenameLabel((of, from, to)) => Edit::RenameLabel { scope: scope(of), from, to },
        types::Edit::DropLabel((of, name)) => Edit::DropLabel { scope: scope(of), name },
        types::Edit::RenameFamily((family, name)) => Edit::RenameFamily { family, name },
        types::Edit::RenameSeries((series, name)) => Edit::RenameSeries { series, name },
        types::Edit::SetHelp((family, help)) => Edit::SetHelp { family, help },
        types::Edit::Drop(of) => Edit::Drop(scope(of)),
        types::Edit::SetGroupingLabel(label) => {
            Edit::SetGroupingLabel(Label { name: label.name, value: label.value })
        }
        types::Edit::DropGroupingLabel(name) => Edit::DropGroupingLabel(name),
    }
}

fn scope(scope: types::Scope) -> Scope {
    match scope {
        types::Scope::All => Scope::All,
        types::Scope::Family(family) => Scope::Family(family),
        types::Scope::Series(series) => Scope::Series(series),
    }
}
