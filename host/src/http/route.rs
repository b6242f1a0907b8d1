//! What a request asks for.
//!
//! The rules are those of the original Pushgateway, which clients and proxies know: its path is cleaned first, then
//! the [`table`] decides, and where that has nothing, a redirect to what was probably meant.

mod path;
mod table;

use http::{Method, StatusCode};

pub(super) use self::path::decode;
use self::path::{clean, escape};
pub(super) use self::table::{Change, Endpoint};
use self::table::{Row, Verb, rows};
use crate::config::Web;

/// What a request asks for.
#[derive(Debug, PartialEq)]
pub(super) enum Route<'p> {
    /// An endpoint, and the end of the decoded path, which says to it whom it is about.
    To(Endpoint, &'p [u8]),
    /// OPTIONS: which methods the path has.
    Options(Allow),
    /// It is somewhere else.
    Redirect(Redirect),
    /// The path exists, the method does not.
    MethodNotAllowed(Allow),
    /// There is no such path.
    NotFound,
}

/// The value of an `Allow` header: methods in alphabetical order. HEAD is wherever GET is and not listed, as in the
/// original, which does not have it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Allow(pub(super) String);

/// Where to go instead, with the query of the request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Redirect {
    pub(super) status: StatusCode,
    pub(super) location: String,
}

/// All routes, below the prefix of the configuration.
#[derive(Debug)]
pub(super) struct Routes {
    rows: Vec<Row>,
    /// The API without the slash behind it.
    api: String,
}

impl Routes {
    pub(super) fn new(web: &Web) -> Self {
        Self { rows: rows(web), api: format!("{}/api/v1", web.prefix()) }
    }

    /// The route of a request. `sent` is the path as it came, `query` what stood behind it, and `path` is
    /// [decoded](decode): before it is split, so an encoded slash separates like any other; values with slashes are
    /// sent as base64.
    pub(super) fn find<'p>(
        &self,
        method: &Method,
        sent: &str,
        query: Option<&str>,
        path: &'p [u8],
    ) -> Route<'p> {
        // As sent: what is encoded was meant to be part of a value.
        if let Some(cleaned) = clean(sent) {
            return redirect(StatusCode::MOVED_PERMANENTLY, &cleaned, query);
        }
        if path == self.api.as_bytes() {
            return redirect(StatusCode::MOVED_PERMANENTLY, &format!("{}/", self.api), query);
        }
        if let Some(verb) = Verb::of(method) {
            let matches = self.rows.iter().filter_map(|row| Some((row.endpoint(verb)?, row.argument(path)?)));
            if let Some((endpoint, argument)) = matches.into_iter().next() {
                return Route::To(endpoint, argument);
            }
            let similar = || self.rows.iter().filter(|row| row.endpoint(verb).is_some());
            if let Some(meant) = similar().find_map(|row| row.meant_by(path)) {
                // A 301 would make most clients repeat a push as GET.
                let status = match verb {
                    Verb::Get => StatusCode::MOVED_PERMANENTLY,
                    _ => StatusCode::TEMPORARY_REDIRECT,
                };
                return redirect(status, &escape(&meant), query);
            }
        }
        match (self.allowed(path), method) {
            (None, _) => Route::NotFound,
            (Some(allow), &Method::OPTIONS) => Route::Options(allow),
            (Some(allow), _) => Route::MethodNotAllowed(allow),
        }
    }

    /// The methods of a path.
    fn allowed(&self, path: &[u8]) -> Option<Allow> {
        let rows = self.rows.iter().filter(|row| row.argument(path).is_some());
        let mut verbs: Vec<Verb> = rows.flat_map(Row::verbs).filter(|verb| *verb != Verb::Options).collect();
        if verbs.is_empty() {
            return None;
        }
        verbs.push(Verb::Options);
        verbs.sort_unstable();
        verbs.dedup();
        Some(Allow(verbs.into_iter().map(Verb::as_str).collect::<Vec<_>>().join(", ")))
    }
}

fn redirect(status: StatusCode, path: &str, query: Option<&str>) -> Route<'static> {
    let location = match query {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    Route::Redirect(Redirect { status, location })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(web: &Web, method: &str, url: &str) -> String {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let (sent, query) = url.split_once('?').map_or((url, None), |(path, query)| (path, Some(query)));
        let path = decode(sent).unwrap();
        match Routes::new(web).find(&method, sent, query, &path) {
            Route::To(endpoint, rest) => format!("{endpoint:?} {}", String::from_utf8_lossy(rest)),
            Route::Options(Allow(methods)) => format!("200 {methods}"),
            Route::Redirect(Redirect { status, location }) => format!("{} {location}", status.as_u16()),
            Route::MethodNotAllowed(Allow(methods)) => format!("405 {methods}"),
            Route::NotFound => "404".to_owned(),
        }
    }

    /// Each row is a request, and what the original answers or which endpoint answers it; checked without and with a
    /// prefix, which `~` stands for.
    #[track_caller]
    fn check(rows: &[(&str, &str)]) {
        for prefix in ["", "/pgw"] {
            let web = Web { route_prefix: Some(prefix.to_owned()), enable_admin_api: true, ..Web::default() };
            for (request, expected) in rows {
                let (method, url) = request.split_once(' ').unwrap();
                let (url, expected) = (url.replace('~', prefix), expected.replace('~', prefix));
                assert_eq!(shown(&web, method, &url), expected, "{request} with the prefix {prefix:?}");
            }
        }
    }

    #[test]
    fn every_endpoint_has_its_path_and_methods() {
        check(&[
            ("PUT ~/metrics/job/x", "Push(Replace) job/x"),
            ("POST ~/metrics/job/x", "Push(Merge) job/x"),
            ("DELETE ~/metrics/job/x", "Delete job/x"),
            ("PUT ~/metrics/job@base64/eA/a/b", "Push(Replace) job@base64/eA/a/b"),
            ("GET ~/metrics", "Scrape "),
            ("HEAD ~/metrics", "Scrape "),
            ("GET ~/metrics?name[]=b", "Scrape "),
            ("GET ~/-/healthy", "Healthy "),
            ("GET ~/-/ready", "Ready "),
            ("GET ~/", "Page "),
            ("GET ~/status", "Status "),
            ("HEAD ~/status", "Status "),
            ("GET ~/static/a/b.js", "Static a/b.js"),
            ("GET ~/static/", "Static "),
            ("PUT ~/-/quit", "Quit "),
            ("POST ~/-/quit", "Quit "),
            ("GET /-/quit", "QuitByGet "),
            ("PUT ~/-/reload", "Reload "),
            ("POST ~/-/reload", "Reload "),
            ("GET ~/api/v1/status", "ApiStatus "),
            ("GET ~/api/v1/metrics", "ApiMetrics "),
            ("GET ~/api/v1/plugins/next/diff", "ApiPlugin next/diff"),
            ("GET ~/api/v1/groups?match[]={a=\"b\"}", "ApiGroups "),
            ("DELETE ~/api/v1/groups", "DeleteGroups "),
            ("OPTIONS ~/api/v1/groups", "ApiOptions groups"),
            ("OPTIONS ~/api/v1/anything", "ApiOptions anything"),
            ("OPTIONS ~/api/v1/", "ApiOptions "),
            ("PUT ~/api/v1/admin/wipe", "Wipe "),
        ]);
    }

    #[test]
    fn the_path_is_decoded_once_and_then_split() {
        check(&[
            ("PUT ~/metrics/job/a%20b", "Push(Replace) job/a b"),
            ("PUT ~/metrics/job/a+b", "Push(Replace) job/a+b"),
            ("PUT ~/metrics/job/a%2525", "Push(Replace) job/a%25"),
            ("PUT ~/metrics/job/a%2Fb%2Fc", "Push(Replace) job/a/b/c"),
            ("PUT ~/%6Detrics/job/x", "Push(Replace) job/x"),
            ("PUT ~/metrics/job/x/l/%2F%2F", "Push(Replace) job/x/l///"),
            ("PUT ~/metrics/job/x/l/%2E%2E", "Push(Replace) job/x/l/.."),
        ]);
    }

    #[test]
    fn other_methods_are_told_which_there_are() {
        check(&[
            ("PATCH ~/metrics/job/x", "405 DELETE, OPTIONS, POST, PUT"),
            ("GET ~/metrics/job/x/odd", "405 DELETE, OPTIONS, POST, PUT"),
            ("HEAD ~/metrics/job/x", "405 DELETE, OPTIONS, POST, PUT"),
            ("OPTIONS ~/metrics/job/x", "200 DELETE, OPTIONS, POST, PUT"),
            ("POST ~/metrics", "405 GET, OPTIONS"),
            ("OPTIONS ~/metrics", "200 GET, OPTIONS"),
            ("OPTIONS ~/status", "200 GET, OPTIONS"),
            ("BREW ~/-/healthy", "405 GET, OPTIONS"),
            ("PUT ~/", "405 GET, OPTIONS"),
            ("GET ~/-/reload", "405 OPTIONS, POST, PUT"),
            ("POST ~/api/v1/status", "405 GET, OPTIONS"),
            ("GET ~/api/v1/admin/wipe", "405 OPTIONS, PUT"),
            ("OPTIONS ~/nope", "404"),
        ]);
        // Only the answer to GET is never below the prefix.
        let prefixed = Web { route_prefix: Some("/pgw".to_owned()), ..Web::default() };
        assert_eq!(shown(&Web::default(), "DELETE", "/-/quit"), "405 GET, OPTIONS, POST, PUT");
        assert_eq!(shown(&prefixed, "GET", "/pgw/-/quit"), "405 OPTIONS, POST, PUT");
        assert_eq!(shown(&prefixed, "PUT", "/-/quit"), "405 GET, OPTIONS");
    }

    #[test]
    fn a_path_that_is_not_clean_is_redirected_and_not_looked_at() {
        check(&[
            ("PUT ~/metrics//job/x", "301 ~/metrics/job/x"),
            ("POST ~/metrics/./job/x?q", "301 ~/metrics/job/x?q"),
            ("GET ~/a/../status?x=1", "301 ~/status?x=1"),
            ("GET ~/nope/../x/", "301 ~/x/"),
            ("GET ~/api/v1", "301 ~/api/v1/"),
            ("POST ~/api/v1", "301 ~/api/v1/"),
        ]);
    }

    #[test]
    fn a_slip_in_the_path_is_redirected() {
        check(&[
            ("GET ~/static", "301 ~/static/"),
            ("GET ~/status/", "301 ~/status"),
            ("HEAD ~/metrics/", "301 ~/metrics"),
            ("PUT ~/-/quit/", "307 ~/-/quit"),
            ("GET ~/METRICS", "301 ~/metrics"),
            ("GET ~/Status/?a=b", "301 ~/status?a=b"),
            ("GET ~/STATIC/Page.css", "301 ~/static/Page.css"),
            ("POST ~/METRICS/Job/X", "307 ~/metrics/job/X"),
            ("PUT ~/METRICS/JOB@BASE64/Zm8", "307 ~/metrics/job@base64/Zm8"),
            ("PUT ~/Metrics/Job/a%20b/L/%C3%A4?q", "307 ~/metrics/job/a%20b/L/%C3%A4?q"),
            ("PUT ~/metrics%2F%2Fjob/x", "307 ~/metrics/job/x"),
            ("GET ~/api/v1/status/", "301 ~/api/v1/status"),
            ("PUT ~/api/v1/admin/WIPE", "307 ~/api/v1/admin/wipe"),
        ]);
        let prefixed = Web { route_prefix: Some("/pgw".to_owned()), ..Web::default() };
        assert_eq!(shown(&prefixed, "GET", "/pgw"), "301 /pgw/");
    }

    #[test]
    fn there_is_nothing_else() {
        for method in ["GET", "PUT"] {
            for path in ["*", "/nope", "/metrics/job", "/metrics/job/", "/metrics/job@base64/", "/metrics/x"]
            {
                assert_eq!(shown(&Web::default(), method, path), "404", "{method} {path}");
            }
        }
        assert_eq!(shown(&Web::default(), "PUT", "/api/v1/admin/wipe"), "404", "unless it is switched on");
        let prefixed = Web { route_prefix: Some("/pgw".to_owned()), ..Web::default() };
        for path in ["/", "/metrics", "/-/healthy", "/api/v1/status", "/pgwx/metrics"] {
            assert_eq!(shown(&prefixed, "GET", path), "404", "{path}");
        }
    }

    #[test]
    fn the_scrape_may_be_elsewhere_and_pushes_stay() {
        let web = Web { telemetry_path: "/tele".to_owned(), ..Web::default() };
        assert_eq!(shown(&web, "GET", "/tele"), "Scrape ");
        assert_eq!(shown(&web, "GET", "/metrics"), "404");
        assert_eq!(shown(&web, "PUT", "/metrics/job/x"), "Push(Replace) job/x");
    }
}
