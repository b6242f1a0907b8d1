//! Bytes that are in memory at the same time, of bodies or of answers, within a bound of the configuration.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::ByteSize;
use crate::telemetry::{Limit, LimitMetrics};

/// What is counted, and up to where. Shared by all that hold some of it.
#[derive(Clone)]
pub(super) struct InFlight(Arc<Shared>);

struct Shared {
    room: Arc<Semaphore>,
    most: usize,
    limit: Limit,
    limits: Arc<LimitMetrics>,
}

/// Bytes that one body or answer is counted with, until it is dropped. None in the beginning.
pub(super) struct Held {
    of: InFlight,
    bytes: usize,
    /// For as many bytes as that, or for all there are: one that is larger than the bound can be held alone.
    permits: Option<OwnedSemaphorePermit>,
}

impl InFlight {
    pub(super) fn new(most: ByteSize, limit: Limit, limits: Arc<LimitMetrics>) -> Self {
        let most = most.as_usize().min(Semaphore::MAX_PERMITS);
        Self(Arc::new(Shared { room: Arc::new(Semaphore::new(most)), most, limit, limits }))
    }

    pub(super) fn hold(&self) -> Held {
        Held { of: self.clone(), bytes: 0, permits: None }
    }
}

impl Held {
    /// Holds that many bytes from now on, as soon as there is room for them. Whoever came first is served first. When it
    /// is dropped, some of them may be held.
    pub(super) async fn grow_to(&mut self, bytes: usize) {
        let shared = self.of.0.clone();
        loop {
            let held = self.permits.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
            let wanted = bytes.min(shared.most).saturating_sub(held);
            let Ok(step @ 1..) = u32::try_from(wanted.min(u32::MAX as usize)) else { break };
            // It fails only if it was closed, which nobody does.
            let Ok(more) = shared.room.clone().acquire_many_owned(step).await else { break };
            match &mut self.permits {
                Some(permits) => permits.merge(more),
                None => self.permits = Some(more),
            }
        }
        self.count(self.bytes.max(bytes));
    }

    /// Holds no more than that many bytes from now on.
    pub(super) fn shrink_to(&mut self, bytes: usize) {
        if let Some(permits) = &mut self.permits {
            drop(permits.split(permits.num_permits().saturating_sub(bytes)));
        }
        self.count(self.bytes.min(bytes));
    }

    /// The same bytes, which are counted until the last copy of them is gone.
    pub(super) fn until_dropped(self, bytes: Bytes) -> Bytes {
        if self.bytes == 0 { bytes } else { Bytes::from_owner(Counted { bytes, _held: self }) }
    }

    fn count(&mut self, bytes: usize) {
        let Shared { limit, limits, .. } = &*self.of.0;
        limits.take(*limit, bytes as u64);
        limits.give_back(*limit, self.bytes as u64);
        self.bytes = bytes;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.count(0);
    }
}

impl fmt::Debug for InFlight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InFlight").field("limit", &self.0.limit).field("most", &self.0.most).finish()
    }
}

struct Counted {
    bytes: Bytes,
    _held: Held,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    fn room(most: u64) -> (InFlight, Arc<LimitMetrics>) {
        let limits = Arc::<LimitMetrics>::default();
        (InFlight::new(ByteSize::bytes(most), Limit::InFlight, limits.clone()), limits)
    }

    /// Whether there is room right away.
    fn fits(held: &mut Held, bytes: usize) -> bool {
        pin!(held.grow_to(bytes)).poll(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    #[test]
    fn the_bound_is_taken_at_it_and_not_past_it() {
        let (room, limits) = room(10);
        let (mut first, mut second) = (room.hold(), room.hold());
        assert!(fits(&mut first, 6) && fits(&mut second, 4));
        assert!(!fits(&mut first, 7));
        assert_eq!(limits.used(Limit::InFlight), 10);
        second.shrink_to(3);
        assert!(fits(&mut first, 7));
        assert_eq!(limits.used(Limit::InFlight), 10);
        drop((first, second));
        assert_eq!(limits.used(Limit::InFlight), 0);
        assert!(fits(&mut room.hold(), 10));
    }

    #[test]
    fn one_that_is_larger_than_the_bound_is_held_alone() {
        let (room, limits) = room(10);
        let (mut large, mut other) = (room.hold(), room.hold());
        assert!(fits(&mut large, 50));
        assert_eq!(limits.used(Limit::InFlight), 50);
        assert!(!fits(&mut other, 1));
        large.shrink_to(9);
        assert!(fits(&mut other, 1));
    }

    #[test]
    fn bytes_are_counted_until_their_last_copy_is_gone() {
        let (room, limits) = room(10);
        let mut held = room.hold();
        assert!(fits(&mut held, 3));
        let bytes = held.until_dropped(Bytes::from_static(b"abc"));
        let part = bytes.slice(1..2);
        assert_eq!((&*bytes, &*part), (&b"abc"[..], &b"b"[..]));
        drop(bytes);
        assert_eq!(limits.used(Limit::InFlight), 3);
        drop(part);
        assert_eq!(limits.used(Limit::InFlight), 0);
    }
}
