//! Columns to text: HELP, TYPE, then one line a sample.

use std::borrow::Cow;
use std::fmt::Write as _;

use memchr::{memchr2, memchr3};

use crate::name::{is_bare_label_name, is_metric_name};
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

/// The `# HELP` line (when there is a help text) and the `# TYPE` line of a family.
pub fn header(out: &mut String, name: &str, help: &str, kind: Kind) {
    let name = quoted_unless(name, is_metric_name);
    if !help.is_empty() {
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
    if !family.has_utf8_names() {
        let name = family.name();
        return each_sample(family.kind(), series, |suffix, point, value| {
            out.push_str(name);
            out.push_str(suffix);
            labels(out, series, more, point, label);
            end(out, value);
        });
    }
    let name = escaping.metric(family.name());
    each_sample(family.kind(), series, |suffix, point, value| {
        let write_label = |out: &mut String, name: &str, value: &str| {
            any_label(out, &escaping.label(name), value);
        };
        if is_metric_name(&name) {
            out.push_str(&name);
            out.push_str(suffix);
            labels(out, series, more, point, write_label);
        } else {
            // The name stands in the braces, before the labels.
            let start = out.len();
            labels(out, series, more, point, write_label);
            let rest = out.split_off(start);
            let rest = rest.strip_prefix('{').unwrap_or("}");
            let comma = if rest == "}" { "" } else { "," };
            let full = format!("{name}{suffix}");
            let _ = write!(out, "{{{}{comma}{rest}", quoted_unless(&full, |_| false));
        }
        end(out, value);
    });
}

/// Calls `sample` with the name's suffix, `le` or `quantile`, and the value of each sample of a series.
fn each_sample(
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

#[inline]
fn labels(
    out: &mut String,
    series: Series<'_>,
    more: &[LabelPair<'_>],
    point: Option<(&str, f64)>,
    label: impl Fn(&mut String, &str, &str),
) {
    let mut own = series.labels();
    if own.len() + more.len() == 0 && point.is_none() {
        return;
    }
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

#[inline]
fn end(out: &mut String, value: f64) {
    out.push(' ');
    number::write(out, value);
    out.push('\n');
}

/// Appends `name="value"`, escaped, behind a comma unless it is the first after a `{`. The name is a classic one.
#[inline]
fn label(out: &mut String, name: &str, value: &str) {
    separate(out);
    out.push_str(name);
    out.push_str("=\"");
    escape(out, value, |bytes| memchr3(b'\\', b'"', b'\n', bytes));
    out.push('"');
}

/// Appends `name="value"`, escaped, behind a comma unless it is the first after a `{`; a name that is not a classic
/// one stands in quotes.
pub fn any_label(out: &mut String, name: &str, value: &str) {
    if is_bare_label_name(name) {
        return label(out, name, value);
    }
    label(out, &quoted_unless(name, is_bare_label_name), value);
}

fn quoted_unless(name: &str, is_bare: impl Fn(&str) -> bool) -> Cow<'_, str> {
    if is_bare(name) {
        return Cow::Borrowed(name);
    }
    let mut quoted = String::from("\"");
    escape(&mut quoted, name, |bytes| memchr3(b'\\', b'"', b'\n', bytes));
    quoted.push('"');
    Cow::Owned(quoted)
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
