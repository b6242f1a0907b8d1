//! `state`: a small memory that outlives an evaluation.

mod entries;

use wasmtime::StoreContextMut;
use wasmtime::component::LinkerInstance;

pub(crate) use self::entries::Entries;
use super::{Capability, charge, enter};
use crate::bindings::pushgate::plugin::state::{Entry, Error};
use crate::granted::Evaluation;
use crate::instance::State;

type Put = (String, Vec<u8>, Option<u64>, u64);

pub(super) fn link(instance: &mut LinkerInstance<'_, State>) -> wasmtime::Result<()> {
    instance.func_wrap("get", |mut store: StoreContextMut<'_, State>, (key,): (String,)| {
        let evaluation = enter(&mut store, Capability::State, key.len())?;
        let entry = entries(evaluation).get(&key, evaluation.now_ms);
        let entry = entry.map(|(version, value)| Entry { version, value });
        charge(&mut store, entry.as_ref().map_or(0, |entry| entry.value.len()))?;
        Ok((entry,))
    })?;
    instance.func_wrap(
        "put",
        |mut store: StoreContextMut<'_, State>, (key, value, expected, ttl_ms): Put| {
            let evaluation = enter(&mut store, Capability::State, key.len() + value.len())?;
            let (now, quota) = (evaluation.now_ms, &evaluation.given.granted.quota);
            Ok((entries(evaluation).put(key, value, expected, expiry(now, ttl_ms), now, quota),))
        },
    )?;
    instance.func_wrap(
        "add",
        |mut store: StoreContextMut<'_, State>, (key, by, ttl_ms): (String, i64, u64)| {
            let evaluation = enter(&mut store, Capability::State, key.len())?;
            let (now, quota) = (evaluation.now_ms, &evaluation.given.granted.quota);
            Ok((entries(evaluation).add(key, by, expiry(now, ttl_ms), now, quota),))
        },
    )?;
    instance.func_wrap("remove", |mut store: StoreContextMut<'_, State>, (key,): (String,)| {
        let evaluation = enter(&mut store, Capability::State, key.len())?;
        Ok((entries(evaluation).remove(&key, evaluation.now_ms),))
    })
}

fn entries(evaluation: &Evaluation) -> &Entries {
    &evaluation.given.granted.belongings.state
}

/// When an entry that is kept for so long is gone.
fn expiry(now_ms: i64, ttl_ms: u64) -> i64 {
    now_ms.saturating_add_unsigned(ttl_ms)
}
