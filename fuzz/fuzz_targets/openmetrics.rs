#![no_main]
//! OpenMetrics 1.0, by every rule.

mod common;

use libfuzzer_sys::fuzz_target;
use pushgate_exposition::{Manners, Names, Rules, openmetrics};

fuzz_target!(|body: &[u8]| {
    for names in [Names::Classic, Names::Utf8] {
        for manners in [Manners::Strict, Manners::Lenient] {
            let rules = Rules { names, manners, ..Rules::default() };
            let Ok(push) = openmetrics::parse(body, &common::key(), &rules) else { continue };
            common::check(&push);
            let _ = openmetrics::encode(&push);
        }
    }
});
