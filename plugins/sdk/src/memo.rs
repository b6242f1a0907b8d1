//! Verdicts by symbol.

use crate::Sym;

/// Remembers one verdict for each symbol of a push, so that a policy looks at each distinct name or
/// value once, however many series carry it.
///
/// Made by [`Push::memo`](crate::Push::memo).
///
/// ```
/// use pushgate_plugin::testing;
///
/// let push = testing::push(r#"PUT {job="backup"}"#, "a{host=\"db1\"} 1\nb{host=\"db1\"} 2\n")?;
/// let mut looked_at = 0;
/// let mut upper_case = push.memo();
/// for label in push.series().flat_map(|series| series.labels()) {
///     upper_case.get_or(label.value_sym(), || {
///         looked_at += 1;
///         label.value().contains(char::is_uppercase)
///     });
/// }
/// assert_eq!(looked_at, 1);
/// # Ok::<(), testing::CaseError>(())
/// ```
#[derive(Debug)]
pub struct Memo<T> {
    verdicts: Vec<Option<T>>,
}

impl<T: Copy> Memo<T> {
    pub(crate) fn new(symbols: usize) -> Self {
        Self { verdicts: vec![None; symbols] }
    }

    /// The verdict on a symbol, made when it is asked for first.
    ///
    /// ```
    /// # use pushgate_plugin::{Sym, testing};
    /// # let push = testing::push(r#"PUT {job="backup"}"#, "")?;
    /// let mut lengths = push.memo();
    /// assert_eq!(lengths.get_or(Sym::EMPTY, || push.text(Sym::EMPTY).len()), 0);
    /// assert_eq!(lengths.get_or(Sym::EMPTY, || unreachable!("it is known")), 0);
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    #[inline]
    pub fn get_or(&mut self, sym: Sym, verdict: impl FnOnce() -> T) -> T {
        // Symbols that an edit made are numbered after the received ones.
        if sym.index() >= self.verdicts.len() {
            self.verdicts.resize(sym.index() + 1, None);
        }
        *self.verdicts[sym.index()].get_or_insert_with(verdict)
    }

    /// Whether the symbol is met for the first time; for work to be done once a symbol.
    ///
    /// ```
    /// # use pushgate_plugin::{Memo, Sym, testing};
    /// # let push = testing::push(r#"PUT {job="backup"}"#, "")?;
    /// let mut seen = push.memo();
    /// assert!(seen.insert(Sym::EMPTY, ()));
    /// assert!(!seen.insert(Sym::EMPTY, ()));
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    #[inline]
    pub fn insert(&mut self, sym: Sym, verdict: T) -> bool {
        let mut new = false;
        self.get_or(sym, || {
            new = true;
            verdict
        });
        new
    }
}
