//! What has to be built before a test can start: the gateway's binary and the guests.

use std::path::PathBuf;
use std::sync::OnceLock;

use xtask::guests::{self, GuestWorkspace};
use xtask::{javascript, test, wasm_target, workspace};

use crate::tools::{self, Tool};

/// The gateway.
pub fn gateway() -> PathBuf {
    ensure_built();
    workspace::target().join("debug/pushgate")
}

/// The folder of the bundled plugins.
pub fn plugins() -> PathBuf {
    ensure_built();
    workspace::path(guests::PLUGINS.output)
}

/// A bundled plugin.
pub fn plugin(name: &str) -> PathBuf {
    installed(guests::PLUGINS, name)
}

/// One of the guests below `tests/guests` or the plugin of `examples/custom-plugin`.
pub fn guest(name: &str) -> PathBuf {
    installed(guests::TEST_GUESTS, name)
}

/// The plugin of `examples/javascript-plugin`; nothing where there is no npm.
pub fn javascript_plugin() -> Option<PathBuf> {
    tools::require(Tool::Npm)?;
    Some(javascript::build().unwrap_or_else(|failure| panic!("{failure}")))
}

fn installed(workspace: GuestWorkspace, name: &str) -> PathBuf {
    ensure_built();
    guests::installed(workspace, name).unwrap_or_else(|failure| panic!("{failure}"))
}

/// Builds everything once, unless `cargo xtask test` has just done so.
fn ensure_built() {
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(|| {
        if std::env::var_os(test::READY).is_none() {
            wasm_target::ensure(&[wasm_target::UNKNOWN, wasm_target::WASI])
                .and_then(|()| test::build())
                .unwrap_or_else(|failure| panic!("{failure}"));
        }
    });
}
