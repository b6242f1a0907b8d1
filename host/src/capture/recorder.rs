//! The queue of captured pushes, and the thread that writes them.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender, TryRecvError};
use std::thread::{self, JoinHandle};

use parking_lot::Mutex;
use pushgate_capture::encode;
use tracing::error;

use super::Captured;
use super::file::CaptureFile;
use crate::telemetry::CaptureMetrics;

/// Pushes that wait to be written, and bytes of them. A push that is larger by itself waits alone.
const MAX_WAITING: usize = 1_024;
const MAX_WAITING_BYTES: usize = 32 << 20;

/// Takes captured pushes, and does not wait.
#[derive(Debug)]
pub(crate) struct Recorder {
    sender: Sender,
    waiting: Arc<AtomicUsize>,
    metrics: Arc<CaptureMetrics>,
}

#[derive(Debug)]
enum Sender {
    Thread { sender: SyncSender<Message>, thread: Mutex<Option<JoinHandle<()>>> },
    Channel(SyncSender<Captured>),
}

#[derive(Debug)]
enum Message {
    Push(Box<Captured>),
    End,
}

impl Recorder {
    /// Begins a file, and sets the one that is there aside.
    pub(super) fn start(file: &Path, max_bytes: u64, metrics: Arc<CaptureMetrics>) -> io::Result<Self> {
        let file = CaptureFile::create(file, max_bytes)?;
        let (sender, receiver) = mpsc::sync_channel(MAX_WAITING);
        let waiting = Arc::new(AtomicUsize::new(0));
        let writer = Writer { file: Some(file), waiting: waiting.clone(), metrics: metrics.clone() };
        let thread =
            thread::Builder::new().name("capture".to_owned()).spawn(move || writer.write(&receiver))?;
        let sender = Sender::Thread { sender, thread: Mutex::new(Some(thread)) };
        Ok(Self { sender, waiting, metrics })
    }

    /// Hands pushes on.
    pub(super) fn of(sender: SyncSender<Captured>, metrics: Arc<CaptureMetrics>) -> Self {
        Self { sender: Sender::Channel(sender), waiting: Arc::default(), metrics }
    }

    /// Takes a push, unless too many wait.
    pub(crate) fn record(&self, push: Captured) {
        let sender = match &self.sender {
            Sender::Thread { sender, .. } => sender,
            Sender::Channel(sender) => return drop(sender.try_send(push)),
        };
        let size = push.size();
        let before = self.waiting.fetch_add(size, Ordering::Relaxed);
        let has_room = before == 0 || before.saturating_add(size) <= MAX_WAITING_BYTES;
        if !has_room || sender.try_send(Message::Push(Box::new(push))).is_err() {
            self.waiting.fetch_sub(size, Ordering::Relaxed);
            self.metrics.dropped();
        }
    }

    /// Writes what waits, and ends. Pushes that come later are dropped.
    pub(super) fn stop(&self) {
        let Sender::Thread { sender, thread } = &self.sender else { return };
        // Neither fails but when the thread has ended already.
        let _ = sender.send(Message::End);
        if let Some(thread) = thread.lock().take() {
            let _ = thread.join();
        }
    }
}

/// What the thread has.
struct Writer {
    /// None once it could not be written.
    file: Option<CaptureFile>,
    waiting: Arc<AtomicUsize>,
    metrics: Arc<CaptureMetrics>,
}

impl Writer {
    fn write(mut self, receiver: &Receiver<Message>) {
        let mut bytes = Vec::new();
        loop {
            let message = match receiver.try_recv() {
                Ok(message) => message,
                Err(TryRecvError::Empty) => {
                    // Nothing is on its way, so the file may as well be whole.
                    self.try_to(CaptureFile::flush);
                    let Ok(message) = receiver.recv() else { break };
                    message
                }
                Err(TryRecvError::Disconnected) => break,
            };
            let Message::Push(push) = message else { break };
            let size = push.size();
            bytes.clear();
            encode(&push.into_record(), &mut bytes);
            match self.try_to(|file| file.append(&bytes)) {
                Some(true) => self.metrics.written(),
                Some(false) => self.metrics.dropped(),
                None => self.metrics.failed(),
            }
            // One large push must not keep its memory for ever.
            bytes.shrink_to(1 << 20);
            self.waiting.fetch_sub(size, Ordering::Relaxed);
        }
        self.try_to(CaptureFile::flush);
    }

    /// Does something with the file, which is given up when that fails: what follows a half written record could not be
    /// read.
    fn try_to<T>(&mut self, work: impl FnOnce(&mut CaptureFile) -> io::Result<T>) -> Option<T> {
        let file = self.file.as_mut()?;
        match work(file) {
            Ok(done) => Some(done),
            Err(error) => {
                error!(%error, "the capture cannot be written and is given up until the configuration changes");
                self.file = None;
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use pushgate_capture::Record;

    use super::*;

    fn push(body: usize) -> Captured {
        Captured::new(Record { body: vec![0; body].into(), ..Record::default() }, None)
    }

    /// Which pushes are dropped by a recorder that nobody takes any from.
    fn dropped(room: usize, pushes: Vec<Captured>) -> Vec<bool> {
        let (sender, _receiver) = mpsc::sync_channel(room);
        let metrics = Arc::<CaptureMetrics>::default();
        let sender = Sender::Thread { sender, thread: Mutex::default() };
        let recorder = Recorder { sender, waiting: Arc::default(), metrics };
        let waiting = || recorder.waiting.load(Ordering::Relaxed);
        let is_dropped = |push| {
            let before = waiting();
            recorder.record(push);
            waiting() == before
        };
        pushes.into_iter().map(is_dropped).collect()
    }

    #[test]
    fn what_waits_is_bounded_by_pushes_and_by_bytes() {
        let rest = push(0).size();
        assert_eq!(dropped(2, vec![push(0), push(0), push(0)]), [false, false, true]);
        let half = MAX_WAITING_BYTES / 2 - rest;
        assert_eq!(dropped(9, vec![push(half), push(half), push(0)]), [false, false, true]);
        assert_eq!(dropped(9, vec![push(half), push(half + 1), push(half)]), [false, true, false]);
        let large = MAX_WAITING_BYTES + 1;
        assert_eq!(dropped(9, vec![push(large), push(0)]), [false, true], "a large one waits alone");
    }

    #[test]
    fn a_file_that_cannot_be_written_is_given_up() {
        // It takes whatever is written and has no room for it.
        let Ok(full) = std::fs::OpenOptions::new().write(true).open("/dev/full") else { return };
        let file = Some(CaptureFile::on(full));
        let mut writer = Writer { file, waiting: Arc::default(), metrics: Arc::default() };
        assert_eq!(writer.try_to(|file| file.append(&[0])), Some(true), "it is kept for a while");
        assert_eq!(writer.try_to(CaptureFile::flush), None);
        assert!(writer.file.is_none());
        assert_eq!(writer.try_to(|file| file.append(&[0])), None);
    }
}
