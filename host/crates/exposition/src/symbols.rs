//! The symbol table: each distinct string of a push once, in one arena.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

/// A string of a push, as an index into its [`Symbols`]. 0 is the empty string.
///
/// A plain `u32`, so that a column of symbols crosses the plugin boundary as one block of memory.
pub type Sym = u32;

/// The strings of one push: an arena and the end of each symbol in it.
///
/// Symbol 0 is always there and empty. Symbols that come from an [`Interner`] are unique.
#[derive(Clone, Debug)]
pub struct Symbols {
    arena: String,
    ends: Vec<u32>,
}

impl Default for Symbols {
    fn default() -> Self {
        Self { arena: String::new(), ends: vec![0] }
    }
}

impl Symbols {
    /// The text of a symbol; the empty string for a symbol that is not in the table.
    #[inline]
    pub fn get(&self, sym: Sym) -> &str {
        let Some(&end) = self.ends.get(sym as usize) else { return "" };
        let start = if sym == 0 { 0 } else { self.ends[sym as usize - 1] };
        &self.arena[start as usize..end as usize]
    }

    /// The bytes of a symbol, as [`get`](Self::get) gives its text.
    #[inline]
    fn bytes_of(&self, sym: Sym) -> &[u8] {
        let Some(&end) = self.ends.get(sym as usize) else { return b"" };
        let start = if sym == 0 { 0 } else { self.ends[sym as usize - 1] };
        &self.arena.as_bytes()[start as usize..end as usize]
    }

    /// How many symbols there are, the empty one included.
    #[expect(clippy::len_without_is_empty, reason = "a symbol table is never empty")]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// The arena: all symbols, one behind the other. Always UTF-8.
    pub fn bytes(&self) -> &[u8] {
        self.arena.as_bytes()
    }

    /// Where each symbol ends in [`bytes`](Self::bytes).
    pub fn ends(&self) -> &[u32] {
        &self.ends
    }

    /// Appends a symbol without looking for it.
    fn append(&mut self, text: &str) -> Result<Sym, InternError> {
        let end = u32::try_from(self.arena.len() + text.len()).map_err(|_| InternError::Full)?;
        let sym = Sym::try_from(self.ends.len()).map_err(|_| InternError::Full)?;
        self.arena.push_str(text);
        self.ends.push(end);
        Ok(sym)
    }
}

/// Why a string did not become a symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InternError {
    /// The bytes are not UTF-8.
    #[error("not UTF-8")]
    NotUtf8,
    /// The arena is at its bound of 4 GiB.
    #[error("more than 4 GiB of names and values")]
    Full,
}

/// Writes [`Symbols`], finding those that are there already.
///
/// The hash is seeded at random for each process, since what is interned comes from clients.
#[derive(Debug)]
pub struct Interner {
    symbols: Symbols,
    table: HashTable<(u32, Sym)>,
    hasher: RandomState,
}

impl Default for Interner {
    fn default() -> Self {
        Self::from(Symbols::default())
    }
}

impl From<Symbols> for Interner {
    /// Goes on with a table made before. Of symbols that occur twice, the first is found.
    fn from(symbols: Symbols) -> Self {
        let mut interner = Self {
            table: HashTable::with_capacity(symbols.len()),
            hasher: RandomState::default(),
            symbols: Symbols::default(),
        };
        for sym in 1..symbols.len() as Sym {
            let bytes = symbols.get(sym).as_bytes();
            let hash = interner.hash(bytes);
            let known =
                interner.table.find(spread(hash), |&(_, other)| symbols.get(other).as_bytes() == bytes);
            if known.is_none() {
                interner.table.insert_unique(spread(hash), (hash, sym), |&(hash, _)| spread(hash));
            }
        }
        interner.symbols = symbols;
        interner
    }
}

/// Bytes that a name or value mostly has at most.
const RESERVED_BYTES: usize = 16;

impl Interner {
    /// An empty table with room for so many symbols.
    pub(crate) fn with_room(symbols: usize) -> Self {
        let mut ends = Vec::with_capacity(symbols);
        ends.push(0);
        Self {
            symbols: Symbols { arena: String::with_capacity(symbols * RESERVED_BYTES), ends },
            table: HashTable::with_capacity(symbols),
            hasher: RandomState::default(),
        }
    }

    /// The symbol of a token. Only a token that is new is checked for UTF-8: an invalid one never
    /// enters the table, so it is never found there.
    ///
    /// # Errors
    /// [`InternError::NotUtf8`], or [`InternError::Full`] at 4 GiB.
    #[inline]
    pub fn intern(&mut self, token: &[u8]) -> Result<Sym, InternError> {
        if token.is_empty() {
            return Ok(0);
        }
        let hash = self.hash(token);
        match self.find_hashed(hash, token) {
            Some(sym) => Ok(sym),
            None => self.insert(hash, token),
        }
    }

    /// The symbol of a token that is in the table.
    #[inline]
    pub fn find(&self, token: &[u8]) -> Option<Sym> {
        if token.is_empty() { Some(0) } else { self.find_hashed(self.hash(token), token) }
    }

    #[inline]
    fn find_hashed(&self, hash: u32, token: &[u8]) -> Option<Sym> {
        let is_it = |&(other, sym): &(u32, Sym)| other == hash && self.symbols.bytes_of(sym) == token;
        self.table.find(spread(hash), is_it).map(|&(_, sym)| sym)
    }

    fn insert(&mut self, hash: u32, token: &[u8]) -> Result<Sym, InternError> {
        let text = std::str::from_utf8(token).map_err(|_| InternError::NotUtf8)?;
        let sym = self.symbols.append(text)?;
        self.table.insert_unique(spread(hash), (hash, sym), |&(hash, _)| spread(hash));
        Ok(sym)
    }

    #[inline]
    fn hash(&self, token: &[u8]) -> u32 {
        self.hasher.hash_one(token) as u32
    }

    /// The symbols so far.
    #[inline]
    pub fn symbols(&self) -> &Symbols {
        &self.symbols
    }

    /// The finished table.
    pub fn into_symbols(self) -> Symbols {
        self.symbols
    }
}

/// The table takes its place from the low bits of a hash and its tag from the high ones; of a hash we
/// keep 32 bits (half the memory), so they are spread over both ends.
#[inline]
fn spread(hash: u32) -> u64 {
    u64::from(hash) | u64::from(hash) << 32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_has_one_symbol() {
        let mut interner = Interner::default();
        let a = interner.intern(b"a").unwrap();
        let b = interner.intern(b"b").unwrap();
        assert_eq!((a, b, interner.intern(b"a").unwrap(), interner.intern(b"").unwrap()), (1, 2, 1, 0));
        let mut again = Interner::from(interner.into_symbols());
        assert_eq!(again.intern(b"b"), Ok(b));
        assert_eq!(again.intern(b"c"), Ok(3));
        assert_eq!(again.symbols().get(3), "c");
        assert_eq!(again.symbols().get(99), "");
    }

    #[test]
    fn what_is_not_utf8_never_enters() {
        let mut interner = Interner::default();
        assert_eq!(interner.intern(b"\xff"), Err(InternError::NotUtf8));
        assert_eq!(interner.intern(b"\xff"), Err(InternError::NotUtf8));
        assert_eq!(interner.symbols().len(), 1);
    }
}
