//! An empty WASI context, for plugins built for `wasm32-wasip2`.
//!
//! The standard library imports WASI 0.2 whether a plugin uses it or not. What it needs to start and to make
//! a hash map is served here, with nothing behind it: no environment, no arguments, a clock that stands still,
//! the same random numbers every time (so that outcomes repeat). Files, sockets, the standard streams and
//! whatever else is imported trap when they are called.

use wasmtime::component::{Component, Linker, LinkerInstance};

/// Wasmtime matches versions by semver: a definition at 0.2.0 serves every 0.2.
const VERSION: &str = "0.2.0";

/// Whether an import is WASI's.
pub(crate) fn is_wasi(import: &str) -> bool {
    import.starts_with("wasi:")
}

/// Serves the WASI imports of a component; those it does not serve trap when called.
pub(crate) fn link<T: 'static>(linker: &mut Linker<T>, component: &Component) -> wasmtime::Result<()> {
    let mut instance = |name: &str, define: fn(&mut LinkerInstance<'_, T>) -> wasmtime::Result<()>| {
        define(&mut linker.instance(&format!("wasi:{name}@{VERSION}"))?)
    };
    instance("cli/environment", |environment| {
        environment.func_wrap("get-environment", |_, ()| Ok((Vec::<(String, String)>::new(),)))?;
        environment.func_wrap("get-arguments", |_, ()| Ok((Vec::<String>::new(),)))?;
        environment.func_wrap("initial-cwd", |_, ()| Ok((None::<String>,)))
    })?;
    instance("clocks/monotonic-clock", |clock| clock.func_wrap("now", |_, ()| Ok((0u64,))))?;
    instance("random/random", |random| {
        random.func_wrap("get-random-u64", |_, ()| Ok((SEED,)))?;
        random.func_wrap("get-random-bytes", |_, (len,): (u64,)| Ok((same_bytes(len)?,)))
    })?;
    instance("random/insecure-seed", |random| {
        random.func_wrap("insecure-seed", |_, ()| Ok(((SEED, SEED.rotate_left(32)),)))
    })?;
    linker.define_unknown_imports_as_traps(component)
}

const SEED: u64 = 0x9e37_79b9_7f4a_7c15;

/// As many bytes as asked for, within reason: the standard library asks for 16.
fn same_bytes(len: u64) -> wasmtime::Result<Vec<u8>> {
    match usize::try_from(len) {
        Ok(len) if len <= 4096 => Ok((0..len).map(|at| SEED.to_le_bytes()[at % 8] ^ at as u8).collect()),
        _ => Err(wasmtime::Error::msg("too many random bytes asked for at once")),
    }
}
