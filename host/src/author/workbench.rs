//! A plugin file outside of a gateway, under the conditions that it would have in one.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use pushgate_plugin_host::{
    Breaker, BreakerSettings, Chain, Description, Engine, Limits, Link, LoadError, Plugin,
};

use super::conditions::Conditions;

/// More than a plugin file may have, so that one that is larger still is not read to its end before it is refused.
const MAX_READ: u64 = 64 << 20;

/// A plugin file and an engine to run it.
pub(super) struct Workbench<'a> {
    engine: Engine,
    conditions: &'a Conditions,
    limits: Limits,
    path: PathBuf,
    file: Vec<u8>,
}

impl<'a> Workbench<'a> {
    /// Reads a plugin file, and makes room for so many of its instances.
    pub(super) fn open(plugin: &Path, instances: usize, conditions: &'a Conditions) -> anyhow::Result<Self> {
        let cannot_read = || format!("cannot read the plugin '{}'", plugin.display());
        let mut file = Vec::new();
        File::open(plugin)
            .and_then(|opened| opened.take(MAX_READ).read_to_end(&mut file))
            .with_context(cannot_read)?;
        let limits = Limits { warm_instances: 1, ..conditions.limits };
        Ok(Self {
            engine: Engine::new(instances as u32, limits.memory)?,
            conditions,
            limits,
            path: plugin.to_owned(),
            file,
        })
    }

    /// The bytes of the file.
    pub(super) fn size(&self) -> usize {
        self.file.len()
    }

    /// What the plugin is.
    pub(super) fn describe(&self) -> anyhow::Result<Description> {
        Plugin::describe(&self.engine, &self.file, &self.limits)
            .with_context(|| format!("'{}' cannot be used", self.path.display()))
    }

    /// The plugin with a configuration, JSON.
    pub(super) fn configure(&self, name: &str, config: &str) -> Result<Plugin, LoadError> {
        Plugin::load(&self.engine, name, &self.file, config, self.limits, &self.conditions.granted())
    }
}

/// A chain of one plugin, which is asked however often it has failed.
pub(super) fn alone(plugin: Plugin) -> Chain {
    let never = BreakerSettings { faults: 0, ..BreakerSettings::default() };
    let breaker = Arc::new(Breaker::new(plugin.name(), never));
    Chain::new(vec![Link { breaker, ..Link::of(plugin) }])
}
