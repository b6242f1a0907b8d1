//! Columns to bytes, as Go's marshaller writes them: fields in the order of their numbers, and of what is optional
//! only what a client library would set.

use crate::{
    Buckets, Count, Detail, Escaping, Exemplar, ExemplarOf, Kind, NativeHistogram, Point, Push, Series,
    Timestamp,
};

/// The one NaN that Go has, and that Prometheus knows as a value: others of its NaNs stand for no value at all.
const NAN: u64 = 0x7ff8_0000_0000_0001;

/// A whole push, families and series in the order they have, without the grouping labels. Names stay as they are.
/// Parsing it again gives an equal push.
pub fn encode(push: &Push) -> Vec<u8> {
    let mut out = Vec::with_capacity(push.symbols().bytes().len() + 64 * push.series_count());
    for family in push.families() {
        let mut encoder =
            FamilyEncoder::new(&mut out, family.name(), family.help(), family.kind(), Escaping::AllowUtf8);
        family.series().for_each(|series| encoder.series(series));
        encoder.finish_with_unit(family.unit());
    }
    out
}

/// Writes one family; its series may come from several pushes.
pub struct FamilyEncoder<'o> {
    out: &'o mut Vec<u8>,
    /// Where the family begins.
    start: usize,
    /// Where its first metric begins.
    metrics: usize,
    kind: Kind,
    escaping: Escaping,
}

impl<'o> FamilyEncoder<'o> {
    /// Begins a family.
    pub fn new(out: &'o mut Vec<u8>, name: &str, help: Option<&str>, kind: Kind, escaping: Escaping) -> Self {
        let start = out.len();
        text(out, 1, &escaping.metric(name));
        if let Some(help) = help {
            text(out, 2, help);
        }
        varint_field(out, 3, number_of_kind(kind));
        Self { start, metrics: out.len(), out, kind, escaping }
    }

    /// Adds a series with its own labels, and with the value of the family's kind.
    pub fn series(&mut self, series: Series<'_>) {
        let (kind, escaping) = (self.kind, self.escaping);
        message(self.out, 4, |out| {
            for (name, value) in series.labels() {
                label_pair(out, 1, &escaping.label(name), value);
            }
            message(out, field_of_kind(kind), |out| match kind {
                Kind::Untyped | Kind::Gauge => double(out, 1, series.value()),
                Kind::Counter => counter(out, series),
                Kind::Summary => summary(out, series),
                Kind::Histogram | Kind::GaugeHistogram => histogram(out, series),
            });
        });
    }

    /// Ends the family. One without series leaves nothing behind. Its unit is not written, as the original
    /// Pushgateway does not show it either.
    pub fn finish(self) {
        self.finish_with_unit("");
    }

    /// Ends the family, with its unit.
    pub fn finish_with_unit(self, unit: &str) {
        if let Some((out, start)) = self.end(unit) {
            prefix_length(out, start);
        }
    }

    /// Ends the family, with its unit and without a length before it.
    pub fn finish_undelimited(self, unit: &str) {
        self.end(unit);
    }

    /// Where the family begins; `None` when there is nothing of it.
    fn end(self, unit: &str) -> Option<(&'o mut Vec<u8>, usize)> {
        if self.out.len() == self.metrics {
            self.out.truncate(self.start);
            return None;
        }
        if !unit.is_empty() {
            text(self.out, 5, unit);
        }
        Some((self.out, self.start))
    }
}

/// Appends an encoded `MetricFamily` with its length before it.
pub fn delimit(out: &mut Vec<u8>, family: &[u8]) {
    let start = out.len();
    out.extend_from_slice(family);
    prefix_length(out, start);
}

fn counter(out: &mut Vec<u8>, series: Series<'_>) {
    double(out, 1, series.value());
    let Some(detail) = series.detail() else { return };
    if let Some(of_counter) = exemplars(detail, ExemplarOf::Counter).next() {
        exemplar(out, 2, of_counter);
    }
    timestamp(out, 3, detail.created);
}

fn summary(out: &mut Vec<u8>, series: Series<'_>) {
    varint_field(out, 1, series.count() as u64);
    double(out, 2, series.value());
    for point in series.points() {
        message(out, 3, |out| {
            double(out, 1, point.bound);
            double(out, 2, point.value);
        });
    }
    timestamp(out, 4, series.detail().and_then(|detail| detail.created));
}

fn histogram(out: &mut Vec<u8>, series: Series<'_>) {
    let detail = series.detail();
    let native = detail.and_then(|detail| detail.native.as_deref());
    let is_float = match native {
        Some(native) => matches!(native.count, Count::Float(_)),
        None => !series.points().map(|point| point.value).chain([series.count()]).all(is_integer),
    };
    if !is_float {
        let count = match native {
            Some(NativeHistogram { count: Count::Integer(count), .. }) => *count,
            _ => series.count() as u64,
        };
        varint_field(out, 1, count);
    }
    double(out, 2, series.value());
    buckets(out, series, is_float);
    if is_float {
        double(out, 4, series.count());
    }
    if let Some(native) = native {
        native_fields(out, native);
    }
    let Some(detail) = detail else { return };
    timestamp(out, 15, detail.created);
    exemplars(detail, ExemplarOf::Native).for_each(|of_native| exemplar(out, 16, of_native));
}

/// The classic buckets, with `+Inf` as text has it, or without if it was sent so.
fn buckets(out: &mut Vec<u8>, series: Series<'_>, is_float: bool) {
    let without_infinity = series.detail().is_some_and(|detail| detail.without_infinity);
    let mut exemplars: Vec<(u32, &Exemplar)> = series
        .detail()
        .map_or(&[][..], |detail| &detail.exemplars)
        .iter()
        .filter_map(|exemplar| match exemplar.of {
            ExemplarOf::Bucket(number) => Some((number, exemplar)),
            _ => None,
        })
        .collect();
    exemplars.sort_by_key(|&(number, _)| number);
    let mut exemplars = exemplars.into_iter().peekable();
    let mut bucket = |point: Point, number: Option<u32>| {
        // An integer histogram may have come with a classic bucket that is none.
        let is_float = is_float || !is_integer(point.value);
        message(out, 3, |out| {
            if !is_float {
                varint_field(out, 1, point.value as u64);
            }
            double(out, 2, point.bound);
            while exemplars.next_if(|next| Some(next.0) < number).is_some() {} // A second one of a bucket.
            if let Some((_, of_bucket)) = exemplars.next_if(|next| Some(next.0) == number) {
                exemplar(out, 3, of_bucket);
            }
            if is_float {
                double(out, 4, point.value);
            }
        });
    };
    let mut infinity = without_infinity;
    for (number, point) in (0..).zip(series.points()) {
        if point.bound == f64::INFINITY {
            if without_infinity {
                continue; // The text of the series, from which it was read back, has one all the same.
            }
            infinity = true;
        }
        bucket(point, Some(number));
    }
    if !infinity {
        bucket(Point { bound: f64::INFINITY, value: series.count() }, None);
    }
}

fn native_fields(out: &mut Vec<u8>, native: &NativeHistogram) {
    varint_field(out, 5, zigzag(native.schema.into()));
    double(out, 6, native.zero_threshold);
    match native.zero_count {
        Count::Integer(count) => varint_field(out, 7, count),
        Count::Float(count) => double(out, 8, count),
    }
    side(out, 9, &native.negative);
    side(out, 12, &native.positive);
}

fn side(out: &mut Vec<u8>, field: u32, side: &Buckets) {
    for span in &side.spans {
        message(out, field, |out| {
            varint_field(out, 1, zigzag(span.offset.into()));
            varint_field(out, 2, span.length.into());
        });
    }
    side.deltas.iter().for_each(|&delta| varint_field(out, field + 1, zigzag(delta)));
    side.counts.iter().for_each(|&count| double(out, field + 2, count));
}

fn exemplars(detail: &Detail, of: ExemplarOf) -> impl Iterator<Item = &Exemplar> {
    detail.exemplars.iter().filter(move |exemplar| exemplar.of == of)
}

fn exemplar(out: &mut Vec<u8>, field: u32, exemplar: &Exemplar) {
    message(out, field, |out| {
        exemplar.labels.iter().for_each(|(name, value)| label_pair(out, 1, name, value));
        double(out, 2, exemplar.value);
        timestamp(out, 3, exemplar.timestamp);
    });
}

/// Zeros are left out, as this message is one of the newer syntax.
fn timestamp(out: &mut Vec<u8>, field: u32, timestamp: Option<Timestamp>) {
    let Some(Timestamp { seconds, nanos }) = timestamp else { return };
    message(out, field, |out| {
        if seconds != 0 {
            varint_field(out, 1, seconds as u64);
        }
        if nanos != 0 {
            varint_field(out, 2, i64::from(nanos) as u64);
        }
    });
}

fn label_pair(out: &mut Vec<u8>, field: u32, name: &str, value: &str) {
    message(out, field, |out| {
        text(out, 1, name);
        text(out, 2, value);
    });
}

/// Whether a count is a whole number that 64 bits hold.
fn is_integer(count: f64) -> bool {
    count >= 0.0 && count <= u64::MAX as f64 && count.fract() == 0.0
}

fn number_of_kind(kind: Kind) -> u64 {
    match kind {
        Kind::Counter => 0,
        Kind::Gauge => 1,
        Kind::Summary => 2,
        Kind::Untyped => 3,
        Kind::Histogram => 4,
        Kind::GaugeHistogram => 5,
    }
}

/// The field of a metric that holds the value of that kind.
fn field_of_kind(kind: Kind) -> u32 {
    match kind {
        Kind::Gauge => 2,
        Kind::Counter => 3,
        Kind::Summary => 4,
        Kind::Untyped => 5,
        Kind::Histogram | Kind::GaugeHistogram => 7,
    }
}

fn message(out: &mut Vec<u8>, field: u32, write: impl FnOnce(&mut Vec<u8>)) {
    varint(out, u64::from(field) << 3 | 2);
    let start = out.len();
    write(out);
    prefix_length(out, start);
}

/// Puts the length of what was written since `start` before it. A byte is moved once for each message it is in, at
/// most five times, and no length need be known before.
fn prefix_length(out: &mut Vec<u8>, start: usize) {
    let end = out.len();
    varint(out, (end - start) as u64);
    let length = out.len() - end;
    out[start..].rotate_right(length);
}

fn text(out: &mut Vec<u8>, field: u32, text: &str) {
    varint(out, u64::from(field) << 3 | 2);
    varint(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

fn double(out: &mut Vec<u8>, field: u32, number: f64) {
    varint(out, u64::from(field) << 3 | 1);
    let bits = if number.is_nan() { NAN } else { number.to_bits() };
    out.extend_from_slice(&bits.to_le_bytes());
}

fn varint_field(out: &mut Vec<u8>, field: u32, number: u64) {
    varint(out, u64::from(field) << 3);
    varint(out, number);
}

#[inline]
fn varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn zigzag(number: i64) -> u64 {
    (number << 1 ^ number >> 63) as u64
}
