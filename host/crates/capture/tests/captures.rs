//! What was written is read again, and nothing else is.

use proptest::prelude::*;
use pushgate_capture::{
    End, Format, HEADER, Method, Outcome, Policy, ReadError, Reader, Record, Step, encode,
};

fn file(records: &[Record]) -> Vec<u8> {
    let mut file = HEADER.to_vec();
    records.iter().for_each(|record| encode(record, &mut file));
    file
}

fn read(file: &[u8]) -> (Vec<Record>, Option<String>) {
    let mut records = Vec::new();
    let reader = match Reader::new(file) {
        Ok(reader) => reader,
        Err(error) => return (records, Some(error.to_string())),
    };
    for record in reader {
        match record {
            Ok(record) => records.push(record),
            Err(error) => return (records, Some(error.to_string())),
        }
    }
    (records, None)
}

fn record() -> Record {
    let policy = Policy {
        name: "naming".to_owned(),
        enforces: true,
        step: Step::Mutated,
        codes: vec!["naming/a".to_owned(), "naming/b".to_owned()],
        fuel: u64::MAX,
    };
    Record {
        id: "0123".to_owned(),
        received_ms: -1,
        method: Method::Delete,
        format: Format::OpenMetrics,
        key: vec![("job".to_owned(), "ä".to_owned())],
        attributes: vec![("user".to_owned(), String::new())],
        body: vec![0, 255].into(),
        outcome: Outcome {
            end: End::Busy,
            policies: vec![policy.clone(), Policy { enforces: false, codes: Vec::new(), ..policy }],
            edited: Some("m 1\n".to_owned()),
        },
    }
}

#[test]
fn a_file_that_ends_anywhere_is_read_up_to_there() {
    let records = [record(), Record::default()];
    let whole = file(&records);
    let first = file(&records[..1]).len();
    for end in 0..=whole.len() {
        let (read, error) = read(&whole[..end]);
        let expected = match end {
            end if end < HEADER.len() => (0, Some("this is no capture of pushgate's".to_owned())),
            end if end == HEADER.len() => (0, None),
            end if end < first => (0, Some(format!("the record at byte {} is not whole", HEADER.len()))),
            end if end == first => (1, None),
            end if end < whole.len() => (1, Some(format!("the record at byte {first} is not whole"))),
            _ => (2, None),
        };
        assert_eq!((read.as_slice(), error), (&records[..expected.0], expected.1), "{end} bytes");
    }
}

#[test]
fn a_damaged_record_is_found() {
    let whole = file(&[record(), record()]);
    // All but the lengths: a wrong one looks like a file that ends too early.
    let length = HEADER.len()..HEADER.len() + 8;
    for at in (0..whole.len() / 2).filter(|at| !length.contains(at)) {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        let (records, error) = read(&damaged);
        assert!(records.is_empty() && error.is_some(), "byte {at}: {error:?}");
    }
}

#[test]
fn another_version_is_named() {
    let mut other = HEADER;
    other[16] = 2;
    assert!(matches!(Reader::new(other.as_slice()), Err(ReadError::Version(2))));
}

/// The checksum says that it was written so, and still it is no record.
#[test]
fn a_record_that_does_not_fit_the_format_is_refused() {
    let mut record = Vec::new();
    encode(&Record::default(), &mut record);
    let payload = &record[12..];
    let check = |what: &str, payload: &[u8]| {
        let mut file = HEADER.to_vec();
        file.extend_from_slice(&(payload.len() as u64).to_le_bytes());
        file.extend_from_slice(&crc32fast::hash(payload).to_le_bytes());
        file.extend_from_slice(payload);
        let expected = Some("the record at byte 20 is damaged".to_owned());
        assert_eq!(read(&file), (Vec::new(), expected), "{what}");
    };
    check("nothing", &[]);
    check("too short", &payload[..payload.len() - 1]);
    check("too long", &[payload, &[0]].concat());
    let with = |at: usize, byte: u8| {
        let mut payload = payload.to_vec();
        payload[at] = byte;
        payload
    };
    check("an unknown method", &with(16, 3));
    check("a list without an end", &with(18 + 7, 255));
}

prop_compose! {
    fn policies()(
        name in ".*", enforces in any::<bool>(), step in 0..4_usize, fuel in any::<u64>(),
        codes in prop::collection::vec(".*", 0..3),
    ) -> Policy {
        let step = [Step::Accepted, Step::Mutated, Step::Rejected, Step::Fault][step];
        Policy { name, enforces, step, codes, fuel }
    }
}

prop_compose! {
    fn records()(
        id in ".*", received_ms in any::<i64>(), method in 0..3_usize, format in 0..3_usize, end in 0..4_usize,
        key in prop::collection::vec((".*", ".*"), 0..3), attributes in prop::collection::vec((".*", ".*"), 0..3),
        body in prop::collection::vec(any::<u8>(), 0..50), policies in prop::collection::vec(policies(), 0..3),
        edited in prop::option::of(".*"),
    ) -> Record {
        let method = [Method::Put, Method::Post, Method::Delete][method];
        let format = [Format::Text, Format::Protobuf, Format::OpenMetrics][format];
        let end = [End::Accepted, End::Rejected, End::Fault, End::Busy][end];
        let outcome = Outcome { end, policies, edited };
        Record { id, received_ms, method, format, key, attributes, body: body.into(), outcome }
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(records in prop::collection::vec(records(), 0..4)) {
        prop_assert_eq!(read(&file(&records)), (records, None));
    }

    #[test]
    fn whatever_a_file_holds_it_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&[&HEADER[..], &bytes].concat());
    }
}
