//! Outcomes that a pure plugin need not be asked for again.

use std::collections::HashMap;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::Mutex;

use crate::outcome::Outcome;
use crate::shape::Shape;
use crate::{Capability, Plugin};

/// The outcomes of one policy by the shape of the push: a job that pushes the same names every minute costs no call.
/// Lives as long as the chain that the policy is in, so it never outlives a plugin or a configuration.
///
/// One of a thousand answers is tried by a call all the same. Should the plugin say something else, it is not what
/// it says it is, and nothing it ever said is believed again.
pub struct Memo {
    shards: [Mutex<Shard>; SHARDS],
    /// Bytes of a generation of one shard.
    room: usize,
    answers: AtomicU64,
    revoked: AtomicBool,
}

/// What is known of a shape.
pub(crate) enum Known {
    /// The outcome.
    Outcome(Arc<Outcome>),
    /// The outcome, and it is time to try whether the plugin still says so.
    Doubtful(Arc<Outcome>),
}

/// So many threads seldom want the same one, and the most that is thrown away at once, a generation of one of them,
/// is little.
const SHARDS: usize = 16;

/// An outcome that takes less than its place in the map, with room to spare.
const PLACE: usize = 192;

impl Memo {
    /// A memo of about so many bytes for a plugin's outcomes, if they can be remembered at all.
    pub fn of(plugin: &Plugin, bytes: usize) -> Option<Self> {
        let manifest = plugin.manifest();
        let wants = manifest.wants;
        // Whatever else it can ask the host for, it could answer by.
        let only_logs = plugin.capabilities().iter().all(|capability| *capability == Capability::Log);
        let is_known = manifest.pure && only_logs && !wants.values && !wants.points;
        (is_known && bytes > 0).then(|| Self::new(bytes))
    }

    fn new(bytes: usize) -> Self {
        Self {
            shards: Default::default(),
            room: bytes / SHARDS / 2,
            answers: AtomicU64::new(0),
            revoked: AtomicBool::new(false),
        }
    }

    /// Whether the plugin is not believed any more.
    pub(crate) fn is_revoked(&self) -> bool {
        self.revoked.load(Ordering::Relaxed)
    }

    /// What is known of a shape.
    pub(crate) fn recall(&self, shape: Shape) -> Option<Known> {
        let mut shard = self.shards[shape.bits() % SHARDS].lock();
        let (outcome, outdated) = shard.recall(shape, self.room)?;
        drop(shard);
        drop(outdated);
        let answer = self.answers.fetch_add(1, Ordering::Relaxed) + 1;
        let is_tried = answer.is_multiple_of(TRIED);
        Some(if is_tried { Known::Doubtful(outcome) } else { Known::Outcome(outcome) })
    }

    /// Counts an answer that is known without being asked for; not if it is time to try one.
    pub(crate) fn answers_again(&self) -> bool {
        let is_tried = (self.answers.load(Ordering::Relaxed) + 1).is_multiple_of(TRIED);
        if !is_tried {
            self.answers.fetch_add(1, Ordering::Relaxed);
        }
        !is_tried
    }

    /// Keeps an outcome, unless it takes more than a small part of the room.
    pub(crate) fn keep(&self, shape: Shape, outcome: Outcome) {
        let bytes = PLACE + outcome.bytes();
        if bytes <= self.room {
            let mut shard = self.shards[shape.bits() % SHARDS].lock();
            let outdated = shard.keep(shape, Arc::new(outcome), bytes, self.room);
            drop(shard);
            drop(outdated); // Takes its time, so not under the lock.
        }
    }

    /// Forgets everything and keeps nothing any more.
    pub(crate) fn revoke(&self) {
        self.revoked.store(true, Ordering::Relaxed);
        for shard in &self.shards {
            drop(mem::take(&mut *shard.lock()));
        }
    }
}

/// One answer of so many is tried. A prime, so that each of some groups that are pushed to in turn has its turn.
const TRIED: u64 = 1_021;

type Generation = HashMap<Shape, (Arc<Outcome>, usize)>;

/// Two generations: what was asked for since the younger one began, and before. When the younger one is full the
/// older one is thrown away. So what is asked for stays, without a list to keep in order.
#[derive(Default)]
struct Shard {
    young: Generation,
    young_bytes: usize,
    old: Generation,
}

impl Shard {
    /// The outcome, and what is to be dropped for it to stay.
    fn recall(&mut self, shape: Shape, room: usize) -> Option<(Arc<Outcome>, Generation)> {
        if let Some((outcome, _)) = self.young.get(&shape) {
            return Some((outcome.clone(), Generation::new()));
        }
        let (outcome, bytes) = self.old.remove(&shape)?;
        let outdated = self.keep(shape, outcome.clone(), bytes, room);
        Some((outcome, outdated))
    }

    /// Keeps an outcome of so many bytes, which fit into a generation. Returns what is to be dropped for it.
    fn keep(&mut self, shape: Shape, outcome: Arc<Outcome>, bytes: usize, room: usize) -> Generation {
        let mut outdated = Generation::new();
        if self.young_bytes + bytes > room {
            outdated = mem::replace(&mut self.old, mem::take(&mut self.young));
            self.young_bytes = 0;
        }
        // Two pushes of one shape may have been under way at the same time.
        if self.young.insert(shape, (outcome, bytes)).is_none() {
            self.young_bytes += bytes;
        }
        outdated
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Decision;
    use crate::outcome::RawFinding;

    fn outcome(message: usize) -> Outcome {
        let message = "m".repeat(message);
        let finding = RawFinding { code: String::new(), message, family: None, series: None, label: None };
        Outcome { decision: Decision::Accept, findings: vec![finding] }
    }

    fn knows(memo: &Memo, number: u128) -> bool {
        memo.recall(Shape::of_number(number)).is_some()
    }

    /// All in the first shard.
    const STEP: usize = SHARDS;

    #[test]
    fn it_takes_no_more_than_it_may() {
        let bytes = 1 << 20;
        let memo = Memo::new(bytes);
        for number in 0..100_000 {
            memo.keep(Shape::of_number(number), outcome(10));
        }
        let kept = |generation: &Generation| generation.values().map(|(_, bytes)| bytes).sum::<usize>();
        let kept: usize = memo
            .shards
            .iter()
            .map(|shard| shard.lock())
            .map(|shard| kept(&shard.young) + kept(&shard.old))
            .sum();
        assert!((bytes / 2..=bytes).contains(&kept), "{kept}");
    }

    #[test]
    fn an_outcome_that_is_large_is_not_kept() {
        let room = PLACE + outcome(0).bytes() + 1_000;
        let memo = Memo::new(room * SHARDS * 2);
        memo.keep(Shape::of_number(1), outcome(1_000));
        memo.keep(Shape::of_number(2), outcome(1_001));
        assert!(knows(&memo, 1) && !knows(&memo, 2));
    }

    #[test]
    fn what_is_asked_for_stays() {
        let memo = Memo::new(10 * (PLACE + outcome(0).bytes()) * SHARDS * 2);
        let shapes = |range: std::ops::Range<usize>| range.map(|number| (number * STEP) as u128);
        for number in shapes(0..1_000) {
            memo.keep(Shape::of_number(number), outcome(0));
            assert!(knows(&memo, 0), "asked for all the time");
        }
        assert_eq!(shapes(1..980).filter(|number| knows(&memo, *number)).count(), 0, "never asked for");
        assert!(shapes(990..1_000).all(|number| knows(&memo, number)), "just kept");
    }

    #[test]
    fn nothing_is_known_of_a_plugin_that_is_not_believed() {
        let memo = Memo::new(1 << 20);
        memo.keep(Shape::of_number(1), outcome(0));
        memo.revoke();
        assert!(!knows(&memo, 1));
        assert!(memo.is_revoked());
    }

    #[test]
    fn one_answer_of_a_thousand_is_tried_and_not_always_the_same_one() {
        let memo = Memo::new(1 << 20);
        let groups = 10;
        (0..groups).for_each(|number| memo.keep(Shape::of_number(number), outcome(0)));
        let is_tried = |answer: &u128| {
            matches!(memo.recall(Shape::of_number(answer % groups)), Some(Known::Doubtful(_)))
        };
        let tried: Vec<u128> = (1..=groups * u128::from(TRIED)).filter(is_tried).collect();
        assert_eq!(tried.len() as u128, groups);
        let mut tried: Vec<u128> = tried.iter().map(|answer| answer % groups).collect();
        tried.sort_unstable();
        assert!(tried.iter().copied().eq(0..groups), "{tried:?}");
    }
}
