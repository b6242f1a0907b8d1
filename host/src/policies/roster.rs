//! Everything that is configured, whether it is asked about pushes or not.

use std::sync::Arc;

use pushgate_plugin_host::{Chain, Plugin};

use crate::config::{Attribute, Policy, Scope};

/// What loading a configuration gives.
#[derive(Default)]
pub struct Loaded {
    /// The policies that pushes are taken through.
    pub chain: Arc<Chain>,
    /// All of them.
    pub roster: Roster,
    /// What they are told of whoever pushes.
    pub told: Vec<Attribute>,
}

/// All policies of a configuration in its order: those of the chain, those that are off, and candidates.
#[derive(Clone, Default)]
pub struct Roster(Arc<[Member]>);

/// A policy, and the plugin it is made of.
pub struct Member {
    /// As it is configured.
    pub policy: Policy,
    /// The pushes it is for: a candidate has them from the policy whose place it wants.
    pub scope: Scope,
    /// The same that is in the chain, if it is there.
    pub plugin: Plugin,
}

impl Roster {
    /// The policies, in order.
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        self.0.iter()
    }

    /// The policy of that name.
    pub fn find(&self, name: &str) -> Option<&Member> {
        self.members().find(|member| member.policy.name == name)
    }
}

impl FromIterator<Member> for Roster {
    fn from_iter<I: IntoIterator<Item = Member>>(members: I) -> Self {
        Self(members.into_iter().collect())
    }
}
