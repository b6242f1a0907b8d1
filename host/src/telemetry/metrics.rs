//! The gateway's own metrics.
//!
//! Those that begin with `pushgate_` are its alone. The others have the names and labels that the original Pushgateway
//! and all Prometheus clients use, so pushes may bring series of theirs, which stand beside the gateway's own: no own
//! series has a `job`, every pushed one has.

use std::env::consts;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use parking_lot::RwLock;
use pushgate_exposition::{InternError, Kind, Push};
use pushgate_plugin_host::{Chain, Counted, Method, Plugin};

use super::capture::CaptureMetrics;
use super::chain::ChainMetrics;
use super::expired::Expired;
use super::histogram::Histogram;
use super::http::HttpMetrics;
use super::jobs;
use super::journal::JournalMetrics;
use super::limits::LimitMetrics;
use super::rights::RightsMetrics;
use super::shadow::{ShadowReport, Shadows};
use super::writer::Writer;
use super::{counters, http, process};
use crate::config::{Config, Right};
use crate::store::{JobUsage, OwnFamilies, Size};

/// What became of a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the HELP text of pushgate_pushes_total lists them")]
pub enum Outcome {
    Accepted,
    Unparsable,
    TooLarge,
    Inconsistent,
    Rejected,
    Fault,
    Full,
    Busy,
    NotWritten,
}

const OUTCOMES: [(Outcome, &str); 9] = [
    (Outcome::Accepted, "accepted"),
    (Outcome::Unparsable, "unparsable"),
    (Outcome::TooLarge, "too_large"),
    (Outcome::Inconsistent, "inconsistent"),
    (Outcome::Rejected, "rejected"),
    (Outcome::Fault, "fault"),
    (Outcome::Full, "full"),
    (Outcome::Busy, "busy"),
    (Outcome::NotWritten, "not_written"),
];
const METHODS: [(Method, &str); 3] =
    [(Method::Put, "put"), (Method::Post, "post"), (Method::Delete, "delete")];
/// Counts what happens. Shared by all connections; counting is a few atomic additions.
pub struct Metrics {
    pushes: [[AtomicU64; OUTCOMES.len()]; METHODS.len()],
    durations: [Histogram; METHODS.len()],
    /// Those of the chain in use.
    plugins: RwLock<ChainMetrics>,
    /// The candidates of the chain in use.
    shadows: RwLock<Shadows>,
    /// What its plugins count themselves.
    counted: RwLock<Vec<Counted>>,
    /// Whether the configuration was good when it was read last.
    configured: AtomicBool,
    /// When a good one was read last, in seconds since 1970.
    configured_at: AtomicU64,
    capture: Arc<CaptureMetrics>,
    journal: Arc<JournalMetrics>,
    limits: Arc<LimitMetrics>,
    http: HttpMetrics,
    rights: RightsMetrics,
    expired: Expired,
    /// Traces that were sent, and that were not.
    traces: [AtomicU64; 2],
}

impl Outcome {
    /// Its name among the metrics.
    pub fn as_str(self) -> &'static str {
        OUTCOMES.iter().find(|(outcome, _)| *outcome == self).map_or("", |(_, name)| name)
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Metrics for a gateway with the default configuration, all at 0.
    pub fn new() -> Self {
        Self::of(&Config::default())
    }

    /// Metrics for a gateway, all at 0, whose configuration was good just now.
    pub fn of(config: &Config) -> Self {
        let metrics = Self {
            pushes: Default::default(),
            durations: std::array::from_fn(|_| Histogram::of_seconds()),
            plugins: RwLock::default(),
            shadows: RwLock::default(),
            counted: RwLock::default(),
            configured: AtomicBool::default(),
            configured_at: AtomicU64::default(),
            capture: Arc::default(),
            journal: Arc::default(),
            limits: Arc::new(LimitMetrics::of(config)),
            http: HttpMetrics::default(),
            rights: RightsMetrics::default(),
            expired: Expired::default(),
            traces: Default::default(),
        };
        metrics.configured(true);
        metrics
    }

    /// Exposes the plugins of a chain from now on. One that a chain before had in the same version goes on counting
    /// from where it is.
    pub fn watch(&self, chain: &Chain) -> ChainMetrics {
        *self.counted.write() = chain.plugins().map(Plugin::counted).collect();
        let mut plugins = self.plugins.write();
        *plugins = ChainMetrics::following(&plugins, chain);
        plugins.clone()
    }

    /// Forgets what was counted of policies that are neither in the chain nor in the configuration.
    pub fn settle(&self, config: &Config) {
        let is_configured = |name: &str| config.chain.iter().any(|policy| policy.name == name);
        self.plugins.write().settle(is_configured);
    }

    /// Exposes the candidates of a chain from now on.
    pub fn watch_shadows(&self, chain: &Chain) -> Shadows {
        let mut shadows = self.shadows.write();
        *shadows = Shadows::following(&shadows, chain);
        shadows.clone()
    }

    /// What is known of the candidate of that name, if there is one.
    pub fn shadow(&self, name: &str) -> Option<ShadowReport> {
        self.shadows.read().report(name)
    }

    /// What is counted of the capture.
    pub fn capture(&self) -> Arc<CaptureMetrics> {
        self.capture.clone()
    }

    /// What is counted of the journal.
    pub fn journal(&self) -> Arc<JournalMetrics> {
        self.journal.clone()
    }

    /// What is counted of the limits of the configuration.
    pub fn limits(&self) -> &Arc<LimitMetrics> {
        &self.limits
    }

    /// Says whether the configuration was good when it was read.
    pub fn configured(&self, good: bool) {
        self.configured.store(good, Ordering::Relaxed);
        if good {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            self.configured_at.store(now.as_secs(), Ordering::Relaxed);
        }
    }

    /// Counts a push, and how long it took if it was worked on.
    pub fn push(&self, method: Method, outcome: Outcome, duration: Option<Duration>) {
        let method = METHODS.iter().position(|(other, _)| *other == method).unwrap_or_default();
        let outcome = OUTCOMES.iter().position(|(other, _)| *other == outcome).unwrap_or_default();
        self.pushes[method][outcome].fetch_add(1, Ordering::Relaxed);
        if let Some(duration) = duration {
            self.durations[method].observe_duration(duration);
        }
    }

    /// Counts traces that were sent.
    pub(super) fn traces_sent(&self, traces: usize) {
        self.traces[0].fetch_add(traces as u64, Ordering::Relaxed);
    }

    /// Counts traces that were dropped.
    pub(super) fn traces_dropped(&self, traces: usize) {
        self.traces[1].fetch_add(traces as u64, Ordering::Relaxed);
    }

    /// Counts a group of that job whose TTL was over.
    pub fn expired(&self, job: &str) {
        self.expired.count(job);
    }

    /// Counts a request that was refused for want of a right.
    pub fn rights_refused(&self, right: Right) {
        self.rights.refused(right);
    }

    /// Counts a request that was answered, by the endpoint that did.
    pub fn request(&self, status: u16, handler: &'static str, method: &'static str) {
        self.http.request(status, handler, method);
    }

    /// Counts a request with a push, by its size as it was sent and the time until its answer.
    pub fn push_request(&self, method: &'static str, bytes: u64, duration: Duration) {
        self.http.push(method, bytes, duration);
    }

    /// The metrics as columns.
    ///
    /// # Errors
    /// When the names of plugins and codes are more than 4 GiB.
    pub fn expose(&self, stored: Size, jobs: &[JobUsage]) -> Result<Push, InternError> {
        let mut out = Writer::new();
        let family = out.family("pushgate_build_info", Kind::Gauge, "1, with the version as a label.")?;
        out.value(family, &[("version", VERSION)], 1.0)?;
        let read_at = "When a configuration was read last that was good.";
        self.capture.write(&mut out)?;
        let name = "pushgate_config_last_reload_success_timestamp_seconds";
        out.single(name, Kind::Gauge, read_at, self.configured_at.load(Ordering::Relaxed) as f64)?;
        let good = "Whether the configuration was good when it was read last, at the start or for a reload.";
        let configured = f64::from(u8::from(self.configured.load(Ordering::Relaxed)));
        out.single("pushgate_config_last_reload_successful", Kind::Gauge, good, configured)?;
        let groups = "Groups stored, also those with nothing but their push times.";
        out.single("pushgate_groups", Kind::Gauge, groups, stored.groups as f64)?;
        self.expired.write(&mut out)?;
        jobs::write(&mut out, jobs)?;
        self.journal.write(&mut out)?;
        self.limits.write(&mut out, stored)?;
        self.rights.write(&mut out)?;
        self.plugins.read().clone().write(&mut out)?;
        self.shadows.read().clone().write(&mut out)?;
        counters::write(&mut out, &self.counted.read())?;
        let family = out.family("pushgate_push_duration_seconds", Kind::Histogram, PUSH_DURATION_HELP)?;
        for ((_, method), histogram) in METHODS.iter().zip(&self.durations) {
            out.histogram(family, &[("method", method)], histogram)?;
        }
        let family = out.family("pushgate_pushes_total", Kind::Counter, PUSHES_HELP)?;
        for ((_, method), counts) in METHODS.iter().zip(&self.pushes) {
            for ((_, outcome), count) in OUTCOMES.iter().zip(counts) {
                out.count(family, &[("method", method), ("outcome", outcome)], count)?;
            }
        }
        let series = "Series stored, without the push times.";
        out.single("pushgate_series", Kind::Gauge, series, stored.series as f64)?;
        let traces = "Traces of pushes, sent to the receiver of [traces], or dropped because it did not take them or not in time.";
        let family = out.family("pushgate_traces_total", Kind::Counter, traces)?;
        for (outcome, count) in ["sent", "dropped"].iter().zip(&self.traces) {
            out.count(family, &[("outcome", outcome)], count)?;
        }
        let family = out.family(BUILD_INFO, Kind::Gauge, BUILD_INFO_HELP)?;
        out.value(family, &build_labels(), 1.0)?;
        self.http.write(&mut out)?;
        process::write(&mut out)?;
        Ok(out.finish())
    }
}

const VERSION: &str = env!("CARGO_PKG_VERSION");

const BUILD_INFO: &str = "pushgateway_build_info";
const BUILD_INFO_HELP: &str = "1, with what it was built of as labels. What only a Go program has is empty.";

/// The labels that the original has, in words that its users know.
fn build_labels() -> [(&'static str, &'static str); 7] {
    let architecture = match consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        other => other,
    };
    [
        ("branch", ""),
        ("goarch", architecture),
        ("goos", consts::OS),
        ("goversion", ""),
        ("revision", ""),
        ("tags", ""),
        ("version", VERSION),
    ]
}

/// The types of the own families that pushes may bring series of, whether they are shown already or not.
pub fn own_families() -> OwnFamilies {
    let all = [(BUILD_INFO, Kind::Gauge)].into_iter().chain(http::FAMILIES).chain(process::FAMILIES);
    all.map(|(name, kind)| (name.to_owned(), kind)).collect()
}

const PUSH_DURATION_HELP: &str =
    "How long pushes took, from the whole body to the stored push or the refusal.";
const PUSHES_HELP: &str = "Pushes by what became of them: accepted; unparsable (400), too_large (413), inconsistent with what is stored \
     (400), rejected by a policy (422), fault of a plugin (503), full store (429), busy (503), not_written to the \
     journal (503).";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::OWN_PREFIX;

    fn exposed() -> Push {
        let metrics = Metrics::new();
        metrics.request(200, "push", "put");
        metrics.request(200, "push", "put");
        metrics.request(400, "push", "put");
        metrics.push_request("put", 100, Duration::from_millis(250));
        metrics.expose(Size { groups: 1, series: 2 }, &[]).unwrap()
    }

    #[test]
    fn every_family_is_known_to_the_store() {
        let known = own_families();
        for family in exposed().families().filter(|family| !family.name().starts_with(OWN_PREFIX)) {
            assert_eq!(known.get(family.name()), Some(&family.kind()), "{}", family.name());
        }
    }

    #[test]
    fn no_series_can_be_like_one_that_was_pushed() {
        for family in exposed().families() {
            assert!(family.series().all(|series| series.labels().all(|(name, _)| name != "job")));
        }
    }

    #[test]
    fn requests_are_counted_as_the_original_does() {
        let text = pushgate_exposition::text::encode(&exposed());
        for line in [
            "# TYPE pushgateway_http_requests_total counter",
            "pushgateway_http_requests_total{code=\"200\",handler=\"push\",method=\"put\"} 2",
            "pushgateway_http_requests_total{code=\"400\",handler=\"push\",method=\"put\"} 1",
            "pushgateway_http_push_size_bytes{method=\"put\",quantile=\"0.9\"} 100",
            "pushgateway_http_push_size_bytes_sum{method=\"put\"} 100",
            "pushgateway_http_push_duration_seconds{method=\"put\",quantile=\"0.1\"} 0.25",
            "pushgateway_http_push_duration_seconds_count{method=\"put\"} 1",
        ] {
            assert!(text.lines().any(|other| other == line), "{line} is missing in {text}");
        }
    }
}
