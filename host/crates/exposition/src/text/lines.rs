//! The lines of a family, of which each is mostly a copy of the line before.

use std::ops::Range;
use std::ptr;

use crate::sample_name::escape_quoted;
use crate::text::encode::{each_sample, samples};
use crate::text::number;
use crate::{Escaping, Family, LabelPair, Series, Sym};

/// Writes the lines of a family, one series after the other. They are those of [`samples`], with names that are not
/// classic ones in quotes; but most series have the label names of the series before and most of its values, and what is
/// the same is copied as a whole.
pub struct Lines<'a> {
    out: &'a mut String,
    family: Family<'a>,
    /// The labels of the series before, and those that were written beside them.
    names: &'a [Sym],
    values: &'a [Sym],
    more: &'a [LabelPair<'a>],
    /// Where they stand in the text, without braces.
    written: Range<usize>,
    /// One for each label of these, in order.
    places: Vec<Place>,
}

/// A label in the text.
struct Place {
    /// Where its value begins and ends, from where the first label begins.
    value: Range<usize>,
    /// Which of the series' own labels it is.
    own: Option<usize>,
}

impl<'a> Lines<'a> {
    /// Lines of that family, to be appended to a text.
    pub fn new(out: &'a mut String, family: Family<'a>) -> Self {
        Self { out, family, names: &[], values: &[], more: &[], written: 0..0, places: Vec::new() }
    }

    /// Appends the lines of a series; `more` are as in [`samples`].
    pub fn write(&mut self, series: Series<'a>, more: &'a [LabelPair<'a>]) {
        if self.family.has_utf8_names() {
            return samples(self.out, self.family, series, more, Escaping::AllowUtf8);
        }
        let mut is_first = true;
        each_sample(self.family.kind(), series, |suffix, point, value| {
            self.out.push_str(self.family.name());
            self.out.push_str(suffix);
            let start = self.out.len();
            self.out.push('{');
            if std::mem::take(&mut is_first) {
                self.labels(series, more);
            } else {
                self.copy();
            }
            if let Some((name, bound)) = point {
                if !self.written.is_empty() {
                    self.out.push(',');
                }
                self.out.push_str(name);
                self.out.push_str("=\"");
                number::write(self.out, bound);
                self.out.push('"');
            }
            if self.out.len() > start + 1 {
                self.out.push_str("} ");
            } else {
                self.out.truncate(start);
                self.out.push(' ');
            }
            number::write(self.out, value);
            self.out.push('\n');
        });
    }

    /// Copies the labels of the line before.
    fn copy(&mut self) {
        let start = self.out.len();
        self.out.extend_from_within(self.written.clone());
        self.written = start..self.out.len();
    }

    fn labels(&mut self, series: Series<'a>, more: &'a [LabelPair<'a>]) {
        let start = self.out.len();
        let (names, values) = series.label_symbols();
        if names == self.names && ptr::eq(more, self.more) {
            self.change(series, values);
        } else {
            self.write_all(series, more);
        }
        (self.names, self.values, self.more) = (names, values, more);
        self.written = start..self.out.len();
    }

    /// Copies the labels of the line before, except those whose values are others now.
    fn change(&mut self, series: Series<'a>, values: &'a [Sym]) {
        let start = self.out.len();
        let before = self.written.start;
        // What of the line before is here already, with other values.
        let mut copied = 0;
        for Place { value: at, own } in &mut self.places {
            let Range { start: begin, end } = *at;
            let other = own.filter(|own| values.get(*own) != self.values.get(*own));
            if let Some((_, value)) = other.and_then(|own| series.label(own)) {
                self.out.extend_from_within(before + copied..before + begin);
                let begin = self.out.len() - start;
                escape_quoted(self.out, value);
                *at = begin..self.out.len() - start;
                copied = end;
            } else {
                let done = self.out.len() - start;
                *at = done + (begin - copied)..done + (end - copied);
            }
        }
        self.out.extend_from_within(before + copied..self.written.end);
    }

    fn write_all(&mut self, series: Series<'a>, more: &'a [LabelPair<'a>]) {
        let start = self.out.len();
        self.places.clear();
        let mut write = |(name, value), own| {
            if self.out.len() > start {
                self.out.push(',');
            }
            self.out.push_str(name);
            self.out.push_str("=\"");
            let begin = self.out.len() - start;
            escape_quoted(self.out, value);
            self.places.push(Place { value: begin..self.out.len() - start, own });
            self.out.push('"');
        };
        let mut more = more.iter().copied().peekable();
        for (own, pair) in series.labels().enumerate() {
            while let Some(other) = more.next_if(|other| other.0 < pair.0) {
                write(other, None);
            }
            write(pair, Some(own));
        }
        more.for_each(|other| write(other, None));
    }
}
