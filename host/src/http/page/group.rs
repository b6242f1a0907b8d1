//! A group, as the page shows it.

use std::time::{SystemTime, UNIX_EPOCH};

use askama::Template;

use super::family::{Allowance, FamilyView};
use super::moment::Moment;
use super::{number, path, visible};
use crate::store::{GroupInfo, Store};

/// A group with the first of its series.
#[derive(Debug, Template)]
#[template(path = "group.html")]
pub(super) struct GroupView<'a> {
    /// `job` first, the others by name.
    labels: Vec<String>,
    /// What a DELETE goes to, unless it is too long for that.
    path: Option<String>,
    pushed: Option<Moment>,
    failed: Option<Moment>,
    last_push_failed: bool,
    expires: Option<Moment>,
    is_stale: bool,
    error: Option<String>,
    series: String,
    families: Vec<FamilyView>,
    /// Series that are stored and not shown.
    more: usize,
    metrics_path: &'a str,
}

impl<'a> GroupView<'a> {
    /// A group with its families, as far as that is allowed for one group.
    pub(super) fn of(info: &GroupInfo, store: &Store, metrics_path: &'a str, now: SystemTime) -> Self {
        let mut view = Self::without_families(info, metrics_path, now);
        let mut allowance = Allowance::GROUP;
        let stored = store.group(&info.key).map(|group| group.families).unwrap_or_default();
        let is_own = |name: &str, value: &str| match info.key.label(name) {
            Some(_) => false,
            // Added to every series of a group without an instance.
            None => name != "instance" || !value.is_empty(),
        };
        for family in &stored {
            if !allowance.is_used_up() {
                let family_view = FamilyView::of(family, &mut allowance, is_own, now);
                view.more -= family_view.series.len().min(view.more);
                view.families.push(family_view);
            }
        }
        view
    }

    /// A group of which nobody is shown what it has: the page would grow too large.
    pub(super) fn without_families(info: &GroupInfo, metrics_path: &'a str, now: SystemTime) -> Self {
        let seconds = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        let expires_at = info.lifetime.as_ref().and_then(|lifetime| lifetime.expires_at());
        let others = info.key.labels().filter(|(name, _)| *name != "job");
        let labels = std::iter::once(("job", info.key.job())).chain(others);
        Self {
            labels: labels.map(|(name, value)| visible::label(name, value)).collect(),
            path: path::of(&info.key),
            pushed: Moment::from_seconds(info.times.push, now),
            failed: Moment::from_seconds(info.times.failure, now),
            last_push_failed: !info.last_push_successful(),
            expires: expires_at.and_then(|at| Moment::from_seconds(at, now)),
            is_stale: info.lifetime.as_ref().is_some_and(|lifetime| lifetime.is_stale(seconds)),
            error: info.last_error.as_deref().map(visible::whole),
            series: number::many(info.series, "series", "series"),
            families: Vec::new(),
            more: info.series,
            metrics_path,
        }
    }

    /// The group as HTML.
    pub(super) fn html(&self) -> String {
        self.render().expect("a String takes everything")
    }
}
