//! How many values labels have in what is stored for the job of the push, grouping labels included. Needs the grant
//! `cardinality`.
//!
//! The push itself is not counted: it is not stored yet.
//!
//! ```
//! use pushgate_plugin::{Push, cardinality, testing};
//!
//! /// Whether a push would bring a label more than 100 values in its job.
//! fn is_too_much(push: &Push, label: &str) -> bool {
//!     let new = push.series().filter_map(|series| series.label(label));
//!     let new = new.filter(|value| !cardinality::contains(label, value)).count();
//!     cardinality::values(label) + new as u64 > 100
//! }
//!
//! testing::set_label_values("path", &["/a", "/b"]);
//! let push = testing::push(r#"PUT {job="web"}"#, "hits{path=\"/c\"} 1\n")?;
//! assert!(!is_too_much(&push, "path"));
//! # Ok::<(), testing::CaseError>(())
//! ```

/// How many distinct values a label has. Natively they are what
/// [`testing::set_label_values`](crate::testing::set_label_values) has set.
///
/// ```
/// use pushgate_plugin::{cardinality, testing};
///
/// testing::set_label_values("path", &["/a", "/b"]);
/// assert_eq!((cardinality::values("path"), cardinality::values("host")), (2, 0));
/// ```
pub fn values(label: &str) -> u64 {
    host::values(label)
}

/// Whether a label has a value already.
///
/// ```
/// use pushgate_plugin::{cardinality, testing};
///
/// testing::set_label_values("path", &["/a", "/b"]);
/// assert!(cardinality::contains("path", "/a") && !cardinality::contains("path", "/c"));
/// ```
pub fn contains(label: &str, value: &str) -> bool {
    host::contains(label, value)
}

#[cfg(target_arch = "wasm32")]
use crate::bindings::cardinality as host;

#[cfg(not(target_arch = "wasm32"))]
mod host {
    use crate::testing::host;

    pub(super) fn values(label: &str) -> u64 {
        host(|host| host.label_values.get(label).map_or(0, |values| values.len() as u64))
    }

    pub(super) fn contains(label: &str, value: &str) -> bool {
        host(|host| host.label_values.get(label).is_some_and(|values| values.contains(value)))
    }
}
