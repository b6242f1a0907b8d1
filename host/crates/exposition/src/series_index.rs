//! Series by family and labels, while a push is read.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use crate::{Builder, Label};

/// Finds series of a [`Builder`] that were inserted here.
#[derive(Default)]
pub(crate) struct SeriesIndex {
    table: HashTable<u32>,
    hasher: RandomState,
}

impl SeriesIndex {
    /// The series with those labels, sorted, in that family.
    pub(crate) fn find(&self, builder: &Builder, family: u32, labels: &[Label]) -> Option<u32> {
        let key = hash(&self.hasher, family, labels.iter().copied());
        self.table.find(key, |&series| builder.is_series(series, family, labels)).copied()
    }

    /// Adds a series that is not in here.
    pub(crate) fn insert(&mut self, builder: &Builder, series: u32) {
        let hasher = &self.hasher;
        let hash = |series| hash(hasher, builder.family_of_series(series), builder.labels_of(series));
        self.table.insert_unique(hash(series), series, |&series| hash(series));
    }
}

fn hash(hasher: &RandomState, family: u32, labels: impl Iterator<Item = Label>) -> u64 {
    labels.fold(u64::from(family), |hash, label| hasher.hash_one((hash, label.name, label.value)))
}
