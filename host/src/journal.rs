//! What makes accepted changes last: nothing, or a file that each change is in before its client is told that it was
//! accepted.
//!
//! The store tells of every change under its lock, so the order is the store's, and telling must not block: a change is
//! put beside those that wait, and whoever pushed waits outside of the lock for the [`Receipt`]. One thread
//! writes all that has come since the last time as one transaction; the more pushes come at a time, the more share a
//! write to the disk. What waits is kept by group and family, the newest of each, so it is never more than what is stored.

mod file;
mod key;
mod pending;
mod row;
mod writer;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

pub use self::file::OpenError;
use self::pending::Pending;
pub use self::writer::{BeginError, FileJournal};
use crate::store::Change;

/// Is told of every change that was checked, in the order in which they are made, before it is made.
pub trait Journal: Send + Sync {
    /// Takes note of a change. It is called under the store's lock, so it must not block.
    fn record(&self, change: &Change) -> Receipt;

    /// Why nothing can be made to last at the moment, if that is so and pushes are to be refused for it.
    fn trouble(&self) -> Option<Arc<str>>;
}

/// Forgets everything at the end of the process.
#[derive(Debug)]
pub struct InMemory;

impl Journal for InMemory {
    fn record(&self, _: &Change) -> Receipt {
        Receipt::default()
    }

    fn trouble(&self) -> Option<Arc<str>> {
        None
    }
}

/// When a client is told that its push is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acknowledge {
    /// Once it is on disk.
    Written,
    /// At once. Changes are written after this time, and a crash can cost what came since.
    AtOnce(Duration),
}

/// What to wait for after a change: by default nothing.
#[derive(Default)]
pub struct Receipt(Option<(u64, watch::Receiver<Progress>)>);

/// How far the writer has come, in changes since the start.
#[derive(Clone, Debug, Default)]
struct Progress {
    written: u64,
    /// The last write that failed: the changes up to that one, and why.
    failed: Option<(u64, Arc<str>)>,
}

/// A change is made, but would be lost in a crash.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotWritten(pub Arc<str>);

impl Receipt {
    /// Returns when the change is on disk, if that is to be waited for.
    ///
    /// # Errors
    /// When it could not be written; that is tried again, but nobody waits for it any more.
    pub async fn written(self) -> Result<(), NotWritten> {
        let Some((number, mut progress)) = self.0 else { return Ok(()) };
        loop {
            {
                let progress = progress.borrow_and_update();
                if progress.written >= number {
                    return Ok(());
                }
                if let Some((_, reason)) = progress.failed.as_ref().filter(|(upto, _)| *upto >= number) {
                    return Err(NotWritten(reason.clone()));
                }
            }
            if progress.changed().await.is_err() {
                return Err(NotWritten("the journal is closed".into()));
            }
        }
    }
}

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Receipt").field(&self.0.as_ref().map(|(number, _)| number)).finish()
    }
}
