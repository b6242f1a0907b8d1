//! The engine: one for the process, with the settings that make a call fast and bounded.

use std::sync::Arc;

use wasmtime::{Config, InstanceAllocationStrategy, OperatorCost, OptLevel, PoolingAllocationConfig};

use crate::CodeCache;
use crate::compiled::Compiled;
use crate::ticker::Ticker;

/// Compiles and runs plugins. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    pub(crate) wasmtime: wasmtime::Engine,
    pub(crate) code_cache: Option<CodeCache>,
    pub(crate) compiled: Compiled,
    /// What it has room for.
    instances: u32,
    memory: usize,
    pub(crate) _ticker: Arc<Ticker>,
}

/// This machine cannot run WebAssembly.
#[derive(Debug, thiserror::Error)]
#[error("cannot run WebAssembly on this machine: {0}")]
pub struct EngineError(String);

/// The stack of a guest. Plugins iterate, they do not recurse deeply; a small stack keeps a runaway
/// recursion from touching much memory.
const GUEST_STACK: usize = 256 << 10;

/// What a slot of the pool keeps in memory when an instance ends. Setting it to zero again costs less
/// than giving it back to the kernel and faulting it in anew.
const KEEP_RESIDENT: usize = 1 << 20;

/// Core instances of one component: the plugin, and what the toolchain puts around it, four for Rust, a dozen for a
/// language that brings an interpreter. It is only a count: room is taken by memories and tables.
const CORE_INSTANCES: u32 = 16;

/// Memories of one component: one for Rust, two were seen for an interpreter. Each takes 4 GiB of address space.
const MEMORIES: u32 = 2;

/// Tables of one component: one for Rust, four were seen for an interpreter. Each takes address space only.
const TABLES: u32 = 8;

impl Engine {
    /// An engine with room for `instances` instances at the same time, each with at most `memory` bytes.
    ///
    /// # Errors
    /// When this machine cannot run WebAssembly at all.
    pub fn new(instances: u32, memory: usize) -> Result<Self, EngineError> {
        let mut config = settings();
        let mut pool = PoolingAllocationConfig::new();
        pool.total_component_instances(instances)
            .total_core_instances(instances.saturating_mul(CORE_INSTANCES))
            .total_memories(instances.saturating_mul(MEMORIES))
            .total_tables(instances.saturating_mul(TABLES))
            .max_memory_size(memory)
            .max_unused_warm_slots(instances)
            .linear_memory_keep_resident(KEEP_RESIDENT)
            .table_keep_resident(64 << 10);
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
        let wasmtime = wasmtime::Engine::new(&config).or_else(|error| {
            // The pool reserves 4 GiB of address space an instance, which `ulimit -v` may forbid.
            tracing::warn!(%error, "no pool of instances, each is mapped on its own: starting one is slower");
            config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
            wasmtime::Engine::new(&config)
        });
        let wasmtime = wasmtime.map_err(|error| EngineError(format!("{error:#}")))?;
        let ticker = Ticker::start(&wasmtime).map_err(|error| EngineError(error.to_string()))?;
        Ok(Self {
            wasmtime,
            code_cache: None,
            compiled: Compiled::default(),
            instances,
            memory,
            _ticker: Arc::new(ticker),
        })
    }

    /// Whether it has room for so many instances of so many bytes.
    pub fn has_room(&self, instances: u32, memory: usize) -> bool {
        self.instances >= instances && self.memory >= memory
    }
}

fn settings() -> Config {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        // Fuel is the limit that does not depend on how busy the machine is.
        .consume_fuel(true)
        .operator_cost(operator_cost())
        // Time is the back-stop: the same fuel lasts fifty times longer where every load misses the caches.
        .epoch_interruption(true)
        // Calls are synchronous; a store need not be ready for others.
        .concurrency_support(false)
        .cranelift_opt_level(OptLevel::Speed)
        .memory_init_cow(true)
        .max_wasm_stack(GUEST_STACK)
        // Plugins give the same outcome on every machine, and need no proposals beyond what compilers emit.
        .wasm_relaxed_simd(false)
        .wasm_memory64(false)
        // A trap's cause is enough for the log; symbols of the guest are often stripped anyway.
        .wasm_backtrace_max_frames(None);
    config
}

/// What is charged for an instruction. Most cost 1, and those that move much memory 1 a byte; growing is done by the
/// host, and costs some 0.1 µs even when it is refused.
fn operator_cost() -> OperatorCost {
    let mut cost = OperatorCost::new();
    cost.MemoryGrow = 200;
    cost.TableGrow = 200;
    cost
}
