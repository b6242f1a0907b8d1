//! What holds for all groups and all bytes.

use std::collections::BTreeMap;
use std::io::Cursor;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use pushgate_gob::{Family, Group, Limits, Timestamp, Writer, read};

type Bytes = Vec<u8>;
type Families = BTreeMap<Bytes, (Timestamp, Bytes)>;

fn bytes() -> impl Strategy<Value = Bytes> {
    prop_oneof![vec(any::<u8>(), 0..6), "[a-z_]{1,12}".prop_map(Bytes::from), vec(any::<u8>(), 100..300)]
}

fn timestamp() -> impl Strategy<Value = Timestamp> {
    (any::<i64>(), 0..1_000_000_000u32).prop_filter_map("a time that Go can count", |(seconds, nanos)| {
        Timestamp::new(seconds, nanos).filter(|time| *time >= Timestamp::ZERO)
    })
}

fn groups() -> impl Strategy<Value = Vec<(BTreeMap<Bytes, Bytes>, Families)>> {
    let families = btree_map(bytes(), (timestamp(), bytes()), 0..5);
    vec((btree_map(bytes(), bytes(), 0..4), families), 0..5)
}

proptest! {
    #[test]
    fn groups_are_read_as_they_were_written(owned in groups()) {
        let groups: Vec<Group> = owned
            .iter()
            .map(|(labels, families)| {
                let labels = labels.iter().map(|(name, value)| (&name[..], &value[..])).collect();
                let families = families.iter().map(|(name, (pushed_at, metric_family))| {
                    Family { name, pushed_at: *pushed_at, metric_family }
                });
                Group::new(labels, families.collect()).unwrap()
            })
            .collect();
        let mut writer = Writer::new(Cursor::new(Vec::new())).unwrap();
        for group in &groups {
            writer.group(group).unwrap();
        }
        let file = writer.finish().unwrap().into_inner();
        let found: Vec<Group> = read(&file, Limits::default()).unwrap().collect::<Result<_, _>>().unwrap();
        prop_assert_eq!(found, groups);
    }

    /// Noise behind the definitions of a real file, in messages whose length fits.
    #[test]
    fn noise_does_not_panic(noise in vec(any::<u8>(), 0..120)) {
        let definitions = include_bytes!("fixtures/pushgateway-1.11.2-empty.data");
        let definitions = definitions.strip_suffix(b"\x04\xff\x8c\x00\x00").unwrap();
        let value = [&[noise.len() as u8 + 3, 0xff, 0x8c, 0], &noise[..]].concat();
        for file in [&noise, &value, &[definitions, &noise].concat(), &[definitions, &value].concat()] {
            if let Ok(groups) = read(file, Limits::default()) {
                let _ = groups.count();
            }
        }
    }
}
