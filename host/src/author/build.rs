//! `plugin build`: the plugin of a project, built by cargo and looked at by the host.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context as _;
use serde_json::Value;

use super::conditions::Conditions;
use super::workbench::Workbench;

/// What cargo builds a plugin for: a core module without any system interface.
const TARGET: &str = "wasm32-unknown-unknown";

/// Builds the plugin in a folder, and writes what came of it. Returns the file. What cargo has to say goes to standard
/// error.
///
/// # Errors
/// When it cannot be built, or what comes of it is no plugin.
pub fn build(folder: &Path, out: &mut dyn Write) -> anyhow::Result<PathBuf> {
    let manifest = folder.join("Cargo.toml");
    anyhow::ensure!(
        manifest.is_file(),
        "there is no Cargo.toml in '{}'; pushgate plugin new NAME makes a project",
        folder.display()
    );
    let target_is_there = output(Command::new("rustc").current_dir(folder).args([
        "--print",
        "target-libdir",
        "--target",
        TARGET,
    ]))
    .map(|libraries| Path::new(libraries.trim_end()).is_dir())
    .context("plugins are built with Rust, see https://rustup.rs")?;
    anyhow::ensure!(
        target_is_there,
        "this Rust cannot build for {TARGET} yet; add the target with\n\n    rustup target add {TARGET}\n"
    );
    let messages = output(
        Command::new("cargo")
            .current_dir(folder)
            .args(["build", "--release", "--target", TARGET])
            .arg("--message-format=json-render-diagnostics"),
    )
    .with_context(|| format!("'{}' cannot be built", folder.display()))?;
    let plugin = artefact(&messages).with_context(|| {
        format!("no plugin came of it; '{}' needs crate-type = [\"cdylib\"] in [lib]", manifest.display())
    })?;
    let conditions = Conditions::default();
    let bench = Workbench::open(&plugin, 1, &conditions)?;
    let described = bench.describe()?;
    writeln!(
        out,
        "{} {}\n{}\n{} bytes, {}",
        described.manifest.name,
        described.manifest.version,
        plugin.display(),
        bench.size(),
        described.digest
    )?;
    Ok(plugin)
}

/// What a command prints. Its standard error is ours.
fn output(command: &mut Command) -> anyhow::Result<String> {
    let program = command.get_program().display().to_string();
    let output =
        command.stderr(Stdio::inherit()).output().with_context(|| format!("cannot run {program}"))?;
    anyhow::ensure!(output.status.success(), "{program} failed: {}", output.status);
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The file that cargo's last `cdylib` became; what a plugin depends on comes first.
fn artefact(messages: &str) -> Option<PathBuf> {
    let files = messages.lines().rev().filter_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        let files = message.get("filenames")?.as_array()?.iter().filter_map(Value::as_str);
        files.map(str::to_owned).find(|file| file.ends_with(".wasm"))
    });
    files.map(PathBuf::from).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plugin_is_found_among_what_cargo_tells() {
        let messages = r#"{"reason":"compiler-artifact","filenames":["/t/libserde.rlib"]}
not json
{"reason":"compiler-artifact","filenames":["/t/my_policy.wasm","/t/libmy_policy.rlib"]}
{"reason":"build-finished","success":true}
"#;
        assert_eq!(artefact(messages), Some(PathBuf::from("/t/my_policy.wasm")));
        assert_eq!(artefact(r#"{"filenames":["/t/libserde.rlib"]}"#), None);
    }
}
