#![no_main]
//! The persistence file.

use libfuzzer_sys::fuzz_target;
use pushgate_exposition::{GroupingKey, Rules, protobuf};
use pushgate_gob::{Limits, read};

fuzz_target!(|file: &[u8]| {
    let Ok(groups) = read(file, Limits::default()) else { return };
    let key = GroupingKey::new([("job", "x")]).expect("this is a key");
    for group in groups.map_while(Result::ok) {
        for family in group.families() {
            let mut body = Vec::new();
            protobuf::delimit(&mut body, family.metric_family);
            let _ = protobuf::parse(&body, &key, &Rules::default());
        }
    }
});
