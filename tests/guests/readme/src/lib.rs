//! The plugin that README.md shows, built from its text.
#![cfg_attr(
    not(target_arch = "wasm32"),
    allow(dead_code, reason = "only the exports use it, and they are wasm's")
)]

include!(concat!(env!("OUT_DIR"), "/plugin.rs"));
