//! Holds a value against the JSON Schema of a configuration, for messages.
//!
//! Covers what schemars writes for structs, lists, options and enums; whatever else a schema says is
//! left to serde, which has the last word anyway.

use serde_json::{Map, Value};

use crate::{Pointer, Problems, quote};

/// Adds every problem of `value` that `schema` shows.
pub(super) fn explain(schema: &Value, value: &Value, pointer: &Pointer, problems: &mut Problems) {
    let Value::Object(schema) = schema else { return };
    if let Some(Value::Array(branches)) = schema.get("anyOf").or_else(|| schema.get("oneOf")) {
        return explain_branches(branches, value, pointer, problems);
    }
    if let Some(Value::Array(allowed)) = schema.get("enum") {
        return explain_choice(&allowed.iter().collect::<Vec<_>>(), value, pointer, problems);
    }
    if !has_type(schema, value) {
        return explain_type(&type_names(schema), value, pointer, problems);
    }
    match value {
        Value::Object(table) => explain_table(schema, table, pointer, problems),
        Value::Array(list) => {
            let Some(items) = schema.get("items") else { return };
            for (index, item) in list.iter().enumerate() {
                explain(items, item, &pointer.clone().index(index), problems);
            }
        }
        _ => {}
    }
}

fn explain_table(
    schema: &Map<String, Value>,
    table: &Map<String, Value>,
    pointer: &Pointer,
    problems: &mut Problems,
) {
    if let Some(Value::Array(required)) = schema.get("required") {
        for name in required.iter().filter_map(Value::as_str).filter(|name| !table.contains_key(*name)) {
            problems.add(pointer.clone(), format!("{} is missing", quote(name)));
        }
    }
    let properties = schema.get("properties").and_then(Value::as_object);
    for (key, value) in table {
        let place = pointer.clone().key(key);
        match properties.and_then(|properties| properties.get(key)).or(schema.get("additionalProperties")) {
            Some(Value::Bool(false)) => problems.add(place, unknown_key(properties)),
            Some(schema) => explain(schema, value, &place, problems),
            None => {}
        }
    }
}

fn unknown_key(properties: Option<&Map<String, Value>>) -> String {
    let allowed: Vec<String> =
        properties.into_iter().flat_map(Map::keys).map(|key| quote(key).to_string()).collect();
    if allowed.is_empty() {
        return "unknown key; none is allowed here".to_owned();
    }
    format!("unknown key; allowed are {}", allowed.join(", "))
}

/// An option, an enum whose variants are documented, or a value in several forms.
fn explain_branches(branches: &[Value], value: &Value, pointer: &Pointer, problems: &mut Problems) {
    let constants: Vec<&Value> = branches.iter().filter_map(|branch| branch.get("const")).collect();
    if constants.len() == branches.len() {
        return explain_choice(&constants, value, pointer, problems);
    }
    // Of a string or a table, the one that was meant is the one that was written.
    let types: Vec<&str> = branches.iter().filter_map(Value::as_object).flat_map(type_names).collect();
    let fits = |branch: &&Value| branch.as_object().is_some_and(|branch| has_type(branch, value));
    let mut meant = branches.iter().filter(fits);
    match (meant.next(), meant.next()) {
        (Some(branch), None) => explain(branch, value, pointer, problems),
        (None, None) if types.len() >= branches.len() => explain_type(&types, value, pointer, problems),
        // With several ways to be right it is not plain what is wrong; serde has to say it.
        _ => {}
    }
}

fn explain_type(types: &[&str], value: &Value, pointer: &Pointer, problems: &mut Problems) {
    let expected: Vec<&str> =
        types.iter().filter(|name| **name != "null").map(|name| article(name)).collect();
    problems.add(pointer.clone(), format!("expected {}, found {}", expected.join(" or "), found(value)));
}

fn explain_choice(allowed: &[&Value], value: &Value, pointer: &Pointer, problems: &mut Problems) {
    if !allowed.contains(&value) {
        let allowed: Vec<String> =
            allowed.iter().filter_map(|value| value.as_str()).map(|name| quote(name).to_string()).collect();
        let found = value.as_str().map_or_else(|| found(value).to_owned(), |text| quote(text).to_string());
        problems.add(pointer.clone(), format!("expected {}, found {found}", allowed.join(" or ")));
    }
}

fn type_names(schema: &Map<String, Value>) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// Whether a value is of a type that the schema names; true when it names none.
fn has_type(schema: &Map<String, Value>, value: &Value) -> bool {
    let types = type_names(schema);
    types.is_empty() || types.iter().any(|name| is_of_type(value, name))
}

fn is_of_type(value: &Value, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => true,
    }
}

/// In the words of TOML, which is what operators write.
fn article(name: &str) -> &str {
    match name {
        "boolean" => "true or false",
        "integer" => "an integer",
        "number" => "a number",
        "string" => "a string",
        "array" => "a list",
        "object" => "a table",
        other => other,
    }
}

fn found(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a table",
    }
}
