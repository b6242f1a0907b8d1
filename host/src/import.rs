//! `pushgate import`: copies the groups of another gateway into a running pushgate, with their push times.
//!
//! The source is the persistence file of an original Pushgateway or pushgate, or the address of a running one, which
//! goes on meanwhile. Each group is pushed like any other: it goes through the policies and is checked. A group that
//! the target has already is left alone, so an import can be run again.

mod file;
mod listing;
mod live;
mod target;

use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use pushgate_exposition::GroupingKey;

pub use self::target::Target;
use crate::remote::GatewayUrl;
use crate::store::Times;

/// How often progress is told.
const PROGRESS: Duration = Duration::from_millis(500);

/// A group to import.
#[derive(Debug)]
struct Group {
    key: GroupingKey,
    times: Times,
    /// Its families as delimited protobuf.
    body: Vec<u8>,
}

/// Where groups come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// A persistence file.
    File(PathBuf),
    /// A running gateway.
    Gateway(GatewayUrl),
}

impl std::str::FromStr for Source {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.contains("://") { text.parse().map(Self::Gateway) } else { Ok(Self::File(text.into())) }
    }
}

/// How an import went.
#[derive(Debug, Default)]
pub struct Summary {
    /// Groups that are in the target now.
    pub imported: usize,
    /// Groups that the target had already.
    pub present: usize,
    /// Groups that the target refused, each with the reason.
    pub refused: Vec<String>,
}

/// Imports every group of `source`, telling the progress on standard error.
///
/// # Errors
/// When the source cannot be read or the target not be reached. Groups imported until then stay.
pub fn import(source: &Source, target: &Target) -> anyhow::Result<Summary> {
    let mut summary = Summary::default();
    let groups = match source {
        Source::File(path) => file::groups(path, &mut summary.refused)?,
        Source::Gateway(url) => live::groups(url, &mut summary.refused)?,
    };
    let mut progress = Progress::new(groups.len());
    for (done, group) in groups.into_iter().enumerate() {
        progress.tell(done);
        match target.restore(&group).with_context(|| format!("the group {}", group.key))? {
            target::Answer::Stored => summary.imported += 1,
            target::Answer::Present => summary.present += 1,
            target::Answer::Refused(why) => summary.refused.push(format!("{}: {why}", group.key)),
        }
    }
    progress.end();
    Ok(summary)
}

/// A line on standard error that says how far it is; on a terminal it is written over.
struct Progress {
    total: usize,
    told: Instant,
    over: bool,
}

impl Progress {
    fn new(total: usize) -> Self {
        Self { total, told: Instant::now(), over: io::stderr().is_terminal() }
    }

    fn tell(&mut self, done: usize) {
        if self.told.elapsed() < PROGRESS {
            return;
        }
        self.told = Instant::now();
        let end = if self.over { '\r' } else { '\n' };
        // Nothing depends on whether somebody reads it.
        let _ = write!(io::stderr(), "{done} of {} groups{end}", self.total);
    }

    fn end(&self) {
        if self.over {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}
