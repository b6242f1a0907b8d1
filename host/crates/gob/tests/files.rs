//! Whole files. The `pushgateway-1.11.2*.data` were persisted by that version; `other_types.go` says how
//! `other-types.data` was made.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::io::{Cursor, Seek, SeekFrom, Write};

use pushgate_gob::{Family, Group, Limits, Problem, Timestamp, Writer, read};

const PUSHGATEWAY: &[u8] = include_bytes!("fixtures/pushgateway-1.11.2.data");
const EMPTY: &[u8] = include_bytes!("fixtures/pushgateway-1.11.2-empty.data");
const NOT_UTF8: &[u8] = include_bytes!("fixtures/pushgateway-1.11.2-not-utf8.data");
const OTHER_TYPES: &[u8] = include_bytes!("fixtures/other-types.data");

fn groups(file: &[u8]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group> = read(file, Limits::default()).unwrap().collect::<Result<_, _>>().unwrap();
    groups.sort_by_cached_key(|group| group.labels().collect::<Vec<_>>());
    groups
}

fn written<'a>(groups: impl IntoIterator<Item = &'a Group<'a>>) -> Vec<u8> {
    let mut writer = Writer::new(Cursor::new(Vec::new())).unwrap();
    for group in groups {
        writer.group(group).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A line for each group and family, with the length of its contents.
fn summary(groups: &[Group<'_>]) -> String {
    let mut text = String::new();
    for group in groups {
        for (name, value) in group.labels() {
            text += &format!("{}={:?} ", name.escape_ascii(), String::from_utf8_lossy(value));
        }
        text += "\n";
        for Family { name, pushed_at, metric_family } in group.families() {
            let (seconds, nanos) = (pushed_at.seconds(), pushed_at.nanos());
            text += &format!("  {} {seconds}.{nanos:09} {}\n", name.escape_ascii(), metric_family.len());
        }
    }
    text
}

#[test]
fn a_file_of_the_pushgateway() {
    let groups = groups(PUSHGATEWAY);
    assert_eq!(summary(&groups), include_str!("fixtures/pushgateway-1.11.2.txt"));
    for group in &groups {
        for family in group.families() {
            // The first field of a MetricFamily is its name.
            let name = [&[0x0a, family.name.len() as u8], family.name].concat();
            assert!(family.metric_family.starts_with(&name), "{family:?}");
        }
    }
}

#[test]
fn an_empty_store() {
    assert_eq!(groups(EMPTY), []);
    assert_eq!(groups(&written([])), []);
}

/// The Pushgateway refuses a push to `/metrics/job/raw%FF`, but keeps the group with the time of the failure.
#[test]
fn labels_need_not_be_utf8() {
    let groups = groups(NOT_UTF8);
    let labels: Vec<Vec<_>> = groups.iter().map(|group| group.labels().collect()).collect();
    let expected: [&[(&[u8], &[u8])]; 3] =
        [&[(b"empty", b""), (b"job", "ü".as_bytes())], &[(b"job", b"raw\xff")], &[(b"job", b"two")]];
    assert_eq!(labels, expected);
}

#[test]
fn other_types_and_fields_are_skipped() {
    let expected = Family {
        name: b"up",
        pushed_at: Timestamp::new(1_700_000_000, 5).unwrap(),
        metric_family: b"\x0a\x02up",
    };
    assert_eq!(groups(OTHER_TYPES), [Group::new(vec![(b"job", b"x")], vec![expected]).unwrap()]);
}

#[test]
fn what_was_read_is_written_and_read_again() {
    for file in [PUSHGATEWAY, EMPTY, NOT_UTF8, OTHER_TYPES] {
        let groups = groups(file);
        assert_eq!(self::groups(&written(&groups)), groups);
    }
}

/// Whether the Pushgateway loads a file can only be seen with it at hand: it loaded this one and showed the same
/// as for the file that it had written itself. So what changes these bytes has to be tried with it again.
#[test]
fn the_bytes_are_those_that_the_pushgateway_loaded() {
    assert!(written(&groups(PUSHGATEWAY)) == include_bytes!("fixtures/written.data"));
}

#[test]
fn a_group_over_a_limit_is_refused() {
    let group = Group::new(
        vec![(b"a", b"1"), (b"job", b"x")],
        vec![Family { name: b"up", pushed_at: Timestamp::ZERO, metric_family: b"" }],
    );
    let file = written(&[group.unwrap()]);
    let check = |labels, families, expected| {
        let groups = read(&file, Limits { labels, families }).unwrap();
        let problem = groups.collect::<Result<Vec<_>, _>>().err().map(|error| error.problem);
        assert_eq!(problem, expected, "{labels} labels, {families} families");
    };
    check(2, 1, None);
    check(1, 1, Some(Problem::OverLimit { what: "labels in a group", limit: 1 }));
    check(2, 0, Some(Problem::OverLimit { what: "metric families in a group", limit: 0 }));
}

#[test]
fn a_file_begins_where_the_output_is() {
    let mut out = Cursor::new(Vec::new());
    out.write_all(b"before").unwrap();
    let mut writer = Writer::new(out).unwrap();
    let group = Group::new(vec![(b"job", b"x")], vec![]).unwrap();
    writer.group(&group).unwrap();
    let mut out = writer.finish().unwrap();
    assert_eq!(out.stream_position().unwrap(), out.seek(SeekFrom::End(0)).unwrap());
    assert_eq!(groups(out.into_inner().strip_prefix(b"before").unwrap()), [group]);
}

#[test]
fn a_file_that_was_not_finished_is_refused() {
    let mut out = Cursor::new(Vec::new());
    let mut writer = Writer::new(&mut out).unwrap();
    writer.group(&Group::new(vec![(b"job", b"x")], vec![]).unwrap()).unwrap();
    drop(writer);
    let error = read(out.get_ref(), Limits::default()).err().unwrap();
    assert_eq!(error.problem, Problem::NumberCutOff);
}
