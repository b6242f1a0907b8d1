//! `pushgate lock`: writes down which files the plugins are.

use std::fmt::Write as _;
use std::fs;

use anyhow::Context as _;
use pushgate_plugin_source::{LockFile, Locked, Wanted};

use super::side_by_side;
use super::source::{fetcher, key, read_lock};
use crate::config::{Config, Problems};

/// Fetches and verifies the plugins of an examined configuration, whatever its lock file says, and writes down there
/// which they are. Returns what to tell about it. Blocks.
///
/// # Errors
/// [`Problems`], when the configuration is wrong or a plugin cannot be had; the lock file stays as it is then.
pub fn lock((config, mut problems): (Config, Problems)) -> anyhow::Result<String> {
    let plugins = &config.plugins;
    let mut file = LockFile::default();
    if let Some(fetcher) = fetcher(plugins, None, &mut problems) {
        let fetched = side_by_side(&config.chain, |policy| {
            let key = key(policy)?;
            let wanted = Wanted { source: &policy.source, digest: policy.digest, signed_by: key.as_ref() };
            let fetched = fetcher.fetch(wanted).map_err(|error| policy.source_problem(error.to_string()))?;
            let source = policy.written_source(&plugins.directory);
            Ok(Locked { source, digest: fetched.digest, signer: key.map(|key| key.fingerprint()) })
        });
        for (policy, fetched) in config.chain.iter().zip(fetched) {
            match fetched {
                Ok(locked) => file.insert(&policy.name, locked),
                Err(problem) => problems.push(problem),
            }
        }
    }
    problems.or(())?;

    // What cannot be read is replaced like any other.
    let before = read_lock(&plugins.lock_file).unwrap_or_default();
    let path = plugins.lock_file.display();
    let unfinished = plugins.lock_file.with_extension(format!("in_progress.{}", std::process::id()));
    fs::write(&unfinished, file.to_string())
        .and_then(|()| fs::rename(&unfinished, &plugins.lock_file))
        .with_context(|| format!("cannot write '{path}'"))?;

    let mut told = String::new();
    for (name, locked) in file.plugins() {
        let _ = match before.plugin(name) {
            Some(old) if old == locked => Ok(()),
            Some(old) => {
                writeln!(told, "{name}: {} from {}, was {}", locked.digest, locked.source, old.digest)
            }
            None => writeln!(told, "{name}: {} from {}, is new", locked.digest, locked.source),
        };
    }
    let _ = writeln!(told, "{path}: {} plugins", config.chain.len());
    Ok(told)
}
