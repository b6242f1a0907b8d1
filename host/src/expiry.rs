//! Groups whose time has come go: about once a second, as the clock says.
//!
//! A TTL counts in the time of day, which restarts do not change but people and programs do. When the clock is put back,
//! groups are kept for longer, those that seem to have been pushed to in the future for a whole TTL from then. When it jumps
//! ahead, nothing goes for five minutes: if it was a mistake, nothing is lost, and if it was right, jobs have time to push.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use pushgate_exposition::GroupingKey;
use tokio::task;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{error, info, warn};

use crate::store::Store;
use crate::telemetry::Metrics;

/// How often is looked.
const TICK: Duration = Duration::from_secs(1);

/// The least change of the clock that is a jump. What keeps clocks right changes them by less at a time.
const JUMP: Duration = Duration::from_secs(60);

/// How long a jump ahead is doubted.
const DOUBT: Duration = Duration::from_secs(300);

/// Groups that a line of the log names.
const NAMED: usize = 20;

/// Removes what has expired, for as long as it is not dropped.
pub async fn expire(store: Arc<Store>, metrics: Arc<Metrics>) -> Infallible {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut clock = Clock::default();
    loop {
        ticks.tick().await;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let is_first = clock.last.is_none();
        match clock.tick(Instant::now(), now) {
            Tick::Steady if is_first => recount(&store, now).await,
            Tick::Steady => {}
            Tick::Ahead(by) => {
                warn!(?by, doubted = ?DOUBT, "the clock has jumped ahead; no group expires for a while");
            }
            Tick::Back(by) => {
                warn!(?by, "the clock was put back; groups are kept for longer");
                recount(&store, now).await;
            }
            Tick::Doubted => continue,
        }
        // Nearly always there is nothing, and no thread is needed to find that out.
        if !clock.is_in_doubt() && store.has_expired(now.as_secs_f64()) {
            let (store, metrics) = (store.clone(), metrics.clone());
            blocking(move || sweep(&store, &metrics, now)).await;
        }
    }
}

async fn recount(store: &Arc<Store>, now: Duration) {
    let store = store.clone();
    blocking(move || store.count_from(now.as_secs_f64())).await;
}

async fn blocking(work: impl FnOnce() + Send + 'static) {
    if let Err(panic) = task::spawn_blocking(work).await {
        error!(%panic, "expired groups could not be removed");
    }
}

/// Removes all that has expired at that time since 1970, and says so.
fn sweep(store: &Store, metrics: &Metrics, now: Duration) {
    loop {
        let expired = store.expire(now.as_secs_f64());
        if expired.is_empty() {
            return;
        }
        expired.iter().for_each(|key| metrics.expired(key.job()));
        info!(groups = expired.len(), names = names(&expired), "groups expired");
        if !store.has_expired(now.as_secs_f64()) {
            return;
        }
    }
}

/// The first of them, in a line.
fn names(expired: &[Arc<GroupingKey>]) -> String {
    let mut names: Vec<_> = expired.iter().take(NAMED).map(ToString::to_string).collect();
    if expired.len() > NAMED {
        names.push(format!("and {} more", expired.len() - NAMED));
    }
    names.join(", ")
}

/// Compares the time of day with the time that goes by.
#[derive(Debug, Default)]
struct Clock {
    /// Both, when they were last looked at.
    last: Option<(Instant, Duration)>,
    /// Until when a jump ahead is doubted.
    doubted_until: Option<Instant>,
}

/// What the clock has done since the last look.
#[derive(Debug, PartialEq, Eq)]
enum Tick {
    Steady,
    Ahead(Duration),
    Back(Duration),
    /// It has jumped ahead, and for now it may have been a mistake.
    Doubted,
}

impl Clock {
    /// `now` is the time since 1970, `instant` that which goes by.
    fn tick(&mut self, instant: Instant, now: Duration) -> Tick {
        let Some((last_instant, last)) = self.last.replace((instant, now)) else { return Tick::Steady };
        let expected = last + instant.saturating_duration_since(last_instant);
        if let Some(by) = expected.checked_sub(now).filter(|by| *by >= JUMP) {
            self.doubted_until = None;
            return Tick::Back(by);
        }
        if let Some(by) = now.checked_sub(expected).filter(|by| *by >= JUMP) {
            self.doubted_until = Some(instant + DOUBT);
            return Tick::Ahead(by);
        }
        match self.doubted_until {
            Some(until) if instant < until => Tick::Doubted,
            _ => {
                self.doubted_until = None;
                Tick::Steady
            }
        }
    }

    fn is_in_doubt(&self) -> bool {
        self.doubted_until.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_of_the_clock_is_noticed() {
        let begin = Instant::now();
        let mut clock = Clock::default();
        let seconds = Duration::from_secs;
        for (passed, shown, expected) in [
            (0, 1_000, Tick::Steady),
            (1, 1_001, Tick::Steady),
            (2, 1_061, Tick::Steady),
            (3, 1_003, Tick::Steady),
            (100, 1_100, Tick::Steady),
            (101, 1_161, Tick::Ahead(JUMP)),
            (102, 1_162, Tick::Doubted),
            (400, 1_460, Tick::Doubted),
            (401, 1_461, Tick::Steady),
            (402, 10_462, Tick::Ahead(seconds(9_000))),
            (403, 1_463, Tick::Back(seconds(9_000))),
            (404, 1_464, Tick::Steady),
            (405, 1_405, Tick::Back(JUMP)),
            (406, 0, Tick::Back(seconds(1_406))),
        ] {
            assert_eq!(clock.tick(begin + seconds(passed), seconds(shown)), expected, "{passed}");
            assert_eq!(clock.is_in_doubt(), matches!(expected, Tick::Ahead(_) | Tick::Doubted), "{passed}");
        }
    }

    #[test]
    fn a_line_names_the_first_groups() {
        let key = |number: usize| Arc::new(GroupingKey::new([("job", number.to_string())]).unwrap());
        let keys: Vec<_> = (0..NAMED + 1).map(key).collect();
        assert_eq!(names(&keys[..2]), r#"{job="0"}, {job="1"}"#);
        assert!(names(&keys[..NAMED]).ends_with(r#"{job="19"}"#));
        assert!(names(&keys).ends_with(r#"{job="19"}, and 1 more"#));
    }
}
