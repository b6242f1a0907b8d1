//! The list of groups: what a query finds, a page of it.

use std::cmp::Ordering;
use std::ops::Range;
use std::time::SystemTime;

use askama::Template;

use super::About;
use super::asset::VERSION;
use super::group::GroupView;
use super::number;
use super::paging::Paging;
use super::query::{MAX_SEARCH, Query};
use super::search::Search;
use crate::store::{GroupInfo, Store};

/// Bytes of a page. A group that would make it longer is shown without its families.
const MAX_PAGE: usize = 2 << 20;

/// A page of the list.
#[derive(Template)]
#[template(path = "groups.html")]
pub(super) struct GroupsPage<'a> {
    asset_version: u64,
    about: &'a About,
    query: &'a Query,
    max_search: usize,
    /// All that are stored.
    stored: usize,
    /// What is stored, in words.
    size: String,
    /// What was found, in words.
    found: String,
    failing: usize,
    /// Each as HTML.
    groups: Vec<String>,
    paging: Paging,
    /// The URLs of the first page and the one before.
    back: Option<(String, String)>,
    /// The URLs of the page behind and the last one.
    forward: Option<(String, String)>,
}

impl<'a> GroupsPage<'a> {
    /// What `query` finds in the store.
    pub(super) fn of(store: &Store, about: &'a About, query: &'a Query, now: SystemTime) -> Self {
        let mut groups = store.groups();
        let stored = groups.len();
        let series = groups.iter().map(|group| group.series).sum();
        let failing = groups.iter().filter(|group| !group.last_push_successful()).count();
        let search = Search::new(&query.search);
        groups.retain(|group| (!query.failed || !group.last_push_successful()) && search.finds(&group.key));
        let found = groups.len();
        let paging = Paging::new(found, query.page);
        let shown = take_in_order(&mut groups, paging.range());
        Self {
            asset_version: VERSION,
            about,
            query,
            max_search: MAX_SEARCH,
            stored,
            size: format!(
                "{}, {}",
                number::many(stored, "group", "groups"),
                number::many(series, "series", "series")
            ),
            found: number::count(found),
            failing,
            groups: render(shown, store, &about.metrics_path, now),
            paging,
            back: paging.previous().map(|previous| (query.link(1), query.link(previous))),
            forward: paging.next().map(|next| (query.link(next), query.link(paging.pages))),
        }
    }

    /// The page as HTML.
    pub(super) fn html(&self) -> String {
        self.render().expect("a String takes everything")
    }
}

fn render(groups: &[GroupInfo], store: &Store, metrics_path: &str, now: SystemTime) -> Vec<String> {
    let mut length = 0;
    let html = |group| {
        let mut html = GroupView::of(group, store, metrics_path, now).html();
        if length + html.len() > MAX_PAGE {
            html = GroupView::without_families(group, metrics_path, now).html();
        }
        length += html.len();
        html
    };
    groups.iter().map(html).collect()
}

/// What would stand there if the groups were in order. Putting all of them in order would take most of the time that
/// a page takes.
pub(in crate::http) fn take_in_order(groups: &mut [GroupInfo], range: Range<usize>) -> &[GroupInfo] {
    let mut rest = groups;
    if range.end < rest.len() {
        rest = rest.select_nth_unstable_by(range.end, by_labels).0;
    }
    if 0 < range.start && range.start < rest.len() {
        rest.select_nth_unstable_by(range.start, by_labels);
    }
    let shown = rest.get_mut(range.start..).unwrap_or_default();
    shown.sort_unstable_by(by_labels);
    shown
}

/// By job, then by all labels in order of their names.
fn by_labels(a: &GroupInfo, b: &GroupInfo) -> Ordering {
    a.key.job().cmp(b.key.job()).then_with(|| a.key.labels().cmp(b.key.labels()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use pushgate_exposition::GroupingKey;

    use super::*;
    use crate::store::Times;

    fn group(labels: &[(&str, &str)]) -> GroupInfo {
        let key = Arc::new(GroupingKey::new(labels.iter().copied()).unwrap());
        GroupInfo { key, times: Times::default(), lifetime: None, last_error: None, series: 0 }
    }

    #[test]
    fn groups_stand_by_job_and_then_by_labels() {
        let mut groups = [
            group(&[("job", "b"), ("a", "1")]),
            group(&[("job", "a"), ("z", "1")]),
            group(&[("job", "a"), ("instance", "2")]),
            group(&[("job", "a")]),
            group(&[("job", "a"), ("instance", "10")]),
        ];
        groups.sort_by(by_labels);
        let shown: Vec<_> = groups.iter().map(|group| group.key.to_string()).collect();
        assert_eq!(
            shown,
            [
                r#"{instance="10",job="a"}"#,
                r#"{instance="2",job="a"}"#,
                r#"{job="a"}"#,
                r#"{job="a",z="1"}"#,
                r#"{a="1",job="b"}"#,
            ]
        );
    }

    #[test]
    fn a_page_is_the_part_of_the_whole_order() {
        let all: Vec<_> = (0..10).map(|number| group(&[("job", &format!("{}", number * 7 % 10))])).collect();
        for range in [0..10, 0..3, 3..6, 9..10, 0..0, 10..10] {
            let mut groups = all.clone();
            let shown =
                take_in_order(&mut groups, range.clone()).iter().map(|group| group.key.job().to_owned());
            let expected: Vec<_> = range.map(|number| number.to_string()).collect();
            assert_eq!(shown.collect::<Vec<_>>(), expected);
        }
    }
}
