//! Between the host's data form and the records that cross the boundary, as the host does it.

use pushgate_exposition as exposition;
use pushgate_exposition::edit;

use crate::bindings::types;
use crate::testing::{Answer, CaseError, Decision, Remark};
use crate::{Column, Method};

pub(super) const ALL_COLUMNS: &[Column] = &[Column::Help, Column::Unit, Column::Values, Column::Points];

/// The record that the host would send to a plugin that wants these columns.
pub(super) fn to_wire(
    push: &exposition::Push,
    method: Method,
    caller: &[(String, String)],
    wants: &[Column],
) -> types::Push {
    fn column<T: Copy>(wanted: bool, column: &[T]) -> Vec<T> {
        if wanted { column.to_vec() } else { Vec::new() }
    }
    let wants = |column| wants.contains(&column);
    let (families, series) = (push.family_columns(), push.series_columns());
    let (jobs, others): (Vec<exposition::Label>, Vec<exposition::Label>) =
        push.grouping().iter().partition(|label| push.text(label.name) == "job");
    let attribute =
        |(name, value): &(String, String)| types::Attribute { name: name.clone(), value: value.clone() };
    let label = |label: &exposition::Label| types::Label { name: label.name, value: label.value };
    types::Push {
        request: types::Request {
            id: "test".to_owned(),
            method: match method {
                Method::Put => types::Method::Put,
                Method::Post => types::Method::Post,
                Method::Delete => types::Method::Delete,
            },
            job: jobs.first().map_or(0, |job| job.value),
            grouping: others.iter().map(label).collect(),
            received_ms: 0,
            attributes: caller.iter().map(attribute).collect(),
        },
        symbols: types::Symbols {
            bytes: push.symbols().bytes().to_vec(),
            ends: push.symbols().ends().to_vec(),
        },
        families: types::Families {
            name: families.name.clone(),
            kind: families.kind.clone(),
            help: column(wants(Column::Help), &families.help),
            unit: column(wants(Column::Unit), &families.unit),
            series_end: families.series_end.clone(),
        },
        series: types::Series {
            label_end: series.label_end.clone(),
            label_name: series.label_name.clone(),
            label_value: series.label_value.clone(),
            value: column(wants(Column::Values), &series.value),
            count: column(wants(Column::Values), &series.count),
            point_end: column(wants(Column::Points), &series.point_end),
            point_bound: column(wants(Column::Points), &series.point_bound),
            point_value: column(wants(Column::Points), &series.point_value),
        },
    }
}

/// What a plugin's outcome means for the push.
pub(super) fn answer(push: &exposition::Push, outcome: types::Outcome) -> Result<Answer, CaseError> {
    let remark = |finding: types::Finding| Remark {
        code: finding.code,
        message: finding.message,
        family: finding.family,
        series: finding.series,
        label: finding.label.map(|name| push.text(name).to_owned()),
        attributes: finding.attributes,
    };
    let findings = outcome.findings.into_iter().map(remark).collect();
    let (decision, after) = match outcome.decision {
        types::Decision::Accept => (Decision::Accept, None),
        types::Decision::Reject => (Decision::Reject, None),
        types::Decision::Mutate(patch) => {
            let mut after = push.clone();
            after.apply(&to_patch(patch)).map_err(|error| CaseError::new(error.to_string()))?;
            (Decision::Mutate, Some(after))
        }
    };
    Ok(Answer { decision, findings, after })
}

fn to_patch(patch: types::Patch) -> edit::Patch {
    let scope = |scope| match scope {
        types::Scope::All => edit::Scope::All,
        types::Scope::Family(family) => edit::Scope::Family(family),
        types::Scope::Series(series) => edit::Scope::Series(series),
    };
    let edit = |edit| match edit {
        types::Edit::SetLabel((rows, name, value)) => {
            edit::Edit::SetLabel { scope: scope(rows), name, value }
        }
        types::Edit::RenameLabel((rows, from, to)) => {
            edit::Edit::RenameLabel { scope: scope(rows), from, to }
        }
        types::Edit::DropLabel((rows, name)) => edit::Edit::DropLabel { scope: scope(rows), name },
        types::Edit::RenameFamily((family, name)) => edit::Edit::RenameFamily { family, name },
        types::Edit::RenameSeries((series, name)) => edit::Edit::RenameSeries { series, name },
        types::Edit::SetHelp((family, help)) => edit::Edit::SetHelp { family, help },
        types::Edit::Drop(rows) => edit::Edit::Drop(scope(rows)),
        types::Edit::SetGroupingLabel(types::Label { name, value }) => {
            edit::Edit::SetGroupingLabel(exposition::Label { name, value })
        }
        types::Edit::DropGroupingLabel(name) => edit::Edit::DropGroupingLabel(name),
    };
    edit::Patch {
        bytes: patch.symbols.bytes,
        ends: patch.symbols.ends,
        edits: patch.edits.into_iter().map(edit).collect(),
    }
}
