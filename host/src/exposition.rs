//! What a scrape shows: the stored families and the gateway's own, in order of their names.

mod gzip;
mod openmetrics;
mod protobuf;
mod text;

use std::cmp::Ordering;
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};
use std::{io, iter};

use bytes::Bytes;
use pushgate_exposition::protobuf::Layout;
use pushgate_exposition::{Escaping, Family, Kind, Push};

pub use self::gzip::GzipCache;
use crate::store::{Chunk, FamilySnapshot, Snapshot, Store};
use crate::telemetry::{MAX_JOBS, Metrics};

/// In which form a scrape is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Text 0.0.4, which everybody reads.
    Text,
    /// Protobuf, each family behind its length.
    Protobuf,
    /// The text format of protobuf, for people, a line for each field.
    ProtobufText,
    /// The same with a line for each family.
    ProtobufCompact,
    /// OpenMetrics 1.0.0.
    OpenMetrics,
}

impl Format {
    /// The value of `Content-Type`.
    pub fn media_type(self, escaping: Escaping) -> String {
        let media_type = match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::Protobuf => pushgate_exposition::protobuf::CONTENT_TYPE,
            Self::ProtobufText => {
                "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=text"
            }
            Self::ProtobufCompact => {
                "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=compact-text"
            }
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        };
        format!("{media_type}; escaping={}", escaping.as_str())
    }
}

/// Everything that there is to show at one moment. Made for each scrape; holds no lock.
pub struct Exposition {
    stored: Snapshot,
    /// The same with how old groups are, once that is needed.
    complete: OnceLock<Snapshot>,
    own: Push,
    /// In seconds since 1970.
    now: f64,
}

/// A family that is stored, or the gateway's own, or both.
pub struct MergedFamily<'a> {
    own: Option<Family<'a>>,
    stored: Option<FamilySnapshot<'a>>,
}

impl Exposition {
    /// What there is now.
    pub fn new(store: &Store, metrics: &Metrics) -> Self {
        // The names of plugins and codes, which are all that could be too much, are in memory already.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        let own = metrics.expose(store.size(), &store.fullest_jobs(MAX_JOBS)).unwrap_or_default();
        Self { stored: store.snapshot(), complete: OnceLock::new(), own, now }
    }

    /// Why there can be no scrape: only where the operator has switched the consistency check off.
    pub fn unsound(&self) -> Option<&str> {
        self.stored.unsound()
    }

    /// About how many bytes of text there are.
    pub fn size(&self) -> usize {
        self.stored.text_len() + self.stored.ages_len() + 128 * self.own.series_count()
    }

    /// The families, by name.
    pub fn families(&self) -> impl Iterator<Item = MergedFamily<'_>> {
        let mut own: Vec<_> = self.own.families().collect();
        own.sort_unstable_by_key(|family| family.name());
        let stored = self.complete.get_or_init(|| self.stored.with_ages(self.now));
        let (mut own, mut stored) = (own.into_iter().peekable(), stored.families().peekable());
        iter::from_fn(move || {
            let order = match (own.peek(), stored.peek()) {
                (Some(own), Some(stored)) => own.name().cmp(stored.name),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => return None,
            };
            Some(MergedFamily {
                own: if order.is_le() { own.next() } else { None },
                stored: if order.is_ge() { stored.next() } else { None },
            })
        })
    }

    /// The answer to a scrape. Cannot fail: what is stored was rendered when it was pushed.
    pub fn render(&self, format: Format, escaping: Escaping) -> Bytes {
        match format {
            Format::Protobuf => protobuf::render(self, escaping),
            Format::ProtobufText => protobuf::render_text(self, escaping, Layout::Indented),
            Format::ProtobufCompact => protobuf::render_text(self, escaping, Layout::Compact),
            Format::OpenMetrics => openmetrics::render(self, escaping),
            Format::Text => text::render(self, escaping),
        }
    }

    /// The answer in [`Format::Text`], compressed. What `cache` has of the scrape before is not compressed again.
    ///
    /// # Errors
    /// When compressing fails, which it has no reason to.
    pub fn render_gzip(&self, escaping: Escaping, cache: &GzipCache) -> io::Result<Bytes> {
        gzip::render(self, escaping, cache)
    }
}

impl<'a> MergedFamily<'a> {
    /// Its name.
    pub fn name(&self) -> &'a str {
        let stored = self.stored.as_ref().map(|family| family.name);
        self.own.map(Family::name).or(stored).unwrap_or_default()
    }

    /// Its type, which is the same for both parts: see [`OwnFamilies`](crate::store::OwnFamilies).
    pub fn kind(&self) -> Kind {
        let stored = self.stored.as_ref().map(|family| family.kind);
        self.own.map(Family::kind).or(stored).unwrap_or_default()
    }

    /// The HELP text; the gateway's own, if it has one.
    pub fn help(&self) -> Option<&'a str> {
        let stored = self.stored.as_ref().and_then(FamilySnapshot::help);
        self.own.and_then(Family::help).or(stored)
    }

    /// The unit, empty when there is none.
    pub fn unit(&self) -> &'a str {
        self.stored.as_ref().map(FamilySnapshot::unit).unwrap_or_default()
    }

    /// The gateway's own series. None of them has a job, so none is like one that was pushed.
    pub fn own(&self) -> Option<Family<'a>> {
        self.own
    }

    /// What each group has of it.
    pub fn chunks(&self) -> impl Iterator<Item = &'a Chunk> {
        self.stored.iter().flat_map(FamilySnapshot::chunks)
    }

    /// The same, each with the number of its group.
    pub fn numbered_chunks(&self) -> impl Iterator<Item = (u64, &'a Chunk)> {
        self.stored.iter().flat_map(FamilySnapshot::numbered_chunks)
    }
}
