//! The configured policies, loaded: files read, plugins compiled, configurations tried, and everything that is
//! wrong with any of them told at once.

mod lock;
mod roster;
mod source;
mod surroundings;

use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread::{self, available_parallelism};

use pushgate_cache::{CacheDirectory, Folder};
use pushgate_exposition::Push;
use pushgate_plugin_host::{
    Breaker, Chain, CodeCache, Covers, Engine, EngineError, Fail, Granted, Link, LoadError, Memo, Mode,
    OnReject, Plugin, Request, Shadow,
};
use tracing::warn;

pub use self::lock::lock;
pub use self::roster::{Loaded, Member, Roster};
use self::source::Sources;
pub use self::surroundings::{Surroundings, quota};
use crate::config::{self, Config, Policy, Problem, Problems, Scope};

/// Room in the pool of instances, whatever the configuration asks for: each takes 4 GiB of address space.
const MAX_INSTANCES: usize = 4_000;

/// Loads the chain for somebody who only tries it: nothing is stored, and what policies keep goes with it.
///
/// # Errors
/// As for [`load_after`].
pub fn load(config: &Config, problems: &mut Problems) -> Result<Arc<Chain>, EngineError> {
    Ok(load_after(&Chain::default(), &Surroundings::default(), config, problems)?.chain)
}

/// Loads the policies that are to follow those of a chain: what that has already is not compiled again. Blocks while plugins are
/// compiled, which they are side by side. What is wrong is added to `problems`, and a policy that cannot be used is left
/// out of the chain.
///
/// # Errors
/// When WebAssembly cannot be run on this machine at all.
pub fn load_after(
    before: &Chain,
    surroundings: &Surroundings,
    config: &Config,
    problems: &mut Problems,
) -> Result<Loaded, EngineError> {
    let policies = &config.chain;
    let granted = surroundings.granted(config);
    let (kept, code) = cache(config).unzip();
    let engine = engine(before, config)?.with_code_cache(code);
    let Some(sources) = Sources::open(&config.plugins, kept, problems) else {
        return Ok(Loaded::default());
    };
    let with_grants: Vec<_> = policies.iter().zip(&granted).collect();
    let loaded =
        side_by_side(&with_grants, |(policy, granted)| load_plugin(&engine, &sources, policy, granted));
    let mut members = Vec::new();
    for (policy, loaded) in policies.iter().zip(loaded) {
        match loaded {
            Ok(plugin) => {
                let policy = policy.clone();
                let of = policies.iter().find(|other| policy.shadow_of.as_ref() == Some(&other.name));
                let scope = of.unwrap_or(&policy).scope.clone();
                members.push(Member { policy, scope, plugin });
            }
            Err(refused) => refused.into_iter().for_each(|problem| problems.push(problem)),
        }
    }
    let mut links: Vec<Link> = Vec::new();
    let mut shadows = Vec::new();
    for Member { policy, plugin, .. } in members.iter().filter(|it| it.policy.mode != config::Mode::Off) {
        match &policy.shadow_of {
            Some(other) => shadows.push((other, plugin.clone())),
            None => links.push(link(config, policy, plugin.clone())),
        }
    }
    for (other, plugin) in shadows {
        // Beside a policy that is off nobody is asked.
        if let Some(link) = links.iter_mut().find(|link| link.plugin.name() == other) {
            link.shadows.push(Shadow { breaker: breaker(config, &plugin), plugin });
        }
    }
    let on_reject = match config.plugins.on_reject {
        config::OnReject::Stop => OnReject::Stop,
        config::OnReject::Collect => OnReject::Collect,
    };
    let chain = Arc::new(Chain::new(links).on_reject(on_reject));
    Ok(Loaded { chain, roster: members.into_iter().collect(), told: config.caller.attributes.clone() })
}

fn engine(before: &Chain, config: &Config) -> Result<Engine, EngineError> {
    // Every thread that works on pushes may be in every plugin at the same time; one more is for trying a
    // configuration. All of it twice, for a chain and the one that follows it.
    let threads = available_parallelism().map_or(1, usize::from) + config.push.max_concurrent + 1;
    let instances = config.chain.len().saturating_mul(2 * threads).clamp(1, MAX_INSTANCES) as u32;
    let memory = config.chain.iter().map(|policy| policy.limits.memory).max().unwrap_or(0);
    match before.engine() {
        Some(engine) if engine.has_room(instances, memory) => Ok(engine.clone()),
        _ => Engine::new(instances, memory),
    }
}

/// Does something about each of them on a thread of its own: most of it is waiting, or compiling.
fn side_by_side<T: Sync, R: Send>(all: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = all.iter().map(|one| scope.spawn(move || work(one))).collect();
        let join = |thread: thread::ScopedJoinHandle<'_, R>| {
            thread.join().unwrap_or_else(|panic| resume_unwind(panic))
        };
        threads.into_iter().map(join).collect()
    })
}

/// Where plugins that were fetched and code that was compiled are kept. Without a cache everything works, only slower.
fn cache(config: &Config) -> Option<(Folder, CodeCache)> {
    let max = config.plugins.max_cache.as_usize() as u64;
    let opened = CacheDirectory::open(config.plugins.cache_directory.as_deref()?)
        .and_then(|directory| Ok((directory.folder("sources", max)?, CodeCache::open(&directory, max)?)));
    opened.inspect_err(|error| warn!(%error, "nothing is kept of plugins")).ok()
}

fn load_plugin(
    engine: &Engine,
    sources: &Sources<'_>,
    policy: &Policy,
    granted: &Granted,
) -> Result<Plugin, Vec<Problem>> {
    let of_source = |message: String| vec![policy.source_problem(message)];
    let file = sources.get(policy).map_err(|problem| vec![problem])?.bytes;
    let loaded =
        Plugin::load(engine, &policy.name, &file, &policy.config.to_string(), policy.limits, granted);
    let plugin = loaded.map_err(|error| match error {
        LoadError::Config(refused) => refused
            .into_iter()
            .map(|problem| policy.config_problem(&problem.pointer, problem.message))
            .collect(),
        error @ LoadError::NotGranted { .. } => vec![policy.grants_problem(error.to_string())],
        error => of_source(format!("'{}' cannot be used: {error}", policy.source)),
    })?;
    for capability in granted.unused(plugin.capabilities()) {
        warn!(plugin = policy.name, %capability, "plugin is granted what it does not use");
    }
    for warning in plugin.warnings() {
        warn!(
            plugin = policy.name,
            pointer = warning.pointer,
            warning = warning.message,
            "plugin takes its configuration with a warning"
        );
    }
    Ok(plugin)
}

fn breaker(config: &Config, plugin: &Plugin) -> Arc<Breaker> {
    Arc::new(Breaker::new(plugin.name(), config.plugins.breaker))
}

fn link(config: &Config, policy: &Policy, plugin: Plugin) -> Link {
    let scope = policy.scope.clone();
    let covers =
        move |push: &Push, request: Request<'_>| scope.covers(request, |label| push.grouping_label(label));
    Link {
        memo: Memo::of(&plugin, config.plugins.memo.as_usize()),
        breaker: breaker(config, &plugin),
        plugin,
        mode: if policy.mode == config::Mode::Monitor { Mode::Monitor } else { Mode::Enforce },
        fail: match policy.fail {
            config::Fail::Closed => Fail::Closed,
            config::Fail::Open => Fail::Open,
        },
        covers: (policy.scope != Scope::default()).then(|| Box::new(covers) as Covers),
        shadows: Vec::new(),
    }
}
