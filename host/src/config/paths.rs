//! The paths of URLs that can be set. They are compared with what clients ask for byte by byte, so each is made
//! of plain segments: nothing to escape, and nothing that a proxy or a client would take out.

/// What the gateway answers itself, below any prefix; `/metrics/job` is the beginning of `job@base64`, too. A
/// telemetry path that begins like one of these would hide it.
const OWN: [&str; 6] = ["/-/", "/api/", "/debug/", "/metrics/job", "/static/", "/status/"];

/// Reads a prefix of all routes into its normal form: it starts with `/` and does not end with it. `/` is the
/// empty prefix; nothing at all leaves it to the external URL.
pub(super) fn route_prefix(text: &str) -> Result<Option<String>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    normal(text).map(Some).ok_or_else(|| {
        format!("'{text}' is not a prefix; write segments of letters, digits, '-', '_', '.' and '~', such as \"/push\"")
    })
}

/// Reads the URL that clients know the gateway by.
pub(super) fn external_url(text: &str) -> Result<Option<String>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    // It is shown on pages and in the API, which a password must not be, nor in this message.
    if text.contains('@') {
        return Err("everybody is shown this URL; leave out the user and password before the '@'".to_owned());
    }
    match external_path(text) {
        Some(_) => Ok(Some(text.to_owned())),
        None => Err(format!(
            "'{text}' is not a URL with a plain path; write it as \"https://example.org/push\" or \"/push\""
        )),
    }
}

/// The normal form of the path of an external URL; `None` when it has none that can be used.
pub(super) fn external_path(url: &str) -> Option<String> {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let path = match external_host(url) {
        Some(host) => url.split_once("://")?.1.strip_prefix(host)?,
        None => url.starts_with('/').then_some(url)?,
    };
    normal(path)
}

/// The host of an external URL, with its port if it has one; `None` when it is a path only.
pub(super) fn external_host(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("http://").or(url.strip_prefix("https://"))?;
    rest.split(['/', '?', '#']).next().filter(|host| !host.is_empty())
}

/// Reads the path of the scrape, below the prefix.
pub(super) fn telemetry_path(text: &str) -> Result<String, String> {
    if !text.starts_with('/') {
        return Err(format!("'{text}' must start with '/', such as \"/metrics\""));
    }
    let path = normal(text).ok_or_else(|| {
        format!("'{text}' is not a path; write segments of letters, digits, '-', '_', '.' and '~', such as \"/metrics\"")
    })?;
    if path.is_empty() {
        return Err("'/' is where the user interface is; write another path, such as \"/metrics\"".to_owned());
    }
    // With a slash at the end, so that "/api" is found to be "/api/".
    let whole = format!("{path}/");
    match OWN.iter().find(|own| whole.starts_with(**own)) {
        Some(own) => {
            let own = own.trim_end_matches('/');
            Err(format!("'{text}' would hide '{own}', which is the gateway's own; write another path"))
        }
        None => Ok(path),
    }
}

/// One `/` before each segment and none at the end; `None` when a segment is not plain.
fn normal(path: &str) -> Option<String> {
    if matches!(path, "" | "/") {
        return Some(String::new());
    }
    let inside = path.strip_prefix('/').unwrap_or(path);
    let inside = inside.strip_suffix('/').unwrap_or(inside);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    let segment = |segment: &str| !matches!(segment, "" | "." | "..") && segment.bytes().all(plain);
    inside.split('/').all(segment).then(|| format!("/{inside}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_starts_with_a_slash_and_does_not_end_with_one() {
        for (text, expected) in [
            ("", None),
            ("/", Some("")),
            ("/push", Some("/push")),
            ("push", Some("/push")),
            ("push/", Some("/push")),
            ("/a/b-c.d_~/", Some("/a/b-c.d_~")),
        ] {
            assert_eq!(route_prefix(text), Ok(expected.map(str::to_owned)), "{text}");
        }
    }

    #[test]
    fn a_prefix_that_a_client_could_not_ask_for_is_refused() {
        for text in ["//", "a//b", "/a/..", "/./a", "/a b", "/a%20b", "/ä", "/:a", "/*", "/a?b", "/a\n"] {
            assert!(route_prefix(text).is_err(), "{text}");
        }
    }

    #[test]
    fn of_an_external_url_the_path_counts() {
        for (url, expected) in [
            ("http://example.org", Some("")),
            ("https://example.org:9091/", Some("")),
            ("https://example.org/push", Some("/push")),
            ("https://example.org/push/?q#f", Some("/push")),
            ("http://[::1]:80/a/b", Some("/a/b")),
            ("/push", Some("/push")),
            ("example.org/push", None),
            ("http://", None),
            ("http:///push", None),
            ("ftp://example.org/push", None),
            ("https://example.org/a b", None),
            ("https://example.org//", None),
        ] {
            assert_eq!(external_path(url).as_deref(), expected, "{url}");
            assert_eq!(external_url(url).is_ok(), expected.is_some(), "{url}");
        }
        assert_eq!(external_url(""), Ok(None));
        let told = external_url("https://ops:hunter2@example.org/push").unwrap_err();
        assert!(!told.contains("hunter2"), "{told}");
    }

    #[test]
    fn a_telemetry_path_hides_nothing() {
        for (text, expected) in [
            ("/metrics", Ok("/metrics")),
            ("/metrics/", Ok("/metrics")),
            ("/own/scrape", Ok("/own/scrape")),
            ("/statuses", Ok("/statuses")),
            ("/healthy", Ok("/healthy")),
            ("metrics", Err("must start with '/'")),
            ("", Err("must start with '/'")),
            ("/", Err("the user interface")),
            ("/a b", Err("is not a path")),
            ("/status", Err("would hide '/status'")),
            ("/status/", Err("would hide '/status'")),
            ("/-/healthy", Err("would hide '/-'")),
            ("/-", Err("would hide '/-'")),
            ("/api/v1/metrics", Err("would hide '/api'")),
            ("/debug/pprof", Err("would hide '/debug'")),
            ("/static/x", Err("would hide '/static'")),
            ("/metrics/job/x", Err("would hide '/metrics/job'")),
        ] {
            match (telemetry_path(text), expected) {
                (Ok(path), Ok(expected)) => assert_eq!(path, expected),
                (Err(told), Err(expected)) => assert!(told.contains(expected), "{told}"),
                (read, _) => panic!("{text}: {read:?}"),
            }
        }
    }
}
