//! The groups in a file.

use crate::reader::Reader;
use crate::schema::{STRING, Schema, Type, TypeId, field};
use crate::{Error, Family, Group, Problem, Timestamp};

/// Seconds from the year 1, from which Go counts, to 1970.
const TO_1970: i64 = 62_135_596_800;

/// Reads a file.
///
/// # Errors
/// When it is damaged, or no file of a Pushgateway. Nothing of it is used then.
pub fn read(file: &[u8]) -> Result<Vec<Group>, Error> {
    let mut stream = Reader::new(file);
    let mut schema = Schema::default();
    while !stream.is_empty() {
        let mut message = stream.part("message")?;
        let id = message.int()?;
        if id < 0 {
            // The most negative number has no opposite, and is the number of no type.
            schema.define(id.checked_neg().unwrap_or_default(), &mut message)?;
            ended(&message)?;
            continue;
        }
        // What is no struct has a zero before it.
        message.uint()?;
        let groups = groups(&schema, id, &mut message)?;
        ended(&message)?;
        ended(&stream)?;
        return Ok(groups);
    }
    Err(stream.error(if file.is_empty() { Problem::Empty } else { Problem::End("list of type definitions") }))
}

fn ended(reader: &Reader<'_>) -> Result<(), Error> {
    if reader.is_empty() { Ok(()) } else { Err(reader.error(Problem::Rest(reader.left()))) }
}

/// A map by the grouping keys, which say no more than the labels of the groups.
fn groups(schema: &Schema, id: TypeId, from: &mut Reader<'_>) -> Result<Vec<Group>, Error> {
    let element = map_of_strings(schema, id, from)?;
    let fields = fields(schema, element, from)?;
    let mut groups = Vec::new();
    for _ in 0..from.count("map of groups")? {
        from.bytes("grouping key")?;
        groups.push(group(schema, fields, from)?);
    }
    Ok(groups)
}

fn group(schema: &Schema, fields: &[(String, TypeId)], from: &mut Reader<'_>) -> Result<Group, Error> {
    let mut group = Group::default();
    from.fields(|from, number| {
        let (name, id) = field(fields, number, from)?;
        match name.as_str() {
            "Labels" => group.labels = labels(schema, *id, from)?,
            "Metrics" => group.families = families(schema, *id, from)?,
            _ => schema.skip(*id, from)?,
        }
        Ok(())
    })?;
    Ok(group)
}

fn labels(schema: &Schema, id: TypeId, from: &mut Reader<'_>) -> Result<Vec<(String, String)>, Error> {
    if map_of_strings(schema, id, from)? != STRING {
        return Err(from.error(Problem::NotGroups("the labels of a group are no strings")));
    }
    let mut labels = Vec::new();
    for _ in 0..from.count("map of labels")? {
        labels.push((from.text("label name")?, from.text("label value")?));
    }
    Ok(labels)
}

fn families(schema: &Schema, id: TypeId, from: &mut Reader<'_>) -> Result<Vec<Family>, Error> {
    let element = map_of_strings(schema, id, from)?;
    let fields = fields(schema, element, from)?;
    let mut families = Vec::new();
    for _ in 0..from.count("map of families")? {
        let mut family = Family { name: from.text("family name")?, ..Family::default() };
        from.fields(|from, number| {
            let (name, id) = field(fields, number, from)?;
            let is_opaque = matches!(schema.get(*id, from), Ok(Type::Opaque));
            match name.as_str() {
                "Timestamp" if is_opaque => family.pushed_at = time(from)?,
                "GobbableMetricFamily" if is_opaque => {
                    family.metric_family = from.bytes("metric family")?.to_vec();
                }
                "Timestamp" | "GobbableMetricFamily" => {
                    return Err(from.error(Problem::NotGroups("a family is not protobuf with a time")));
                }
                _ => schema.skip(*id, from)?,
            }
            Ok(())
        })?;
        families.push(family);
    }
    Ok(families)
}

/// Go's `time.Time`: a version, seconds since the year 1, nanoseconds, and the zone, which does not matter.
fn time(from: &mut Reader<'_>) -> Result<Timestamp, Error> {
    let start = from.clone();
    let bytes = from.bytes("time")?;
    let version = bytes.first().copied().unwrap_or_default();
    let numbers = match (bytes, version) {
        ([_, numbers @ .., _, _], 1) if bytes.len() == 15 => numbers,
        ([_, numbers @ .., _, _, _], 2) if bytes.len() == 16 => numbers,
        _ => return Err(start.error(Problem::Time(bytes.len(), version))),
    };
    let number = |bytes: &[u8]| bytes.iter().fold(0, |number: u64, byte| number << 8 | u64::from(*byte));
    let (seconds, nanos) = numbers.split_at_checked(8).unwrap_or_default();
    Ok(Timestamp {
        seconds: (number(seconds) as i64).saturating_sub(TO_1970),
        nanos: (number(nanos) as u32).min(999_999_999),
    })
}

/// The type of the elements of a map whose keys are strings.
fn map_of_strings(schema: &Schema, id: TypeId, at: &Reader<'_>) -> Result<TypeId, Error> {
    match schema.get(id, at)? {
        Type::Map { key: STRING, element } => Ok(*element),
        _ => Err(at.error(Problem::NotGroups("there is no map by strings where one must be"))),
    }
}

fn fields<'s>(schema: &'s Schema, id: TypeId, at: &Reader<'_>) -> Result<&'s [(String, TypeId)], Error> {
    match schema.get(id, at)? {
        Type::Struct { fields } => Ok(fields),
        _ => Err(at.error(Problem::NotGroups("there is no struct where one must be"))),
    }
}
