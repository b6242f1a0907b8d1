//! Puts the SDK and the plugin of `examples/custom-plugin` into the program, for `pushgate plugin new`: what it makes
//! needs nothing but the program and public crates.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// What a project is made of, relative to the root of the repository: files, and folders with all that is in them.
const SOURCES: [&str; 17] = [
    "LICENSE",
    "wit",
    "Cargo.toml",
    "host/crates/exposition/Cargo.toml",
    "host/crates/exposition/src",
    "plugins/Cargo.toml",
    "plugins/sdk/Cargo.toml",
    "plugins/sdk/README.md",
    "plugins/sdk/src",
    "examples/custom-plugin/.gitignore",
    "examples/custom-plugin/Cargo.lock",
    "examples/custom-plugin/Cargo.toml",
    "examples/custom-plugin/README.md",
    "examples/custom-plugin/bench.json",
    "examples/custom-plugin/cases",
    "examples/custom-plugin/config.toml",
    "examples/custom-plugin/src",
];

fn main() -> io::Result<()> {
    let root =
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the host is a folder of the repository");
    let mut files = Vec::new();
    for source in SOURCES {
        println!("cargo::rerun-if-changed={}", root.join(source).display());
        collect(root.join(source), &mut files)?;
    }
    files.sort();
    let mut table = String::from("&[\n");
    for file in files {
        let name = file.strip_prefix(root).expect("it is below the root").display().to_string();
        let _ = writeln!(table, "    ({name:?}, include_str!({:?})),", file.display().to_string());
    }
    table.push_str("]\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo says where generated files go"));
    fs::write(out.join("plugin_sources.rs"), table)
}

fn collect(path: PathBuf, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if !path.is_dir() {
        files.push(path);
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        collect(entry?.path(), files)?;
    }
    Ok(())
}
