//! A list in pages.

use std::ops::Range;

/// Groups on a page.
pub(super) const PER_PAGE: usize = 50;

/// A page of a list, by number. There is always a first one, also of an empty list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Paging {
    /// The page that is shown, from 1.
    pub(super) page: usize,
    /// How many there are.
    pub(super) pages: usize,
    length: usize,
}

impl Paging {
    /// That page of a list of `length`; the last one if there are fewer.
    pub(super) fn new(length: usize, page: usize) -> Self {
        let pages = length.div_ceil(PER_PAGE).max(1);
        Self { page: page.clamp(1, pages), pages, length }
    }

    /// What of the list is on the page.
    pub(super) fn range(&self) -> Range<usize> {
        let start = (self.page - 1) * PER_PAGE;
        start..self.length.min(start + PER_PAGE)
    }

    /// The page before.
    pub(super) fn previous(&self) -> Option<usize> {
        (self.page > 1).then(|| self.page - 1)
    }

    /// The page behind.
    pub(super) fn next(&self) -> Option<usize> {
        (self.page < self.pages).then(|| self.page + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_a_part_of_the_list() {
        for (length, asked, page, pages, range) in [
            (0, 1, 1, 1, 0..0),
            (0, 9, 1, 1, 0..0),
            (1, 1, 1, 1, 0..1),
            (50, 1, 1, 1, 0..50),
            (51, 1, 1, 2, 0..50),
            (51, 2, 2, 2, 50..51),
            (51, 3, 2, 2, 50..51),
            (51, 0, 1, 2, 0..50),
            (20_000, 400, 400, 400, 19_950..20_000),
            (20_000, usize::MAX, 400, 400, 19_950..20_000),
        ] {
            let paging = Paging::new(length, asked);
            assert_eq!((paging.page, paging.pages, paging.range()), (page, pages, range), "{length} {asked}");
        }
    }

    #[test]
    fn pages_have_neighbours() {
        let around = |asked| {
            let paging = Paging::new(150, asked);
            (paging.previous(), paging.next())
        };
        assert_eq!(around(1), (None, Some(2)));
        assert_eq!(around(2), (Some(1), Some(3)));
        assert_eq!(around(3), (Some(2), None));
    }
}
