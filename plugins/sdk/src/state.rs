//! A small memory that outlives an evaluation. Needs the grant `state`.
//!
//! There is one for each policy, shared by all of its instances, which may judge pushes at the same time. It is gone with
//! the process. What was written stays written when the push is rejected, by this policy or by a later one.
//!
//! ```
//! use std::time::Duration;
//! use pushgate_plugin::state;
//!
//! /// At most 100 pushes of a job in a minute.
//! fn is_too_often(job: &str) -> bool {
//!     // Without room for another job, let it pass.
//!     state::add(&format!("pushes/{job}"), 1, Duration::from_secs(60)).is_ok_and(|pushes| pushes > 100)
//! }
//! assert!(!is_too_often("backup"));
//! ```

use std::time::Duration;

use crate::bindings::state as wire;

/// A value, as it was when it was read.
///
/// ```
/// use std::time::Duration;
/// use pushgate_plugin::state;
///
/// state::put("last", b"a", Duration::from_secs(60))?;
/// assert_eq!(state::get("last").map(|entry| entry.value), Some(b"a".to_vec()));
/// # Ok::<(), state::StateError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Changes whenever the value does.
    pub version: u64,
    /// What was put there.
    pub value: Vec<u8>,
}

/// Why nothing was written.
///
/// ```
/// use std::time::Duration;
/// use pushgate_plugin::state::{self, StateError};
///
/// state::put("name", b"x", Duration::from_secs(60))?;
/// assert_eq!(state::add("name", 1, Duration::from_secs(60)), Err(StateError::Conflict));
/// # Ok::<(), StateError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateError {
    /// It does not fit into what the policy may keep.
    OverQuota,
    /// The entry has changed in between, or is no number.
    Conflict,
}

impl std::fmt::Display for StateError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::OverQuota => "the state has no room left",
            Self::Conflict => "the entry has changed or is no number",
        })
    }
}

impl std::error::Error for StateError {}

/// What is kept under a key.
///
/// ```
/// assert_eq!(pushgate_plugin::state::get("nothing"), None);
/// ```
pub fn get(key: &str) -> Option<Entry> {
    host::get(key).map(|entry| Entry { version: entry.version, value: entry.value })
}

/// Keeps a value for a time, whatever is there. Answers its version.
///
/// # Errors
/// [`StateError::OverQuota`].
///
/// ```
/// use std::time::Duration;
/// use pushgate_plugin::state;
///
/// let version = state::put("last", b"a", Duration::from_secs(60))?;
/// assert_eq!(state::get("last").map(|entry| entry.version), Some(version));
/// # Ok::<(), state::StateError>(())
/// ```
pub fn put(key: &str, value: &[u8], ttl: Duration) -> Result<u64, StateError> {
    written(host::put(key, value, None, ms(ttl)))
}

/// Keeps a value for a time, unless the entry has changed since it was read; `before` is what [`get`] answered. Answers
/// the new version.
///
/// # Errors
/// [`StateError::Conflict`]: read it again. [`StateError::OverQuota`].
///
/// ```
/// use std::time::Duration;
/// use pushgate_plugin::state::{self, StateError};
///
/// let before = state::get("owner");
/// state::put_unchanged("owner", b"a", before.as_ref(), Duration::from_secs(60))?;
/// let again = state::put_unchanged("owner", b"b", before.as_ref(), Duration::from_secs(60));
/// assert_eq!(again, Err(StateError::Conflict));
/// # Ok::<(), StateError>(())
/// ```
pub fn put_unchanged(
    key: &str,
    value: &[u8],
    before: Option<&Entry>,
    ttl: Duration,
) -> Result<u64, StateError> {
    let expected = before.map_or(0, |entry| entry.version);
    written(host::put(key, value, Some(expected), ms(ttl)))
}

/// Adds to a number, which begins at 0 and is kept for a time from its beginning. Answers the sum, which does not wrap.
///
/// # Errors
/// [`StateError::Conflict`] when the entry is no number, [`StateError::OverQuota`].
///
/// ```
/// use std::time::Duration;
/// use pushgate_plugin::state;
///
/// let minute = Duration::from_secs(60);
/// assert_eq!((state::add("pushes", 1, minute)?, state::add("pushes", 1, minute)?), (1, 2));
/// # Ok::<(), state::StateError>(())
/// ```
pub fn add(key: &str, by: i64, ttl: Duration) -> Result<i64, StateError> {
    written(host::add(key, by, ms(ttl)))
}

/// Forgets a key. Answers whether there was one.
///
/// ```
/// assert!(!pushgate_plugin::state::remove("nothing"));
/// ```
pub fn remove(key: &str) -> bool {
    host::remove(key)
}

fn ms(ttl: Duration) -> u64 {
    u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX)
}

fn written<T>(result: Result<T, wire::Error>) -> Result<T, StateError> {
    result.map_err(|error| match error {
        wire::Error::OverQuota => StateError::OverQuota,
        wire::Error::Conflict => StateError::Conflict,
    })
}

#[cfg(target_arch = "wasm32")]
use wire as host;

#[cfg(not(target_arch = "wasm32"))]
mod host {
    use super::wire::{Entry, Error};
    use crate::testing::host;

    pub(super) fn get(key: &str) -> Option<Entry> {
        host(|host| host.state.get(key, host.now_ms))
    }

    pub(super) fn put(key: &str, value: &[u8], expected: Option<u64>, ttl_ms: u64) -> Result<u64, Error> {
        host(|host| host.state.put(key, value, expected, host.now_ms, ttl_ms))
    }

    pub(super) fn add(key: &str, by: i64, ttl_ms: u64) -> Result<i64, Error> {
        host(|host| host.state.add(key, by, host.now_ms, ttl_ms))
    }

    pub(super) fn remove(key: &str) -> bool {
        host(|host| host.state.remove(key, host.now_ms))
    }
}
