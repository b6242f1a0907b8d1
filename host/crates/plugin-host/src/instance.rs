//! One running copy of a plugin: a store, the guest in it, and its budget.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use wasmtime::Store;

use crate::bindings::{Plugin as Guest, PluginPre};
use crate::granted::Evaluation;
use crate::limits::{MemoryLimiter, START_DEADLINE, START_FUEL, calls_of_instance};
use crate::ticker::Ticker;
use crate::{Engine, Fault, Limits};

/// What the host keeps for one instance.
pub(crate) struct State {
    pub(crate) plugin: String,
    memory: MemoryLimiter,
    pub(crate) log_lines_left: u32,
    /// Lines that were dropped in this call, and how many may be.
    pub(crate) log_lines_dropped: u64,
    pub(crate) max_log_lines_dropped: u64,
    /// While a push is evaluated by a plugin that may do more than log.
    pub(crate) evaluation: Option<Evaluation>,
}

/// Text of a guest, fit for a line: control characters become blanks, and it is cut at `limit` bytes.
pub(crate) fn one_line(mut text: String, limit: usize) -> String {
    if text.len() > limit {
        let end = (0..=limit).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
        text.truncate(end);
    }
    if text.contains(char::is_control) { text.replace(char::is_control, " ") } else { text }
}

/// What a guest may use until it answers.
#[derive(Clone, Copy)]
pub(crate) struct Budget {
    fuel: u64,
    deadline: Duration,
    log_lines: u32,
    dropped_lines: u64,
    data: usize,
}

impl Budget {
    /// For a push of so many series.
    pub(crate) fn of_push(limits: &Limits, series: usize) -> Self {
        Self {
            fuel: limits.fuel(series),
            deadline: limits.deadline,
            log_lines: limits.log_lines,
            dropped_lines: Limits::dropped_lines(series),
            data: limits.data(series),
        }
    }

    /// For getting ready while a push waits.
    pub(crate) fn of_start(limits: &Limits) -> Self {
        Self { fuel: START_FUEL, ..Self::of_push(limits, 0) }
    }

    /// For getting ready for the first time, when nobody waits but whoever starts the gateway, on a machine that may
    /// be busy with just that.
    pub(crate) fn of_load(limits: &Limits) -> Self {
        Self { deadline: START_DEADLINE.max(limits.deadline), ..Self::of_start(limits) }
    }
}

/// An instance that can be called. After a fault it must be dropped.
pub(crate) struct Instance {
    store: Store<State>,
    guest: Guest,
    calls_left: u32,
    /// The fuel that the last call used.
    fuel: u64,
}

/// Instances that were started in this process.
static STARTED: AtomicU32 = AtomicU32::new(0);

impl Instance {
    pub(crate) fn new(
        engine: &Engine,
        pre: &PluginPre<State>,
        plugin: &str,
        limits: &Limits,
        budget: Budget,
    ) -> Result<Self, Fault> {
        let state = State {
            plugin: plugin.to_owned(),
            memory: MemoryLimiter::new(limits.memory),
            log_lines_left: 0,
            log_lines_dropped: 0,
            max_log_lines_dropped: 0,
            evaluation: None,
        };
        let mut store = Store::new(&engine.wasmtime, state);
        store.limiter(|state| &mut state.memory);
        let started = grant(&mut store, budget).and_then(|()| pre.instantiate(&mut store));
        match started {
            Ok(guest) => {
                let number = STARTED.fetch_add(1, Ordering::Relaxed);
                Ok(Self { store, guest, calls_left: calls_of_instance(number), fuel: 0 })
            }
            Err(error) => Err(Fault::of_call(&error, store.data().memory.refused)),
        }
    }

    /// Calls the guest with a new budget. Answers what it answered.
    pub(crate) fn call<T>(
        &mut self,
        budget: Budget,
        call: impl FnOnce(&Guest, &mut Store<State>) -> wasmtime::Result<T>,
    ) -> Result<T, Fault> {
        self.calls_left = self.calls_left.saturating_sub(1);
        let result = grant(&mut self.store, budget).and_then(|()| call(&self.guest, &mut self.store));
        self.fuel = budget.fuel.saturating_sub(self.store.get_fuel().unwrap_or(0));
        result.map_err(|error| Fault::of_call(&error, self.store.data().memory.refused))
    }

    /// The fuel that the last call used, also one that ended in a fault.
    pub(crate) fn fuel(&self) -> u64 {
        self.fuel
    }

    /// Whether it has served as many calls as it may.
    pub(crate) fn is_spent(&self) -> bool {
        self.calls_left == 0
    }

    /// Says which push is evaluated from now on, if any.
    pub(crate) fn set_evaluation(&mut self, evaluation: Option<Evaluation>) {
        self.store.data_mut().evaluation = evaluation;
    }

    /// Bytes of memory in use. A guest never gives memory back, so this only grows.
    pub(crate) fn memory(&self) -> usize {
        self.store.data().memory.size
    }
}

fn grant(store: &mut Store<State>, budget: Budget) -> wasmtime::Result<()> {
    let state = store.data_mut();
    state.log_lines_left = budget.log_lines;
    state.log_lines_dropped = 0;
    state.max_log_lines_dropped = budget.dropped_lines;
    store.set_hostcall_fuel(budget.data);
    store.set_epoch_deadline(Ticker::ticks(budget.deadline));
    store.set_fuel(budget.fuel)
}
