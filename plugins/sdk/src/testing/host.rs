//! What the interfaces of the host answer natively. Each thread, so each test, has a host of its own.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::Counter;
use crate::bindings::state::{Entry, Error};
use crate::testing::TestPush;

#[derive(Default)]
pub(crate) struct Host {
    pub(crate) now_ms: i64,
    pub(crate) counts: BTreeMap<(String, Vec<String>), u64>,
    pub(crate) state: State,
    pub(crate) stored: Option<TestPush>,
    pub(crate) label_values: BTreeMap<String, BTreeSet<String>>,
    pub(crate) kept_series: u64,
}

thread_local! {
    static HOST: RefCell<Host> = RefCell::default();
}

pub(crate) fn host<T>(ask: impl FnOnce(&mut Host) -> T) -> T {
    HOST.with_borrow_mut(ask)
}

/// Sets what [`clock::now`](crate::clock::now) answers to this thread, which entries of the state expire by as well.
///
/// ```
/// use std::time::{Duration, UNIX_EPOCH};
/// use pushgate_plugin::{state, testing};
///
/// state::put("k", b"v", Duration::from_secs(60))?;
/// testing::set_time(UNIX_EPOCH + Duration::from_secs(60));
/// assert_eq!(state::get("k"), None);
/// # Ok::<(), state::StateError>(())
/// ```
pub fn set_time(now: SystemTime) {
    let ms = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    host(|host| host.now_ms = i64::try_from(ms).unwrap_or(i64::MAX));
}

/// What this thread has counted by a counter with these values of its labels.
///
/// ```
/// # use pushgate_plugin::{Counter, testing};
/// const SEEN: Counter = Counter::new("seen", "Pushes that were judged.", &[]);
/// assert_eq!(testing::counted(&SEEN, &[]), 0);
/// SEEN.add(&[], 2);
/// assert_eq!(testing::counted(&SEEN, &[]), 2);
/// ```
pub fn counted(counter: &Counter, label_values: &[&str]) -> u64 {
    let values = label_values.iter().map(|&value| value.to_owned()).collect();
    host(|host| host.counts.get(&(counter.name.to_owned(), values)).copied().unwrap_or_default())
}

/// Bounds the entries that this thread's state may have; there is no bound before.
///
/// ```
/// use std::time::Duration;
/// use pushgate_plugin::{state, testing};
///
/// testing::limit_state(1);
/// state::put("k", b"v", Duration::from_secs(60))?;
/// assert_eq!(state::put("l", b"v", Duration::from_secs(60)), Err(state::StateError::OverQuota));
/// # Ok::<(), state::StateError>(())
/// ```
pub fn limit_state(entries: usize) {
    host(|host| host.state.most = Some(entries));
}

/// Sets what [`stored::own_group`](crate::stored::own_group) answers to this thread.
///
/// ```
/// use pushgate_plugin::{stored, testing};
///
/// testing::set_stored(None);
/// assert!(stored::own_group().is_none());
/// ```
pub fn set_stored(group: Option<TestPush>) {
    host(|host| host.stored = group);
}

/// Sets the values that a label has in the job, as [`cardinality`](crate::cardinality) tells this thread.
///
/// ```
/// use pushgate_plugin::{cardinality, testing};
///
/// testing::set_label_values("path", &["/a"]);
/// assert!(cardinality::contains("path", "/a"));
/// ```
pub fn set_label_values(label: &str, values: &[&str]) {
    let values = values.iter().filter(|value| !value.is_empty()).map(|&value| value.to_owned()).collect();
    host(|host| host.label_values.insert(label.to_owned(), values));
}

/// Sets how many series [`cardinality::kept_series`](crate::cardinality::kept_series) tells this thread.
///
/// ```
/// use pushgate_plugin::{cardinality, testing};
///
/// testing::set_kept_series(7);
/// assert_eq!(cardinality::kept_series(), 7);
/// ```
pub fn set_kept_series(series: u64) {
    host(|host| host.kept_series = series);
}

/// The state, by the rules of the host.
#[derive(Default)]
pub(crate) struct State {
    /// Each with when it expires.
    entries: BTreeMap<String, (Entry, i64)>,
    most: Option<usize>,
    version: u64,
}

impl State {
    fn live(&self, key: &str, now_ms: i64) -> Option<&(Entry, i64)> {
        self.entries.get(key).filter(|(_, expires_ms)| *expires_ms > now_ms)
    }

    pub(crate) fn get(&self, key: &str, now_ms: i64) -> Option<Entry> {
        self.live(key, now_ms).map(|(entry, _)| entry.clone())
    }

    pub(crate) fn put(
        &mut self,
        key: &str,
        value: &[u8],
        expected: Option<u64>,
        now_ms: i64,
        ttl_ms: u64,
    ) -> Result<u64, Error> {
        let version = self.live(key, now_ms).map_or(0, |(entry, _)| entry.version);
        if expected.is_some_and(|expected| expected != version) {
            return Err(Error::Conflict);
        }
        self.set(key, value, now_ms, now_ms.saturating_add_unsigned(ttl_ms))
    }

    pub(crate) fn add(&mut self, key: &str, by: i64, now_ms: i64, ttl_ms: u64) -> Result<i64, Error> {
        let (before, expires_ms) = match self.live(key, now_ms) {
            Some((entry, expires_ms)) => {
                let number = entry.value.as_slice().try_into().map_err(|_| Error::Conflict)?;
                (i64::from_le_bytes(number), *expires_ms)
            }
            None => (0, now_ms.saturating_add_unsigned(ttl_ms)),
        };
        let sum = before.saturating_add(by);
        self.set(key, &sum.to_le_bytes(), now_ms, expires_ms)?;
        Ok(sum)
    }

    pub(crate) fn remove(&mut self, key: &str, now_ms: i64) -> bool {
        let was_live = self.live(key, now_ms).is_some();
        self.entries.remove(key);
        was_live
    }

    fn set(&mut self, key: &str, value: &[u8], now_ms: i64, expires_ms: i64) -> Result<u64, Error> {
        self.entries.retain(|_, (_, expires_ms)| *expires_ms > now_ms);
        let entries = self.entries.len() + usize::from(!self.entries.contains_key(key));
        if self.most.is_some_and(|most| entries > most) {
            return Err(Error::OverQuota);
        }
        self.version += 1;
        let entry = Entry { version: self.version, value: value.to_vec() };
        self.entries.insert(key.to_owned(), (entry, expires_ms));
        Ok(self.version)
    }
}
