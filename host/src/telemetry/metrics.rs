//! The gateway's own metrics: all names and HELP texts are here.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use parking_lot::RwLock;
use pushgate_exposition::{Builder, GroupingKey, InternError, Kind, Label, text};
use pushgate_plugin_host::{Chain, Finding, Link, Method, Mode, Report, Step};
use tracing::{info, warn};

use super::histogram::Histogram;
use crate::store::Size;

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
}

const OUTCOMES: [(Outcome, &str); 8] = [
    (Outcome::Accepted, "accepted"),
    (Outcome::Unparsable, "unparsable"),
    (Outcome::TooLarge, "too_large"),
    (Outcome::Inconsistent, "inconsistent"),
    (Outcome::Rejected, "rejected"),
    (Outcome::Fault, "fault"),
    (Outcome::Full, "full"),
    (Outcome::Busy, "busy"),
];
const METHODS: [(Method, &str); 3] =
    [(Method::Put, "put"), (Method::Post, "post"), (Method::Delete, "delete")];
const DECISIONS: [&str; 4] = ["accept", "mutate", "reject", "fault"];
const FAULTS: [&str; 8] = ["fuel", "memory", "stack", "trap", "oversized", "nonsense", "edit", "busy"];

/// The code of a finding whose own the plugin's manifest does not list.
const OTHER: &str = "other";

/// Counts what happens. Shared by all connections; counting is a few atomic additions.
#[derive(Debug)]
pub struct Metrics {
    pushes: [[AtomicU64; OUTCOMES.len()]; METHODS.len()],
    durations: [Histogram; METHODS.len()],
    /// Those of the chain in use.
    plugins: RwLock<ChainMetrics>,
    /// Whether the configuration was good when it was read last.
    configured: AtomicBool,
    /// When a good one was read last, in seconds since 1970.
    configured_at: AtomicU64,
}

/// What is counted of one chain, in the order of its links. Goes with the chain, so that pushes that are still in
/// an old one are counted where they belong.
#[derive(Clone, Debug, Default)]
pub struct ChainMetrics(Arc<[Arc<PluginMetrics>]>);

/// One policy's, beside the links of the chain.
#[derive(Debug)]
struct PluginMetrics {
    name: String,
    version: String,
    mode: &'static str,
    decisions: [AtomicU64; DECISIONS.len()],
    faults: [AtomicU64; FAULTS.len()],
    /// By the codes of the manifest, and [`OTHER`]: a plugin cannot make up series.
    findings: Vec<(String, AtomicU64)>,
    duration: Histogram,
    fuel: AtomicU64,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Metrics for a gateway, all at 0, whose configuration was good just now.
    pub fn new() -> Self {
        let metrics = Self {
            pushes: Default::default(),
            durations: Default::default(),
            plugins: RwLock::default(),
            configured: AtomicBool::default(),
            configured_at: AtomicU64::default(),
        };
        metrics.configured(true);
        metrics
    }

    /// Exposes the plugins of a chain from now on. One that the chain before had in the same version and mode goes
    /// on counting from where it is.
    pub fn watch(&self, chain: &Chain) -> ChainMetrics {
        let mut plugins = self.plugins.write();
        let known = |new: PluginMetrics| {
            let known = plugins.0.iter().find(|old| old.is_of_the_same_plugin(&new));
            known.map_or_else(|| Arc::new(new), Arc::clone)
        };
        let new = ChainMetrics(chain.links().iter().map(PluginMetrics::of).map(known).collect());
        *plugins = new.clone();
        new
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
            self.durations[method].observe(duration);
        }
    }

    /// The metrics as text, in order of their names.
    ///
    /// # Errors
    /// When the names of plugins and codes are more than 4 GiB.
    pub fn expose(&self, stored: Size) -> Result<String, InternError> {
        let mut out = Writer::new()?;
        out.gauge(
            "pushgate_build_info",
            "1, with the version of the gateway as a label.",
            &[(&[("version", env!("CARGO_PKG_VERSION"))], 1.0)],
        )?;
        out.gauge(
            "pushgate_config_last_reload_success_timestamp_seconds",
            "When a configuration was read last that was good.",
            &[(&[], self.configured_at.load(Ordering::Relaxed) as f64)],
        )?;
        out.gauge(
            "pushgate_config_last_reload_successful",
            "Whether the configuration was good when it was read last, at the start or for SIGHUP.",
            &[(&[], f64::from(u8::from(self.configured.load(Ordering::Relaxed))))],
        )?;
        out.gauge(
            "pushgate_groups",
            "Groups stored, also those with nothing but their push times.",
            &[(&[], stored.groups as f64)],
        )?;
        out.plugins(&self.plugins.read().clone().0)?;
        let family = out.family("pushgate_push_duration_seconds", Kind::Histogram, PUSH_DURATION_HELP)?;
        for ((_, method), histogram) in METHODS.iter().zip(&self.durations) {
            let labels = out.labels(&[("method", method)])?;
            histogram.write(&mut out.builder, family, &labels);
        }
        let family = out.family("pushgate_pushes_total", Kind::Counter, PUSHES_HELP)?;
        for ((_, method), counts) in METHODS.iter().zip(&self.pushes) {
            for ((_, outcome), count) in OUTCOMES.iter().zip(counts) {
                out.count(family, &[("method", method), ("outcome", outcome)], count)?;
            }
        }
        out.gauge(
            "pushgate_series",
            "Series stored, without the push times.",
            &[(&[], stored.series as f64)],
        )?;
        Ok(text::encode(&out.builder.finish()))
    }
}

impl ChainMetrics {
    /// Counts and logs what the policies did with a push.
    pub fn count(&self, chain: &Chain, reports: &[Report], id: &str) {
        for report in reports {
            let (Some(metrics), Some(link)) = (self.0.get(report.link), chain.links().get(report.link))
            else {
                continue;
            };
            metrics.count(report);
            let plugin = link.plugin.name();
            match (&report.step, link.mode) {
                (Step::Fault(fault), _) => warn!(id, plugin, %fault, "plugin failed"),
                (Step::Rejected, Mode::Enforce) => log_findings(id, plugin, &report.findings, "rejected"),
                (Step::Rejected, Mode::Monitor) => {
                    log_findings(id, plugin, &report.findings, "would have rejected");
                }
                (Step::Mutated, Mode::Monitor) => info!(id, plugin, "would have edited"),
                (Step::Accepted | Step::Mutated, _) => {}
            }
        }
    }
}

/// Says why a push was rejected. A push that is wrong in many ways is one line: its client is told the rest.
fn log_findings(id: &str, plugin: &str, findings: &[Finding], decision: &str) {
    let first = findings.first();
    let (code, message) = first.map_or(("", ""), |first| (&first.code, &first.message));
    info!(id, plugin, decision, findings = findings.len(), code, first = message, "push judged");
}

const PUSH_DURATION_HELP: &str =
    "How long pushes took, from the whole body to the stored push or the refusal.";
const PUSHES_HELP: &str = "Pushes by what became of them: accepted; unparsable (400), too_large (413), inconsistent with what is stored \
     (400), rejected by a policy (422), fault of a plugin (503), full store (429), busy (503).";

impl PluginMetrics {
    fn of(link: &Link) -> Self {
        let manifest = link.plugin.manifest();
        let codes = manifest.codes.iter().map(|code| code.id.clone()).chain([OTHER.to_owned()]);
        Self {
            name: link.plugin.name().to_owned(),
            version: manifest.version.clone(),
            mode: match link.mode {
                Mode::Enforce => "enforce",
                Mode::Monitor => "monitor",
            },
            decisions: Default::default(),
            faults: Default::default(),
            findings: codes.map(|code| (code, AtomicU64::default())).collect(),
            duration: Histogram::default(),
            fuel: AtomicU64::default(),
        }
    }

    fn is_of_the_same_plugin(&self, other: &Self) -> bool {
        let labels = |plugin: &Self| (plugin.name.clone(), plugin.version.clone(), plugin.mode);
        let codes = |plugin: &Self| plugin.findings.iter().map(|(code, _)| code.clone()).collect::<Vec<_>>();
        labels(self) == labels(other) && codes(self) == codes(other)
    }

    fn count(&self, report: &Report) {
        let decision = match &report.step {
            Step::Accepted => 0,
            Step::Mutated => 1,
            Step::Rejected => 2,
            Step::Fault(fault) => {
                let kind = FAULTS.iter().position(|kind| *kind == fault.kind()).unwrap_or_default();
                self.faults[kind].fetch_add(1, Ordering::Relaxed);
                3
            }
        };
        self.decisions[decision].fetch_add(1, Ordering::Relaxed);
        for finding in &report.findings {
            let known = self.findings.iter().find(|(code, _)| *code == finding.code);
            if let Some((_, count)) = known.or(self.findings.last()) {
                count.fetch_add(1, Ordering::Relaxed);
            }
        }
        self.duration.observe(report.duration);
        self.fuel.fetch_add(report.fuel, Ordering::Relaxed);
    }
}

/// Writes metrics into the columns that pushes have, so that one encoder serves both.
struct Writer {
    builder: Builder,
}

impl Writer {
    fn new() -> Result<Self, InternError> {
        // The gateway's own metrics are in no group; what has no grouping labels is not overridden by any.
        let key = GroupingKey::new([("job", "pushgate")]).map_err(|_| InternError::Full)?;
        Ok(Self { builder: Builder::new(&key)? })
    }

    fn family(&mut self, name: &str, kind: Kind, help: &str) -> Result<u32, InternError> {
        let name = self.builder.intern(name.as_bytes())?;
        let help = self.builder.intern(help.as_bytes())?;
        let family = self.builder.family(name);
        self.builder.set_kind(family, kind);
        self.builder.set_help(family, help);
        Ok(family)
    }

    /// Labels, given in order of their names.
    fn labels(&mut self, labels: &[(&str, &str)]) -> Result<Vec<Label>, InternError> {
        let mut symbol = |text: &str| self.builder.intern(text.as_bytes());
        labels.iter().map(|(name, value)| Ok(Label { name: symbol(name)?, value: symbol(value)? })).collect()
    }

    fn value(&mut self, family: u32, labels: &[(&str, &str)], value: f64) -> Result<(), InternError> {
        let labels = self.labels(labels)?;
        self.builder.series(family, &labels, value);
        Ok(())
    }

    fn count(&mut self, family: u32, labels: &[(&str, &str)], count: &AtomicU64) -> Result<(), InternError> {
        self.value(family, labels, count.load(Ordering::Relaxed) as f64)
    }

    fn gauge(
        &mut self,
        name: &str,
        help: &str,
        series: &[(&[(&str, &str)], f64)],
    ) -> Result<(), InternError> {
        let family = self.family(name, Kind::Gauge, help)?;
        series.iter().try_for_each(|(labels, value)| self.value(family, labels, *value))
    }

    fn plugins(&mut self, plugins: &[Arc<PluginMetrics>]) -> Result<(), InternError> {
        let family = self.family(
            "pushgate_plugin_duration_seconds",
            Kind::Histogram,
            "How long a plugin took for one push, its start included when no instance was warm.",
        )?;
        for plugin in plugins {
            let labels = self.labels(&[("plugin", &plugin.name)])?;
            plugin.duration.write(&mut self.builder, family, &labels);
        }
        let family = self.family(
            "pushgate_plugin_evaluations_total",
            Kind::Counter,
            "Pushes that a plugin was asked about, by what it decided. In mode monitor the decision changes nothing.",
        )?;
        for plugin in plugins {
            for (decision, count) in DECISIONS.iter().zip(&plugin.decisions) {
                let labels = [("decision", *decision), ("mode", plugin.mode), ("plugin", &plugin.name)];
                self.count(family, &labels, count)?;
            }
        }
        let family = self.family(
            "pushgate_plugin_faults_total",
            Kind::Counter,
            "Failures of a plugin itself, by their kind. They are never rejections.",
        )?;
        for plugin in plugins {
            for (kind, count) in FAULTS.iter().zip(&plugin.faults) {
                self.count(family, &[("kind", kind), ("plugin", &plugin.name)], count)?;
            }
        }
        let family = self.family(
            "pushgate_plugin_findings_total",
            Kind::Counter,
            "Remarks of a plugin on pushes, by their code; codes that its manifest does not list are 'other'.",
        )?;
        for plugin in plugins {
            for (code, count) in &plugin.findings {
                self.count(family, &[("code", code), ("plugin", &plugin.name)], count)?;
            }
        }
        let family = self.family(
            "pushgate_plugin_fuel_total",
            Kind::Counter,
            "Fuel that a plugin used, an instruction costs about one; pushes that ended in a fault are not counted.",
        )?;
        for plugin in plugins {
            self.count(family, &[("plugin", &plugin.name)], &plugin.fuel)?;
        }
        let family = self.family("pushgate_plugin_info", Kind::Gauge, "1 for each plugin of the chain.")?;
        for plugin in plugins {
            let labels = [("mode", plugin.mode), ("plugin", &plugin.name), ("version", &plugin.version)];
            self.value(family, &labels, 1.0)?;
        }
        Ok(())
    }
}
