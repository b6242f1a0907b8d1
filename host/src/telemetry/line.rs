//! A line of the log, in either form. Whatever a value holds, it is one value of one line: a client cannot forge
//! further ones.

use std::fmt::Write as _;

use crate::config::Format;

/// Keys with their values, in the order in which they are added. Keys are words of the program's own.
#[derive(Debug)]
pub(super) struct Line {
    format: Format,
    text: String,
}

impl Line {
    pub(super) fn new(format: Format) -> Self {
        Self { format, text: String::new() }
    }

    /// Adds a text.
    pub(super) fn text(&mut self, key: &str, value: &str) {
        self.key(key);
        match self.format {
            Format::Logfmt if is_plain(value) => self.text.push_str(value),
            Format::Logfmt => push_quoted(&mut self.text, value),
            Format::Json => push_json(&mut self.text, value),
        }
    }

    /// Adds a value that both forms write as it is: a finite number, true or false.
    pub(super) fn bare(&mut self, key: &str, value: &impl ToString) {
        self.key(key);
        self.text.push_str(&value.to_string());
    }

    /// The whole line, ended by a line feed.
    pub(super) fn finish(mut self) -> String {
        self.text.push_str(match self.format {
            Format::Logfmt => "\n",
            Format::Json => "}\n",
        });
        self.text
    }

    fn key(&mut self, key: &str) {
        let first = self.text.is_empty();
        match self.format {
            Format::Logfmt => {
                let _ = write!(self.text, "{}{key}=", if first { "" } else { " " });
            }
            Format::Json => {
                self.text.push(if first { '{' } else { ',' });
                push_json(&mut self.text, key);
                self.text.push(':');
            }
        }
    }
}

/// Whether a value needs no quotes. An empty one has them, so that it can be seen.
fn is_plain(value: &str) -> bool {
    let plain = |character: char| !matches!(character, ' ' | '"' | '=') && is_printable(character);
    !value.is_empty() && value.chars().all(plain)
}

/// Whether a terminal shows a character as it stands: no control character, no blank but the space, nothing that
/// changes the direction of what follows.
fn is_printable(character: char) -> bool {
    match character {
        ' '..='~' => true,
        // The replacement character says that something could not be read; Go escapes it, too.
        '\u{fffd}' => false,
        // Debug escapes what is not printable, as `\u{...}`.
        other => !other.is_ascii() && other.escape_debug().len() == 1 && !other.is_whitespace(),
    }
}

/// Between double quotes, with the escapes of Go.
fn push_quoted(text: &mut String, value: &str) {
    text.push('"');
    for character in value.chars() {
        let code = u32::from(character);
        let _ = match character {
            '"' | '\\' => write!(text, "\\{character}"),
            '\n' => write!(text, "\\n"),
            '\r' => write!(text, "\\r"),
            '\t' => write!(text, "\\t"),
            _ if is_printable(character) => write!(text, "{character}"),
            _ if character.is_ascii() => write!(text, "\\x{code:02x}"),
            _ if code <= 0xffff => write!(text, "\\u{code:04x}"),
            _ => write!(text, "\\U{code:08x}"),
        };
    }
    text.push('"');
}

/// A JSON string. Beyond what JSON asks for, what a terminal would act on is escaped.
fn push_json(text: &mut String, value: &str) {
    text.push('"');
    for character in value.chars() {
        let _ = match character {
            '"' | '\\' => write!(text, "\\{character}"),
            '\n' => write!(text, "\\n"),
            '\r' => write!(text, "\\r"),
            '\t' => write!(text, "\\t"),
            '\u{fffd}' => write!(text, "{character}"),
            _ if is_printable(character) => write!(text, "{character}"),
            _ => {
                character.encode_utf16(&mut [0; 2]).iter().try_for_each(|unit| write!(text, "\\u{unit:04x}"))
            }
        };
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(format: Format) -> String {
        let mut line = Line::new(format);
        line.text("level", "info");
        line.text("msg", "a message");
        line.bare("count", &7);
        line.bare("good", &true);
        line.finish()
    }

    #[test]
    fn a_line_has_its_keys_in_order() {
        assert_eq!(line(Format::Logfmt), "level=info msg=\"a message\" count=7 good=true\n");
        assert_eq!(
            line(Format::Json),
            "{\"level\":\"info\",\"msg\":\"a message\",\"count\":7,\"good\":true}\n"
        );
    }

    #[test]
    fn values_are_quoted_as_go_does() {
        for (value, logfmt, json) in [
            ("plain", "plain", r#""plain""#),
            ("a:b/c,d", "a:b/c,d", r#""a:b/c,d""#),
            ("", r#""""#, r#""""#),
            ("a b", r#""a b""#, r#""a b""#),
            ("a=b", r#""a=b""#, r#""a=b""#),
            (r#"a"b"#, r#""a\"b""#, r#""a\"b""#),
            (r"a\b", r"a\b", r#""a\\b""#),
            (r"a \b", r#""a \\b""#, r#""a \\b""#),
            ("a\nlevel=error\r\t", r#""a\nlevel=error\r\t""#, r#""a\nlevel=error\r\t""#),
            ("\x1b[2J\0\x7f", r#""\x1b[2J\x00\x7f""#, r#""\u001b[2J\u0000\u007f""#),
            ("äß", "äß", r#""äß""#),
            ("a\u{a0}b", r#""a\u00a0b""#, r#""a\u00a0b""#),
            ("\u{2028}\u{202e}\u{85}", r#""\u2028\u202e\u0085""#, r#""\u2028\u202e\u0085""#),
            ("\u{fffd}", r#""\ufffd""#, "\"\u{fffd}\""),
            ("\u{e0001}", r#""\U000e0001""#, r#""\udb40\udc01""#),
        ] {
            let shown = |format| {
                let mut line = Line::new(format);
                line.text("k", value);
                line.finish()
            };
            assert_eq!(shown(Format::Logfmt), format!("k={logfmt}\n"));
            assert_eq!(shown(Format::Json), format!("{{\"k\":{json}}}\n"));
        }
    }

    proptest! {
        #[test]
        fn json_reads_back_and_no_value_makes_a_second_line(value in any::<String>()) {
            for format in [Format::Logfmt, Format::Json] {
                let mut line = Line::new(format);
                line.text("k", &value);
                let line = line.finish();
                prop_assert!(line.ends_with('\n') && !line.trim_end_matches('\n').contains(char::is_control));
                if format == Format::Json {
                    let read: serde_json::Value = serde_json::from_str(&line).unwrap();
                    prop_assert_eq!(read["k"].as_str(), Some(value.as_str()));
                }
            }
        }
    }
}
