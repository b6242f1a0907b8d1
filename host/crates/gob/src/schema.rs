//! The types that a file describes.

use std::collections::HashMap;

use crate::reader::Reader;
use crate::{Error, Problem};

/// The number of a type. Those up to 15 are built in.
pub(crate) type TypeId = i64;

pub(crate) const STRING: TypeId = 6;

/// How deep types may be nested. A group has four levels.
const MAX_DEPTH: usize = 32;

/// What a type is made of.
pub(crate) enum Type {
    List {
        element: TypeId,
    },
    Struct {
        fields: Vec<(String, TypeId)>,
    },
    Map {
        key: TypeId,
        element: TypeId,
    },
    /// Bytes that only the type itself understands.
    Opaque,
}

/// The types defined so far.
#[derive(Default)]
pub(crate) struct Schema {
    types: HashMap<TypeId, Type>,
}

impl Schema {
    pub(crate) fn get(&self, id: TypeId, at: &Reader<'_>) -> Result<&Type, Error> {
        self.types.get(&id).ok_or_else(|| at.error(Problem::UnknownType(id)))
    }

    /// Reads the definition of a type.
    pub(crate) fn define(&mut self, id: TypeId, from: &mut Reader<'_>) -> Result<(), Error> {
        let start = from.clone();
        let mut defined = None;
        from.fields(|from, kind| {
            defined = Some(match kind {
                0 | 1 => list(from)?,
                2 => structure(from)?,
                3 => map(from)?,
                4..=6 => opaque(from)?,
                _ => return Err(from.error(Problem::UnknownKind)),
            });
            Ok(())
        })?;
        let defined = defined.ok_or_else(|| start.error(Problem::UnknownKind))?;
        match self.types.insert(id, defined) {
            None => Ok(()),
            Some(_) => Err(start.error(Problem::SecondType(id))),
        }
    }

    /// Passes over a value.
    pub(crate) fn skip(&self, id: TypeId, from: &mut Reader<'_>) -> Result<(), Error> {
        self.skip_at(id, from, 0)
    }

    fn skip_at(&self, id: TypeId, from: &mut Reader<'_>, depth: usize) -> Result<(), Error> {
        if depth > MAX_DEPTH {
            return Err(from.error(Problem::TooDeep));
        }
        match id {
            // bool, int, uint, float64
            1..=4 => from.uint().map(drop),
            // []byte, string
            5 | 6 => from.bytes("value").map(drop),
            // complex128
            7 => from.uint().and_then(|_| from.uint()).map(drop),
            // interface: the name of its type, which none has that is nil, the type and the length of the value.
            8 => {
                if from.bytes("name of a type")?.is_empty() {
                    return Ok(());
                }
                from.int()?;
                from.bytes("value").map(drop)
            }
            _ => match self.get(id, from)? {
                Type::Opaque => from.bytes("value").map(drop),
                Type::List { element } => {
                    for _ in 0..from.count("list")? {
                        self.skip_at(*element, from, depth + 1)?;
                    }
                    Ok(())
                }
                Type::Map { key, element } => {
                    for _ in 0..from.count("map")? {
                        self.skip_at(*key, from, depth + 1)?;
                        self.skip_at(*element, from, depth + 1)?;
                    }
                    Ok(())
                }
                Type::Struct { fields } => from.fields(|from, number| {
                    let (_, id) = field(fields, number, from)?;
                    self.skip_at(*id, from, depth + 1)
                }),
            },
        }
    }
}

/// The field of a struct with that number.
pub(crate) fn field<'t>(
    fields: &'t [(String, TypeId)],
    number: u64,
    at: &Reader<'_>,
) -> Result<&'t (String, TypeId), Error> {
    let field = usize::try_from(number).ok().and_then(|number| fields.get(number));
    field.ok_or_else(|| at.error(Problem::UnknownField { number, fields: fields.len() }))
}

fn list(from: &mut Reader<'_>) -> Result<Type, Error> {
    let mut element = 0;
    from.fields(|from, number| match number {
        0 => common(from),
        1 => from.int().map(|id| element = id),
        // The length of an array; it stands before its elements again.
        _ => from.int().map(drop),
    })?;
    Ok(Type::List { element })
}

fn map(from: &mut Reader<'_>) -> Result<Type, Error> {
    let (mut key, mut element) = (0, 0);
    from.fields(|from, number| match number {
        0 => common(from),
        1 => from.int().map(|id| key = id),
        _ => from.int().map(|id| element = id),
    })?;
    Ok(Type::Map { key, element })
}

fn structure(from: &mut Reader<'_>) -> Result<Type, Error> {
    let mut fields = Vec::new();
    from.fields(|from, number| {
        if number == 0 {
            return common(from);
        }
        for _ in 0..from.count("struct")? {
            let mut field = (String::new(), 0);
            from.fields(|from, number| match number {
                0 => from.text("name of a field").map(|name| field.0 = name),
                _ => from.int().map(|id| field.1 = id),
            })?;
            fields.push(field);
        }
        Ok(())
    })?;
    Ok(Type::Struct { fields })
}

fn opaque(from: &mut Reader<'_>) -> Result<Type, Error> {
    from.fields(|from, _| common(from))?;
    Ok(Type::Opaque)
}

/// Name and number of a type. Nothing depends on them: types are known by the number they are defined under.
fn common(from: &mut Reader<'_>) -> Result<(), Error> {
    from.fields(|from, number| match number {
        0 => from.bytes("name of a type").map(drop),
        _ => from.int().map(drop),
    })
}
