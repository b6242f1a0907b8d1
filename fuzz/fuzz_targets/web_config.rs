#![no_main]
//! The web configuration file.

use std::fs;
use std::path::PathBuf;
use std::process;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use pushgate_web_config::WebConfig;

/// Written anew for each input, in memory where there is such a folder.
static FILE: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = PathBuf::from("/dev/shm");
    let folder = if folder.is_dir() { folder } else { std::env::temp_dir() };
    folder.join(format!("pushgate-fuzz-{}.yml", process::id()))
});

fuzz_target!(|text: &[u8]| {
    fs::write(&*FILE, text).expect("the file can be written");
    match WebConfig::load(&FILE) {
        Ok(config) => drop(format!("{config:?}")),
        Err(error) => drop(error.to_string()),
    }
});
