//! One running copy of a plugin: a store, the guest in it, and its budget.

use std::time::Duration;

use wasmtime::Store;

use crate::bindings::{Plugin as Guest, PluginPre};
use crate::granted::Evaluation;
use crate::limits::{MemoryLimiter, START_DEADLINE, START_FUEL};
use crate::ticker::Ticker;
use crate::{Engine, Fault, Limits};

/// What the host keeps for one instance.
pub(crate) struct State {
    pub(crate) plugin: String,
    memory: MemoryLimiter,
    pub(crate) log_lines_left: u32,
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
    data: usize,
}

impl Budget {
    /// For a push of so many series.
    pub(crate) fn of_push(limits: &Limits, series: usize) -> Self {
        let (fuel, data) = (limits.fuel(series), limits.data(series));
        Self { fuel, deadline: limits.deadline, log_lines: limits.log_lines, data }
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
}

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
            evaluation: None,
        };
        let mut store = Store::new(&engine.wasmtime, state);
        store.limiter(|state| &mut state.memory);
        let started = grant(&mut store, budget).and_then(|()| pre.instantiate(&mut store));
        match started {
            Ok(guest) => Ok(Self { store, guest }),
            Err(error) => Err(Fault::of_call(&error, store.data().memory.refused)),
        }
    }

    /// Calls the guest with a new budget. Answers what it answered, and the fuel that it used.
    pub(crate) fn call<T>(
        &mut self,
        budget: Budget,
        call: impl FnOnce(&Guest, &mut Store<State>) -> wasmtime::Result<T>,
    ) -> Result<(T, u64), Fault> {
        let result = grant(&mut self.store, budget).and_then(|()| call(&self.guest, &mut self.store));
        match result {
            Ok(answer) => Ok((answer, budget.fuel - self.store.get_fuel().unwrap_or(0).min(budget.fuel))),
            Err(error) => Err(Fault::of_call(&error, self.store.data().memory.refused)),
        }
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
    store.data_mut().log_lines_left = budget.log_lines;
    store.set_hostcall_fuel(budget.data);
    store.set_epoch_deadline(Ticker::ticks(budget.deadline));
    store.set_fuel(budget.fuel)
}
