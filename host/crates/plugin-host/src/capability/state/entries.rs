//! The entries of one policy's state.

use std::collections::{BTreeMap, HashMap};

use parking_lot::Mutex;

use super::Error;
use crate::Quota;

/// Entries that are past their time are never seen, and go in the order in which they expire: some with each write, so
/// that no call has much to do, and more when their room is needed.
#[derive(Debug, Default)]
pub(crate) struct Entries(Mutex<Table>);

impl Clone for Entries {
    fn clone(&self) -> Self {
        Self(Mutex::new(self.0.lock().clone()))
    }
}

#[derive(Clone, Debug, Default)]
struct Table {
    entries: HashMap<String, Entry>,
    /// The keys by when they expire; versions tell those apart that do at the same time.
    expiries: BTreeMap<(i64, u64), String>,
    /// Of all keys and values.
    bytes: usize,
    /// The version given last.
    version: u64,
}

#[derive(Clone, Debug)]
struct Entry {
    version: u64,
    expires_ms: i64,
    value: Vec<u8>,
}

/// How many expired entries go with a write.
const SWEEP: usize = 16;

impl Entries {
    /// The version and value of a key.
    pub(super) fn get(&self, key: &str, now: i64) -> Option<(u64, Vec<u8>)> {
        let table = self.0.lock();
        let entry = table.live(key, now)?;
        Some((entry.version, entry.value.clone()))
    }

    /// Sets a key; if `expected` is given, only if its entry has that version, 0 being that of none.
    pub(super) fn put(
        &self,
        key: String,
        value: Vec<u8>,
        expected: Option<u64>,
        expires_ms: i64,
        now: i64,
        quota: &Quota,
    ) -> Result<u64, Error> {
        let mut table = self.0.lock();
        let version = table.live(&key, now).map_or(0, |entry| entry.version);
        if expected.is_some_and(|expected| expected != version) {
            return Err(Error::Conflict);
        }
        table.set(key, value, expires_ms, now, quota)
    }

    /// Adds to a number, which begins at 0 and keeps the expiry that it begins with.
    pub(super) fn add(
        &self,
        key: String,
        by: i64,
        expires_ms: i64,
        now: i64,
        quota: &Quota,
    ) -> Result<i64, Error> {
        let mut table = self.0.lock();
        let (before, expires_ms) = match table.live(&key, now) {
            Some(entry) => {
                let number = entry.value.as_slice().try_into().map_err(|_| Error::Conflict)?;
                (i64::from_le_bytes(number), entry.expires_ms)
            }
            None => (0, expires_ms),
        };
        let sum = before.saturating_add(by);
        table.set(key, sum.to_le_bytes().to_vec(), expires_ms, now, quota)?;
        Ok(sum)
    }

    /// Forgets a key. Whether there was one.
    pub(super) fn remove(&self, key: &str, now: i64) -> bool {
        let mut table = self.0.lock();
        let was_live = table.live(key, now).is_some();
        table.remove(key);
        was_live
    }
}

impl Table {
    fn live(&self, key: &str, now: i64) -> Option<&Entry> {
        self.entries.get(key).filter(|entry| entry.expires_ms > now)
    }

    fn set(
        &mut self,
        key: String,
        value: Vec<u8>,
        expires_ms: i64,
        now: i64,
        quota: &Quota,
    ) -> Result<u64, Error> {
        let mut swept = 0;
        while (swept < SWEEP || !self.has_room(&key, &value, quota)) && self.remove_expired(now) {
            swept += 1;
        }
        if !self.has_room(&key, &value, quota) {
            return Err(Error::OverQuota);
        }
        self.remove(&key);
        self.version += 1;
        let version = self.version;
        self.bytes += key.len() + value.len();
        self.expiries.insert((expires_ms, version), key.clone());
        self.entries.insert(key, Entry { version, expires_ms, value });
        Ok(version)
    }

    /// Whether the entry fits, in the place of what the key has now.
    fn has_room(&self, key: &str, value: &[u8], quota: &Quota) -> bool {
        let before = self.entries.get(key);
        let entries = self.entries.len() + usize::from(before.is_none());
        let freed = before.map_or(0, |entry| key.len() + entry.value.len());
        entries <= quota.state_entries && self.bytes - freed + key.len() + value.len() <= quota.state_bytes
    }

    fn remove_expired(&mut self, now: i64) -> bool {
        let Some(first) = self.expiries.first_entry().filter(|first| first.key().0 <= now) else {
            return false;
        };
        let key = first.get().clone();
        self.remove(&key);
        true
    }

    fn remove(&mut self, key: &str) {
        if let Some(entry) = self.entries.remove(key) {
            self.bytes -= key.len() + entry.value.len();
            self.expiries.remove(&(entry.expires_ms, entry.version));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUOTA: Quota = Quota { counter_series: 0, state_bytes: 100, state_entries: 3 };

    fn put(entries: &Entries, key: &str, length: usize, expires: i64, now: i64) -> Result<u64, Error> {
        entries.put(key.to_owned(), vec![0; length], None, expires, now, &QUOTA)
    }

    #[test]
    fn an_entry_is_there_until_it_expires() {
        let entries = Entries::default();
        put(&entries, "k", 5, 20, 10).unwrap();
        assert_eq!(entries.get("k", 19), Some((1, vec![0; 5])));
        assert_eq!(entries.get("k", 20), None);
        assert!(!entries.remove("k", 20), "what is expired was not there");
        assert_eq!(entries.0.lock().bytes, 0);
    }

    #[test]
    fn the_quota_holds_at_it_and_not_past_it() {
        let entries = Entries::default();
        put(&entries, "k", 99, 50, 0).unwrap();
        assert_eq!(put(&entries, "k", 100, 50, 0), Err(Error::OverQuota));
        assert_eq!(entries.get("k", 0).unwrap().1.len(), 99, "the old value stays");
        put(&entries, "k", 1, 50, 0).unwrap();
        put(&entries, "l", 1, 50, 0).unwrap();
        put(&entries, "m", 1, 60, 0).unwrap();
        assert_eq!(put(&entries, "n", 1, 60, 0), Err(Error::OverQuota), "a fourth entry");
        put(&entries, "m", 2, 60, 0).unwrap();
        put(&entries, "n", 1, 60, 50).expect("expired ones make room");
        assert_eq!(entries.0.lock().entries.len(), 2);
    }

    #[test]
    fn versions_tell_whether_somebody_else_was_faster() {
        let entries = Entries::default();
        let put = |expected| entries.put("k".to_owned(), Vec::new(), expected, 9, 0, &QUOTA);
        assert_eq!(put(Some(1)), Err(Error::Conflict));
        assert_eq!(put(Some(0)), Ok(1));
        assert_eq!(put(Some(0)), Err(Error::Conflict));
        assert_eq!(put(Some(1)), Ok(2));
        assert!(entries.remove("k", 0));
        assert_eq!(put(Some(0)), Ok(3), "a version is never given again");
    }

    #[test]
    fn numbers_saturate_and_keep_their_expiry() {
        let entries = Entries::default();
        let add = |by, expires, now| entries.add("n".to_owned(), by, expires, now, &QUOTA);
        assert_eq!(add(2, 10, 0), Ok(2));
        assert_eq!(add(-3, 99, 9), Ok(-1));
        assert_eq!(add(5, 99, 10), Ok(5), "it expired and begins again");
        assert_eq!(add(i64::MAX, 99, 11), Ok(i64::MAX));
        assert_eq!(add(1, 99, 11), Ok(i64::MAX));
        put(&entries, "n", 7, 99, 11).unwrap();
        assert_eq!(add(1, 99, 11), Err(Error::Conflict));
    }

    #[test]
    fn a_write_sweeps_some_of_what_is_expired() {
        let entries = Entries::default();
        let quota = Quota { state_entries: 100, state_bytes: 1_000, ..QUOTA };
        let put =
            |key: &str, expires, now| entries.put(key.to_owned(), Vec::new(), None, expires, now, &quota);
        for key in 0..40 {
            put(&key.to_string(), 10, 0).unwrap();
        }
        for left in [40 - SWEEP + 1, 40 - 2 * SWEEP + 1, 1, 1] {
            put("k", 99, 10).unwrap();
            assert_eq!(entries.0.lock().entries.len(), left);
        }
    }
}
