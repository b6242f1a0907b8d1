//! The type definitions that a gob stream begins with.

use std::collections::BTreeMap;

use crate::cursor::Cursor;
use crate::{Problem, ReadError};

/// The number that a stream gives to a type. Those of basic types are the same everywhere, those of defined
/// types differ from file to file.
pub(crate) type TypeId = i64;

pub(crate) const BOOL: TypeId = 1;
pub(crate) const INT: TypeId = 2;
pub(crate) const UINT: TypeId = 3;
pub(crate) const FLOAT: TypeId = 4;
pub(crate) const BYTES: TypeId = 5;
pub(crate) const STRING: TypeId = 6;
pub(crate) const COMPLEX: TypeId = 7;
pub(crate) const INTERFACE: TypeId = 8;

/// Numbers below are for basic types and for those of the definitions themselves.
pub(crate) const FIRST_DEFINED: TypeId = 64;

/// The Pushgateway 1.11.2 defines 28 types, of which a histogram has the most fields, 16.
const MAX_TYPES: usize = 256;
const MAX_FIELDS: usize = 256;

/// A type, without its name, on which nothing depends.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Type<'a> {
    Array {
        element: TypeId,
        length: i64,
    },
    Slice {
        element: TypeId,
    },
    Struct {
        fields: Vec<Field<'a>>,
    },
    Map {
        key: TypeId,
        value: TypeId,
    },
    /// Its values are bytes which its own methods `GobEncode` and `GobDecode` make and take.
    GobEncoder,
    /// Also bytes, but of `MarshalBinary` or `MarshalText`.
    Marshaler,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Field<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) type_id: TypeId,
}

/// All types that a stream has defined so far.
#[derive(Default)]
pub(crate) struct Types<'a> {
    by_id: BTreeMap<TypeId, Type<'a>>,
}

impl<'a> Types<'a> {
    pub(crate) fn get(&self, id: TypeId) -> Option<&Type<'a>> {
        self.by_id.get(&id)
    }

    /// Reads the definition of a type.
    pub(crate) fn define(&mut self, id: TypeId, cursor: &mut Cursor<'a>) -> Result<(), ReadError> {
        if id < FIRST_DEFINED {
            return cursor.fail(Problem::IllegalType(id));
        }
        if self.by_id.len() == MAX_TYPES {
            return cursor.fail(Problem::OverLimit { what: "types", limit: MAX_TYPES });
        }
        let start = cursor.clone();
        let definition = definition(id, cursor)?;
        match self.by_id.insert(id, definition) {
            None => Ok(()),
            Some(_) => start.fail(Problem::SecondDefinition(id)),
        }
    }
}

/// A definition is a struct with a field for each kind of type, of which one is set.
fn definition<'a>(id: TypeId, cursor: &mut Cursor<'a>) -> Result<Type<'a>, ReadError> {
    let start = cursor.clone();
    let mut found = None;
    let mut field = None;
    while let Some(number) = next_field(cursor, &mut field)? {
        if found.is_some() {
            return start.fail(Problem::Kind(id));
        }
        found = Some(match number {
            0 => {
                let [element, length] = numbers(cursor)?;
                Type::Array { element, length }
            }
            1 => {
                let [element] = numbers(cursor)?;
                Type::Slice { element }
            }
            2 => Type::Struct { fields: struct_type(cursor)? },
            3 => {
                let [key, value] = numbers(cursor)?;
                Type::Map { key, value }
            }
            4 => {
                let [] = numbers(cursor)?;
                Type::GobEncoder
            }
            5 | 6 => {
                let [] = numbers(cursor)?;
                Type::Marshaler
            }
            _ => return start.fail(Problem::UnknownField { what: DEFINITION, number }),
        });
    }
    found.map_or_else(|| start.fail(Problem::Kind(id)), Ok)
}

const DEFINITION: &str = "a type definition";

fn next_field(cursor: &mut Cursor<'_>, field: &mut Option<usize>) -> Result<Option<usize>, ReadError> {
    *field = cursor.field(*field)?;
    Ok(*field)
}

/// The definition of any kind but a struct: what types have in common, then numbers. One left out is 0.
fn numbers<const N: usize>(cursor: &mut Cursor<'_>) -> Result<[i64; N], ReadError> {
    let mut numbers = [0; N];
    let mut field = None;
    while let Some(number) = next_field(cursor, &mut field)? {
        if number == 0 {
            name_and_id(cursor)?;
            continue;
        }
        match numbers.get_mut(number - 1) {
            Some(place) => *place = cursor.int()?,
            None => return cursor.fail(Problem::UnknownField { what: DEFINITION, number }),
        }
    }
    Ok(numbers)
}

fn struct_type<'a>(cursor: &mut Cursor<'a>) -> Result<Vec<Field<'a>>, ReadError> {
    let mut fields = Vec::new();
    let mut field = None;
    while let Some(number) = next_field(cursor, &mut field)? {
        match number {
            0 => _ = name_and_id(cursor)?,
            1 => {
                let start = cursor.clone();
                let count = cursor.count("a struct's list of fields")?;
                if count > MAX_FIELDS {
                    return start.fail(Problem::OverLimit { what: "fields in a struct", limit: MAX_FIELDS });
                }
                for _ in 0..count {
                    let (name, type_id) = name_and_id(cursor)?;
                    fields.push(Field { name, type_id });
                }
            }
            _ => return cursor.fail(Problem::UnknownField { what: DEFINITION, number }),
        }
    }
    Ok(fields)
}

/// What is known of a field, and with the same two fields what all types have in common.
fn name_and_id<'a>(cursor: &mut Cursor<'a>) -> Result<(&'a [u8], TypeId), ReadError> {
    let (mut name, mut id): (&[u8], _) = (b"", 0);
    let mut field = None;
    while let Some(number) = next_field(cursor, &mut field)? {
        match number {
            0 => name = cursor.bytes("the name of a type or field")?,
            1 => id = cursor.int()?,
            _ => return cursor.fail(Problem::UnknownField { what: DEFINITION, number }),
        }
    }
    Ok((name, id))
}
