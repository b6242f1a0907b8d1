//! Loads, limits and runs pushgate's WebAssembly plugins.
//!
//! The life of a plugin, and what each phase may cost:
//!
//! 1. An [`Engine`] is made once: compiler settings and the pool of instance slots.
//! 2. [`Plugin::load`] compiles a component (tens of milliseconds), asks it to describe itself and tries its
//!    configuration on a first instance. Everything that can be wrong with a plugin or its
//!    configuration shows here.
//! 3. [`Chain::run`] takes a push through the policies: a few microseconds each, on a warm instance.
//!
//! A call ends in an outcome or in a [`Fault`]; the two are never mixed. A fault is the plugin's own failure:
//! a trap, a limit, nonsense as an answer. The instance it happened in is dropped and never used again.
//!
//! This crate is the only one that knows wasmtime. Calls are synchronous: fuel bounds them.

/// The version of the contract that plugins are called by, the package `pushgate:plugin` in `wit/`.
pub const API: &str = "0.1.0";

mod bindings;
mod breaker;
mod capability;
mod chain;
mod code_cache;
mod compiled;
mod component;
mod convert;
mod engine;
mod fault;
mod fingerprint;
mod granted;
mod instance;
mod limits;
mod link;
mod manifest;
mod memo;
mod outcome;
mod plugin;
mod routine;
mod shadow;
mod shape;
mod ticker;
mod usage;
mod verdict;
mod wasi;

pub use breaker::{Breaker, BreakerSettings, PastFault, Suspended};
pub use capability::stored::{Growth, Replaced, Stored};
pub use capability::{Capability, UnknownCapability};
pub use chain::Chain;
pub use code_cache::CodeCache;
pub use component::CodeSource;
pub use engine::{Engine, EngineError};
pub use fault::Fault;
pub use fingerprint::Fingerprint;
pub use granted::{Belongings, Counted, Granted, Quota};
pub use limits::Limits;
pub use link::{Covers, Fail, Link, Mode};
pub use manifest::{Code, Counter, Manifest, Wants};
pub use memo::Memo;
pub use outcome::{Decision, Finding, Method, Request};
pub use plugin::{ConfigProblem, Description, LoadError, Plugin};
pub use pushgate_cache::Digest;
pub use routine::Routine;
pub use shadow::{Comparison, Contrast, Shadow};
pub use usage::Instances;
pub use verdict::{Edited, End, OnReject, Origin, Report, Skip, Step, Verdict};
