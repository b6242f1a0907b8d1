//! Groups to a file.

use std::io::{self, Seek, SeekFrom, Write};

use crate::types::{FIRST_DEFINED, STRING, TypeId};
use crate::{Family, Group, Timestamp};

/// Writes a file that the Pushgateway loads, one group after the other.
///
/// The file gives the length of all groups and their number before the first of them. Both are filled in at
/// the end, so no more than a group is in memory, and what is left behind without [`Writer::finish`] is
/// refused by [`read`](crate::read) and by the Pushgateway. A group costs one write: put a
/// [`BufWriter`](io::BufWriter) around a file.
pub struct Writer<W> {
    out: W,
    /// Where the length stands.
    length_at: u64,
    /// Bytes behind the length.
    length: u64,
    groups: u64,
    /// The group that is being written.
    buffer: Vec<u8>,
}

const MAP_OF_GROUPS: TypeId = FIRST_DEFINED;
const GROUP: TypeId = FIRST_DEFINED + 1;
const LABELS: TypeId = FIRST_DEFINED + 2;
const FAMILIES: TypeId = FIRST_DEFINED + 3;
const FAMILY: TypeId = FIRST_DEFINED + 4;
const TIME: TypeId = FIRST_DEFINED + 5;
const METRIC_FAMILY: TypeId = FIRST_DEFINED + 6;

impl<W: Write + Seek> Writer<W> {
    /// Begins a file at the place where `out` is.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn new(mut out: W) -> io::Result<Self> {
        let mut types = Vec::new();
        define_map(&mut types, MAP_OF_GROUPS, GROUP);
        define_struct(&mut types, GROUP, [("Labels", LABELS), ("Metrics", FAMILIES)]);
        define_map(&mut types, LABELS, STRING);
        define_map(&mut types, FAMILIES, FAMILY);
        define_struct(&mut types, FAMILY, [("Timestamp", TIME), ("GobbableMetricFamily", METRIC_FAMILY)]);
        define_gob_encoder(&mut types, TIME);
        define_gob_encoder(&mut types, METRIC_FAMILY);
        out.write_all(&types)?;
        let length_at = out.stream_position()?;
        let mut writer = Self { out, length_at, length: 0, groups: 0, buffer: types };
        writer.out.write_all(&fixed_uint(0))?;
        writer.write_head()?;
        Ok(writer)
    }

    /// Adds a group. Their order does not matter, but no two may have the same labels: Go takes the last.
    ///
    /// # Errors
    /// Those of the output.
    pub fn group(&mut self, group: &Group<'_>) -> io::Result<()> {
        self.buffer.clear();
        put_group(&mut self.buffer, group);
        self.groups += 1;
        self.write_buffer()
    }

    /// Fills in what was not known before, flushes, and hands back the output, which is at its end.
    ///
    /// # Errors
    /// Those of the output.
    pub fn finish(mut self) -> io::Result<W> {
        let length = self.length;
        let end = self.out.stream_position()?;
        self.out.seek(SeekFrom::Start(self.length_at))?;
        self.out.write_all(&fixed_uint(length))?;
        self.write_head()?;
        self.out.seek(SeekFrom::Start(end))?;
        self.out.flush()?;
        Ok(self.out)
    }

    /// What stands between the length and the groups.
    fn write_head(&mut self) -> io::Result<()> {
        self.buffer.clear();
        put_int(&mut self.buffer, MAP_OF_GROUPS);
        put_uint(&mut self.buffer, 0); // Go has that before every value that is no struct.
        self.buffer.extend(fixed_uint(self.groups));
        self.write_buffer()
    }

    fn write_buffer(&mut self) -> io::Result<()> {
        self.length += self.buffer.len() as u64;
        self.out.write_all(&self.buffer)
    }
}

fn put_group(buffer: &mut Vec<u8>, group: &Group<'_>) {
    put_bytes(buffer, &grouping_key(group));
    put_uint(buffer, 1);
    put_uint(buffer, group.labels().len() as u64);
    for (name, value) in group.labels() {
        put_bytes(buffer, name);
        put_bytes(buffer, value);
    }
    put_uint(buffer, 1);
    put_uint(buffer, group.families().len() as u64);
    for family in group.families() {
        put_family(buffer, family);
    }
    put_uint(buffer, 0);
}

fn put_family(buffer: &mut Vec<u8>, family: &Family<'_>) {
    put_bytes(buffer, family.name);
    put_uint(buffer, 1);
    put_bytes(buffer, &time(family.pushed_at));
    put_uint(buffer, 1);
    put_bytes(buffer, family.metric_family);
    put_uint(buffer, 0);
}

/// The key of a group in the file: its sorted names and values with a byte between them that is not in UTF-8.
fn grouping_key(group: &Group<'_>) -> Vec<u8> {
    let parts: Vec<&[u8]> = group.labels().flat_map(|(name, value)| [name, value]).collect();
    parts.join(&0xff)
}

/// A time in version 1, in UTC, for which the minutes of the zone are -1.
fn time(time: Timestamp) -> [u8; 15] {
    let mut bytes = [0xff; 15];
    bytes[0] = 1;
    bytes[1..9].copy_from_slice(&time.since_year_1().to_be_bytes());
    bytes[9..13].copy_from_slice(&time.nanos().to_be_bytes());
    bytes
}

/// Defines a map whose keys are strings.
fn define_map(out: &mut Vec<u8>, id: TypeId, value: TypeId) {
    define(out, id, 3, |body| {
        put_uint(body, 1);
        put_int(body, STRING);
        put_uint(body, 1);
        put_int(body, value);
    });
}

fn define_struct<const N: usize>(out: &mut Vec<u8>, id: TypeId, fields: [(&str, TypeId); N]) {
    define(out, id, 2, |body| {
        put_uint(body, 1);
        put_uint(body, N as u64);
        for (name, type_id) in fields {
            put_uint(body, 1);
            put_bytes(body, name.as_bytes());
            put_uint(body, 1);
            put_int(body, type_id);
            put_uint(body, 0);
        }
    });
}

fn define_gob_encoder(out: &mut Vec<u8>, id: TypeId) {
    define(out, id, 4, |_| {});
}

/// A message with a definition: a struct of which the field of number `kind` is set, to a struct that begins
/// with what all types have in common and goes on with `body`.
fn define(out: &mut Vec<u8>, id: TypeId, kind: u64, body: impl FnOnce(&mut Vec<u8>)) {
    let mut message = Vec::new();
    put_int(&mut message, -id);
    put_uint(&mut message, kind + 1);
    put_uint(&mut message, 1);
    put_uint(&mut message, 2); // The name of the type, its field 0, is left out.
    put_int(&mut message, id);
    put_uint(&mut message, 0);
    body(&mut message);
    put_uint(&mut message, 0);
    put_uint(&mut message, 0);
    put_bytes(out, &message);
}

/// See [`Cursor::uint`](crate::cursor::Cursor::uint).
fn put_uint(out: &mut Vec<u8>, number: u64) {
    match u8::try_from(number) {
        Ok(small @ ..128) => out.push(small),
        _ => {
            let digits = number.to_be_bytes();
            let zeros = digits.iter().take_while(|&&digit| digit == 0).count();
            let digits = &digits[zeros..];
            out.push((digits.len() as u8).wrapping_neg());
            out.extend_from_slice(digits);
        }
    }
}

/// A number with its leading zeros, so that it takes the same place whatever it is.
fn fixed_uint(number: u64) -> [u8; 9] {
    let mut bytes = [0xf8; 9];
    bytes[1..].copy_from_slice(&number.to_be_bytes());
    bytes
}

fn put_int(out: &mut Vec<u8>, number: i64) {
    put_uint(out, (number << 1 ^ number >> 63).cast_unsigned());
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_uint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cursor::Cursor;

    #[test]
    fn numbers_are_read_as_they_were_written() {
        for bit in 0..64 {
            for number in [1u64 << bit, (1 << bit) - 1, u64::MAX >> bit] {
                let mut bytes = Vec::new();
                put_uint(&mut bytes, number);
                put_int(&mut bytes, number.cast_signed());
                put_int(&mut bytes, !number.cast_signed());
                bytes.extend(fixed_uint(number));
                let mut cursor = Cursor::new(&bytes);
                assert_eq!(cursor.uint(), Ok(number));
                assert_eq!(cursor.int(), Ok(number.cast_signed()));
                assert_eq!(cursor.int(), Ok(!number.cast_signed()));
                assert_eq!(cursor.uint(), Ok(number));
                assert!(cursor.is_at_end());
            }
        }
    }

    #[test]
    fn the_key_is_made_of_the_sorted_labels() {
        let group = Group::new(vec![(b"job", b"batch"), (b"instance", b"i1")], vec![]).unwrap();
        assert_eq!(grouping_key(&group), b"instance\xffi1\xffjob\xffbatch");
        let group = Group::new(vec![], vec![]).unwrap();
        assert_eq!(grouping_key(&group), b"");
    }

    #[test]
    fn a_time_is_that_of_go() {
        let pushed_at = Timestamp::new(1_795_333_108, 958_381_131).unwrap();
        assert_eq!(time(pushed_at), *b"\x01\x00\x00\x00\x0e\xe2\x94\x92\xf4\x39\x1f\xbc\x4b\xff\xff");
    }
}
