//! What candidates would have done differently: how often, and the last differences themselves.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use parking_lot::Mutex;
use pushgate_exposition::{GroupingKey, InternError, Kind};
use pushgate_plugin_host::{Chain, Comparison, Contrast, Finding, Report, Step};
use tracing::info;

use super::writer::Writer;

/// Differences that are kept of each candidate.
const MAX_RECENT: usize = 100;

/// Bytes of a line, or of a group, in what is kept, and how many codes of findings.
const MAX_LINE: usize = 512;
const MAX_CODES: usize = 20;

/// A candidate tells in the log that it differs at most once in this time.
const LOG_INTERVAL: Duration = Duration::from_secs(10);

const RESULTS: [&str; 6] = ["same", "decision", "findings", "edits", "fault", "suspended"];

/// The candidates of one chain, by the places of the policies that they are shadows of.
#[derive(Clone, Debug, Default)]
pub struct Shadows(Arc<[Box<[Candidate]>]>);

#[derive(Debug)]
struct Candidate {
    name: String,
    shadow_of: String,
    /// Goes on over a reload, as counters should.
    results: Arc<[AtomicU64; RESULTS.len()]>,
    /// Begins anew with each chain: the differences that count are those of the configuration that is tried now.
    recent: Mutex<Recent>,
}

#[derive(Debug, Default)]
struct Recent {
    /// The newest last.
    differences: VecDeque<Arc<Difference>>,
    /// Differences that no line of the log has told yet, and when the last one was told.
    untold: u64,
    told_at: Option<Instant>,
}

/// What is known of a candidate.
#[derive(Debug)]
pub struct ShadowReport {
    /// The policy that it is a shadow of.
    pub shadow_of: String,
    /// Pushes by how its answer compared.
    pub results: [(&'static str, u64); RESULTS.len()],
    /// The last differences, the newest first.
    pub differences: Vec<Arc<Difference>>,
}

/// A push of which a candidate would have made something else.
#[derive(Debug)]
pub struct Difference {
    /// Names the push in the log and in the answer to its client.
    pub id: String,
    /// When it arrived.
    pub at: SystemTime,
    /// Its group, as pushed.
    pub group: String,
    /// What differs.
    pub result: &'static str,
    /// What the policy did.
    pub policy: Opinion,
    /// What the candidate would have done.
    pub candidate: Opinion,
    /// For edits: the lines that only one of them lets in, `-` before those of the policy, `+` before the candidate's.
    pub lines: Vec<String>,
    /// How many such lines there are beyond those.
    pub more_lines: usize,
}

/// What one plugin made of a push.
#[derive(Debug)]
pub struct Opinion {
    /// Its decision, or "fault".
    pub decision: &'static str,
    /// What it failed of.
    pub fault: Option<String>,
    /// The codes of its findings, each once.
    pub codes: Vec<String>,
    /// Fuel used; 0 when it was not called.
    pub fuel: u64,
}

impl Shadows {
    /// Those of a chain. A candidate that the chain before had for the same policy goes on counting from where it is.
    pub(super) fn following(before: &Self, chain: &Chain) -> Self {
        let of = |name: &str, shadow_of: &str| {
            let known = before.candidates().find(|old| (&*old.name, &*old.shadow_of) == (name, shadow_of));
            Candidate {
                name: name.to_owned(),
                shadow_of: shadow_of.to_owned(),
                results: known.map(|known| known.results.clone()).unwrap_or_default(),
                recent: Mutex::default(),
            }
        };
        let links = chain.links().iter();
        Self(
            links
                .map(|link| {
                    link.shadows.iter().map(|shadow| of(shadow.plugin.name(), link.plugin.name())).collect()
                })
                .collect(),
        )
    }

    /// Counts how the candidates compare on a push, and keeps what differs.
    pub fn record(&self, reports: &[Report], id: &str, group: &GroupingKey, at: SystemTime) {
        for report in reports {
            let candidates = self.0.get(report.link).into_iter().flatten();
            for (candidate, comparison) in candidates.zip(&report.shadows) {
                candidate.record(report, comparison, id, group, at);
            }
        }
    }

    /// What is known of the candidate of that name.
    pub(super) fn report(&self, name: &str) -> Option<ShadowReport> {
        let candidate = self.candidates().find(|candidate| candidate.name == name)?;
        let count = |at: usize| (RESULTS[at], candidate.results[at].load(Ordering::Relaxed));
        Some(ShadowReport {
            shadow_of: candidate.shadow_of.clone(),
            results: std::array::from_fn(count),
            differences: candidate.recent.lock().differences.iter().rev().cloned().collect(),
        })
    }

    pub(super) fn write(&self, out: &mut Writer) -> Result<(), InternError> {
        let help = "Pushes that a candidate for the place of a plugin was asked about as well, by how its answer \
                    compares: same; another decision, other findings or other edits; it failed, a fault; or it keeps failing \
                    on the job and was not asked, suspended.";
        let family = out.family("pushgate_plugin_shadow_total", Kind::Counter, help)?;
        for candidate in self.candidates() {
            for (result, count) in RESULTS.iter().zip(&*candidate.results) {
                let labels =
                    [("plugin", &*candidate.name), ("result", result), ("shadow_of", &candidate.shadow_of)];
                out.count(family, &labels, count)?;
            }
        }
        Ok(())
    }

    fn candidates(&self) -> impl Iterator<Item = &Candidate> {
        self.0.iter().flatten()
    }
}

impl Candidate {
    fn record(
        &self,
        report: &Report,
        comparison: &Comparison,
        id: &str,
        group: &GroupingKey,
        at: SystemTime,
    ) {
        let number = match &comparison.contrast {
            Contrast::Same => 0,
            Contrast::Decision => 1,
            Contrast::Findings => 2,
            Contrast::Edits(_) => 3,
            Contrast::Fault => 4,
            Contrast::Suspended => 5,
        };
        self.results[number].fetch_add(1, Ordering::Relaxed);
        if matches!(comparison.contrast, Contrast::Same | Contrast::Suspended) {
            return;
        }
        let (lines, more_lines) = match &comparison.contrast {
            Contrast::Edits(edits) => (edits.lines.iter().map(|line| clipped(line)).collect(), edits.more),
            _ => (Vec::new(), 0),
        };
        let difference = Difference {
            id: id.to_owned(),
            at,
            group: clipped(&group.to_string()),
            result: RESULTS[number],
            policy: Opinion::of(&report.step, &report.findings, report.fuel),
            candidate: Opinion::of(&comparison.step, &comparison.findings, comparison.fuel),
            lines,
            more_lines,
        };
        self.keep(&Arc::new(difference));
    }

    fn keep(&self, difference: &Arc<Difference>) {
        let mut recent = self.recent.lock();
        if recent.differences.len() == MAX_RECENT {
            recent.differences.pop_front();
        }
        recent.differences.push_back(difference.clone());
        recent.untold += 1;
        if recent.told_at.is_some_and(|told_at| told_at.elapsed() < LOG_INTERVAL) {
            return;
        }
        recent.told_at = Some(Instant::now());
        let differences = std::mem::take(&mut recent.untold);
        drop(recent);
        let (plugin, shadow_of) = (&self.name, &self.shadow_of);
        let Difference { id, group, result, .. } = &**difference;
        info!(plugin, shadow_of, differences, id, group, result, "a shadow differs");
    }
}

impl Opinion {
    fn of(step: &Step, findings: &[Finding], fuel: u64) -> Self {
        let mut codes: Vec<String> = Vec::new();
        for finding in findings {
            if codes.len() < MAX_CODES && !codes.contains(&finding.code) {
                codes.push(finding.code.clone());
            }
        }
        let (decision, fault) = match step {
            Step::Accepted => ("accept", None),
            Step::Mutated => ("mutate", None),
            Step::Rejected => ("reject", None),
            Step::Fault(fault) => ("fault", Some(fault.to_string())),
            Step::Skipped(_) => ("not asked", None),
        };
        Self { decision, fault, codes, fuel }
    }
}

/// Label values may be long, and there are many lines.
fn clipped(line: &str) -> String {
    match line.split_at_checked(line.floor_char_boundary(MAX_LINE)) {
        Some((start, rest)) if !rest.is_empty() => format!("{start}..."),
        _ => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use pushgate_plugin_host::Origin;

    use super::*;

    fn candidate() -> Candidate {
        Candidate {
            name: "next".to_owned(),
            shadow_of: "naming".to_owned(),
            results: Arc::default(),
            recent: Mutex::default(),
        }
    }

    fn record(candidate: &Candidate, id: &str, contrast: Contrast) {
        let report = Report {
            link: 0,
            step: Step::Accepted,
            origin: Origin::Called,
            findings: Vec::new(),
            edits: 0,
            fuel: 1,
            began: Instant::now(),
            duration: Duration::ZERO,
            shadows: Vec::new(),
            edited: None,
        };
        let comparison = Comparison {
            step: Step::Rejected,
            findings: Vec::new(),
            fuel: 2,
            duration: Duration::ZERO,
            contrast,
        };
        let key = GroupingKey::new([("job", "x")]).unwrap();
        candidate.record(&report, &comparison, id, &key, SystemTime::UNIX_EPOCH);
    }

    #[test]
    fn the_last_differences_are_kept_the_newest_first() {
        let shadows = Shadows([Box::from([candidate()])].into());
        let candidate = shadows.candidates().next().unwrap();
        record(candidate, "same", Contrast::Same);
        for number in 0..=MAX_RECENT {
            record(candidate, &number.to_string(), Contrast::Decision);
        }
        let report = shadows.report("next").unwrap();
        let ids: Vec<_> = report.differences.iter().map(|difference| difference.id.as_str()).collect();
        assert_eq!((ids.len(), ids[0], ids[MAX_RECENT - 1]), (MAX_RECENT, "100", "1"));
        assert_eq!(
            report.results,
            [("same", 1), ("decision", 101), ("findings", 0), ("edits", 0), ("fault", 0), ("suspended", 0)]
        );
        assert!(shadows.report("naming").is_none());
    }

    #[test]
    fn lines_are_cut_at_a_character() {
        let long = "ä".repeat(MAX_LINE / 2);
        assert_eq!(clipped(&long), long);
        assert_eq!(clipped(&format!("{long}b")), format!("{long}..."));
        assert_eq!(clipped(&format!("b{long}")), format!("b{}...", "ä".repeat(MAX_LINE / 2 - 1)));
    }
}
