//! What is forgiven in a body when the gateway is told to be lenient.

use std::borrow::Cow;

/// The body with line feeds where they were meant: one at the end, none with a CR before it, and no blanks before
/// one. Blanks and CR within a line stay.
pub(crate) fn tidy(body: &[u8]) -> Cow<'_, [u8]> {
    let is_tidy = |line: &[u8]| !line.last().is_some_and(|byte| b" \t\r".contains(byte));
    if body.split(|&byte| byte == b'\n').all(is_tidy) && body.last().is_none_or(|&byte| byte == b'\n') {
        return Cow::Borrowed(body);
    }
    let mut tidied = Vec::with_capacity(body.len() + 1);
    for line in body.split_inclusive(|&byte| byte == b'\n') {
        let end = line.iter().rposition(|byte| !b" \t\r\n".contains(byte)).map_or(0, |last| last + 1);
        tidied.extend_from_slice(line.get(..end).unwrap_or(line));
        tidied.push(b'\n');
    }
    Cow::Owned(tidied)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_tidied() {
        for (body, expected) in [
            ("", ""),
            ("a 1\n", "a 1\n"),
            ("a 1", "a 1\n"),
            ("a 1\r\nb 2\r\n", "a 1\nb 2\n"),
            ("a 1 \t\nb 2 ", "a 1\nb 2\n"),
            (" a  1\n\n", " a  1\n\n"),
            ("\r\n", "\n"),
            ("a{l=\"x\r\"} 1\n", "a{l=\"x\r\"} 1\n"),
        ] {
            assert_eq!(tidy(body.as_bytes()), expected.as_bytes(), "{body:?}");
        }
    }
}
