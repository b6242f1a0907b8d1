//! From the columns of a push to the text of its families, before any lock is taken.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::hash::{BuildHasher, Hash as _, Hasher as _};
use std::sync::{Arc, OnceLock};

use foldhash::fast::RandomState;
use hashbrown::HashSet;
use pushgate_exposition::text::encode;
use pushgate_exposition::{Detail, Escaping, Family, Kind, LabelPair, Push, Series};

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

impl Renderer {
    /// Renders the families of a push, except those that the store writes itself: a client that pushes
    /// what it scraped brings two of them along, and what was stored before may have the others.
    pub(super) fn render(
        &self,
        push: &Push,
        group: &GroupName,
        at: f64,
    ) -> Result<Vec<RenderedFamily>, Refusal> {
        let shared = Shared {
            pushed_at: at,
            utf8_names: push.has_utf8_names(),
            with_instance: group.key.labels().collect(),
            without_instance: with_instance(&group.key),
        };
        // One for all families, so that it grows once.
        let mut text = String::new();
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
        text.clear();
        let mut series = Vec::with_capacity(order.len());
        let mut details = Vec::new();
        if !order.is_sorted_by(|a, b| by_labels(*a, *b).is_le()) {
            order.sort_by(|a, b| by_labels(*a, *b));
        }
        for (number, &row) in (0..).zip(&order) {
            let has_instance = row.labels().any(|(name, _)| name == "instance");
            let more = if has_instance { &shared.with_instance } else { &shared.without_instance };
            encode::samples(text, family, row, more, Escaping::AllowUtf8);
            details.extend(detail(family, row).map(|detail| (number, detail)));
            series.push(self.hash(row.labels().chain(more.iter().copied())));
        }
        self.check_distinct(family, &order, &series)?;
        let is_rare = shared.utf8_names || !details.is_empty() || !family.unit().is_empty();
        let rare =
            || Rare { unit: family.unit().into(), details: details.into(), utf8_names: shared.utf8_names };
        let chunk = Chunk {
            text: text.as_str().into(),
            help: family.help().map(|help| Cow::Owned(help.to_owned())),
            series: series.into(),
            pushed_at: shared.pushed_at,
            rare: is_rare.then(|| Box::new(rare())),
            labels: OnceLock::new(),
            text_hash: OnceLock::new(),
        };
        Ok(RenderedFamily { name: family.name().into(), kind: family.kind(), chunk: Arc::new(chunk) })
    }

    /// A hash of a label set that does not depend on the order of the labels.
    fn hash<'a>(&self, labels: impl Iterator<Item = LabelPair<'a>>) -> u64 {
        let hash = |(name, value): LabelPair<'_>| {
            let mut hasher = self.hasher.build_hasher();
            name.hash(&mut hasher);
            value.hash(&mut hasher);
            hasher.finish()
        };
        labels.map(hash).fold(0, u64::wrapping_add)
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
    let values = a.labels().map(|(_, value)| value).cmp(b.labels().map(|(_, value)| value));
    a.labels().len().cmp(&b.labels().len()).then(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_labels_does_not_matter() {
        let renderer = Renderer::default();
        let hash = |labels: &[LabelPair<'_>]| renderer.hash(labels.iter().copied());
        assert_eq!(hash(&[("a", "1"), ("b", "2")]), hash(&[("b", "2"), ("a", "1")]));
        assert_ne!(hash(&[("a", "1"), ("b", "2")]), hash(&[("a", "2"), ("b", "1")]));
        assert_ne!(hash(&[("a", "bc")]), hash(&[("ab", "c")]));
    }
}
