//! Spans of pushes, sent to an OTLP receiver.
//!
//! A push waits for nothing here: what is recorded goes into a queue, and when that is full it is dropped and counted.
//! One thread sends it in batches.

mod otlp;
mod parent;
mod recording;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use http::header::CONTENT_TYPE;
use parking_lot::Mutex;
use pushgate_exposition::GroupingKey;
use tracing::{info, warn};
use ureq::Agent;

pub use self::parent::Parent;
pub use self::recording::Recording;
use self::recording::{Trace, Value};
use super::Metrics;
use crate::config;

/// Traces that wait to be sent, a few KB each, and how many go in one request.
const QUEUE: usize = 2_048;
const BATCH: usize = 256;

/// How long a batch waits to become full.
const LINGER: Duration = Duration::from_secs(1);

/// How long a receiver may take.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Records pushes. Shared by all connections.
pub struct Tracer {
    sample: f64,
    /// `None` at the end.
    queue: Mutex<Option<SyncSender<Box<Trace>>>>,
    metrics: Arc<Metrics>,
    sending: Mutex<Option<JoinHandle<()>>>,
    /// Whether what cannot be sent at once is given up.
    ending: Arc<AtomicBool>,
}

impl Tracer {
    /// Starts sending, if there is somebody to send to.
    ///
    /// # Errors
    /// When the system has no more threads.
    pub fn start(traces: &config::Traces, metrics: Arc<Metrics>) -> io::Result<Option<Self>> {
        let Some(endpoint) = &traces.endpoint else { return Ok(None) };
        let (queue, waiting) = sync_channel(QUEUE);
        let ending = Arc::new(AtomicBool::new(false));
        let sender = Sender {
            agent: Agent::config_builder().timeout_global(Some(TIMEOUT)).max_redirects(0).build().into(),
            url: format!("{endpoint}/v1/traces"),
            metrics: metrics.clone(),
            is_failing: false,
        };
        let sending = {
            let ending = ending.clone();
            thread::Builder::new().name("traces".to_owned()).spawn(move || sender.run(&waiting, &ending))?
        };
        Ok(Some(Self {
            sample: traces.sample,
            queue: Mutex::new(Some(queue)),
            metrics,
            sending: Mutex::new(Some(sending)),
            ending,
        }))
    }

    /// Begins with a push of that client's.
    pub fn begin(&self, parent: Option<Parent>) -> Recording {
        Recording::begin(parent, self.sample)
    }

    /// Ends a recording of the push that is called `id` in the log.
    pub fn end(
        &self,
        recording: Recording,
        method: &'static str,
        group: &GroupingKey,
        id: &str,
        outcome: &str,
    ) {
        if !recording.is_on() {
            return;
        }
        let attributes = vec![
            ("http.request.method", Value::Text(method.to_owned())),
            ("pushgate.group", Value::Text(group.to_string())),
            ("pushgate.id", Value::Text(id.to_owned())),
            ("pushgate.outcome", Value::Text(outcome.to_owned())),
        ];
        let Some(trace) = recording.end(format!("{method} group"), attributes) else { return };
        let sent = self.queue.lock().as_ref().is_some_and(|queue| queue.try_send(trace).is_ok());
        if !sent {
            self.metrics.traces_dropped(1);
        }
    }

    /// Sends what is left, and ends. Blocks for as long as the receiver takes, a few seconds at most.
    pub fn close(&self) {
        self.ending.store(true, Ordering::Relaxed);
        self.queue.lock().take();
        if let Some(sending) = self.sending.lock().take() {
            let _ = sending.join(); // It does not panic.
        }
    }
}

struct Sender {
    agent: Agent,
    url: String,
    metrics: Arc<Metrics>,
    is_failing: bool,
}

impl Sender {
    /// Sends until the queue is closed and empty, or closed and the receiver does not take it.
    fn run(mut self, queue: &Receiver<Box<Trace>>, ending: &AtomicBool) {
        while let Ok(first) = queue.recv() {
            let mut batch = vec![first];
            let full = Instant::now() + LINGER;
            while batch.len() < BATCH
                && let Ok(next) = queue.recv_timeout(full.saturating_duration_since(Instant::now()))
            {
                batch.push(next);
            }
            self.send(&batch);
            if self.is_failing && ending.load(Ordering::Relaxed) {
                return;
            }
        }
    }

    fn send(&mut self, batch: &[Box<Trace>]) {
        let body = otlp::request(batch);
        match self.agent.post(&self.url).header(CONTENT_TYPE, "application/json").send(&body) {
            Ok(_) => {
                self.metrics.traces_sent(batch.len());
                if std::mem::replace(&mut self.is_failing, false) {
                    info!(url = self.url, "traces are taken again");
                }
            }
            Err(error) => {
                self.metrics.traces_dropped(batch.len());
                // Once, until it works again.
                if !std::mem::replace(&mut self.is_failing, true) {
                    warn!(url = self.url, %error, "traces cannot be sent and are dropped");
                }
            }
        }
    }
}
