//! How the gateway runs: version, start, what is stored, plugins, flags.

use std::time::SystemTime;

use askama::Template;

use super::asset::VERSION;
use super::moment::{self, Moment};
use super::{About, number};
use crate::ingest::Standing;
use crate::reload::Reload;
use crate::store::Store;

/// The page.
#[derive(Template)]
#[template(path = "status.html")]
pub(super) struct StatusPage<'a> {
    asset_version: u64,
    about: &'a About,
    started: Moment,
    uptime: String,
    groups: String,
    series: String,
    reload: Option<ReloadView>,
    plugins: Vec<PluginView>,
}

/// The last time that the configuration was read again.
struct ReloadView {
    at: Moment,
    trigger: &'static str,
    /// The keys that wait for a restart.
    waiting: String,
    /// Why nothing has changed, if it was wrong.
    reason: Option<String>,
}

/// A configured policy.
struct PluginView {
    name: String,
    mode: String,
    state: &'static str,
    fail: &'static str,
    source: String,
}

impl<'a> StatusPage<'a> {
    /// The state of now.
    pub(super) fn of(
        store: &Store,
        about: &'a About,
        standings: impl Iterator<Item = Standing>,
        now: SystemTime,
    ) -> Self {
        let size = store.size();
        Self {
            asset_version: VERSION,
            about,
            started: Moment::new(about.started, now),
            uptime: moment::duration(now.duration_since(about.started).unwrap_or_default()),
            groups: number::count(size.groups),
            series: number::count(size.series),
            reload: about.reloads.last().map(|reload| ReloadView::new(&reload, now)),
            plugins: standings.map(PluginView::from).collect(),
        }
    }

    /// The page as HTML.
    pub(super) fn html(&self) -> String {
        self.render().expect("a String takes everything")
    }
}

impl ReloadView {
    fn new(reload: &Reload, now: SystemTime) -> Self {
        Self {
            at: Moment::new(reload.at, now),
            trigger: reload.trigger.as_str(),
            waiting: reload.outcome.as_ref().map(|keys| keys.join(", ")).unwrap_or_default(),
            reason: reload.outcome.as_ref().err().cloned(),
        }
    }
}

impl From<Standing> for PluginView {
    fn from(standing: Standing) -> Self {
        Self {
            mode: mode(&standing),
            state: standing.state(),
            fail: fail(&standing),
            name: standing.name,
            source: standing.source,
        }
    }
}

/// The mode of a policy in words.
pub(super) fn mode(standing: &Standing) -> String {
    match &standing.shadow_of {
        Some(other) => format!("shadow of {other}"),
        None => standing.mode.to_owned(),
    }
}

/// What becomes of a push that the policy fails on.
pub(super) fn fail(standing: &Standing) -> &'static str {
    match standing.fail {
        _ if standing.mode != "enforce" => "no push depends on it",
        "open" => "open: the push goes on without it",
        _ => "closed: the push is refused",
    }
}
