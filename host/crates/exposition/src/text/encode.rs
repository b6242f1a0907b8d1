//! Columns to text: HELP, TYPE, then one line a sample.

use std::borrow::Cow;
use std::fmt::Write as _;

use memchr::memchr2;

use crate::name::is_metric_name;
pub use crate::sample_name::any_label;
use crate::sample_name::{SampleName, escape, quoted_unless};
use crate::text::number;
use crate::{Escaping, Family, Kind, LabelPair, Push, Series};

/// A whole push as text, families and series in the order they have, without the grouping labels. Names that are not
/// classic stand in quotes. Parsing it again gives an equal push, except that `-0` becomes `0`.
pub fn encode(push: &Push) -> String {
    encode_escaped(push, Escaping::AllowUtf8)
}

/// As [`encode`], with names escaped.
pub fn encode_escaped(push: &Push, escaping: Escaping) -> String {
    let mut out = String::with_capacity(push.symbols().bytes().len() + 32 * push.series_count());
    for family in push.families() {
        header(&mut out, &escaping.metric(family.name()), family.help(), family.kind());
        for series in family.series() {
            samples(&mut out, family, series, &[], escaping);
        }
    }
    out
}

/// A series as people write it: `name{label="value"}`.
pub fn series_name(family: Family<'_>, series: Series<'_>) -> String {
    let mut out = family.name().to_owned();
    if series.labels().len() > 0 {
        out.push('{');
        series.labels().for_each(|(name, value)| any_label(&mut out, name, value));
        out.push('}');
    }
    out
}

/// The `# HELP` line (when there is a help text, be it empty) and the `# TYPE` line of a family.
pub fn header(out: &mut String, name: &str, help: Option<&str>, kind: Kind) {
    let name = quoted_unless(name, is_metric_name);
    if let Some(help) = help {
        let _ = write!(out, "# HELP {name} ");
        escape(out, help, |bytes| memchr2(b'\\', b'\n', bytes));
        out.push('\n');
    }
    let _ = writeln!(out, "# TYPE {name} {}", kind.as_str());
}

/// The lines of one series. `more` are labels to add to the series' own, sorted by name and none of
/// them among its own; the line has all of them in order of their names, `le` or `quantile` last.
pub fn samples(
    out: &mut String,
    family: Family<'_>,
    series: Series<'_>,
    more: &[LabelPair<'_>],
    escaping: Escaping,
) {
    let escaping = family.has_utf8_names().then_some(escaping);
    let name = escaping.map_or(Cow::Borrowed(family.name()), |escaping| escaping.metric(family.name()));
    let line = SampleName { name, series, more, escaping, number: number::write };
    each_sample(family.kind(), series, |suffix, point, value| {
        line.write(out, suffix, point);
        out.push(' ');
        number::write(out, value);
        out.push('\n');
    });
}

/// Calls `sample` with the name's suffix, `le` or `quantile`, and the value of each sample of a series.
pub(super) fn each_sample(
    kind: Kind,
    series: Series<'_>,
    mut sample: impl FnMut(&str, Option<(&'static str, f64)>, f64),
) {
    let Some(point_label) = kind.point_label() else { return sample("", None, series.value()) };
    let suffix = if kind == Kind::Summary { "" } else { "_bucket" };
    let mut infinity = kind == Kind::Summary; // A summary needs no last bucket.
    for point in series.points() {
        infinity |= point.bound == f64::INFINITY;
        sample(suffix, Some((point_label, point.bound)), point.value);
    }
    if !infinity {
        sample(suffix, Some((point_label, f64::INFINITY)), series.count());
    }
    sample("_sum", None, series.value());
    sample("_count", None, series.count());
}
