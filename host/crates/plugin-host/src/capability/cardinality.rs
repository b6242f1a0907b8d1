//! `cardinality`: how many values labels have.

use wasmtime::StoreContextMut;
use wasmtime::component::LinkerInstance;

use super::{Capability, enter};
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
    )
}

fn job(evaluation: &Evaluation) -> &str {
    evaluation.key.as_ref().map_or("", |key| key.job())
}
