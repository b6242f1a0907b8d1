//! A table of the file as the JSON that a plugin is configured with.

use std::collections::BTreeMap;

use serde_json::{Map, Number, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::kind::Refusal;

/// The JSON, with what is needed to lead a plugin's complaint back to the file.
#[derive(Debug, Default)]
pub(super) struct Json {
    pub(super) value: Map<String, Value>,
    /// Byte offset of each value, by RFC 6901 pointer.
    pub(super) offsets: BTreeMap<String, usize>,
    /// What TOML can say and JSON cannot, by pointer.
    pub(super) refused: Vec<(String, Refusal)>,
}

impl Json {
    pub(super) fn of(table: &DeTable<'_>) -> Self {
        let mut json = Self::default();
        json.value = json.table("", table);
        json
    }

    fn table(&mut self, pointer: &str, table: &DeTable<'_>) -> Map<String, Value> {
        let mut map = Map::new();
        for (key, value) in table.iter() {
            let name = key.get_ref();
            let pointer = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
            // The key, not the value: a table made by `[plugin.config.rule]` has no place of its own.
            self.offsets.insert(pointer.clone(), key.span().start);
            let value = self.value(&pointer, value);
            map.insert(name.to_string(), value);
        }
        map
    }

    fn value(&mut self, pointer: &str, value: &Spanned<DeValue<'_>>) -> Value {
        let refusal = match value.get_ref() {
            DeValue::String(text) => return Value::from(text.as_ref()),
            DeValue::Boolean(boolean) => return Value::from(*boolean),
            DeValue::Table(table) => return Value::Object(self.table(pointer, table)),
            DeValue::Array(elements) => {
                let elements = elements.iter().enumerate().map(|(index, element)| {
                    let pointer = format!("{pointer}/{index}");
                    self.offsets.insert(pointer.clone(), element.span().start);
                    self.value(&pointer, element)
                });
                return Value::Array(elements.collect());
            }
            DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
                Ok(number) => return Value::from(number),
                Err(_) => format!("{number} is too large; whole numbers have 64 bits"),
            },
            DeValue::Float(number) => match number.as_str().parse().ok().and_then(Number::from_f64) {
                Some(number) => return Value::Number(number),
                None => format!("{number} cannot be told to a plugin; use a finite number or a string"),
            },
            DeValue::Datetime(_) => {
                "a date or time cannot be told to a plugin; write it as a string".to_owned()
            }
        };
        self.refused.push((pointer.to_owned(), Refusal { at: value.span().start, message: refusal }));
        Value::Null
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(toml: &str) -> Json {
        Json::of(DeTable::parse(toml).unwrap().get_ref())
    }

    #[test]
    fn values_become_json() {
        let json = read(
            "text = 'a'\nwhole = -5\nhex = 0xff\nbig = 9223372036854775807\nfraction = 1.5e3\nyes = true\n\
             list = [1, 'b', [2]]\n[table]\na.b = 1\n[[rules]]\nx = 1\n[[rules]]\nx = 2\n",
        );
        assert_eq!(
            Value::Object(json.value),
            json!({
                "text": "a", "whole": -5, "hex": 255, "big": i64::MAX, "fraction": 1500.0, "yes": true,
                "list": [1, "b", [2]], "table": {"a": {"b": 1}}, "rules": [{"x": 1}, {"x": 2}],
            })
        );
        assert!(json.refused.is_empty());
    }

    #[test]
    fn what_json_cannot_say_is_refused_all_at_once() {
        let json = read("a = nan\nb = [-inf]\nc = 2026-01-01\n\"d/e\" = 9223372036854775808\nf = 1e999\n");
        let refused: Vec<_> =
            json.refused.iter().map(|(pointer, refusal)| (pointer.as_str(), refusal.at)).collect();
        assert_eq!(refused, [("/a", 4), ("/b/0", 13), ("/c", 23), ("/d~1e", 42), ("/f", 66)]);
    }

    #[test]
    fn each_value_is_found_by_its_pointer() {
        let json = read(
            "a = 1\nlist = [\n  'x',\n  'y',\n]\n[[rules]]\nx = 1\n[[rules]]\n'a/b~c' = 2\n[t.u]\nv = 1\n",
        );
        for (pointer, offset) in [
            ("/a", 0),
            ("/list", 6),
            ("/list/0", 17),
            ("/list/1", 24),
            ("/rules/0", 31),
            ("/rules/0/x", 41),
            ("/rules/1", 47),
            ("/rules/1/a~1b~0c", 57),
            ("/t", 70),
            ("/t/u", 72),
            ("/t/u/v", 75),
        ] {
            assert_eq!(json.offsets.get(pointer), Some(&offset), "{pointer}");
        }
    }
}
