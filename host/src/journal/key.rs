//! Grouping keys as keys of a table.

use pushgate_exposition::{GroupingKey, GroupingKeyError, Names};

/// Ends each name and each value: a byte that is in no UTF-8.
const END: u8 = 0xff;

/// The bytes of a grouping key, the same for equal keys only.
pub(super) fn encode(key: &GroupingKey) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in key.labels().flat_map(|(name, value)| [name, value]) {
        bytes.extend_from_slice(part.as_bytes());
        bytes.push(END);
    }
    bytes
}

/// Why bytes are no grouping key.
#[derive(Debug, thiserror::Error)]
pub(super) enum KeyError {
    #[error("a group's key is not made of names and values")]
    Shape,
    #[error("a group's key cannot be used: {0}")]
    Labels(#[from] GroupingKeyError),
}

/// The grouping key that was encoded.
pub(super) fn decode(bytes: &[u8]) -> Result<GroupingKey, KeyError> {
    let labels = bytes.strip_suffix(&[END]).ok_or(KeyError::Shape)?;
    let parts = labels.split(|byte| *byte == END).map(std::str::from_utf8);
    let parts: Vec<_> = parts.collect::<Result<_, _>>().map_err(|_| KeyError::Shape)?;
    let (pairs, rest) = parts.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(KeyError::Shape);
    }
    Ok(GroupingKey::with_names(pairs.iter().map(|[name, value]| (*name, *value)), Names::Utf8)?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_key_is_read_as_it_was_written(
            job in ".{1,8}",
            labels in prop::collection::btree_map("[a-z]{1,4}", ".{0,8}", 0..4),
        ) {
            let labels = labels.into_iter().filter(|(name, _)| name != "job");
            let labels: Vec<_> = labels.chain([("job".to_owned(), job)]).collect();
            let key = GroupingKey::with_names(labels, Names::Utf8).unwrap();
            prop_assert_eq!(decode(&encode(&key)).unwrap(), key);
        }

        #[test]
        fn whatever_is_no_key_is_refused(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(key) = decode(&bytes) {
                prop_assert_eq!(decode(&encode(&key)).unwrap(), key);
            }
        }
    }

    #[test]
    fn what_is_no_list_of_pairs_is_no_key() {
        for bytes in
            [&b""[..], b"job", b"job\xff", b"job\xffa", b"job\xffa\xffb\xff", b"job\xff\xc3\xff", b"\xff\xff"]
        {
            assert!(decode(bytes).is_err(), "{bytes:?}");
        }
    }
}
