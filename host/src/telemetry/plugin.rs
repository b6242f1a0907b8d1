//! What is counted of one plugin: a few relaxed additions for each push.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

use pushgate_plugin_host::{Code, Fault, Mode, Origin, Plugin, Report, Skip, Step};

use super::histogram::Histogram;

/// The modes in which a plugin decides.
pub(super) const MODES: [Mode; 2] = [Mode::Enforce, Mode::Monitor];
pub(super) const DECISIONS: [&str; 4] = ["accept", "mutate", "reject", "fault"];
pub(super) const FAULTS: [&str; Fault::KINDS.len()] = Fault::KINDS;
pub(super) const SKIPS: [&str; 3] = ["scope", "memo", "suspended"];

/// The code of a finding whose own the plugin's manifest does not list.
const OTHER: &str = "other";

/// Codes of a plugin's configuration that are counted each, and bytes of one.
const MAX_CONFIGURED: usize = 128;
const MAX_CONFIGURED_LENGTH: usize = 128;

/// The counts, each beside its labels.
pub(super) struct PluginMetrics {
    /// By [`MODES`], so that a series goes on where it was when its mode comes back.
    decisions: [[AtomicU64; DECISIONS.len()]; MODES.len()],
    pub(super) faults: [AtomicU64; FAULTS.len()],
    pub(super) skips: [AtomicU64; SKIPS.len()],
    /// By the codes of the manifest, and [`OTHER`]: a plugin cannot make up series.
    findings: Vec<(String, AtomicU64)>,
    configured: Configured,
    pub(super) edits: AtomicU64,
    pub(super) mismatches: AtomicU64,
    pub(super) duration: Histogram,
    pub(super) fuel: Histogram,
}

/// By codes that the configuration has, where the manifest has `<plugin>/*`. They are known once they are found.
#[derive(Default)]
struct Configured {
    families: Vec<Code>,
    findings: RwLock<BTreeMap<String, AtomicU64>>,
}

/// The counts at one moment, for people.
#[derive(Debug)]
pub struct PluginCounts {
    /// Pushes by what was decided about them, in whatever mode.
    pub evaluations: Vec<(&'static str, u64)>,
    /// Failures by kind.
    pub faults: Vec<(&'static str, u64)>,
    /// Pushes that the plugin was not called for, by the reason.
    pub skipped: Vec<(&'static str, u64)>,
    /// What half of all calls took at the most, and 99 of 100, in seconds.
    pub duration: Option<[f64; 2]>,
    /// The same of their fuel.
    pub fuel: Option<[f64; 2]>,
}

impl PluginCounts {
    pub(super) fn of(metrics: &PluginMetrics) -> Self {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let counts = |names: &[&'static str], counts: &[AtomicU64]| {
            names.iter().copied().zip(counts.iter().map(read)).collect()
        };
        let in_all_modes = |index: usize| metrics.decisions.iter().map(|counts| read(&counts[index])).sum();
        let quantiles = |of: &Histogram| Some([of.quantile(0.5)?, of.quantile(0.99)?]);
        Self {
            evaluations: DECISIONS.into_iter().zip((0..DECISIONS.len()).map(in_all_modes)).collect(),
            faults: counts(&FAULTS, &metrics.faults),
            skipped: counts(&SKIPS, &metrics.skips),
            duration: quantiles(&metrics.duration),
            fuel: quantiles(&metrics.fuel),
        }
    }
}

impl PluginMetrics {
    pub(super) fn of(plugin: &Plugin) -> Self {
        let codes = plugin.manifest().codes.iter().cloned();
        let (families, listed): (Vec<_>, Vec<_>) = codes.partition(|code| code.family().is_some());
        let codes = listed.into_iter().map(|code| code.id).chain([OTHER.to_owned()]);
        Self {
            decisions: Default::default(),
            faults: Default::default(),
            skips: Default::default(),
            findings: codes.map(|code| (code, AtomicU64::default())).collect(),
            configured: Configured { families, ..Configured::default() },
            edits: AtomicU64::default(),
            mismatches: AtomicU64::default(),
            duration: Histogram::of_seconds(),
            fuel: Histogram::of_fuel(),
        }
    }

    /// Findings by their code.
    pub(super) fn findings(&self) -> Vec<(String, u64)> {
        let configured = self.configured.findings.read().unwrap_or_else(PoisonError::into_inner);
        let listed = self.findings.iter().map(|(code, count)| (code, count));
        listed
            .chain(&*configured)
            .map(|(code, count)| (code.clone(), count.load(Ordering::Relaxed)))
            .collect()
    }

    /// The codes that are counted.
    pub(super) fn codes(&self) -> impl Iterator<Item = &str> {
        self.findings.iter().map(|(code, _)| code.as_str())
    }

    /// What was decided, by mode: in the one that is in use, and in the other one if there was any.
    pub(super) fn decisions(&self, in_use: Mode) -> impl Iterator<Item = (Mode, &[AtomicU64])> {
        let by_mode = MODES.into_iter().zip(self.decisions.iter().map(<[_; _]>::as_slice));
        by_mode.filter(move |(mode, counts)| {
            *mode == in_use || counts.iter().any(|count| count.load(Ordering::Relaxed) > 0)
        })
    }

    pub(super) fn count(&self, report: &Report, mode: Mode) {
        let one_more = |count: &AtomicU64| count.fetch_add(1, Ordering::Relaxed);
        let decision = match &report.step {
            Step::Skipped(Skip::Scope) => {
                one_more(&self.skips[0]);
                return;
            }
            Step::Skipped(Skip::Suspended { .. }) => {
                one_more(&self.skips[2]);
                return;
            }
            Step::Accepted => 0,
            Step::Mutated => 1,
            Step::Rejected => 2,
            Step::Fault(fault) => {
                let kind = FAULTS.iter().position(|kind| *kind == fault.kind()).unwrap_or_default();
                one_more(&self.faults[kind]);
                3
            }
        };
        let mode = MODES.iter().position(|other| *other == mode).unwrap_or_default();
        one_more(&self.decisions[mode][decision]);
        for finding in &report.findings {
            let known = self.findings.iter().find(|(code, _)| *code == finding.code);
            if known.is_none() && self.configured.count(&finding.code) {
                continue;
            }
            if let Some((_, count)) = known.or(self.findings.last()) {
                one_more(count);
            }
        }
        self.edits.fetch_add(report.edits as u64, Ordering::Relaxed);
        self.duration.observe_duration(report.duration);
        match report.origin {
            Origin::Remembered => drop(one_more(&self.skips[1])),
            Origin::Contradicted => drop(one_more(&self.mismatches)),
            Origin::Called | Origin::NotAsked => {}
        }
        let was_called = matches!(report.origin, Origin::Called | Origin::Contradicted);
        if was_called && !matches!(report.step, Step::Fault(Fault::Busy)) {
            self.fuel.observe(report.fuel);
        }
    }
}

impl Configured {
    /// Counts a code, if it is one of the configuration and there is room for it.
    fn count(&self, code: &str) -> bool {
        if !self.families.iter().any(|family| family.covers(code)) {
            return false;
        }
        if let Some(count) = self.findings.read().unwrap_or_else(PoisonError::into_inner).get(code) {
            count.fetch_add(1, Ordering::Relaxed);
            return true;
        }
        let mut findings = self.findings.write().unwrap_or_else(PoisonError::into_inner);
        let has_room = findings.len() < MAX_CONFIGURED && code.len() <= MAX_CONFIGURED_LENGTH;
        // Another push may have brought it in the meantime.
        let is_counted = has_room || findings.contains_key(code);
        if is_counted {
            findings.entry(code.to_owned()).or_default().fetch_add(1, Ordering::Relaxed);
        }
        is_counted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_a_configuration_are_counted_within_bounds() {
        let family = Code { id: "rules/*".to_owned(), meaning: String::new() };
        let configured = Configured { families: vec![family], ..Configured::default() };
        let name = |index: usize| format!("rules/{index}");
        for index in 0..MAX_CONFIGURED {
            assert!(configured.count(&name(index)), "{index}");
        }
        let longest = format!("rules/{}", "x".repeat(MAX_CONFIGURED_LENGTH - 6));
        let another = Configured { families: configured.families.clone(), ..Configured::default() };
        for (rule, of, code, expected) in [
            ("again", &configured, name(0), true),
            ("one too many", &configured, name(MAX_CONFIGURED), false),
            ("another plugin's", &another, "naming/a".to_owned(), false),
            ("as long as may be", &another, longest.clone(), true),
            ("too long", &another, format!("{longest}x"), false),
        ] {
            assert_eq!(of.count(&code), expected, "{rule}");
        }
        assert_eq!(configured.findings.read().unwrap()["rules/0"].load(Ordering::Relaxed), 2);
    }
}
