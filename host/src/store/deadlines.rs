//! Which groups have to go, and when: in order, so that finding those whose time has come costs as many as there are.

use std::collections::BTreeSet;
use std::time::Duration;

use super::group::GroupId;

/// A point in time: whole milliseconds since 1970, rounded up, so that nothing is early.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Deadline(u64);

impl Deadline {
    /// A time after a point in time, which is in seconds since 1970.
    pub(super) fn after(since: f64, time: Duration) -> Self {
        // What is too large becomes the largest there is, which never comes.
        Self(((since + time.as_secs_f64()) * 1e3).ceil() as u64)
    }

    /// Whether it has come, at a point in time in seconds since 1970.
    pub(super) fn has_come(self, now: f64) -> bool {
        self.as_seconds() <= now
    }

    /// Seconds since 1970.
    pub(super) fn as_seconds(self) -> f64 {
        self.0 as f64 / 1e3
    }
}

/// The deadlines of all groups that have one.
#[derive(Default)]
pub(super) struct Deadlines(BTreeSet<(Deadline, GroupId)>);

impl Deadlines {
    /// The deadline of a group becomes another one.
    pub(super) fn replace(&mut self, group: GroupId, before: Option<Deadline>, after: Option<Deadline>) {
        if before == after {
            return;
        }
        if let Some(before) = before {
            self.0.remove(&(before, group));
        }
        self.0.extend(after.map(|after| (after, group)));
    }

    /// The first groups whose deadline has come, the longest over first.
    pub(super) fn due(&self, now: f64) -> impl Iterator<Item = GroupId> {
        self.0.iter().take_while(move |(deadline, _)| deadline.has_come(now)).map(|(_, group)| *group)
    }

    /// Nobody has one any more.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_never_early() {
        let after = |since, ms| Deadline::after(since, Duration::from_millis(ms));
        assert!(after(5.0, 1_000).has_come(6.0));
        assert!(!after(5.0, 1_000).has_come(5.999));
        assert!(!after(5.000_4, 1_000).has_come(6.0), "rounded up");
        assert!(after(0.0, 0).has_come(0.0));
        for since in [f64::INFINITY, 1e300] {
            assert!(!after(since, 1_000).has_come(1e15), "{since}");
        }
        assert!(!Deadline::after(0.0, Duration::MAX).has_come(1e15));
        assert!(
            after(-1e300, 1).has_come(0.0) && after(f64::NAN, 1).has_come(0.0),
            "what is no time is long over"
        );
    }

    #[test]
    fn groups_are_due_in_order() {
        let mut deadlines = Deadlines::default();
        let at = |seconds: u64| Some(Deadline::after(0.0, Duration::from_secs(seconds)));
        for (group, seconds) in [(1, 30), (2, 10), (3, 20), (4, 20)] {
            deadlines.replace(group, None, at(seconds));
        }
        let due = |deadlines: &Deadlines, now: f64| deadlines.due(now).collect::<Vec<_>>();
        assert_eq!(due(&deadlines, 9.0), [0; 0]);
        assert_eq!(due(&deadlines, 20.0), [2, 3, 4]);
        deadlines.replace(3, at(20), at(40));
        deadlines.replace(2, at(10), None);
        deadlines.replace(1, at(30), at(30));
        assert_eq!(due(&deadlines, 50.0), [4, 1, 3]);
        deadlines.clear();
        assert_eq!(due(&deadlines, 50.0), [0; 0]);
    }
}
