//! What becomes of the series of a push.

use std::ops::Range;

use pushgate_plugin::{Edits, Push, Series, Sym};

/// Series that are dropped, and labels that are dropped from the others.
#[derive(Default)]
pub(crate) struct Fates {
    /// By series; empty while none is dropped.
    dropped: Vec<bool>,
    dropped_count: usize,
    /// Sorted by series.
    label_drops: Vec<LabelDrop>,
}

/// A label that is dropped from a series.
#[derive(Clone, Copy)]
pub(crate) struct LabelDrop {
    pub(crate) series: usize,
    pub(crate) name: Sym,
}

impl Fates {
    #[inline]
    pub(crate) fn is_dropped(&self, series: Series<'_>) -> bool {
        self.dropped.get(series.index()).copied().unwrap_or_default()
    }

    /// How many series are left of a push.
    pub(crate) fn left(&self, push: &Push) -> usize {
        push.series_count() - self.dropped_count
    }

    pub(crate) fn drop(&mut self, series: Series<'_>, push: &Push) {
        if self.dropped.is_empty() {
            self.dropped = vec![false; push.series_count()];
        }
        if !std::mem::replace(&mut self.dropped[series.index()], true) {
            self.dropped_count += 1;
        }
    }

    /// Drops a label; series have to come in their order.
    pub(crate) fn drop_label(&mut self, series: Series<'_>, name: Sym) {
        self.label_drops.push(LabelDrop { series: series.index(), name });
    }

    pub(crate) fn label_drop_count(&self) -> usize {
        self.label_drops.len()
    }

    /// What is dropped from some series.
    pub(crate) fn label_drops(&self, series: Range<usize>) -> &[LabelDrop] {
        let start = self.label_drops.partition_point(|drop| drop.series < series.start);
        let end = self.label_drops.partition_point(|drop| drop.series < series.end);
        &self.label_drops[start..end]
    }

    pub(crate) fn edits(&self, push: &Push) -> Edits {
        let mut edits = Edits::new(push);
        if self.dropped_count > 0 {
            for family in push.families() {
                if family.series().len() > 0 && family.series().all(|series| self.is_dropped(series)) {
                    edits.drop(family);
                } else {
                    let dropped = family.series().filter(|series| self.is_dropped(*series));
                    dropped.for_each(|series| edits.drop(series));
                }
            }
        }
        for drop in &self.label_drops {
            if let Some(series) = push.series_at(drop.series).filter(|series| !self.is_dropped(*series)) {
                edits.drop_label(series, drop.name);
            }
        }
        edits
    }
}
