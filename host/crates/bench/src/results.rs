//! What was measured, as it is committed and as tables and plots are made of it.

use serde::{Deserialize, Serialize};

use crate::machine::Machine;
use crate::payload::Shape;
use crate::spread::Spread;

/// A run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// Where it ran.
    pub machine: Machine,
    /// Whether servers and generator had cores of their own.
    pub pinned: bool,
    /// What was run: `full`, `quick` or `smoke`.
    pub plan: String,
    /// Seconds that each load was measured for, and how often.
    pub seconds: f64,
    /// How often each thing was measured, in turns with the others.
    pub rounds: usize,
    /// What the Pushgateway calls its version, if there was one.
    pub reference: Option<String>,
    /// How many processes wanted to run, on average over the minute before the run; nothing where it is not known.
    #[serde(default)]
    pub load_average: Option<f64>,
    /// What else has to be known of the run.
    #[serde(default)]
    pub note: Option<String>,
    /// Pushes over HTTP.
    pub pushes: Vec<PushRow>,
    /// Scrapes over HTTP.
    pub scrapes: Vec<ScrapeRow>,
    /// Resident memory.
    pub memory: Vec<MemoryRow>,
    /// What no client can see.
    pub inside: Vec<InsideRow>,
}

/// One kind of push, at all servers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PushRow {
    /// What was pushed.
    pub shape: Shape,
    /// What came of it, by server.
    pub cells: Vec<PushCell>,
}

/// One kind of push at one server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PushCell {
    /// The server's name.
    pub server: String,
    /// Connections of the closed load.
    pub connections: usize,
    /// Pushes a second, as many as it took.
    pub rate: Spread,
    /// Processor milliseconds of the server for 1,000 pushes; the same number is microseconds for one.
    pub cpu_ms_per_1000: Spread,
    /// The part of its time that the generator was at work during the closed load, from 0 to 1.
    pub generator_busy: Spread,
    /// Pushes a second in the open load, about half of `rate`.
    pub open_rate: f64,
    /// Milliseconds from when a push was due to its answer, in the open load: half of them take no longer.
    pub p50_ms: Spread,
    /// 99 % take no longer.
    pub p99_ms: Spread,
    /// 99.9 % take no longer.
    pub p999_ms: Spread,
}

/// One kind of scrape, at all servers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScrapeRow {
    /// Series stored, 100 a group.
    pub series: u64,
    /// How many percent of the groups were pushed to since the scrape before.
    pub changed_percent: u64,
    /// Whether it was compressed with gzip.
    pub gzip: bool,
    /// What came of it, by server.
    pub cells: Vec<ScrapeCell>,
}

/// One kind of scrape at one server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScrapeCell {
    /// The server's name.
    pub server: String,
    /// Milliseconds from sending the request to the last byte of the answer.
    pub ms: Spread,
    /// Bytes of the answer's body.
    pub bytes: u64,
}

/// The memory of all servers with that much stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MemoryRow {
    /// Series stored, 100 a group.
    pub series: u64,
    /// Of each server.
    pub cells: Vec<MemoryCell>,
}

/// The memory of one server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MemoryCell {
    /// The server's name.
    pub server: String,
    /// MiB once everything is pushed, before the first scrape.
    pub filled_mib: f64,
    /// MiB after scrapes and further pushes.
    pub used_mib: f64,
}

/// Something measured in the process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InsideRow {
    /// What was done.
    pub what: String,
    /// Series of the push.
    pub series: u64,
    /// Distinct names and values in it.
    pub symbols: u64,
    /// Bytes of its text.
    pub bytes: u64,
    /// Microseconds that it took.
    pub us: Spread,
}

impl Results {
    /// The row of a shape.
    pub fn push_row(&self, shape: Shape) -> Option<&PushRow> {
        self.pushes.iter().find(|row| row.shape == shape)
    }

    /// A scrape of one server.
    pub fn scrape(&self, series: u64, changed: u64, gzip: bool, server: &str) -> Option<&ScrapeCell> {
        let is_it = |row: &&ScrapeRow| (row.series, row.changed_percent, row.gzip) == (series, changed, gzip);
        self.scrapes.iter().find(is_it)?.cells.iter().find(|cell| cell.server == server)
    }

    /// The memory of one server.
    pub fn memory(&self, series: u64, server: &str) -> Option<&MemoryCell> {
        let row = self.memory.iter().find(|row| row.series == series)?;
        row.cells.iter().find(|cell| cell.server == server)
    }

    /// Something measured in the process, at pushes of that many series.
    pub fn inside(&self, what: &str, series: u64) -> Option<&InsideRow> {
        self.inside.iter().find(|row| row.what == what && row.series == series)
    }
}

impl PushRow {
    /// What came of it at one server.
    pub fn cell(&self, server: &str) -> Option<&PushCell> {
        self.cells.iter().find(|cell| cell.server == server)
    }
}
