//! One metric of a family: its samples, which stand together, until it becomes a series.

use crate::openmetrics::family::{Part, Type};
use crate::{Builder, Detail, Exemplar, ExemplarOf, Label, Point, Timestamp};

/// The metric whose lines are read. It may have several points in time; the last one stays.
pub(super) struct Metric {
    /// Where it begins.
    pub(super) line: u32,
    pub(super) labels: Vec<Label>,
    /// That of all its samples.
    timestamp: Option<Timestamp>,
    /// The value, or the sum.
    value: Option<f64>,
    count: Option<f64>,
    created: Option<Timestamp>,
    points: Vec<Point>,
    exemplars: Vec<Exemplar>,
}

/// What one sample says.
pub(super) struct Sample {
    pub(super) part: Part,
    pub(super) value: f64,
    /// The value, if the part is [`Part::Created`].
    pub(super) created: Option<Timestamp>,
    /// `le` or `quantile`.
    pub(super) bound: Option<f64>,
    pub(super) timestamp: Option<Timestamp>,
    pub(super) exemplar: Option<Exemplar>,
}

/// What is wrong with a metric.
#[derive(Clone, Copy)]
pub(super) enum Fault {
    /// The sample came already.
    Duplicate,
    /// A rule, in words.
    Rule(&'static str),
}

impl Metric {
    pub(super) fn new(line: u32, labels: Vec<Label>, timestamp: Option<Timestamp>) -> Self {
        Self {
            line,
            labels,
            timestamp,
            value: None,
            count: None,
            created: None,
            points: Vec::new(),
            exemplars: Vec::new(),
        }
    }

    /// Adds a sample that has the labels of this metric.
    pub(super) fn add(&mut self, kind: Type, sample: Sample) -> Result<(), Fault> {
        match (self.timestamp, sample.timestamp) {
            (None, None) => {}
            (Some(before), Some(now)) => {
                let (before, now) = ((before.seconds, before.nanos), (now.seconds, now.nanos));
                if now < before {
                    return Err(Fault::Rule("its timestamps go backwards"));
                }
                if now > before {
                    self.check(kind)?;
                    let labels = std::mem::take(&mut self.labels);
                    *self = Self::new(self.line, labels, sample.timestamp);
                }
            }
            _ => return Err(Fault::Rule("some of its samples have a timestamp and some do not")),
        }
        let is_new = match sample.part {
            Part::Value | Part::Sum => self.value.replace(sample.value).is_none(),
            Part::Count => self.count.replace(sample.value).is_none(),
            Part::Created => std::mem::replace(&mut self.created, sample.created).is_none(),
            Part::Bucket => return self.add_bucket(sample),
            Part::Quantile => {
                let bound = sample.bound.ok_or(Fault::Rule("there is no label quantile"))?;
                if !(0.0..=1.0).contains(&bound) {
                    return Err(Fault::Rule("a quantile is a number from 0 to 1"));
                }
                self.points.push(Point { bound, value: sample.value });
                return Ok(());
            }
        };
        // With the same timestamp, it may be that a finer one was cut.
        if !is_new && sample.timestamp.is_none() {
            return Err(Fault::Duplicate);
        }
        let of_counter = |exemplar| Exemplar { of: ExemplarOf::Counter, ..exemplar };
        self.exemplars.extend(sample.exemplar.map(of_counter));
        Ok(())
    }

    fn add_bucket(&mut self, sample: Sample) -> Result<(), Fault> {
        let bound = sample.bound.ok_or(Fault::Rule("there is no label le"))?;
        if let Some(before) = self.points.last() {
            if bound <= before.bound {
                return Err(Fault::Rule("its buckets are not in the order of le"));
            }
            if sample.value < before.value {
                return Err(Fault::Rule("a bucket counts less than the one before, which is a part of it"));
            }
        }
        if let Some(exemplar) = sample.exemplar {
            let number = u32::try_from(self.points.len()).unwrap_or(u32::MAX);
            self.exemplars.push(Exemplar { of: ExemplarOf::Bucket(number), ..exemplar });
        }
        self.points.push(Point { bound, value: sample.value });
        Ok(())
    }

    /// Whether the metric is whole.
    pub(super) fn check(&self, kind: Type) -> Result<(), Fault> {
        let rule = match kind {
            Type::Counter if self.value.is_none() => "there is no sample that ends in _total",
            Type::Summary if self.has_duplicate_quantile() => return Err(Fault::Duplicate),
            Type::Histogram | Type::GaugeHistogram => {
                let Some(all) = self.points.last().filter(|last| last.bound == f64::INFINITY) else {
                    return Err(Fault::Rule("there is no bucket with le=\"+Inf\""));
                };
                let has_negative_bound = self.points.first().is_some_and(|first| first.bound < 0.0);
                if self.value.is_some() != self.count.is_some() {
                    "there is a sum without a count, or a count without a sum"
                } else if self.count.is_some_and(|count| count != all.value) {
                    "the count is not that of the bucket with le=\"+Inf\""
                } else if self.value.is_some_and(|sum| sum < 0.0) && !has_negative_bound {
                    "the sum is negative, but no bucket is for negative values"
                } else {
                    return Ok(());
                }
            }
            _ => return Ok(()),
        };
        Err(Fault::Rule(rule))
    }

    fn has_duplicate_quantile(&self) -> bool {
        let mut bounds: Vec<f64> = self.points.iter().map(|point| point.bound + 0.0).collect();
        bounds.sort_unstable_by(f64::total_cmp);
        !bounds.is_sorted_by(|a, b| a < b)
    }

    /// Adds the metric to the columns. A histogram without count has that of its last bucket.
    pub(super) fn write(self, builder: &mut Builder, family: u32) -> u32 {
        let series = builder.series(family, &self.labels, self.value.unwrap_or_default());
        if !builder.kind(family).is_simple() {
            let all = self.points.last().filter(|last| last.bound == f64::INFINITY);
            builder.set_count(series, self.count.or(all.map(|all| all.value)).unwrap_or_default());
        }
        self.points.iter().for_each(|point| builder.point(series, point.bound, point.value));
        let detail = Detail { created: self.created, exemplars: self.exemplars.into(), ..Detail::default() };
        if !detail.is_empty() {
            builder.set_detail(series, detail);
        }
        series
    }
}
