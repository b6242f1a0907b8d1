//! What a plugin says of itself.

use crate::bindings::exports::pushgate::plugin::policy;
use crate::instance::one_line;
use crate::limits::{CODE_LENGTH, MESSAGE_LENGTH};

/// The answer to `describe`.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// The plugin's own name; a policy made of it has the name from the configuration.
    pub name: String,
    /// The plugin's version.
    pub version: String,
    /// One line for people.
    pub summary: String,
    /// JSON Schema of the configuration.
    pub config_schema: Option<String>,
    /// Optional columns to fill.
    pub wants: Wants,
    /// Whether it may edit a push.
    pub mutates: bool,
    /// Whether its outcome depends on nothing but the configuration and the columns it wants.
    pub pure: bool,
    /// Every code that its findings may carry.
    pub codes: Vec<Code>,
    /// Every counter that it may count.
    pub counters: Vec<Counter>,
}

/// A finding's code and what it stands for. `<plugin>/*` stands for those that the plugin's configuration has.
#[derive(Clone, Debug)]
pub struct Code {
    /// `<plugin>/<what-is-wrong>`.
    pub id: String,
    /// For documentation.
    pub meaning: String,
}

impl Code {
    /// Whether a finding's code is this one, or one of those that this stands for.
    pub fn covers(&self, code: &str) -> bool {
        match self.family() {
            Some(start) => code.starts_with(start),
            None => self.id == code,
        }
    }

    /// What the codes of a configuration begin with, when this stands for those.
    pub fn family(&self) -> Option<&str> {
        self.id.strip_suffix('*').filter(|start| start.ends_with('/'))
    }
}

/// A counter of a plugin's own. Its name and those of its labels are legal in an exposition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counter {
    /// Without the prefix and the `_total` of the family that shows it.
    pub name: String,
    /// One line for people.
    pub help: String,
    /// The names of its labels, in the order in which it is counted.
    pub labels: Vec<String>,
}

/// Columns that only cross the boundary when they are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "named like the columns in wit/types.wit")]
pub struct Wants {
    pub help: bool,
    pub unit: bool,
    pub values: bool,
    pub points: bool,
}

impl Wants {
    /// Reads the names in a manifest; the first unknown one otherwise.
    fn read(names: &[String]) -> Result<Self, String> {
        let mut wants = Self::default();
        for name in names {
            match name.as_str() {
                "help" => wants.help = true,
                "unit" => wants.unit = true,
                "values" => wants.values = true,
                "points" => wants.points = true,
                _ => return Err(name.clone()),
            }
        }
        Ok(wants)
    }
}

impl Manifest {
    /// Takes the generated form over; what is wrong with it otherwise.
    pub(crate) fn read(manifest: policy::Manifest) -> Result<Self, String> {
        let wants = Wants::read(&manifest.wants).map_err(|name| {
            format!("it wants a column {name:?}; this host knows help, unit, values and points")
        })?;
        if let Some(schema) = &manifest.config_schema {
            within(schema.len(), SCHEMA_LENGTH, "bytes in the schema of its configuration")?;
        }
        Ok(Self {
            name: line(manifest.name, NAME_LENGTH, "its name")?,
            version: line(manifest.version, NAME_LENGTH, "its version")?,
            summary: line(manifest.summary, MESSAGE_LENGTH, "its summary")?,
            config_schema: manifest.config_schema,
            wants,
            mutates: manifest.mutates,
            pure: manifest.pure,
            codes: codes(manifest.codes)?,
            counters: counters(manifest.counters)?,
        })
    }
}

/// Bytes in the name of a plugin, and in its version.
const NAME_LENGTH: usize = 64;

/// Bytes in the JSON Schema of a configuration. Those of the bundled plugins have some thousands.
const SCHEMA_LENGTH: usize = 256 << 10;

/// Codes of one plugin: each is a series of the gateway's metrics.
const CODES: usize = 256;

fn codes(codes: Vec<policy::Code>) -> Result<Vec<Code>, String> {
    within(codes.len(), CODES, "codes")?;
    let code = |code: policy::Code| {
        let id = line(code.id, CODE_LENGTH, "a code")?;
        Ok(Code { id, meaning: line(code.meaning, MESSAGE_LENGTH, "the meaning of a code")? })
    };
    codes.into_iter().map(code).collect()
}

/// Text that is shown: a line of so many bytes at the most.
fn line(text: String, limit: usize, what: &str) -> Result<String, String> {
    within(text.len(), limit, &format!("bytes in {what}"))?;
    Ok(one_line(text, limit))
}

fn within(count: usize, limit: usize, what: &str) -> Result<(), String> {
    if count <= limit { Ok(()) } else { Err(format!("{count} {what}, {limit} are allowed")) }
}

/// Counters of one plugin, and labels of one of them: what is shown of a plugin is bounded.
const COUNTERS: usize = 32;
const COUNTER_LABELS: usize = 8;

/// Bytes in the name of a counter or of one of its labels.
const COUNTER_NAME_LENGTH: usize = 64;

/// A label that the gateway itself puts on each series of a counter.
const PLUGIN_LABEL: &str = "plugin";

fn counters(counters: Vec<policy::Counter>) -> Result<Vec<Counter>, String> {
    within(counters.len(), COUNTERS, "counters")?;
    let mut read: Vec<Counter> = Vec::with_capacity(counters.len());
    for policy::Counter { name, help, labels } in counters {
        if !is_snake_case(&name) || name.ends_with("_total") {
            return Err(format!(
                "the counter {name:?} is to be snake_case without '_total', up to {COUNTER_NAME_LENGTH} bytes"
            ));
        }
        if read.iter().any(|other| other.name == name) {
            return Err(format!("it declares the counter {name:?} twice"));
        }
        within(labels.len(), COUNTER_LABELS, &format!("labels of the counter {name:?}"))?;
        for (at, label) in labels.iter().enumerate() {
            if !is_snake_case(label) || label == PLUGIN_LABEL || labels[..at].contains(label) {
                return Err(format!(
                    "the label {label:?} of the counter {name:?} is to be snake_case, not '{PLUGIN_LABEL}', and there once"
                ));
            }
        }
        read.push(Counter { name, help: one_line(help, MESSAGE_LENGTH), labels });
    }
    Ok(read)
}

/// Letters in lower case, digits and `_`, beginning with a letter.
fn is_snake_case(name: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    name.len() <= COUNTER_NAME_LENGTH
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(legal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_plugin_says_of_itself_is_bounded() {
        type Set = fn(&mut policy::Manifest, String);
        let bounds: [(&str, usize, Set); 6] = [
            ("bytes in its name", 64, |manifest, text| manifest.name = text),
            ("bytes in its version", 64, |manifest, text| manifest.version = text),
            ("bytes in its summary", 1_024, |manifest, text| manifest.summary = text),
            ("bytes in the schema", 256 << 10, |manifest, text| manifest.config_schema = Some(text)),
            ("bytes in a code", 128, |manifest, text| {
                manifest.codes = vec![policy::Code { id: text, meaning: String::new() }];
            }),
            ("bytes in the meaning of a code", 1_024, |manifest, text| {
                manifest.codes = vec![policy::Code { id: String::new(), meaning: text }];
            }),
        ];
        for (what, bound, set) in bounds {
            let read = |length: usize| {
                let mut manifest = empty();
                set(&mut manifest, "x".repeat(length));
                Manifest::read(manifest).map(drop)
            };
            assert_eq!(read(bound), Ok(()), "{what}");
            let refused = read(bound + 1).unwrap_err();
            assert!(refused.starts_with(&format!("{} {what}", bound + 1)), "{what}: {refused}");
        }
        let with_codes = |count: usize| {
            let codes = vec![policy::Code { id: "a/b".to_owned(), meaning: String::new() }; count];
            Manifest::read(policy::Manifest { codes, ..empty() }).map(|manifest| manifest.codes.len())
        };
        assert_eq!(with_codes(256), Ok(256));
        assert_eq!(with_codes(257), Err("257 codes, 256 are allowed".to_owned()));
    }

    fn empty() -> policy::Manifest {
        policy::Manifest {
            name: String::new(),
            version: String::new(),
            summary: String::new(),
            config_schema: None,
            wants: Vec::new(),
            mutates: false,
            pure: false,
            codes: Vec::new(),
            counters: Vec::new(),
        }
    }

    fn declared(name: &str, labels: &[&str]) -> policy::Counter {
        let labels = labels.iter().map(|&label| label.to_owned()).collect();
        policy::Counter { name: name.to_owned(), help: "two\nlines".to_owned(), labels }
    }

    #[test]
    fn counters_have_names_that_can_be_shown() {
        let (longest, longer) = ("n".repeat(64), "n".repeat(65));
        let eight = ["a", "b", "c", "d", "e", "f", "g", "h"];
        let nine = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
        for (name, labels, legal) in [
            ("refused", &["team"][..], true),
            (&longest, &eight, true),
            ("n2_x", &[&longest], true),
            (&longer, &[], false),
            ("", &[], false),
            ("_n", &[], false),
            ("2n", &[], false),
            ("nÄ", &[], false),
            ("Name", &[], false),
            ("name_total", &[], false),
            ("n", &nine, false),
            ("n", &["a", "a"], false),
            ("n", &["plugin"], false),
            ("n", &["__a"], false),
            ("n", &[&longer], false),
        ] {
            assert_eq!(counters(vec![declared(name, labels)]).is_ok(), legal, "{name:?} {labels:?}");
        }
    }

    #[test]
    fn counters_are_bounded_and_differ() {
        let many = |count: usize| (0..count).map(|number| declared(&format!("n{number}"), &[])).collect();
        assert_eq!(counters(many(COUNTERS)).unwrap().len(), COUNTERS);
        assert!(counters(many(COUNTERS + 1)).unwrap_err().contains("33 counters, 32 are allowed"));
        assert!(counters(vec![declared("n", &[]), declared("n", &["a"])]).unwrap_err().contains("twice"));
        assert_eq!(counters(vec![declared("n", &[])]).unwrap()[0].help, "two lines");
    }
}
