//! The buckets and quantiles of series, by their bounds.

use pushgate_plugin::{Point, Series};

/// Reads the buckets and quantiles of one series after the other.
pub(crate) struct Points {
    read: Vec<Point>,
    /// How many more can be judged within the fuel that a gateway allows for a push.
    left: usize,
}

/// What can be judged of every push, and further of each series.
const POINTS: usize = 40_000;
const POINTS_PER_SERIES: usize = 300;

/// Points in another order take as much as so many others.
const UNSORTED: usize = 5;

/// There are more points than can be judged.
#[derive(Debug)]
pub(crate) struct TooMany;

impl Points {
    /// For a push of so many series.
    pub(crate) fn new(series: usize) -> Self {
        Self { read: Vec::new(), left: POINTS + POINTS_PER_SERIES * series }
    }

    /// The points of a series, sorted: they may be pushed in any order, and mostly come in this one.
    pub(crate) fn of(&mut self, series: Series<'_>) -> Result<&[Point], TooMany> {
        self.read.clear();
        self.read.extend(series.points());
        let is_sorted = self.read.is_sorted_by(|a, b| a.bound <= b.bound);
        let work = self.read.len() * if is_sorted { 1 } else { UNSORTED };
        self.left = self.left.checked_sub(work).ok_or(TooMany)?;
        if !is_sorted {
            self.read.sort_by(|a, b| a.bound.total_cmp(&b.bound));
        }
        Ok(&self.read)
    }
}
