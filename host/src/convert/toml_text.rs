//! Strings as a person would write them in TOML.

use std::fmt::Write as _;

/// A string: between double quotes, or, when it has backslashes, as regexes have, between single ones.
pub(super) fn quoted(text: &str) -> String {
    let is_plain = |character: char| !character.is_control() && character != '\'';
    if text.contains(['\\', '"']) && text.chars().all(is_plain) {
        return format!("'{text}'");
    }
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            _ if character.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(character));
            }
            _ => out.push(character),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_read_back_as_they_were() {
        for text in ["", "a", "\\d", "'\\d'", "\"", "a\"b'\\", "\n\t\r\u{1}\u{7f}\u{85}", "ä日$"] {
            let table: toml::Table = toml::from_str(&format!("a = {}", quoted(text))).unwrap();
            assert_eq!(table["a"].as_str(), Some(text), "{}", quoted(text));
        }
        assert_eq!(quoted(r"a\.b"), r"'a\.b'");
    }
}
