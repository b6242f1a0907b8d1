//! A plugin file outside of a gateway, with the limits that it would have in one.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use pushgate_plugin_host::{Description, Engine, Granted, Limits, LoadError, Plugin};

/// More than a plugin file may have, so that one that is larger still is not read to its end before it is refused.
const MAX_READ: u64 = 64 << 20;

/// A plugin file and an engine to run it.
pub(super) struct Workbench {
    engine: Engine,
    limits: Limits,
    path: PathBuf,
    file: Vec<u8>,
}

impl Workbench {
    /// Reads a plugin file, and makes room for so many of its instances.
    pub(super) fn open(plugin: &Path, instances: usize) -> anyhow::Result<Self> {
        let cannot_read = || format!("cannot read the plugin '{}'", plugin.display());
        let mut file = Vec::new();
        File::open(plugin)
            .and_then(|opened| opened.take(MAX_READ).read_to_end(&mut file))
            .with_context(cannot_read)?;
        let limits = Limits { warm_instances: 1, ..Limits::default() };
        Ok(Self {
            engine: Engine::new(instances as u32, limits.memory)?,
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

    /// The plugin with a configuration, JSON. It may do whatever it asks for: nothing here is in production.
    pub(super) fn configure(&self, name: &str, config: &str) -> Result<Plugin, LoadError> {
        Plugin::load(&self.engine, name, &self.file, config, self.limits, &Granted::everything())
    }
}
