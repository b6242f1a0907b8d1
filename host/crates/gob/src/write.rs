//! Groups to a file that the original reads.

use std::io::{self, Write};

use crate::{Group, Timestamp};

/// Seconds from the year 1, from which Go counts, to 1970.
const TO_1970: i64 = 62_135_596_800;

/// What stands between the names and values of a grouping key.
const SEPARATOR: u8 = 0xff;

// The numbers of our types; any above those that Go keeps for itself will do.
const STRING: i64 = 6;
const GROUPS: i64 = 64;
const GROUP: i64 = 65;
const LABELS: i64 = 66;
const FAMILIES: i64 = 67;
const FAMILY: i64 = 68;
const TIME: i64 = 69;
const METRIC_FAMILY: i64 = 70;

/// Writes a file. It is made in memory first, since its length stands before it.
///
/// # Errors
/// Those of `out`.
pub fn write(groups: &[Group], mut out: impl Write) -> io::Result<()> {
    let mut file = Vec::new();
    for (id, definition) in definitions() {
        message(&mut file, |out| {
            int(out, -id);
            out.extend_from_slice(&definition);
        });
    }
    let mut value = Vec::new();
    int(&mut value, GROUPS);
    value.push(0); // What is no struct has a zero before it.
    uint(&mut value, groups.len() as u64);
    for group in groups {
        write_group(&mut value, group);
    }
    uint(&mut file, value.len() as u64);
    out.write_all(&file)?;
    out.write_all(&value)
}

fn write_group(out: &mut Vec<u8>, group: &Group) {
    let mut labels: Vec<_> = group.labels.iter().collect();
    labels.sort();
    let key: Vec<&[u8]> =
        labels.iter().flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]).collect();
    bytes(out, &key.join(&SEPARATOR));
    out.push(1); // Labels
    uint(out, labels.len() as u64);
    for (name, value) in labels {
        bytes(out, name.as_bytes());
        bytes(out, value.as_bytes());
    }
    out.push(1); // Metrics
    uint(out, group.families.len() as u64);
    for family in &group.families {
        bytes(out, family.name.as_bytes());
        out.push(1); // Timestamp
        bytes(out, &time(family.pushed_at));
        out.push(1); // GobbableMetricFamily
        bytes(out, &family.metric_family);
        out.push(0);
    }
    out.push(0);
}

/// `time.Time` of version 1, in UTC.
fn time(at: Timestamp) -> [u8; 15] {
    let mut time = [0xff; 15]; // The zone -1 is UTC.
    time[0] = 1;
    time[1..9].copy_from_slice(&at.seconds.saturating_add(TO_1970).to_be_bytes());
    time[9..13].copy_from_slice(&at.nanos.to_be_bytes());
    time
}

/// The types, each with its number. Names are for people.
fn definitions() -> [(i64, Vec<u8>); 7] {
    [
        (GROUPS, map("GroupingKeyToMetricGroup", GROUPS, GROUP)),
        (GROUP, structure(GROUP, &[("Labels", LABELS), ("Metrics", FAMILIES)])),
        (LABELS, map("map[string]string", LABELS, STRING)),
        (FAMILIES, map("NameToTimestampedMetricFamilyMap", FAMILIES, FAMILY)),
        (FAMILY, structure(FAMILY, &[("Timestamp", TIME), ("GobbableMetricFamily", METRIC_FAMILY)])),
        (TIME, opaque("Time", TIME)),
        (METRIC_FAMILY, opaque("", METRIC_FAMILY)),
    ]
}

fn map(name: &str, id: i64, element: i64) -> Vec<u8> {
    let mut out = vec![4, 1]; // The fourth kind; its name and number.
    common(&mut out, name, id);
    out.push(1);
    int(&mut out, STRING);
    out.push(1);
    int(&mut out, element);
    out.extend([0, 0]);
    out
}

fn structure(id: i64, fields: &[(&str, i64)]) -> Vec<u8> {
    let mut out = vec![3, 1];
    common(&mut out, "", id);
    out.push(1);
    uint(&mut out, fields.len() as u64);
    for (name, id) in fields {
        out.push(1);
        bytes(&mut out, name.as_bytes());
        out.push(1);
        int(&mut out, *id);
        out.push(0);
    }
    out.extend([0, 0]);
    out
}

fn opaque(name: &str, id: i64) -> Vec<u8> {
    let mut out = vec![5, 1];
    common(&mut out, name, id);
    out.extend([0, 0]);
    out
}

/// Name and number of a type; an empty name is left out, as every zero value is.
fn common(out: &mut Vec<u8>, name: &str, id: i64) {
    if name.is_empty() {
        out.push(2);
    } else {
        out.push(1);
        bytes(out, name.as_bytes());
        out.push(1);
    }
    int(out, id);
    out.push(0);
}

fn message(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let mut content = Vec::new();
    write(&mut content);
    bytes(out, &content);
}

fn bytes(out: &mut Vec<u8>, content: &[u8]) {
    uint(out, content.len() as u64);
    out.extend_from_slice(content);
}

fn int(out: &mut Vec<u8>, number: i64) {
    let shifted = (number as u64) << 1;
    uint(out, if number < 0 { !shifted } else { shifted });
}

fn uint(out: &mut Vec<u8>, number: u64) {
    if number < 0x80 {
        return out.push(number as u8);
    }
    let zeros = number.leading_zeros() as usize / 8;
    let significant = &number.to_be_bytes()[zeros..];
    out.push((significant.len() as u8).wrapping_neg());
    out.extend_from_slice(significant);
}
