//! The limits of the configuration: what they are, how much of them is used, and how often they were the reason for a
//! refusal.

use std::sync::atomic::{AtomicU64, Ordering};

use pushgate_exposition::{InternError, Kind};

use super::writer::Writer;
use crate::config::Config;
use crate::store::Size;

/// A limit on what clients do, by its key in the configuration. Those on plugins are told with the plugins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are the keys of the table below")]
pub enum Limit {
    Body,
    Concurrent,
    Decompressed,
    InFlight,
    LabelValueLength,
    Labels,
    NameLength,
    SeriesOfPush,
    Scrapes,
    Groups,
    Series,
    BodyTime,
    HeaderTime,
    Connections,
    ReserveConnections,
    WriteTime,
}

const LIMITS: [(Limit, &str); 16] = [
    (Limit::Body, "push.max_body"),
    (Limit::Concurrent, "push.max_concurrent"),
    (Limit::Decompressed, "push.max_decompressed"),
    (Limit::InFlight, "push.max_in_flight"),
    (Limit::LabelValueLength, "push.max_label_value_length"),
    (Limit::Labels, "push.max_labels"),
    (Limit::NameLength, "push.max_name_length"),
    (Limit::SeriesOfPush, "push.max_series"),
    (Limit::Scrapes, "scrape.max_in_flight"),
    (Limit::Groups, "store.max_groups"),
    (Limit::Series, "store.max_series"),
    (Limit::BodyTime, "web.body_timeout"),
    (Limit::HeaderTime, "web.header_timeout"),
    (Limit::Connections, "web.max_connections"),
    (Limit::ReserveConnections, "web.reserve_connections"),
    (Limit::WriteTime, "web.write_timeout"),
];

const LIMIT_HELP: &str = "The limits of the configuration by their keys there, in bytes, seconds, or as a number of whatever they limit.";
const USED_HELP: &str = "How much of a limit is in use now, where that can be said.";
const HITS_HELP: &str = "Requests that were refused (413, 408, 429, 503), or connections that were ended, because of a limit. For each \
     of these a client was told or had to notice.";

impl Limit {
    /// Its key in the configuration, after that of its section.
    pub fn key(self) -> &'static str {
        LIMITS.iter().find(|(limit, _)| *limit == self).map_or("", |(_, key)| key)
    }

    /// The limit of that key.
    pub fn of(key: &str) -> Option<Self> {
        LIMITS.iter().find(|(_, other)| *other == key).map(|(limit, _)| *limit)
    }

    fn index(self) -> usize {
        LIMITS.iter().position(|(limit, _)| *limit == self).unwrap_or_default()
    }

    /// What the configuration says.
    fn value(self, config: &Config) -> f64 {
        let (web, push) = (&config.web, &config.push);
        match self {
            Self::Body => push.max_body.as_u64() as f64,
            Self::Concurrent => push.max_concurrent as f64,
            Self::Decompressed => push.max_decompressed.as_u64() as f64,
            Self::InFlight => push.max_in_flight.as_u64() as f64,
            Self::LabelValueLength => push.max_label_value_length as f64,
            Self::Labels => push.max_labels as f64,
            Self::NameLength => push.max_name_length as f64,
            Self::SeriesOfPush => push.max_series as f64,
            Self::Scrapes => config.scrape.max_in_flight.as_u64() as f64,
            Self::Groups => config.store.max_groups as f64,
            Self::Series => config.store.max_series as f64,
            Self::BodyTime => web.body_timeout.as_secs_f64(),
            Self::HeaderTime => web.header_timeout.as_secs_f64(),
            Self::Connections => web.max_connections as f64,
            Self::ReserveConnections => web.reserve_connections as f64,
            Self::WriteTime => web.write_timeout.as_secs_f64(),
        }
    }

    /// How much of it is in use, where that is something that lasts.
    fn in_use(self, counted: u64, stored: Size) -> Option<f64> {
        match self {
            Self::Groups => Some(stored.groups as f64),
            Self::Series => Some(stored.series as f64),
            Self::Concurrent
            | Self::InFlight
            | Self::Scrapes
            | Self::Connections
            | Self::ReserveConnections => Some(counted as f64),
            Self::Body
            | Self::Decompressed
            | Self::LabelValueLength
            | Self::Labels
            | Self::NameLength
            | Self::SeriesOfPush
            | Self::BodyTime
            | Self::HeaderTime
            | Self::WriteTime => None,
        }
    }
}

/// What is known of all limits. Shared by those that keep them.
#[derive(Debug)]
pub struct LimitMetrics {
    limits: [OneLimit; LIMITS.len()],
}

#[derive(Debug)]
struct OneLimit {
    value: f64,
    used: AtomicU64,
    hits: AtomicU64,
}

impl LimitMetrics {
    /// The limits of a configuration, of which nothing is used.
    pub fn of(config: &Config) -> Self {
        let one = |(limit, _): (Limit, _)| OneLimit {
            value: limit.value(config),
            used: AtomicU64::default(),
            hits: AtomicU64::default(),
        };
        Self { limits: LIMITS.map(one) }
    }

    /// Something was refused because of a limit.
    pub fn hit(&self, limit: Limit) {
        self.limits[limit.index()].hits.fetch_add(1, Ordering::Relaxed);
    }

    /// So much of a limit is used now.
    pub fn set_used(&self, limit: Limit, used: u64) {
        self.limits[limit.index()].used.store(used, Ordering::Relaxed);
    }

    /// So much more of a limit is used.
    pub fn take(&self, limit: Limit, more: u64) {
        self.limits[limit.index()].used.fetch_add(more, Ordering::Relaxed);
    }

    /// So much that was taken is free again.
    pub fn give_back(&self, limit: Limit, less: u64) {
        self.limits[limit.index()].used.fetch_sub(less, Ordering::Relaxed);
    }

    /// How much of a limit is used.
    pub fn used(&self, limit: Limit) -> u64 {
        self.limits[limit.index()].used.load(Ordering::Relaxed)
    }

    /// How often a limit was the reason for a refusal.
    pub fn hits(&self, limit: Limit) -> u64 {
        self.limits[limit.index()].hits.load(Ordering::Relaxed)
    }

    pub(super) fn write(&self, out: &mut Writer, stored: Size) -> Result<(), InternError> {
        let each = || LIMITS.iter().zip(&self.limits);
        let family = out.family("pushgate_limit", Kind::Gauge, LIMIT_HELP)?;
        for ((_, key), one) in each() {
            out.value(family, &[("key", key)], one.value)?;
        }
        let family = out.family("pushgate_limit_hits_total", Kind::Counter, HITS_HELP)?;
        for ((_, key), one) in each() {
            out.count(family, &[("key", key)], &one.hits)?;
        }
        let family = out.family("pushgate_limit_used", Kind::Gauge, USED_HELP)?;
        for ((limit, key), one) in each() {
            if let Some(used) = limit.in_use(one.used.load(Ordering::Relaxed), stored) {
                out.value(family, &[("key", key)], used)?;
            }
        }
        Ok(())
    }
}

impl Default for LimitMetrics {
    fn default() -> Self {
        Self::of(&Config::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_has_a_key_and_each_key_its_limit() {
        for (limit, key) in LIMITS {
            assert_eq!((limit.key(), Limit::of(key)), (key, Some(limit)));
        }
        assert_eq!(Limit::of("web.listen_address"), None);
    }

    #[test]
    fn limits_are_told_in_base_units_with_what_is_used_and_was_refused() {
        let limits = LimitMetrics::default();
        limits.hit(Limit::Body);
        limits.take(Limit::InFlight, 5);
        limits.give_back(Limit::InFlight, 2);
        let mut out = Writer::new();
        limits.write(&mut out, Size { groups: 7, series: 8 }).unwrap();
        let text = pushgate_exposition::text::encode(&out.finish());
        for line in [
            "pushgate_limit{key=\"push.max_body\"} 1.6777216e+07",
            "pushgate_limit{key=\"web.header_timeout\"} 30",
            "pushgate_limit_hits_total{key=\"push.max_body\"} 1",
            "pushgate_limit_hits_total{key=\"push.max_series\"} 0",
            "pushgate_limit_used{key=\"push.max_in_flight\"} 3",
            "pushgate_limit_used{key=\"store.max_groups\"} 7",
            "pushgate_limit_used{key=\"store.max_series\"} 8",
        ] {
            assert!(text.lines().any(|other| other == line), "{line} is missing in {text}");
        }
        assert!(!text.contains("pushgate_limit_used{key=\"push.max_body\"}"), "{text}");
    }
}
