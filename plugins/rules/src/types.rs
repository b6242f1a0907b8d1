//! The types of expressions: those of CEL that a push has values of.

use std::fmt;

/// The type of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    Bool,
    Int,
    Double,
    String,
    List(Box<Type>),
    Map(Box<Type>, Box<Type>),
    /// Labels or attributes by name. Unlike in a map, one that is not there reads as the empty string.
    Labels,
    /// What an empty list or map has in it.
    Nothing,
}

impl Type {
    pub(crate) fn list_of(element: Self) -> Self {
        Self::List(Box::new(element))
    }

    pub(crate) fn is_number(&self) -> bool {
        matches!(self, Self::Int | Self::Double)
    }

    /// The type that values of both have.
    pub(crate) fn join(&self, other: &Self) -> Option<Self> {
        match (self, other) {
            (Self::Nothing, any) | (any, Self::Nothing) => Some(any.clone()),
            (Self::List(one), Self::List(another)) => Some(Self::list_of(one.join(another)?)),
            (Self::Map(key, value), Self::Map(other_key, other_value)) => {
                Some(Self::Map(Box::new(key.join(other_key)?), Box::new(value.join(other_value)?)))
            }
            (one, another) => (one == another).then(|| one.clone()),
        }
    }

    /// Whether a comparison of the two can ever be true.
    pub(crate) fn is_comparable_to(&self, other: &Self) -> bool {
        self.is_number() && other.is_number() || *self != Self::Labels && self.join(other).is_some()
    }

    /// What `in` looks for, and what the macros go through.
    pub(crate) fn element(&self) -> Option<Self> {
        match self {
            Self::List(element) => Some((**element).clone()),
            Self::Map(key, _) => Some((**key).clone()),
            Self::Labels => Some(Self::String),
            Self::Bool | Self::Int | Self::Double | Self::String | Self::Nothing => None,
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool => f.write_str("bool"),
            Self::Int => f.write_str("int"),
            Self::Double => f.write_str("double"),
            Self::String => f.write_str("string"),
            Self::List(element) => write!(f, "list({element})"),
            Self::Map(key, value) => write!(f, "map({key}, {value})"),
            Self::Labels => f.write_str("labels"),
            Self::Nothing => f.write_str("nothing"),
        }
    }
}
