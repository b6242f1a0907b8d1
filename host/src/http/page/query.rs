//! What a URL asks of the list of groups: `?q=backup&failed=1&page=2`.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, utf8_percent_encode};

/// Bytes of a search. The input of the page takes no more, and what a URL has beyond is not looked at.
pub(super) const MAX_SEARCH: usize = 500;

/// What stays as it is in a URL that we write.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// What is asked of the list of groups. Whatever is no query asks for all of them, from the first page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Query {
    /// The words of the search, as they were typed.
    pub(super) search: String,
    /// Only groups whose last push failed.
    pub(super) failed: bool,
    /// From 1; may be past the last one.
    pub(super) page: usize,
}

impl Query {
    /// Reads the part of a URL behind the `?`, as a browser writes it for a form. Of a key that comes twice the last
    /// one counts.
    pub(super) fn parse(query: &str) -> Self {
        let mut read = Self { search: String::new(), failed: false, page: 1 };
        for (key, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            match key {
                "q" => read.search = search(value),
                "failed" => read.failed = value == "1",
                "page" => read.page = value.parse().unwrap_or(1).max(1),
                _ => {}
            }
        }
        read
    }

    /// Whether it leaves out groups.
    pub(super) fn is_filter(&self) -> bool {
        self.failed || !self.search.trim().is_empty()
    }

    /// The URL of another page of the same, relative to the list.
    pub(super) fn link(&self, page: usize) -> String {
        let mut link = String::from("?");
        if !self.search.is_empty() {
            link = format!("{link}q={}&", utf8_percent_encode(&self.search, ESCAPED));
        }
        if self.failed {
            link += "failed=1&";
        }
        format!("{link}page={page}")
    }
}

fn search(value: &str) -> String {
    let spaced = value.replace('+', " ");
    let text: Vec<u8> = percent_decode(spaced.as_bytes()).take(MAX_SEARCH).collect();
    String::from_utf8_lossy(&text).trim_end_matches('\u{fffd}').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read() {
        for (query, search, failed, page) in [
            ("", "", false, 1),
            ("q=", "", false, 1),
            ("q=backup", "backup", false, 1),
            ("q=two+words&page=3", "two words", false, 3),
            ("page=2&q=a%20b%2Bc%26d", "a b+c&d", false, 2),
            ("q=%C3%A4", "ä", false, 1),
            ("failed=1", "", true, 1),
            ("failed=0", "", false, 1),
            ("q=a&q=b", "b", false, 1),
            ("page=0", "", false, 1),
            ("page=-1", "", false, 1),
            ("page=two", "", false, 1),
            ("page=99999999999999999999999", "", false, 1),
            ("q", "", false, 1),
            ("q=%zz", "%zz", false, 1),
            ("q=a%FF", "a", false, 1),
            ("&&=&x=y", "", false, 1),
        ] {
            let expected = Query { search: search.to_owned(), failed, page };
            assert_eq!(Query::parse(query), expected, "{query}");
        }
    }

    #[test]
    fn a_search_is_cut_between_characters() {
        for (typed, length) in
            [("a".repeat(MAX_SEARCH), MAX_SEARCH), ("a".repeat(MAX_SEARCH + 1), MAX_SEARCH)]
        {
            assert_eq!(Query::parse(&format!("q={typed}")).search.len(), length);
        }
        let cut = Query::parse(&format!("q=a{}", "ä".repeat(MAX_SEARCH))).search;
        assert_eq!(cut, format!("a{}", "ä".repeat(MAX_SEARCH / 2 - 1)));
    }

    #[test]
    fn a_link_is_read_as_what_it_was_made_of() {
        for search in ["", "backup", "a b", "100%", "a&b=c+d", "job=\"x\"", "ä<script>", "#?/"] {
            for failed in [false, true] {
                let query = Query { search: search.to_owned(), failed, page: 7 };
                let link = query.link(7);
                assert_eq!(Query::parse(link.strip_prefix('?').unwrap()), query, "{link}");
            }
        }
        assert_eq!(Query::parse("").link(2), "?page=2");
    }
}
