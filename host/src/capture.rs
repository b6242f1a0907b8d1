//! The capture: pushes written to a file as they come, with what the policies made of them, for
//! `pushgate replay`.
//!
//! It is never waited for: one thread writes, and a push that finds its queue full is not in the file.

mod file;
mod recorder;

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};

use parking_lot::{Mutex, RwLock};
use pushgate_capture::Record;
use pushgate_exposition::{Push, text};
use tracing::{error, info};

use self::recorder::Recorder;
use crate::config;
use crate::telemetry::CaptureMetrics;

/// Captures pushes while it is switched on.
#[derive(Debug)]
pub struct Capture {
    recorder: RwLock<Option<Arc<Recorder>>>,
    /// What it was configured with last.
    config: Mutex<config::Capture>,
    metrics: Arc<CaptureMetrics>,
}

/// A captured push that is still to be put into bytes, which the push need not wait for.
#[derive(Debug)]
pub struct Captured {
    record: Record,
    edited: Option<Push>,
}

impl Capture {
    /// A capture that is off.
    pub fn off(metrics: Arc<CaptureMetrics>) -> Self {
        Self { recorder: RwLock::default(), config: Mutex::default(), metrics }
    }

    /// Hands captured pushes on from now on, instead of writing them. There is room for one.
    pub fn receive(&self) -> Receiver<Captured> {
        let (sender, receiver) = mpsc::sync_channel(1);
        *self.recorder.write() = Some(Arc::new(Recorder::of(sender, self.metrics.clone())));
        receiver
    }

    /// Begins, ends or goes on with the file of a configuration. A file that cannot be written is told in the log:
    /// pushes do not depend on it. Blocks until the file before it is whole.
    pub fn configure(&self, config: &config::Capture) {
        let mut current = self.config.lock();
        if *current == *config {
            return;
        }
        current.clone_from(config);
        self.stop();
        let Some(file) = &config.file else { return };
        let name = file.display();
        match Recorder::start(file, config.max_bytes.as_usize() as u64, self.metrics.clone()) {
            Ok(recorder) => {
                info!(file = %name, "pushes are captured, with their bodies");
                *self.recorder.write() = Some(Arc::new(recorder));
            }
            Err(error) => error!(file = %name, %error, "pushes cannot be captured"),
        }
    }

    /// Ends what is being captured. Blocks until its file is whole.
    pub fn stop(&self) {
        let recorder = self.recorder.write().take();
        if let Some(recorder) = recorder {
            recorder.stop();
        }
    }

    /// Where pushes are to be captured, if they are.
    pub(crate) fn recorder(&self) -> Option<Arc<Recorder>> {
        self.recorder.read().clone()
    }
}

impl Captured {
    /// A push, and what it is with the edits of policies if it may be stored.
    pub(crate) fn new(record: Record, edited: Option<Push>) -> Self {
        Self { record, edited }
    }

    /// What it takes in memory, roughly.
    fn size(&self) -> usize {
        const REST: usize = 1024;
        let edited = if self.edited.is_some() { self.record.body.len() } else { 0 };
        self.record.body.len() + edited + REST
    }

    /// The record, with the edited push in text.
    pub fn into_record(self) -> Record {
        let mut record = self.record;
        record.outcome.edited = self.edited.as_ref().map(text::shown);
        record
    }
}
