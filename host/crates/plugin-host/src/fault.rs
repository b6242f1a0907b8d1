//! How a plugin can fail.

use pushgate_exposition::edit::EditError;
use wasmtime::Trap;

use crate::capability::{Breach, Flood};

/// A plugin failed on its own account. Never the same as a rejection, which is an answer.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// It used up its fuel: a loop without end, or a limit too small for the push.
    #[error("out of fuel")]
    Fuel,
    /// It took longer than it may by the clock, in ways that cost little fuel.
    #[error("past its deadline")]
    Deadline,
    /// It wanted more memory than it may have.
    #[error("out of memory")]
    Memory,
    /// It recursed past its stack.
    #[error("stack overflow")]
    Stack,
    /// It trapped; a panic does.
    #[error("trap: {0}")]
    Trap(String),
    /// It went on to write lines for the log long after they were dropped.
    #[error("flooded the log, of which {0} lines were dropped")]
    Log(u64),
    /// It answered more than is taken.
    #[error("answered {0}")]
    Oversized(String),
    /// Its answer breaks the contract.
    #[error("answered nonsense: {0}")]
    Nonsense(String),
    /// Its edits do not fit the push.
    #[error("edits that cannot be applied: {0}")]
    Edit(#[from] EditError),
    /// All slots for instances are taken. The only fault that is not the plugin's.
    #[error("no instance is free")]
    Busy,
}

impl Fault {
    /// The words of [`kind`](Self::kind).
    pub const KINDS: [&str; 10] =
        ["fuel", "deadline", "memory", "stack", "trap", "log", "oversized", "nonsense", "edit", "busy"];

    /// A word for a metric's label.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Fuel => "fuel",
            Self::Deadline => "deadline",
            Self::Memory => "memory",
            Self::Stack => "stack",
            Self::Trap(_) => "trap",
            Self::Log(_) => "log",
            Self::Oversized(_) => "oversized",
            Self::Nonsense(_) => "nonsense",
            Self::Edit(_) => "edit",
            Self::Busy => "busy",
        }
    }

    /// What a failed call into wasmtime was. `refused` says whether the guest was refused memory: what it
    /// traps with after that is only how its allocator gives up.
    pub(crate) fn of_call(error: &wasmtime::Error, refused: bool) -> Self {
        if error.is::<wasmtime::PoolConcurrencyLimitError>() {
            return Self::Busy;
        }
        if let Some(breach) = error.downcast_ref::<Breach>() {
            return Self::Nonsense(breach.to_string());
        }
        if let Some(Flood(dropped)) = error.downcast_ref::<Flood>() {
            return Self::Log(*dropped);
        }
        match error.downcast_ref::<Trap>() {
            Some(Trap::OutOfFuel) => Self::Fuel,
            Some(Trap::Interrupt) => Self::Deadline,
            _ if refused => Self::Memory,
            Some(Trap::StackOverflow) => Self::Stack,
            Some(trap) => Self::Trap(trap.to_string()),
            None => match root_cause(error) {
                // wasmtime has no public type for it.
                cause if cause.starts_with("too much data is being copied") => Self::Oversized(
                    "more data than is taken at a time (data_base, data_per_series)".to_owned(),
                ),
                // What a component may import of WASI and is not served.
                cause if cause.starts_with("unknown import") => Self::Trap(cause),
                // What crosses the boundary is not what the canonical ABI says: pointers out of memory or not aligned,
                // numbers of cases that there are not, text that is not UTF-8.
                cause => Self::Nonsense(cause),
            },
        }
    }
}

/// The innermost message, cut to a line of the log.
pub(crate) fn root_cause(error: &wasmtime::Error) -> String {
    let mut text = error.root_cause().to_string();
    if let Some((end, _)) = text.char_indices().nth(200) {
        text.truncate(end);
    }
    text
}
