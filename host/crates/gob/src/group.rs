//! What a persistence file holds.

use crate::error::quote;

/// One group: its labels and families, both sorted by name, no name twice.
///
/// It borrows from the file it was read from, or from whoever is about to write it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group<'a> {
    labels: Vec<(&'a [u8], &'a [u8])>,
    families: Vec<Family<'a>>,
}

/// A metric family as it was pushed to a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Family<'a> {
    /// The name it is stored under, which is that in `metric_family` unless something is wrong.
    pub name: &'a [u8],
    /// When it was pushed.
    pub pushed_at: Timestamp,
    /// The protobuf encoding of `io.prometheus.client.MetricFamily`. Its series have the group's labels.
    pub metric_family: &'a [u8],
}

/// A label or family comes twice in one group.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} {name:?} comes twice in a group")]
pub struct Repeated {
    what: &'static str,
    name: String,
}

impl<'a> Group<'a> {
    /// A group of these labels and families, in any order.
    ///
    /// Nothing else is asked of them: also a group without labels can be in a file.
    ///
    /// # Errors
    /// When two labels or two families have one name.
    pub fn new(
        mut labels: Vec<(&'a [u8], &'a [u8])>,
        mut families: Vec<Family<'a>>,
    ) -> Result<Self, Repeated> {
        labels.sort_unstable_by_key(|&(name, _)| name);
        families.sort_unstable_by_key(|family| family.name);
        refuse_repeated("label", labels.iter().map(|&(name, _)| name))?;
        refuse_repeated("metric family", families.iter().map(|family| family.name))?;
        Ok(Self { labels, families })
    }

    /// The labels of the grouping key as names and values, sorted by name.
    pub fn labels(&self) -> impl ExactSizeIterator<Item = (&'a [u8], &'a [u8])> + Clone {
        self.labels.iter().copied()
    }

    /// The families, sorted by name. Those about the pushes themselves (`push_time_seconds` and
    /// `push_failure_time_seconds`) are among them.
    pub fn families(&self) -> &[Family<'a>] {
        &self.families
    }
}

fn refuse_repeated<'a>(
    what: &'static str,
    sorted: impl Iterator<Item = &'a [u8]> + Clone,
) -> Result<(), Repeated> {
    match sorted.clone().zip(sorted.skip(1)).find(|(one, next)| one == next) {
        Some((name, _)) => Err(Repeated { what, name: quote(name) }),
        None => Ok(()),
    }
}

/// A moment, to the nanosecond. Go counts from the year 1, and so far back a file can go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp {
    seconds: i64,
    nanos: u32,
}

/// From the first second of the year 1 to that of 1970, in the calendar of today.
const YEAR_1_TO_1970: i64 = 62_135_596_800;

impl Timestamp {
    /// Go's zero time, which is left out of a file: the first second of the year 1.
    pub const ZERO: Self = Self { seconds: -YEAR_1_TO_1970, nanos: 0 };

    /// A moment by its seconds since 1970 and the nanoseconds behind that second. None if these are more than
    /// a second, or if the moment is so late that Go's count of seconds cannot hold it.
    pub fn new(seconds: i64, nanos: u32) -> Option<Self> {
        let legal = nanos < 1_000_000_000 && seconds <= i64::MAX - YEAR_1_TO_1970;
        legal.then_some(Self { seconds, nanos })
    }

    /// Seconds since 1970, negative before.
    pub fn seconds(self) -> i64 {
        self.seconds
    }

    /// Nanoseconds behind the second, less than a second.
    pub fn nanos(self) -> u32 {
        self.nanos
    }

    pub(crate) fn from_year_1(seconds: i64, nanos: u32) -> Option<Self> {
        Self::new(seconds.checked_sub(YEAR_1_TO_1970)?, nanos)
    }

    /// Seconds since the year 1; [`Self::new`] has seen to it that there is such a number.
    pub(crate) fn since_year_1(self) -> i64 {
        self.seconds.saturating_add(YEAR_1_TO_1970)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels<'a>(labels: &[(&'a str, &'a str)]) -> Vec<(&'a [u8], &'a [u8])> {
        labels.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect()
    }

    fn family(name: &[u8]) -> Family<'_> {
        Family { name, pushed_at: Timestamp::ZERO, metric_family: b"" }
    }

    #[test]
    fn labels_and_families_are_sorted() {
        let group = Group::new(labels(&[("job", "x"), ("a", "")]), vec![family(b"b"), family(b"a")]).unwrap();
        let expected: [(&[u8], &[u8]); 2] = [(b"a", b""), (b"job", b"x")];
        assert!(group.labels().eq(expected));
        assert_eq!(group.families(), [family(b"a"), family(b"b")]);
    }

    #[test]
    fn what_comes_twice_is_refused() {
        let twice = Group::new(labels(&[("a", "1"), ("job", "x"), ("a", "2")]), vec![]);
        assert_eq!(twice.unwrap_err().to_string(), r#"label "a" comes twice in a group"#);
        let twice = Group::new(vec![], vec![family(b"up"), family(b"up")]);
        assert_eq!(twice.unwrap_err().to_string(), r#"metric family "up" comes twice in a group"#);
    }

    #[test]
    fn times_are_those_that_go_can_count() {
        let latest = i64::MAX - YEAR_1_TO_1970;
        assert_eq!(Timestamp::new(latest, 999_999_999).map(Timestamp::since_year_1), Some(i64::MAX));
        assert_eq!(Timestamp::new(latest + 1, 0), None);
        assert_eq!(Timestamp::new(0, 1_000_000_000), None);
        assert_eq!(Timestamp::from_year_1(0, 0), Some(Timestamp::ZERO));
        assert_eq!(Timestamp::from_year_1(i64::MIN, 0), None);
    }
}
