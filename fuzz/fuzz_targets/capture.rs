#![no_main]
//! Captures: what is read of one is written as the same bytes again.

use libfuzzer_sys::fuzz_target;
use pushgate_capture::{HEADER, Reader, encode};

fuzz_target!(|file: &[u8]| {
    let Ok(records) = Reader::new(file) else { return };
    let mut again = HEADER.to_vec();
    for record in records.map_while(Result::ok) {
        encode(&record, &mut again);
    }
    assert!(file.starts_with(&again), "there is one way to write a record");
});
