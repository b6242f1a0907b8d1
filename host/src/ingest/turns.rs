//! Turns at the work on large pushes, of which only so many are done at the same time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::telemetry::{Limit, LimitMetrics};

/// How long a push waits for its turn.
const MAX_WAIT: Duration = Duration::from_secs(5);

/// What a client is told at the most when to come back.
const MAX_RETRY: Duration = Duration::from_secs(60);

/// Hands out turns, in the order in which they are asked for.
#[derive(Debug)]
pub struct Turns {
    permits: Arc<Semaphore>,
    most: usize,
    waiting: AtomicUsize,
    /// How long the last turns took: a moving average, in microseconds.
    took: AtomicU64,
    limits: Arc<LimitMetrics>,
}

/// A turn, which ends when it is dropped.
#[derive(Debug)]
pub struct Turn {
    turns: Arc<Turns>,
    began: Instant,
    _permit: OwnedSemaphorePermit,
}

/// The turn would not come, or did not come, in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy {
    /// When it may be worth trying again.
    pub retry_after: Duration,
}

impl Busy {
    /// Nothing is known of when it will be better.
    pub fn soon() -> Self {
        Self { retry_after: Duration::from_secs(1) }
    }
}

impl Turns {
    /// Turns of which `most` are taken at the same time.
    pub fn new(most: usize, limits: Arc<LimitMetrics>) -> Arc<Self> {
        Arc::new(Self {
            permits: Arc::new(Semaphore::new(most)),
            most,
            waiting: AtomicUsize::new(0),
            took: AtomicU64::new(0),
            limits,
        })
    }

    /// The next turn. How many wait is bounded: whoever would have to wait for too long, as turns have lasted so far, does
    /// not wait at all.
    ///
    /// # Errors
    /// When it does not come in time.
    pub async fn next(self: &Arc<Self>) -> Result<Turn, Busy> {
        if let Ok(permit) = self.permits.clone().try_acquire_owned() {
            return Ok(self.begin(permit));
        }
        let _waiting = Waiting::new(self);
        let wait = self.wait();
        let busy = Busy { retry_after: wait.clamp(Duration::from_secs(1), MAX_RETRY) };
        if wait > MAX_WAIT {
            return Err(busy);
        }
        match timeout(MAX_WAIT, self.permits.clone().acquire_owned()).await {
            Ok(Ok(permit)) => Ok(self.begin(permit)),
            _ => Err(busy),
        }
    }

    fn begin(self: &Arc<Self>, permit: OwnedSemaphorePermit) -> Turn {
        self.limits.take(Limit::Concurrent, 1);
        Turn { turns: self.clone(), began: Instant::now(), _permit: permit }
    }

    /// How long the last of those that wait now will wait.
    fn wait(&self) -> Duration {
        let waiting = self.waiting.load(Ordering::Relaxed) as u64;
        let took = self.took.load(Ordering::Relaxed);
        Duration::from_micros(took.saturating_mul(waiting) / self.most.max(1) as u64)
    }

    fn ended(&self, took: Duration) {
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        // Of two that end at the same time one may be left out.
        let average = match self.took.load(Ordering::Relaxed) {
            0 => took,
            before => before - before / 8 + took / 8,
        };
        self.took.store(average, Ordering::Relaxed);
        self.limits.give_back(Limit::Concurrent, 1);
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.turns.ended(self.began.elapsed());
    }
}

/// One that waits.
struct Waiting<'t>(&'t Turns);

impl<'t> Waiting<'t> {
    fn new(turns: &'t Turns) -> Self {
        turns.waiting.fetch_add(1, Ordering::Relaxed);
        Self(turns)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn poll<T>(future: std::pin::Pin<&mut impl Future<Output = T>>) -> Poll<T> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[tokio::test]
    async fn as_many_turns_are_taken_as_are_configured_and_the_next_one_waits() {
        let limits = Arc::<LimitMetrics>::default();
        let turns = Turns::new(2, limits.clone());
        let (first, _second) = (turns.next().await.unwrap(), turns.next().await.unwrap());
        assert_eq!(limits.used(Limit::Concurrent), 2);
        let mut third = pin!(turns.next());
        assert!(poll(third.as_mut()).is_pending());
        drop(first);
        assert!(third.await.is_ok());
        assert_eq!(limits.used(Limit::Concurrent), 1);
    }

    #[tokio::test]
    async fn whoever_would_wait_for_too_long_is_told_at_once() {
        let turns = Turns::new(2, Arc::default());
        let _both = (turns.next().await.unwrap(), turns.next().await.unwrap());
        // Turns of two seconds, two at a time: the fifth that waits would wait for five seconds.
        turns.took.store(2_000_000, Ordering::Relaxed);
        let mut waiting: Vec<_> = (0..5).map(|_| Box::pin(turns.next())).collect();
        for turn in &mut waiting {
            assert!(poll(turn.as_mut()).is_pending());
        }
        assert_eq!(turns.next().await.unwrap_err(), Busy { retry_after: Duration::from_secs(6) });
        waiting.pop();
        assert!(poll(pin!(turns.next())).is_pending());
    }

    #[tokio::test]
    async fn how_long_turns_take_is_learnt() {
        let turns = Turns::new(1, Arc::default());
        turns.ended(Duration::from_micros(800));
        assert_eq!(turns.took.load(Ordering::Relaxed), 800);
        turns.ended(Duration::from_micros(1_600));
        assert_eq!(turns.took.load(Ordering::Relaxed), 900);
    }
}
