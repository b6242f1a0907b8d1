//! When the push arrived. Needs the grant `clock`.

use std::time::SystemTime;

use crate::moment;

/// When the push under evaluation arrived, as [`Push::received_at`](crate::Push::received_at) says. It stands still
/// while a push is evaluated, so that an outcome can be had again. Natively it is what
/// [`testing::set_time`](crate::testing::set_time) has set, or 1970.
///
/// ```
/// use std::time::{Duration, UNIX_EPOCH};
/// use pushgate_plugin::{clock, testing};
///
/// testing::set_time(UNIX_EPOCH + Duration::from_secs(5));
/// assert_eq!(clock::now(), UNIX_EPOCH + Duration::from_secs(5));
/// ```
pub fn now() -> SystemTime {
    moment::of_ms(now_ms())
}

#[cfg(target_arch = "wasm32")]
fn now_ms() -> i64 {
    crate::bindings::clock::now_ms()
}

#[cfg(not(target_arch = "wasm32"))]
fn now_ms() -> i64 {
    crate::testing::host(|host| host.now_ms)
}
