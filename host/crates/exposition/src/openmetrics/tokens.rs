//! Pieces of a line: names, labels, words.

use std::borrow::Cow;

use crate::cursor::Cursor;
use crate::name::{is_bare_label_name, label_name_len};
use crate::openmetrics::Problem;
use crate::text::{self, number, quote};
use crate::{Bound, Rules};

/// A label as it was written, its escapes undone.
pub(super) type Pair<'a> = (Cow<'a, [u8]>, Cow<'a, [u8]>);

/// A name: bare as far as `bare_len` says, or quoted. A bare one may be empty, where none begins.
pub(super) fn name<'a>(
    cursor: &mut Cursor<'a>,
    bare_len: fn(&[u8]) -> usize,
) -> Result<Cow<'a, [u8]>, Problem> {
    if cursor.next() == Some(b'"') {
        return Ok(unescape(cursor.quoted_raw()?));
    }
    let len = bare_len(cursor.rest());
    Ok(Cow::Borrowed(cursor.take(len)))
}

/// Labels in braces, from the opening one, or behind the comma after a name that stands in the braces too.
pub(super) fn labels<'a>(cursor: &mut Cursor<'a>, labels: &mut Vec<Pair<'a>>) -> Result<(), Problem> {
    let in_braces = cursor.next() == Some(b'{');
    cursor.bump();
    if in_braces && cursor.peek()? == b'}' {
        cursor.bump();
        return Ok(());
    }
    loop {
        let name = name(cursor, label_name_len)?;
        if cursor.peek()? != b'=' {
            return Err(text::Problem::ExpectedEquals(cursor.char()).into());
        }
        cursor.bump();
        if cursor.peek()? != b'"' {
            return Err(text::Problem::ExpectedQuote(cursor.char()).into());
        }
        let value = unescape(cursor.quoted_raw()?);
        let next = cursor.peek()?;
        if !matches!(next, b',' | b'}') {
            return Err(text::Problem::EndOfLabelValue(quote(&value)).into());
        }
        cursor.bump();
        labels.push((name, value));
        if next == b'}' {
            return Ok(());
        }
    }
}

/// One blank.
pub(super) fn blank(cursor: &mut Cursor<'_>) -> Result<(), Problem> {
    if cursor.peek()? != b' ' {
        return Err(Problem::ExpectedBlank(cursor.char()));
    }
    cursor.bump();
    Ok(())
}

/// What stands before the next blank, or before the end of the line.
pub(super) fn word<'a>(cursor: &mut Cursor<'a>) -> &'a [u8] {
    let rest = cursor.rest();
    cursor.take(rest.iter().position(|&byte| byte == b' ').unwrap_or(rest.len()))
}

/// The name of a label, if it may be one.
pub(super) fn check_label_name<'n>(rules: &Rules, name: &'n [u8]) -> Result<&'n str, Problem> {
    rules.limits.check(Bound::NameLength, name.len())?;
    let text = std::str::from_utf8(name).map_err(|_| Problem::NotUtf8)?;
    if text == "__name__" {
        return Err(text::Problem::ReservedLabelName(quote(name)).into());
    }
    if !is_bare_label_name(text) && !rules.names.allow_label(text) {
        return Err(text::Problem::QuotedLabelName(quote(name)).into());
    }
    Ok(text)
}

/// A sample's value.
pub(super) fn read_value(word: &[u8]) -> Result<f64, Problem> {
    number::read(word).ok_or_else(|| text::Problem::ExpectedValue(quote(word)).into())
}

/// Undoes the escapes of a HELP text or of what stands in quotes: `\\`, `\"` and `\n`. A backslash before anything
/// else stands for itself.
pub(super) fn unescape(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.contains(&b'\\') {
        return Cow::Borrowed(text);
    }
    let mut plain = Vec::with_capacity(text.len());
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            plain.push(byte);
            continue;
        }
        match bytes.next() {
            Some(b'n') => plain.push(b'\n'),
            Some(escaped @ (b'\\' | b'"')) => plain.push(escaped),
            other => {
                plain.push(b'\\');
                plain.extend(other);
            }
        }
    }
    Cow::Owned(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes() {
        for (text, expected) in [
            ("", ""),
            ("a", "a"),
            (r"a\\b", r"a\b"),
            (r#"\"\n\\n"#, "\"\n\\n"),
            (r"\a\", r"\a\"),
            (r"\ä", r"\ä"),
        ] {
            assert_eq!(&*unescape(text.as_bytes()), expected.as_bytes(), "{text}");
        }
    }
}
