//! What an expression reads, as the interpreter asks for it.

use std::sync::OnceLock;

use cel::common::types::{CelBool, CelDouble, CelInt, CelList, CelString};
use cel::common::value::{CowVal, Val};
use cel::context::VariableResolver;
use pushgate_plugin::{Family, Method, Push, Series, Sym};

use crate::label_map::LabelMap;
use crate::variables::Part;

/// Something that an expression reads.
#[derive(Debug)]
pub(crate) enum Input {
    /// Always the same: a list or a pattern of the expression itself.
    Constant(Box<dyn Val>),
    Part(Part),
    /// A label or an attribute, by its name; empty when it is not there.
    Label(Part, String),
    /// Whether there is such a label, and not an empty one.
    Has(Part, String),
}

impl Input {
    pub(crate) fn constant(values: Vec<Box<dyn Val>>) -> Self {
        Self::Constant(Box::new(CelList::from(values)))
    }

    /// The variable that an input becomes; nobody can write it.
    pub(crate) fn name(index: usize) -> String {
        format!("${index}")
    }

    fn index_of(name: &str) -> Option<usize> {
        name.strip_prefix('$')?.parse().ok()
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Part(one), Self::Part(another)) => one == another,
            (Self::Label(one, name), Self::Label(another, other))
            | (Self::Has(one, name), Self::Has(another, other)) => (one, name) == (another, other),
            _ => false,
        }
    }

    pub(crate) fn part(&self) -> Option<Part> {
        match self {
            Self::Constant(_) => None,
            Self::Part(part) | Self::Label(part, _) | Self::Has(part, _) => Some(*part),
        }
    }
}

/// What an expression is asked about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'p> {
    pub(crate) push: &'p Push,
    /// In rules on metrics and series.
    pub(crate) family: Option<Family<'p>>,
    /// In rules on series, and on labels the first one that has the label, if it is not in the grouping key.
    pub(crate) series: Option<Series<'p>>,
    /// In rules on labels.
    pub(crate) label: Option<Label<'p>>,
}

/// A label of the grouping key or of series.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Label<'p> {
    pub(crate) name: &'p str,
    pub(crate) value: &'p str,
    /// The name as a symbol, where it is one of a series.
    pub(crate) symbol: Option<Sym>,
}

impl<'p> Subject<'p> {
    fn text(self, part: Part) -> &'p str {
        let family = self.family;
        match part {
            Part::Job => self.push.job(),
            Part::Method => match self.push.method() {
                Method::Put => "PUT",
                Method::Post => "POST",
                Method::Delete => "DELETE",
            },
            Part::MetricName => family.map_or("", Family::name),
            Part::MetricType => family.map_or("", |family| family.kind().as_str()),
            Part::MetricHelp => family.and_then(Family::help).unwrap_or_default(),
            Part::LabelName => self.label.map_or("", |label| label.name),
            Part::LabelValue => self.label.map_or("", |label| label.value),
            Part::MetricUnit => family.and_then(Family::unit).unwrap_or_default(),
            _ => "",
        }
    }

    fn label(self, part: Part, name: &str) -> &'p str {
        let label = match part {
            Part::PushLabels => self.push.grouping_label(name),
            Part::Caller => self.push.attribute(name),
            _ => self.series.and_then(|series| series.label(name)),
        };
        label.unwrap_or_default()
    }

    fn labels(self, part: Part) -> LabelMap<'p> {
        let grouping = || self.push.grouping().map(|label| (label.name(), label.value()));
        match part {
            Part::PushLabels => LabelMap::new(grouping()),
            Part::Caller => LabelMap::new(self.push.attributes()),
            _ => {
                let own = self.series.into_iter().flat_map(Series::labels);
                LabelMap::new(grouping().chain(own.map(|label| (label.name(), label.value()))))
            }
        }
    }

    fn value(self, part: Part) -> CowVal<'p, 'p> {
        let int = |count: usize| CowVal::owned(CelInt::from(i64::try_from(count).unwrap_or(i64::MAX)));
        let double = |value: Option<f64>| CowVal::owned(CelDouble::from(value.unwrap_or(f64::NAN)));
        match part {
            Part::MetricNames => {
                let boxed =
                    |family: Family<'p>| -> Box<dyn Val + 'p> { Box::new(CelString::from(family.name())) };
                let names: Vec<Box<dyn Val + 'p>> = self.push.families().map(boxed).collect();
                CowVal::owned(CelList::from(names))
            }
            Part::PushSeries => int(self.push.series_count()),
            Part::MetricSeries => int(self.family.map_or(0, |family| family.series().len())),
            Part::SeriesValue => double(self.series.and_then(Series::value)),
            Part::SeriesCount => double(self.series.and_then(Series::count)),
            _ => CowVal::owned(CelString::from(self.text(part))),
        }
    }
}

/// Gives the interpreter what it asks for, and only that.
#[derive(Debug)]
pub(crate) struct Reader<'p> {
    inputs: &'p [Input],
    subject: Subject<'p>,
    /// Labels as a whole, kept because loops over them ask again and again.
    labels: [OnceLock<LabelMap<'p>>; 3],
}

impl<'p> Reader<'p> {
    pub(crate) fn new(inputs: &'p [Input], subject: Subject<'p>) -> Self {
        Self { inputs, subject, labels: Default::default() }
    }

    fn labels(&self, part: Part) -> &LabelMap<'p> {
        let kept = match part {
            Part::PushLabels => &self.labels[0],
            Part::Caller => &self.labels[1],
            _ => &self.labels[2],
        };
        kept.get_or_init(|| self.subject.labels(part))
    }
}

impl VariableResolver for Reader<'_> {
    fn resolve<'b>(&'b self, name: &str) -> Option<CowVal<'b, 'b>> {
        Some(match self.inputs.get(Input::index_of(name)?)? {
            Input::Constant(value) => CowVal::Borrowed(value.as_ref()),
            Input::Part(part @ (Part::PushLabels | Part::Caller | Part::SeriesLabels)) => {
                CowVal::Borrowed(self.labels(*part))
            }
            Input::Part(part) => self.subject.value(*part),
            Input::Label(part, name) => CowVal::owned(CelString::from(self.subject.label(*part, name))),
            Input::Has(part, name) => {
                CowVal::owned(CelBool::from(!self.subject.label(*part, name).is_empty()))
            }
        })
    }
}
