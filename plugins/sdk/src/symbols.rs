//! The symbol table of a push.

/// A string of a push, by its number. Equal symbols are equal strings, so comparing two costs nothing.
///
/// Symbols belong to the push they come from and mean nothing in another one.
///
/// ```
/// use pushgate_plugin::testing;
///
/// let push = testing::push(r#"PUT {job="backup"}"#, "a{x=\"1\"} 1\nb{x=\"1\"} 2\n")?;
/// let values: Vec<_> = push.series().flat_map(|series| series.labels()).map(|label| label.value_sym()).collect();
/// assert_eq!(values[0], values[1]);
/// assert_eq!(push.text(values[0]), "1");
/// # Ok::<(), testing::CaseError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sym(pub(crate) u32);

impl Sym {
    /// The empty string.
    ///
    /// ```
    /// # use pushgate_plugin::{Sym, testing};
    /// # let push = testing::push(r#"PUT {job="backup"}"#, "")?;
    /// assert_eq!(push.text(Sym::EMPTY), "");
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    pub const EMPTY: Self = Self(0);

    /// The symbol's number, for tables beside the symbol table; smaller than
    /// [`Push::symbol_count`](crate::Push::symbol_count) unless an edit made the symbol.
    ///
    /// ```
    /// # use pushgate_plugin::Sym;
    /// assert_eq!(Sym::EMPTY.index(), 0);
    /// ```
    #[inline]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// An arena and where each symbol ends in it.
#[derive(Debug)]
pub(crate) struct Symbols {
    arena: String,
    ends: Vec<u32>,
}

impl Symbols {
    pub(crate) fn new(bytes: Vec<u8>, ends: Vec<u32>) -> Self {
        // One check of the whole arena is cheaper than one for each symbol that is looked at.
        let arena = String::from_utf8(bytes).expect("the host guarantees that symbols are UTF-8");
        Self { arena, ends }
    }

    #[inline]
    pub(crate) fn get(&self, sym: Sym) -> &str {
        let Some(&end) = self.ends.get(sym.index()) else { return "" };
        let start = if sym.0 == 0 { 0 } else { self.ends[sym.index() - 1] };
        self.arena.get(start as usize..end as usize).unwrap_or_default()
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }
}
