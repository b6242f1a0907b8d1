#![no_main]
//! Delimited protobuf.

mod common;

use libfuzzer_sys::fuzz_target;
use pushgate_exposition::{Manners, Rules, protobuf};

fuzz_target!(|body: &[u8]| {
    for manners in [Manners::Strict, Manners::Lenient] {
        let rules = Rules { manners, ..Rules::default() };
        let Ok(push) = protobuf::parse(body, &common::key(), &rules) else { continue };
        common::check(&push);
        if push.objection().is_none() {
            let again = protobuf::parse(&protobuf::encode(&push), &common::key(), &rules);
            assert_eq!(again.as_ref(), Ok(&push), "what was encoded is read again");
        }
    }
});
