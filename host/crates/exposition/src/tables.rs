//! Rows that were written in any order, put below their parents.

use crate::push::{FamilyColumns, SeriesColumns, rows};

/// The columns of a push while they are written: series and points name their parents. Rows that came in
/// order (nearly all do) are not moved.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tables {
    pub(crate) families: FamilyColumns,
    pub(crate) series: SeriesColumns,
    /// The family of each series.
    pub(crate) series_family: Vec<u32>,
    /// The series of each point.
    pub(crate) point_series: Vec<u32>,
}

impl Tables {
    /// Makes room for so many series and labels.
    pub(crate) fn reserve(&mut self, series: usize, labels: usize) {
        self.series_family.reserve(series);
        self.series.label_end.reserve(series);
        self.series.label_name.reserve(labels);
        self.series.label_value.reserve(labels);
        self.series.value.reserve(series);
        self.series.count.reserve(series);
        self.series.detail.reserve(series);
    }

    /// The finished columns: series behind each other by family, points by series, and families without
    /// series gone.
    pub(crate) fn finish(mut self) -> (FamilyColumns, SeriesColumns) {
        self.order_points();
        self.order_series();
        self.drop_empty_families();
        (self.families, self.series)
    }

    fn order_points(&mut self) {
        let count = self.series_family.len();
        if let Some(order) = order_by_parent(&self.point_series) {
            permute(&mut self.series.point_bound, &order);
            permute(&mut self.series.point_value, &order);
        }
        self.series.point_end = ends(&self.point_series, count);
    }

    fn order_series(&mut self) {
        self.families.series_end = ends(&self.series_family, self.families.name.len());
        let Some(order) = order_by_parent(&self.series_family) else { return };
        let series = &mut self.series;
        permute(&mut series.value, &order);
        permute(&mut series.count, &order);
        permute(&mut series.detail, &order);
        series.label_end = permute_rows(&series.label_end, &order, |moved| {
            permute(&mut series.label_name, moved);
            permute(&mut series.label_value, moved);
        });
        series.point_end = permute_rows(&series.point_end, &order, |moved| {
            permute(&mut series.point_bound, moved);
            permute(&mut series.point_value, moved);
        });
    }

    fn drop_empty_families(&mut self) {
        let families = &mut self.families;
        let mut start = 0;
        let filled: Vec<bool> =
            families.series_end.iter().map(|&end| std::mem::replace(&mut start, end) < end).collect();
        if filled.iter().all(|&filled| filled) {
            return;
        }
        keep(&mut families.name, &filled);
        keep(&mut families.kind, &filled);
        keep(&mut families.help, &filled);
        keep(&mut families.blank_help, &filled);
        keep(&mut families.unit, &filled);
        keep(&mut families.series_end, &filled);
    }
}

/// The stable order of rows by parent; `None` when they are in order.
fn order_by_parent(parents: &[u32]) -> Option<Vec<u32>> {
    if parents.is_sorted() {
        return None;
    }
    let mut order: Vec<u32> = (0..parents.len() as u32).collect();
    order.sort_by_key(|&row| parents[row as usize]);
    Some(order)
}

/// Where the children of each of `count` parents end, once they are in order.
fn ends(parents: &[u32], count: usize) -> Vec<u32> {
    let mut ends = vec![0; count];
    for &parent in parents {
        ends[parent as usize] += 1;
    }
    let mut total = 0;
    for end in &mut ends {
        total += *end;
        *end = total;
    }
    ends
}

/// Row `i` becomes what row `order[i]` was.
fn permute<T: Copy>(column: &mut Vec<T>, order: &[u32]) {
    *column = order.iter().map(|&row| column[row as usize]).collect();
}

/// New ends for parents in a new order; `move_children` is told the order of the children.
fn permute_rows(ends: &[u32], order: &[u32], move_children: impl FnOnce(&[u32])) -> Vec<u32> {
    let mut moved = Vec::with_capacity(ends.last().map_or(0, |&end| end as usize));
    let new_ends = order
        .iter()
        .map(|&parent| {
            moved.extend(rows(ends, parent as usize).map(|row| row as u32));
            moved.len() as u32
        })
        .collect();
    move_children(&moved);
    new_ends
}

/// Keeps the rows that are marked.
fn keep<T: Copy>(column: &mut Vec<T>, marked: &[bool]) {
    let mut marked = marked.iter();
    column.retain(|_| marked.next().copied().unwrap_or(true));
}
