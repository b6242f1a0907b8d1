//! Regular expressions of selectors. Nothing may be deleted because two programs read one differently, so what Prometheus'
//! reads otherwise than ours is refused.

use crate::config::Pattern;

/// Reads a regular expression, anchored at both ends.
pub(super) fn pattern(bytes: &[u8]) -> Result<Pattern, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "a regular expression must be UTF-8".to_owned())?;
    if let Some(part) = read_otherwise(text) {
        return Err(format!(
            "'{part}' means something else in the regular expressions of Prometheus; write a backslash before each of \
             its characters that is to stand for itself"
        ));
    }
    text.parse()
}

/// What Prometheus reads as characters, or with which it has nothing in common: set operations in a class, boundaries of
/// words that it does not have, and a repetition without a least number.
fn read_otherwise(text: &str) -> Option<&'static str> {
    let mut depth = 0_usize;
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if let Some(escaped) = rest.strip_prefix('\\') {
            let boundary = ["\\<", "\\>", "\\b{"].into_iter().find(|boundary| rest.starts_with(boundary));
            if boundary.is_some() {
                return boundary;
            }
            let length = escaped.chars().next().map_or(0, char::len_utf8);
            rest = escaped.get(length..).unwrap_or_default();
            continue;
        }
        let in_class = ["&&", "--", "~~"].into_iter().find(|part| depth > 0 && rest.starts_with(part));
        let part = in_class.or_else(|| (depth == 0 && rest.starts_with("{,")).then_some("{,"));
        if part.is_some() {
            return part;
        }
        match first {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        rest = rest.get(first.len_utf8()..).unwrap_or_default();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_prometheus_reads_otherwise_is_refused() {
        for (text, expected) in [
            ("a&&b", None),
            ("a--b", None),
            ("[a&b]", None),
            ("[a\\&\\&b]", None),
            ("[[:alpha:]]", None),
            ("a{2}", None),
            ("a{2,}", None),
            ("\\\\<", None),
            ("[a&&b]", Some("&&")),
            ("x[a-b--c]", Some("--")),
            ("[a~~b]", Some("~~")),
            ("[[a]&&[b]]", Some("&&")),
            ("a{,2}", Some("{,")),
            ("\\<a\\>", Some("\\<")),
            ("a\\>", Some("\\>")),
            ("\\b{start}", Some("\\b{")),
            ("\\", None),
            ("ä[ä", None),
        ] {
            assert_eq!(read_otherwise(text), expected, "{text}");
        }
        assert!(pattern(b"a.*|b").is_ok());
        assert_eq!(pattern(b"\xff").unwrap_err(), "a regular expression must be UTF-8");
        assert!(pattern(b"[a&&b]").unwrap_err().starts_with("'&&' means something else"));
    }
}
