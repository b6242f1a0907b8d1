//! The thread that writes what waits, and tries again when it cannot.

use std::io;
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, MutexGuard};
use pushgate_exposition::Rules;
use tokio::sync::watch;
use tracing::{error, info};

use super::file::{JournalFile, OpenError};
use super::{Acknowledge, Journal, Pending, Progress, Receipt};
use crate::persistence::restore;
use crate::store::{Change, Store};
use crate::telemetry::JournalMetrics;

/// How long to wait before a write that failed is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// How often is looked whether the file is worth making smaller. Nothing is written while it is.
const COMPACT: Duration = Duration::from_secs(3_600);

/// A journal in a file. Cheap to clone; clones are the same journal.
#[derive(Clone)]
pub struct FileJournal(Arc<Shared>);

struct Shared {
    path: PathBuf,
    acknowledge: Acknowledge,
    state: Mutex<State>,
    /// Something waits, or the end has come.
    wake: Condvar,
    progress: watch::Sender<Progress>,
    metrics: Arc<JournalMetrics>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Default)]
struct State {
    /// Nothing is recorded until what is in the file is in the store.
    is_open: bool,
    is_closing: bool,
    pending: Pending,
    /// Changes since the start.
    changes: u64,
    /// Why the last write failed, if it did.
    trouble: Option<Arc<str>>,
}

/// Why a journal cannot be begun.
#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    /// Its file cannot be used.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// There is no thread to write it.
    #[error("cannot start a thread for the journal: {0}")]
    Thread(#[from] io::Error),
    /// What it was to begin with cannot be had.
    #[error(transparent)]
    TakeOver(anyhow::Error),
}

impl FileJournal {
    /// A journal in that file, for a store that is made with a clone of this. Until it [begins](Self::begin), it is as if
    /// there were none.
    pub fn new(path: &Path, acknowledge: Acknowledge, metrics: Arc<JournalMetrics>) -> Self {
        Self(Arc::new(Shared {
            path: path.to_owned(),
            acknowledge,
            state: Mutex::default(),
            wake: Condvar::new(),
            progress: watch::Sender::default(),
            metrics,
            thread: Mutex::default(),
        }))
    }

    /// Opens the file, puts what is in it into the empty store, and records its changes from now on. Blocks. Into a
    /// journal that is new goes what `take_over` puts into the store, as one change: an older file says nothing of what
    /// was deleted since. A group that the store refuses, as it is over a limit by now, is logged and left out.
    ///
    /// # Errors
    /// When the file cannot be used; a damaged one is set aside. When `take_over` fails.
    pub fn begin(
        &self,
        store: &Store,
        rules: &Rules,
        take_over: impl FnOnce() -> anyhow::Result<()>,
    ) -> Result<(), BeginError> {
        let (mut file, kept) = JournalFile::open(&self.0.path)?;
        let (groups, shared) = (kept.len(), self.0.clone());
        for kept in kept {
            if let Err(error) = restore(store, kept.parts, kept.times, rules) {
                error!(err = %error, "a group of the journal was left out");
            }
        }
        let path = shared.path.display();
        if let Err(error) = file.compact() {
            error!(err = %error, file = %path, "the journal could not be made smaller");
        }
        info!(file = %path, groups, "journal opened");
        shared.metrics.size(file.size());
        shared.state.lock().is_open = true;
        if file.is_new() {
            take_over().map_err(BeginError::TakeOver)?;
        }
        let writer = shared.clone();
        let writer = thread::Builder::new().name("journal".to_owned()).spawn(move || writer.run(file))?;
        *shared.thread.lock() = Some(writer);
        Ok(())
    }

    /// Writes what waits and ends. Blocks until that is done.
    pub fn close(&self) {
        self.0.state.lock().is_closing = true;
        self.0.wake.notify_one();
        if let Some(writer) = self.0.thread.lock().take()
            && writer.join().is_err()
        {
            error!("the writer of the journal has panicked");
        }
    }
}

impl Journal for FileJournal {
    fn record(&self, change: &Change) -> Receipt {
        let mut state = self.0.state.lock();
        if !state.is_open {
            return Receipt::default();
        }
        state.pending.add(change);
        state.changes += 1;
        let number = state.changes;
        drop(state);
        self.0.wake.notify_one();
        match self.0.acknowledge {
            Acknowledge::Written => Receipt(Some((number, self.0.progress.subscribe()))),
            Acknowledge::AtOnce(_) => Receipt::default(),
        }
    }

    fn trouble(&self) -> Option<Arc<str>> {
        match self.0.acknowledge {
            Acknowledge::Written => self.0.state.lock().trouble.clone(),
            Acknowledge::AtOnce(_) => None,
        }
    }
}

impl Shared {
    fn run(&self, file: JournalFile) {
        let mut file = Some(file);
        let mut compacted = Instant::now();
        while let Some((pending, changes)) = self.next() {
            let opened = match file.take() {
                Some(file) => Ok(file),
                None => JournalFile::reopen(&self.path),
            };
            let began = Instant::now();
            match opened.and_then(|file| file.write(&pending).map(|()| file)) {
                Ok(written) => {
                    self.metrics.written(began.elapsed());
                    self.written(changes, written.size());
                    file = Some(written);
                }
                Err(flaw) => self.failed(pending, changes, &flaw.to_string()),
            }
            if compacted.elapsed() > COMPACT
                && let Some(file) = &mut file
            {
                compacted = Instant::now();
                if let Err(error) = file.compact() {
                    error!(err = %error, file = %self.path.display(), "the journal could not be made smaller");
                }
            }
        }
    }

    /// Waits for changes and takes them, and their number; nothing at the end.
    fn next(&self) -> Option<(Pending, u64)> {
        let mut state = self.state.lock();
        while state.pending.is_empty() && !state.is_closing {
            self.wake.wait(&mut state);
        }
        if let Acknowledge::AtOnce(interval) = self.acknowledge {
            self.rest(&mut state, interval);
        }
        (!state.pending.is_empty()).then(|| (mem::take(&mut state.pending), state.changes))
    }

    /// Lets that time pass, unless the end has come.
    fn rest(&self, state: &mut MutexGuard<'_, State>, time: Duration) {
        let end = Instant::now() + time;
        while !state.is_closing && !self.wake.wait_until(state, end).timed_out() {}
    }

    fn written(&self, changes: u64, bytes: u64) {
        self.metrics.size(bytes);
        if self.state.lock().trouble.take().is_some() {
            info!(file = %self.path.display(), "the journal can be written again");
        }
        self.progress.send_modify(|progress| progress.written = changes);
    }

    /// Keeps what was not written for another time, and tells those who wait for it.
    fn failed(&self, mut pending: Pending, changes: u64, reason: &str) {
        self.metrics.failed();
        let reason = format!("the journal '{}' cannot be written: {reason}", self.path.display());
        error!(err = reason, "pushes cannot be made to last");
        let reason: Arc<str> = reason.into();
        let mut state = self.state.lock();
        pending.then(mem::take(&mut state.pending));
        state.pending = pending;
        state.trouble = Some(reason.clone());
        self.progress.send_modify(|progress| progress.failed = Some((changes, reason)));
        if state.is_closing {
            // The end does not wait for a disk to be mended.
            state.pending = Pending::default();
        } else {
            self.rest(&mut state, RETRY);
        }
    }
}
