//! The interfaces of the host that a plugin may import, and who may.
//!
//! What a component imports is what it can do. So the imports are read before anything runs: each must have been
//! granted, and what was not is refused by its name.

mod cardinality;
mod clock;
mod log;
pub(crate) mod metrics;
pub(crate) mod state;
pub(crate) mod stored;

use std::fmt;
use std::str::FromStr;

use wasmtime::component::{Linker, LinkerInstance};
use wasmtime::{StoreContextMut, Trap};

use crate::granted::Evaluation;
use crate::instance::State;
use crate::{Engine, Granted, LoadError};

/// An interface of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Capability {
    /// Lines for the log. Every plugin has it: it gives nothing away.
    Log,
    /// The time, which stands still during a push.
    Clock,
    /// Counters of its own among the gateway's metrics.
    Metrics,
    /// A small memory that outlives a push.
    State,
    /// The group that is stored under the push's key.
    Stored,
    /// How many values labels have in the push's job.
    Cardinality,
}

/// What interfaces are called before their own name, and after it.
const PACKAGE: &str = "pushgate:plugin/";
const VERSION: &str = "0.1.0";

impl Capability {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Log, Self::Clock, Self::Metrics, Self::State, Self::Stored, Self::Cardinality];

    /// Its name: that of the interface, and what an operator writes to grant it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Clock => "clock",
            Self::Metrics => "metrics",
            Self::State => "state",
            Self::Stored => "stored",
            Self::Cardinality => "cardinality",
        }
    }

    /// Whether an operator has to grant it.
    pub fn needs_grant(self) -> bool {
        self != Self::Log
    }

    /// The one that an import, without its version, asks for.
    pub(crate) fn of_import(interface: &str) -> Option<Self> {
        interface.strip_prefix(PACKAGE)?.parse().ok()
    }

    fn link(self, instance: &mut LinkerInstance<'_, State>) -> wasmtime::Result<()> {
        match self {
            Self::Log => log::link(instance),
            Self::Clock => clock::link(instance),
            Self::Metrics => metrics::link(instance),
            Self::State => state::link(instance),
            Self::Stored => stored::link(instance),
            Self::Cardinality => cardinality::link(instance),
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// There is no capability of that name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{name}' is not a capability; allowed: {}", names(&Capability::ALL))]
pub struct UnknownCapability {
    name: String,
}

impl FromStr for Capability {
    type Err = UnknownCapability;

    fn from_str(name: &str) -> Result<Self, UnknownCapability> {
        let known = Self::ALL.into_iter().find(|capability| capability.as_str() == name);
        known.ok_or_else(|| UnknownCapability { name: name.to_owned() })
    }
}

/// Their names, for people.
pub(crate) fn names(capabilities: &[Capability]) -> String {
    capabilities.iter().map(|capability| capability.as_str()).collect::<Vec<_>>().join(", ")
}

/// The line of a configuration that grants these.
pub(crate) fn line(capabilities: &[Capability]) -> String {
    let names: Vec<_> = capabilities.iter().map(|capability| format!("\"{capability}\"")).collect();
    format!("grants = [{}]", names.join(", "))
}

/// Holds what a plugin imports against what it was granted.
pub(crate) fn check(imported: &[Capability], granted: &Granted) -> Result<(), LoadError> {
    let is_missing =
        |capability: &Capability| capability.needs_grant() && !granted.capabilities.contains(capability);
    let missing: Vec<_> = imported.iter().copied().filter(is_missing).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let line = line(&[&*granted.capabilities, &missing].concat());
    Err(LoadError::NotGranted { missing, line })
}

/// Links all of them, once for a plugin: what it may not have, it was not let in with.
pub(crate) fn linker(engine: &Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(&engine.wasmtime);
    for capability in Capability::ALL {
        capability.link(&mut linker.instance(&format!("{PACKAGE}{capability}@{VERSION}"))?)?;
    }
    Ok(linker)
}

/// A guest used an interface in a way that the contract does not allow.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Breach(String);

/// A guest does not stop to write lines for the log, of which so many were dropped.
#[derive(Debug, thiserror::Error)]
#[error("{0} lines for the log were dropped")]
pub(crate) struct Flood(pub(crate) u64);

/// What a call of the host costs, at the least: some 0.5 µs.
const CALL: u64 = 1_000;

/// Takes the fuel for moving so many bytes, or work alike. Without that, a guest could keep the host at work for far
/// longer than its own, cheap instructions last.
pub(crate) fn charge(store: &mut StoreContextMut<'_, State>, bytes: usize) -> wasmtime::Result<()> {
    let left = store.get_fuel()?.checked_sub(CALL + bytes as u64);
    store.set_fuel(left.unwrap_or(0))?;
    left.map(drop).ok_or_else(|| Trap::OutOfFuel.into())
}

/// Takes the fuel for a call that brought so many bytes, and answers what is known of the push. There is one only
/// while a push is evaluated: what is tried at the start or for a check must leave nothing behind.
fn enter<'a>(
    store: &'a mut StoreContextMut<'_, State>,
    capability: Capability,
    bytes: usize,
) -> wasmtime::Result<&'a Evaluation> {
    charge(store, bytes)?;
    let evaluation = store.data().evaluation.as_ref();
    evaluation.ok_or_else(|| Breach(format!("it uses '{capability}' while no push is evaluated")).into())
}
