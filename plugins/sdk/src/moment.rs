//! Moments as they cross the boundary: milliseconds since 1970.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The moment; 1970 where the system cannot tell one that far away.
pub(crate) fn of_ms(ms: i64) -> SystemTime {
    let distance = Duration::from_millis(ms.unsigned_abs());
    let moment = if ms < 0 { UNIX_EPOCH.checked_sub(distance) } else { UNIX_EPOCH.checked_add(distance) };
    moment.unwrap_or(UNIX_EPOCH)
}
