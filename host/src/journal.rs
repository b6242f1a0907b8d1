//! What makes accepted changes last. For now nothing does: the state lives in memory.

use crate::store::Change;

/// Is told of every change that was checked, in the order in which they are made, before it is made.
///
/// It is called under the store's lock, so it must not block: an implementation puts the change into a
/// bounded queue and lets the client wait for it outside.
pub trait Journal: Send + Sync {
    /// Takes note of a change.
    fn record(&self, change: &Change);
}

/// Forgets everything at the end of the process.
#[derive(Debug)]
pub struct InMemory;

impl Journal for InMemory {
    fn record(&self, _: &Change) {}
}
