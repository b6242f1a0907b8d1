//! Values that nobody asked for.

use crate::cursor::Cursor;
use crate::types::{self, Type, TypeId, Types};
use crate::{Problem, ReadError};

/// A type may contain itself, so values can be nested as deeply as a file is long.
const MAX_DEPTH: usize = 32;

/// Goes past a value. That takes a byte or more of each value, also of those inside.
pub(crate) fn skip(types: &Types<'_>, cursor: &mut Cursor<'_>, id: TypeId) -> Result<(), ReadError> {
    nested(types, cursor, id, MAX_DEPTH)
}

fn nested(types: &Types<'_>, cursor: &mut Cursor<'_>, id: TypeId, depth: usize) -> Result<(), ReadError> {
    match id {
        types::BOOL | types::INT | types::UINT | types::FLOAT => {
            cursor.uint()?;
        }
        types::COMPLEX => {
            cursor.uint()?;
            cursor.uint()?;
        }
        types::BYTES | types::STRING => {
            cursor.bytes("a string")?;
        }
        types::INTERFACE => return cursor.fail(Problem::Interface),
        _ => match (types.get(id), depth.checked_sub(1)) {
            (None, _) => return cursor.fail(Problem::UndefinedType(id)),
            (_, None) => {
                return cursor
                    .fail(Problem::OverLimit { what: "values inside one another", limit: MAX_DEPTH });
            }
            (Some(defined), Some(depth)) => contents(types, cursor, defined, depth)?,
        },
    }
    Ok(())
}

fn contents(
    types: &Types<'_>,
    cursor: &mut Cursor<'_>,
    defined: &Type<'_>,
    depth: usize,
) -> Result<(), ReadError> {
    match defined {
        Type::Array { element, length } => {
            let start = cursor.clone();
            let found = cursor.count("an array")?;
            if usize::try_from(*length) != Ok(found) {
                return start.fail(Problem::ArrayLength { expected: *length, found });
            }
            for _ in 0..found {
                nested(types, cursor, *element, depth)?;
            }
        }
        Type::Slice { element } => {
            for _ in 0..cursor.count("a slice")? {
                nested(types, cursor, *element, depth)?;
            }
        }
        Type::Map { key, value } => {
            for _ in 0..cursor.count("a map")? {
                nested(types, cursor, *key, depth)?;
                nested(types, cursor, *value, depth)?;
            }
        }
        Type::Struct { fields } => {
            let mut field = None;
            loop {
                let start = cursor.clone();
                field = cursor.field(field)?;
                let Some(number) = field else { break };
                match fields.get(number) {
                    Some(field) => nested(types, cursor, field.type_id, depth)?,
                    None => return start.fail(Problem::UnknownField { what: "a struct", number }),
                }
            }
        }
        Type::GobEncoder | Type::Marshaler => {
            cursor.bytes("a value that encodes itself")?;
        }
    }
    Ok(())
}
