//! The rows of the two tables, each behind a checksum over its key and itself: the database checks its own pages only
//! after a crash, and a bit that flips meanwhile must not become somebody's number.

use crate::store::Times;

/// A row that is not as it was written.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a row is not as it was written")]
pub(super) struct DamagedRow;

const CHECKSUM: usize = 4;

/// The row of a group: its times.
pub(super) fn of_group(key: &[u8], times: Times) -> Vec<u8> {
    let mut content = [0; 16];
    content[..8].copy_from_slice(&times.push.to_le_bytes());
    content[8..].copy_from_slice(&times.failure.to_le_bytes());
    sealed(&[key], &content)
}

/// The times of a group.
pub(super) fn read_group(key: &[u8], row: &[u8]) -> Result<Times, DamagedRow> {
    let (push, failure) = open(&[key], row)?.split_at_checked(8).ok_or(DamagedRow)?;
    let number = |bytes: &[u8]| Ok(f64::from_le_bytes(bytes.try_into().map_err(|_| DamagedRow)?));
    Ok(Times { push: number(push)?, failure: number(failure)? })
}

/// The row of a family: when it was pushed, and its message.
pub(super) fn of_family(key: &[u8], name: &str, pushed_at: f64, message: &[u8]) -> Vec<u8> {
    sealed(&[key, name.as_bytes()], &[&pushed_at.to_le_bytes(), message].concat())
}

/// When a family was pushed, and its message.
pub(super) fn read_family<'r>(key: &[u8], name: &str, row: &'r [u8]) -> Result<(f64, &'r [u8]), DamagedRow> {
    let content = open(&[key, name.as_bytes()], row)?;
    let (pushed_at, message) = content.split_first_chunk().ok_or(DamagedRow)?;
    Ok((f64::from_le_bytes(*pushed_at), message))
}

fn sealed(keys: &[&[u8]], content: &[u8]) -> Vec<u8> {
    let mut row = Vec::with_capacity(CHECKSUM + content.len());
    row.extend_from_slice(&checksum(keys, content).to_le_bytes());
    row.extend_from_slice(content);
    row
}

fn open<'r>(keys: &[&[u8]], row: &'r [u8]) -> Result<&'r [u8], DamagedRow> {
    let (sum, content) = row.split_first_chunk::<CHECKSUM>().ok_or(DamagedRow)?;
    (u32::from_le_bytes(*sum) == checksum(keys, content)).then_some(content).ok_or(DamagedRow)
}

fn checksum(keys: &[&[u8]], content: &[u8]) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    for part in keys.iter().copied().chain([content]) {
        sum.update(&(part.len() as u64).to_le_bytes());
        sum.update(part);
    }
    sum.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_as_they_were_written() {
        let times = Times { push: 1.5e9, failure: 0.25 };
        assert_eq!(read_group(b"key", &of_group(b"key", times)), Ok(times));
        let row = of_family(b"key", "up", 12.5, b"message");
        assert_eq!(read_family(b"key", "up", &row), Ok((12.5, &b"message"[..])));
        assert_eq!(read_family(b"key", "up", &of_family(b"key", "up", 0.0, b"")), Ok((0.0, &b""[..])));
    }

    #[test]
    fn a_row_that_is_not_as_it_was_is_found_out() {
        let group = of_group(b"key", Times { push: 1.0, failure: 2.0 });
        let family = of_family(b"key", "up", 1.0, b"message");
        for (bit, row) in (0..8 * 20).map(|bit| (bit, &group)).chain((0..8 * 19).map(|bit| (bit, &family))) {
            let mut row = row.clone();
            row[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(read_group(b"key", &row), Err(DamagedRow), "{bit}");
            assert_eq!(read_family(b"key", "up", &row), Err(DamagedRow), "{bit}");
        }
        assert_eq!(read_group(b"yek", &group), Err(DamagedRow), "the row of another group");
        assert_eq!(read_family(b"key", "down", &family), Err(DamagedRow));
        assert_eq!(read_family(b"keyu", "p", &family), Err(DamagedRow));
        for length in 0..group.len() {
            assert_eq!(read_group(b"key", &group[..length]), Err(DamagedRow));
        }
    }
}
