//! How many values labels have in what is stored for the job of the push, grouping labels included, and what the push
//! would make of it. Needs the grant `cardinality`.
//!
//! ```
//! use pushgate_plugin::{Push, cardinality, testing};
//!
//! /// Whether a push would bring a label more than 100 values in its job.
//! fn is_too_much(push: &Push, label: &str) -> bool {
//!     let values: Vec<&str> = push.series().filter_map(|series| series.label(label)).collect();
//!     // What is stored, with all that comes, is the most that it can be; only then is it worth while to ask in detail.
//!     cardinality::values(label) + values.len() as u64 > 100 && cardinality::grow(label, &values).values > 100
//! }
//!
//! testing::set_label_values("path", &["/a", "/b"]);
//! let push = testing::push(r#"PUT {job="web"}"#, "hits{path=\"/c\"} 1\n")?;
//! assert!(!is_too_much(&push, "path"));
//! # Ok::<(), testing::CaseError>(())
//! ```

/// How many distinct values a label has. The push itself is not counted: it is not stored yet. Natively they are what
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

/// What becomes of a label when the push is stored, if it brings these values. What it replaces is gone then: its group
/// for a PUT, of a POST the families that it names. Natively nothing is.
///
/// ```
/// use pushgate_plugin::{cardinality, testing};
///
/// testing::set_label_values("path", &["/a", "/b"]);
/// let growth = cardinality::grow("path", &["/b", "/c"]);
/// assert_eq!((growth.values, growth.known), (3, vec![true, false]));
/// ```
pub fn grow(label: &str, values: &[&str]) -> Growth {
    let values: Vec<String> = values.iter().map(|&value| value.to_owned()).collect();
    host::grow(label, &values)
}

/// Series of the group under the push's key that stay beside those of the push: none for a PUT, for a POST those of
/// families that it does not name. Natively they are what
/// [`testing::set_kept_series`](crate::testing::set_kept_series) has set.
///
/// ```
/// use pushgate_plugin::{cardinality, testing};
///
/// testing::set_kept_series(7);
/// assert_eq!(cardinality::kept_series(), 7);
/// ```
pub fn kept_series() -> u64 {
    host::kept_series()
}

pub use crate::bindings::cardinality::Growth;

#[cfg(target_arch = "wasm32")]
use crate::bindings::cardinality as host;

#[cfg(not(target_arch = "wasm32"))]
mod host {
    use std::collections::BTreeSet;

    use super::Growth;
    use crate::testing::host;

    pub(super) fn values(label: &str) -> u64 {
        host(|host| host.label_values.get(label).map_or(0, |values| values.len() as u64))
    }

    pub(super) fn contains(label: &str, value: &str) -> bool {
        host(|host| host.label_values.get(label).is_some_and(|values| values.contains(value)))
    }

    pub(super) fn grow(label: &str, brought: &[String]) -> Growth {
        let stored = host(|host| host.label_values.get(label).cloned().unwrap_or_default());
        let new: BTreeSet<&String> =
            brought.iter().filter(|value| !value.is_empty() && !stored.contains(*value)).collect();
        Growth {
            values: (stored.len() + new.len()) as u64,
            known: brought.iter().map(|value| stored.contains(value)).collect(),
        }
    }

    pub(super) fn kept_series() -> u64 {
        host(|host| host.kept_series)
    }
}
