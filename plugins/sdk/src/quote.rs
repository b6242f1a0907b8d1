//! Names and values of strangers, shown safely.

use std::fmt;

/// How many characters of a text are shown.
const SHOWN: usize = 80;

/// Shows a text that came with a push: in single quotes, on one line, cut when it is long.
///
/// ```
/// use pushgate_plugin::quote;
///
/// assert_eq!(quote("a\nb").to_string(), r"'a\nb'");
/// assert_eq!(quote(&"x".repeat(1000)).to_string().chars().count(), 83);
/// ```
pub fn quote(text: &str) -> Quoted<'_> {
    Quoted { text }
}

/// A text to be shown in single quotes; see [`quote`].
///
/// ```
/// let shown = format!("rename {}", pushgate_plugin::quote("httpRequests"));
/// assert_eq!(shown, "rename 'httpRequests'");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Quoted<'a> {
    text: &'a str,
}

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Nearly every text is short and plain.
        if self.text.len() <= SHOWN && self.text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            f.write_str("'")?;
            f.write_str(self.text)?;
            return f.write_str("'");
        }
        let mut characters = self.text.chars();
        f.write_str("'")?;
        for character in characters.by_ref().take(SHOWN) {
            if character.is_control() || matches!(character, '\u{2028}' | '\u{2029}') {
                write!(f, "{}", character.escape_default())?;
            } else {
                write!(f, "{character}")?;
            }
        }
        f.write_str(if characters.as_str().is_empty() { "'" } else { "…'" })
    }
}
