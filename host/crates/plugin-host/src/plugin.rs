//! A configured plugin: compiled once, its instances kept warm.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use pushgate_exposition::Push;
use wasmtime::component::Component;

use crate::bindings::PluginPre;
use crate::bindings::exports::pushgate::plugin::policy;
use crate::capability::{linker, names};
use crate::granted::{Counted, Evaluation, Given};
use crate::instance::{Budget, Instance, State, one_line};
use crate::limits::MESSAGE_LENGTH;
use crate::outcome::Outcome;
use crate::usage::Usage;
use crate::{
    Capability, CodeSource, Digest, Engine, Fault, Granted, Instances, Limits, Manifest, Replaced, Request,
    capability, component, convert, wasi,
};

/// A policy: a plugin and its configuration. Cheap to clone; clones share their instances.
#[derive(Clone)]
pub struct Plugin {
    shared: Arc<Shared>,
    given: Arc<Given>,
}

struct Shared {
    name: String,
    digest: Digest,
    code: (CodeSource, Duration),
    engine: Engine,
    pre: PluginPre<State>,
    manifest: Manifest,
    capabilities: Vec<Capability>,
    config: String,
    limits: Limits,
    warnings: Vec<ConfigProblem>,
    usage: Usage,
    /// Others that are made of the same file find it as long as this holds it.
    _component: Arc<Component>,
    /// The instance used last is used next: its memory is still in the processor's caches. `None` when the plugin is
    /// of a chain that gets no new pushes.
    idle: Mutex<Option<Vec<Instance>>>,
}

/// Something that a plugin says about its configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigProblem {
    /// JSON pointer (RFC 6901) to the culprit; empty for the configuration as a whole.
    pub pointer: String,
    /// What is wrong, and what is allowed.
    pub message: String,
}

/// Why a plugin cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file is too large.
    #[error("the file has {bytes} bytes, more than the {limit} that are allowed")]
    TooLarge {
        /// The file's size.
        bytes: usize,
        /// The bound.
        limit: usize,
    },
    /// The file is something else.
    #[error("the file is no WebAssembly; build the plugin with --target wasm32-unknown-unknown")]
    NotWebAssembly,
    /// A core module that was not made with the SDK or wit-bindgen.
    #[error("the module cannot be made a component: {0}")]
    NoComponent(String),
    /// The code is not valid.
    #[error("it cannot be compiled: {0}")]
    Compile(String),
    /// It asks for something that this host does not have.
    #[error("it imports {0:?}, which this host does not have")]
    UnknownImport(String),
    /// It can do more than it may.
    #[error("it imports {}, which it was not granted; if it may have that, write {line}", names(missing))]
    NotGranted {
        /// What was not granted.
        missing: Vec<Capability>,
        /// The line of the configuration that grants it, with what was granted before.
        line: String,
    },
    /// It does not export what a plugin must.
    #[error("it is not a plugin for this version of pushgate (pushgate:plugin@0.1.0): {0}")]
    WrongWorld(String),
    /// It failed while it described itself.
    #[error("it failed in {call}: {fault}")]
    Failed {
        /// The function that was called.
        call: &'static str,
        /// How it failed.
        fault: Fault,
    },
    /// Its manifest cannot be used.
    #[error("its manifest is not usable: {0}")]
    Manifest(String),
    /// It does not take its configuration.
    #[error("it refuses its configuration: {}", list(.0))]
    Config(Vec<ConfigProblem>),
}

fn list(problems: &[ConfigProblem]) -> String {
    let problem = |problem: &ConfigProblem| match problem.pointer.as_str() {
        "" => problem.message.clone(),
        pointer => format!("{pointer}: {}", problem.message),
    };
    problems.iter().map(problem).collect::<Vec<_>>().join("; ")
}

impl Plugin {
    /// Makes a policy called `name` from a plugin file and the JSON text of its configuration: compiles it,
    /// asks it to describe itself, and tries the configuration on a first instance. What it imports must have
    /// been granted.
    ///
    /// Blocks for as long as compiling takes.
    ///
    /// # Errors
    /// When the file is no plugin, can do more than it may, fails, or refuses its configuration.
    pub fn load(
        engine: &Engine,
        name: &str,
        file: &[u8],
        config: &str,
        limits: Limits,
        granted: &Granted,
    ) -> Result<Self, LoadError> {
        let (started, description) = start(engine, name, file, &limits, granted)?;
        let Started { component, pre, mut probe, code } = started;
        let Description { digest, capabilities, manifest, .. } = description;
        let failed = |fault| LoadError::Failed { call: "configure", fault };
        let budget = Budget::of_load(&limits);
        let warnings = configure(&mut probe, budget, config).map_err(failed)?.map_err(LoadError::Config)?;

        let given = Given { granted: granted.clone(), counters: manifest.counters.clone() };
        let shared = Shared {
            name: name.to_owned(),
            digest,
            code,
            engine: engine.clone(),
            pre,
            manifest,
            capabilities,
            config: config.to_owned(),
            limits,
            warnings,
            usage: Usage::default(),
            idle: Mutex::new(Some(Vec::new())),
            _component: component,
        };
        // The instance that the configuration was tried on serves the first push.
        let plugin = Self { shared: Arc::new(shared), given: Arc::new(given) };
        plugin.give_back(probe);
        Ok(plugin)
    }

    /// Asks a plugin file what it is, which takes no configuration.
    ///
    /// # Errors
    /// When the file is no plugin, or the plugin fails.
    pub fn describe(engine: &Engine, file: &[u8], limits: &Limits) -> Result<Description, LoadError> {
        start(engine, "plugin", file, limits, &Granted::everything()).map(|(.., description)| description)
    }

    /// The policy's name in the configuration.
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// The digest of the plugin file.
    pub fn digest(&self) -> Digest {
        self.shared.digest
    }

    /// Where its machine code came from, and how long that took.
    pub fn code(&self) -> (CodeSource, Duration) {
        self.shared.code
    }

    /// Its instances at the moment.
    pub fn instances(&self) -> Instances {
        let idle = self.shared.idle.lock().as_ref().map_or(0, Vec::len);
        Instances { idle, busy: self.shared.usage.busy() }
    }

    /// The most memory that one of its instances has had, in bytes.
    pub fn memory_peak(&self) -> usize {
        self.shared.usage.memory_peak()
    }

    /// What it can do: the interfaces of the host that it imports, in order.
    pub fn capabilities(&self) -> &[Capability] {
        &self.shared.capabilities
    }

    /// Its configuration, as JSON.
    pub fn config(&self) -> &str {
        &self.shared.config
    }

    /// What the plugin says of itself.
    pub fn manifest(&self) -> &Manifest {
        &self.shared.manifest
    }

    /// The same plugin with instances of its own, a copy of its state, which is thrown away with it, and without counters:
    /// for asking what it would do, without its doing it.
    pub fn rehearsal(&self) -> Self {
        let Given { granted, counters } = &*self.given;
        let belongings = Arc::new(granted.belongings.rehearsal());
        let granted = Granted { belongings, ..granted.clone() };
        let given = Given { granted, counters: counters.clone() };
        let shared = &*self.shared;
        let shared = Shared {
            name: shared.name.clone(),
            digest: shared.digest,
            code: shared.code,
            engine: shared.engine.clone(),
            pre: shared.pre.clone(),
            manifest: shared.manifest.clone(),
            capabilities: shared.capabilities.clone(),
            config: shared.config.clone(),
            limits: shared.limits,
            warnings: shared.warnings.clone(),
            usage: Usage::default(),
            idle: Mutex::new(Some(Vec::new())),
            _component: shared._component.clone(),
        };
        Self { shared: Arc::new(shared), given: Arc::new(given) }
    }

    /// What it has counted.
    pub fn counted(&self) -> Counted {
        Counted { policy: self.name().to_owned(), given: self.given.clone() }
    }

    /// What the plugin does not like about its configuration, but takes.
    pub fn warnings(&self) -> &[ConfigProblem] {
        &self.shared.warnings
    }

    /// The fuel that a push of that many series may use.
    pub fn fuel(&self, series: usize) -> u64 {
        self.shared.limits.fuel(series)
    }

    /// Asks for an outcome, on a warm instance if there is one. A pure plugin is not told what only names this push.
    pub(crate) fn evaluate(&self, push: &Push, request: Request<'_>) -> Call {
        let began = Instant::now();
        let mut fuel = 0;
        let result = self.evaluate_with_fuel(push, request, &mut fuel);
        Call { result, fuel, began, duration: began.elapsed() }
    }

    fn evaluate_with_fuel(
        &self,
        push: &Push,
        request: Request<'_>,
        fuel: &mut u64,
    ) -> Result<Outcome, Fault> {
        let shared = &*self.shared;
        let _busy = shared.usage.call();
        let mut instance = self.instance()?;
        let (mut grouping, mut attributes) = (Vec::new(), Vec::new());
        let wants = shared.manifest.wants;
        let request =
            if shared.manifest.pure { Request { id: "", received_ms: 0, ..request } } else { request };
        let param = convert::push_param(push, request, wants, &mut grouping, &mut attributes);
        let series = push.series_count();
        instance.set_evaluation(self.evaluation(push, request));
        let called = instance.call(Budget::of_push(&shared.limits, series), |guest, store| {
            guest.pushgate_plugin_policy().call_evaluate(store, param)
        });
        shared.usage.note_memory(instance.memory());
        *fuel = instance.fuel();
        let answer = called?;
        instance.set_evaluation(None);
        let outcome = convert::outcome(answer, &shared.manifest, &shared.limits, series)?;
        self.give_back(instance);
        Ok(outcome)
    }

    /// What the interfaces answer about a push, if the plugin imports one that needs it.
    fn evaluation(&self, push: &Push, request: Request<'_>) -> Option<Evaluation> {
        let capabilities = self.capabilities();
        let needs_key = |capability| matches!(capability, &Capability::Stored | &Capability::Cardinality);
        capabilities.iter().copied().any(Capability::needs_grant).then(|| Evaluation {
            given: self.given.clone(),
            now_ms: request.received_ms,
            key: capabilities.iter().any(needs_key).then(|| push.grouping_key()),
            replaced: capabilities
                .contains(&Capability::Cardinality)
                .then(|| Replaced::by(push, request.method)),
        })
    }

    fn instance(&self) -> Result<Instance, Fault> {
        let shared = &*self.shared;
        let idle = shared.idle.lock().as_mut().and_then(Vec::pop);
        if let Some(instance) = idle {
            return Ok(instance);
        }
        let budget = Budget::of_start(&shared.limits);
        let mut instance = Instance::new(&shared.engine, &shared.pre, &shared.name, &shared.limits, budget)?;
        match configure(&mut instance, budget, &shared.config)? {
            Ok(_) => Ok(instance),
            Err(problems) => Err(Fault::Nonsense(format!(
                "it refuses a configuration that it took before: {}",
                list(&problems)
            ))),
        }
    }

    /// Keeps an instance for the next push, unless it has served its number of calls or has grown past half of its
    /// limit: memory that leaks ends with the instance long before it ends the service.
    fn give_back(&self, instance: Instance) {
        let shared = &*self.shared;
        if instance.is_spent() || instance.memory() > shared.limits.memory / 2 {
            return;
        }
        let mut idle = shared.idle.lock();
        if let Some(idle) = idle.as_mut()
            && idle.len() < shared.limits.warm_instances
        {
            idle.push(instance);
        }
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.shared.engine
    }

    /// Ends the instances that wait for a push, and from now on each with the push that it is in.
    pub(crate) fn retire(&self) {
        // Not in the lock: ending one takes its time.
        let idle = self.shared.idle.lock().take();
        drop(idle);
    }
}

/// What a plugin file is, whatever it may be configured with.
#[derive(Clone, Debug)]
pub struct Description {
    /// The digest of the file.
    pub digest: Digest,
    /// What it exports: the package and version of the contract.
    pub contract: String,
    /// What it can do: the interfaces of the host that it imports, in order.
    pub capabilities: Vec<Capability>,
    /// What it says of itself.
    pub manifest: Manifest,
}

impl Description {
    /// The line of a configuration that grants what the plugin needs; `None` if that is nothing.
    pub fn grants(&self) -> Option<String> {
        let mut needed = self.capabilities.clone();
        needed.retain(|capability| capability.needs_grant());
        (!needed.is_empty()).then(|| capability::line(&needed))
    }
}

/// A plugin file whose first instance has described itself.
struct Started {
    component: Arc<Component>,
    pre: PluginPre<State>,
    probe: Instance,
    code: (CodeSource, Duration),
}

/// Compiles a plugin file and has its first instance describe itself.
fn start(
    engine: &Engine,
    name: &str,
    file: &[u8],
    limits: &Limits,
    granted: &Granted,
) -> Result<(Started, Description), LoadError> {
    let digest = Digest::of(file);
    let began = Instant::now();
    let mut source = CodeSource::InUse;
    let component = engine.compiled.get_or(digest, || {
        let (component, found) = component::compile(engine, file, digest)?;
        source = found;
        Ok(component)
    })?;
    let code = (source, began.elapsed());
    let capabilities = component::capabilities(engine, &component)?;
    capability::check(&capabilities, granted)?;
    let wrong_world = |error: wasmtime::Error| LoadError::WrongWorld(format!("{error:#}"));
    let mut linker = linker(engine).map_err(wrong_world)?;
    wasi::link(&mut linker, &component).map_err(wrong_world)?;
    let pre = linker.instantiate_pre(&component).and_then(PluginPre::new).map_err(wrong_world)?;

    let failed = |call| move |fault| LoadError::Failed { call, fault };
    let budget = Budget::of_load(limits);
    let mut probe = Instance::new(engine, &pre, name, limits, budget).map_err(failed("start"))?;
    let describe =
        |guest: &crate::bindings::Plugin, store: &mut _| guest.pushgate_plugin_policy().call_describe(store);
    let manifest = probe.call(budget, describe).map_err(failed("describe"))?;
    let manifest = Manifest::read(manifest).map_err(LoadError::Manifest)?;
    if let Some(capability) = capabilities.iter().find(|capability| manifest.pure && capability.needs_grant())
    {
        let problem = format!("it says that the plugin is pure, but it imports '{capability}'");
        return Err(LoadError::Manifest(problem));
    }
    let contract = component::contract(engine, &component);
    let description = Description { digest, contract, capabilities, manifest };
    Ok((Started { component, pre, probe, code }, description))
}

/// One call of `evaluate`, and what it cost.
pub(crate) struct Call {
    pub(crate) result: Result<Outcome, Fault>,
    /// 0 if it was not called after all.
    pub(crate) fuel: u64,
    pub(crate) began: Instant,
    pub(crate) duration: Duration,
}

type Configured = Result<Vec<ConfigProblem>, Vec<ConfigProblem>>;

fn configure(instance: &mut Instance, budget: Budget, config: &str) -> Result<Configured, Fault> {
    let answer =
        instance.call(budget, |guest, store| guest.pushgate_plugin_policy().call_configure(store, config))?;
    let read = |problems: Vec<policy::ConfigProblem>| {
        let problem = |problem: policy::ConfigProblem| ConfigProblem {
            pointer: one_line(problem.pointer, MESSAGE_LENGTH),
            message: one_line(problem.message, MESSAGE_LENGTH),
        };
        problems.into_iter().take(100).map(problem).collect()
    };
    Ok(match answer {
        Ok(warnings) => Ok(read(warnings)),
        Err(problems) => Err(read(problems)),
    })
}
