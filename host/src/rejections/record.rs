//! What is kept of one push.

use std::time::SystemTime;

use pushgate_exposition::edit::{Change, summary};
use pushgate_exposition::{GroupingKey, Push};
use pushgate_plugin_host::{Chain, End, Finding, Link, Method, Mode, Report, Step, Verdict};

use super::excerpt::{Excerpt, REDACTED};
use crate::config::Redaction;

/// What is kept of one push at the most: judgements, findings of each, and bytes of each of their texts.
const MAX_JUDGEMENTS: usize = 8;
const MAX_FINDINGS: usize = 20;
const MAX_TEXT: usize = 512;

/// Changes that are kept of each policy.
const MAX_CHANGES: usize = 20;

/// Bytes of a configuration that is kept; a longer one is left out.
const MAX_CONFIG: usize = 16 << 10;

/// A push that went through a chain, for the time of recording it.
#[derive(Clone, Copy)]
pub struct Judged<'a> {
    /// Names it.
    pub id: &'a str,
    /// When it arrived.
    pub at: SystemTime,
    /// How it was sent.
    pub method: Method,
    /// Its group, as pushed.
    pub group: &'a GroupingKey,
    /// What it went through.
    pub chain: &'a Chain,
    /// What came of that.
    pub verdict: &'a Verdict,
    /// The push, as it came out.
    pub push: &'a Push,
}

/// A push that a policy spoke against, or failed on.
#[derive(Debug)]
pub struct Rejection {
    /// Names the push in the answer to its client and in the log.
    pub id: String,
    /// When it arrived.
    pub at: SystemTime,
    /// How it was sent.
    pub method: &'static str,
    /// Its group, as pushed.
    pub group: String,
    /// Whether it passed all the same: the policies only watch, or are left out when they fail.
    pub passed: bool,
    /// Those who spoke against it, in the order of the chain; never none.
    pub judgements: Vec<Judgement>,
}

/// What one policy had against a push.
#[derive(Debug, Default)]
pub struct Judgement {
    /// The policy.
    pub plugin: String,
    /// What its plugin says its version is.
    pub version: String,
    /// Its mode.
    pub mode: &'static str,
    /// What it did.
    pub decision: Decision,
    /// What it failed of.
    pub fault: Option<String>,
    /// Its reasons.
    pub findings: Vec<Finding>,
    /// Findings beyond those.
    pub more_findings: usize,
    /// Its configuration as JSON, unless that is redacted or long.
    pub config: Option<String>,
    /// The group, as it saw it.
    pub group: String,
    /// The push, as it saw it.
    pub excerpt: Excerpt,
    /// What policies before it had changed.
    pub edits: Vec<Edits>,
}

/// What a policy did to a push.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Decision {
    /// It rejected it.
    #[default]
    Rejected,
    /// It would have rejected it, in mode enforce.
    WouldHaveRejected,
    /// It failed.
    Fault,
}

/// What a policy changed before another one rejected.
#[derive(Debug)]
pub struct Edits {
    /// The policy.
    pub plugin: String,
    /// Its changes.
    pub changes: Vec<Change>,
    /// Edits beyond those.
    pub more: usize,
}

impl Judged<'_> {
    /// Whether a policy spoke against it, or failed.
    pub(super) fn is_remarkable(&self) -> bool {
        self.verdict.reports.iter().any(is_against)
    }
}

fn is_against(report: &Report) -> bool {
    matches!(report.step, Step::Rejected | Step::Fault(_))
}

impl Rejection {
    pub(super) fn of(judged: &Judged<'_>, redact: &[Redaction]) -> Self {
        let against = judged.verdict.reports.iter().enumerate().filter(|(_, report)| is_against(report));
        let judgements = against.filter_map(|(at, _)| Judgement::of(judged, at, redact));
        Self {
            id: judged.id.to_owned(),
            at: judged.at,
            method: judged.method.as_str(),
            group: group(judged.group, redact),
            passed: judged.verdict.end == End::Accepted,
            judgements: judgements.take(MAX_JUDGEMENTS).collect(),
        }
    }

    /// The judgement that counts: the one that ended the push, else the last one.
    pub fn last(&self) -> Option<&Judgement> {
        self.judgements.last()
    }

    /// Who decided it, and how.
    pub(super) fn kind(&self) -> (&str, Decision) {
        self.last().map_or(("", Decision::default()), |last| (&last.plugin, last.decision))
    }

    /// Bytes that it takes, roughly.
    pub fn size(&self) -> usize {
        let judgements = self.judgements.iter().map(Judgement::size);
        size_of::<Self>() + self.id.len() + self.group.len() + judgements.sum::<usize>()
    }
}

impl Judgement {
    fn of(judged: &Judged<'_>, at: usize, redact: &[Redaction]) -> Option<Self> {
        let report = judged.verdict.reports.get(at)?;
        let link = judged.chain.links().get(report.link)?;
        let seen = judged.verdict.seen_by(at, judged.push);
        let before = judged.verdict.reports.iter().take(at);
        let config = link.plugin.config();
        let is_shown = config.len() <= MAX_CONFIG && !redact.contains(&Redaction::Config);
        let (decision, fault) = match (&report.step, link.mode) {
            (Step::Fault(fault), _) => (Decision::Fault, Some(clipped(&fault.to_string()))),
            (_, Mode::Enforce) => (Decision::Rejected, None),
            (_, Mode::Monitor) => (Decision::WouldHaveRejected, None),
        };
        let findings = report.findings.iter().take(MAX_FINDINGS);
        Some(Self {
            plugin: link.plugin.name().to_owned(),
            version: clipped(&link.plugin.manifest().version),
            mode: link.mode.as_str(),
            decision,
            fault,
            findings: findings.map(|it| finding(it, link, redact)).collect(),
            more_findings: report.findings.len().saturating_sub(MAX_FINDINGS),
            config: is_shown.then(|| config.to_owned()),
            group: group(&seen.grouping_key(), redact),
            excerpt: Excerpt::of(seen, &report.findings, redact),
            edits: before.filter_map(|report| Edits::of(judged.chain, report, redact)).collect(),
        })
    }

    /// The codes of its findings, each once.
    pub fn codes(&self) -> Vec<&str> {
        let mut codes: Vec<&str> = Vec::new();
        for finding in &self.findings {
            if !codes.contains(&finding.code.as_str()) {
                codes.push(&finding.code);
            }
        }
        codes
    }

    fn size(&self) -> usize {
        let findings = self.findings.iter().map(|finding| {
            let parts = [&finding.metric, &finding.series, &finding.label];
            let optional = parts.into_iter().flatten().map(String::len).sum::<usize>();
            size_of::<Finding>()
                + finding.plugin.len()
                + finding.code.len()
                + finding.message.len()
                + optional
        });
        let changes = self.edits.iter().flat_map(|edits| &edits.changes).map(|change| {
            let optional = [&change.to, &change.value].into_iter().flatten().map(String::len).sum::<usize>();
            size_of::<Change>() + change.name.len() + optional
        });
        let optional = [&self.fault, &self.config].into_iter().flatten().map(String::len).sum::<usize>();
        let texts = [&self.plugin, &self.version, &self.group, &self.excerpt.text].map(String::len);
        size_of::<Self>()
            + texts.iter().sum::<usize>()
            + optional
            + findings.sum::<usize>()
            + changes.sum::<usize>()
    }
}

impl Decision {
    /// How people and programs know it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::WouldHaveRejected => "would have rejected",
            Self::Fault => "fault",
        }
    }
}

impl Edits {
    fn of(chain: &Chain, report: &Report, redact: &[Redaction]) -> Option<Self> {
        let edited = report.edited.as_deref()?;
        let (mut changes, more) = summary(&edited.before, &edited.patch, MAX_CHANGES);
        for change in &mut changes {
            change.name = clipped(&change.name);
            change.to = change.to.as_deref().map(clipped);
            change.value = change.value.take().map(|value| match redact.contains(&Redaction::Labels) {
                true => REDACTED.to_owned(),
                false => clipped(&value),
            });
        }
        Some(Self { plugin: chain.links().get(report.link)?.plugin.name().to_owned(), changes, more })
    }
}

/// A finding, within bounds. Where labels are redacted, it says what its code means instead of a message, which may
/// quote anything.
fn finding(finding: &Finding, link: &Link, redact: &[Redaction]) -> Finding {
    let mut kept = Finding {
        metric: finding.metric.as_deref().map(clipped),
        series: finding.series.as_deref().map(clipped),
        label: finding.label.as_deref().map(clipped),
        ..finding.clone()
    };
    if redact.contains(&Redaction::Labels) {
        let codes = &link.plugin.manifest().codes;
        let meaning = codes.iter().find(|code| code.covers(&finding.code)).map(|code| clipped(&code.meaning));
        kept.message = meaning.unwrap_or_else(|| REDACTED.to_owned());
        kept.series = None;
    }
    kept
}

/// A grouping key. Where labels are redacted, the job remains.
fn group(key: &GroupingKey, redact: &[Redaction]) -> String {
    if !redact.contains(&Redaction::Labels) {
        return clipped(&key.to_string());
    }
    let labels = key.labels().map(|(name, value)| (name, if name == "job" { value } else { REDACTED }));
    let shown: Vec<_> = labels.map(|(name, value)| format!("{name}={value:?}")).collect();
    clipped(&format!("{{{}}}", shown.join(",")))
}

/// Text from outside may be long.
fn clipped(text: &str) -> String {
    match text.split_at_checked(text.floor_char_boundary(MAX_TEXT)) {
        Some((start, rest)) if !rest.is_empty() => format!("{start}..."),
        _ => text.to_owned(),
    }
}
