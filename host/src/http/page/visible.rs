//! Text that somebody pushed, as people can trust it.

use std::fmt::Write as _;

/// Characters of a value that are shown; more would make everything else on the page hard to find.
const MAX_CHARACTERS: usize = 300;

/// A label as it stands in a text scrape: `name="value"`, with long values cut.
pub(super) fn label(name: &str, value: &str) -> String {
    let mut shown = String::with_capacity(name.len() + value.len() + 3);
    append(&mut shown, name, "");
    shown.push_str("=\"");
    append(&mut shown, value, "\"\\");
    shown.push('"');
    shown
}

/// A text, with a long one cut.
pub(super) fn text(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    append(&mut shown, text, "");
    shown
}

/// A text in full. A line stays a line.
pub(super) fn whole(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    text.chars().for_each(|character| match character {
        '\n' => shown.push('\n'),
        other => append_one(&mut shown, other),
    });
    shown
}

fn append(shown: &mut String, text: &str, escaped: &str) {
    let mut characters = text.chars();
    for character in characters.by_ref().take(MAX_CHARACTERS) {
        if escaped.contains(character) {
            shown.push('\\');
        }
        append_one(shown, character);
    }
    let more = characters.count();
    if more > 0 {
        let _ = write!(shown, "… ({more} more characters)");
    }
}

/// Characters that are not seen, or that change the order in which others are read, are shown by their number.
fn append_one(shown: &mut String, character: char) {
    match character {
        '\n' => shown.push_str("\\n"),
        '\u{61c}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}' => {
            let _ = write!(shown, "{}", character.escape_unicode());
        }
        control if control.is_control() => {
            let _ = write!(shown, "{}", control.escape_unicode());
        }
        other => shown.push(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_shown_as_in_a_scrape() {
        for (value, expected) in [
            ("", r#"l="""#),
            ("x y", r#"l="x y""#),
            ("a\"b\\c\nd", r#"l="a\"b\\c\nd""#),
            ("<script>&amp;", r#"l="<script>&amp;""#),
            ("שלום", "l=\"שלום\""),
            ("\u{202e}gpj.exe", r#"l="\u{202e}gpj.exe""#),
            ("\0\t\u{7f}\u{feff}", r#"l="\u{0}\u{9}\u{7f}\u{feff}""#),
        ] {
            assert_eq!(label("l", value), expected);
        }
    }

    #[test]
    fn long_text_is_cut_and_says_so() {
        let exact = "ä".repeat(MAX_CHARACTERS);
        assert_eq!(text(&exact), exact);
        assert_eq!(text(&"ä".repeat(MAX_CHARACTERS + 2)), format!("{exact}… (2 more characters)"));
        assert_eq!(whole(&"x\n".repeat(MAX_CHARACTERS)), "x\n".repeat(MAX_CHARACTERS));
    }
}
