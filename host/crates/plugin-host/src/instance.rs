//! One running copy of a plugin: a store, the guest in it, and its budget.

use wasmtime::Store;

use crate::bindings::{Plugin as Guest, PluginPre};
use crate::granted::Evaluation;
use crate::limits::{MemoryLimiter, host_call_data};
use crate::{Engine, Fault, Limits};

/// What the host keeps for one instance.
pub(crate) struct State {
    pub(crate) plugin: String,
    memory: MemoryLimiter,
    pub(crate) log_lines: u32,
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
        fuel: u64,
    ) -> Result<Self, Fault> {
        let state = State {
            plugin: plugin.to_owned(),
            memory: MemoryLimiter::new(limits.memory),
            log_lines: 0,
            evaluation: None,
        };
        let mut store = Store::new(&engine.wasmtime, state);
        store.limiter(|state| &mut state.memory);
        let started = store.set_fuel(fuel).and_then(|()| pre.instantiate(&mut store));
        match started {
            Ok(guest) => Ok(Self { store, guest }),
            Err(error) => Err(Fault::of_call(&error, store.data().memory.refused)),
        }
    }

    /// Calls the guest about so many series, with a new budget. Answers what it answered, and the fuel that it used.
    pub(crate) fn call<T>(
        &mut self,
        fuel: u64,
        series: usize,
        call: impl FnOnce(&Guest, &mut Store<State>) -> wasmtime::Result<T>,
    ) -> Result<(T, u64), Fault> {
        self.store.data_mut().log_lines = 0;
        self.store.set_hostcall_fuel(host_call_data(series));
        let result = self.store.set_fuel(fuel).and_then(|()| call(&self.guest, &mut self.store));
        match result {
            Ok(answer) => Ok((answer, fuel - self.store.get_fuel().unwrap_or(0).min(fuel))),
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
