//! Pushes as one number each, which no two of them share.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::LazyLock;

use polyval::universal_hash::UniversalHash as _;
use polyval::{Block, Polyval};
use pushgate_exposition::GroupingKey;

use crate::{Method, Request};

/// A number that two pushes share only if they are the same.
///
/// POLYVAL (RFC 8452) under a key that is drawn for each process and never told: whatever two pushes of `n` blocks of
/// 16 bytes somebody makes up, they have one fingerprint for at most `n` of the 2^128 keys. A push of 64 MiB that
/// stole the verdict of one among a million others would take 2^86 tries. With 64 bits it would take 2^22.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint(u128);

/// POLYVAL under the key of this process.
static KEYED: LazyLock<Polyval> = LazyLock::new(|| {
    // The standard library seeds it with what the system has for randomness.
    let random = RandomState::new();
    let half = |number: u64| u128::from(random.hash_one(number));
    Polyval::new(&(half(0) << 64 | half(1)).to_le_bytes().into())
});

impl Fingerprint {
    /// That of a push as it came, with `body` as that which is told apart of its body. Its number and the time of its
    /// arrival are no part of it.
    pub fn of(body: &[u8], key: &GroupingKey, request: Request<'_>) -> Self {
        let mut blocks = Blocks::of(request.method);
        blocks.bytes(body);
        blocks.block(key.labels().len() as u128);
        for (name, value) in key.labels() {
            blocks.bytes(name.as_bytes());
            blocks.bytes(value.as_bytes());
        }
        blocks.attributes(request.attributes);
        blocks.finish()
    }

    #[cfg(test)]
    pub(crate) fn of_number(number: u128) -> Self {
        Self(number)
    }

    /// Some of its bits, which are as good as random.
    pub(crate) fn bits(self) -> usize {
        self.0 as usize
    }
}

/// Takes columns, each behind its length, so that no two lists of columns are the same blocks. Blocks are collected,
/// since POLYVAL takes several at once in hardly more time than one.
pub(crate) struct Blocks {
    poly: Polyval,
    blocks: [Block; BLOCKS],
    filled: usize,
}

/// Blocks that are taken at once.
const BLOCKS: usize = 64;

impl Blocks {
    /// Those of a push that is sent like this.
    pub(crate) fn of(method: Method) -> Self {
        let mut blocks = Self { poly: KEYED.clone(), blocks: [Block::default(); BLOCKS], filled: 0 };
        // The first block is never zero, which would be as if it were not there.
        blocks.block(match method {
            Method::Put => 1,
            Method::Post => 2,
            Method::Delete => 3,
        });
        blocks
    }

    pub(crate) fn block(&mut self, block: u128) {
        self.blocks(&[block], |block| block.to_le_bytes());
    }

    pub(crate) fn bytes(&mut self, column: &[u8]) {
        self.block(column.len() as u128);
        let (whole, rest) = column.as_chunks();
        if whole.len() < BLOCKS {
            self.blocks(whole, |block| *block);
        } else {
            self.poly.update(&self.blocks[..self.filled]);
            self.filled = 0;
            self.poly.update(Block::cast_slice_from_core(whole));
        }
        if !rest.is_empty() {
            let mut last = [0; 16];
            last[..rest.len()].copy_from_slice(rest);
            self.blocks(&[last], |block| *block);
        }
    }

    pub(crate) fn words(&mut self, column: &[u32]) {
        self.block(column.len() as u128);
        let (whole, rest) = column.as_chunks();
        self.blocks(whole, bytes_of);
        if !rest.is_empty() {
            let mut last = [0; 4];
            last[..rest.len()].copy_from_slice(rest);
            self.blocks(&[last], bytes_of);
        }
    }

    /// What is told of the caller; nothing comes behind it.
    pub(crate) fn attributes(&mut self, attributes: &[(String, String)]) {
        for (name, value) in attributes {
            self.bytes(name.as_bytes());
            self.bytes(value.as_bytes());
        }
    }

    #[inline]
    fn blocks<T>(&mut self, mut blocks: &[T], bytes: impl Fn(&T) -> [u8; 16]) {
        while !blocks.is_empty() {
            let free = &mut self.blocks[self.filled..];
            let (now, later) = blocks.split_at(blocks.len().min(free.len()));
            free.iter_mut().zip(now).for_each(|(free, block)| *free = bytes(block).into());
            self.filled += now.len();
            if self.filled == BLOCKS {
                self.poly.update(&self.blocks);
                self.filled = 0;
            }
            blocks = later;
        }
    }

    pub(crate) fn finish(mut self) -> Fingerprint {
        self.poly.update(&self.blocks[..self.filled]);
        Fingerprint(u128::from_le_bytes(self.poly.finalize().into()))
    }
}

fn bytes_of(&[a, b, c, d]: &[u32; 4]) -> [u8; 16] {
    let (low, high) = (u128::from(a) | u128::from(b) << 32, u128::from(c) | u128::from(d) << 32);
    (low | high << 64).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_a_part_of_it_but_the_number_and_the_time() {
        let attribute = |name: &str| vec![(name.to_owned(), "x".to_owned())];
        let of = |body: &str, key: &[(&'static str, &str)], method, attributes: &[(String, String)], id| {
            let key = GroupingKey::new(key.iter().map(|(name, value)| (*name, (*value).to_owned()))).unwrap();
            let request = Request { id, method, received_ms: id.len() as i64, attributes };
            Fingerprint::of(body.as_bytes(), &key, request)
        };
        let plain = of("a", &[("job", "j")], Method::Put, &[], "1");
        assert_eq!(plain, of("a", &[("job", "j")], Method::Put, &[], "22"));
        let all = [
            plain,
            of("b", &[("job", "j")], Method::Put, &[], "1"),
            of("a\0", &[("job", "j")], Method::Put, &[], "1"),
            of("a", &[("job", "k")], Method::Put, &[], "1"),
            of("a", &[("job", "j"), ("x", "y")], Method::Put, &[], "1"),
            of("a", &[("job", "j"), ("xy", "z")], Method::Put, &[], "1"),
            of("a", &[("job", "j")], Method::Post, &[], "1"),
            of("a", &[("job", "j")], Method::Put, &attribute("user"), "1"),
            of("a", &[("job", "j")], Method::Put, &attribute("network"), "1"),
        ];
        for (index, one) in all.iter().enumerate() {
            assert!(!all[..index].contains(one), "{index}");
        }
    }
}
