//! Where in a file's types the parts of a group are.

use crate::Problem;
use crate::types::{STRING, Type, TypeId, Types};

/// What each field of the two structs in a file means, by its number.
pub(crate) struct Layout {
    pub(crate) group: Vec<GroupField>,
    pub(crate) family: Vec<FamilyField>,
}

#[derive(Clone, Copy)]
pub(crate) enum GroupField {
    Labels,
    Families,
    Other(TypeId),
}

#[derive(Clone, Copy)]
pub(crate) enum FamilyField {
    PushedAt,
    MetricFamily,
    Other(TypeId),
}

impl Layout {
    /// The layout of a value of type `root`. Fields are found by their names, as Go does it.
    pub(crate) fn of(types: &Types<'_>, root: TypeId) -> Result<Self, Problem> {
        let group = map_of(types, root, "the file's value", "a map of strings to groups")?;
        let (group, [labels, families]) = fields(
            types,
            group,
            [("Labels", GroupField::Labels), ("Metrics", GroupField::Families)],
            GroupField::Other,
        )
        .ok_or(Problem::Foreign { what: "a group", expected: "a struct with labels and metrics" })?;

        let (what, expected) = ("the field for labels", "a map of strings to strings");
        if map_of(types, labels, what, expected)? != STRING {
            return Err(Problem::Foreign { what, expected });
        }
        let family = map_of(types, families, "the field for metrics", "a map of strings to metric families")?;
        let (family, [time, contents]) = fields(
            types,
            family,
            [("Timestamp", FamilyField::PushedAt), ("GobbableMetricFamily", FamilyField::MetricFamily)],
            FamilyField::Other,
        )
        .ok_or(Problem::Foreign { what: "a metric family", expected: "a struct with a time and contents" })?;

        for (id, what) in [(time, "the time of a push"), (contents, "the contents of a metric family")] {
            if types.get(id) != Some(&Type::GobEncoder) {
                return Err(Problem::Foreign { what, expected: "of a type that encodes itself" });
            }
        }
        Ok(Self { group, family })
    }
}

/// The type of the values of a map that has strings as its keys.
fn map_of(
    types: &Types<'_>,
    id: TypeId,
    what: &'static str,
    expected: &'static str,
) -> Result<TypeId, Problem> {
    match types.get(id) {
        Some(Type::Map { key: STRING, value }) => Ok(*value),
        _ => Err(Problem::Foreign { what, expected }),
    }
}

/// The meanings of a struct's fields, and the types of those with a known name. None if that is no struct or
/// if there is not just one field of each known name.
fn fields<F: Copy>(
    types: &Types<'_>,
    id: TypeId,
    known: [(&str, F); 2],
    other: impl Fn(TypeId) -> F,
) -> Option<(Vec<F>, [TypeId; 2])> {
    let Some(Type::Struct { fields }) = types.get(id) else { return None };
    let mut meanings: Vec<F> = fields.iter().map(|field| other(field.type_id)).collect();
    let mut type_ids = [0; 2];
    for ((name, meaning), type_id) in known.into_iter().zip(&mut type_ids) {
        let mut named = fields.iter().zip(&mut meanings).filter(|(field, _)| field.name == name.as_bytes());
        let (Some((field, place)), None) = (named.next(), named.next()) else { return None };
        (*type_id, *place) = (field.type_id, meaning);
    }
    Some((meanings, type_ids))
}
