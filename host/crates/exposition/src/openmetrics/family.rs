//! The types of families, and which samples each has.

use std::borrow::Cow;

use crate::openmetrics::Problem;
use crate::openmetrics::metric::Metric;
use crate::text::quote;
use crate::{Kind, Sym};

/// The type of a family, as a TYPE line names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Type {
    #[default]
    Unknown,
    Gauge,
    Counter,
    StateSet,
    Info,
    Histogram,
    GaugeHistogram,
    Summary,
}

/// What a sample is to its metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Value,
    Created,
    Bucket,
    Quantile,
    Sum,
    Count,
}

impl Type {
    pub(super) fn from_word(word: &[u8]) -> Option<Self> {
        Some(match word {
            b"unknown" => Self::Unknown,
            b"gauge" => Self::Gauge,
            b"counter" => Self::Counter,
            b"stateset" => Self::StateSet,
            b"info" => Self::Info,
            b"histogram" => Self::Histogram,
            b"gaugehistogram" => Self::GaugeHistogram,
            b"summary" => Self::Summary,
            _ => return None,
        })
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Gauge => "gauge",
            Self::Counter => "counter",
            Self::StateSet => "stateset",
            Self::Info => "info",
            Self::Histogram => "histogram",
            Self::GaugeHistogram => "gaugehistogram",
            Self::Summary => "summary",
        }
    }

    /// The samples of a family by the suffix of their names.
    pub(super) fn parts(self) -> &'static [(&'static [u8], Part)] {
        match self {
            Self::Unknown | Self::Gauge | Self::StateSet => &[(b"", Part::Value)],
            Self::Counter => &[(b"_total", Part::Value), (b"_created", Part::Created)],
            Self::Info => &[(b"_info", Part::Value)],
            Self::Histogram => &[
                (b"_bucket", Part::Bucket),
                (b"_sum", Part::Sum),
                (b"_count", Part::Count),
                (b"_created", Part::Created),
            ],
            Self::GaugeHistogram => {
                &[(b"_bucket", Part::Bucket), (b"_gsum", Part::Sum), (b"_gcount", Part::Count)]
            }
            Self::Summary => &[
                (b"", Part::Quantile),
                (b"_sum", Part::Sum),
                (b"_count", Part::Count),
                (b"_created", Part::Created),
            ],
        }
    }

    /// What Prometheus makes of it.
    pub(super) fn kind(self) -> Kind {
        match self {
            Self::Unknown => Kind::Untyped,
            Self::Gauge | Self::StateSet | Self::Info => Kind::Gauge,
            Self::Counter => Kind::Counter,
            Self::Histogram => Kind::Histogram,
            Self::GaugeHistogram => Kind::GaugeHistogram,
            Self::Summary => Kind::Summary,
        }
    }

    /// What the name of the family in the columns has behind it: there a family has the name of its samples.
    pub(super) fn column_suffix(self) -> &'static [u8] {
        match self {
            Self::Counter => b"_total",
            Self::Info => b"_info",
            _ => b"",
        }
    }

    pub(super) fn may_have_unit(self) -> bool {
        !matches!(self, Self::Info | Self::StateSet)
    }

    pub(super) fn may_have_exemplar(self, part: Part) -> bool {
        part == Part::Bucket || (self == Self::Counter && part == Part::Value)
    }

    /// What is wrong with the value of a sample, if something is.
    pub(super) fn value_rule(self, part: Part, value: f64) -> Option<&'static str> {
        let (is_right, rule) = match (self, part) {
            (Self::Counter, Part::Value) => (value >= 0.0, "the value of a counter is a number from 0 up"),
            (Self::Info, Part::Value) => (value == 1.0, "the value of an info is 1"),
            (Self::StateSet, Part::Value) => (value == 0.0 || value == 1.0, "the value of a state is 0 or 1"),
            (_, Part::Bucket | Part::Count) => {
                (value >= 0.0 && value.fract() == 0.0, "a count is a whole number from 0 up")
            }
            (_, Part::Sum) => (!value.is_nan(), "a sum is a number"),
            _ => return None,
        };
        (!is_right).then_some(rule)
    }
}

/// The family whose lines are read.
pub(super) struct Family<'a> {
    pub(super) name: Cow<'a, [u8]>,
    /// Where it begins.
    pub(super) line: u32,
    /// The line that it begins with, if a family of that name stands right before it.
    pub(super) late: Option<&'static str>,
    /// By its TYPE line.
    pub(super) declared: Option<Type>,
    pub(super) help: Option<Sym>,
    pub(super) unit: Option<Sym>,
    /// The family in the columns, once it has a sample.
    pub(super) row: Option<u32>,
    /// The metric whose lines are read.
    pub(super) metric: Option<Metric>,
}

impl<'a> Family<'a> {
    pub(super) fn new(name: Cow<'a, [u8]>, line: u32, late: Option<&'static str>) -> Self {
        Self { name, line, late, declared: None, help: None, unit: None, row: None, metric: None }
    }

    pub(super) fn kind(&self) -> Type {
        self.declared.unwrap_or_default()
    }

    /// What a sample of that name is to the family, if it belongs to it.
    pub(super) fn part(&self, name: &[u8]) -> Option<Part> {
        let suffix = name.strip_prefix(&*self.name)?;
        let parts = self.kind().parts();
        parts.iter().find_map(|&(of, part)| (of == suffix).then_some(part))
    }

    pub(super) fn rule(&self, rule: &'static str) -> Problem {
        Problem::Rule { kind: self.kind().as_str(), name: quote(&self.name), rule }
    }
}
