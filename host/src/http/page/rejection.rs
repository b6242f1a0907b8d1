//! Why a push was rejected: who spoke against it, what they saw, and what had been changed before.

use std::time::SystemTime;

use askama::Template;
use pushgate_exposition::edit::Change;

use super::asset::VERSION;
use super::moment::Moment;
use super::{About, number, rejections, visible};
use crate::http::findings;
use crate::rejections::{Judgement, Rejection};

/// The page.
#[derive(Template)]
#[template(path = "rejection.html")]
pub(super) struct RejectionPage<'a> {
    asset_version: u64,
    about: &'a About,
    id: &'a str,
    at: Moment,
    method: &'static str,
    group: String,
    outcome: &'static str,
    judgements: Vec<JudgementView<'a>>,
}

/// What one policy had against it.
struct JudgementView<'a> {
    plugin: &'a str,
    version: String,
    mode: &'static str,
    decision: &'static str,
    fault: Option<String>,
    /// Its findings, as the client was told them.
    findings: String,
    more_findings: usize,
    config: Option<String>,
    group: String,
    push: String,
    series: usize,
    of: usize,
    edits: Vec<EditsView<'a>>,
}

/// What one policy had changed before.
struct EditsView<'a> {
    plugin: &'a str,
    changes: Vec<String>,
    more: usize,
}

impl<'a> RejectionPage<'a> {
    /// Everything that is kept of a push.
    pub(super) fn of(about: &'a About, rejection: &'a Rejection, now: SystemTime) -> Self {
        Self {
            asset_version: VERSION,
            about,
            id: &rejection.id,
            at: Moment::new(rejection.at, now),
            method: rejection.method,
            group: visible::text(&rejection.group),
            outcome: rejections::outcome(rejection),
            judgements: rejection.judgements.iter().map(JudgementView::of).collect(),
        }
    }

    /// The page as HTML.
    pub(super) fn html(&self) -> String {
        self.render().expect("a String takes everything")
    }
}

impl<'a> JudgementView<'a> {
    fn of(judgement: &'a Judgement) -> Self {
        let edits = judgement.edits.iter().map(|edits| EditsView {
            plugin: &edits.plugin,
            changes: edits.changes.iter().map(change).collect(),
            more: edits.more,
        });
        Self {
            plugin: &judgement.plugin,
            version: visible::text(&judgement.version),
            mode: judgement.mode,
            decision: judgement.decision.as_str(),
            fault: judgement.fault.as_deref().map(visible::whole),
            findings: visible::whole(&findings::lines(&judgement.findings)),
            more_findings: judgement.more_findings,
            config: judgement.config.as_deref().map(visible::whole),
            group: visible::text(&judgement.group),
            push: visible::whole(&judgement.excerpt.text),
            series: judgement.excerpt.series,
            of: judgement.excerpt.of,
            edits: edits.collect(),
        }
    }
}

/// A change in a line: `rename-label env to stage, on 3 series`.
fn change(change: &Change) -> String {
    let mut line = format!("{} {}", change.edit, change.name);
    for (word, text) in [(" to ", &change.to), (" = ", &change.value)] {
        if let Some(text) = text {
            line.push_str(word);
            line.push_str(text);
        }
    }
    let touched = number::many(change.series, "series", "series");
    let line = visible::text(line.trim_end());
    if change.series == 0 { line } else { format!("{line}, on {touched}") }
}
