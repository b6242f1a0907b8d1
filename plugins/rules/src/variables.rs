//! The variables of expressions, their fields, and what of a push each stands for.

use crate::on::On;
use crate::types::Type;

/// A variable with fields. There is nothing else to begin an expression with, literals apart.
#[derive(Debug)]
pub(crate) struct Variable {
    pub(crate) name: &'static str,
    /// What it stands for, and so which rules have it.
    pub(crate) on: On,
    pub(crate) fields: &'static [Field],
}

#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) part: Part,
}

/// A part of a push, a metric or a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Job,
    Method,
    PushLabels,
    Caller,
    MetricNames,
    PushSeries,
    MetricName,
    MetricType,
    MetricHelp,
    MetricUnit,
    MetricSeries,
    SeriesLabels,
    SeriesValue,
    SeriesCount,
    LabelName,
    LabelValue,
}

const fn field(name: &'static str, part: Part) -> Field {
    Field { name, part }
}

pub(crate) const VARIABLES: &[Variable] = &[
    Variable {
        name: "push",
        on: On::Push,
        fields: &[
            field("job", Part::Job),
            field("method", Part::Method),
            field("labels", Part::PushLabels),
            field("caller", Part::Caller),
            field("metric_names", Part::MetricNames),
            field("series_count", Part::PushSeries),
        ],
    },
    Variable {
        name: "metric",
        on: On::Metric,
        fields: &[
            field("name", Part::MetricName),
            field("type", Part::MetricType),
            field("help", Part::MetricHelp),
            field("unit", Part::MetricUnit),
            field("series_count", Part::MetricSeries),
        ],
    },
    Variable {
        name: "series",
        on: On::Series,
        fields: &[
            field("name", Part::MetricName),
            field("labels", Part::SeriesLabels),
            field("value", Part::SeriesValue),
            field("count", Part::SeriesCount),
        ],
    },
    Variable {
        name: "label",
        on: On::Label,
        fields: &[field("name", Part::LabelName), field("value", Part::LabelValue)],
    },
];

impl Part {
    pub(crate) fn type_of(self) -> Type {
        match self {
            Self::Job | Self::Method | Self::MetricName | Self::MetricType => Type::String,
            Self::MetricHelp | Self::MetricUnit | Self::LabelName | Self::LabelValue => Type::String,
            Self::PushLabels | Self::Caller | Self::SeriesLabels => Type::Labels,
            Self::MetricNames => Type::list_of(Type::String),
            Self::PushSeries | Self::MetricSeries => Type::Int,
            Self::SeriesValue | Self::SeriesCount => Type::Double,
        }
    }

    /// How often in a push it has another value.
    pub(crate) fn changes_with(self) -> On {
        match self {
            Self::Job | Self::Method | Self::PushLabels | Self::Caller => On::Push,
            Self::MetricNames | Self::PushSeries => On::Push,
            Self::MetricName | Self::MetricType | Self::MetricHelp | Self::MetricUnit => On::Metric,
            Self::MetricSeries => On::Metric,
            Self::SeriesLabels | Self::SeriesValue | Self::SeriesCount => On::Series,
            Self::LabelName | Self::LabelValue => On::Label,
        }
    }
}
