//! How many values labels have in the job of a push.

use pushgate_plugin::cardinality::{self, Growth};

use crate::limits::Limit;

/// A label that would have too many values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Excess {
    /// The most that are allowed.
    pub(crate) most: u64,
    /// How many there would be.
    pub(crate) values: u64,
}

/// Bytes of values that are asked about at once; a gateway takes 4 MiB.
const MOST_BYTES: usize = 2 << 20;

/// Whether a label is over its limit with so many values that a push brings, and which of them are too many. Those that it
/// has already never are: whoever was let in may go on.
pub(crate) fn excess<'p>(
    limit: Limit,
    label: &str,
    count: usize,
    values: impl FnOnce() -> Vec<&'p str>,
) -> Option<(Excess, Vec<usize>)> {
    if count == 0 {
        return None;
    }
    // All that is stored and all that comes is the most that there can be.
    let stored = cardinality::values(label);
    if stored.saturating_add(count as u64) <= limit.most {
        return None;
    }
    let growth = grow(label, stored, &values());
    if growth.values <= limit.most {
        return None;
    }
    let new = || growth.known.iter().enumerate().filter(|(_, known)| !**known).map(|(at, _)| at);
    let room = limit.most.saturating_sub(growth.values - new().count() as u64);
    let over: Vec<usize> = new().skip(usize::try_from(room).unwrap_or(usize::MAX)).collect();
    let excess = Excess { most: limit.most, values: growth.values };
    (!over.is_empty()).then_some((excess, over))
}

/// What becomes of a label with these values; more of them than can be asked about are taken for new.
fn grow(label: &str, stored: u64, values: &[&str]) -> Growth {
    if stored > 0 && values.iter().map(|value| value.len()).sum::<usize>() <= MOST_BYTES {
        return cardinality::grow(label, values);
    }
    Growth { values: stored.saturating_add(values.len() as u64), known: vec![false; values.len()] }
}

#[cfg(test)]
mod tests {
    use pushgate_plugin::testing;

    use super::*;
    use crate::limits::Action;

    #[test]
    fn what_is_stored_is_let_in_and_what_is_new_as_far_as_there_is_room() {
        testing::set_label_values("path", &["/a", "/b"]);
        for (most, values, over) in [
            (4, &["/a", "/c", "/d"][..], &[][..]),
            (3, &["/a", "/c", "/d"], &[2]),
            (2, &["/a", "/c", "/d"], &[1, 2]),
            (1, &["/c", "/a", "/b"], &[0]),
            (1, &["/a", "/b"], &[]),
            (1, &[], &[]),
        ] {
            let limit = Limit { most, action: Action::Reject };
            let found = excess(limit, "path", values.len(), || values.to_vec())
                .map(|(_, over)| over)
                .unwrap_or_default();
            assert_eq!(found, over, "{most} {values:?}");
        }
    }
}
