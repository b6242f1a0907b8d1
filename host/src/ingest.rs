//! The use case of a push: parse, run through the policies, store. Knows nothing of HTTP.
//!
//! From the body to the store nothing waits: a push is taken in one piece, or it is not. Small pushes are worked
//! on where they arrive, since a hop to another thread costs more than they do; large ones, and all of them for a
//! while after a policy ran into its limits, go to the blocking pool, so that nobody else waits for them.

mod error;
mod record;
mod repeat;
mod standing;
mod turns;

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use parking_lot::RwLock;
use pushgate_exposition::{GroupingKey, Objection, Push, Rules, openmetrics, protobuf, text};
use pushgate_plugin_host::{Chain, End, Request, Verdict};
pub use pushgate_plugin_host::{Finding as PolicyFinding, Method};
use tokio::task;
use tracing::error;

pub use self::error::{IngestError, Unreadable};
pub use self::standing::Standing;
pub use self::turns::{Busy, Turns};
use crate::capture::{Capture, Captured};
use crate::config::Attribute;
use crate::journal::{NotWritten, Receipt};
use crate::policies::{Loaded, Member, Roster};
use crate::rejections::{Judged, Rejections};
use crate::store::{Arrival, Learned, Mode, Numbered, Refusal, Store, Times, Unknown};
use crate::telemetry::{ChainMetrics, Metrics, Outcome, Parent, Recording, Shadows, Tracer};

/// A body of more bytes is parsed off the executor: this much takes some 0.3 ms.
const INLINE_BODY: usize = 128 << 10;

/// Takes pushes in. Shared by all connections.
pub struct Ingest {
    policies: RwLock<Arc<Policies>>,
    store: Arc<Store>,
    metrics: Arc<Metrics>,
    capture: Capture,
    rejections: Arc<Rejections>,
    rules: Rules,
    consistency: Consistency,
    /// Turns at the blocking pool.
    large: Arc<Turns>,
    tracer: Option<Arc<Tracer>>,
}

/// The policies in use with what is counted of them. Replaced as a whole; a push keeps those that it began with.
pub struct Policies {
    /// What pushes are taken through.
    pub chain: Arc<Chain>,
    /// All that are configured.
    pub roster: Roster,
    /// What they are told of callers.
    pub told: Vec<Attribute>,
    /// What is counted of the chain.
    pub metrics: ChainMetrics,
    shadows: Shadows,
}

impl Policies {
    fn new(Loaded { chain, roster, told }: Loaded, metrics: &Metrics) -> Arc<Self> {
        Arc::new(Self {
            metrics: metrics.watch(&chain),
            shadows: metrics.watch_shadows(&chain),
            chain,
            roster,
            told,
        })
    }

    /// How all of them stand, in the order of the configuration.
    pub fn standings(&self) -> impl Iterator<Item = Standing> {
        self.roster.members().map(|member| self.standing(member))
    }

    /// How one of them stands.
    pub fn standing(&self, member: &Member) -> Standing {
        Standing::of(self, member)
    }
}

/// What becomes of a push that does not fit what is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consistency {
    /// It is refused.
    Checked,
    /// Nothing of it is stored either, but its client is not told; scrapes fail until the group is mended. It is what
    /// the original does when its check is switched off.
    Unchecked,
}

/// How a body is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyFormat {
    /// Text 0.0.4.
    Text,
    /// Protobuf, each family behind its length.
    Protobuf,
    /// OpenMetrics 1.0.0.
    OpenMetrics,
}

/// A push, or the removal of a group.
#[derive(Clone, Debug)]
pub struct PushRequest {
    /// What it does to the group.
    pub method: Method,
    /// The group in the URL; policies may change it.
    pub key: GroupingKey,
    /// What the body is.
    pub format: BodyFormat,
    /// The metrics, decompressed; empty for a removal.
    pub body: Bytes,
    /// When it arrived.
    pub received_at: SystemTime,
    /// The times of a group that was stored elsewhere: it is stored with them, if it is not there yet.
    pub restore: Option<Times>,
    /// How long whoever pushes wishes the group to be kept.
    pub wish: Option<Duration>,
    /// Names it in the log.
    pub id: String,
    /// The span of the client's that it is a part of.
    pub parent: Option<Parent>,
    /// What policies are told of whoever sends it: names and values, sorted by name.
    pub attributes: Vec<(String, String)>,
}

/// A push was stored, or a group removed.
#[derive(Debug, Default)]
pub struct Accepted {
    /// Warnings of policies.
    pub findings: Vec<PolicyFinding>,
    /// How long the group is kept, if there was a wish: it may be less than that.
    pub ttl: Option<Duration>,
    /// The push lasts once it says so.
    pub receipt: Receipt,
}

impl Ingest {
    /// Takes pushes through the chain of `loaded` into `store`, at most `max_large` large ones at the same time.
    pub fn new(
        loaded: Loaded,
        store: Arc<Store>,
        metrics: Arc<Metrics>,
        rejections: Arc<Rejections>,
        rules: Rules,
        consistency: Consistency,
        max_large: usize,
    ) -> Self {
        let policies = RwLock::new(Policies::new(loaded, &metrics));
        let capture = Capture::off(metrics.capture());
        let large = Turns::new(max_large, metrics.limits().clone());
        Self { policies, store, metrics, capture, rejections, rules, consistency, large, tracer: None }
    }

    /// What is kept of pushes that policies spoke against.
    pub fn rejections(&self) -> &Arc<Rejections> {
        &self.rejections
    }

    /// Turns at what takes long.
    pub fn turns(&self) -> &Arc<Turns> {
        &self.large
    }

    /// The same, which records pushes.
    #[must_use]
    pub fn traced(self, tracer: Option<Arc<Tracer>>) -> Self {
        Self { tracer, ..self }
    }

    /// Takes pushes through other policies from now on. Those under way end on the ones they began with.
    pub fn replace_policies(&self, loaded: Loaded) {
        let next = Policies::new(loaded, &self.metrics);
        let last = std::mem::replace(&mut *self.policies.write(), next);
        last.chain.retire();
    }

    /// The policies that a push would be taken through now.
    pub fn policies(&self) -> Arc<Policies> {
        self.policies.read().clone()
    }

    /// Writes pushes to a file while it is switched on.
    pub fn capture(&self) -> &Capture {
        &self.capture
    }

    /// Takes a push in by way of the policies that its attributes are for, and waits until it lasts. When the returned
    /// future is dropped, the push is either taken in as a whole or not at all.
    ///
    /// # Errors
    /// When it is refused, with what the client is to be told.
    pub async fn push(
        self: &Arc<Self>,
        policies: Arc<Policies>,
        request: PushRequest,
    ) -> Result<Accepted, IngestError> {
        let method = request.method;
        let not_written = |reason| {
            self.metrics.push(method, Outcome::NotWritten, None);
            IngestError::NotWritten(reason)
        };
        if let Some(reason) = self.store.trouble() {
            return Err(not_written(NotWritten(reason)));
        }
        let Accepted { findings, ttl, receipt } = self.work(policies, request).await?;
        receipt.written().await.map_err(not_written)?;
        Ok(Accepted { findings, ttl, receipt: Receipt::default() })
    }

    /// Works on a push where it suits.
    async fn work(
        self: &Arc<Self>,
        policies: Arc<Policies>,
        request: PushRequest,
    ) -> Result<Accepted, IngestError> {
        if request.body.len() <= INLINE_BODY && !policies.chain.is_suspect() {
            return self.take_through(&policies, &request);
        }
        let turn = self.large.next().await.map_err(|busy| {
            self.metrics.push(request.method, Outcome::Busy, None);
            IngestError::Busy(busy)
        })?;
        let ingest = Arc::clone(self);
        let work = move || {
            let _turn = turn;
            ingest.take_through(&policies, &request)
        };
        task::spawn_blocking(work).await.unwrap_or_else(|panic| {
            error!(%panic, "a push could not be worked on");
            Err(IngestError::Busy(Busy::soon()))
        })
    }

    /// Takes a push in, on this thread.
    ///
    /// # Errors
    /// As for [`push`](Self::push).
    pub fn take(&self, request: &PushRequest) -> Result<Accepted, IngestError> {
        self.take_through(&self.policies(), request)
    }

    fn take_through(&self, policies: &Policies, request: &PushRequest) -> Result<Accepted, IngestError> {
        let started = Instant::now();
        let mut recording =
            self.tracer.as_ref().map_or_else(Recording::nothing, |tracer| tracer.begin(request.parent));
        let taken = self.take_unmeasured(policies, request, &mut recording);
        let outcome = match &taken {
            Ok(_) => Outcome::Accepted,
            Err(error) => {
                error.log(request);
                error.outcome()
            }
        };
        self.metrics.push(request.method, outcome, Some(started.elapsed()));
        if let Some(tracer) = &self.tracer {
            tracer.end(recording, request.method.as_str(), &request.key, &request.id, outcome.as_str());
        }
        match taken {
            Err(IngestError::Inconsistent(_)) if self.consistency == Consistency::Unchecked => {
                Ok(Accepted::default())
            }
            taken => taken,
        }
    }

    fn take_unmeasured(
        &self,
        policies: &Policies,
        request: &PushRequest,
        recording: &mut Recording,
    ) -> Result<Accepted, IngestError> {
        let at = request.received_at.duration_since(UNIX_EPOCH).unwrap_or_default();
        let began = recording.now();
        let recorder = self.capture.recorder();
        let mut repeat = self.repeat(policies, request);
        if recorder.is_none()
            && let Some(again) = repeat.as_mut().and_then(|repeat| repeat.again(policies, at.as_secs_f64()))
        {
            recording.step("parse", began);
            return self.take_again(policies, request, again, recording);
        }
        let parsed = self.parse_learning(request, repeat.as_ref());
        recording.step("parse", began);
        let (mut push, learning) = parsed?;
        let verdict = policies.chain.run(
            &mut push,
            Request {
                id: &request.id,
                method: request.method,
                received_ms: at.as_millis() as i64,
                attributes: &request.attributes,
            },
        );
        recording.policies(&policies.chain, &verdict.reports);
        policies.metrics.count(&policies.chain, &verdict.reports, &request.id);
        policies.shadows.record(&verdict.reports, &request.id, &request.key, request.received_at);
        self.rejections.record(&Judged {
            id: &request.id,
            at: request.received_at,
            method: request.method,
            group: &request.key,
            chain: &policies.chain,
            verdict: &verdict,
            push: &push,
        });
        let learned = learning.and_then(|learning| learning.learned(&policies.chain, &verdict));
        let Some(recorder) = recorder else {
            return self.settle(request, &push, verdict, learned, at, recording);
        };
        let record = record::record(request, &policies.chain, &verdict);
        let settled = self.settle(request, &push, verdict, learned, at, recording);
        let edited = record::is_edited(&record.outcome).then_some(push);
        recorder.record(Captured::new(record, edited));
        settled
    }

    /// Does what the policies decided.
    fn settle(
        &self,
        request: &PushRequest,
        push: &Push,
        verdict: Verdict,
        learned: Option<(Numbered<'_>, Learned)>,
        at: Duration,
        recording: &mut Recording,
    ) -> Result<Accepted, IngestError> {
        let refused = |error: IngestError| {
            // The key as it is by now: policies before this one may have changed it.
            let reason = error.full_reason();
            self.store.fail(push.grouping_key(), Unknown::Ignore, &reason, at.as_secs_f64());
            Err(error)
        };
        match verdict.end {
            End::Accepted => {}
            End::Rejected => return refused(IngestError::Rejected(verdict.findings)),
            End::Fault { plugin } => return refused(IngestError::Fault { plugin }),
            End::Suspended { plugin, retry_after } => {
                return refused(IngestError::Suspended { plugin, retry_after });
            }
            End::Busy => return refused(IngestError::Busy(Busy::soon())),
        }
        let Some(mode) = mode_of(request.method) else {
            let receipt = self.store.delete(push.grouping_key());
            return Ok(Accepted { findings: verdict.findings, ttl: None, receipt });
        };
        // By the key as it is by now.
        let ttl = request.wish.and_then(|_| self.store.ttl(push.grouping_key().job(), request.wish));
        if let Some(times) = request.restore {
            let times = Times { wish: request.wish, ..times };
            let receipt = self.store.restore(push, times, |_| None)?;
            return Ok(Accepted { findings: verdict.findings, ttl, receipt });
        }
        let began = recording.now();
        let arrival = Arrival { at: at.as_secs_f64(), wish: request.wish };
        let stored =
            learned.and_then(|(push, learned)| self.store.push_learning(&push, mode, arrival, learned));
        let stored = stored.unwrap_or_else(|| self.store.push(push, mode, arrival));
        recording.step("store", began);
        let receipt = stored.inspect_err(|refusal| self.expose(refusal, || push.grouping_key()))?;
        Ok(Accepted { findings: verdict.findings, ttl, receipt })
    }

    /// Lets scrapes fail for a push that was not checked, as it would have made them fail once it was stored. One with
    /// timestamps is just dropped.
    fn expose(&self, refusal: &Refusal, key: impl FnOnce() -> GroupingKey) {
        let is_dropped = matches!(
            refusal,
            Refusal::Full { .. } | Refusal::JobFull { .. } | Refusal::Objection(Objection::Timestamp { .. })
        );
        if self.consistency == Consistency::Unchecked && !is_dropped {
            self.store.expose_as_unsound(key(), &refusal.to_string());
        }
    }

    /// The push without what policies make of it.
    pub(crate) fn parse(&self, request: &PushRequest) -> Result<Push, IngestError> {
        // A removal has no families, whatever body came with it.
        let body = if request.method == Method::Delete { &[][..] } else { &request.body };
        let (key, rules) = (&request.key, &self.rules);
        let parsed = match request.format {
            BodyFormat::Text => text::parse(body, key, rules).map_err(Unreadable::Text),
            BodyFormat::Protobuf => protobuf::parse(body, key, rules).map_err(Unreadable::Protobuf),
            BodyFormat::OpenMetrics => openmetrics::parse(body, key, rules).map_err(Unreadable::OpenMetrics),
        };
        parsed.map_err(Into::into)
    }
}

/// What a push does to the rest of its group; nothing if it removes it.
fn mode_of(method: Method) -> Option<Mode> {
    match method {
        Method::Put => Some(Mode::Replace),
        Method::Post => Some(Mode::Merge),
        Method::Delete => None,
    }
}
