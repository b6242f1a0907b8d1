//! `metrics`: counters of a plugin's own.

mod counts;

use wasmtime::StoreContextMut;
use wasmtime::component::LinkerInstance;

pub(crate) use self::counts::Counts;
use super::{Breach, Capability, enter};
use crate::instance::{State, one_line};

/// Bytes of a label's value that are kept.
const VALUE_LENGTH: usize = 128;

type Count = (String, Vec<String>, u64);

pub(super) fn link(instance: &mut LinkerInstance<'_, State>) -> wasmtime::Result<()> {
    instance.func_wrap("count", |mut store: StoreContextMut<'_, State>, (counter, values, by): Count| {
        let bytes = values.iter().map(|value| value.len() + size_of::<String>()).sum::<usize>();
        let given = &enter(&mut store, Capability::Metrics, counter.len() + bytes)?.given;
        let Some(declared) = given.counters.iter().find(|declared| declared.name == counter) else {
            let counter = one_line(counter, VALUE_LENGTH);
            return Err(Breach(format!("it counts '{counter}', which its manifest does not declare")).into());
        };
        let (sent, expected) = (values.len(), declared.labels.len());
        if sent != expected {
            return Err(
                Breach(format!("it counts '{counter}' with {sent} labels instead of {expected}")).into()
            );
        }
        let values: Vec<_> = values.into_iter().map(|value| one_line(value, VALUE_LENGTH)).collect();
        given.granted.belongings.counts.add(declared, values, by, given.granted.quota.counter_series);
        Ok(())
    })
}
