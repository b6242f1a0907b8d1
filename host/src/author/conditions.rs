//! What a plugin may use while it is tried.

use anyhow::Context as _;
use pushgate_plugin_host::{Capability, Granted, Limits, Quota};

use crate::config::{Config, Problems};
use crate::policies;

/// What a plugin may use: everything it asks for, within the limits of a gateway that sets none, or what a policy of a
/// configuration may.
#[derive(Debug)]
pub struct Conditions {
    pub(super) limits: Limits,
    capabilities: Vec<Capability>,
    quota: Quota,
    /// The policy, and its configuration as JSON.
    pub(super) policy: Option<(String, String)>,
}

impl Default for Conditions {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            capabilities: Capability::ALL.to_vec(),
            quota: Quota::default(),
            policy: None,
        }
    }
}

impl Conditions {
    /// Those of a policy.
    ///
    /// # Errors
    /// When anything is wrong with the configuration, or it does not have the policy.
    pub fn of_policy(name: &str, (config, problems): (Config, Problems)) -> anyhow::Result<Self> {
        problems.or(())?;
        let policy = config.chain.iter().find(|policy| policy.name == name).with_context(|| {
            let names: Vec<_> = config.chain.iter().map(|policy| policy.name.as_str()).collect();
            format!("the configuration has no plugin '{name}'; there are: {}", names.join(", "))
        })?;
        Ok(Self {
            limits: policy.limits,
            capabilities: policy.grants.clone(),
            quota: policies::quota(&config.plugins),
            policy: Some((name.to_owned(), policy.config.to_string())),
        })
    }

    /// What a policy is granted that keeps nothing of what others did.
    pub(super) fn granted(&self) -> Granted {
        Granted { quota: self.quota, ..Granted::of(self.capabilities.clone()) }
    }
}
