//! `cardinality`: how many values labels have.

use wasmtime::StoreContextMut;
use wasmtime::component::LinkerInstance;

use super::stored::Growth;
use super::{Capability, charge, enter};
use crate::bindings::pushgate::plugin::cardinality as types;
use crate::granted::Evaluation;
use crate::instance::State;

pub(super) fn link(instance: &mut LinkerInstance<'_, State>) -> wasmtime::Result<()> {
    instance.func_wrap("values", |mut store: StoreContextMut<'_, State>, (label,): (String,)| {
        let evaluation = enter(&mut store, Capability::Cardinality, label.len())?;
        Ok((evaluation.given.granted.stored.values(job(evaluation), &label),))
    })?;
    instance.func_wrap(
        "contains",
        |mut store: StoreContextMut<'_, State>, (label, value): (String, String)| {
            let evaluation = enter(&mut store, Capability::Cardinality, label.len() + value.len())?;
            Ok((evaluation.given.granted.stored.contains(job(evaluation), &label, &value),))
        },
    )?;
    instance.func_wrap(
        "grow",
        |mut store: StoreContextMut<'_, State>, (label, values): (String, Vec<String>)| {
            let bytes = values.iter().map(|value| value.len() + VALUE).sum::<usize>();
            let evaluation = enter(&mut store, Capability::Cardinality, label.len() + bytes)?;
            let Some((key, replaced)) = evaluation.key.as_ref().zip(evaluation.replaced.as_ref()) else {
                return Ok((types::Growth { values: 0, known: vec![false; values.len()] },));
            };
            let Growth { values, known, looked_at } =
                evaluation.given.granted.stored.growth(key, replaced, &label, &values);
            charge(&mut store, looked_at.saturating_mul(LABEL))?;
            Ok((types::Growth { values, known },))
        },
    )?;
    instance.func_wrap("kept-series", |mut store: StoreContextMut<'_, State>, (): ()| {
        let evaluation = enter(&mut store, Capability::Cardinality, 0)?;
        let Some((key, replaced)) = evaluation.key.as_ref().zip(evaluation.replaced.as_ref()) else {
            return Ok((0,));
        };
        let kept = evaluation.given.granted.stored.kept_series(key, replaced);
        charge(&mut store, usize::try_from(kept).unwrap_or(usize::MAX).saturating_mul(SERIES))?;
        Ok((kept,))
    })
}

/// What one value takes, beside its bytes: some 100 ns.
const VALUE: usize = 200;

/// What looking at a stored label takes: some 30 ns.
const LABEL: usize = 60;

/// What a series takes that is counted; most are by the family.
const SERIES: usize = 20;

fn job(evaluation: &Evaluation) -> &str {
    evaluation.key.as_ref().map_or("", |key| key.job())
}
