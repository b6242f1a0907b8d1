//! The file that everything stored is kept in. It has the original Pushgateway's format, so that either gateway can
//! take over from the other.
//!
//! The whole store is written each time, at most once an interval and when the gateway stops: what a crash can cost is
//! the time since. A file is replaced in one step, and one that cannot be read is set aside, never overwritten.

mod convert;
mod file;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use pushgate_exposition::Rules;
use tokio::sync::oneshot;
use tokio::task;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tracing::{error, info};

pub use self::convert::{GroupParts, Unrestorable, encode, groups, parts, restore, times};
pub use self::file::set_aside;
pub(crate) use self::file::sync_folder;
use crate::config;
use crate::store::Store;

/// How often is looked whether anything changed, once the interval has passed.
const POLL: Duration = Duration::from_millis(100);

/// Keeps a store in a file.
#[derive(Clone, Debug)]
pub struct Persistence {
    file: PathBuf,
    interval: Duration,
}

impl Persistence {
    /// Keeps in the file that the configuration names, if it names one.
    pub fn new(config: &config::Persistence) -> Option<Self> {
        let file = config.file.clone()?;
        Some(Self { file, interval: config.interval })
    }

    /// Reads the file into an empty store; a file that is not there is no error. Each group is checked like a push:
    /// one that is refused is logged and left out, and the file is kept beside as it was.
    ///
    /// # Errors
    /// When the file can neither be used nor set aside.
    pub fn load(&self, store: &Store, rules: &Rules) -> anyhow::Result<()> {
        let Some(bytes) = self.read()? else { return Ok(()) };
        let groups = match groups(&bytes) {
            Ok(groups) => groups,
            Err(error) => {
                let aside = set_aside(&self.file)?;
                let (file, aside) = (self.file.display(), aside.display());
                error!(%file, %aside, err = %error, "could not load persisted metrics");
                return Ok(());
            }
        };
        let (mut restored, mut refused) = (0, 0);
        for group in &groups {
            match convert::restore_group(store, group, rules) {
                Ok(()) => restored += 1,
                Err(error) => {
                    refused += 1;
                    error!(err = %error, "a persisted group was left out");
                }
            }
        }
        let file = self.file.display();
        if refused > 0 {
            let aside = file::copy_aside(&self.file)?;
            error!(%file, kept = %aside.display(), refused, "not all groups could be restored");
        }
        info!(%file, groups = restored, "metrics restored");
        Ok(())
    }

    fn read(&self) -> anyhow::Result<Option<Vec<u8>>> {
        match file::read(&self.file) {
            Ok(bytes) => Ok(bytes),
            Err(error) => {
                let aside = set_aside(&self.file)?;
                let (file, aside) = (self.file.display(), aside.display());
                error!(%file, %aside, err = %error, "could not load persisted metrics");
                Ok(None)
            }
        }
    }

    /// Writes the file when something has changed, until `stop` is dropped or sent; then once more.
    pub async fn keep(self, store: Arc<Store>, mut stop: oneshot::Receiver<()>) {
        let this = Arc::new(self);
        // What was loaded is in the file, what was left out is beside it.
        let mut saved = store.version();
        let mut next = Instant::now() + this.interval;
        while timeout(Duration::ZERO, &mut stop).await.is_err() {
            tokio::select! {
                () = sleep_until(next) => {}
                _ = &mut stop => break,
            }
            if store.version() == saved {
                next = Instant::now() + POLL;
                continue;
            }
            saved = this.clone().save(store.clone(), saved).await;
            next = Instant::now() + this.interval.max(POLL);
        }
        // With a file from the start, even if nothing changed: it shows that it can be written.
        this.save(store, saved).await;
    }

    /// Writes the file; the version that is in it afterwards.
    async fn save(self: Arc<Self>, store: Arc<Store>, before: u64) -> u64 {
        let writing = task::spawn_blocking(move || {
            let version = store.version();
            let written = file::replace(&self.file, |out| convert::write(&store, out));
            (self, version, written)
        });
        match writing.await.context("the thread that wrote ended") {
            Ok((this, version, Ok(()))) => {
                info!(file = %this.file.display(), "metrics persisted");
                version
            }
            Ok((this, _, Err(error))) => {
                error!(file = %this.file.display(), err = %error, "error persisting metrics");
                sleep(POLL).await;
                before
            }
            Err(error) => {
                error!(err = %format!("{error:#}"), "error persisting metrics");
                before
            }
        }
    }

    /// The file.
    pub fn file(&self) -> &Path {
        &self.file
    }
}
