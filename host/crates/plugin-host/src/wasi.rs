//! An empty WASI context, for plugins built for `wasm32-wasip2`.
//!
//! The standard library imports WASI 0.2 whether a plugin uses it or not. What it needs to start and to make
//! a hash map is served here, with nothing behind it: no environment, no arguments, a clock that stands still,
//! the same random numbers every time (so that outcomes repeat), and standard streams that forget what is written,
//! so that a forgotten `println!` is no fault. Files, sockets and whatever else is imported trap when they are
//! called.

use wasmtime::component::{Component, ComponentType, Linker, LinkerInstance, Lower, Resource, ResourceType};

/// Whether an import is WASI's.
pub(crate) fn is_wasi(import: &str) -> bool {
    import.starts_with("wasi:")
}

/// Serves the WASI imports of a component; those it does not serve trap when called.
///
/// Each is defined under the very name that the component imports, whatever its 0.2.x: the traps are, too, and
/// would win over a definition that only matches by semver.
pub(crate) fn link<T: 'static>(linker: &mut Linker<T>, component: &Component) -> wasmtime::Result<()> {
    for (name, _) in component.component_type().imports(component.engine()) {
        let Some((interface, version)) = name.split_once('@') else { continue };
        if version.starts_with("0.2.") && is_wasi(interface) {
            define(&mut linker.instance(name)?, interface)?;
        }
    }
    linker.define_unknown_imports_as_traps(component)
}

fn define<T: 'static>(instance: &mut LinkerInstance<'_, T>, interface: &str) -> wasmtime::Result<()> {
    match interface {
        "wasi:cli/environment" => {
            instance.func_wrap("get-environment", |_, ()| Ok((Vec::<(String, String)>::new(),)))?;
            instance.func_wrap("get-arguments", |_, ()| Ok((Vec::<String>::new(),)))?;
            instance.func_wrap("initial-cwd", |_, ()| Ok((None::<String>,)))
        }
        "wasi:cli/stderr" => {
            resource::<T, OutputStream>(instance, "output-stream")?;
            instance.func_wrap("get-stderr", |_, ()| Ok((forgetful(),)))
        }
        "wasi:cli/stdout" => {
            resource::<T, OutputStream>(instance, "output-stream")?;
            instance.func_wrap("get-stdout", |_, ()| Ok((forgetful(),)))
        }
        "wasi:clocks/monotonic-clock" => {
            resource::<T, Pollable>(instance, "pollable")?;
            instance.func_wrap("now", |_, ()| Ok((0u64,)))
        }
        "wasi:io/error" => resource::<T, IoError>(instance, "error"),
        "wasi:io/poll" => {
            resource::<T, Pollable>(instance, "pollable")?;
            instance.func_wrap("[method]pollable.ready", |_, (_,): (Resource<Pollable>,)| Ok((true,)))?;
            instance.func_wrap("[method]pollable.block", |_, (_,): (Resource<Pollable>,)| Ok(()))
        }
        "wasi:io/streams" => output_streams(instance),
        "wasi:random/insecure-seed" => {
            instance.func_wrap("insecure-seed", |_, ()| Ok(((SEED, SEED.rotate_left(32)),)))
        }
        "wasi:random/random" => {
            instance.func_wrap("get-random-u64", |_, ()| Ok((SEED,)))?;
            instance.func_wrap("get-random-bytes", |_, (len,): (u64,)| Ok((same_bytes(len)?,)))
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
fn resource<T: 'static, R: 'static>(
    instance: &mut LinkerInstance<'_, T>,
    name: &str,
) -> wasmtime::Result<()> {
    instance.resource(name, ResourceType::host::<R>(), |_, _| Ok(()))
}

fn forgetful() -> Resource<OutputStream> {
    Resource::new_own(0)
}

/// How much a guest may write at once: what `std` buffers anyway.
const WRITE_SIZE: u64 = 4096;

fn output_streams<T: 'static>(streams: &mut LinkerInstance<'_, T>) -> wasmtime::Result<()> {
    type Stream = Resource<OutputStream>;
    const DONE: Result<(), StreamError> = Ok(());
    resource::<T, IoError>(streams, "error")?;
    resource::<T, Pollable>(streams, "pollable")?;
    resource::<T, OutputStream>(streams, "output-stream")?;
    streams.func_wrap("[method]output-stream.check-write", |_, (_,): (Stream,)| {
        Ok((Ok::<u64, StreamError>(WRITE_SIZE),))
    })?;
    streams.func_wrap("[method]output-stream.write", |_, _: (Stream, Vec<u8>)| Ok((DONE,)))?;
    streams
        .func_wrap("[method]output-stream.blocking-write-and-flush", |_, _: (Stream, Vec<u8>)| Ok((DONE,)))?;
    streams.func_wrap("[method]output-stream.subscribe", |_, (_,): (Stream,)| {
        Ok((Resource::<Pollable>::new_own(0),))
    })?;
    streams.func_wrap("[method]output-stream.flush", |_, _: (Stream,)| Ok((DONE,)))?;
    streams.func_wrap("[method]output-stream.blocking-flush", |_, _: (Stream,)| Ok((DONE,)))
}

const SEED: u64 = 0x9e37_79b9_7f4a_7c15;

/// As many bytes as asked for, within reason: the standard library asks for 16.
fn same_bytes(len: u64) -> wasmtime::Result<Vec<u8>> {
    match usize::try_from(len) {
        Ok(len) if len <= 4096 => Ok((0..len).map(|at| SEED.to_le_bytes()[at % 8] ^ at as u8).collect()),
        _ => Err(wasmtime::Error::msg("too many random bytes asked for at once")),
    }
}
