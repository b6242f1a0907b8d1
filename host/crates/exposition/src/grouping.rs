//! Grouping keys: the label set that names a group.

use std::fmt;

use crate::escaping::find_escaped_alike;
use crate::name::Names;

/// The labels in a push's URL: `job` and any others, sorted by name.
///
/// Two keys are equal when they hold the same labels, whatever their order in the URL. `job` is always
/// there and not empty; names are legal label names and occur once. Values may be anything, also
/// empty: `{job="x"}` and `{job="x", instance=""}` are two keys.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupingKey {
    labels: Box<[(Box<str>, Box<str>)]>,
}

/// Why labels are no grouping key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GroupingKeyError {
    /// There is no `job`, or it is empty.
    #[error("job name is required")]
    NoJob,
    /// Not `[a-zA-Z_][a-zA-Z0-9_]*`, or reserved by `__`.
    #[error("improper label name {0:?}")]
    LabelName(String),
    /// Scrapers that know classic names only would take them for one.
    #[error("label names {0:?} and {1:?} are the same once they are escaped")]
    EscapedAlike(String, String),
}

impl GroupingKey {
    /// A key of these labels, with classic names. Of a name that comes twice the last value counts.
    ///
    /// # Errors
    /// When a name is illegal, or `job` is missing or empty.
    ///
    /// ```
    /// # use pushgate_exposition::GroupingKey;
    /// let key = GroupingKey::new([("job", "backup"), ("host", "db1")])?;
    /// assert_eq!(key.to_string(), r#"{host="db1",job="backup"}"#);
    /// assert_eq!(key.job(), "backup");
    /// # Ok::<(), pushgate_exposition::GroupingKeyError>(())
    /// ```
    pub fn new<N, V>(labels: impl IntoIterator<Item = (N, V)>) -> Result<Self, GroupingKeyError>
    where
        N: Into<Box<str>>,
        V: Into<Box<str>>,
    {
        Self::with_names(labels, Names::Classic)
    }

    /// A key of these labels, with names of that kind.
    ///
    /// # Errors
    /// As for [`new`](Self::new).
    pub fn with_names<N, V>(
        labels: impl IntoIterator<Item = (N, V)>,
        names: Names,
    ) -> Result<Self, GroupingKeyError>
    where
        N: Into<Box<str>>,
        V: Into<Box<str>>,
    {
        let mut sorted: Vec<(Box<str>, Box<str>)> = Vec::new();
        for (name, value) in labels {
            let (name, value) = (name.into(), value.into());
            if !names.allow_label(&name) {
                return Err(GroupingKeyError::LabelName(name.into()));
            }
            match sorted.binary_search_by(|(other, _)| other.cmp(&name)) {
                Ok(at) => sorted[at].1 = value,
                Err(at) => sorted.insert(at, (name, value)),
            }
        }
        let key = Self { labels: sorted.into() };
        match find_escaped_alike(key.labels().map(|(name, _)| name)) {
            _ if key.job().is_empty() => Err(GroupingKeyError::NoJob),
            Some((one, other)) => Err(GroupingKeyError::EscapedAlike(one, other)),
            None => Ok(key),
        }
    }

    /// A key of labels that are known to be one: sorted, legal, with a job.
    pub(crate) fn from_legal<'a>(labels: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        Self { labels: labels.map(|(name, value)| (name.into(), value.into())).collect() }
    }

    /// The value of `job`.
    pub fn job(&self) -> &str {
        self.label("job").unwrap_or_default()
    }

    /// The value of a label.
    pub fn label(&self, name: &str) -> Option<&str> {
        self.labels().find(|(other, _)| *other == name).map(|(_, value)| value)
    }

    /// All labels with `job` among them, sorted by name.
    pub fn labels(&self) -> impl ExactSizeIterator<Item = (&str, &str)> + Clone {
        self.labels.iter().map(|(name, value)| (&**name, &**value))
    }
}

/// As a label set: `{host="db1",job="backup"}`.
impl fmt::Display for GroupingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::from("{");
        for (name, value) in self.labels() {
            crate::text::encode::any_label(&mut text, name, value);
        }
        text.push('}');
        f.write_str(&text)
    }
}

impl fmt::Debug for GroupingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_does_not_matter_and_the_last_value_counts() {
        let a = GroupingKey::new([("job", "x"), ("b", "1"), ("a", "")]).unwrap();
        let b = GroupingKey::new([("a", "9"), ("b", "1"), ("job", "x"), ("a", "")]).unwrap();
        assert_eq!(a, b);
        assert_ne!(a, GroupingKey::new([("job", "x"), ("b", "1")]).unwrap());
        assert_eq!(a.to_string(), r#"{a="",b="1",job="x"}"#);
    }

    #[test]
    fn what_is_no_key() {
        let check = |labels: &[(&str, &str)], expected| {
            assert_eq!(GroupingKey::new(labels.iter().copied()), Err(expected), "{labels:?}");
        };
        check(&[], GroupingKeyError::NoJob);
        check(&[("job", "")], GroupingKeyError::NoJob);
        for name in ["", "1a", "a-b", "a:b", "__x", "ü"] {
            check(&[("job", "x"), (name, "v")], GroupingKeyError::LabelName(name.into()));
        }
    }
}
