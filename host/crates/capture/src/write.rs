//! Records to bytes: numbers in little endian, and before each list and text how long it is.

use crate::FRAME;
use crate::record::{Numbered, Policy, Record};

/// Appends a record: its length, its checksum, and itself.
pub fn encode(record: &Record, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&[0; FRAME]);
    payload(record, out);
    let payload = &out[start + FRAME..];
    let (length, checksum) = (payload.len() as u64, crc32fast::hash(payload));
    out[start..start + 8].copy_from_slice(&length.to_le_bytes());
    out[start + 8..start + FRAME].copy_from_slice(&checksum.to_le_bytes());
}

fn payload(record: &Record, out: &mut Vec<u8>) {
    let outcome = &record.outcome;
    bytes(out, record.id.as_bytes());
    out.extend_from_slice(&record.received_ms.to_le_bytes());
    out.push(record.method.number());
    out.push(record.format.number());
    pairs(out, &record.key);
    pairs(out, &record.attributes);
    bytes(out, &record.body);
    out.push(outcome.end.number());
    list(out, &outcome.policies, policy);
    list(out, outcome.edited.as_slice(), |out, text| bytes(out, text.as_bytes()));
}

fn policy(out: &mut Vec<u8>, policy: &Policy) {
    bytes(out, policy.name.as_bytes());
    out.push(policy.enforces.number());
    out.push(policy.step.number());
    list(out, &policy.codes, |out, code| bytes(out, code.as_bytes()));
    number(out, policy.fuel);
}

fn pairs(out: &mut Vec<u8>, pairs: &[(String, String)]) {
    list(out, pairs, |out, (name, value)| {
        bytes(out, name.as_bytes());
        bytes(out, value.as_bytes());
    });
}

fn list<T>(out: &mut Vec<u8>, elements: &[T], write: impl Fn(&mut Vec<u8>, &T)) {
    number(out, elements.len() as u64);
    elements.iter().for_each(|element| write(out, element));
}

fn bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn number(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(&number.to_le_bytes());
}
