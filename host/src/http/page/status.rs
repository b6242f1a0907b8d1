//! How the gateway runs: version, start, what is stored, plugins, flags.

use std::time::SystemTime;

use askama::Template;

use super::asset::VERSION;
use super::moment::{self, Moment};
use super::{About, number};
use crate::config::{Fail, Policy};
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
    plugins: Vec<PluginView<'a>>,
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

/// A plugin of the chain.
struct PluginView<'a> {
    name: &'a str,
    source: String,
    mode: String,
    fail: &'static str,
}

impl<'a> StatusPage<'a> {
    /// The state of now.
    pub(super) fn of(store: &Store, about: &'a About, now: SystemTime) -> Self {
        let size = store.size();
        Self {
            asset_version: VERSION,
            about,
            started: Moment::new(about.started, now),
            uptime: moment::duration(now.duration_since(about.started).unwrap_or_default()),
            groups: number::count(size.groups),
            series: number::count(size.series),
            reload: about.reloads.last().map(|reload| ReloadView::new(&reload, now)),
            plugins: about.policies.iter().map(PluginView::from).collect(),
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

impl<'a> From<&'a Policy> for PluginView<'a> {
    fn from(policy: &'a Policy) -> Self {
        Self {
            name: &policy.name,
            source: policy.source.to_string(),
            mode: match &policy.shadow_of {
                Some(other) => format!("shadow of {other}"),
                None => policy.mode.as_str().to_owned(),
            },
            fail: match policy.fail {
                _ if policy.shadow_of.is_some() => "no push depends on it",
                Fail::Closed => "closed: the push is refused",
                Fail::Open => "open: the push goes on without it",
            },
        }
    }
}
