//! Reads a configuration: JSON into a plugin's type, or everything that is wrong with it.

mod explain;

use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema};
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::{Segment, Track};

use crate::{Pointer, Problems};

/// The JSON Schema of a configuration, references resolved. Objects take no keys but those they name.
pub(crate) fn schema<C: JsonSchema>() -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.inline_subschemas = true;
    let mut schema = settings.into_generator().into_root_schema_for::<C>();
    RecursiveTransform(close_object).transform(&mut schema);
    schema.to_value()
}

fn close_object(schema: &mut Schema) {
    if schema.get("properties").is_some() && schema.get("additionalProperties").is_none() {
        schema.insert("additionalProperties".to_owned(), Value::Bool(false));
    }
}

/// Reads a configuration.
///
/// serde has the last word, but it stops at the first error; so when it is not content, the schema is
/// asked for all that is wrong.
pub(crate) fn read<C: DeserializeOwned + JsonSchema>(json: &str) -> Result<C, Problems> {
    let mut json_reader = serde_json::Deserializer::from_str(json);
    let mut track = Track::new();
    let mut ignored = Vec::new();
    let tracked = serde_path_to_error::Deserializer::new(&mut json_reader, &mut track);
    let result = serde_ignored::deserialize(tracked, |path| ignored.push(ignored_pointer(&path)));
    let result = result.and_then(|config| json_reader.end().map(|()| config));

    let error = match result {
        Ok(config) if ignored.is_empty() => return Ok(config),
        Ok(_) => None,
        Err(error) => Some(error),
    };
    let mut problems = Problems::default();
    if let Ok(value) = serde_json::from_str(json) {
        explain::explain(&schema::<C>(), &value, &Pointer::default(), &mut problems);
    }
    if problems.is_empty() {
        ignored.into_iter().for_each(|pointer| problems.add(pointer, "unknown key"));
        if let Some(error) = error {
            problems.add(error_pointer(&track.path()), message(&error));
        }
    }
    Err(problems)
}

/// The operator wrote TOML, of which this JSON is one line, so a column in it tells nothing.
fn message(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&place).map(str::to_owned).unwrap_or(text)
}

fn error_pointer(path: &serde_path_to_error::Path) -> Pointer {
    path.iter().fold(Pointer::default(), |pointer, segment| match segment {
        Segment::Seq { index } => pointer.index(*index),
        Segment::Map { key } => pointer.key(key),
        Segment::Enum { .. } | Segment::Unknown => pointer,
    })
}

fn ignored_pointer(path: &serde_ignored::Path<'_>) -> Pointer {
    use serde_ignored::Path;
    match path {
        Path::Root => Pointer::default(),
        Path::Seq { parent, index } => ignored_pointer(parent).index(*index),
        Path::Map { parent, key } => ignored_pointer(parent).key(key),
        Path::Some { parent } | Path::NewtypeStruct { parent } | Path::NewtypeVariant { parent } => {
            ignored_pointer(parent)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, JsonSchema)]
    #[serde(default)]
    struct Config {
        on: bool,
        rules: Vec<Rule>,
        limit: Option<u8>,
        owner: Option<Owner>,
    }

    #[derive(Debug, Deserialize, JsonSchema)]
    #[serde(untagged, expecting = "expected a name or a table")]
    #[expect(dead_code, reason = "only read")]
    enum Owner {
        Name(String),
        Person(Person),
    }

    #[derive(Debug, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Person {
        name: String,
    }

    impl Default for Config {
        fn default() -> Self {
            Self { on: true, rules: Vec::new(), limit: None, owner: None }
        }
    }

    #[derive(Debug, Deserialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    #[expect(dead_code, reason = "only read")]
    struct Rule {
        action: Action,
        #[serde(default)]
        names: Vec<String>,
    }

    #[derive(Debug, Deserialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    enum Action {
        /// Keeps.
        Keep,
        /// Drops.
        Drop,
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once() {
        for (json, expected) in [
            ("{}", ""),
            (r#"{"on": false, "limit": null, "rules": [{"action": "drop", "names": ["a"]}]}"#, ""),
            (r#"{"onn": true}"#, "/onn: unknown key; allowed are 'limit', 'on', 'owner', 'rules'\n"),
            (r#"{"on": "yes"}"#, "/on: expected true or false, found a string\n"),
            (r#"{"limit": "1"}"#, "/limit: expected an integer, found a string\n"),
            (r#"{"limit": 300}"#, "/limit: invalid value: integer `300`, expected u8\n"),
            (
                r#"{"rules": [{}, {"action": "kep", "names": [1, "a", {}]}], "x": 1, "y/z": 2}"#,
                "/rules/0: 'action' is missing\n\
                 /rules/1/action: expected 'keep' or 'drop', found 'kep'\n\
                 /rules/1/names/0: expected a string, found a number\n\
                 /rules/1/names/2: expected a string, found a table\n\
                 /x: unknown key; allowed are 'limit', 'on', 'owner', 'rules'\n\
                 /y~1z: unknown key; allowed are 'limit', 'on', 'owner', 'rules'\n",
            ),
            (r#"{"owner": "a"}"#, ""),
            (r#"{"owner": {"name": "a"}}"#, ""),
            (
                r#"{"owner": {"nam": "a"}}"#,
                "/owner: 'name' is missing\n/owner/nam: unknown key; allowed are 'name'\n",
            ),
            (r#"{"owner": 1}"#, "/owner: expected a string or a table, found a number\n"),
            ("{", "EOF while parsing an object\n"),
            ("{} x", "trailing characters\n"),
        ] {
            let found = read::<Config>(json).map_or_else(|problems| problems.to_string(), |_| String::new());
            assert_eq!(found, expected, "{json}");
        }
        assert!(read::<Config>("{}").unwrap().on);
    }

    #[test]
    fn the_schema_closes_its_objects() {
        let schema = schema::<Config>();
        assert_eq!(schema["additionalProperties"], false);
        assert_eq!(schema["properties"]["rules"]["items"]["additionalProperties"], false);
    }
}
