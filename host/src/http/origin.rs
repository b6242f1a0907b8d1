//! Pages of other sites. A browser sends their forms, too, with the password that it remembers; so what would change
//! something is refused when it comes from one (cross-site request forgery).
//!
//! Browsers say where a request comes from in `Sec-Fetch-Site` (Fetch Metadata), over plain HTTP in `Origin` only
//! (RFC 6454). Whoever says neither is no browser.

use http::header::{HOST, HeaderName, ORIGIN};
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderMap, Method};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The host that users may know the gateway by, where a proxy stands before it and says another.
#[derive(Debug, Default)]
pub(super) struct Origins {
    external: Option<String>,
}

impl Origins {
    /// `external` is the host and port of the external URL.
    pub(super) fn new(external: Option<String>) -> Self {
        Self { external }
    }

    /// Whether a page of another site asks for a change.
    pub(super) fn is_foreign(&self, head: &Parts) -> bool {
        if matches!(head.method, Method::GET | Method::HEAD | Method::OPTIONS) {
            return false;
        }
        match text(&head.headers, &SEC_FETCH_SITE) {
            Some(site) => !matches!(site, "same-origin" | "none"),
            None => head.headers.contains_key(ORIGIN) && !self.is_own(head),
        }
    }

    fn is_own(&self, head: &Parts) -> bool {
        // An origin that must not be told is "null".
        let origin = text(&head.headers, &ORIGIN).and_then(|origin| origin.split_once("://"));
        let Some((_, host)) = origin else { return false };
        let asked = text(&head.headers, &HOST).or(head.uri.authority().map(Authority::as_str));
        [asked, self.external.as_deref()].into_iter().flatten().any(|own| own.eq_ignore_ascii_case(host))
    }
}

/// What a header says, if it is there; nothing, if that cannot be read.
fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name).map(|value| value.to_str().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[test]
    fn only_a_page_of_another_site_is_foreign_and_only_when_it_changes_something() {
        for (headers, expected) in [
            ("", false),
            ("sec-fetch-site: same-origin", false),
            // Typed by a person, or a bookmark.
            ("sec-fetch-site: none", false),
            ("sec-fetch-site: same-site", true),
            ("sec-fetch-site: cross-site", true),
            ("sec-fetch-site: \u{e9}", true),
            ("origin: http://push.example:9091", false),
            ("origin: https://PUSH.example:9091", false),
            ("origin: https://outside.example", false),
            ("origin: http://push.example", true),
            ("origin: http://push.example:9091.evil.example", true),
            ("origin: http://evil.example", true),
            ("origin: null", true),
            ("origin: push.example:9091", true),
            // Of the two, the first cannot be set by a script.
            ("sec-fetch-site: same-origin|origin: http://evil.example", false),
            ("sec-fetch-site: cross-site|origin: http://push.example:9091", true),
        ] {
            let origins = Origins::new(Some("outside.example".to_owned()));
            for (method, changes) in
                [("POST", true), ("PUT", true), ("DELETE", true), ("GET", false), ("OPTIONS", false)]
            {
                let mut request = Request::builder().method(method).header("host", "push.example:9091");
                for header in headers.split('|') {
                    if let Some((name, value)) = header.split_once(": ") {
                        request = request.header(name, value.as_bytes());
                    }
                }
                let (head, ()) = request.body(()).unwrap().into_parts();
                assert_eq!(origins.is_foreign(&head), expected && changes, "{method} {headers}");
            }
        }
    }

    #[test]
    fn over_http2_the_url_says_the_host() {
        let of = |origin: &str| {
            let request = Request::put("https://push.example/metrics/job/x").header("origin", origin);
            let (head, ()) = request.body(()).unwrap().into_parts();
            Origins::default().is_foreign(&head)
        };
        assert!(!of("https://push.example"));
        assert!(of("https://evil.example"));
    }
}
