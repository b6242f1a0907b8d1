//! A scrape as text, compressed, of which only what has changed since the scrape before is compressed again.
//!
//! The text is divided into blocks of some 16 KiB. Each is deflated by itself and ends on a sync flush, so that blocks
//! can stand behind each other in any stream, the way pigz does it: a scrape is one gzip member made of them, its CRC
//! combined from theirs. It is not several members, one a block, because curl stops after the first.
//!
//! Where a block ends is decided by what is in it, not by its distance from the start: else one longer value would move
//! the ends of all blocks behind it.

mod deflate;

use std::borrow::Cow;
use std::hash::BuildHasher as _;
use std::sync::Arc;
use std::{io, mem};

use bytes::Bytes;
use foldhash::quality::RandomState;
use hashbrown::HashMap;
use parking_lot::Mutex;
use pushgate_exposition::Escaping;
use pushgate_exposition::text::encode;

use self::deflate::{Block, Deflater, Member};
use super::text::append_chunk;
use super::{Exposition, MergedFamily};
use crate::store::Chunk;

/// A block is no smaller, unless it stands beside one that changes with each scrape: its last bytes and tables cost some
/// 100 bytes.
const SMALLEST: usize = 4 << 10;

/// Behind the smallest one, a block ends within as much on average.
const SPREAD: u64 = 8 << 10;

/// No block is larger, but for a single chunk that is.
const LARGEST: usize = 64 << 10;

/// The blocks of the last scrape. About a tenth as large as what is stored.
#[derive(Default)]
pub struct GzipCache {
    blocks: Mutex<Arc<Blocks>>,
    hasher: RandomState,
}

type Blocks = HashMap<u64, Arc<KeptBlock>, RandomState>;

struct KeptBlock {
    /// The hash of each piece's text.
    pieces: Box<[u64]>,
    block: Block,
}

/// Text that comes from one place.
struct Piece<'a> {
    text: Cow<'a, str>,
    hash: u64,
}

impl GzipCache {
    /// How many blocks are kept.
    #[cfg(test)]
    fn len(&self) -> usize {
        self.blocks.lock().len()
    }
}

/// All of it, as one gzip member. A block that was in the scrape before is taken as it is.
///
/// # Errors
/// When compressing fails, which it has no reason to.
pub(super) fn render(exposition: &Exposition, escaping: Escaping, cache: &GzipCache) -> io::Result<Bytes> {
    let mut writer = Writer::new(cache, exposition.size());
    let mut was_own = false;
    for family in exposition.families() {
        // The gateway's own change with each scrape; what stands beside them should not have to.
        if mem::replace(&mut was_own, family.own().is_some()) != family.own().is_some() {
            writer.end_block()?;
        }
        writer.add(Piece::written(start_of(&family, escaping), &cache.hasher), false)?;
        for (group, chunk) in family.numbered_chunks() {
            let piece = Piece::of(chunk, &family, escaping, &cache.hasher);
            let is_end = is_end(group, piece.text.len());
            writer.add(piece, is_end)?;
        }
    }
    writer.end_block()?;
    *cache.blocks.lock() = Arc::new(writer.after);
    Ok(writer.member.finish())
}

/// The header of a family, and the gateway's own series.
fn start_of(family: &MergedFamily<'_>, escaping: Escaping) -> String {
    let mut text = String::new();
    encode::header(&mut text, &escaping.metric(family.name()), family.help(), family.kind());
    if let Some(own) = family.own() {
        own.series().for_each(|series| encode::samples(&mut text, own, series, &[], escaping));
    }
    text
}

/// Whether a block that is large enough ends behind a group's chunk: by the group's number, which stays, and only on
/// average by the length, which hardly changes.
fn is_end(group: u64, length: usize) -> bool {
    // The golden ratio in 64 bits: multiples of it are spread evenly.
    let place = group.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    place < (u64::MAX / SPREAD).saturating_mul(length as u64)
}

impl<'a> Piece<'a> {
    fn written(text: String, hasher: &RandomState) -> Self {
        Self { hash: hasher.hash_one(&text), text: Cow::Owned(text) }
    }

    fn of(chunk: &'a Chunk, family: &MergedFamily<'_>, escaping: Escaping, hasher: &RandomState) -> Self {
        if escaping != Escaping::AllowUtf8 && chunk.has_utf8_names() {
            let mut text = String::new();
            append_chunk(&mut text, family, chunk, escaping);
            return Self::written(text, hasher);
        }
        Self { text: Cow::Borrowed(chunk.text()), hash: chunk.text_hash() }
    }
}

struct Writer<'a> {
    hasher: &'a RandomState,
    before: Arc<Blocks>,
    after: Blocks,
    pieces: Vec<Piece<'a>>,
    /// Bytes of `pieces`.
    length: usize,
    deflater: Deflater,
    member: Member,
}

impl<'a> Writer<'a> {
    fn new(cache: &'a GzipCache, size: usize) -> Self {
        let before = cache.blocks.lock().clone();
        Self {
            after: Blocks::with_capacity_and_hasher(before.len(), cache.hasher.clone()),
            before,
            hasher: &cache.hasher,
            pieces: Vec::new(),
            length: 0,
            deflater: Deflater::default(),
            // Names and labels repeat: text becomes a tenth or less.
            member: Member::with_capacity(size / 8),
        }
    }

    fn add(&mut self, piece: Piece<'a>, is_end: bool) -> io::Result<()> {
        self.length += piece.text.len();
        self.pieces.push(piece);
        if self.length >= LARGEST || (is_end && self.length >= SMALLEST) {
            self.end_block()?;
        }
        Ok(())
    }

    fn end_block(&mut self) -> io::Result<()> {
        if self.pieces.is_empty() {
            return Ok(());
        }
        let is_same =
            |kept: &KeptBlock| kept.pieces.iter().copied().eq(self.pieces.iter().map(|piece| piece.hash));
        let hash = self.hasher.hash_one(self.pieces.iter().map(|piece| piece.hash).collect::<Vec<_>>());
        let kept = match self.before.get(&hash).filter(|kept| is_same(kept)) {
            Some(kept) => kept.clone(),
            None => {
                let pieces = self.pieces.iter().map(|piece| piece.hash).collect();
                let block = self.deflater.block(self.pieces.iter().map(|piece| &*piece.text))?;
                Arc::new(KeptBlock { pieces, block })
            }
        };
        self.member.push(&kept.block);
        self.after.insert(hash, kept);
        self.pieces.clear();
        self.length = 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::bufread::GzDecoder;
    use proptest::prelude::*;
    use pushgate_exposition::{GroupingKey, Names, Rules, text};

    use super::*;
    use crate::exposition::text::render as plain;
    use crate::journal::InMemory;
    use crate::store::{Limits, Mode, Store};
    use crate::telemetry::{Metrics, own_families};

    fn store() -> Store {
        let limits = Limits { groups: usize::MAX, series: usize::MAX };
        Store::new(limits, own_families(), Box::new(InMemory))
    }

    fn push(store: &Store, group: usize, body: &str) {
        let key = GroupingKey::new([("job", "j".to_owned()), ("instance", group.to_string())]).unwrap();
        let rules = Rules { names: Names::Utf8, ..Rules::default() };
        let push = text::parse(body.as_bytes(), &key, &rules).unwrap();
        store.push(&push, Mode::Replace, group as f64).unwrap();
    }

    /// Of one member: what stands behind it would be left out.
    fn unpacked(packed: &[u8]) -> String {
        let mut text = String::new();
        let mut decoder = GzDecoder::new(packed);
        decoder.read_to_string(&mut text).unwrap();
        assert_eq!(decoder.into_inner(), b"", "the whole answer is one member");
        text
    }

    /// A family with so many series.
    fn body(family: usize, series: usize, value: u64) -> String {
        let line = |row| format!("family_{family}{{row=\"{row}\",path=\"/api/v1/{row}\"}} {value}\n");
        (0..series).map(line).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn whatever_is_pushed_in_between_it_is_the_plain_text(
            pushes in prop::collection::vec((0..40_usize, 0..4_usize, 0..60_usize, any::<u64>()), 1..80),
            scrape_every in 1..20_usize,
            utf8 in any::<bool>(),
            escaping in prop::sample::select(vec![Escaping::AllowUtf8, Escaping::Underscores, Escaping::Values]),
        ) {
            let (store, metrics, cache) = (store(), Metrics::new(), GzipCache::default());
            if utf8 {
                push(&store, 99, "{\"a.b\",\"x y\"=\"1\"} 1\n");
            }
            for (number, (group, family, series, value)) in pushes.into_iter().enumerate() {
                push(&store, group, &body(family, series, value));
                if number % scrape_every == 0 {
                    let exposition = Exposition::new(&store, &metrics);
                    let packed = render(&exposition, escaping, &cache).unwrap();
                    let text = unpacked(&packed);
                    prop_assert_eq!(text.as_bytes(), &plain(&exposition, escaping)[..]);
                }
            }
        }
    }

    #[test]
    fn one_changed_group_leaves_most_blocks_as_they_are() {
        let (store, metrics, cache) = (store(), Metrics::new(), GzipCache::default());
        (0..500).for_each(|group| push(&store, group, &body(group % 3, 20, 1)));
        let scrape = || render(&Exposition::new(&store, &metrics), Escaping::AllowUtf8, &cache).unwrap();
        scrape();
        let before = cache.blocks.lock().clone();
        assert!(before.len() > 40, "{}", before.len());
        // A value of another length, right at the start.
        push(&store, 0, &body(0, 20, 12_345_678));
        scrape();
        let after = cache.blocks.lock().clone();
        let new = after.keys().filter(|hash| !before.contains_key(*hash)).count();
        // The group's own block, maybe the next one, that of its push time, and those of the gateway's own metrics.
        assert!((1..=6).contains(&new), "{new} of {}", after.len());
        // What no scrape shows any more is not kept.
        store.wipe();
        scrape();
        assert!(cache.len() < 6, "{}", cache.len());
    }

    #[test]
    fn what_is_pushed_again_unchanged_is_not_compressed_again() {
        let (store, metrics, cache) = (store(), Metrics::new(), GzipCache::default());
        let text = body(0, 50, 1);
        let push_all = || (0..50).for_each(|group| push(&store, group, &text));
        let scrape = || render(&Exposition::new(&store, &metrics), Escaping::AllowUtf8, &cache).unwrap();
        push_all();
        scrape();
        let before = cache.blocks.lock().clone();
        push_all();
        scrape();
        let after = cache.blocks.lock().clone();
        let kept = after
            .iter()
            .filter(|(hash, block)| before.get(*hash).is_some_and(|before| Arc::ptr_eq(before, block)));
        assert!(kept.count() + 4 >= after.len());
    }
}
