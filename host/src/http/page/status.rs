//! How the gateway runs: version, start, what is stored, plugins, flags.

use std::time::SystemTime;

use askama::Template;

use super::asset::VERSION;
use super::moment::{self, Moment};
use super::{About, number};
use crate::config::{Fail, Mode, Policy};
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
    plugins: Vec<PluginView<'a>>,
}

/// A plugin of the chain.
struct PluginView<'a> {
    name: &'a str,
    source: String,
    mode: &'static str,
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
            plugins: about.policies.iter().map(PluginView::from).collect(),
        }
    }

    /// The page as HTML.
    pub(super) fn html(&self) -> String {
        self.render().expect("a String takes everything")
    }
}

impl<'a> From<&'a Policy> for PluginView<'a> {
    fn from(policy: &'a Policy) -> Self {
        Self {
            name: &policy.name,
            source: policy.source.display().to_string(),
            mode: match policy.mode {
                Mode::Enforce => "enforce",
                Mode::Monitor => "monitor",
                Mode::Off => "off",
            },
            fail: match policy.fail {
                Fail::Closed => "closed: the push is refused",
                Fail::Open => "open: the push goes on without it",
            },
        }
    }
}
