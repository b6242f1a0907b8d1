//! Guests: the WebAssembly side of the project. This is the only code that builds them.
//!
//! They live in workspaces of their own, because a workspace shares one lock file and one resolution of features
//! and is built for one target: among the host's crates they would be built for the wrong one.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::failure::{Context as _, Failure, Result};
use crate::{step, wasm_target, workspace};

/// A workspace of guests, and where the built ones go.
#[derive(Debug, Clone, Copy)]
pub struct GuestWorkspace {
    /// Relative to the repository's root.
    pub folder: &'static str,
    /// Relative to the repository's root, too: `config.toml` names it, so it stays where it is even when the
    /// environment sends cargo's own output elsewhere.
    pub output: &'static str,
}

/// The plugins that come with the gateway; `config.toml` names the folder they go to.
pub const PLUGINS: GuestWorkspace = GuestWorkspace { folder: "plugins", output: "target/plugins" };

/// Plugins that nobody should load, for the tests.
pub const TEST_GUESTS: GuestWorkspace = GuestWorkspace { folder: "tests/guests", output: "target/guests" };

/// The example of somebody else's plugin. Only the tests load it.
pub const CUSTOM_PLUGIN: GuestWorkspace =
    GuestWorkspace { folder: "examples/custom-plugin", output: "target/guests" };

/// All of them.
pub const ALL: [GuestWorkspace; 3] = [PLUGINS, TEST_GUESTS, CUSTOM_PLUGIN];

/// One package that becomes a `.wasm` file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Guest {
    package: String,
    target: &'static str,
}

impl GuestWorkspace {
    /// Builds every guest of the workspace and puts it where tests and configurations look for it, under the name
    /// that cargo gives it. Returns the files.
    pub fn build(&self) -> Result<Vec<PathBuf>> {
        let guests = self.guests()?;
        for target in [wasm_target::UNKNOWN, wasm_target::WASI] {
            let packages: Vec<&str> =
                guests.iter().filter(|guest| guest.target == target).map(|guest| &*guest.package).collect();
            if !packages.is_empty() {
                let what = format!("build {} for {target}: {}", self.folder, packages.join(", "));
                step::run(
                    &what,
                    self.cargo("build")
                        .args(["--release", "--target", target])
                        .args(packages.iter().flat_map(|package| ["--package", package])),
                )?;
            }
        }
        guests.iter().map(|guest| self.install(guest)).collect()
    }

    /// A cargo command in this workspace, free of what the host's build has put into the environment.
    pub fn cargo(&self, subcommand: &str) -> Command {
        let mut command = workspace::cargo(self.folder);
        command.arg(subcommand).arg("--target-dir").arg(self.build_folder());
        // Flags for the host are not flags for wasm: sanitizers, coverage, `-C target-cpu=native` and linkers
        // arrive here when somebody sets them for the host's tests, and break the build or change the guest.
        // Cargo hands them on under the encoded name, clippy hands on its wrapper.
        for name in [
            "CARGO_ENCODED_RUSTFLAGS",
            "CARGO_BUILD_RUSTFLAGS",
            "CARGO_BUILD_TARGET",
            "RUSTC_WORKSPACE_WRAPPER",
            "RUSTDOCFLAGS",
            "RUSTFLAGS",
        ] {
            command.env_remove(name);
        }
        command
    }

    /// Cargo's own folder for this workspace. Named on the command line, because the environment may say that
    /// everything goes to one folder; then two workspaces would wait for each other's lock, in a nested build
    /// forever.
    fn build_folder(&self) -> PathBuf {
        workspace::path(self.folder).join("target")
    }

    /// Finds the guests by their manifests: whatever is built as a `cdylib`, in the workspace's own folder or one
    /// level down. A new plugin needs no entry here.
    fn guests(&self) -> Result<Vec<Guest>> {
        let folder = workspace::path(self.folder);
        let mut manifests = vec![folder.join("Cargo.toml")];
        for entry in fs::read_dir(&folder).context(|| folder.display().to_string())? {
            let entry = entry.context(|| folder.display().to_string())?;
            manifests.push(entry.path().join("Cargo.toml"));
        }
        manifests.sort();
        let mut guests = Vec::new();
        for manifest in manifests.iter().filter(|manifest| manifest.is_file()) {
            let text = fs::read_to_string(manifest).context(|| manifest.display().to_string())?;
            guests.extend(Guest::from_manifest(&text));
        }
        Ok(guests)
    }

    /// Copies a built guest, but only when it is another one than before: the gateway and make-like tools go by
    /// the time of the file.
    fn install(&self, guest: &Guest) -> Result<PathBuf> {
        let built = self.build_folder().join(guest.target).join("release").join(file_name(&guest.package));
        let folder = workspace::path(self.output);
        let installed = folder.join(file_name(&guest.package));
        let bytes = fs::read(&built).context(|| built.display().to_string())?;
        if fs::read(&installed).is_ok_and(|before| before == bytes) {
            return Ok(installed);
        }
        fs::create_dir_all(&folder).context(|| folder.display().to_string())?;
        // Written beside and renamed: a running gateway must never see half a plugin.
        let unfinished = folder.join(format!(".{}.{}", guest.package, std::process::id()));
        fs::write(&unfinished, bytes).context(|| unfinished.display().to_string())?;
        fs::rename(&unfinished, &installed).context(|| installed.display().to_string())?;
        Ok(installed)
    }
}

impl Guest {
    /// Reads the few lines that matter; a TOML parser would be this crate's only dependency.
    fn from_manifest(manifest: &str) -> Option<Self> {
        if !manifest
            .lines()
            .any(|line| line.trim_start().starts_with("crate-type") && line.contains("\"cdylib\""))
        {
            return None;
        }
        let package = string_value(manifest, "name")?.to_owned();
        let asks_for_wasi = string_value(manifest, "target") == Some(wasm_target::WASI);
        let target = if asks_for_wasi { wasm_target::WASI } else { wasm_target::UNKNOWN };
        Some(Self { package, target })
    }
}

/// The value of the first line `key = "value"`.
fn string_value<'a>(manifest: &'a str, key: &str) -> Option<&'a str> {
    manifest.lines().find_map(|line| {
        let (name, value) = line.split_once('=')?;
        (name.trim() == key).then(|| value.trim().trim_matches('"'))
    })
}

/// Where a guest of that name is, once its workspace has been built.
pub fn installed(workspace: GuestWorkspace, package: &str) -> Result<PathBuf> {
    let file = workspace::path(workspace.output).join(file_name(package));
    if file.is_file() {
        return Ok(file);
    }
    Err(Failure::new(format!("{} is not there: run `cargo xtask plugins --all`", file.display())))
}

/// What cargo makes of a package's name.
fn file_name(package: &str) -> String {
    format!("{}.wasm", package.replace('-', "_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_is_what_builds_a_cdylib() {
        let guest = |package: &str, target| Some(Guest { package: package.to_owned(), target });
        let cases = [
            ("a library is no guest", "[package]\nname = \"sdk\"\n", None),
            (
                "a cdylib is",
                "[package]\nname = \"naming\"\n[lib]\ncrate-type = [\"cdylib\", \"rlib\"]\n",
                guest("naming", wasm_target::UNKNOWN),
            ),
            (
                "one that asks for WASI gets it",
                "[package]\nname = \"w\"\n[package.metadata.pushgate]\ntarget = \"wasm32-wasip2\"\n[lib]\ncrate-type = [\"cdylib\"]\n",
                guest("w", wasm_target::WASI),
            ),
        ];
        for (rule, manifest, expected) in cases {
            assert_eq!(Guest::from_manifest(manifest), expected, "{rule}");
        }
    }

    #[test]
    fn a_guest_is_built_without_the_hosts_flags() {
        let command = PLUGINS.cargo("build");
        let removed = command.get_envs().filter(|(_, value)| value.is_none()).map(|(name, _)| name);
        assert!(removed.into_iter().any(|name| name == "CARGO_ENCODED_RUSTFLAGS"));
    }
}
