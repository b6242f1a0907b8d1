//! Takes the plugin out of README.md, so that what people copy from there is what is tested.

use std::path::Path;

fn main() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../README.md");
    println!("cargo::rerun-if-changed={}", readme.display());
    let text = std::fs::read_to_string(&readme).expect("README.md is at the root of the repository");
    let (_, rest) = text.split_once("\n```rust\n").expect("README.md shows a plugin");
    let (plugin, _) = rest.split_once("\n```\n").expect("the block ends");
    let folder = std::env::var_os("OUT_DIR").expect("cargo names the folder");
    std::fs::write(Path::new(&folder).join("plugin.rs"), plugin).expect("the folder can be written to");
}
