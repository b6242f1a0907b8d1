//! How the configured policies stand at the moment, for people and programs that ask.

use pushgate_plugin_host::{Breaker, PastFault, Suspended};

use super::Policies;
use crate::policies::Member;
use crate::telemetry::PluginCounts;

/// One policy, and how it fares.
#[derive(Debug)]
pub struct Standing {
    /// Its name in the configuration.
    pub name: String,
    /// `enforce`, `monitor`, `off` or `shadow`.
    pub mode: &'static str,
    /// The policy that it is a candidate for the place of.
    pub shadow_of: Option<String>,
    /// Whether it is in the chain, or beside a policy that is.
    pub is_asked: bool,
    /// `closed` or `open`.
    pub fail: &'static str,
    /// What its plugin calls itself, and which version of it.
    pub plugin: String,
    /// That version.
    pub version: String,
    /// The digest of the plugin's file.
    pub digest: String,
    /// Where the file came from.
    pub source: String,
    /// The jobs that it is suspended for.
    pub suspended: Vec<Suspended>,
    /// Its last faults, the newest first.
    pub last_faults: Vec<PastFault>,
    /// What is counted of it, if it is asked about pushes and is no candidate.
    pub counts: Option<PluginCounts>,
}

impl Standing {
    pub(super) fn of(policies: &Policies, Member { policy, plugin, .. }: &Member) -> Self {
        let breaker = policies.chain.breaker(&policy.name);
        let manifest = plugin.manifest();
        Self {
            name: policy.name.clone(),
            mode: if policy.shadow_of.is_some() { "shadow" } else { policy.mode.as_str() },
            shadow_of: policy.shadow_of.clone(),
            is_asked: policies.chain.plugins().any(|plugin| plugin.name() == policy.name),
            fail: policy.fail.as_str(),
            plugin: manifest.name.clone(),
            version: manifest.version.clone(),
            digest: plugin.digest().to_string(),
            source: policy.source.to_string(),
            suspended: breaker.map(Breaker::suspended).unwrap_or_default(),
            last_faults: breaker.map(Breaker::last_faults).unwrap_or_default(),
            counts: policies.metrics.counts(&policy.name),
        }
    }

    /// `running`, `suspended` or `off`.
    pub fn state(&self) -> &'static str {
        match self.suspended.as_slice() {
            _ if !self.is_asked => "off",
            [] => "running",
            [..] => "suspended",
        }
    }
}
