#![no_main]
//! The path of a push, percent-decoded, by both rules for names.

use libfuzzer_sys::fuzz_target;
use pushgate_exposition::Names;

#[path = "../../host/src/http/grouping_path.rs"]
mod grouping_path;

fuzz_target!(|path: &[u8]| {
    let decoded: Vec<u8> = percent_encoding::percent_decode(path).collect();
    for names in [Names::Classic, Names::Utf8] {
        let Some(Ok(key)) = grouping_path::grouping_key(&decoded, names) else { continue };
        // A classic name that looks like an escaped one is taken for one.
        if key.labels().any(|(name, _)| name.starts_with("U__")) {
            continue;
        }
        let again = grouping_path::path_of(&key);
        let found = grouping_path::grouping_key(again.as_bytes(), names);
        assert_eq!(found.and_then(Result::ok), Some(key), "{again}");
    }
});
