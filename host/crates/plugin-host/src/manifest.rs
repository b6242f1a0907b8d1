//! What a plugin says of itself.

use crate::bindings::exports::pushgate::plugin::policy;
use crate::instance::one_line;
use crate::limits::MESSAGE_LENGTH;

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
        let code = |code: policy::Code| Code { id: code.id, meaning: code.meaning };
        Ok(Self {
            name: manifest.name,
            version: manifest.version,
            summary: manifest.summary,
            config_schema: manifest.config_schema,
            wants,
            mutates: manifest.mutates,
            pure: manifest.pure,
            codes: manifest.codes.into_iter().map(code).collect(),
            counters: counters(manifest.counters)?,
        })
    }
}

/// Counters of one plugin, and labels of one of them: what is shown of a plugin is bounded.
const COUNTERS: usize = 32;
const COUNTER_LABELS: usize = 8;

/// Bytes in the name of a counter or of one of its labels.
const COUNTER_NAME_LENGTH: usize = 64;

/// A label that the gateway itself puts on each series of a counter.
const PLUGIN_LABEL: &str = "plugin";

fn counters(counters: Vec<policy::Counter>) -> Result<Vec<Counter>, String> {
    if counters.len() > COUNTERS {
        return Err(format!("it declares {} counters, {COUNTERS} are allowed", counters.len()));
    }
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
        if labels.len() > COUNTER_LABELS {
            let (sent, allowed) = (labels.len(), COUNTER_LABELS);
            return Err(format!("the counter {name:?} has {sent} labels, {allowed} are allowed"));
        }
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
