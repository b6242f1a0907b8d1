//! Answers to scrapes, of which only so many bytes are in memory at the same time: a large one may be sent slowly, and to
//! many.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::time::{Instant, sleep, timeout};

use super::in_flight::{Held, InFlight};
use super::lanes::Presence;
use super::payload::Payload;
use crate::config::ByteSize;
use crate::telemetry::{Limit, LimitMetrics};

/// How long a scrape waits. A scraper has given up by then.
const MAX_WAIT: Duration = Duration::from_secs(10);

/// How old an answer is before it is cut off for a further one. Less than whoever waits has: it gets the place.
const OLD: Duration = Duration::from_secs(5);

/// How often whoever waits looks for one that is old.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// All answers under way. Lives as long as the gateway.
#[derive(Debug)]
pub(super) struct Answers {
    room: InFlight,
    /// In the order of their beginnings.
    open: Mutex<VecDeque<Weak<Begun>>>,
}

/// Room for one answer, from before it is made until it is sent.
pub(super) struct Answer {
    held: Held,
    _begun: Arc<Begun>,
}

#[derive(Debug)]
struct Begun {
    at: Instant,
    /// The connection that it goes to.
    presence: Arc<Presence>,
}

impl Answers {
    pub(super) fn new(most: ByteSize, limits: Arc<LimitMetrics>) -> Self {
        Self { room: InFlight::new(most, Limit::Scrapes, limits), open: Mutex::default() }
    }

    /// Room for an answer of about that many bytes. `None` if there was none in time.
    pub(super) async fn begin(&self, bytes: usize, presence: &Arc<Presence>) -> Option<Answer> {
        let mut held = self.room.hold();
        let found = {
            let growing = held.grow_to(bytes);
            let cutting = async {
                loop {
                    self.cut_old(Instant::now());
                    sleep(LOOK_AGAIN).await;
                }
            };
            let either = async {
                tokio::select! {
                    biased;
                    () = growing => {}
                    never = cutting => never,
                }
            };
            timeout(MAX_WAIT, either).await
        };
        found.ok()?;
        let begun = Arc::new(Begun { at: Instant::now(), presence: presence.clone() });
        let mut open = self.open.lock();
        while open.front().is_some_and(|first| first.strong_count() == 0) {
            open.pop_front();
        }
        open.push_back(Arc::downgrade(&begun));
        Some(Answer { held, _begun: begun })
    }

    /// Cuts off the oldest answer, if it is old.
    fn cut_old(&self, now: Instant) {
        let mut open = self.open.lock();
        while let Some(first) = open.pop_front() {
            let Some(begun) = first.upgrade() else { continue };
            if now.saturating_duration_since(begun.at) < OLD {
                open.push_front(first);
            } else {
                begun.presence.cut();
            }
            return;
        }
    }
}

impl Answer {
    /// The body of the answer, which is under way until its last chunk is sent.
    pub(super) fn with(mut self, body: Payload) -> Payload {
        self.held.shrink_to(usize::try_from(body.len()).unwrap_or(usize::MAX));
        body.map_last(|chunk| Bytes::from_owner(Sent { chunk, _answer: self }))
    }
}

struct Sent {
    chunk: Bytes,
    _answer: Answer,
}

impl AsRef<[u8]> for Sent {
    fn as_ref(&self) -> &[u8] {
        &self.chunk
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;
    use crate::http::lanes::Seat;

    fn answers(most: u64) -> Answers {
        Answers::new(ByteSize::bytes(most), Arc::default())
    }

    fn is_ready(future: impl Future) -> bool {
        pin!(future).poll(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    #[tokio::test]
    async fn the_bound_is_taken_at_it_and_not_past_it_until_an_answer_is_sent() {
        let (answers, seat) = (answers(10), Seat::alone());
        let body = [&b"1234"[..], b"5678"].into_iter().map(Bytes::from_static).collect();
        let mut first = answers.begin(8, seat.presence()).await.unwrap().with(body);
        let _second = answers.begin(2, seat.presence()).await.unwrap();
        assert!(!is_ready(answers.begin(1, seat.presence())));
        let (head, tail) = (first.take(9), first.take(9));
        assert!(!is_ready(answers.begin(1, seat.presence())), "its last chunk is not sent");
        assert_eq!((head.as_deref(), tail.as_deref()), (Some(&b"1234"[..]), Some(&b"5678"[..])));
        drop(tail);
        assert!(is_ready(answers.begin(8, seat.presence())));
    }

    #[tokio::test]
    async fn what_is_compressed_counts_as_what_is_sent() {
        let (answers, seat) = (answers(10), Seat::alone());
        let sent = answers.begin(10, seat.presence()).await.unwrap();
        let _sent = sent.with(Payload::from(Bytes::from_static(b"12")));
        assert!(is_ready(answers.begin(8, seat.presence())));
    }

    #[tokio::test]
    async fn the_oldest_answer_is_cut_off_once_it_is_old() {
        let answers = answers(10);
        let seats = [Seat::alone(), Seat::alone(), Seat::alone()];
        let gone = answers.begin(1, seats[0].presence()).await.unwrap();
        let _old = answers.begin(1, seats[1].presence()).await.unwrap();
        let _new = answers.begin(1, seats[2].presence()).await.unwrap();
        drop(gone);
        let is_cut = |seat: &Seat| is_ready(seat.presence().asked_to_leave());
        answers.cut_old(Instant::now());
        assert!(!seats.iter().any(is_cut));
        answers.cut_old(Instant::now() + OLD);
        assert_eq!(seats.each_ref().map(is_cut), [false, true, false]);
    }
}
