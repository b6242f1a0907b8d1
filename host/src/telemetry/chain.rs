//! What is counted of the plugins of a chain.

use std::collections::BTreeMap;
use std::sync::Arc;

use pushgate_exposition::{InternError, Kind};
use pushgate_plugin_host::{
    API, Breaker, Chain, CodeSource, Finding, Instances, Link, Mode, Origin, Plugin, Report, Step,
};
use tracing::{error, info, warn};

use super::plugin::{DECISIONS, FAULTS, PluginCounts, PluginMetrics, SKIPS};
use super::writer::Writer;

/// What is counted of one chain, in the order of its links. Goes with the chain, so that pushes that are still in
/// an old one are counted where they belong.
#[derive(Clone, Default)]
pub struct ChainMetrics {
    policies: Arc<[Policy]>,
    /// What was counted of policies that are off, or gone.
    resting: Arc<BTreeMap<String, Counted>>,
}

/// One policy of the chain.
struct Policy {
    plugin: Plugin,
    mode: Mode,
    breaker: Arc<Breaker>,
    counted: Counted,
}

/// What was counted of a version of a plugin.
#[derive(Clone)]
struct Counted {
    version: String,
    metrics: Arc<PluginMetrics>,
}

impl ChainMetrics {
    /// Those of a chain. A plugin that a chain before had in the same version goes on counting from where it is.
    pub(super) fn following(before: &Self, chain: &Chain) -> Self {
        let mut known = (*before.resting).clone();
        for policy in &*before.policies {
            known.insert(policy.plugin.name().to_owned(), policy.counted.clone());
        }
        let policy = |link: &Link| {
            let new = Policy::of(link);
            match known.remove(link.plugin.name()) {
                Some(counted) if counted.is_like(&new.counted) => Policy { counted, ..new },
                _ => new,
            }
        };
        Self { policies: chain.links().iter().map(policy).collect(), resting: Arc::new(known) }
    }

    /// Forgets what was counted of policies that are neither in the chain nor called for.
    pub(super) fn settle(&mut self, is_configured: impl Fn(&str) -> bool) {
        Arc::make_mut(&mut self.resting).retain(|name, _| is_configured(name));
    }

    /// Counts and logs what the policies did with a push.
    pub fn count(&self, chain: &Chain, reports: &[Report], id: &str) {
        for report in reports {
            let (Some(policy), Some(link)) = (self.policies.get(report.link), chain.links().get(report.link))
            else {
                continue;
            };
            policy.counted.metrics.count(report, policy.mode);
            let plugin = policy.plugin.name();
            if report.origin == Origin::Contradicted {
                error!(
                    id,
                    plugin,
                    "plugin says that it is pure, and answered the same push in two ways: it is called for every push until \
                     the configuration is read again"
                );
            }
            match (&report.step, link.mode) {
                (Step::Fault(fault), _) => warn!(id, plugin, %fault, "plugin failed"),
                (Step::Rejected, Mode::Enforce) => log_findings(id, plugin, &report.findings, "rejected"),
                (Step::Rejected, Mode::Monitor) => {
                    log_findings(id, plugin, &report.findings, "would have rejected");
                }
                (Step::Mutated, Mode::Monitor) => info!(id, plugin, "would have edited"),
                (Step::Accepted | Step::Mutated | Step::Skipped(_), _) => {}
            }
        }
    }

    /// What is counted of the policy of that name, if it is in the chain.
    pub fn counts(&self, name: &str) -> Option<PluginCounts> {
        let policy = self.policies.iter().find(|policy| policy.plugin.name() == name)?;
        Some(PluginCounts::of(&policy.counted.metrics))
    }

    /// Writes the families of all policies, in order of their names.
    pub(super) fn write(&self, out: &mut Writer) -> Result<(), InternError> {
        let family = out.family(
            "pushgate_plugin_compile_seconds",
            Kind::Gauge,
            "How long it took to have a plugin's code when it was loaded: to compile it (cache=\"miss\"), to read it from \
             cache_directory (hit), or no time, because it was in use (in_use).",
        )?;
        for Policy { plugin, .. } in &*self.policies {
            let (source, duration) = plugin.code();
            let cache = match source {
                CodeSource::Compiled => "miss",
                CodeSource::Cache => "hit",
                CodeSource::InUse => "in_use",
            };
            out.value(family, &[("cache", cache), ("plugin", plugin.name())], duration.as_secs_f64())?;
        }
        let family = out.family(
            "pushgate_plugin_duration_seconds",
            Kind::Histogram,
            "How long a push waited for a plugin's answer, remembered or not; the start of an instance included when none was warm.",
        )?;
        for (name, counted) in self.policies() {
            out.histogram(family, &[("plugin", name)], &counted.duration)?;
        }
        let family = out.family(
            "pushgate_plugin_edits_total",
            Kind::Counter,
            "Edits that a plugin made of pushes, or would have made in mode monitor.",
        )?;
        for (name, counted) in self.policies() {
            out.count(family, &[("plugin", name)], &counted.edits)?;
        }
        let family = out.family(
            "pushgate_plugin_evaluations_total",
            Kind::Counter,
            "Pushes that a plugin decided about, by what it decided, remembered decisions included. In mode monitor the decision \
             changes nothing.",
        )?;
        for policy in &*self.policies {
            for (mode, counts) in policy.counted.metrics.decisions(policy.mode) {
                for (decision, count) in DECISIONS.iter().zip(counts) {
                    let (mode, name) = (mode.as_str(), policy.plugin.name());
                    out.count(family, &[("decision", decision), ("mode", mode), ("plugin", name)], count)?;
                }
            }
        }
        let family = out.family(
            "pushgate_plugin_faults_total",
            Kind::Counter,
            "Failures of a plugin itself, by their kind. They are never rejections.",
        )?;
        for (name, counted) in self.policies() {
            for (kind, count) in FAULTS.iter().zip(&counted.faults) {
                out.count(family, &[("kind", kind), ("plugin", name)], count)?;
            }
        }
        let family = out.family(
            "pushgate_plugin_findings_total",
            Kind::Counter,
            "Remarks of a plugin on pushes, by their code; codes that its manifest does not list are 'other'.",
        )?;
        for (name, counted) in self.policies() {
            for (code, count) in counted.findings() {
                out.value(family, &[("code", &code), ("plugin", name)], count as f64)?;
            }
        }
        let family = out.family(
            "pushgate_plugin_fuel",
            Kind::Histogram,
            "Fuel that a call of a plugin used, an instruction costs about one; calls that ended in a fault are not counted. Set \
             fuel_base well above the most that is seen here.",
        )?;
        for (name, counted) in self.policies() {
            out.histogram(family, &[("plugin", name)], &counted.fuel)?;
        }
        let family = out.family(
            "pushgate_plugin_info",
            Kind::Gauge,
            "1 for each plugin of the chain, with what it is: the version that it gives itself, the SHA-256 of its file, and the \
             version of the contract that it is called by.",
        )?;
        for Policy { plugin, mode, .. } in &*self.policies {
            let digest = plugin.digest().to_string();
            let (name, version) = (plugin.name(), &*plugin.manifest().version);
            let mode = mode.as_str();
            let labels =
                [("api", API), ("digest", &digest), ("mode", mode), ("plugin", name), ("version", version)];
            out.value(family, &labels, 1.0)?;
        }
        let family = out.family(
            "pushgate_plugin_instances",
            Kind::Gauge,
            "Instances of a plugin: busy with a push, or idle. Raise the setting instances when more than that are busy often.",
        )?;
        for Policy { plugin, .. } in &*self.policies {
            let Instances { idle, busy } = plugin.instances();
            for (state, count) in [("busy", busy), ("idle", idle)] {
                out.value(family, &[("plugin", plugin.name()), ("state", state)], count as f64)?;
            }
        }
        let family = out.family(
            "pushgate_plugin_memo_mismatches_total",
            Kind::Counter,
            "Answers of a plugin that says it is pure which were not what it answered to the same push before. After one, \
             nothing is remembered of it until the configuration is read again. It is a mistake in the plugin.",
        )?;
        for (name, counted) in self.policies() {
            out.count(family, &[("plugin", name)], &counted.mismatches)?;
        }
        let family = out.family(
            "pushgate_plugin_memory_peak_bytes",
            Kind::Gauge,
            "The most memory that one instance of a plugin has had since the configuration was read. Set memory to more than \
             twice that: an instance that has grown past half of it is not used again.",
        )?;
        for Policy { plugin, .. } in &*self.policies {
            out.value(family, &[("plugin", plugin.name())], plugin.memory_peak() as f64)?;
        }
        let family = out.family(
            "pushgate_plugin_skipped_total",
            Kind::Counter,
            "Pushes for which a plugin was not called, by the reason: its scope does not cover them (scope), its answer to a \
             push of the same names and labels was remembered (memo), or it is suspended for the job (suspended).",
        )?;
        for (name, counted) in self.policies() {
            for (reason, count) in SKIPS.iter().zip(&counted.skips) {
                out.count(family, &[("plugin", name), ("reason", reason)], count)?;
            }
        }
        let family = out.family(
            "pushgate_plugin_suspended",
            Kind::Gauge,
            "Jobs that a plugin is suspended for, because it keeps failing on their pushes; `fail` decides about those.",
        )?;
        for Policy { plugin, breaker, .. } in &*self.policies {
            out.value(family, &[("plugin", plugin.name())], breaker.suspended().len() as f64)?;
        }
        Ok(())
    }

    fn policies(&self) -> impl Iterator<Item = (&str, &PluginMetrics)> {
        self.policies.iter().map(|policy| (policy.plugin.name(), &*policy.counted.metrics))
    }
}

/// Says why a push was rejected. A push that is wrong in many ways is one line: its client is told the rest.
fn log_findings(id: &str, plugin: &str, findings: &[Finding], decision: &str) {
    let first = findings.first();
    let (code, message) = first.map_or(("", ""), |first| (&first.code, &first.message));
    info!(id, plugin, decision, findings = findings.len(), code, first = message, "push judged");
}

impl Policy {
    fn of(link: &Link) -> Self {
        let version = link.plugin.manifest().version.clone();
        let counted = Counted { version, metrics: Arc::new(PluginMetrics::of(&link.plugin)) };
        Self { plugin: link.plugin.clone(), mode: link.mode, breaker: link.breaker.clone(), counted }
    }
}

impl Counted {
    fn is_like(&self, other: &Self) -> bool {
        self.version == other.version && self.metrics.codes().eq(other.metrics.codes())
    }
}
