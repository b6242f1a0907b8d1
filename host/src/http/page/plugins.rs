//! How the policies stand: state, suspensions, faults, decisions, and what they cost.

use std::time::SystemTime;

use askama::Template;

use super::asset::VERSION;
use super::moment::Moment;
use super::{About, number, status, visible};
use crate::ingest::Standing;
use crate::telemetry::PluginCounts;

/// Jobs that are listed of those that a policy is suspended for.
const MAX_JOBS: usize = 50;

/// The page.
#[derive(Template)]
#[template(path = "plugins.html")]
pub(super) struct PluginsPage<'a> {
    asset_version: u64,
    about: &'a About,
    plugins: Vec<PluginView>,
}

/// A policy.
struct PluginView {
    name: String,
    state: &'static str,
    mode: String,
    fail: &'static str,
    plugin: String,
    digest: String,
    source: String,
    /// Labels and what is counted, none for one that is not asked.
    counts: Vec<(&'static str, String)>,
    suspended: Vec<SuspensionView>,
    /// Suspensions that are not listed.
    more: usize,
    faults: Vec<FaultView>,
}

struct SuspensionView {
    job: String,
    since: Moment,
    until: Moment,
    faults: u32,
}

struct FaultView {
    at: Moment,
    job: String,
    kind: &'static str,
    message: String,
}

impl<'a> PluginsPage<'a> {
    /// The state of now.
    pub(super) fn of(about: &'a About, standings: impl Iterator<Item = Standing>, now: SystemTime) -> Self {
        let plugins = standings.map(|standing| PluginView::of(&standing, now)).collect();
        Self { asset_version: VERSION, about, plugins }
    }

    /// The page as HTML.
    pub(super) fn html(&self) -> String {
        self.render().expect("a String takes everything")
    }
}

impl PluginView {
    fn of(standing: &Standing, now: SystemTime) -> Self {
        let suspended = standing.suspended.iter().take(MAX_JOBS).map(|it| SuspensionView {
            job: visible::text(&it.job),
            since: Moment::new(it.since, now),
            until: Moment::new(it.until, now),
            faults: it.faults,
        });
        let faults = standing.last_faults.iter().map(|it| FaultView {
            at: Moment::new(it.at, now),
            job: visible::text(&it.job),
            kind: it.kind,
            message: visible::text(&it.message),
        });
        Self {
            name: standing.name.clone(),
            state: standing.state(),
            mode: status::mode(standing),
            fail: status::fail(standing),
            plugin: visible::text(&format!("{} {}", standing.plugin, standing.version)),
            digest: standing.digest.clone(),
            source: visible::text(&standing.source),
            counts: standing.counts.as_ref().map(counts).unwrap_or_default(),
            suspended: suspended.collect(),
            more: standing.suspended.len().saturating_sub(MAX_JOBS),
            faults: faults.collect(),
        }
    }
}

/// What is counted, in words.
fn counts(counts: &PluginCounts) -> Vec<(&'static str, String)> {
    let listed = |counts: &[(&'static str, u64)]| {
        let some = counts.iter().filter(|(_, count)| *count > 0);
        let some = some.map(|(name, count)| format!("{name} {}", number::count(*count as usize)));
        let some: Vec<_> = some.collect();
        if some.is_empty() { "none yet".to_owned() } else { some.join(", ") }
    };
    let quantiles = |of: Option<[f64; 2]>, shown: fn(f64) -> String| {
        let shown = of.map(|of| of.map(shown));
        shown.map(|[half, most]| format!("half of all up to {half}, 99 of 100 up to {most}"))
    };
    let mut rows = vec![("Decisions", listed(&counts.evaluations)), ("Not called", listed(&counts.skipped))];
    rows.extend(quantiles(counts.duration, number::seconds).map(|text| ("Time a push", text)));
    let fuel = |fuel: f64| number::count(fuel as usize);
    rows.extend(quantiles(counts.fuel, fuel).map(|text| ("Fuel a call", text)));
    rows
}
