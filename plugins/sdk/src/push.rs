//! One push, as a plugin reads it.

use std::sync::OnceLock;
use std::time::SystemTime;

use crate::bindings::types;
use crate::families::rows;
use crate::labels::distinct_names;
use crate::symbols::Symbols;
use crate::{Family, GroupingLabel, LabelName, Memo, Series, Sym, moment};

/// One push: its grouping key and the families it brings.
///
/// The host guarantees: names are legal; each family's name occurs once; labels are sorted by name
/// within a series and no name occurs twice; no series has a label of its own that the grouping key
/// has, since the grouping key wins.
///
/// ```
/// use pushgate_plugin::testing;
///
/// let push = testing::push(r#"PUT {job="backup"}"#, "runs{host=\"db1\"} 1\nruns{host=\"db2\"} 2\n")?;
/// for family in push.families() {
///     for series in family.series() {
///         assert!(series.label("host").is_some());
///         assert_eq!(series.label("job"), Some("backup"));
///     }
/// }
/// # Ok::<(), testing::CaseError>(())
/// ```
#[derive(Debug)]
pub struct Push {
    pub(crate) request: types::Request,
    pub(crate) symbols: Symbols,
    pub(crate) families: types::Families,
    pub(crate) series: types::Series,
    names: OnceLock<Vec<(Sym, u32)>>,
}

/// What a push does to its group.
///
/// ```
/// use pushgate_plugin::{Method, testing};
///
/// let push = testing::push(r#"DELETE {job="backup"}"#, "")?;
/// assert_eq!(push.method(), Method::Delete);
/// # Ok::<(), testing::CaseError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Replaces the group.
    Put,
    /// Replaces the families it names.
    Post,
    /// Removes the group; brings no families.
    Delete,
}

impl Push {
    /// Takes a push over as it crossed the boundary, without a copy.
    pub(crate) fn from_wire(push: types::Push) -> Self {
        Self {
            request: push.request,
            symbols: Symbols::new(push.symbols.bytes, push.symbols.ends),
            families: push.families,
            series: push.series,
            names: OnceLock::new(),
        }
    }

    /// Names this push in the gateway's log.
    ///
    /// ```
    /// # use pushgate_plugin::testing;
    /// let push = testing::push(r#"PUT {job="backup"}"#, "")?;
    /// assert_eq!(push.id(), "test");
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    pub fn id(&self) -> &str {
        &self.request.id
    }

    /// What the push does to its group.
    ///
    /// ```
    /// # use pushgate_plugin::{Method, testing};
    /// let push = testing::push(r#"POST {job="backup"}"#, "runs 1\n")?;
    /// assert_eq!(push.method(), Method::Post);
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    pub fn method(&self) -> Method {
        match self.request.method {
            types::Method::Put => Method::Put,
            types::Method::Post => Method::Post,
            types::Method::Delete => Method::Delete,
        }
    }

    /// The grouping label `job`, never empty.
    ///
    /// ```
    /// # use pushgate_plugin::testing;
    /// let push = testing::push(r#"PUT {job="backup", host="db1"}"#, "")?;
    /// assert_eq!(push.job(), "backup");
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    pub fn job(&self) -> &str {
        self.text(Sym(self.request.job))
    }

    /// The grouping key: `job`, then the other labels sorted by name.
    ///
    /// ```
    /// # use pushgate_plugin::testing;
    /// let push = testing::push(r#"PUT {job="backup", host="db1"}"#, "")?;
    /// let names: Vec<&str> = push.grouping().map(|label| label.name()).collect();
    /// assert_eq!(names, ["job", "host"]);
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    pub fn grouping(&self) -> impl Iterator<Item = GroupingLabel<'_>> {
        let job = GroupingLabel { name: "job", value: self.job(), value_sym: Sym(self.request.job) };
        let others = self.request.grouping.iter().map(|label| GroupingLabel {
            name: self.text(Sym(label.name)),
            value: self.text(Sym(label.value)),
            value_sym: Sym(label.value),
        });
        std::iter::once(job).chain(others)
    }

    /// The value of a grouping label; it may be empty, as in `/metrics/job/backup/instance/`.
    ///
    /// ```
    /// # use pushgate_plugin::testing;
    /// let push = testing::push(r#"PUT {job="backup", instance=""}"#, "")?;
    /// assert_eq!(push.grouping_label("instance"), Some(""));
    /// assert_eq!(push.grouping_label("host"), None);
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    pub fn grouping_label(&self, name: &str) -> Option<&str> {
        self.grouping().find(|label| label.name == name).map(|label| label.value)
    }

    /// When the push arrived.
    ///
    /// ```
    /// # use pushgate_plugin::testing;
    /// let push = testing::push(r#"PUT {job="backup"}"#, "")?;
    /// assert_eq!(push.received_at(), std::time::UNIX_EPOCH);
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    pub fn received_at(&self) -> SystemTime {
        moment::of_ms(self.request.received_ms)
    }

    /// A fact about the caller, if the operator chose to tell it: `user`, `tls-san`, `network`, `header:x-team`.
    ///
    /// ```
    /// # use pushgate_plugin::testing;
    /// let push = testing::push("PUT {job=\"backup\"}\ncaller user=\"ci\"", "")?;
    /// assert_eq!((push.attribute("user"), push.attribute("network")), (Some("ci"), None));
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let attribute = self.request.attributes.iter().find(|attribute| attribute.name == name)?;
        Some(&attribute.value)
    }

    /// All facts about the caller, by name. A name may occur again, as `tls-san` does for a certificate of several.
    ///
    /// ```
    /// # use pushgate_plugin::testing;
    /// let push = testing::push("PUT {job=\"backup\"}\ncaller tls-san=\"a.example\", tls-san=\"b.example\"", "")?;
    /// assert!(push.attributes().eq([("tls-san", "a.example"), ("tls-san", "b.example")]));
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    pub fn attributes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.request.attributes.iter().map(|attribute| (attribute.name.as_str(), attribute.value.as_str()))
    }

    /// The families, in the order pushed.
    ///
    /// ```
    /// # use pushgate_plugin::testing;
    /// let push = testing::push(r#"PUT {job="backup"}"#, "runs 1\nfiles 3\n")?;
    /// let names: Vec<&str> = push.families().map(|family| family.name()).collect();
    /// assert_eq!(names, ["runs", "files"]);
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    #[inline]
    pub fn families(&self) -> impl ExactSizeIterator<Item = Family<'_>> {
        (0..self.families.series_end.len()).map(|index| Family { push: self, index })
    }

    /// The series of all families.
    ///
    /// ```
    /// # use pushgate_plugin::testing;
    /// let push = testing::push(r#"PUT {job="backup"}"#, "runs{host=\"db1\"} 1\nfiles 3\n")?;
    /// assert_eq!(push.series().count(), 2);
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    #[inline]
    pub fn series(&self) -> impl Iterator<Item = Series<'_>> {
        self.families().flat_map(Family::series)
    }

    /// How many series there are.
    ///
    /// ```
    /// # use pushgate_plugin::testing;
    /// let push = testing::push(r#"PUT {job="backup"}"#, "runs{host=\"db1\"} 1\nfiles 3\n")?;
    /// assert_eq!(push.series_count(), 2);
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    pub fn series_count(&self) -> usize {
        self.series.label_end.len()
    }

    /// The series with this [index](Series::index).
    ///
    /// ```
    /// # use pushgate_plugin::testing;
    /// let push = testing::push(r#"PUT {job="backup"}"#, "runs{host=\"db1\"} 1\nfiles 3\n")?;
    /// assert_eq!(push.series_at(1).map(|series| series.family().name()), Some("files"));
    /// assert!(push.series_at(2).is_none());
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    pub fn series_at(&self, index: usize) -> Option<Series<'_>> {
        let family = self.families.series_end.partition_point(|&end| end as usize <= index);
        (index < self.series_count() && family < self.families.series_end.len()).then_some(Series {
            push: self,
            family,
            index,
        })
    }

    /// Each name that series have a label of, once. The names of grouping labels are not among them.
    ///
    /// ```
    /// # use pushgate_plugin::testing;
    /// let push = testing::push(r#"PUT {job="backup"}"#, "runs{host=\"db1\"} 1\nruns{host=\"db2\"} 3\n")?;
    /// let names: Vec<&str> = push.label_names().map(|name| name.as_str()).collect();
    /// assert_eq!(names, ["host"]);
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    pub fn label_names(&self) -> impl ExactSizeIterator<Item = LabelName<'_>> {
        let names = self.names.get_or_init(|| distinct_names(self));
        names.iter().map(|&(sym, first)| LabelName { push: self, sym, first })
    }

    /// The symbol of a label name, when at least one series has such a label of its own. Looked up once
    /// for a push, it makes [`Series::own_value_sym`] a comparison of numbers.
    ///
    /// ```
    /// # use pushgate_plugin::testing;
    /// let push = testing::push(r#"PUT {job="backup"}"#, "runs{host=\"db1\"} 1\n")?;
    /// assert!(push.label_name("host").is_some());
    /// assert!(push.label_name("job").is_none());
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    pub fn label_name(&self, name: &str) -> Option<Sym> {
        self.label_names().find(|known| known.as_str() == name).map(LabelName::sym)
    }

    /// The text of a symbol.
    ///
    /// ```
    /// # use pushgate_plugin::testing;
    /// let push = testing::push(r#"PUT {job="backup"}"#, "runs{host=\"db1\"} 1\n")?;
    /// for label in push.series().flat_map(|series| series.labels()) {
    ///     assert_eq!(push.text(label.value_sym()), label.value());
    /// }
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    #[inline]
    pub fn text(&self, sym: Sym) -> &str {
        self.symbols.get(sym)
    }

    /// How many distinct strings the push has; every [`Sym::index`] is smaller.
    ///
    /// ```
    /// # use pushgate_plugin::testing;
    /// let push = testing::push(r#"PUT {job="backup"}"#, "runs{host=\"db1\"} 1\n")?;
    /// assert!(push.series().flat_map(|series| series.labels()).all(|l| l.name_sym().index() < push.symbol_count()));
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    pub fn symbol_count(&self) -> usize {
        self.symbols.len()
    }

    /// An empty [`Memo`] for the symbols of this push.
    ///
    /// ```
    /// # use pushgate_plugin::{Sym, testing};
    /// let push = testing::push(r#"PUT {job="backup"}"#, "")?;
    /// let mut verdicts = push.memo();
    /// assert!(verdicts.get_or(Sym::EMPTY, || true));
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    pub fn memo<T: Copy>(&self) -> Memo<T> {
        Memo::new(self.symbol_count())
    }

    /// The rows of the label tables that belong to a series.
    #[inline]
    pub(crate) fn label_rows(&self, series: usize) -> std::ops::Range<usize> {
        rows(&self.series.label_end, series)
    }
}
