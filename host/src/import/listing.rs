//! What `GET /api/v1/metrics` of a running Pushgateway tells of its groups: which series belong to which, and when they
//! were pushed. The values are taken from a scrape, which has all of them in full.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::store::{FAILURE_TIME, PUSH_TIME, Times};

/// A group without its values.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) labels: BTreeMap<String, String>,
    pub(super) times: Times,
    /// The [`series`] of the group.
    pub(super) series: Vec<u64>,
}

/// Stands for a series: a hash of its family's name and its labels, in any order.
pub(super) fn series<'a>(family: &str, labels: impl Iterator<Item = (&'a str, &'a str)>) -> u64 {
    let hash = |value: (&str, &str)| {
        let mut hasher = DefaultHasher::new();
        value.hash(&mut hasher);
        hasher.finish()
    };
    labels.map(hash).fold(hash((family, "")), u64::wrapping_add)
}

/// Reads the listing, group by group: one of 20,000 groups would be gigabytes as a tree.
///
/// # Errors
/// When it is no such listing.
pub(super) fn read(answer: impl io::Read) -> serde_json::Result<Vec<Listed>> {
    let mut groups = Vec::new();
    let mut deserializer = serde_json::Deserializer::from_reader(answer);
    Answer(&mut groups).deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(groups)
}

/// `{"status": …, "data": [group, …]}`.
struct Answer<'a>(&'a mut Vec<Listed>);

impl<'de> DeserializeSeed<'de> for Answer<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Answer<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the answer of /api/v1/metrics")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut found = false;
        while let Some(key) = map.next_key::<String>()? {
            if key == "data" {
                found = true;
                map.next_value_seed(Groups(self.0))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        if found { Ok(()) } else { Err(A::Error::missing_field("data")) }
    }
}

struct Groups<'a>(&'a mut Vec<Listed>);

impl<'de> DeserializeSeed<'de> for Groups<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Groups<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of groups")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut groups: A) -> Result<(), A::Error> {
        while let Some(members) = groups.next_element()? {
            let number = self.0.len() + 1;
            let group =
                listed(members).map_err(|what| A::Error::custom(format!("group {number}: {what}")))?;
            self.0.push(group);
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct FamilyMember {
    metrics: Vec<Metric>,
}

#[derive(Deserialize)]
struct Metric {
    labels: BTreeMap<String, String>,
    value: Option<String>,
}

/// A group's members: a family for each name, beside `labels` and `last_push_successful`.
fn listed(members: BTreeMap<String, Value>) -> Result<Listed, String> {
    let mut labels = None;
    let mut times = Times::default();
    let mut shown = BTreeMap::new();
    let mut all = Vec::new();
    for (name, member) in members {
        if name == "labels" && member.get("metrics").is_none() {
            labels = serde_json::from_value(member).map_err(|error| error.to_string())?;
            continue;
        }
        if member.is_boolean() {
            continue;
        }
        let family: FamilyMember =
            serde_json::from_value(member).map_err(|error| format!("family {name:?}: {error}"))?;
        let time = match name.as_str() {
            PUSH_TIME => Some(&mut times.push),
            FAILURE_TIME => Some(&mut times.failure),
            _ => None,
        };
        let Some(time) = time else {
            all.extend(family.metrics.iter().map(|metric| series(&name, pairs(&metric.labels))));
            continue;
        };
        if let Some(metric) = family.metrics.into_iter().next() {
            let value = metric.value.and_then(|value| value.parse().ok());
            *time = value.filter(|value: &f64| value.is_finite()).unwrap_or_default();
            shown = metric.labels;
        }
    }
    // A family named "labels" takes the place of the group's labels in the answer.
    let labels = labels.unwrap_or_else(|| {
        shown.retain(|name, value| name != "instance" || !value.is_empty());
        shown
    });
    Ok(Listed { labels, times, series: all })
}

fn pairs(labels: &BTreeMap<String, String>) -> impl Iterator<Item = (&str, &str)> {
    labels.iter().map(|(name, value)| (name.as_str(), value.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMES: &str = r#""push_time_seconds":{"metrics":[{"labels":{"instance":"","job":"x"},"value":"1.5e+09"}]},
        "push_failure_time_seconds":{"metrics":[{"labels":{"instance":"","job":"x"},"value":"0"}]}"#;

    fn read_one(members: &str) -> Result<Listed, String> {
        let answer = format!(r#"{{"status":"success","data":[{{{members}}}]}}"#);
        let groups = read(answer.as_bytes()).map_err(|error| error.to_string())?;
        groups.into_iter().next().ok_or_else(|| "no group".to_owned())
    }

    #[test]
    fn groups_are_read_one_by_one() {
        let group = read_one(&format!(
            r#""a":{{"type":"GAUGE","metrics":[{{"labels":{{"instance":"","job":"x"}},"value":"1"}}]}},
               "h":{{"metrics":[{{"labels":{{"job":"x"}},"buckets":{{"1":"1"}},"count":"1","sum":"1"}}]}},
               "labels":{{"job":"x"}},"last_push_successful":true,{TIMES}"#
        ))
        .unwrap();
        assert_eq!(group.labels, BTreeMap::from([("job".to_owned(), "x".to_owned())]));
        assert_eq!(group.times, Times { push: 1.5e9, failure: 0.0, wish: None });
        let expected = [
            series("a", [("job", "x"), ("instance", "")].into_iter()),
            series("h", [("job", "x")].into_iter()),
        ];
        assert_eq!(group.series, expected);
        assert_eq!(read(r#"{"data":[],"status":"success"}"#.as_bytes()).unwrap().len(), 0);
    }

    #[test]
    fn a_family_named_labels_does_not_hide_the_group() {
        let group = read_one(&format!(r#""labels":{{"metrics":[]}},{TIMES}"#)).unwrap();
        assert_eq!(group.labels, BTreeMap::from([("job".to_owned(), "x".to_owned())]));
    }

    #[test]
    fn anything_else_is_told() {
        for (answer, expected) in [
            ("", "EOF"),
            ("<html>", "expected value"),
            ("{}", "missing field `data`"),
            (r#"{"data":5}"#, "expected a list of groups"),
            (r#"{"data":[{"a":5}]}"#, "group 1: family \"a\""),
            (r#"{"data":[]} x"#, "trailing characters"),
        ] {
            let error = read(answer.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(expected), "{answer}: {error}");
        }
    }
}
