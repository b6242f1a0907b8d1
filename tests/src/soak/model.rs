//! What was sent and what was acknowledged, group by group, and what a scrape may therefore show.
//!
//! A group has one client, which changes it one step after the other; each step has a number, which is the value of
//! all series that it pushes. A scrape that began when step 7 was acknowledged and ended when step 9 had been sent must
//! show what 7, 8 or 9 left behind, all of it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// A group may be there for so long after its time is over: it is looked for once a second, by a process that shares its
/// processors with many others.
pub(super) const GRACE: Duration = Duration::from_secs(8);

/// Clients and the gateway read different clocks.
const SLACK: Duration = Duration::from_millis(200);

/// Steps of a group that are remembered: far more than happen during a scrape.
const REMEMBERED: usize = 64;

/// All groups.
pub(super) struct Model(Vec<Mutex<Group>>);

/// When a scrape began, and the last step of each group that was acknowledged by then.
pub(super) struct Since {
    at: Instant,
    acknowledged: Vec<u64>,
}

#[derive(Debug, Default)]
struct Group {
    steps: VecDeque<Step>,
    sent: u64,
    acknowledged: u64,
}

#[derive(Debug, Clone, Copy)]
struct Step {
    number: u64,
    leaves: Leaves,
}

/// What a step leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leaves {
    /// Series with the number of the step.
    Series,
    /// The same, until then at the earliest.
    SeriesUntil(Instant),
    Nothing,
}

/// What was rightly seen of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Stored,
    Deleted,
    Expired,
    /// It was never pushed, or too much has happened meanwhile.
    Nothing,
}

impl Model {
    pub(super) fn new(groups: usize) -> Self {
        Self((0..groups).map(|_| Mutex::default()).collect())
    }

    /// The next step of a group is about to be sent. Its number.
    pub(super) fn sending(&self, group: usize, leaves: Leaves) -> u64 {
        self.0[group].lock().sending(leaves)
    }

    /// All steps of the group that were sent are acknowledged.
    pub(super) fn acknowledged(&self, group: usize) {
        let mut group = self.0[group].lock();
        group.acknowledged = group.sent;
    }

    /// What a scrape that begins now must show at least.
    pub(super) fn now(&self) -> Since {
        let acknowledged = self.0.iter().map(|group| group.lock().acknowledged).collect();
        Since { at: Instant::now(), acknowledged }
    }

    pub(super) fn groups(&self) -> usize {
        self.0.len()
    }

    /// Whether a scrape that began then and has ended now was right to show this of the group: the number of a step, or
    /// nothing.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn judge(&self, group: usize, since: &Since, seen: Option<u64>) -> Result<Verdict, String> {
        self.0[group].lock().judge(since.acknowledged[group], since.at, Instant::now(), seen)
    }
}

impl Group {
    fn sending(&mut self, leaves: Leaves) -> u64 {
        self.sent += 1;
        if self.steps.len() == REMEMBERED {
            self.steps.pop_front();
        }
        self.steps.push_back(Step { number: self.sent, leaves });
        self.sent
    }

    fn judge(
        &self,
        acknowledged: u64,
        began: Instant,
        ended: Instant,
        seen: Option<u64>,
    ) -> Result<Verdict, String> {
        let possible = || self.steps.iter().filter(|step| step.number >= acknowledged);
        let is_forgotten = self.steps.front().is_some_and(|first| first.number > acknowledged.max(1));
        let told = format!("step {acknowledged} was acknowledged and step {} sent", self.sent);
        match seen {
            Some(number) => match possible().find(|step| step.number == number).map(|step| step.leaves) {
                Some(Leaves::Series) => Ok(Verdict::Stored),
                Some(Leaves::SeriesUntil(end)) if began > end + GRACE => {
                    Err(format!("step {number} is there {:?} after its time", began - end))
                }
                Some(Leaves::SeriesUntil(_)) => Ok(Verdict::Stored),
                Some(Leaves::Nothing) => Err(format!("step {number} was a deletion, and is shown")),
                None if is_forgotten && number > acknowledged => Ok(Verdict::Nothing),
                None => Err(format!("{told}, but {number} is shown")),
            },
            None if acknowledged == 0 || is_forgotten => Ok(Verdict::Nothing),
            None if possible().any(|step| step.leaves == Leaves::Nothing) => Ok(Verdict::Deleted),
            None => {
                let is_over =
                    |step: &Step| matches!(step.leaves, Leaves::SeriesUntil(end) if end <= ended + SLACK);
                if possible().any(is_over) {
                    Ok(Verdict::Expired)
                } else {
                    Err(format!("{told}, but nothing is shown"))
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scrape_shows_what_was_acknowledged_or_sent_since() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut group = Group::default();
        // 1 to 5.
        let ttl = Leaves::SeriesUntil(at(10));
        for leaves in [Leaves::Series, Leaves::Series, Leaves::Nothing, Leaves::Series, ttl] {
            group.sending(leaves);
        }
        let cases = [
            ("the acknowledged one", 1, 0, Some(1), Ok(Verdict::Stored)),
            ("one that was sent since", 1, 0, Some(2), Ok(Verdict::Stored)),
            ("one before the acknowledged one", 2, 0, Some(1), Err("but 1 is shown")),
            ("one that was never sent", 2, 0, Some(6), Err("but 6 is shown")),
            ("what a deletion leaves", 3, 0, None, Ok(Verdict::Deleted)),
            ("a deletion that was sent", 2, 0, None, Ok(Verdict::Deleted)),
            ("what was deleted", 3, 0, Some(2), Err("but 2 is shown")),
            ("the number of a deletion", 3, 0, Some(3), Err("was a deletion")),
            ("a lost group", 4, 0, None, Err("but nothing is shown")),
            ("a group before its time is over", 5, 0, Some(5), Ok(Verdict::Stored)),
            ("one that goes too early", 5, 9, None, Err("but nothing is shown")),
            ("a group after its time", 5, 10, None, Ok(Verdict::Expired)),
            ("one that may go soon", 5, 18, Some(5), Ok(Verdict::Stored)),
            ("one that does not go", 5, 19, Some(5), Err("after its time")),
            ("nothing was acknowledged", 0, 0, None, Ok(Verdict::Nothing)),
        ];
        for (rule, acknowledged, seconds, seen, expected) in cases {
            let judged = group.judge(acknowledged, at(seconds), at(seconds), seen);
            match (judged, expected) {
                (Ok(verdict), Ok(expected)) => assert_eq!(verdict, expected, "{rule}"),
                (Err(told), Err(words)) => assert!(told.contains(words), "{rule}: {told}"),
                (judged, _) => panic!("{rule}: {judged:?}"),
            }
        }
    }

    #[test]
    fn a_scrape_during_which_too_much_happened_is_not_held_against_anybody() {
        let mut group = Group::default();
        for _ in 0..=REMEMBERED {
            group.sending(Leaves::Series);
        }
        let now = Instant::now();
        assert_eq!(group.judge(1, now, now, None), Ok(Verdict::Nothing));
        assert!(group.judge(2, now, now, None).is_err());
        assert!(group.judge(2, now, now, Some(1)).is_err());
    }
}
