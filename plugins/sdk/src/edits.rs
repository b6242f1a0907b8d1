//! Changes to a push.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

use crate::bindings::types;
use crate::{Family, Push, Series, Sym};

/// Which series an edit touches.
///
/// ```
/// use pushgate_plugin::{Edits, Scope, testing};
///
/// let push = testing::push(r#"PUT {job="backup"}"#, "runs 1\nfiles 2\n")?;
/// let mut edits = Edits::new(&push);
/// edits.set_label(Scope::All, "env", "prod");
/// for family in push.families() {
///     edits.set_label(family, "family", family.name());
/// }
/// # Ok::<(), testing::CaseError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Every series of the push. One such edit is cheaper than one for each series.
    All,
    /// The series of one family, by its [index](Family::index).
    Family(u32),
    /// One series, by its [index](Series::index).
    Series(u32),
}

impl From<Family<'_>> for Scope {
    fn from(family: Family<'_>) -> Self {
        Self::Family(family.index() as u32)
    }
}

impl From<Series<'_>> for Scope {
    fn from(series: Series<'_>) -> Self {
        Self::Series(series.index() as u32)
    }
}

impl Scope {
    fn into_wire(self) -> types::Scope {
        match self {
            Self::All => types::Scope::All,
            Self::Family(family) => types::Scope::Family(family),
            Self::Series(series) => types::Scope::Series(series),
        }
    }
}

/// Changes to a push, applied in order, all or none, and checked against the data model by the host.
/// Rows keep the numbers they had when they were received.
///
/// Names and values are text, or a [`Sym`] when the push has the text already.
///
/// ```
/// use pushgate_plugin::{Edits, Outcome, Scope, testing};
///
/// let push = testing::push(r#"PUT {job="backup", pod="x-1"}"#, "runs{hostname=\"db1\"} 1\n")?;
/// let mut edits = Edits::new(&push);
/// edits.rename_label(Scope::All, "hostname", "host");
/// edits.drop_grouping_label("pod");
/// let outcome = Outcome::mutate(edits);
///
/// let after = testing::apply(&push, outcome)?;
/// assert_eq!(after, "{job=\"backup\"}\nruns{host=\"db1\"} 1\n");
/// # Ok::<(), testing::CaseError>(())
/// ```
#[derive(Debug)]
pub struct Edits {
    received: u32,
    bytes: Vec<u8>,
    ends: Vec<u32>,
    known: HashTable<u32>,
    edits: Vec<types::Edit>,
}

impl Edits {
    /// No edits yet, to be filled for this push.
    ///
    /// ```
    /// # use pushgate_plugin::{Edits, testing};
    /// # let push = testing::push(r#"PUT {job="backup"}"#, "")?;
    /// assert!(Edits::new(&push).is_empty());
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    pub fn new(push: &Push) -> Self {
        Self {
            received: push.symbol_count() as u32,
            bytes: Vec::new(),
            ends: Vec::new(),
            known: HashTable::new(),
            edits: Vec::new(),
        }
    }

    /// Whether there is no edit yet.
    ///
    /// ```
    /// # use pushgate_plugin::{Edits, Scope, testing};
    /// # let push = testing::push(r#"PUT {job="backup"}"#, "runs 1\n")?;
    /// let mut edits = Edits::new(&push);
    /// edits.drop(Scope::All);
    /// assert!(!edits.is_empty());
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    pub fn is_empty(&self) -> bool {
        self.edits.is_empty()
    }

    /// How many edits there are.
    ///
    /// ```
    /// # use pushgate_plugin::{Edits, Scope, testing};
    /// # let push = testing::push(r#"PUT {job="backup"}"#, "runs 1\n")?;
    /// let mut edits = Edits::new(&push);
    /// edits.drop(Scope::All);
    /// assert_eq!(edits.len(), 1);
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    pub fn len(&self) -> usize {
        self.edits.len()
    }

    /// The symbol of a text, new unless this was asked for the same text before.
    ///
    /// ```
    /// # use pushgate_plugin::{Edits, testing};
    /// # let push = testing::push(r#"PUT {job="backup"}"#, "")?;
    /// let mut edits = Edits::new(&push);
    /// let prod = edits.symbol("prod");
    /// assert_eq!(edits.symbol("prod"), prod);
    /// assert_eq!(edits.text(prod), Some("prod"));
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    pub fn symbol(&mut self, text: &str) -> Sym {
        if text.is_empty() {
            return Sym::EMPTY;
        }
        let Self { bytes, ends, known, .. } = self;
        // A fixed seed keeps a pure plugin pure. Whoever makes texts collide spends the fuel of one push.
        let hash = |text: &[u8]| FixedState::default().hash_one(text);
        let is_text = |&index: &u32| slice(bytes, ends, index) == text.as_bytes();
        let index = match known.find(hash(text.as_bytes()), is_text) {
            Some(&index) => index,
            None => {
                let index = ends.len() as u32;
                bytes.extend_from_slice(text.as_bytes());
                ends.push(bytes.len() as u32);
                let rehash = |&index: &u32| hash(slice(bytes, ends, index));
                known.insert_unique(hash(text.as_bytes()), index, rehash);
                index
            }
        };
        Sym(self.received + index)
    }

    /// The text of a symbol that these edits made; `None` for the symbols of the push.
    ///
    /// ```
    /// # use pushgate_plugin::{Edits, Sym, testing};
    /// # let push = testing::push(r#"PUT {job="backup"}"#, "")?;
    /// assert_eq!(Edits::new(&push).text(Sym::EMPTY), None);
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    pub fn text(&self, sym: Sym) -> Option<&str> {
        let index = sym.0.checked_sub(self.received)?;
        std::str::from_utf8(slice(&self.bytes, &self.ends, index)).ok()
    }

    /// Adds a label, or replaces its value. An empty value removes it.
    ///
    /// ```
    /// # use pushgate_plugin::{Edits, Outcome, Scope, testing};
    /// # let push = testing::push(r#"PUT {job="backup"}"#, "runs 1\n")?;
    /// let mut edits = Edits::new(&push);
    /// edits.set_label(Scope::All, "env", "prod");
    /// let after = testing::apply(&push, Outcome::mutate(edits))?;
    /// assert_eq!(after, "{job=\"backup\"}\nruns{env=\"prod\"} 1\n");
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    pub fn set_label(&mut self, scope: impl Into<Scope>, name: impl IntoSymbol, value: impl IntoSymbol) {
        let (name, value) = (name.symbol(self).0, value.symbol(self).0);
        self.edits.push(types::Edit::SetLabel((scope.into().into_wire(), name, value)));
    }

    /// Renames a label; series without it stay as they are, a label named `to` is replaced.
    ///
    /// ```
    /// # use pushgate_plugin::{Edits, Outcome, Scope, testing};
    /// # let push = testing::push(r#"PUT {job="backup"}"#, "runs{hostname=\"db1\"} 1\n")?;
    /// let mut edits = Edits::new(&push);
    /// edits.rename_label(Scope::All, "hostname", "host");
    /// let after = testing::apply(&push, Outcome::mutate(edits))?;
    /// assert_eq!(after, "{job=\"backup\"}\nruns{host=\"db1\"} 1\n");
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    pub fn rename_label(&mut self, scope: impl Into<Scope>, from: impl IntoSymbol, to: impl IntoSymbol) {
        let (from, to) = (from.symbol(self).0, to.symbol(self).0);
        self.edits.push(types::Edit::RenameLabel((scope.into().into_wire(), from, to)));
    }

    /// Removes a label. When that makes two series equal, the host calls it a fault of the plugin.
    ///
    /// ```
    /// # use pushgate_plugin::{Edits, Outcome, Scope, testing};
    /// # let push = testing::push(r#"PUT {job="backup"}"#, "runs{pid=\"17\"} 1\n")?;
    /// let mut edits = Edits::new(&push);
    /// edits.drop_label(Scope::All, "pid");
    /// let after = testing::apply(&push, Outcome::mutate(edits))?;
    /// assert_eq!(after, "{job=\"backup\"}\nruns 1\n");
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    pub fn drop_label(&mut self, scope: impl Into<Scope>, name: impl IntoSymbol) {
        let name = name.symbol(self).0;
        self.edits.push(types::Edit::DropLabel((scope.into().into_wire(), name)));
    }

    /// Renames a family. It joins one that has the name already and is of the same kind.
    ///
    /// ```
    /// # use pushgate_plugin::{Edits, Outcome, testing};
    /// # let push = testing::push(r#"PUT {job="backup"}"#, "runs 1\n")?;
    /// let mut edits = Edits::new(&push);
    /// for family in push.families() {
    ///     edits.rename_family(family, "backup_runs");
    /// }
    /// let after = testing::apply(&push, Outcome::mutate(edits))?;
    /// assert_eq!(after, "{job=\"backup\"}\nbackup_runs 1\n");
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    pub fn rename_family(&mut self, family: Family<'_>, name: impl IntoSymbol) {
        let name = name.symbol(self).0;
        self.edits.push(types::Edit::RenameFamily((family.index() as u32, name)));
    }

    /// Moves one series to the family of that name, which is made with the same kind when there is
    /// none. Not for histograms and summaries.
    ///
    /// ```
    /// # use pushgate_plugin::{Edits, Outcome, testing};
    /// # let push = testing::push(r#"PUT {job="backup"}"#, "runs 1\nruns{old=\"1\"} 2\n")?;
    /// let mut edits = Edits::new(&push);
    /// for series in push.series().filter(|series| series.label("old").is_some()) {
    ///     edits.rename_series(series, "old_runs");
    /// }
    /// let after = testing::apply(&push, Outcome::mutate(edits))?;
    /// assert_eq!(after, "{job=\"backup\"}\nruns 1\nold_runs{old=\"1\"} 2\n");
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    pub fn rename_series(&mut self, series: Series<'_>, name: impl IntoSymbol) {
        let name = name.symbol(self).0;
        self.edits.push(types::Edit::RenameSeries((series.index() as u32, name)));
    }

    /// Replaces the HELP text of a family.
    ///
    /// ```
    /// # use pushgate_plugin::{Edits, Outcome, testing};
    /// # let push = testing::push(r#"PUT {job="backup"}"#, "runs 1\n")?;
    /// let mut edits = Edits::new(&push);
    /// for family in push.families() {
    ///     edits.set_help(family, "How often it ran.");
    /// }
    /// let after = testing::apply(&push, Outcome::mutate(edits))?;
    /// assert!(after.contains("# HELP runs How often it ran.\n"));
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    pub fn set_help(&mut self, family: Family<'_>, help: impl IntoSymbol) {
        let help = help.symbol(self).0;
        self.edits.push(types::Edit::SetHelp((family.index() as u32, help)));
    }

    /// Removes series.
    ///
    /// ```
    /// # use pushgate_plugin::{Edits, Outcome, testing};
    /// # let push = testing::push(r#"PUT {job="backup"}"#, "runs 1\nruns{debug=\"1\"} 2\n")?;
    /// let mut edits = Edits::new(&push);
    /// for series in push.series().filter(|series| series.label("debug").is_some()) {
    ///     edits.drop(series);
    /// }
    /// let after = testing::apply(&push, Outcome::mutate(edits))?;
    /// assert_eq!(after, "{job=\"backup\"}\nruns 1\n");
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    pub fn drop(&mut self, scope: impl Into<Scope>) {
        self.edits.push(types::Edit::Drop(scope.into().into_wire()));
    }

    /// Adds a label to the grouping key, or replaces its value: the push goes to the group of the edited
    /// key, and so does a DELETE, which runs through the same plugins. `job` cannot be set to nothing.
    ///
    /// ```
    /// # use pushgate_plugin::{Edits, Outcome, testing};
    /// # let push = testing::push(r#"DELETE {job="Backup"}"#, "")?;
    /// let mut edits = Edits::new(&push);
    /// edits.set_grouping_label("job", "backup");
    /// let after = testing::apply(&push, Outcome::mutate(edits))?;
    /// assert_eq!(after, "{job=\"backup\"}\n");
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    pub fn set_grouping_label(&mut self, name: impl IntoSymbol, value: impl IntoSymbol) {
        let (name, value) = (name.symbol(self).0, value.symbol(self).0);
        self.edits.push(types::Edit::SetGroupingLabel(types::Label { name, value }));
    }

    /// Removes a label from the grouping key. Not `job`.
    ///
    /// ```
    /// # use pushgate_plugin::{Edits, Outcome, testing};
    /// # let push = testing::push(r#"PUT {job="backup", pod="x-1"}"#, "runs 1\n")?;
    /// let mut edits = Edits::new(&push);
    /// edits.drop_grouping_label("pod");
    /// let after = testing::apply(&push, Outcome::mutate(edits))?;
    /// assert_eq!(after, "{job=\"backup\"}\nruns 1\n");
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    pub fn drop_grouping_label(&mut self, name: impl IntoSymbol) {
        let name = name.symbol(self).0;
        self.edits.push(types::Edit::DropGroupingLabel(name));
    }

    /// The edits as they cross the boundary.
    pub(crate) fn into_wire(self) -> types::Patch {
        types::Patch { symbols: types::Symbols { bytes: self.bytes, ends: self.ends }, edits: self.edits }
    }
}

/// A name or value for an edit: text, or a symbol that is there already.
///
/// ```
/// use pushgate_plugin::{Edits, Scope, testing};
///
/// let push = testing::push(r#"PUT {job="backup"}"#, "runs 1\n")?;
/// let mut edits = Edits::new(&push);
/// let name = edits.symbol("env");
/// edits.set_label(Scope::All, name, "prod");
/// # Ok::<(), testing::CaseError>(())
/// ```
pub trait IntoSymbol {
    /// The symbol, made when there is none.
    ///
    /// ```
    /// # use pushgate_plugin::{Edits, IntoSymbol, testing};
    /// # let push = testing::push(r#"PUT {job="backup"}"#, "")?;
    /// let mut edits = Edits::new(&push);
    /// assert_eq!("env".symbol(&mut edits), edits.symbol("env"));
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    fn symbol(self, edits: &mut Edits) -> Sym;
}

impl IntoSymbol for Sym {
    fn symbol(self, _: &mut Edits) -> Sym {
        self
    }
}

impl IntoSymbol for &str {
    fn symbol(self, edits: &mut Edits) -> Sym {
        edits.symbol(self)
    }
}

impl IntoSymbol for &String {
    fn symbol(self, edits: &mut Edits) -> Sym {
        edits.symbol(self)
    }
}

/// The bytes of a symbol; none for a symbol that is not in the table.
fn slice<'a>(bytes: &'a [u8], ends: &[u32], index: u32) -> &'a [u8] {
    let index = index as usize;
    let Some(&end) = ends.get(index) else { return &[] };
    let start = if index == 0 { 0 } else { ends[index - 1] };
    &bytes[start as usize..end as usize]
}
