//! From the bytes of a plugin file to a component that may be instantiated.

use pushgate_cache::Digest;
use wasmtime::component::Component;

use crate::{Capability, Engine, LoadError, wasi};

/// A plugin file of more is refused before it is compiled. The bundled plugins are well below 1 MiB.
const MAX_FILE: usize = 32 << 20;

/// The interface that every plugin exports, without its version.
const POLICY: &str = "pushgate:plugin/policy";

/// Types only: an import of it asks for nothing.
const TYPES: &str = "pushgate:plugin/types";

/// Where the machine code of a plugin came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeSource {
    /// It was compiled.
    Compiled,
    /// It was compiled at an earlier start.
    Cache,
    /// Another policy has it, or the chain before.
    InUse,
}

/// The component of a plugin file: compiled, or as it was compiled before. A core module, which is what plain `cargo build` makes for
/// `wasm32-unknown-unknown`, is made a component first, by the interface description inside it.
pub(crate) fn compile(
    engine: &Engine,
    bytes: &[u8],
    digest: Digest,
) -> Result<(Component, CodeSource), LoadError> {
    if bytes.len() > MAX_FILE {
        return Err(LoadError::TooLarge { bytes: bytes.len(), limit: MAX_FILE });
    }
    let cache = engine.code_cache.as_ref();
    if let Some(component) = cache.and_then(|cache| cache.load(&engine.wasmtime, digest)) {
        return Ok((component, CodeSource::Cache));
    }
    let component = compile_anew(engine, bytes)?;
    if let Some(cache) = cache {
        cache.keep(&engine.wasmtime, digest, &component);
    }
    Ok((component, CodeSource::Compiled))
}

fn compile_anew(engine: &Engine, bytes: &[u8]) -> Result<Component, LoadError> {
    let component = match bytes {
        [b'\0', b'a', b's', b'm', 1, 0, 0, 0, ..] => componentise(bytes)?,
        [b'\0', b'a', b's', b'm', ..] => bytes.to_vec(),
        _ => return Err(LoadError::NotWebAssembly),
    };
    Component::from_binary(&engine.wasmtime, &component)
        .map_err(|error| LoadError::Compile(format!("{error:#}")))
}

fn componentise(module: &[u8]) -> Result<Vec<u8>, LoadError> {
    wit_component::ComponentEncoder::default()
        .validate(true)
        .module(module)
        .and_then(|mut encoder| encoder.encode())
        .map_err(|error| LoadError::NoComponent(format!("{error:#}")))
}

/// The package and version of the contract that a component was made for, read off what it exports.
pub(crate) fn contract(engine: &Engine, component: &Component) -> String {
    let ty = component.component_type();
    let mut exports = ty.exports(&engine.wasmtime).map(|(name, _)| name);
    let policy = exports.find_map(|name| name.strip_prefix(POLICY));
    policy.map(|version| format!("pushgate:plugin{version}")).unwrap_or_default()
}

/// What a component imports is what it can do. An import that nobody serves would fail only when it is
/// called, so it is refused here, by its name.
pub(crate) fn capabilities(engine: &Engine, component: &Component) -> Result<Vec<Capability>, LoadError> {
    let mut capabilities = Vec::new();
    for (import, _) in component.component_type().imports(&engine.wasmtime) {
        let (interface, _version) = import.split_once('@').unwrap_or((import, ""));
        match Capability::of_import(interface) {
            Some(capability) => capabilities.push(capability),
            None if interface == TYPES || wasi::is_wasi(interface) => {}
            None => return Err(LoadError::UnknownImport(import.to_owned())),
        }
    }
    capabilities.sort_unstable();
    Ok(capabilities)
}
