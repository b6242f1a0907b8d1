//! The front of a sample's line, its name and labels, which both text formats write alike.

use std::borrow::Cow;
use std::fmt::Write as _;

use memchr::memchr3;

use crate::name::{is_bare_label_name, is_metric_name};
use crate::{Escaping, LabelPair, Series};

/// Writes the names and labels of the samples of one series.
pub(crate) struct SampleName<'a> {
    /// Escaped already.
    pub(crate) name: Cow<'a, str>,
    pub(crate) series: Series<'a>,
    /// Labels to add to the series' own, sorted by name and none of them among its own.
    pub(crate) more: &'a [LabelPair<'a>],
    /// `None` when all names are known to be classic.
    pub(crate) escaping: Option<Escaping>,
    /// How the value of `le` or `quantile` is written.
    pub(crate) number: fn(&mut String, f64),
}

impl SampleName<'_> {
    /// Appends the name with a suffix, and the labels in order of their names, `le` or `quantile` last.
    #[inline]
    pub(crate) fn write(&self, out: &mut String, suffix: &str, point: Option<(&str, f64)>) {
        let Some(escaping) = self.escaping else {
            out.push_str(&self.name);
            out.push_str(suffix);
            return self.labels(out, point, label);
        };
        let write_label = |out: &mut String, name: &str, value: &str| {
            any_label(out, &escaping.label(name), value);
        };
        if is_metric_name(&self.name) {
            out.push_str(&self.name);
            out.push_str(suffix);
            return self.labels(out, point, write_label);
        }
        // The name stands in the braces, before the labels.
        let start = out.len();
        self.labels(out, point, write_label);
        let rest = out.split_off(start);
        let rest = rest.strip_prefix('{').unwrap_or("}");
        let comma = if rest == "}" { "" } else { "," };
        let full = format!("{}{suffix}", self.name);
        let _ = write!(out, "{{{}{comma}{rest}", quoted_unless(&full, |_| false));
    }

    #[inline]
    fn labels(&self, out: &mut String, point: Option<(&str, f64)>, label: impl Fn(&mut String, &str, &str)) {
        let mut own = self.series.labels();
        if own.len() + self.more.len() == 0 && point.is_none() {
            return;
        }
        out.push('{');
        let mut more = self.more.iter().copied().peekable();
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
            (self.number)(out, bound);
            out.push('"');
        }
        out.push('}');
    }
}

/// Appends `name="value"`, escaped, behind a comma unless it is the first after a `{`. The name is a classic one.
#[inline]
fn label(out: &mut String, name: &str, value: &str) {
    separate(out);
    out.push_str(name);
    out.push_str("=\"");
    escape_quoted(out, value);
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

/// A name, in quotes unless it may stand without.
pub(crate) fn quoted_unless(name: &str, is_bare: impl Fn(&str) -> bool) -> Cow<'_, str> {
    if is_bare(name) {
        return Cow::Borrowed(name);
    }
    let mut quoted = String::from("\"");
    escape_quoted(&mut quoted, name);
    quoted.push('"');
    Cow::Owned(quoted)
}

fn separate(out: &mut String) {
    if !out.ends_with('{') {
        out.push(',');
    }
}

/// Appends a text as it stands between quotes.
#[inline]
pub(crate) fn escape_quoted(out: &mut String, text: &str) {
    escape(out, text, |bytes| memchr3(b'\\', b'"', b'\n', bytes));
}

/// Appends a text with a backslash before what `special` finds; a line feed becomes `\n`.
#[inline]
pub(crate) fn escape(out: &mut String, mut text: &str, special: impl Fn(&[u8]) -> Option<usize>) {
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
