//! The last pushes that policies spoke against.

use std::sync::Arc;
use std::time::SystemTime;

use askama::Template;

use super::asset::VERSION;
use super::moment::Moment;
use super::{About, number, visible};
use crate::rejections::Rejection;

/// Pushes on the page. The API tells of all.
const MAX_SHOWN: usize = 200;

/// The page.
#[derive(Template)]
#[template(path = "rejections.html")]
pub(super) struct RejectionsPage<'a> {
    asset_version: u64,
    about: &'a About,
    seen: String,
    rejections: Vec<RejectionView<'a>>,
    more: usize,
}

/// One of them, in a line.
struct RejectionView<'a> {
    id: &'a str,
    at: Moment,
    method: &'static str,
    group: String,
    outcome: &'static str,
    /// Who spoke against it last, and with which codes.
    plugin: &'a str,
    decision: &'static str,
    codes: String,
}

impl<'a> RejectionsPage<'a> {
    /// The newest of those that are kept, of as many as there were since the start.
    pub(super) fn of(about: &'a About, kept: &'a [Arc<Rejection>], seen: u64, now: SystemTime) -> Self {
        Self {
            asset_version: VERSION,
            about,
            seen: number::many(seen as usize, "push", "pushes"),
            rejections: kept.iter().take(MAX_SHOWN).map(|it| RejectionView::of(it, now)).collect(),
            more: kept.len().saturating_sub(MAX_SHOWN),
        }
    }

    /// The page as HTML.
    pub(super) fn html(&self) -> String {
        self.render().expect("a String takes everything")
    }
}

impl<'a> RejectionView<'a> {
    fn of(rejection: &'a Rejection, now: SystemTime) -> Self {
        let last = rejection.last();
        Self {
            id: &rejection.id,
            at: Moment::new(rejection.at, now),
            method: rejection.method,
            group: visible::text(&rejection.group),
            outcome: outcome(rejection),
            plugin: last.map_or("", |last| &last.plugin),
            decision: last.map_or("", |last| last.decision.as_str()),
            codes: visible::text(&last.map(|last| last.codes().join(", ")).unwrap_or_default()),
        }
    }
}

/// What became of the push.
pub(super) fn outcome(rejection: &Rejection) -> &'static str {
    if rejection.passed { "passed" } else { "refused" }
}
