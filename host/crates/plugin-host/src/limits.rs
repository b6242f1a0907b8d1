//! What a plugin may use, and the part of a store that keeps it to that.

use std::time::Duration;

use wasmtime::ResourceLimiter;

/// What one plugin may use and answer. Past a limit the call is a [`Fault`](crate::Fault). What grows with a push has
/// a base, and a part for each of its series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Fuel for every push; an instruction costs about one. Some 2,000,000 are a millisecond.
    pub fuel_base: u64,
    /// Further fuel for each series of a push.
    pub fuel_per_series: u64,
    /// How long any one call may take by the clock: the back-stop for what fuel does not see.
    pub deadline: Duration,
    /// Bytes of linear memory.
    pub memory: usize,
    /// Lines for the log in one call; what is over is dropped, and a fault when it does not end.
    pub log_lines: u32,
    /// Findings in one answer.
    pub findings: usize,
    /// Edits in one answer.
    pub edits_base: u64,
    /// Further edits for each series of a push.
    pub edits_per_series: u64,
    /// Symbols that an answer may add to those of the push.
    pub symbols_base: u64,
    /// Further symbols for each series of a push.
    pub symbols_per_series: u64,
    /// Bytes of one such symbol.
    pub symbol_length: usize,
    /// Bytes that the host copies out of the guest at a time: an answer, or the arguments of a call.
    pub data_base: u64,
    /// Further bytes for each series of a push.
    pub data_per_series: u64,
    /// Instances kept warm for the next push.
    pub warm_instances: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            fuel_base: 10_000_000,
            fuel_per_series: 50_000,
            deadline: Duration::from_secs(1),
            memory: 64 << 20,
            log_lines: 16,
            findings: 100,
            edits_base: 1_000,
            edits_per_series: 64,
            symbols_base: 1_000,
            symbols_per_series: 64,
            symbol_length: 4_096,
            data_base: 4 << 20,
            data_per_series: 1_024,
            warm_instances: 16,
        }
    }
}

impl Limits {
    /// The fuel for a push of that many series.
    pub fn fuel(&self, series: usize) -> u64 {
        grown(self.fuel_base, self.fuel_per_series, series)
    }

    /// The edits that a push of that many series may be answered with.
    pub(crate) fn edits(&self, series: usize) -> u64 {
        grown(self.edits_base, self.edits_per_series, series)
    }

    /// The symbols that may come with them.
    pub(crate) fn symbols(&self, series: usize) -> u64 {
        grown(self.symbols_base, self.symbols_per_series, series)
    }

    /// The lines for the log that are dropped while a push of that many series is evaluated, before it is a flood. Fuel
    /// bounds them as well, but whoever reads of it could not tell a flood from a loop.
    pub(crate) fn dropped_lines(series: usize) -> u64 {
        grown(DROPPED_LINES, DROPPED_LINES_PER_SERIES, series)
    }

    /// The bytes that the host copies at a time while a push of that many series is evaluated.
    pub(crate) fn data(&self, series: usize) -> usize {
        usize::try_from(grown(self.data_base, self.data_per_series, series)).unwrap_or(usize::MAX)
    }
}

fn grown(base: u64, per_series: u64, series: usize) -> u64 {
    base.saturating_add(per_series.saturating_mul(series as u64))
}

/// Fuel for starting, describing and configuring: half a second or so. A plugin may compile hundreds of
/// regular expressions there, once for an instance.
pub(crate) const START_FUEL: u64 = 1_000_000_000;

/// How long each of these may take when a plugin is loaded.
pub(crate) const START_DEADLINE: Duration = Duration::from_secs(10);

/// Bytes of a finding's message, and of other lines for people.
pub(crate) const MESSAGE_LENGTH: usize = 1024;

/// Bytes of a finding's code.
pub(crate) const CODE_LENGTH: usize = 128;

/// Bytes of a line for the log.
pub(crate) const LOG_LINE_LENGTH: usize = 1024;

/// Lines for the log that may be dropped: a plugin that logs a few for each series is careless, and does no harm.
const DROPPED_LINES: u64 = 1_000;
const DROPPED_LINES_PER_SERIES: u64 = 16;

/// Calls that an instance serves, within a fifth: what a plugin piles up from call to call ends with it. They differ so
/// that instances which were started together do not all end together.
pub(crate) fn calls_of_instance(number: u32) -> u32 {
    const CALLS: u32 = 1_000;
    const SPREAD: u32 = CALLS / 5;
    // Steps by the golden ratio: however many there are, their ends lie well apart.
    let step = number.wrapping_mul(0x9e37_79b9);
    CALLS - SPREAD + ((u64::from(step) * u64::from(2 * SPREAD + 1)) >> 32) as u32
}

/// Elements in a table of a guest: far more functions than a plugin has.
const TABLE_ELEMENTS: usize = 20_000;

/// Refuses memory past the limit, and remembers that it did: a guest that is out of memory traps in a way
/// that looks like any other abort.
#[derive(Debug)]
pub(crate) struct MemoryLimiter {
    limit: usize,
    /// What was granted so far, over all memories. A guest never gives memory back.
    pub(crate) size: usize,
    pub(crate) refused: bool,
}

impl MemoryLimiter {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, size: 0, refused: false }
    }
}

impl ResourceLimiter for MemoryLimiter {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        // A component can have several memories, which share what it may have.
        let size = self.size.saturating_add(desired.saturating_sub(current));
        let granted = size <= self.limit;
        if granted {
            self.size = size;
        } else {
            self.refused = true;
        }
        Ok(granted)
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= TABLE_ELEMENTS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instances_end_within_a_fifth_of_a_thousand_calls_and_not_together() {
        let mut calls: Vec<_> = (0..401).map(calls_of_instance).collect();
        assert!(calls.iter().all(|calls| (800..=1_200).contains(calls)), "{calls:?}");
        calls[..16].sort_unstable();
        assert!(calls[..16].windows(2).all(|pair| pair[1] - pair[0] >= 10), "{:?}", &calls[..16]);
    }
}
