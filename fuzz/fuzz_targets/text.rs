#![no_main]
//! The classic text format, by every rule.

mod common;

use libfuzzer_sys::fuzz_target;
use pushgate_exposition::text::{self, Outline};
use pushgate_exposition::{Manners, Names, Rules};

fuzz_target!(|body: &[u8]| {
    for names in [Names::Classic, Names::Utf8] {
        for manners in [Manners::Strict, Manners::Lenient] {
            let rules = Rules { names, manners, ..Rules::default() };
            if let Ok(push) = text::parse(body, &common::key(), &rules) {
                common::check(&push);
            }
            if manners == Manners::Strict {
                outline(body, &rules);
            }
        }
    }
});

/// Where a body is read by its outline and its numbers, it is read as it is.
fn outline(body: &[u8], rules: &Rules) {
    let Some(outline) = Outline::of(body) else { return };
    let Ok(numbered) = text::parse(&outline.numbered(), &common::key(), rules) else { return };
    if let Some(push) = numbered.with_numbers(outline.numbers()) {
        assert_eq!(text::parse(body, &common::key(), rules), Ok(push));
    }
}
