//! The value of a metric, whatever its type.

use crate::protobuf::error::Fault;
use crate::protobuf::exemplar::{ExemplarDraft, check_timestamp, timestamp};
use crate::protobuf::native::{CountDraft, NativeDraft};
use crate::protobuf::wire::{Reader, Wire, double};
use crate::{Count, Detail, Exemplar, ExemplarOf, Flaw, Kind, Limits, Point, Timestamp};

/// What was read of a metric's value so far. A message may come in parts, which are one in the end; of a field that
/// is not repeated, the last one counts.
#[derive(Default)]
pub(super) struct Sample<'a> {
    pub(super) is_present: bool,
    /// The value, or the sum of a summary or histogram.
    pub(super) value: f64,
    pub(super) count: CountDraft,
    pub(super) points: Vec<Point>,
    created: Option<Timestamp>,
    of_counter: Option<ExemplarDraft<'a>>,
    of_buckets: Vec<Exemplar>,
    of_native: Vec<Exemplar>,
    native: NativeDraft,
    /// The first thing that was wrong.
    flaw: Option<Flaw>,
}

impl<'a> Sample<'a> {
    /// Reads a message of the type that belongs to a kind.
    pub(super) fn read(&mut self, kind: Kind, message: Reader<'a>, limits: &Limits) -> Result<(), Fault> {
        self.is_present = true;
        match kind {
            Kind::Untyped | Kind::Gauge => self.simple(message),
            Kind::Counter => self.counter(message, limits),
            Kind::Summary => self.summary(message),
            Kind::Histogram | Kind::GaugeHistogram => self.histogram(message, limits),
        }
    }

    fn simple(&mut self, mut message: Reader<'a>) -> Result<(), Fault> {
        while let Some((number, wire)) = message.field()? {
            if let (1, Wire::Fixed64(bits)) = (number, wire) {
                self.value = double(bits);
            }
        }
        Ok(())
    }

    fn counter(&mut self, mut message: Reader<'a>, limits: &Limits) -> Result<(), Fault> {
        while let Some((number, wire)) = message.field()? {
            match (number, wire) {
                (1, Wire::Fixed64(bits)) => self.value = double(bits),
                (2, Wire::Bytes(exemplar)) => {
                    self.of_counter.get_or_insert_default().read(exemplar, limits)?;
                }
                (3, Wire::Bytes(created)) => timestamp(created, &mut self.created)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn summary(&mut self, mut message: Reader<'a>) -> Result<(), Fault> {
        while let Some((number, wire)) = message.field()? {
            match (number, wire) {
                (1, Wire::Varint(count)) => self.count.integer = count,
                (2, Wire::Fixed64(bits)) => self.value = double(bits),
                (3, Wire::Bytes(quantile)) => self.quantile(quantile)?,
                (4, Wire::Bytes(created)) => timestamp(created, &mut self.created)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn quantile(&mut self, mut message: Reader<'a>) -> Result<(), Fault> {
        let mut point = Point { bound: 0.0, value: 0.0 };
        while let Some((number, wire)) = message.field()? {
            match (number, wire) {
                (1, Wire::Fixed64(bits)) => point.bound = double(bits),
                (2, Wire::Fixed64(bits)) => point.value = double(bits),
                _ => {}
            }
        }
        self.point(point, "a quantile");
        Ok(())
    }

    fn histogram(&mut self, mut message: Reader<'a>, limits: &Limits) -> Result<(), Fault> {
        while let Some((number, wire)) = message.field()? {
            match (number, wire) {
                (1, Wire::Varint(count)) => self.count.integer = count,
                (2, Wire::Fixed64(bits)) => self.value = double(bits),
                (3, Wire::Bytes(bucket)) => self.bucket(bucket, limits)?,
                (4, Wire::Fixed64(bits)) => self.count.float = double(bits),
                (15, Wire::Bytes(created)) => timestamp(created, &mut self.created)?,
                (16, Wire::Bytes(exemplar)) => {
                    let mut draft = ExemplarDraft::default();
                    draft.read(exemplar, limits)?;
                    let exemplar = self.note(draft.finish(ExemplarOf::Native));
                    self.of_native.extend(exemplar);
                }
                (number, wire) => self.native.field(number, wire)?,
            }
        }
        Ok(())
    }

    fn bucket(&mut self, mut message: Reader<'a>, limits: &Limits) -> Result<(), Fault> {
        let (mut bound, mut count, mut exemplar) = (0.0, CountDraft::default(), None);
        while let Some((number, wire)) = message.field()? {
            match (number, wire) {
                (1, Wire::Varint(integer)) => count.integer = integer,
                (2, Wire::Fixed64(bits)) => bound = double(bits),
                (3, Wire::Bytes(message)) => {
                    exemplar.get_or_insert_with(ExemplarDraft::default).read(message, limits)?;
                }
                (4, Wire::Fixed64(bits)) => count.float = double(bits),
                _ => {}
            }
        }
        self.note(count.check("a bucket count"));
        if let Some(exemplar) = exemplar {
            let exemplar = self.note(exemplar.finish(ExemplarOf::Bucket(self.points.len() as u32)));
            self.of_buckets.extend(exemplar);
        }
        self.point(Point { bound, value: count.value() }, "a bucket bound");
        Ok(())
    }

    /// A bound that is NaN could not be told from others, nor be read in text.
    fn point(&mut self, point: Point, what: &'static str) {
        if point.bound.is_nan() {
            self.note(Err::<(), _>(Flaw::NotANumber(what)));
        }
        self.points.push(point);
    }

    /// Notes the first flaw.
    fn note<T>(&mut self, result: Result<T, Flaw>) -> Option<T> {
        match result {
            Ok(it) => Some(it),
            Err(flaw) => {
                self.flaw.get_or_insert(flaw);
                None
            }
        }
    }

    /// What the columns have no place for, taken out of the sample.
    pub(super) fn take_detail(&mut self, kind: Kind) -> Result<Detail, Flaw> {
        if let Some(flaw) = self.flaw.take() {
            return Err(flaw);
        }
        check_timestamp(self.created)?;
        self.count.check("a count")?;
        let mut exemplars = std::mem::take(&mut self.of_buckets);
        exemplars.append(&mut self.of_native);
        if let Some(exemplar) = self.of_counter.take() {
            exemplars.push(exemplar.finish(ExemplarOf::Counter)?);
        }
        let native = std::mem::take(&mut self.native).finish(self.count, self.value)?;
        let is_integer = native.as_ref().is_some_and(|native| matches!(native.count, Count::Integer(_)));
        if is_integer && self.points.iter().any(|point| point.value.fract() != 0.0) {
            return Err(Flaw::MixedCounts);
        }
        let without_infinity =
            kind.point_label() == Some("le") && self.points.iter().all(|point| point.bound != f64::INFINITY);
        Ok(Detail { created: self.created, exemplars: exemplars.into(), native, without_infinity })
    }
}
