//! What a request asks for: the whole API on one screen.

use http::Method;
use percent_encoding::percent_decode_str;
use pushgate_exposition::GroupingKey;

use super::grouping_path::{PathError, grouping_key};

/// What a request asks for.
#[derive(Debug, PartialEq)]
pub(super) enum Route {
    /// PUT or POST of metrics.
    Push(Change, GroupingKey),
    /// DELETE of a group.
    Delete(GroupingKey),
    /// All stored metrics and the gateway's own.
    Scrape,
    /// Is the process there?
    Healthy,
    /// Can it take pushes?
    Ready,
    /// OPTIONS: which methods the path has.
    Options(Allow),
    /// The path is that of a group, but names none.
    BadGroup(PathError),
    /// A `%` that no two hexadecimal digits follow.
    BadEscape,
    /// The path exists, the method does not.
    MethodNotAllowed(Allow),
    /// There is no such path.
    NotFound,
}

/// How a push changes its group.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Change {
    /// PUT: the group afterwards is what was pushed.
    Replace,
    /// POST: only families of the pushed names are replaced.
    Merge,
}

/// The value of an `Allow` header: methods in alphabetical order.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Allow(pub(super) &'static str);

const GROUP: Allow = Allow("DELETE, OPTIONS, POST, PUT");
const READ: Allow = Allow("GET, HEAD, OPTIONS");

/// The route of a request. `path` is as it was sent, without the query. It is decoded before it is split, so
/// an encoded slash separates like any other; values with slashes are sent as base64.
pub(super) fn route(method: &Method, path: &str) -> Route {
    if !escapes_are_whole(path) {
        return Route::BadEscape;
    }
    let decoded: Vec<u8> = percent_decode_str(path).collect();
    match decoded.as_slice() {
        b"/metrics" => read(method, Route::Scrape),
        b"/-/healthy" => read(method, Route::Healthy),
        b"/-/ready" => read(method, Route::Ready),
        path => match path.strip_prefix(b"/metrics/").and_then(grouping_key) {
            Some(key) => group(method, key),
            None => Route::NotFound,
        },
    }
}

fn read(method: &Method, route: Route) -> Route {
    match *method {
        Method::GET | Method::HEAD => route,
        Method::OPTIONS => Route::Options(READ),
        _ => Route::MethodNotAllowed(READ),
    }
}

fn group(method: &Method, key: Result<GroupingKey, PathError>) -> Route {
    let with_key: fn(GroupingKey) -> Route = match *method {
        Method::PUT => |key| Route::Push(Change::Replace, key),
        Method::POST => |key| Route::Push(Change::Merge, key),
        Method::DELETE => Route::Delete,
        Method::OPTIONS => return Route::Options(GROUP),
        _ => return Route::MethodNotAllowed(GROUP),
    };
    key.map_or_else(Route::BadGroup, with_key)
}

fn escapes_are_whole(path: &str) -> bool {
    let mut escapes = path.split('%').skip(1);
    escapes.all(|after| after.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(labels: &[(&str, &str)]) -> GroupingKey {
        GroupingKey::new(labels.iter().copied()).unwrap()
    }

    fn check(method: &str, path: &str, expected: &Route) {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        assert_eq!(&route(&method, path), expected, "{method} {path}");
    }

    #[test]
    fn a_group_is_replaced_merged_or_deleted() {
        let group = || key(&[("job", "myjob"), ("instance", "myinstance")]);
        check("PUT", "/metrics/job/myjob/instance/myinstance", &Route::Push(Change::Replace, group()));
        check("POST", "/metrics/job/myjob/instance/myinstance", &Route::Push(Change::Merge, group()));
        check("DELETE", "/metrics/job/myjob/instance/myinstance", &Route::Delete(group()));
        check(
            "PUT",
            "/metrics/job@base64/bXlqb2I/instance/myinstance",
            &Route::Push(Change::Replace, group()),
        );
    }

    #[test]
    fn the_path_is_decoded_once_and_then_split() {
        let put = |labels| Route::Push(Change::Replace, key(labels));
        check("PUT", "/metrics/job/a%20b", &put(&[("job", "a b")]));
        check("PUT", "/metrics/job/a+b", &put(&[("job", "a+b")]));
        check("PUT", "/metrics/job/a%2525", &put(&[("job", "a%25")]));
        check("PUT", "/metrics/job/a%2Fb%2Fc", &put(&[("job", "a"), ("b", "c")]));
        check("PUT", "/metrics/job/%C3%A4", &put(&[("job", "ä")]));
        check("PUT", "/%6Detrics/job/x", &put(&[("job", "x")]));
        check("PUT", "/metrics/job/x/l/%00%22%0A", &put(&[("job", "x"), ("l", "\0\"\n")]));
    }

    #[test]
    fn a_broken_escape_is_refused_wherever_it_stands() {
        for path in
            ["/metrics/job/%", "/metrics/job/%2", "/metrics/job/%zz", "/metrics/job/x/l/%4%20", "/%gg"]
        {
            check("PUT", path, &Route::BadEscape);
        }
    }

    #[test]
    fn reads_answer_get_and_head() {
        for (path, route) in [
            ("/metrics", (|| Route::Scrape) as fn() -> Route),
            ("/-/healthy", || Route::Healthy),
            ("/-/ready", || Route::Ready),
        ] {
            check("GET", path, &route());
            check("HEAD", path, &route());
            check("OPTIONS", path, &Route::Options(Allow("GET, HEAD, OPTIONS")));
            for method in ["PUT", "POST", "DELETE", "PATCH", "BREW"] {
                check(method, path, &Route::MethodNotAllowed(Allow("GET, HEAD, OPTIONS")));
            }
        }
    }

    #[test]
    fn groups_answer_no_other_method() {
        check("OPTIONS", "/metrics/job/x", &Route::Options(Allow("DELETE, OPTIONS, POST, PUT")));
        for method in ["GET", "HEAD", "PATCH"] {
            check(method, "/metrics/job/x", &Route::MethodNotAllowed(Allow("DELETE, OPTIONS, POST, PUT")));
            check(
                method,
                "/metrics/job/x/odd",
                &Route::MethodNotAllowed(Allow("DELETE, OPTIONS, POST, PUT")),
            );
        }
    }

    #[test]
    fn a_path_that_names_no_group_says_why() {
        for (path, message) in [
            ("/metrics/job/x/a", "odd number of components in label string \"/a\""),
            ("/metrics/job/x/a-b/c", "improper label name \"a-b\""),
            ("/metrics/job@base64/=", "job name is required"),
            ("/metrics/job/%FF", "the value of label \"job\" is not UTF-8: \"\u{fffd}\""),
        ] {
            let Route::BadGroup(error) = route(&Method::PUT, path) else { panic!("{path}") };
            assert_eq!(error.to_string(), message, "{path}");
        }
    }

    #[test]
    fn there_is_nothing_else() {
        for path in
            ["", "*", "/", "/metrics/", "/metrics/job", "/metrics/job/", "/metrics/x", "/metricss", "/-/quit"]
        {
            check("GET", path, &Route::NotFound);
            check("PUT", path, &Route::NotFound);
        }
    }
}
