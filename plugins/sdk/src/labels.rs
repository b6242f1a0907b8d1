//! Labels, as views of a push.

use crate::{Push, Series, Sym};

/// A label of a series.
///
/// ```
/// use pushgate_plugin::testing;
///
/// let push = testing::push(r#"PUT {job="backup"}"#, "runs{disk=\"sda\"} 1\n")?;
/// for label in push.series().flat_map(|series| series.labels()) {
///     assert_eq!((label.name(), label.value()), ("disk", "sda"));
/// }
/// # Ok::<(), testing::CaseError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Label<'p> {
    pub(crate) push: &'p Push,
    pub(crate) row: usize,
}

impl<'p> Label<'p> {
    /// The label's name.
    ///
    /// ```
    /// # use pushgate_plugin::testing;
    /// # let push = testing::push(r#"PUT {job="backup"}"#, "runs{disk=\"sda\"} 1\n")?;
    /// assert!(push.series().flat_map(|series| series.labels()).all(|label| label.name() == "disk"));
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    #[inline]
    pub fn name(self) -> &'p str {
        self.push.text(self.name_sym())
    }

    /// The label's value.
    ///
    /// ```
    /// # use pushgate_plugin::testing;
    /// # let push = testing::push(r#"PUT {job="backup"}"#, "runs{disk=\"sda\"} 1\n")?;
    /// assert!(push.series().flat_map(|series| series.labels()).all(|label| label.value() == "sda"));
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    #[inline]
    pub fn value(self) -> &'p str {
        self.push.text(self.value_sym())
    }

    /// The label's name as a symbol.
    ///
    /// ```
    /// # use pushgate_plugin::testing;
    /// # let push = testing::push(r#"PUT {job="backup"}"#, "runs{disk=\"sda\"} 1\n")?;
    /// let disk = push.label_name("disk");
    /// assert!(push.series().flat_map(|series| series.labels()).all(|label| Some(label.name_sym()) == disk));
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    #[inline]
    pub fn name_sym(self) -> Sym {
        Sym(self.push.series.label_name[self.row])
    }

    /// The label's value as a symbol.
    ///
    /// ```
    /// # use pushgate_plugin::testing;
    /// # let push = testing::push(r#"PUT {job="backup"}"#, "runs{disk=\"sda\"} 1\n")?;
    /// let mut labels = push.series().flat_map(|series| series.labels());
    /// assert!(labels.all(|label| push.text(label.value_sym()) == "sda"));
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    #[inline]
    pub fn value_sym(self) -> Sym {
        Sym(self.push.series.label_value[self.row])
    }
}

/// A label of the grouping key.
///
/// ```
/// use pushgate_plugin::testing;
///
/// let push = testing::push(r#"PUT {job="backup"}"#, "")?;
/// assert!(push.grouping().map(|label| (label.name(), label.value())).eq([("job", "backup")]));
/// # Ok::<(), testing::CaseError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct GroupingLabel<'p> {
    pub(crate) name: &'p str,
    pub(crate) value: &'p str,
    pub(crate) value_sym: Sym,
}

impl<'p> GroupingLabel<'p> {
    /// The label's name.
    ///
    /// ```
    /// # use pushgate_plugin::testing;
    /// # let push = testing::push(r#"PUT {job="backup"}"#, "")?;
    /// assert!(push.grouping().all(|label| label.name() == "job"));
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    pub fn name(self) -> &'p str {
        self.name
    }

    /// The label's value, which may be empty unless the label is `job`.
    ///
    /// ```
    /// # use pushgate_plugin::testing;
    /// # let push = testing::push(r#"PUT {job="backup"}"#, "")?;
    /// assert!(push.grouping().all(|label| label.value() == "backup"));
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    pub fn value(self) -> &'p str {
        self.value
    }

    /// The label's value as a symbol.
    ///
    /// ```
    /// # use pushgate_plugin::testing;
    /// # let push = testing::push(r#"PUT {job="backup"}"#, "")?;
    /// assert!(push.grouping().all(|label| push.text(label.value_sym()) == label.value()));
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    pub fn value_sym(self) -> Sym {
        self.value_sym
    }
}

/// A name that at least one series has a label of.
///
/// ```
/// use pushgate_plugin::testing;
///
/// let push = testing::push(r#"PUT {job="backup"}"#, "runs{disk=\"sda\"} 1\nfiles{disk=\"sdb\"} 1\n")?;
/// let name = push.label_names().next().expect("series have labels");
/// assert_eq!((name.as_str(), name.first().family().name()), ("disk", "runs"));
/// # Ok::<(), testing::CaseError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct LabelName<'p> {
    pub(crate) push: &'p Push,
    pub(crate) sym: Sym,
    pub(crate) first: u32,
}

impl<'p> LabelName<'p> {
    /// The name.
    ///
    /// ```
    /// # use pushgate_plugin::testing;
    /// # let push = testing::push(r#"PUT {job="backup"}"#, "runs{disk=\"sda\"} 1\n")?;
    /// assert!(push.label_names().all(|name| name.as_str() == "disk"));
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    pub fn as_str(self) -> &'p str {
        self.push.text(self.sym)
    }

    /// The name as a symbol.
    ///
    /// ```
    /// # use pushgate_plugin::testing;
    /// # let push = testing::push(r#"PUT {job="backup"}"#, "runs{disk=\"sda\"} 1\n")?;
    /// assert!(push.label_names().all(|name| push.label_name("disk") == Some(name.sym())));
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    pub fn sym(self) -> Sym {
        self.sym
    }

    /// The first series with such a label.
    ///
    /// ```
    /// # use pushgate_plugin::testing;
    /// # let push = testing::push(r#"PUT {job="backup"}"#, "files 1\nruns{disk=\"sda\"} 1\n")?;
    /// assert!(push.label_names().all(|name| name.first().index() == 1));
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    pub fn first(self) -> Series<'p> {
        let index = self.first as usize;
        let family = self.push.families.series_end.partition_point(|&end| end as usize <= index);
        Series { push: self.push, family, index }
    }
}

/// Each label name with its first series, in the order met.
pub(crate) fn distinct_names(push: &Push) -> Vec<(Sym, u32)> {
    let mut seen = vec![false; push.symbol_count()];
    let mut names = Vec::new();
    // Series of a family mostly have the same names, so a run of equal rows is skipped at once.
    let mut before: &[u32] = &[];
    for series in 0..push.series_count() {
        let row = &push.series.label_name[push.label_rows(series)];
        // Not `==`, which compares byte by byte in WebAssembly.
        if row.len() == before.len() && row.iter().zip(before).all(|(a, b)| a == b) {
            continue;
        }
        before = row;
        for &name in row {
            if let Some(seen) = seen.get_mut(name as usize)
                && !std::mem::replace(seen, true)
            {
                names.push((Sym(name), series as u32));
            }
        }
    }
    names
}
