//! Where things are in the repository.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The repository's root folder.
///
/// Known since compile time: xtask is never installed, it always runs from the checkout it was built in.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(3)
        .expect("the crate lies in host/crates/xtask, three levels down")
}

/// A path given relative to the repository's root.
pub fn path(relative: impl AsRef<Path>) -> PathBuf {
    root().join(relative)
}

/// The folder that host binaries are built into, whatever the environment or the user's cargo configuration
/// calls it: read off the place of the running program, `<target>/<profile>/xtask` or
/// `<target>/<profile>/deps/<a test>`.
pub fn target() -> PathBuf {
    let program = std::env::current_exe().expect("the operating system knows the running program");
    let is_target = |folder: &&Path| folder.join("CACHEDIR.TAG").is_file();
    program.ancestors().find(is_target).map_or_else(|| path("target"), Path::to_path_buf)
}

/// A cargo command in `folder` (relative to the root), with the toolchain this program was started with.
pub fn cargo(folder: &str) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.current_dir(path(folder));
    command
}

/// Whether this is a run that must not let anything pass that it could not check.
pub fn in_ci() -> bool {
    std::env::var_os("CI").as_deref() == Some(OsStr::new("true"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_where_the_workspace_manifest_is() {
        let manifest = std::fs::read_to_string(path("Cargo.toml")).unwrap();
        assert!(manifest.starts_with("[workspace]"));
    }

    #[test]
    fn the_target_folder_holds_this_test() {
        assert!(std::env::current_exe().unwrap().starts_with(target()));
    }
}
