//! `pushgate replay`: captured pushes through the policies of another configuration, and what that would have changed.
//!
//! A push is taken in as it was: by the same code, at the time at which it came, and into a store that is empty at the
//! beginning and gone at the end. Each is asked about on an instance of its own, so that its fuel does not depend on the
//! pushes before it: it is the same in every replay, on every machine. What was captured was measured on instances that
//! had seen other pushes, and may differ a little from that.

mod change;
mod report;

use std::fs::File;
use std::io::{BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use anyhow::Context as _;
use pushgate_capture::{Outcome, ReadError, Reader, Record};
use pushgate_exposition::text;
use pushgate_plugin_host::Chain;

use self::change::Change;
pub use self::report::{Form, Summary};
use self::report::{Replayed, Report};
use crate::capture::Captured;
use crate::config::{self, ByteSize, Config, Problems};
use crate::gateway;
use crate::ingest::{Consistency, Ingest, IngestError, PushRequest};
use crate::journal::InMemory;
use crate::policies::{self, Surroundings};
use crate::rejections::Rejections;
use crate::store::{self, Store};
use crate::telemetry::{Metrics, own_families};

/// Fuel stops a plugin long before that, on every machine.
const DEADLINE: Duration = Duration::from_secs(3_600);

/// Replays captures, one after the other, and writes what would have changed. Blocks while plugins are compiled.
///
/// # Errors
/// When something is wrong with the configuration, or a capture cannot be read.
pub fn replay(
    captures: &[PathBuf],
    (config, mut problems): (Config, Problems),
    form: Form,
    out: &mut dyn Write,
) -> anyhow::Result<Summary> {
    let gateway = Replay::load(config, &mut problems)?;
    problems.or(())?;
    let mut report = Report::new(form, out);
    for path in captures {
        let reading = || format!("cannot read '{}'", path.display());
        for record in reader(path).with_context(reading)? {
            match record {
                Ok(record) => report.tell(&gateway.replay(&record).with_context(reading)?)?,
                Err(error @ ReadError::Torn { .. }) => report.left_out(path, &error),
                Err(error) => return Err(error).with_context(reading),
            }
        }
    }
    report.end()
}

fn reader(path: &Path) -> Result<Reader<BufReader<File>>, ReadError> {
    Reader::new(BufReader::new(File::open(path)?))
}

/// What of a gateway a push goes through.
struct Replay {
    ingest: Ingest,
    received: Receiver<Captured>,
}

impl Replay {
    fn load(mut config: Config, problems: &mut Problems) -> anyhow::Result<Self> {
        // What a memo answers costs no fuel, and time is another one each time.
        config.plugins.memo = ByteSize::bytes(0);
        for policy in &mut config.chain {
            policy.limits.warm_instances = 0;
            policy.limits.deadline = DEADLINE;
        }
        // Each push is judged, however many before it ended in a fault.
        config.plugins.breaker.faults = 0;
        // What a candidate would do is known when it stands in the place of its policy.
        config.chain.retain(|policy| policy.shadow_of.is_none());
        let limits = store::Limits { groups: config.store.max_groups, series: config.store.max_series };
        let store = Arc::new(Store::new(limits, own_families(), Box::new(InMemory)));
        let surroundings = Surroundings::of(store.clone());
        let loaded = policies::load_after(&Chain::default(), &surroundings, &config, problems)?;
        let (metrics, rules) = (Arc::new(Metrics::new()), gateway::rules(&config.push));
        let ingest = Ingest::new(
            loaded,
            store,
            metrics,
            Arc::new(Rejections::new(&config::Rejections { keep: 0, ..config::Rejections::default() })),
            rules,
            Consistency::Checked,
            config.push.max_concurrent,
        );
        let received = ingest.capture().receive();
        Ok(Self { ingest, received })
    }

    fn replay(&self, record: &Record) -> anyhow::Result<Replayed> {
        let mut request = PushRequest::captured(record).context("a push has no group")?;
        // What this configuration does not tell, its policies would not have known.
        let told = &self.ingest.policies().told;
        request.attributes.retain(|(name, _)| told.iter().any(|attribute| attribute.as_str() == name));
        let taken = self.ingest.take(&request);
        let after = match (self.received.try_recv(), taken) {
            (Ok(captured), _) => Ok(captured.into_record().outcome),
            // It did not come to the policies.
            (Err(_), Err(IngestError::Parse(error) | IngestError::TooLarge { error, .. })) => {
                Err(error.to_string())
            }
            (Err(_), _) => anyhow::bail!("a push was not judged"),
        };
        let change = Change::between(&record.outcome, after.as_ref(), || self.pushed(&request));
        let group = request.key.to_string();
        let before = record.outcome.clone();
        Ok(Replayed {
            id: request.id,
            at: request.received_at,
            method: request.method,
            group,
            before,
            after,
            change,
        })
    }

    /// The push without edits, in text.
    fn pushed(&self, request: &PushRequest) -> String {
        self.ingest.parse(request).map(|push| text::shown(&push)).unwrap_or_default()
    }
}

/// The codes of the findings that counted, in order, each once.
fn codes(outcome: &Outcome) -> Vec<&str> {
    let enforcing = outcome.policies.iter().filter(|policy| policy.enforces);
    let mut codes: Vec<_> = enforcing.flat_map(|policy| &policy.codes).map(String::as_str).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}
