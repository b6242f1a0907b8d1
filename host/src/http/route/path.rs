//! Paths: cleaned as Go's `path.Clean` does, decoded, and escaped again.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};

/// What Go escapes in a path.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b',')
    .remove(b'/')
    .remove(b':')
    .remove(b';')
    .remove(b'=')
    .remove(b'@');

/// The path without empty, `.` and `..` segments, with the slash at its end if it has one; `None` when there is
/// nothing to clean.
pub(super) fn clean(path: &str) -> Option<String> {
    // Nearly all are, and seen to be at once.
    if !path.as_bytes().windows(2).any(|pair| matches!(pair, b"//" | b"/.")) {
        return None;
    }
    let inside = path.strip_prefix('/')?;
    let inside = inside.strip_suffix('/').unwrap_or(inside);
    let is_clean = |segment: &str| !matches!(segment, "" | "." | "..");
    if path == "/" || inside.split('/').all(is_clean) {
        return None;
    }
    let mut kept = Vec::new();
    for segment in inside.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(kept.pop()),
            _ => kept.push(segment),
        }
    }
    let end = if path.ends_with('/') && !kept.is_empty() { "/" } else { "" };
    Some(format!("/{}{end}", kept.join("/")))
}

/// The bytes that a path stands for; `None` when a `%` has no two hexadecimal digits.
pub(in crate::http) fn decode(path: &str) -> Option<Cow<'_, [u8]>> {
    if !path.contains('%') {
        return Some(Cow::Borrowed(path.as_bytes()));
    }
    let mut escapes = path.split('%').skip(1);
    let is_whole = |after: &str| after.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2;
    escapes.all(is_whole).then(|| percent_decode_str(path).into())
}

/// A decoded path as it is sent.
pub(super) fn escape(path: &[u8]) -> String {
    percent_encode(path, ESCAPED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_cleaned() {
        for (path, expected) in [
            ("/", None),
            ("/a", None),
            ("/a/", None),
            ("/a/...", None),
            ("/a/.b", None),
            ("", None),
            ("*", None),
            ("//", Some("/")),
            ("/.", Some("/")),
            ("/..", Some("/")),
            ("/./", Some("/")),
            ("//a", Some("/a")),
            ("/a//", Some("/a/")),
            ("/a//b", Some("/a/b")),
            ("/a/./b/", Some("/a/b/")),
            ("/a/b/..", Some("/a")),
            ("/a/../../b", Some("/b")),
        ] {
            assert_eq!(clean(path).as_deref(), expected, "{path}");
            assert_eq!(clean(expected.unwrap_or_default()), None, "{path} is clean then");
        }
    }

    #[test]
    fn a_broken_escape_is_refused_wherever_it_stands() {
        for path in ["/%", "/%2", "/%zz", "/x/%4%20", "%gg"] {
            assert_eq!(decode(path), None, "{path}");
        }
        assert_eq!(decode("/%C3%a4%00+").as_deref(), Some(&b"/\xc3\xa4\0+"[..]));
    }

    #[test]
    fn a_path_is_escaped_as_go_does() {
        let path = "/a b/ä\"?#%\n$&+,:;=@-_.~!*'()";
        let escaped = escape(path.as_bytes());
        assert_eq!(escaped, "/a%20b/%C3%A4%22%3F%23%25%0A$&+,:;=@-_.~%21%2A%27%28%29");
        assert_eq!(decode(&escaped).unwrap(), path.as_bytes());
    }
}
