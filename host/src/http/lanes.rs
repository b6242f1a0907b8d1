//! Who may be connected: as many clients as are configured, and a few more whose pushes are refused, so that scrapes,
//! probes and pages are answered however many clients push.
//!
//! A connection that is idle keeps nobody out: the one that has been for the longest time is closed for one that wants in.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::select;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use crate::config::Web;
use crate::telemetry::{Limit, LimitMetrics};

/// How long a connection is left alone that has just been made or has just had an answer: its request may be on the way.
const GRACE: Duration = Duration::from_millis(250);

/// The same for one that was told to close: time for the answer to arrive.
const FAREWELL: Duration = Duration::from_millis(20);

/// How often whoever waits looks whether somebody has become idle. A look is some microseconds.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// All connections. Made by the server, and lives as long as it or the last connection.
#[derive(Debug)]
pub(super) struct Lanes {
    places: Mutex<Places>,
    /// Somebody has left.
    left: Notify,
    limits: Arc<LimitMetrics>,
}

#[derive(Debug)]
struct Places {
    main: Lane,
    reserve: Lane,
    /// The number of the next seat.
    next: u64,
}

#[derive(Debug)]
struct Lane {
    most: usize,
    seats: HashMap<u64, Arc<Presence>>,
    limit: Limit,
}

/// A connection's place, which is free again when it is dropped.
pub(super) struct Seat {
    lanes: Arc<Lanes>,
    number: u64,
    presence: Arc<Presence>,
}

/// What a connection is doing. Written by the connection, and read by those that would have its place.
#[derive(Debug)]
pub(super) struct Presence {
    accepted: Instant,
    /// Requests that are not answered.
    open: AtomicU32,
    /// Something is written that the system has not taken yet.
    is_unsent: AtomicBool,
    /// Milliseconds after it was accepted when it last did something.
    last: AtomicU64,
    /// Something came that was not a whole request yet.
    is_heard: AtomicBool,
    /// The client was told that this was the last answer.
    is_closing: AtomicBool,
    is_reserve: AtomicBool,
    /// Its place is somebody else's.
    leave: Notify,
    /// It is to leave whatever it is doing.
    is_cut: AtomicBool,
}

/// A request that is not answered yet.
#[derive(Debug)]
pub(super) struct Underway(Arc<Presence>);

/// What came of asking for a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Promotion {
    Granted,
    NotYet,
    Refused,
}

impl Lanes {
    pub(super) fn new(web: &Web, limits: Arc<LimitMetrics>) -> Arc<Self> {
        let lane = |most, limit| Lane { most, seats: HashMap::new(), limit };
        let main = lane(web.max_connections, Limit::Connections);
        let reserve = lane(web.reserve_connections, Limit::ReserveConnections);
        Arc::new(Self { places: Mutex::new(Places { main, reserve, next: 0 }), left: Notify::new(), limits })
    }

    /// A place for a new connection, as soon as there is one. For a single caller.
    pub(super) async fn enter(self: &Arc<Self>) -> Seat {
        loop {
            if let Some(seat) = self.try_enter(Instant::now()) {
                return seat;
            }
            select! {
                () = self.left.notified() => {}
                () = sleep(LOOK_AGAIN) => {}
            }
        }
    }

    fn try_enter(self: &Arc<Self>, now: Instant) -> Option<Seat> {
        let mut places = self.places.lock();
        let is_main = places.main.make_room(now);
        if !is_main && !places.reserve.make_room(now) {
            return None;
        }
        let number = places.next;
        places.next += 1;
        let presence = Arc::new(Presence::new(!is_main));
        let lane = if is_main { &mut places.main } else { &mut places.reserve };
        lane.seats.insert(number, presence.clone());
        self.show(&places);
        Some(Seat { lanes: self.clone(), number, presence })
    }

    /// Closes the connection that has been idle for the longest time: when the system has no more files for new ones.
    pub(super) fn close_one(&self) {
        let (mut places, now) = (self.places.lock(), Instant::now());
        if !places.main.close_longest_idle(now) {
            places.reserve.close_longest_idle(now);
        }
        self.show(&places);
    }

    fn promote(&self, seat: &Seat, now: Instant) -> Promotion {
        let mut places = self.places.lock();
        if places.main.make_room(now) {
            // Not there when its own place was given away meanwhile.
            let presence = places.reserve.seats.remove(&seat.number).unwrap_or_else(|| seat.presence.clone());
            presence.is_reserve.store(false, Ordering::Relaxed);
            places.main.seats.insert(seat.number, presence);
            self.show(&places);
            self.left.notify_one();
            return Promotion::Granted;
        }
        // Whoever waits holds a place that a probe may need.
        let is_roomy = places.reserve.seats.len() * 2 <= places.reserve.most;
        if is_roomy && places.main.has_idle() { Promotion::NotYet } else { Promotion::Refused }
    }

    fn leave(&self, number: u64) {
        let mut places = self.places.lock();
        let Places { main, reserve, .. } = &mut *places;
        if main.seats.remove(&number).or_else(|| reserve.seats.remove(&number)).is_some() {
            self.show(&places);
            self.left.notify_one();
        }
    }

    fn show(&self, places: &Places) {
        for lane in [&places.main, &places.reserve] {
            self.limits.set_used(lane.limit, lane.seats.len() as u64);
        }
    }
}

impl Lane {
    /// Whether there is room for one more, if need be by closing one that is idle.
    fn make_room(&mut self, now: Instant) -> bool {
        self.seats.len() < self.most || self.close_longest_idle(now)
    }

    fn close_longest_idle(&mut self, now: Instant) -> bool {
        let idle =
            self.seats.iter().filter_map(|(number, presence)| Some((presence.idle_for(now)?, *number)));
        let Some((_, number)) = idle.max() else { return false };
        if let Some(presence) = self.seats.remove(&number) {
            presence.leave.notify_one();
        }
        true
    }

    fn has_idle(&self) -> bool {
        self.seats.values().any(|presence| presence.is_idle())
    }
}

impl Seat {
    pub(super) fn presence(&self) -> &Arc<Presence> {
        &self.presence
    }

    /// Whether a push of this connection may be taken. One that is in reserve is given the place of one that is idle.
    pub(super) async fn may_push(&self) -> bool {
        let asked = Instant::now();
        while self.presence.is_reserve.load(Ordering::Relaxed) {
            match self.lanes.promote(self, Instant::now()) {
                Promotion::Granted => return true,
                Promotion::NotYet if asked.elapsed() <= GRACE + LOOK_AGAIN => sleep(LOOK_AGAIN).await,
                Promotion::NotYet | Promotion::Refused => {
                    self.presence.is_closing.store(true, Ordering::Relaxed);
                    return false;
                }
            }
        }
        true
    }

    /// A place in lanes of its own, for tests.
    #[cfg(test)]
    pub(super) fn alone() -> Self {
        let lanes = Lanes::new(&Web::default(), Arc::default());
        lanes.try_enter(Instant::now()).expect("the lanes are empty")
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.lanes.leave(self.number);
    }
}

impl fmt::Debug for Seat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seat").field("number", &self.number).field("presence", &self.presence).finish()
    }
}

impl Presence {
    fn new(is_reserve: bool) -> Self {
        Self {
            accepted: Instant::now(),
            open: AtomicU32::new(0),
            is_unsent: AtomicBool::new(false),
            last: AtomicU64::new(0),
            is_heard: AtomicBool::new(false),
            is_closing: AtomicBool::new(false),
            is_reserve: AtomicBool::new(is_reserve),
            leave: Notify::new(),
            is_cut: AtomicBool::new(false),
        }
    }

    /// A request has come.
    pub(super) fn begin(self: &Arc<Self>) -> Underway {
        self.open.fetch_add(1, Ordering::Relaxed);
        Underway(self.clone())
    }

    /// Something was read.
    pub(super) fn heard(&self) {
        self.is_heard.store(true, Ordering::Relaxed);
    }

    /// Whether a part of a request has come, and no more.
    pub(super) fn is_half_heard(&self) -> bool {
        self.open.load(Ordering::Relaxed) == 0 && self.is_heard.load(Ordering::Relaxed)
    }

    /// Something was written.
    pub(super) fn wrote(&self) {
        self.is_unsent.store(true, Ordering::Relaxed);
    }

    /// Everything that was written is the system's.
    pub(super) fn flushed(&self) {
        if self.is_unsent.swap(false, Ordering::Relaxed) {
            self.touch();
        }
    }

    /// Ends the connection, whatever it is doing.
    pub(super) fn cut(&self) {
        self.is_cut.store(true, Ordering::Relaxed);
        self.leave.notify_one();
    }

    /// Completes when the connection is to be closed: when its place was given away, and it is idle.
    pub(super) async fn asked_to_leave(&self) {
        self.leave.notified().await;
        // A request may have come at the last moment. It is answered.
        while !self.is_idle() && !self.is_cut.load(Ordering::Relaxed) {
            sleep(LOOK_AGAIN).await;
        }
    }

    fn touch(&self) {
        let last = u64::try_from(self.accepted.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(last, Ordering::Relaxed);
    }

    fn is_idle(&self) -> bool {
        self.open.load(Ordering::Relaxed) == 0 && !self.is_unsent.load(Ordering::Relaxed)
    }

    /// How long it has been idle, if that is long enough to close it.
    fn idle_for(&self, now: Instant) -> Option<Duration> {
        let grace = if self.is_closing.load(Ordering::Relaxed) { FAREWELL } else { GRACE };
        let last = self.accepted + Duration::from_millis(self.last.load(Ordering::Relaxed));
        Some(now.saturating_duration_since(last)).filter(|idle| self.is_idle() && *idle >= grace)
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        self.0.touch();
        self.0.is_heard.store(false, Ordering::Relaxed);
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    fn lanes(main: usize, reserve: usize) -> Arc<Lanes> {
        let web = Web { max_connections: main, reserve_connections: reserve, ..Web::default() };
        Lanes::new(&web, Arc::default())
    }

    fn is_reserve(seat: &Seat) -> bool {
        seat.presence.is_reserve.load(Ordering::Relaxed)
    }

    fn is_asked_to_leave(seat: &Seat) -> bool {
        pin!(seat.presence.leave.notified()).poll(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    /// When whoever is idle now may be closed.
    fn later() -> Instant {
        Instant::now() + GRACE
    }

    #[test]
    fn as_many_are_let_in_as_are_configured_and_then_as_many_in_reserve() {
        let lanes = lanes(2, 2);
        let now = Instant::now();
        let seats: Vec<Seat> = std::iter::from_fn(|| lanes.try_enter(now)).collect();
        assert_eq!(seats.iter().map(is_reserve).collect::<Vec<_>>(), [false, false, true, true]);
        drop(seats);
        assert!(!is_reserve(&lanes.try_enter(now).unwrap()), "places are free again");
    }

    #[test]
    fn the_one_that_is_idle_for_the_longest_time_makes_room() {
        let lanes = lanes(2, 1);
        let (first, second) =
            (lanes.try_enter(Instant::now()).unwrap(), lanes.try_enter(Instant::now()).unwrap());
        second.presence.last.store(5, Ordering::Relaxed);
        first.presence.last.store(1_000, Ordering::Relaxed);
        let third = lanes.try_enter(later() + Duration::from_secs(1)).unwrap();
        assert!(!is_reserve(&third));
        assert!(is_asked_to_leave(&second) && !is_asked_to_leave(&first));
        // Its place is the third's now.
        drop(second);
        assert_eq!(lanes.places.lock().main.seats.len(), 2);
    }

    #[test]
    fn whoever_is_busy_or_has_just_been_is_left_alone() {
        let lanes = lanes(1, 1);
        let seat = lanes.try_enter(Instant::now()).unwrap();
        let request = seat.presence.begin();
        assert!(is_reserve(&lanes.try_enter(later()).unwrap()), "a request is under way");
        drop(request);
        seat.presence.wrote();
        assert!(is_reserve(&lanes.try_enter(later()).unwrap()), "an answer is not sent");
        seat.presence.flushed();
        assert!(is_reserve(&lanes.try_enter(Instant::now()).unwrap()), "it was busy until now");
        assert!(!is_reserve(&lanes.try_enter(later()).unwrap()));
        assert!(is_asked_to_leave(&seat));
    }

    #[test]
    fn a_full_reserve_makes_room_as_well() {
        let lanes = lanes(1, 1);
        let busy = lanes.try_enter(Instant::now()).unwrap();
        let _request = busy.presence.begin();
        let idle = lanes.try_enter(Instant::now()).unwrap();
        assert!(lanes.try_enter(Instant::now()).is_none());
        assert!(is_reserve(&lanes.try_enter(later()).unwrap()));
        assert!(is_asked_to_leave(&idle));
        // One that was refused need not be waited for.
        let refused = lanes.try_enter(later() + GRACE).unwrap();
        refused.presence.is_closing.store(true, Ordering::Relaxed);
        assert!(lanes.try_enter(Instant::now() + FAREWELL).is_some());
    }

    #[test]
    fn a_push_in_reserve_takes_the_place_of_one_that_is_idle() {
        let lanes = lanes(1, 2);
        let main = lanes.try_enter(Instant::now()).unwrap();
        let reserve = lanes.try_enter(Instant::now()).unwrap();
        assert_eq!(lanes.promote(&reserve, Instant::now()), Promotion::NotYet);
        let request = main.presence.begin();
        assert_eq!(lanes.promote(&reserve, later()), Promotion::Refused);
        drop(request);
        assert_eq!(lanes.promote(&reserve, later()), Promotion::Granted);
        assert!(!is_reserve(&reserve) && is_asked_to_leave(&main));
        drop(main);
        assert_eq!(lanes.places.lock().main.seats.len(), 1);
    }

    #[test]
    fn nobody_waits_in_a_reserve_that_fills() {
        let lanes = lanes(1, 2);
        let _main = lanes.try_enter(Instant::now()).unwrap();
        let reserve = lanes.try_enter(Instant::now()).unwrap();
        let _other = lanes.try_enter(Instant::now()).unwrap();
        assert_eq!(lanes.promote(&reserve, Instant::now()), Promotion::Refused);
    }

    #[tokio::test]
    async fn whoever_is_asked_to_leave_finishes_what_it_does_unless_it_is_cut() {
        let seat = Seat::alone();
        let request = seat.presence.begin();
        seat.presence.leave.notify_one();
        let mut leaving = pin!(seat.presence.asked_to_leave());
        assert!(leaving.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        drop(request);
        leaving.await;
        let _request = seat.presence.begin();
        seat.presence.cut();
        seat.presence.asked_to_leave().await;
    }

    #[test]
    fn what_is_used_is_known() {
        let limits = Arc::<LimitMetrics>::default();
        let web = Web { max_connections: 1, ..Web::default() };
        let lanes = Lanes::new(&web, limits.clone());
        let used = || [Limit::Connections, Limit::ReserveConnections].map(|limit| limits.used(limit));
        let first = lanes.try_enter(Instant::now());
        let second = lanes.try_enter(Instant::now());
        assert_eq!(used(), [1, 1]);
        drop(first);
        assert_eq!(used(), [0, 1]);
        drop(second);
        assert_eq!(used(), [0, 0]);
    }
}
