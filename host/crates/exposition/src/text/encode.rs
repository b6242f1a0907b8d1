//! Columns to text: HELP, TYPE, then one line a sample.

use std::fmt::Write as _;

use memchr::{memchr2, memchr3};

use crate::text::number;
use crate::{Family, Kind, LabelPair, Push, Series};

/// A whole push as text, families and series in the order they have, without the grouping labels.
/// Parsing it again gives an equal push, except that `-0` becomes `0`.
pub fn encode(push: &Push) -> String {
    let mut out = String::with_capacity(push.symbols().bytes().len() + 32 * push.series_count());
    for family in push.families() {
        header(&mut out, family.name(), family.help(), family.kind());
        for series in family.series() {
            samples(&mut out, family, series, &[]);
        }
    }
    out
}

/// A series as people write it: `name{label="value"}`.
pub fn series_name(family: Family<'_>, series: Series<'_>) -> String {
    let mut out = family.name().to_owned();
    if series.labels().len() > 0 {
        out.push('{');
        series.labels().for_each(|(name, value)| label(&mut out, name, value));
        out.push('}');
    }
    out
}

/// The `# HELP` line (when there is a help text) and the `# TYPE` line of a family.
pub fn header(out: &mut String, name: &str, help: &str, kind: Kind) {
    if !help.is_empty() {
        let _ = write!(out, "# HELP {name} ");
        escape(out, help, |bytes| memchr2(b'\\', b'\n', bytes));
        out.push('\n');
    }
    let _ = writeln!(out, "# TYPE {name} {}", kind.as_str());
}

/// The lines of one series. `more` are labels to add to the series' own, sorted by name and none of
/// them among its own; the line has all of them in order of their names, `le` or `quantile` last.
pub fn samples(out: &mut String, family: Family<'_>, series: Series<'_>, more: &[LabelPair<'_>]) {
    let name = family.name();
    let kind = family.kind();
    let Some(point_label) = kind.point_label() else {
        return line(out, name, "", series, more, None, series.value());
    };
    let point_suffix = if kind == Kind::Summary { "" } else { "_bucket" };
    let mut infinity = kind == Kind::Summary; // A summary needs no last bucket.
    for point in series.points() {
        infinity |= point.bound == f64::INFINITY;
        line(out, name, point_suffix, series, more, Some((point_label, point.bound)), point.value);
    }
    if !infinity {
        line(out, name, point_suffix, series, more, Some((point_label, f64::INFINITY)), series.count());
    }
    line(out, name, "_sum", series, more, None, series.value());
    line(out, name, "_count", series, more, None, series.count());
}

fn line(
    out: &mut String,
    name: &str,
    suffix: &str,
    series: Series<'_>,
    more: &[LabelPair<'_>],
    point: Option<(&str, f64)>,
    value: f64,
) {
    out.push_str(name);
    out.push_str(suffix);
    let mut own = series.labels();
    if own.len() + more.len() > 0 || point.is_some() {
        out.push('{');
        let mut more = more.iter().copied().peekable();
        for pair in own.by_ref() {
            while let Some(other) = more.next_if(|other| other.0 < pair.0) {
                label(out, other.0, other.1);
            }
            label(out, pair.0, pair.1);
        }
        for pair in more {
            label(out, pair.0, pair.1);
        }
        if let Some((name, bound)) = point {
            separate(out);
            let _ = write!(out, "{name}=\"");
            number::write(out, bound);
            out.push('"');
        }
        out.push('}');
    }
    out.push(' ');
    number::write(out, value);
    out.push('\n');
}

/// Appends `name="value"`, escaped, behind a comma unless it is the first after a `{`.
pub fn label(out: &mut String, name: &str, value: &str) {
    separate(out);
    out.push_str(name);
    out.push_str("=\"");
    escape(out, value, |bytes| memchr3(b'\\', b'"', b'\n', bytes));
    out.push('"');
}

fn separate(out: &mut String) {
    if !out.ends_with('{') {
        out.push(',');
    }
}

/// Appends a text with a backslash before what `special` finds; a line feed becomes `\n`.
fn escape(out: &mut String, mut text: &str, special: impl Fn(&[u8]) -> Option<usize>) {
    while let Some(at) = special(text.as_bytes()) {
        out.push_str(&text[..at]);
        out.push('\\');
        out.push(match text.as_bytes()[at] {
            b'\n' => 'n',
            other => char::from(other),
        });
        text = &text[at + 1..];
    }
    out.push_str(text);
}
