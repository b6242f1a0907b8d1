//! An empty WASI context, for plugins built for `wasm32-wasip2`.
//!
//! The standard library imports WASI 0.2 whether a plugin uses it or not. What it needs to start and to make
//! a hash map is served here, with nothing behind it: no environment, no arguments, a clock that stands still,
//! the same random numbers every time (so that outcomes repeat), and standard streams that forget what is written,
//! so that a forgotten `println!` is no fault. Files, sockets and whatever else is imported trap when they are
//! called.

use wasmtime::StoreContextMut;
use wasmtime::component::{
    Component, ComponentNamedList, ComponentType, Lift, Linker, LinkerInstance, Lower, Resource, ResourceType,
};

use crate::capability::charge;
use crate::instance::State;

/// Whether an import is WASI's.
pub(crate) fn is_wasi(import: &str) -> bool {
    import.starts_with("wasi:")
}

/// Serves the WASI imports of a component; those it does not serve trap when called.
///
/// Each is defined under the very name that the component imports, whatever its 0.2.x: the traps are, too, and
/// would win over a definition that only matches by semver.
pub(crate) fn link(linker: &mut Linker<State>, component: &Component) -> wasmtime::Result<()> {
    for (name, _) in component.component_type().imports(component.engine()) {
        let Some((interface, version)) = name.split_once('@') else { continue };
        if version.starts_with("0.2.") && is_wasi(interface) {
            define(&mut linker.instance(name)?, interface)?;
        }
    }
    linker.define_unknown_imports_as_traps(component)
}

fn define(instance: &mut LinkerInstance<'_, State>, interface: &str) -> wasmtime::Result<()> {
    match interface {
        "wasi:cli/environment" => {
            serve(instance, "get-environment", |()| Ok((Vec::<(String, String)>::new(),)))?;
            serve(instance, "get-arguments", |()| Ok((Vec::<String>::new(),)))?;
            serve(instance, "initial-cwd", |()| Ok((None::<String>,)))
        }
        "wasi:cli/stderr" => {
            resource::<OutputStream>(instance, "output-stream")?;
            serve(instance, "get-stderr", |()| Ok((forgetful(),)))
        }
        "wasi:cli/stdout" => {
            resource::<OutputStream>(instance, "output-stream")?;
            serve(instance, "get-stdout", |()| Ok((forgetful(),)))
        }
        "wasi:clocks/monotonic-clock" => {
            resource::<Pollable>(instance, "pollable")?;
            serve(instance, "now", |()| Ok((0u64,)))
        }
        "wasi:io/error" => resource::<IoError>(instance, "error"),
        "wasi:io/poll" => {
            resource::<Pollable>(instance, "pollable")?;
            serve(instance, "[method]pollable.ready", |(_,): (Resource<Pollable>,)| Ok((true,)))?;
            serve(instance, "[method]pollable.block", |(_,): (Resource<Pollable>,)| Ok(()))
        }
        "wasi:io/streams" => output_streams(instance),
        "wasi:random/insecure-seed" => {
            serve(instance, "insecure-seed", |()| Ok(((SEED, SEED.rotate_left(32)),)))
        }
        "wasi:random/random" => {
            serve(instance, "get-random-u64", |()| Ok((SEED,)))?;
            serve(instance, "get-random-bytes", |(len,): (u64,)| Ok((same_bytes(len)?,)))
        }
        _ => Ok(()),
    }
}

/// The resource `output-stream`. There is only the kind that forgets, so all have the same number.
enum OutputStream {}

/// The resource `error`. Nothing here fails, so there is none.
enum IoError {}

/// The resource `pollable`. Whatever is waited for here has happened.
enum Pollable {}

/// What a write can end in, if only it could.
#[derive(ComponentType, Lower)]
#[component(variant)]
#[expect(dead_code, reason = "the contract has it, writing into nothing never fails")]
enum StreamError {
    #[component(name = "last-operation-failed")]
    LastOperationFailed(Resource<IoError>),
    #[component(name = "closed")]
    Closed,
}

/// Defines a resource in one of the interfaces that have it: each that uses a resource of another one has it, too,
/// and all must mean the same type.
fn resource<R: 'static>(instance: &mut LinkerInstance<'_, State>, name: &str) -> wasmtime::Result<()> {
    instance.resource(name, ResourceType::host::<R>(), |_, _| Ok(()))
}

fn forgetful() -> Resource<OutputStream> {
    Resource::new_own(0)
}

/// How much a guest may write at once: what `std` buffers anyway.
const WRITE_SIZE: u64 = 4096;

fn output_streams(streams: &mut LinkerInstance<'_, State>) -> wasmtime::Result<()> {
    type Stream = Resource<OutputStream>;
    const DONE: Result<(), StreamError> = Ok(());
    resource::<IoError>(streams, "error")?;
    resource::<Pollable>(streams, "pollable")?;
    resource::<OutputStream>(streams, "output-stream")?;
    serve(streams, "[method]output-stream.check-write", |(_,): (Stream,)| {
        Ok((Ok::<u64, StreamError>(WRITE_SIZE),))
    })?;
    streams.func_wrap("[method]output-stream.write", forget)?;
    streams.func_wrap("[method]output-stream.blocking-write-and-flush", forget)?;
    serve(streams, "[method]output-stream.subscribe", |(_,): (Stream,)| {
        Ok((Resource::<Pollable>::new_own(0),))
    })?;
    serve(streams, "[method]output-stream.flush", |_: (Stream,)| Ok((DONE,)))?;
    serve(streams, "[method]output-stream.blocking-flush", |_: (Stream,)| Ok((DONE,)))
}

/// Serves a function that a guest may call as often as its fuel lasts.
fn serve<P, R>(
    instance: &mut LinkerInstance<'_, State>,
    name: &str,
    answer: impl Fn(P) -> wasmtime::Result<R> + Send + Sync + 'static,
) -> wasmtime::Result<()>
where
    P: ComponentNamedList + Lift + 'static,
    R: ComponentNamedList + Lower + 'static,
{
    instance.func_wrap(name, move |mut store: StoreContextMut<'_, State>, parameters: P| {
        charge(&mut store, 0)?;
        answer(parameters)
    })
}

/// Takes what a guest writes.
fn forget(
    mut store: StoreContextMut<'_, State>,
    (_, bytes): (Resource<OutputStream>, Vec<u8>),
) -> wasmtime::Result<(Result<(), StreamError>,)> {
    charge(&mut store, bytes.len())?;
    Ok((Ok(()),))
}

const SEED: u64 = 0x9e37_79b9_7f4a_7c15;

/// As many bytes as asked for, within reason: the standard library asks for 16.
fn same_bytes(len: u64) -> wasmtime::Result<Vec<u8>> {
    match usize::try_from(len) {
        Ok(len) if len <= 4096 => Ok((0..len).map(|at| SEED.to_le_bytes()[at % 8] ^ at as u8).collect()),
        _ => Err(wasmtime::Error::msg("too many random bytes asked for at once")),
    }
}
