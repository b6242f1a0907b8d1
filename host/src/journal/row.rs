//! The rows of the two tables, each behind a checksum over its key and itself: the database checks its own pages only
//! after a crash, and a bit that flips meanwhile must not become somebody's number.

use std::time::Duration;

use crate::store::Times;

/// A row that is not as it was written.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a row is not as it was written")]
pub(super) struct DamagedRow;

const CHECKSUM: usize = 4;

/// The row of a group: its times, and the wish of its last push in milliseconds if it had one.
pub(super) fn of_group(key: &[u8], times: Times) -> Vec<u8> {
    let mut content = [times.push.to_le_bytes(), times.failure.to_le_bytes()].concat();
    if let Some(wish) = times.wish {
        let wish = u64::try_from(wish.as_millis()).unwrap_or(u64::MAX);
        content.extend_from_slice(&wish.to_le_bytes());
    }
    sealed(&[key], &content)
}

/// The times of a group.
pub(super) fn read_group(key: &[u8], row: &[u8]) -> Result<Times, DamagedRow> {
    let (parts, rest) = open(&[key], row)?.as_chunks::<8>();
    let (times, wish) = match (parts, rest) {
        ([push, failure], []) => ([*push, *failure], None),
        ([push, failure, wish], []) => ([*push, *failure], Some(u64::from_le_bytes(*wish))),
        _ => return Err(DamagedRow),
    };
    let [push, failure] = times.map(f64::from_le_bytes);
    Ok(Times { push, failure, wish: wish.map(Duration::from_millis) })
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
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_row_of_a_group_is_read_as_it_was_written(
            key in prop::collection::vec(any::<u8>(), 0..32),
            push in any::<f64>(),
            failure in any::<f64>(),
            wish in prop::option::of(any::<u64>().prop_map(Duration::from_millis)),
        ) {
            let row = of_group(&key, Times { push, failure, wish });
            let read = read_group(&key, &row).unwrap();
            prop_assert_eq!(read.push.to_bits(), push.to_bits());
            prop_assert_eq!((read.failure.to_bits(), read.wish), (failure.to_bits(), wish));
        }

        #[test]
        fn content_of_another_length_is_refused(content in prop::collection::vec(any::<u8>(), 0..40)) {
            let row = sealed(&[b"key"], &content);
            let read = read_group(b"key", &row);
            prop_assert_eq!(read.is_ok(), [16, 24].contains(&content.len()));
            if let Ok(times) = read {
                prop_assert_eq!(of_group(b"key", times), row);
            }
        }
    }

    /// The row of a group as the first format has it.
    const OF_FORMAT_1: [u8; 20] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f, 0, 0, 0, 0, 0, 0, 0xd0, 0x3f];

    #[test]
    fn rows_without_a_wish_are_those_of_the_first_format() {
        let times = Times { push: 1.5, failure: 0.25, wish: None };
        let row = of_group(b"key", times);
        assert_eq!((&row[CHECKSUM..], row.len()), (&OF_FORMAT_1[CHECKSUM..], OF_FORMAT_1.len()));
        let wish = Some(Duration::from_millis(7));
        let longer = of_group(b"key", Times { wish, ..times });
        assert_eq!(longer.len(), row.len() + 8);
        assert_eq!(read_group(b"key", &longer).unwrap().wish, wish);
    }

    #[test]
    fn rows_of_families_are_read_as_they_were_written() {
        let row = of_family(b"key", "up", 12.5, b"message");
        assert_eq!(read_family(b"key", "up", &row), Ok((12.5, &b"message"[..])));
        assert_eq!(read_family(b"key", "up", &of_family(b"key", "up", 0.0, b"")), Ok((0.0, &b""[..])));
    }

    #[test]
    fn a_row_that_is_not_as_it_was_is_found_out() {
        let group = of_group(b"key", Times { push: 1.0, failure: 2.0, wish: None });
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
