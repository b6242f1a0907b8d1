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
    // Series mostly have the names of the one before, so a run of equal rows is skipped at once.
    let mut before: &[u32] = &[];
    let mut series = 0;
    while series < push.series_count() {
        let row = &push.series.label_name[push.label_rows(series)];
        if is_same(row, before) {
            series += if begins_run(push, series) { RUN } else { 1 };
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
        series += 1;
    }
    names
}

/// Series that are compared at once.
const RUN: usize = 16;

/// Whether a series and the 15 behind it have the same names: their rows are of one length, and each name is the one that
/// stands a row before.
fn begins_run(push: &Push, series: usize) -> bool {
    let columns = &push.series;
    let row = push.label_rows(series);
    let (Some(ends), Some(names)) = (
        columns.label_end.get(series..series + RUN),
        columns.label_name.get(row.start..row.start + RUN * row.len()),
    ) else {
        return false;
    };
    let differs = ends.iter().zip(1u32..).fold(0, |differs, (end, number)| {
        differs | (end ^ (row.start as u32).wrapping_add(number.wrapping_mul(row.len() as u32)))
    });
    differs == 0 && is_same(&names[row.len()..], &names[..names.len() - row.len()])
}

/// Whether two columns are equal. Not by `==`, which compares byte by byte in WebAssembly.
fn is_same(one: &[u32], other: &[u32]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let ((ones, one), (others, other)) = (one.as_chunks::<8>(), other.as_chunks::<8>());
    let differs =
        |one: &[u32], other: &[u32]| one.iter().zip(other).fold(0, |all, (a, b)| all | (a ^ b)) != 0;
    !ones.iter().zip(others).any(|(one, other)| differs(one, other)) && !differs(one, other)
}

#[cfg(test)]
mod tests {
    use crate::testing;

    #[test]
    fn names_are_found_wherever_the_series_that_has_them_stands() {
        // Rows of equal and of other lengths, within the series that are compared at once, at their ends and behind them.
        for count in [1, 2, 15, 16, 17, 18, 33, 50] {
            for at in 0..count {
                for other in ["x=\"1\"", "b=\"1\",x=\"1\"", "a=\"1\",b=\"1\",x=\"1\"", ""] {
                    let line = |series| match series == at {
                        true => format!("m{{{other}}} 1\n"),
                        false => format!("m{{a=\"{series}\",b=\"1\"}} 1\n"),
                    };
                    let body: String = (0..count).map(line).collect();
                    let push = testing::push(r#"PUT {job="j"}"#, &body).unwrap();
                    let mut expected: Vec<(&str, usize)> = Vec::new();
                    for series in push.series() {
                        for label in series.labels() {
                            if !expected.iter().any(|(name, _)| *name == label.name()) {
                                expected.push((label.name(), series.index()));
                            }
                        }
                    }
                    let names = push.label_names().map(|name| (name.as_str(), name.first().index()));
                    assert_eq!(names.collect::<Vec<_>>(), expected, "{other:?} at {at} of {count}");
                }
            }
        }
    }
}
