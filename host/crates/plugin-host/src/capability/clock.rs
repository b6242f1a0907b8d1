//! `clock`: when the push arrived.

use wasmtime::StoreContextMut;
use wasmtime::component::LinkerInstance;

use super::{Capability, enter};
use crate::instance::State;

pub(super) fn link(instance: &mut LinkerInstance<'_, State>) -> wasmtime::Result<()> {
    instance.func_wrap("now-ms", |mut store: StoreContextMut<'_, State>, (): ()| {
        Ok((enter(&mut store, Capability::Clock, 0)?.now_ms,))
    })
}
