//! Labels as a value of expressions.

use cel::ExecutionError;
use cel::common::traits::{Container, Indexer, Iterable, Iterator as Elements, Sizer};
use cel::common::types::{CelInt, CelString, MAP_TYPE, Type};
use cel::common::value::{CowVal, Val};

/// Labels by name, in the order that they have in the push. Like a map, but a label that is not there is the empty
/// string, as it is in PromQL; an empty one is not there.
#[derive(Clone, Debug)]
pub(crate) struct LabelMap<'v> {
    names: Vec<CelString<'v>>,
    values: Vec<&'v str>,
}

impl<'v> LabelMap<'v> {
    pub(crate) fn new(labels: impl Iterator<Item = (&'v str, &'v str)>) -> Self {
        let labels = labels.filter(|(_, value)| !value.is_empty());
        let (names, values) = labels.map(|(name, value)| (CelString::from(name), value)).unzip();
        Self { names, values }
    }

    fn value(&self, name: &dyn Val) -> Result<Option<&'v str>, ExecutionError> {
        let Some(name) = name.downcast_ref::<CelString<'_>>() else {
            return Err(ExecutionError::function_error("labels", "are looked up by a string"));
        };
        let position = self.names.iter().position(|known| known.inner() == name.inner());
        Ok(position.map(|position| self.values[position]))
    }
}

impl Val for LabelMap<'_> {
    fn get_type(&self) -> &Type {
        &MAP_TYPE
    }

    fn cel_type() -> &'static Type {
        &MAP_TYPE
    }

    fn as_container(&self) -> Option<&dyn Container> {
        Some(self)
    }

    fn as_indexer<'b, 'v>(&'b self) -> Option<&'b (dyn Indexer + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }

    fn as_iterable<'b, 'v>(&'b self) -> Option<&'b (dyn Iterable + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }

    fn as_sizer(&self) -> Option<&dyn Sizer> {
        Some(self)
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
    where
        Self: 'v,
    {
        Box::new(self.clone())
    }
}

impl Container for LabelMap<'_> {
    fn contains(&self, name: &dyn Val) -> Result<bool, ExecutionError> {
        self.value(name).map(|value| value.is_some())
    }
}

impl Indexer for LabelMap<'_> {
    fn get<'b, 'v>(&'b self, name: &dyn Val) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        Ok(CowVal::owned(CelString::from(self.value(name)?.unwrap_or_default())))
    }

    fn steal<'v>(self: Box<Self>, name: &dyn Val) -> Result<Box<dyn Val + 'v>, ExecutionError>
    where
        Self: 'v,
    {
        Ok(Box::new(CelString::from(self.value(name)?.unwrap_or_default())))
    }
}

impl Iterable for LabelMap<'_> {
    fn iter<'b, 'v>(&'b self) -> Box<dyn Elements<'b, 'v> + 'b>
    where
        Self: 'v,
    {
        Box::new(Names(self.names.iter()))
    }
}

impl Sizer for LabelMap<'_> {
    fn size(&self) -> CelInt {
        CelInt::from(i64::try_from(self.names.len()).unwrap_or(i64::MAX))
    }
}

struct Names<'b, 'n>(std::slice::Iter<'b, CelString<'n>>);

impl<'b, 'v, 'n: 'v> Elements<'b, 'v> for Names<'b, 'n> {
    fn next(&mut self) -> Option<&'b (dyn Val + 'v)> {
        self.0.next().map(|name| name as &dyn Val)
    }
}
