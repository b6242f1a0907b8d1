//! JSON as Go's `encoding/json` writes it: without blanks, and with what HTML would trip over escaped.

use std::fmt::Write as _;

/// Appends a string.
pub(super) fn string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\0'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            _ => out.push(c),
        }
    }
    out.push('"');
}

/// Appends an object. The members come in order of their names, which occur once.
pub(super) fn object<'a, T>(
    out: &mut String,
    members: impl IntoIterator<Item = (&'a str, T)>,
    value: impl Fn(&mut String, T),
) {
    out.push('{');
    elements(out, members, |out, (name, member)| {
        string(out, name);
        out.push(':');
        value(out, member);
    });
    out.push('}');
}

/// Appends elements with commas between them.
pub(super) fn elements<T>(
    out: &mut String,
    items: impl IntoIterator<Item = T>,
    write: impl Fn(&mut String, T),
) {
    for (number, element) in items.into_iter().enumerate() {
        if number > 0 {
            out.push(',');
        }
        write(out, element);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_escaped_as_go_does() {
        for (text, expected) in [
            ("a b/ä😀", "\"a b/ä😀\""),
            ("\"\\\n\r\t\u{8}\u{c}", r#""\"\\\n\r\t\b\f""#),
            ("<b>&", r#""\u003cb\u003e\u0026""#),
            ("\0\u{1b}\u{7f}", "\"\\u0000\\u001b\u{7f}\""),
            ("\u{2028}\u{2029}", r#""\u2028\u2029""#),
        ] {
            let mut out = String::new();
            string(&mut out, text);
            assert_eq!(out, expected);
            assert_eq!(serde_json::from_str::<String>(&out).unwrap(), text, "any reader reads it");
        }
    }

    #[test]
    fn an_object_is_its_members() {
        let mut out = String::new();
        object(&mut out, [("a", 1), ("b", 2)], |out, value| out.push_str(&value.to_string()));
        assert_eq!(out, r#"{"a":1,"b":2}"#);
    }
}
