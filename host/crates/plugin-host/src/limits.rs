//! What a plugin may use, and the part of a store that keeps it to that.

use wasmtime::ResourceLimiter;

/// What one plugin may use and answer. Past a limit the call is a [`Fault`](crate::Fault).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Fuel for every push; an instruction costs about one. Some 2,000,000 are a millisecond.
    pub fuel_base: u64,
    /// Further fuel for each series of a push.
    pub fuel_per_series: u64,
    /// Bytes of linear memory.
    pub memory: usize,
    /// Findings in one answer.
    pub findings: usize,
    /// Instances kept warm for the next push.
    pub warm_instances: usize,
}

impl Limits {
    /// The fuel for a push of that many series.
    pub fn fuel(&self, series: usize) -> u64 {
        self.fuel_base.saturating_add(self.fuel_per_series.saturating_mul(series as u64))
    }
}

/// Fuel for starting, describing and configuring: half a second or so. A plugin may compile hundreds of
/// regular expressions there, once for an instance.
pub(crate) const START_FUEL: u64 = 1_000_000_000;

/// Bytes of data that the host copies out of a guest in one call: an answer, and lines for the log. Some edits of
/// each series fit, whatever the size of the push.
pub(crate) fn host_call_data(series: usize) -> usize {
    (4 << 20) + series.saturating_mul(256)
}

/// Bytes of a finding's message.
pub(crate) const MESSAGE_LENGTH: usize = 1024;

/// Bytes of a finding's code.
pub(crate) const CODE_LENGTH: usize = 128;

/// Lines that a plugin may log in one call, and bytes of each.
pub(crate) const LOG_LINES: u32 = 16;
pub(crate) const LOG_LINE_LENGTH: usize = 1024;

/// Elements in a table of a guest: far more functions than a plugin has.
const TABLE_ELEMENTS: usize = 20_000;

/// Refuses memory past the limit, and remembers that it did: a guest that is out of memory traps in a way
/// that looks like any other abort.
#[derive(Debug)]
pub(crate) struct MemoryLimiter {
    limit: usize,
    /// The largest size granted.
    pub(crate) size: usize,
    pub(crate) refused: bool,
}

impl MemoryLimiter {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, size: 0, refused: false }
    }
}

impl ResourceLimiter for MemoryLimiter {
    fn memory_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let granted = desired <= self.limit;
        if granted {
            self.size = self.size.max(desired);
        } else {
            self.refused = true;
        }
        Ok(granted)
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= TABLE_ELEMENTS)
    }
}
