//! A file to groups.

use crate::cursor::Cursor;
use crate::error::quote;
use crate::layout::{FamilyField, GroupField, Layout};
use crate::skip::skip;
use crate::types::{TypeId, Types};
use crate::{Family, Group, Problem, ReadError, Timestamp};

/// How much a group may hold. All groups together hold what the file holds, whose size is for the caller to
/// bound; these bound the memory for one group, which takes up to 32 times as much as its bytes.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Labels of a group.
    pub labels: usize,
    /// Families of a group.
    pub families: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { labels: 1000, families: 100_000 }
    }
}

/// Reads a persistence file: what stands before its groups at once, the groups as they are asked for.
///
/// A file that was cut off is refused here; damage inside the groups is only found by going through them.
/// Memory is needed for one group at a time, and in it for names and places only.
///
/// # Errors
/// When the file does not begin as that of a Pushgateway, or is not as long as it says.
pub fn read(file: &[u8], limits: Limits) -> Result<Groups<'_>, ReadError> {
    let mut file = Cursor::new(file);
    if file.is_at_end() {
        return file.fail(Problem::Empty);
    }
    let mut types = Types::default();
    while !file.is_at_end() {
        let mut message = file.part("the message")?;
        let start = message.clone();
        let id = message.int()?;
        if id >= 0 {
            // Go would not look at what follows, but does not write anything there either.
            file.expect_end("the file's one value")?;
            return groups(types, id, message, &start, limits);
        }
        types.define(id.saturating_neg(), &mut message)?;
        message.expect_end("a type definition")?;
    }
    file.fail(Problem::NoValue)
}

fn groups<'a>(
    types: Types<'a>,
    id: TypeId,
    mut value: Cursor<'a>,
    start: &Cursor<'a>,
    limits: Limits,
) -> Result<Groups<'a>, ReadError> {
    let layout = Layout::of(&types, id).or_else(|problem| start.fail(problem))?;
    // Before a value that is no struct, there is the distance to a field that does not exist.
    let singleton = value.clone();
    match value.uint()? {
        0 => {}
        _ => return singleton.fail(Problem::Singleton),
    }
    let left = value.count("the map of groups")?;
    Ok(Groups { types, layout, limits, value, left, is_over: false })
}

/// The groups of a file, in its order, which is a random one. After an error there are no more.
///
/// The key that a group has in the file is not looked at: it is made of the labels. So it is up to the caller
/// to find that two groups have the same labels, which no Pushgateway writes.
pub struct Groups<'a> {
    types: Types<'a>,
    layout: Layout,
    limits: Limits,
    value: Cursor<'a>,
    left: usize,
    is_over: bool,
}

impl<'a> Iterator for Groups<'a> {
    type Item = Result<Group<'a>, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let Some(left) = self.left.checked_sub(1) else {
            self.is_over = true;
            return self.value.expect_end("the map of groups").err().map(Err);
        };
        self.left = left;
        let group = self.group();
        self.is_over = group.is_err();
        Some(group)
    }
}

impl std::iter::FusedIterator for Groups<'_> {}

impl<'a> Groups<'a> {
    fn group(&mut self) -> Result<Group<'a>, ReadError> {
        let start = self.value.clone();
        self.value.bytes("a group's key")?;
        let (mut labels, mut families) = (Vec::new(), Vec::new());
        let mut field = None;
        loop {
            let place = self.value.clone();
            field = self.value.field(field)?;
            let Some(number) = field else { break };
            match self.layout.group.get(number).copied() {
                Some(GroupField::Labels) => self.labels(&mut labels)?,
                Some(GroupField::Families) => self.families(&mut families)?,
                Some(GroupField::Other(id)) => skip(&self.types, &mut self.value, id)?,
                None => return place.fail(Problem::UnknownField { what: "a group", number }),
            }
        }
        Group::new(labels, families).or_else(|repeated| start.fail(repeated.into()))
    }

    fn labels(&mut self, labels: &mut Vec<(&'a [u8], &'a [u8])>) -> Result<(), ReadError> {
        for _ in 0..self.count("the labels of a group", "labels in a group", self.limits.labels)? {
            labels.push((self.value.bytes("a label's name")?, self.value.bytes("a label's value")?));
        }
        Ok(())
    }

    fn families(&mut self, families: &mut Vec<Family<'a>>) -> Result<(), ReadError> {
        let what = "the metric families of a group";
        for _ in 0..self.count(what, "metric families in a group", self.limits.families)? {
            families.push(self.family()?);
        }
        Ok(())
    }

    fn count(&mut self, what: &'static str, entries: &'static str, limit: usize) -> Result<usize, ReadError> {
        let start = self.value.clone();
        match self.value.count(what)? {
            count if count <= limit => Ok(count),
            _ => start.fail(Problem::OverLimit { what: entries, limit }),
        }
    }

    fn family(&mut self) -> Result<Family<'a>, ReadError> {
        let start = self.value.clone();
        let name = self.value.bytes("a metric family's name")?;
        // Go leaves out what is zero, but an encoded family never is: it may be empty, not missing.
        let (mut pushed_at, mut metric_family) = (Timestamp::ZERO, None);
        let mut field = None;
        loop {
            let place = self.value.clone();
            field = self.value.field(field)?;
            let Some(number) = field else { break };
            match self.layout.family.get(number).copied() {
                Some(FamilyField::PushedAt) => pushed_at = self.time()?,
                Some(FamilyField::MetricFamily) => {
                    metric_family = Some(self.value.bytes("the contents of a metric family")?);
                }
                Some(FamilyField::Other(id)) => skip(&self.types, &mut self.value, id)?,
                None => return place.fail(Problem::UnknownField { what: "a metric family", number }),
            }
        }
        match metric_family {
            Some(metric_family) => Ok(Family { name, pushed_at, metric_family }),
            None => start.fail(Problem::NoContents(quote(name))),
        }
    }

    /// The time of a push: version, seconds since the year 1, nanoseconds and the zone in which it is to be
    /// shown, which does not matter for when it was.
    fn time(&mut self) -> Result<Timestamp, ReadError> {
        let start = self.value.clone();
        let bytes = self.value.bytes("the time of a push")?;
        let (version, rest) = bytes.split_first().map_or((0, bytes), |(&version, rest)| (version, rest));
        let parts =
            rest.split_first_chunk().and_then(|(seconds, rest)| Some((seconds, rest.split_first_chunk()?)));
        match (version, parts) {
            // Minutes of the zone, and in version 2 also its seconds.
            (1, Some((seconds, (nanos, [_, _])))) | (2, Some((seconds, (nanos, [_, _, _])))) => {
                let (seconds, nanos) = (i64::from_be_bytes(*seconds), u32::from_be_bytes(*nanos));
                let time = Timestamp::from_year_1(seconds, nanos);
                time.map_or_else(|| start.fail(Problem::Time { seconds, nanos }), Ok)
            }
            _ => start.fail(Problem::TimeFormat { bytes: bytes.len(), version }),
        }
    }
}
