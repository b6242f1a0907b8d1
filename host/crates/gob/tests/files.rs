//! Files of a real Pushgateway, damaged ones, and our own.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use proptest::collection::vec;
use proptest::prelude::*;
use pushgate_gob::{Family, Group, Timestamp, read, write};

/// Written by Pushgateway 1.11.2: classic and native histograms, a summary, labels in base64, a group whose push was
/// refused and an empty one.
const REAL: &[u8] = include_bytes!("pushgateway-1.11.2.data");

fn written(groups: &[Group]) -> Vec<u8> {
    let mut file = Vec::new();
    write(groups, &mut file).unwrap();
    file
}

#[test]
fn a_real_file_is_read() {
    let mut groups = read(REAL).unwrap();
    groups.iter_mut().for_each(|group| {
        group.labels.sort();
        group.families.sort_by(|a, b| a.name.cmp(&b.name));
    });
    groups.sort_by(|a, b| a.labels.cmp(&b.labels));
    let shown: Vec<_> = groups
        .iter()
        .map(|group| {
            let names: Vec<_> = group.families.iter().map(|family| family.name.as_str()).collect();
            format!("{:?} {}", group.labels, names.join(" "))
        })
        .collect();
    assert_eq!(
        shown,
        [
            r#"[("instance", "i1"), ("job", "batch")] jobs_total push_failure_time_seconds push_time_seconds temp untyped_m"#,
            r#"[("job", "/a/b"), ("path", "/var/tmp")] h push_failure_time_seconds push_time_seconds s"#,
            r#"[("job", "emptygroup")] push_failure_time_seconds push_time_seconds"#,
            r#"[("job", "failed")] push_failure_time_seconds push_time_seconds"#,
            r#"[("job", "native")] nh push_failure_time_seconds push_time_seconds"#,
        ]
    );
    for family in groups.iter().flat_map(|group| &group.families) {
        assert!((1_700_000_000..2_000_000_000).contains(&family.pushed_at.seconds), "{family:?}");
        // Field 1 is the name.
        assert_eq!(&family.metric_family[..2], [0x0a, family.name.len() as u8]);
        assert_eq!(&family.metric_family[2..2 + family.name.len()], family.name.as_bytes());
    }
}

#[test]
fn every_truncation_is_refused() {
    for end in 0..REAL.len() {
        assert!(read(&REAL[..end]).is_err(), "{end}");
    }
}

#[test]
fn a_flipped_bit_gives_an_error_or_groups() {
    for at in 0..REAL.len() {
        for bit in 0..8 {
            let mut damaged = REAL.to_vec();
            damaged[at] ^= 1 << bit;
            let _ = read(&damaged);
        }
    }
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let check = |file: &[u8], expected: &str| assert_eq!(read(file).unwrap_err().to_string(), expected);
    check(
        b"",
        "the persistence file is damaged at byte 0: it is empty; a file without groups has type definitions, too",
    );
    check(
        b"garbage",
        "the persistence file is damaged at byte 0: a message of 103 bytes is announced, but only 6 are left",
    );
    check(&[0xf8], "the persistence file is damaged at byte 1: it ends in the middle of a number");
    check(
        &[0xf0, 1],
        "the persistence file is damaged at byte 0: a number of 16 bytes; numbers have up to 8",
    );
    check(
        &[0xf8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        "the persistence file is damaged at byte 0: a message of 18446744073709551615 bytes is announced, but only 0 are left",
    );
    check(&[3, 12, 0, 0], "the persistence file is damaged at byte 3: the type 6 is not defined");
    let mut more = written(&[]);
    more.push(0);
    let end = more.len() - 1;
    check(&more, &format!("the persistence file is damaged at byte {end}: 1 bytes are left over"));
    // A map that announces more entries than there are bytes.
    let mut many = written(&[]);
    *many.last_mut().unwrap() = 5;
    assert!(
        read(&many)
            .unwrap_err()
            .to_string()
            .ends_with("a map of groups with 5 entries is announced, but only 0 bytes are left")
    );
}

#[test]
fn types_that_hold_themselves_end() {
    // Type 64 is a struct whose field is of type 64, nested a thousand times.
    let mut file = vec![12, 0x7f, 3, 2, 1, 1, 1, 1, b'a', 1, 0xff, 0x80, 0, 0, 0];
    file[0] = file.len() as u8 - 1;
    let mut value = vec![0xff, 0x80, 0];
    value.extend([1; 100]);
    file.push(value.len() as u8);
    file.extend(value);
    assert!(read(&file).is_err());
}

fn group() -> impl Strategy<Value = Group> {
    let family = ("[a-z]{1,9}", any::<(i32, u32)>(), vec(any::<u8>(), 0..300)).prop_map(
        |(name, (seconds, nanos), metric_family)| Family {
            name,
            pushed_at: Timestamp { seconds: i64::from(seconds), nanos: nanos % 1_000_000_000 },
            metric_family,
        },
    );
    (vec(("[a-z]{1,9}", ".{0,200}"), 0..5), vec(family, 0..5)).prop_map(|(mut labels, families)| {
        labels.sort();
        Group { labels, families }
    })
}

proptest! {
    #[test]
    fn what_was_written_is_read(groups in vec(group(), 0..6)) {
        prop_assert_eq!(read(&written(&groups)), Ok(groups));
    }

    #[test]
    fn any_bytes_are_read_or_refused(
        bytes in vec(any::<u8>(), 0..300),
        at in 0..REAL.len(),
        length in 0..20usize,
    ) {
        let _ = read(&bytes);
        // A splice into a real file comes further.
        let end = (at + length).min(REAL.len());
        let _ = read(&[&REAL[..at], &bytes[..bytes.len().min(8)], &REAL[end..]].concat());
    }
}
