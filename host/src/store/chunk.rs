//! The lines of one family of one group, and what stands behind them.

use std::borrow::Cow;
use std::hash::BuildHasher as _;
use std::sync::{Arc, LazyLock, OnceLock};

use foldhash::quality::RandomState;
use pushgate_exposition::text::{self, ParseError};
use pushgate_exposition::{Detail, Kind, Push};

/// One family of one group, as a scrape shows it. Never changed; shared by the store, snapshots and scrapes.
#[derive(Debug)]
pub struct Chunk {
    pub(super) text: Box<str>,
    pub(super) help: Option<Cow<'static, str>>,
    /// The hash of all labels of each series.
    pub(super) series: Arc<[u64]>,
    /// When the family was pushed, in seconds since 1970.
    pub(super) pushed_at: f64,
    pub(super) rare: Option<Arc<Rare>>,
    /// The labels that series have beside the group's, each pair once, sorted. Read only where labels are counted.
    pub(super) labels: OnceLock<Arc<[(String, String)]>>,
    /// See [`text_hash`](Self::text_hash).
    pub(super) text_hash: OnceLock<u64>,
}

/// What most chunks do not have.
#[derive(Debug, Default)]
pub(super) struct Rare {
    pub(super) unit: Box<str>,
    /// By the row of their series.
    pub(super) details: Box<[(u32, Detail)]>,
    pub(super) utf8_names: bool,
}

impl Chunk {
    /// The same series with other numbers in these lines, pushed at that time.
    pub(super) fn with_text(&self, text: &str, pushed_at: f64) -> Self {
        Self {
            text: text.into(),
            help: self.help.clone(),
            series: self.series.clone(),
            pushed_at,
            rare: self.rare.clone(),
            labels: self.labels.clone(),
            text_hash: OnceLock::new(),
        }
    }

    /// The lines of its samples. Names that are not classic ones stand in quotes.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The hash of its lines: 64 bits, seeded for this process. Made when it is asked for first.
    pub fn text_hash(&self) -> u64 {
        static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::default);
        *self.text_hash.get_or_init(|| HASHER.hash_one(&*self.text))
    }

    /// The HELP text, if there is one. It may be empty.
    pub fn help(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// The unit, empty when there is none.
    pub fn unit(&self) -> &str {
        self.rare.as_ref().map_or("", |rare| &rare.unit)
    }

    /// When the family was pushed, in seconds since 1970.
    pub fn pushed_at(&self) -> f64 {
        self.pushed_at
    }

    /// Whether there are names that not every scraper can read.
    pub fn has_utf8_names(&self) -> bool {
        self.rare.as_ref().is_some_and(|rare| rare.utf8_names)
    }

    /// How many series it has.
    pub fn series_count(&self) -> usize {
        self.series.len()
    }

    /// The chunk as columns again, for formats other than text. The labels of the group are among those of the series.
    ///
    /// # Errors
    /// Never, for the name and type that the chunk was rendered with.
    pub fn read_back(&self, name: &str, kind: Kind) -> Result<Push, ParseError> {
        self.read_back_start(name, kind, self.text.len())
    }

    /// As [`read_back`](Self::read_back), of the whole lines among the first `length` bytes: for who shows only some
    /// of many series. The last one may lack points, its sum and its count.
    ///
    /// # Errors
    /// As for [`read_back`](Self::read_back).
    pub fn read_back_start(&self, name: &str, kind: Kind, length: usize) -> Result<Push, ParseError> {
        let details = self.rare.as_ref().map_or(&[][..], |rare| &rare.details);
        let start = &self.text[..self.text.floor_char_boundary(length)];
        let lines = &start[..start.rfind('\n').map_or(0, |end| end + 1)];
        text::read_back(name, kind, lines, details.iter().cloned())
    }
}
