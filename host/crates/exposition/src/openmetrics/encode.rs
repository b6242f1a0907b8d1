//! Columns to OpenMetrics text, as Go's `expfmt` writes it.
//!
//! A scrape writes the [`header`] of a family once, then the [`samples`] of its series, and [`END`] behind the last
//! family. Native histograms cannot be said, only their classic part.
//!
//! Nothing is checked across families. What was pushed as classic text may break rules of the specification here, such
//! as a gauge `a_created` beside a counter `a`; Prometheus reads it all the same.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::name::is_metric_name;
use crate::openmetrics::{exemplar, timestamp};
use crate::sample_name::{SampleName, any_label, escape_quoted, quoted_unless};
use crate::text::number;
use crate::{Escaping, Exemplar, ExemplarOf, Family, Kind, LabelPair, Push, Series};

/// The line that ends every exposition.
pub const END: &str = "# EOF\n";

/// How it is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Of names that are not classic.
    pub escaping: Escaping,
    /// Whether to say when counters, summaries and histograms began.
    pub created: Created,
}

/// Whether `_created` lines are written. Prometheus makes series of their own of them unless it is told otherwise,
/// so they are left out by default, as in Go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Created {
    #[default]
    Omit,
    Write,
}

/// A whole push with everything that can be said of it, families and series in the order they have, without the
/// grouping labels. Names that are not classic stand in quotes.
///
/// Parsing it again gives an equal push, except for what the format cannot say: a counter whose name does not end in
/// `_total` becomes untyped and loses its exemplar; a gauge histogram loses when it began; `-0` becomes `0`; units that
/// are no part of the name, exemplars of more than 128 characters and native histograms are gone.
pub fn encode(push: &Push) -> String {
    let style = Style { escaping: Escaping::AllowUtf8, created: Created::Write };
    let mut out = String::with_capacity(push.symbols().bytes().len() + 32 * push.series_count());
    for family in push.families() {
        let name = style.escaping.metric(family.name());
        header(&mut out, &name, family.help(), family.unit(), family.kind());
        for series in family.series() {
            samples(&mut out, family, series, &[], style);
        }
    }
    out.push_str(END);
    out
}

/// The `# HELP`, `# TYPE` and `# UNIT` lines of a family, whose name is escaped already.
///
/// A counter stands here without its `_total`; one that has none becomes unknown, since its series would get another
/// name than in the classic text. A unit that does not end the name is left out: Prometheus refuses the whole scrape.
pub fn header(out: &mut String, name: &str, help: Option<&str>, unit: &str, kind: Kind) {
    let short = counter_name(name, kind);
    let word = match kind {
        Kind::Counter if short.is_none() => "unknown",
        Kind::Untyped => "unknown",
        Kind::GaugeHistogram => "gaugehistogram",
        Kind::Counter | Kind::Gauge | Kind::Summary | Kind::Histogram => kind.as_str(),
    };
    let name = short.unwrap_or(name);
    let is_suffix = name.strip_suffix(unit).is_some_and(|rest| rest.ends_with('_'));
    let has_unit = is_suffix && !unit.is_empty() && !unit.contains(char::is_control);
    let name = quoted_unless(name, is_metric_name);
    if let Some(help) = help {
        let _ = write!(out, "# HELP {name} ");
        escape_quoted(out, help);
        out.push('\n');
    }
    let _ = writeln!(out, "# TYPE {name} {word}");
    if has_unit {
        let _ = writeln!(out, "# UNIT {name} {unit}");
    }
}

/// The lines of one series. `more` are labels to add to the series' own, sorted by name and none of
/// them among its own; the line has all of them in order of their names, `le` or `quantile` last.
pub fn samples(
    out: &mut String,
    family: Family<'_>,
    series: Series<'_>,
    more: &[LabelPair<'_>],
    style: Style,
) {
    let escaping = family.has_utf8_names().then_some(style.escaping);
    let name = escaping.map_or(Cow::Borrowed(family.name()), |escaping| escaping.metric(family.name()));
    let short = counter_name(&name, family.kind()).map(str::to_owned);
    let is_counter = short.is_some();
    let name = short.map_or(name, Cow::Owned);
    let mut lines = Lines {
        out,
        name: SampleName { name, series, more, escaping, number: write_float },
        series,
        escaping: style.escaping,
    };
    match family.kind() {
        Kind::Counter if is_counter => lines.counter(),
        Kind::Counter | Kind::Gauge | Kind::Untyped => lines.float("", None, series.value()),
        Kind::Summary => lines.summary(),
        Kind::Histogram => lines.histogram("_sum", "_count"),
        Kind::GaugeHistogram => lines.histogram("_gsum", "_gcount"),
    }
    let can_be_created = is_counter || matches!(family.kind(), Kind::Summary | Kind::Histogram);
    if style.created == Created::Write && can_be_created {
        lines.created();
    }
}

/// The name that the metadata of a counter has, if it can be one.
fn counter_name(name: &str, kind: Kind) -> Option<&str> {
    let short = name.strip_suffix("_total").filter(|short| !short.is_empty())?;
    (kind == Kind::Counter).then_some(short)
}

/// The lines of a series while they are written.
struct Lines<'a> {
    out: &'a mut String,
    name: SampleName<'a>,
    series: Series<'a>,
    /// Of the labels of exemplars.
    escaping: Escaping,
}

impl Lines<'_> {
    fn counter(&mut self) {
        self.name.write(self.out, "_total", None);
        self.out.push(' ');
        write_float(self.out, self.series.value());
        self.exemplar(self.exemplars().find(|exemplar| exemplar.of == ExemplarOf::Counter));
        self.out.push('\n');
    }

    fn summary(&mut self) {
        for point in self.series.points() {
            self.float("", Some(("quantile", point.bound)), point.value);
        }
        self.float("_sum", None, self.series.value());
        self.count("_count", None, self.series.count(), None);
    }

    fn histogram(&mut self, sum: &str, count: &str) {
        let bucket = |exemplar: &Exemplar| match exemplar.of {
            ExemplarOf::Bucket(number) => Some(number),
            ExemplarOf::Counter | ExemplarOf::Native => None,
        };
        let mut infinity = false;
        // Exemplars come in the order of their buckets.
        let mut exemplars = self.exemplars().filter(|exemplar| bucket(exemplar).is_some()).peekable();
        for (number, point) in (0..).zip(self.series.points()) {
            infinity |= point.bound == f64::INFINITY;
            while exemplars.next_if(|exemplar| bucket(exemplar) < Some(number)).is_some() {}
            let exemplar = exemplars.next_if(|exemplar| bucket(exemplar) == Some(number));
            self.count("_bucket", Some(("le", point.bound)), point.value, exemplar);
        }
        if !infinity {
            self.count("_bucket", Some(("le", f64::INFINITY)), self.series.count(), None);
        }
        self.float(sum, None, self.series.value());
        self.count(count, None, self.series.count(), None);
    }

    fn created(&mut self) {
        if let Some(created) = self.series.detail().and_then(|detail| detail.created) {
            self.name.write(self.out, "_created", None);
            self.out.push(' ');
            timestamp::write(self.out, created);
            self.out.push('\n');
        }
    }

    fn float(&mut self, suffix: &str, point: Option<(&str, f64)>, value: f64) {
        self.name.write(self.out, suffix, point);
        self.out.push(' ');
        write_float(self.out, value);
        self.out.push('\n');
    }

    /// A count is written as an integer, where it is one.
    fn count(&mut self, suffix: &str, point: Option<(&str, f64)>, count: f64, exemplar: Option<&Exemplar>) {
        self.name.write(self.out, suffix, point);
        self.out.push(' ');
        write_count(self.out, count);
        self.exemplar(exemplar);
        self.out.push('\n');
    }

    fn exemplar(&mut self, exemplar: Option<&Exemplar>) {
        let Some(exemplar) = exemplar else { return };
        self.out.push_str(" # {");
        for (name, value) in &exemplar.labels {
            any_label(self.out, &self.escaping.label(name), value);
        }
        self.out.push_str("} ");
        write_float(self.out, exemplar.value);
        if let Some(time) = exemplar.timestamp {
            self.out.push(' ');
            timestamp::write(self.out, time);
        }
    }
}

impl<'a> Lines<'a> {
    /// The exemplars that may be written.
    fn exemplars(&self) -> impl Iterator<Item = &'a Exemplar> + use<'a> {
        let exemplars = self.series.detail().map(|detail| &*detail.exemplars).unwrap_or_default();
        exemplars.iter().filter(|exemplar| exemplar::is_short(exemplar))
    }
}

/// Appends a value: as in the classic text, and with `.0` where nothing else shows that it is a float.
fn write_float(out: &mut String, value: f64) {
    let start = out.len();
    number::write(out, value);
    if value.is_finite() && !out[start..].contains(['.', 'e']) {
        out.push_str(".0");
    }
}

fn write_count(out: &mut String, count: f64) {
    // 2^53, up to which a float has each integer.
    if (0.0..=9_007_199_254_740_992.0).contains(&count) && count.fract() == 0.0 {
        let _ = write!(out, "{}", count as u64);
    } else {
        write_float(out, count);
    }
}
