//! From the columns of a push to the text of its families, before any lock is taken.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::hash::{BuildHasher, Hash as _, Hasher as _};
use std::sync::{Arc, OnceLock};

use foldhash::fast::RandomState;
use hashbrown::HashSet;
use pushgate_exposition::text::{Lines, encode};
use pushgate_exposition::{Detail, Family, Kind, LabelPair, Push, Series, Sym};

use super::chunk::{Chunk, Rare};
use super::group::{GroupName, with_instance};
use super::{FAILURE_TIME, PUSH_AGE, PUSH_STALE, PUSH_TIME, Refusal, StoredFamily};

/// A family of a push, rendered.
#[derive(Clone, Debug)]
pub struct RenderedFamily {
    pub(super) name: Arc<str>,
    pub(super) kind: Kind,
    pub(super) chunk: Arc<Chunk>,
}

impl RenderedFamily {
    /// Its name.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// What will be stored of it.
    pub fn to_stored(&self) -> StoredFamily {
        StoredFamily { name: self.name.clone(), kind: self.kind, chunk: self.chunk.clone() }
    }
}

/// Bytes of a line, as it mostly is, and of how many lines room is made for at once.
const LINE: usize = 160;
const MAX_LINES: usize = 1 << 10;

/// Renders pushes. The hasher's seed is the store's: hashes of different renderers cannot be compared.
#[derive(Default)]
pub(super) struct Renderer {
    hasher: RandomState,
}

/// What all series of a push have in common.
struct Shared<'a> {
    pushed_at: f64,
    utf8_names: bool,
    /// The grouping labels, for series with an instance of their own; and with `instance=""`.
    with_instance: Vec<LabelPair<'a>>,
    without_instance: Vec<LabelPair<'a>>,
}

impl<'a> Shared<'a> {
    fn of(push: &Push, group: &'a GroupName, at: f64) -> Self {
        Self {
            pushed_at: at,
            utf8_names: push.has_utf8_names(),
            with_instance: group.key.labels().collect(),
            without_instance: with_instance(&group.key),
        }
    }

    /// The labels of the group that a series is shown with.
    fn more(&self, series: Series<'_>) -> &[LabelPair<'a>] {
        let has_instance = series.labels().any(|(name, _)| name == "instance");
        if has_instance { &self.with_instance } else { &self.without_instance }
    }
}

impl Renderer {
    /// Renders the families of a push, except those that the store writes itself: a client that pushes
    /// what it scraped brings two of them along, and what was stored before may have the others.
    pub(super) fn render(
        &self,
        push: &Push,
        group: &GroupName,
        at: f64,
    ) -> Result<Vec<RenderedFamily>, Refusal> {
        let shared = Shared::of(push, group, at);
        // One for all families, so that it grows hardly ever.
        let mut text = String::with_capacity(LINE * push.series_count().min(MAX_LINES));
        push.families()
            .filter(|family| ![PUSH_TIME, FAILURE_TIME, PUSH_AGE, PUSH_STALE].contains(&family.name()))
            .map(|family| self.family(family, &shared, &mut text))
            .collect()
    }

    /// Renders one family; `text` is scratch.
    fn family(
        &self,
        family: Family<'_>,
        shared: &Shared<'_>,
        text: &mut String,
    ) -> Result<RenderedFamily, Refusal> {
        if let Some(label) = family.kind().point_label()
            && shared.with_instance.iter().any(|(name, _)| *name == label)
        {
            return Err(Refusal::PointLabel {
                name: family.name().into(),
                kind: family.kind().as_str(),
                label,
            });
        }
        let mut order: Vec<Series<'_>> = family.series().collect();
        let is_strict = order.is_sorted_by(|a, b| by_labels(*a, *b).is_lt());
        if !is_strict {
            order.sort_by(|a, b| by_labels(*a, *b));
        }
        text.clear();
        let mut rows = Rows::new(text, family, shared, &self.hasher);
        let mut series = Vec::with_capacity(order.len());
        let mut details = Vec::new();
        for (number, &row) in (0..).zip(&order) {
            series.push(rows.write(row));
            details.extend(detail(family, row).map(|detail| (number, detail)));
        }
        // Series with the same label names whose values are in a strict order are no two alike.
        if !is_strict || rows.layouts > 1 {
            self.check_distinct(family, &order, &series)?;
        }
        let is_rare = shared.utf8_names || !details.is_empty() || !family.unit().is_empty();
        let rare =
            || Rare { unit: family.unit().into(), details: details.into(), utf8_names: shared.utf8_names };
        let chunk = Chunk {
            text: text.as_str().into(),
            help: family.help().map(|help| Cow::Owned(help.to_owned())),
            series: series.into(),
            pushed_at: shared.pushed_at,
            rare: is_rare.then(|| Arc::new(rare())),
            labels: OnceLock::new(),
            text_hash: OnceLock::new(),
        };
        Ok(RenderedFamily { name: family.name().into(), kind: family.kind(), chunk: Arc::new(chunk) })
    }

    fn check_distinct(
        &self,
        family: Family<'_>,
        order: &[Series<'_>],
        hashes: &[u64],
    ) -> Result<(), Refusal> {
        let mut seen = HashSet::with_capacity_and_hasher(hashes.len(), self.hasher.clone());
        match hashes.iter().position(|hash| !seen.insert(*hash)) {
            Some(at) => Err(Refusal::Duplicate { series: encode::series_name(family, order[at]) }),
            None => Ok(()),
        }
    }
}

/// Writes the series of a family one after the other, and hashes their labels. What a series has in common with the one
/// before, which is most, is taken over.
struct Rows<'a> {
    shared: &'a Shared<'a>,
    hasher: &'a RandomState,
    lines: Lines<'a>,
    /// The labels of the series before, the hash of each, and those of the group that it was written with.
    names: &'a [Sym],
    values: &'a [Sym],
    hashes: Vec<u64>,
    more: &'a [LabelPair<'a>],
    /// The sum of the hashes of all its labels, which does not depend on their order.
    sum: u64,
    /// How often a series had other label names than the one before.
    layouts: usize,
}

impl<'a> Rows<'a> {
    fn new(
        text: &'a mut String,
        family: Family<'a>,
        shared: &'a Shared<'a>,
        hasher: &'a RandomState,
    ) -> Self {
        Self {
            shared,
            hasher,
            lines: Lines::new(text, family),
            names: &[],
            values: &[],
            hashes: Vec::new(),
            more: &[],
            sum: 0,
            layouts: 0,
        }
    }

    /// Appends the lines of a series. Answers the hash of its labels and those of the group.
    fn write(&mut self, series: Series<'a>) -> u64 {
        let (names, values) = series.label_symbols();
        if self.layouts == 0 || names != self.names {
            self.layouts += 1;
            self.more = self.shared.more(series);
            self.hashes.clear();
            self.hashes.extend(series.labels().map(|label| hash(self.hasher, label)));
            let more = self.more.iter().map(|label| hash(self.hasher, *label));
            self.sum = more.chain(self.hashes.iter().copied()).fold(0, u64::wrapping_add);
        } else {
            for (place, before) in self.hashes.iter_mut().enumerate() {
                if values.get(place) != self.values.get(place)
                    && let Some(label) = series.label(place)
                {
                    let after = hash(self.hasher, label);
                    self.sum = self.sum.wrapping_sub(*before).wrapping_add(after);
                    *before = after;
                }
            }
        }
        (self.names, self.values) = (names, values);
        self.lines.write(series, self.more);
        self.sum
    }
}

fn hash(hasher: &RandomState, (name, value): LabelPair<'_>) -> u64 {
    let mut hasher = hasher.build_hasher();
    name.hash(&mut hasher);
    value.hash(&mut hasher);
    hasher.finish()
}

/// What text cannot say of a series. It shows a last bucket that was not sent, too, so that there was none is noted.
fn detail(family: Family<'_>, series: Series<'_>) -> Option<Detail> {
    let is_open = matches!(family.kind(), Kind::Histogram | Kind::GaugeHistogram)
        && !series.points().any(|point| point.bound == f64::INFINITY);
    if !is_open {
        return series.detail().cloned();
    }
    Some(Detail { without_infinity: true, ..series.detail().cloned().unwrap_or_default() })
}

/// Series as a scrape orders them: by the number of labels, then by values in order of the names. The
/// labels of the group are the same for all of them and do not matter.
fn by_labels(a: Series<'_>, b: Series<'_>) -> Ordering {
    a.labels().len().cmp(&b.labels().len()).then_with(|| a.cmp_values(b))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use pushgate_exposition::{GroupingKey, Rules, text};

    use super::*;

    proptest! {
        #[test]
        fn a_hash_is_that_of_all_labels_in_any_order(
            series in prop::collection::vec(prop::collection::btree_map("[a-d]|instance", "[xy]{0,2}", 0..4), 1..9),
            key in prop::collection::btree_map("[a-d]|instance", "[xy]{1,2}", 0..2),
        ) {
            let line = |labels: &std::collections::BTreeMap<String, String>| {
                let labels: Vec<_> = labels.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
                format!("m{{{}}} 1\n", labels.join(","))
            };
            let body: String = series.iter().map(line).collect();
            let key = key.into_iter().chain([("job".to_owned(), "j".to_owned())]);
            let group = GroupName::from(GroupingKey::new(key).unwrap());
            let push = text::parse(body.as_bytes(), &group.key, &Rules::default()).unwrap();
            let (renderer, shared) = (Renderer::default(), Shared::of(&push, &group, 1.0));
            let family = push.families().next().unwrap();
            let mut text = String::new();
            let mut rows = Rows::new(&mut text, family, &shared, &renderer.hasher);
            for row in family.series() {
                let labels = row.labels().chain(shared.more(row).iter().copied());
                let hashes = labels.map(|label| hash(&renderer.hasher, label));
                prop_assert_eq!(rows.write(row), hashes.fold(0, u64::wrapping_add));
            }
        }
    }

    #[test]
    fn a_name_and_its_value_are_told_apart() {
        let hasher = RandomState::default();
        assert_ne!(hash(&hasher, ("a", "bc")), hash(&hasher, ("ab", "c")));
    }
}
