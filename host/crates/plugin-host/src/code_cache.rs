//! Compiled code, kept for the next start: compiling is nearly all that a start costs.
//!
//! What is kept is a copy that can be made again, and never stands for the plugin itself: whoever loads a plugin has
//! its bytes and has checked them. A cache that does not work is told in the log and done without.

use std::hash::{Hash as _, Hasher};

use pushgate_cache::{CacheDirectory, Digest, Folder, Key, Refused};
use tracing::{debug, warn};
use wasmtime::component::Component;

use crate::Engine;

/// A cache of compiled plugins in a directory that only we write.
#[derive(Clone)]
pub struct CodeCache {
    folder: Folder,
    key: Key,
    max: u64,
}

impl CodeCache {
    /// A cache in that directory, of at most `max` bytes.
    ///
    /// # Errors
    /// When others than us may write there.
    pub fn open(directory: &CacheDirectory, max: u64) -> Result<Self, Refused> {
        Ok(Self { folder: directory.folder("compiled", max)?, key: directory.key()?, max })
    }

    /// The code that this program has compiled of the plugin with that digest, if it is there and whole.
    pub(crate) fn load(&self, engine: &wasmtime::Engine, digest: Digest) -> Option<Component> {
        let name = name(engine, digest);
        let sealed = match self.folder.read(&name, self.max) {
            Ok(sealed) => sealed?,
            Err(error) => {
                warn!(file = name, %error, "compiled code cannot be read; compiling again");
                return None;
            }
        };
        let Some(code) = self.key.unseal(&name, &sealed) else {
            warn!(file = name, "compiled code is damaged or not ours; compiling again");
            return None;
        };
        match deserialize(engine, code) {
            Ok(component) => {
                debug!(%digest, "compiled code taken from the cache");
                Some(component)
            }
            Err(error) => {
                warn!(file = name, %error, "compiled code does not fit this program; compiling again");
                None
            }
        }
    }

    /// Keeps what was compiled of the plugin with that digest.
    pub(crate) fn keep(&self, engine: &wasmtime::Engine, digest: Digest, component: &Component) {
        let name = name(engine, digest);
        let code = component.serialize().map_err(|error| error.to_string());
        let kept = code.and_then(|code| {
            let sealed = self.key.seal(&name, &code);
            self.folder.write(&name, &sealed).map_err(|error| error.to_string())
        });
        if let Err(error) = kept {
            warn!(file = name, error, "compiled code cannot be kept; the next start compiles again");
        }
    }
}

impl Engine {
    /// The same engine, which looks for compiled code there before it compiles; nowhere for `None`.
    #[must_use]
    pub fn with_code_cache(mut self, cache: Option<CodeCache>) -> Self {
        self.code_cache = cache;
        self
    }
}

/// Code fits as long as the plugin, wasmtime, its settings and the processor stay the same; so does its name.
fn name(engine: &wasmtime::Engine, digest: Digest) -> String {
    let mut settings = Bytes(Vec::new());
    // What makes a component of a core module is a part of us.
    env!("CARGO_PKG_VERSION").hash(&mut settings);
    // With the version of wasmtime and the target.
    engine.precompile_compatibility_hash().hash(&mut settings);
    format!("{}-{}.cwasm", digest.hex(), &Digest::of(&settings.0).hex()[..32])
}

/// Collects what would be hashed: the hashes of the standard library may change with its version.
struct Bytes(Vec<u8>);

impl Hasher for Bytes {
    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn finish(&self) -> u64 {
        0
    }
}

/// Nothing in wasmtime looks at machine code before it runs it, so these bytes must be what `Component::serialize`
/// made. They are: `unseal` has found ahead of them, under the name of this plugin and of this engine's settings, a
/// code of authentication that only a program can make that has the key. The key is random, and in a file that only
/// our own user can read, of which we have made sure after opening it; we seal nothing else with it under such a name.
/// Whoever could read it is that user, and may replace this program as well.
#[expect(unsafe_code, reason = "the bytes were made by `Component::serialize`, as is said above")]
fn deserialize(engine: &wasmtime::Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: as above. The slice is ours, so that what was authenticated is what is loaded.
    unsafe { Component::deserialize(engine, code) }
}
