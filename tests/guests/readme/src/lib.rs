//! The plugin that README.md shows, built from its text.

include!(concat!(env!("OUT_DIR"), "/plugin.rs"));
