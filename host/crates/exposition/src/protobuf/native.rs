//! The native part of a histogram: exponential buckets, listed by spans.
//! <https://prometheus.io/docs/specs/native_histograms/>
//!
//! What Prometheus checks when it appends a native histogram is checked here, since one that it refuses costs it the
//! whole scrape. Only negative spans that overlap are taken all the same: pushes with which the original Pushgateway is
//! tested have them, so they must be taken here, too, and shown as they are.

use crate::protobuf::error::Fault;
use crate::protobuf::wire::{Reader, Wire, double, zigzag, zigzag32};
use crate::{Buckets, Count, Flaw, NativeHistogram, Span};

/// The schemas of exponential buckets.
const SCHEMAS: std::ops::RangeInclusive<i32> = -4..=8;

/// A count, which may come as an integer, as a float, or as both; then the float counts.
#[derive(Clone, Copy, Default)]
pub(super) struct CountDraft {
    pub(super) integer: u64,
    pub(super) float: f64,
}

impl CountDraft {
    /// The count. A float of 0 is no count, but one that is impossible is not overlooked.
    pub(super) fn value(self) -> f64 {
        if self.is_float() { self.float } else { self.integer as f64 }
    }

    /// Whether it can be one.
    pub(super) fn check(self, what: &'static str) -> Result<(), Flaw> {
        if self.float >= 0.0 && self.float.is_finite() { Ok(()) } else { Err(Flaw::ImpossibleCount(what)) }
    }

    fn is_float(self) -> bool {
        self.float > 0.0
    }

    fn is_integer(self) -> bool {
        self.integer > 0 && !self.is_float()
    }

    fn of_kind(self, is_float: bool) -> Count {
        if is_float { Count::Float(self.float) } else { Count::Integer(self.integer) }
    }
}

/// What was read of a native histogram so far.
#[derive(Default)]
pub(super) struct NativeDraft {
    /// Whether there is any.
    is_present: bool,
    schema: i32,
    zero_threshold: f64,
    zero_count: CountDraft,
    negative: Side,
    positive: Side,
}

/// What was read of the buckets on one side of zero.
#[derive(Default)]
struct Side {
    spans: Vec<Span>,
    deltas: Vec<i64>,
    counts: Vec<f64>,
}

impl NativeDraft {
    /// Takes a field of a histogram, if it belongs to the native part.
    pub(super) fn field(&mut self, number: u32, wire: Wire<'_>) -> Result<(), Fault> {
        match (number, wire) {
            (5, Wire::Varint(schema)) => self.schema = zigzag32(schema),
            (6, Wire::Fixed64(bits)) => self.zero_threshold = double(bits),
            (7, Wire::Varint(count)) => self.zero_count.integer = count,
            (8, Wire::Fixed64(bits)) => self.zero_count.float = double(bits),
            (9..=11, wire) => self.negative.field(number - 9, wire)?,
            (12..=14, wire) => self.positive.field(number - 12, wire)?,
            _ => return Ok(()),
        }
        self.is_present = true;
        Ok(())
    }

    /// The native part of a histogram with that count and sum, if it has one.
    pub(super) fn finish(self, count: CountDraft, sum: f64) -> Result<Option<Box<NativeHistogram>>, Flaw> {
        if !self.is_present {
            return Ok(None);
        }
        if !SCHEMAS.contains(&self.schema) {
            return Err(Flaw::Schema(self.schema));
        }
        if !(self.zero_threshold >= 0.0 && self.zero_threshold.is_finite()) {
            return Err(Flaw::ZeroThreshold(self.zero_threshold.to_string()));
        }
        self.zero_count.check("a count of its zero bucket")?;
        let sides = [&self.negative, &self.positive];
        let has_counts = sides.iter().any(|side| !side.counts.is_empty());
        let has_deltas = sides.iter().any(|side| !side.deltas.is_empty());
        let is_float = has_counts || count.is_float() || self.zero_count.is_float();
        if is_float && (has_deltas || count.is_integer() || self.zero_count.is_integer()) {
            return Err(Flaw::MixedCounts);
        }
        let observed = self.negative.check("negative")? + self.positive.check("positive")?;
        if self.positive.has_overlap() {
            return Err(Flaw::Overlap);
        }
        if !is_float {
            let observed = observed + u128::from(self.zero_count.integer);
            let expected = u128::from(count.integer);
            // An observation that is NaN is counted, but is in no bucket.
            if observed > expected || (observed < expected && !sum.is_nan()) {
                return Err(Flaw::CountMismatch { count: count.integer, observed });
            }
        }
        Ok(Some(Box::new(NativeHistogram {
            schema: self.schema,
            zero_threshold: self.zero_threshold,
            zero_count: self.zero_count.of_kind(is_float),
            count: count.of_kind(is_float),
            negative: self.negative.finish(),
            positive: self.positive.finish(),
        })))
    }
}

impl Side {
    /// Takes spans (0), deltas (1) or counts (2); numbers one by one or packed.
    fn field(&mut self, number: u32, wire: Wire<'_>) -> Result<(), Fault> {
        match (number, wire) {
            (0, Wire::Bytes(message)) => self.spans.push(span(message)?),
            (1, Wire::Varint(delta)) => self.deltas.push(zigzag(delta)),
            (1, Wire::Bytes(mut packed)) => {
                while !packed.is_empty() {
                    self.deltas.push(zigzag(packed.varint()?));
                }
            }
            (2, Wire::Fixed64(bits)) => self.counts.push(double(bits)),
            (2, Wire::Bytes(mut packed)) => {
                while !packed.is_empty() {
                    self.counts.push(double(packed.fixed64()?));
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// How many observations there are, if the counts are integers.
    fn check(&self, side: &'static str) -> Result<u128, Flaw> {
        let buckets = self.deltas.len() + self.counts.len();
        let spans = self.spans.iter().map(|span| u64::from(span.length)).sum();
        if spans != buckets as u64 {
            return Err(Flaw::Spans { side, spans, buckets });
        }
        let mut number = 0; // Of the bucket behind the span.
        for span in &self.spans {
            let first = number + i64::from(span.offset);
            number = first + i64::from(span.length);
            if i32::try_from(first).is_err() || i32::try_from(number).is_err() {
                return Err(Flaw::BucketNumber(side));
            }
        }
        if !self.counts.iter().all(|&count| count >= 0.0 && count.is_finite()) {
            return Err(Flaw::ImpossibleCount("a count of a native bucket"));
        }
        let (mut count, mut observed) = (0_i64, 0_u128);
        for &delta in &self.deltas {
            count = count
                .checked_add(delta)
                .filter(|&count| count >= 0)
                .ok_or(Flaw::ImpossibleCount("a count of a native bucket"))?;
            observed += count as u128;
        }
        Ok(observed)
    }

    /// Whether a bucket has no higher number than one before it. Empty ones do not count, as Prometheus drops them
    /// before it looks.
    fn has_overlap(&self) -> bool {
        let mut count = 0_i64;
        let by_deltas = self.deltas.iter().map(|&delta| {
            count = count.wrapping_add(delta);
            count != 0
        });
        let mut filled = by_deltas.chain(self.counts.iter().map(|&count| count != 0.0));
        let (mut number, mut last) = (0_i64, i64::MIN);
        for span in &self.spans {
            number += i64::from(span.offset);
            for is_filled in filled.by_ref().take(span.length as usize) {
                if is_filled && number <= last {
                    return true;
                }
                last = if is_filled { number } else { last };
                number += 1;
            }
        }
        false
    }

    fn finish(self) -> Buckets {
        Buckets { spans: self.spans.into(), deltas: self.deltas.into(), counts: self.counts.into() }
    }
}

fn span(mut message: Reader<'_>) -> Result<Span, Fault> {
    let mut span = Span { offset: 0, length: 0 };
    while let Some((number, wire)) = message.field()? {
        match (number, wire) {
            (1, Wire::Varint(offset)) => span.offset = zigzag32(offset),
            (2, Wire::Varint(length)) => span.length = length as u32,
            _ => {}
        }
    }
    Ok(span)
}
