//! The last pushes that policies spoke against, with what it takes to find out why: what the policy saw, what it said,
//! how it is configured, and what the policies before it had changed.
//!
//! Kept in memory, within bounds of count and bytes. Pushes that all policies accept cost a look at their answers. What
//! is [redacted](crate::config::Redaction) never gets here.

mod excerpt;
mod record;

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;

pub use self::excerpt::Excerpt;
pub use self::record::{Decision, Edits, Judged, Judgement, Rejection};
use crate::config::{self, Redaction};

/// Keeps rejections. Made once, shared by all that push and ask.
#[derive(Debug)]
pub struct Rejections {
    keep: usize,
    max_bytes: usize,
    redact: Vec<Redaction>,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    /// The newest last.
    rejections: VecDeque<Arc<Rejection>>,
    bytes: usize,
    /// All that there were since the start.
    seen: u64,
}

impl Rejections {
    /// Keeps as many as the configuration says.
    pub fn new(config: &config::Rejections) -> Self {
        Self {
            keep: config.keep,
            max_bytes: config.max_bytes.as_usize(),
            redact: config.redact.clone(),
            kept: Mutex::default(),
        }
    }

    /// Whether any are kept.
    pub fn is_on(&self) -> bool {
        self.keep > 0
    }

    /// Keeps a push, if a policy spoke against it or failed.
    pub fn record(&self, judged: &Judged<'_>) {
        if self.is_on() && judged.is_remarkable() {
            self.keep(Rejection::of(judged, &self.redact));
        }
    }

    /// A push as it would be kept, if a policy spoke against it or failed.
    pub fn describe(&self, judged: &Judged<'_>) -> Option<Rejection> {
        judged.is_remarkable().then(|| Rejection::of(judged, &self.redact))
    }

    /// The ones that are kept, the newest first, and how many there were since the start.
    pub fn list(&self) -> (Vec<Arc<Rejection>>, u64) {
        let kept = self.kept.lock();
        (kept.rejections.iter().rev().cloned().collect(), kept.seen)
    }

    /// The one of the push of that id, if it is still kept.
    pub fn find(&self, id: &str) -> Option<Arc<Rejection>> {
        self.kept.lock().rejections.iter().rev().find(|rejection| rejection.id == id).cloned()
    }

    fn keep(&self, rejection: Rejection) {
        let mut kept = self.kept.lock();
        kept.bytes += rejection.size();
        kept.seen += 1;
        kept.rejections.push_back(Arc::new(rejection));
        while kept.rejections.len() > self.keep || kept.bytes > self.max_bytes {
            kept.drop_one();
        }
    }
}

impl Kept {
    /// Drops the oldest of those that there are most of: a policy that is tried out and rejects every push should not
    /// push the one rejection out that somebody is looking for.
    fn drop_one(&mut self) {
        let mut counts: Vec<((&str, Decision), usize)> = Vec::new();
        for kind in self.rejections.iter().map(|rejection| rejection.kind()) {
            match counts.iter_mut().find(|(known, _)| *known == kind) {
                Some((_, count)) => *count += 1,
                None => counts.push((kind, 1)),
            }
        }
        // Of as many of both, those of the one that was first here.
        let most = counts.iter().rev().max_by_key(|(_, count)| *count).map(|(kind, _)| *kind);
        let oldest = self.rejections.iter().position(|rejection| Some(rejection.kind()) == most);
        if let Some(dropped) = oldest.and_then(|at| self.rejections.remove(at)) {
            self.bytes -= dropped.size();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::config::ByteSize;

    fn rejections(keep: usize, max_bytes: usize) -> Rejections {
        let max_bytes = ByteSize::bytes(max_bytes as u64);
        Rejections::new(&config::Rejections { keep, max_bytes, redact: Vec::new() })
    }

    fn rejection(id: &str, plugin: &str, decision: Decision) -> Rejection {
        let judgement = Judgement { plugin: plugin.to_owned(), decision, ..Judgement::default() };
        Rejection {
            id: id.to_owned(),
            at: SystemTime::UNIX_EPOCH,
            method: "PUT",
            group: r#"{job="x"}"#.to_owned(),
            passed: false,
            judgements: vec![judgement],
        }
    }

    fn ids(rejections: &Rejections) -> String {
        rejections.list().0.iter().map(|rejection| rejection.id.as_str()).collect()
    }

    #[test]
    fn the_last_ones_are_kept_by_count() {
        let kept = rejections(3, usize::MAX);
        for id in ["a", "b", "c"] {
            kept.keep(rejection(id, "p", Decision::Rejected));
        }
        assert_eq!(ids(&kept), "cba");
        kept.keep(rejection("d", "p", Decision::Rejected));
        assert_eq!((ids(&kept).as_str(), kept.list().1), ("dcb", 4));
        assert!(kept.find("a").is_none() && kept.find("b").is_some());
    }

    #[test]
    fn the_last_ones_are_kept_by_bytes() {
        let size = rejection("a", "p", Decision::Rejected).size();
        for (bytes, expected) in [(2 * size, "cb"), (2 * size - 1, "c"), (size - 1, "")] {
            let kept = rejections(9, bytes);
            for id in ["a", "b", "c"] {
                kept.keep(rejection(id, "p", Decision::Rejected));
            }
            assert_eq!(ids(&kept), expected, "{bytes}");
            assert_eq!(kept.kept.lock().bytes, expected.len() * size);
        }
    }

    #[test]
    fn a_policy_that_rejects_much_leaves_the_others_theirs() {
        let kept = rejections(4, usize::MAX);
        kept.keep(rejection("a", "strict", Decision::Rejected));
        for id in ["b", "c", "d", "e", "f"] {
            kept.keep(rejection(id, "tried", Decision::WouldHaveRejected));
        }
        assert_eq!(ids(&kept), "feda");
        kept.keep(rejection("g", "tried", Decision::Fault));
        kept.keep(rejection("h", "strict", Decision::Rejected));
        assert_eq!(ids(&kept), "hgfe", "of as many, the oldest");
    }

    #[test]
    fn none_are_kept_when_switched_off() {
        assert!(!rejections(0, 1_000).is_on() && rejections(1, 1_000).is_on());
    }
}
