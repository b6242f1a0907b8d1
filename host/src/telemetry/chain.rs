//! What is counted of the plugins of a chain.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use pushgate_exposition::{InternError, Kind};
use pushgate_plugin_host::{Chain, Finding, Link, Mode, Report, Step};
use tracing::{info, warn};

use super::histogram::Histogram;
use super::writer::Writer;

const DECISIONS: [&str; 4] = ["accept", "mutate", "reject", "fault"];
const FAULTS: [&str; 8] = ["fuel", "memory", "stack", "trap", "oversized", "nonsense", "edit", "busy"];

/// The code of a finding whose own the plugin's manifest does not list.
const OTHER: &str = "other";

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

impl ChainMetrics {
    /// Those of a chain. A plugin that the chain before had in the same version and mode goes on counting from where it
    /// is.
    pub(super) fn following(before: &Self, chain: &Chain) -> Self {
        let known = |new: PluginMetrics| {
            let known = before.0.iter().find(|old| old.is_of_the_same_plugin(&new));
            known.map_or_else(|| Arc::new(new), Arc::clone)
        };
        Self(chain.links().iter().map(PluginMetrics::of).map(known).collect())
    }

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

    pub(super) fn write(&self, out: &mut Writer) -> Result<(), InternError> {
        let family = out.family(
            "pushgate_plugin_duration_seconds",
            Kind::Histogram,
            "How long a plugin took for one push, its start included when no instance was warm.",
        )?;
        for plugin in &*self.0 {
            out.histogram(family, &[("plugin", &plugin.name)], &plugin.duration)?;
        }
        let family = out.family(
            "pushgate_plugin_evaluations_total",
            Kind::Counter,
            "Pushes that a plugin was asked about, by what it decided. In mode monitor the decision changes nothing.",
        )?;
        for plugin in &*self.0 {
            for (decision, count) in DECISIONS.iter().zip(&plugin.decisions) {
                let labels = [("decision", *decision), ("mode", plugin.mode), ("plugin", &plugin.name)];
                out.count(family, &labels, count)?;
            }
        }
        let family = out.family(
            "pushgate_plugin_faults_total",
            Kind::Counter,
            "Failures of a plugin itself, by their kind. They are never rejections.",
        )?;
        for plugin in &*self.0 {
            for (kind, count) in FAULTS.iter().zip(&plugin.faults) {
                out.count(family, &[("kind", kind), ("plugin", &plugin.name)], count)?;
            }
        }
        let family = out.family(
            "pushgate_plugin_findings_total",
            Kind::Counter,
            "Remarks of a plugin on pushes, by their code; codes that its manifest does not list are 'other'.",
        )?;
        for plugin in &*self.0 {
            for (code, count) in &plugin.findings {
                out.count(family, &[("code", code), ("plugin", &plugin.name)], count)?;
            }
        }
        let family = out.family(
            "pushgate_plugin_fuel_total",
            Kind::Counter,
            "Fuel that a plugin used, an instruction costs about one; pushes that ended in a fault are not counted.",
        )?;
        for plugin in &*self.0 {
            out.count(family, &[("plugin", &plugin.name)], &plugin.fuel)?;
        }
        let family = out.family("pushgate_plugin_info", Kind::Gauge, "1 for each plugin of the chain.")?;
        for plugin in &*self.0 {
            let labels = [("mode", plugin.mode), ("plugin", &plugin.name), ("version", &plugin.version)];
            out.value(family, &labels, 1.0)?;
        }
        Ok(())
    }
}

/// Says why a push was rejected. A push that is wrong in many ways is one line: its client is told the rest.
fn log_findings(id: &str, plugin: &str, findings: &[Finding], decision: &str) {
    let first = findings.first();
    let (code, message) = first.map_or(("", ""), |first| (&first.code, &first.message));
    info!(id, plugin, decision, findings = findings.len(), code, first = message, "push judged");
}

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
