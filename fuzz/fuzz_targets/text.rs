#![no_main]
//! The classic text format, by every rule.

mod common;

use libfuzzer_sys::fuzz_target;
use pushgate_exposition::{Manners, Names, Rules, text};

fuzz_target!(|body: &[u8]| {
    for names in [Names::Classic, Names::Utf8] {
        for manners in [Manners::Strict, Manners::Lenient] {
            let rules = Rules { names, manners, ..Rules::default() };
            if let Ok(push) = text::parse(body, &common::key(), &rules) {
                common::check(&push);
            }
        }
    }
});
