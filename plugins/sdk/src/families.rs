//! Families and series, as views of a push.

use std::ops::Range;

use crate::{Label, Push, Sym};

/// The type of a family.
///
/// ```
/// use pushgate_plugin::{Kind, testing};
///
/// let push = testing::push(r#"PUT {job="backup"}"#, "# TYPE runs_total counter\nruns_total 1\n")?;
/// assert!(push.families().all(|family| family.kind() == Kind::Counter));
/// # Ok::<(), testing::CaseError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// No `# TYPE` line, or a type this SDK does not know.
    Untyped,
    /// Only ever grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Quantiles, sum and count.
    Summary,
    /// Buckets, sum and count.
    Histogram,
    /// Buckets of a gauge.
    GaugeHistogram,
}

impl Kind {
    /// The word of a `# TYPE` line.
    ///
    /// ```
    /// # use pushgate_plugin::Kind;
    /// assert_eq!(Kind::Counter.as_str(), "counter");
    /// ```
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Untyped => "untyped",
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Summary => "summary",
            Self::Histogram => "histogram",
            Self::GaugeHistogram => "gaugehistogram",
        }
    }
}

/// A family: a name, a type, a HELP text and series.
///
/// ```
/// use pushgate_plugin::testing;
///
/// let push = testing::push(r#"PUT {job="backup"}"#, "runs{host=\"db1\"} 1\nruns{host=\"db2\"} 2\n")?;
/// let family = push.families().next().expect("one was pushed");
/// assert_eq!((family.name(), family.series().len()), ("runs", 2));
/// # Ok::<(), testing::CaseError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Family<'p> {
    pub(crate) push: &'p Push,
    pub(crate) index: usize,
}

impl<'p> Family<'p> {
    /// The family's place in the push.
    ///
    /// ```
    /// # use pushgate_plugin::testing;
    /// # let push = testing::push(r#"PUT {job="backup"}"#, "runs 1\nfiles 2\n")?;
    /// assert!(push.families().map(|family| family.index()).eq([0, 1]));
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    pub fn index(self) -> usize {
        self.index
    }

    /// The family's name.
    ///
    /// ```
    /// # use pushgate_plugin::testing;
    /// # let push = testing::push(r#"PUT {job="backup"}"#, "runs 1\nfiles 2\n")?;
    /// assert!(push.families().map(|family| family.name()).eq(["runs", "files"]));
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    #[inline]
    pub fn name(self) -> &'p str {
        self.push.text(self.name_sym())
    }

    /// The family's name as a symbol.
    ///
    /// ```
    /// # use pushgate_plugin::testing;
    /// # let push = testing::push(r#"PUT {job="backup"}"#, "runs 1\nfiles 2\n")?;
    /// assert!(push.families().all(|family| push.text(family.name_sym()) == family.name()));
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    #[inline]
    pub fn name_sym(self) -> Sym {
        Sym(self.push.families.name[self.index])
    }

    /// The family's type.
    ///
    /// ```
    /// # use pushgate_plugin::{Kind, testing};
    /// # let push = testing::push(r#"PUT {job="backup"}"#, "runs 1\n")?;
    /// assert!(push.families().all(|family| family.kind() == Kind::Untyped));
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    #[inline]
    pub fn kind(self) -> Kind {
        match self.push.families.kind[self.index] {
            1 => Kind::Counter,
            2 => Kind::Gauge,
            3 => Kind::Summary,
            4 => Kind::Histogram,
            5 => Kind::GaugeHistogram,
            _ => Kind::Untyped,
        }
    }

    /// The HELP text, empty when there is none. `None` unless the manifest wants
    /// [`Column::Help`](crate::Column::Help).
    ///
    /// ```
    /// # use pushgate_plugin::testing;
    /// # let push = testing::push(r#"PUT {job="backup"}"#, "# HELP runs How often.\nruns 1\n")?;
    /// assert!(push.families().all(|family| family.help() == Some("How often.")));
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    pub fn help(self) -> Option<&'p str> {
        let help = self.push.families.help.get(self.index)?;
        Some(self.push.text(Sym(*help)))
    }

    /// The unit, empty when the format of the push has none. `None` unless the manifest wants
    /// [`Column::Unit`](crate::Column::Unit).
    ///
    /// ```
    /// # use pushgate_plugin::testing;
    /// # let push = testing::push(r#"PUT {job="backup"}"#, "runs 1\n")?;
    /// assert!(push.families().all(|family| family.unit() == Some("")));
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    pub fn unit(self) -> Option<&'p str> {
        let unit = self.push.families.unit.get(self.index)?;
        Some(self.push.text(Sym(*unit)))
    }

    /// The series, in the order pushed. A histogram or summary is one series.
    ///
    /// ```
    /// # use pushgate_plugin::testing;
    /// # let push = testing::push(r#"PUT {job="backup"}"#, "runs{host=\"db1\"} 1\nruns 2\n")?;
    /// assert!(push.families().all(|family| family.series().len() == 2));
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    #[inline]
    pub fn series(self) -> impl ExactSizeIterator<Item = Series<'p>> + use<'p> {
        let Self { push, index: family } = self;
        rows(&push.families.series_end, family).map(move |index| Series { push, family, index })
    }
}

/// A series of a family.
///
/// ```
/// use pushgate_plugin::testing;
///
/// let push = testing::push(r#"PUT {job="backup", host="db1"}"#, "runs{disk=\"sda\"} 1\n")?;
/// let series = push.series().next().expect("one was pushed");
/// assert_eq!(series.label("disk"), Some("sda"));
/// assert_eq!(series.label("host"), Some("db1"));
/// # Ok::<(), testing::CaseError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Series<'p> {
    pub(crate) push: &'p Push,
    pub(crate) family: usize,
    pub(crate) index: usize,
}

impl<'p> Series<'p> {
    /// The series' place among all series of the push.
    ///
    /// ```
    /// # use pushgate_plugin::testing;
    /// # let push = testing::push(r#"PUT {job="backup"}"#, "runs 1\nfiles 2\n")?;
    /// assert!(push.series().map(|series| series.index()).eq([0, 1]));
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    pub fn index(self) -> usize {
        self.index
    }

    /// The family it belongs to.
    ///
    /// ```
    /// # use pushgate_plugin::testing;
    /// # let push = testing::push(r#"PUT {job="backup"}"#, "runs 1\nfiles 2\n")?;
    /// assert!(push.series().map(|series| series.family().name()).eq(["runs", "files"]));
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    pub fn family(self) -> Family<'p> {
        Family { push: self.push, index: self.family }
    }

    /// The value that a scrape will show for a label: the grouping key's, else the series' own.
    /// An empty value is no label, in Prometheus' data model.
    ///
    /// ```
    /// # use pushgate_plugin::testing;
    /// # let push = testing::push(r#"PUT {job="backup", host=""}"#, "runs{disk=\"sda\"} 1\n")?;
    /// # let series = push.series().next().expect("one was pushed");
    /// assert_eq!(series.label("job"), Some("backup"));
    /// assert_eq!(series.label("disk"), Some("sda"));
    /// assert_eq!(series.label("host"), None);
    /// assert_eq!(series.label("team"), None);
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    pub fn label(self, name: &str) -> Option<&'p str> {
        let value = self.push.grouping_label(name).or_else(|| self.own_label(name))?;
        (!value.is_empty()).then_some(value)
    }

    /// The value of a label of the series itself.
    ///
    /// ```
    /// # use pushgate_plugin::testing;
    /// # let push = testing::push(r#"PUT {job="backup"}"#, "runs{disk=\"sda\"} 1\n")?;
    /// # let series = push.series().next().expect("one was pushed");
    /// assert_eq!(series.own_label("disk"), Some("sda"));
    /// assert_eq!(series.own_label("job"), None);
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    pub fn own_label(self, name: &str) -> Option<&'p str> {
        self.labels().find(|label| label.name() == name).map(Label::value)
    }

    /// The value of a label of the series itself, both as symbols.
    ///
    /// ```
    /// # use pushgate_plugin::testing;
    /// # let push = testing::push(r#"PUT {job="backup"}"#, "runs{disk=\"sda\"} 1\n")?;
    /// let disk = push.label_name("disk").expect("a series has it");
    /// let values = push.series().filter_map(|series| series.own_value_sym(disk));
    /// assert!(values.map(|value| push.text(value)).eq(["sda"]));
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    #[inline]
    pub fn own_value_sym(self, name: Sym) -> Option<Sym> {
        let columns = &self.push.series;
        let rows = self.push.label_rows(self.index);
        let at = columns.label_name[rows.clone()].iter().position(|&other| other == name.0)?;
        Some(Sym(columns.label_value[rows.start + at]))
    }

    /// The labels of the series itself, sorted by name.
    ///
    /// ```
    /// # use pushgate_plugin::testing;
    /// # let push = testing::push(r#"PUT {job="backup"}"#, "runs{disk=\"sda\",arch=\"arm\"} 1\n")?;
    /// # let series = push.series().next().expect("one was pushed");
    /// assert!(series.labels().map(|label| (label.name(), label.value())).eq([("arch", "arm"), ("disk", "sda")]));
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    #[inline]
    pub fn labels(self) -> impl ExactSizeIterator<Item = Label<'p>> + use<'p> {
        let push = self.push;
        push.label_rows(self.index).map(move |row| Label { push, row })
    }

    /// The symbols of the names and values of [`labels`](Self::labels): faster where nothing else is looked at.
    ///
    /// ```
    /// # use pushgate_plugin::testing;
    /// # let push = testing::push(r#"PUT {job="backup"}"#, "runs{disk=\"a\"} 1\n")?;
    /// let series = push.series().next().expect("one was pushed");
    /// let labels: Vec<_> = series.label_syms().map(|(name, value)| (push.text(name), push.text(value))).collect();
    /// assert_eq!(labels, [("disk", "a")]);
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    #[inline]
    pub fn label_syms(self) -> impl ExactSizeIterator<Item = (Sym, Sym)> + use<'p> {
        let columns = &self.push.series;
        let rows = self.push.label_rows(self.index);
        let names = columns.label_name[rows.clone()].iter();
        names.zip(&columns.label_value[rows]).map(|(&name, &value)| (Sym(name), Sym(value)))
    }

    /// The sample's value, or the sum of a summary or histogram. `None` unless the manifest wants
    /// [`Column::Values`](crate::Column::Values).
    ///
    /// ```
    /// # use pushgate_plugin::testing;
    /// # let push = testing::push(r#"PUT {job="backup"}"#, "runs 1.5\n")?;
    /// assert!(push.series().map(|series| series.value()).eq([Some(1.5)]));
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    pub fn value(self) -> Option<f64> {
        self.push.series.value.get(self.index).copied()
    }

    /// The count of a summary or histogram, else 0. `None` unless the manifest wants
    /// [`Column::Values`](crate::Column::Values).
    ///
    /// ```
    /// # use pushgate_plugin::testing;
    /// # let push = testing::push(r#"PUT {job="backup"}"#, "# TYPE took summary\ntook_sum 9\ntook_count 3\n")?;
    /// assert!(push.series().map(|series| series.count()).eq([Some(3.0)]));
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    pub fn count(self) -> Option<f64> {
        self.push.series.count.get(self.index).copied()
    }

    /// Buckets or quantiles, in the order pushed. None unless the manifest wants
    /// [`Column::Points`](crate::Column::Points).
    ///
    /// ```
    /// # use pushgate_plugin::testing;
    /// # let push = testing::push(r#"PUT {job="backup"}"#, "# TYPE took summary\ntook{quantile=\"0.5\"} 2\n")?;
    /// let bounds = push.series().flat_map(|series| series.points()).map(|point| point.bound);
    /// assert!(bounds.eq([0.5]));
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    pub fn points(self) -> impl Iterator<Item = Point> + use<'p> {
        let columns = &self.push.series;
        let rows = if columns.point_end.is_empty() { 0..0 } else { rows(&columns.point_end, self.index) };
        rows.map(move |row| Point { bound: columns.point_bound[row], value: columns.point_value[row] })
    }
}

/// A bucket of a histogram or a quantile of a summary.
///
/// ```
/// use pushgate_plugin::Point;
///
/// let median = Point { bound: 0.5, value: 12.0 };
/// assert!(median.bound < 1.0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// The upper bound of a bucket (`le`), or the `quantile`.
    pub bound: f64,
    /// The cumulative count of the bucket, or the value of the quantile.
    pub value: f64,
}

/// The rows of a child table that belong to row `index` of its parent.
#[inline]
pub(crate) fn rows(ends: &[u32], index: usize) -> Range<usize> {
    let start = if index == 0 { 0 } else { ends[index - 1] };
    start as usize..ends[index] as usize
}
