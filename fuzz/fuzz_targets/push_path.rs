#![no_main]
//! The path of a push, percent-decoded, by both rules for names.

use libfuzzer_sys::fuzz_target;
use pushgate_exposition::{Escaping, Names};

#[path = "../../host/src/http/grouping_path.rs"]
mod grouping_path;

fuzz_target!(|path: &[u8]| {
    let decoded: Vec<u8> = percent_encoding::percent_decode(path).collect();
    for names in [Names::Classic, Names::Utf8] {
        let Some(Ok(key)) = grouping_path::grouping_key(&decoded, names) else { continue };
        let encode = |value: &str| {
            use base64::Engine as _;
            format!("{}=", base64::engine::general_purpose::URL_SAFE.encode(value))
        };
        let mut again = format!("job@base64/{}", encode(key.job()));
        for (name, value) in key.labels().filter(|(name, _)| *name != "job") {
            // A classic name that looks like an escaped one is taken for one.
            let name = if name.starts_with("U__") { name.into() } else { Escaping::Values.label(name) };
            again.push_str(&format!("/{name}@base64/{}", encode(value)));
        }
        let found = grouping_path::grouping_key(again.as_bytes(), names);
        if !again.contains("U__") {
            assert_eq!(found.and_then(Result::ok), Some(key), "{again}");
        }
    }
});
