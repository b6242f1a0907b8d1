//! Blocks of deflate that can stand behind each other, and the gzip member made of them.

use std::io;

use bytes::Bytes;
use crc32fast::Hasher as Crc;
use flate2::{Compress, Compression, FlushCompress, Status};

/// The header of a member: deflate, no name, no time, the fastest level, and no word of the operating system.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 255];

/// A last block with nothing in it.
const END: [u8; 2] = [3, 0];

/// Deflated text that ends on a whole byte and refers to nothing before it.
#[derive(Debug)]
pub(super) struct Block {
    deflated: Box<[u8]>,
    /// Of the text, with its length.
    crc: Crc,
    length: usize,
}

/// Deflates one block after the other. Its tables are large, so they are made once for a scrape.
#[derive(Debug)]
pub(super) struct Deflater {
    // Level 1: four times as fast as the usual 6, for less than twice the bytes.
    compress: Compress,
    plain: Vec<u8>,
    deflated: Vec<u8>,
}

impl Default for Deflater {
    fn default() -> Self {
        let compress = Compress::new(Compression::fast(), false);
        Self { compress, plain: Vec::new(), deflated: Vec::new() }
    }
}

impl Deflater {
    /// A block with these texts, one behind the other.
    pub(super) fn block<'a>(&mut self, texts: impl Iterator<Item = &'a str>) -> io::Result<Block> {
        self.plain.clear();
        texts.for_each(|text| self.plain.extend_from_slice(text.as_bytes()));
        let mut crc = Crc::new();
        crc.update(&self.plain);
        self.compress.reset();
        self.deflated.clear();
        self.deflated.reserve(self.plain.len() / 4 + 64);
        loop {
            let done = self.compress.total_in() as usize;
            let rest = self.plain.get(done..).unwrap_or_default();
            let status = self.compress.compress_vec(rest, &mut self.deflated, FlushCompress::Sync)?;
            // As long as it fills the room that it has, there is more to come.
            if self.deflated.len() < self.deflated.capacity() {
                break;
            }
            if status == Status::StreamEnd {
                return Err(io::Error::other("a block ended its stream"));
            }
            self.deflated.reserve(self.plain.len() / 4 + 64);
        }
        Ok(Block { deflated: self.deflated.as_slice().into(), crc, length: self.plain.len() })
    }
}

/// A gzip member that grows by blocks.
#[derive(Debug)]
pub(super) struct Member {
    bytes: Vec<u8>,
    crc: Crc,
    length: usize,
}

impl Member {
    /// An empty one, with room for that many bytes.
    pub(super) fn with_capacity(capacity: usize) -> Self {
        let mut bytes = Vec::with_capacity(capacity);
        bytes.extend_from_slice(&HEADER);
        Self { bytes, crc: Crc::new(), length: 0 }
    }

    /// Puts a block at the end.
    pub(super) fn push(&mut self, block: &Block) {
        self.bytes.extend_from_slice(&block.deflated);
        self.crc.combine(&block.crc);
        self.length += block.length;
    }

    /// The whole member.
    pub(super) fn finish(mut self) -> Bytes {
        self.bytes.extend_from_slice(&END);
        self.bytes.extend_from_slice(&self.crc.finalize().to_le_bytes());
        // As far as 32 bits go; that is how the format has it.
        self.bytes.extend_from_slice(&(self.length as u32).to_le_bytes());
        self.bytes.into()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::bufread::GzDecoder;
    use proptest::prelude::*;

    use super::*;

    fn unpacked(packed: &[u8]) -> Vec<u8> {
        let mut plain = Vec::new();
        GzDecoder::new(packed).read_to_end(&mut plain).unwrap();
        plain
    }

    #[test]
    fn no_block_at_all_is_an_empty_member() {
        assert_eq!(unpacked(&Member::with_capacity(0).finish()), b"");
    }

    proptest! {
        #[test]
        fn blocks_in_any_order_are_their_texts(
            texts in prop::collection::vec("[a-e]{0,9000}|\\PC{0,3000}", 1..6),
            order in prop::collection::vec(0..6_usize, 0..12),
        ) {
            let mut deflater = Deflater::default();
            let blocks: Vec<Block> =
                texts.iter().map(|text| deflater.block([text.as_str()].into_iter()).unwrap()).collect();
            let mut member = Member::with_capacity(0);
            let mut expected = String::new();
            for at in order.into_iter().map(|at| at % blocks.len()) {
                member.push(&blocks[at]);
                expected.push_str(&texts[at]);
            }
            prop_assert_eq!(unpacked(&member.finish()), expected.into_bytes());
        }
    }
}
