//! How names that are not classic ones are shown to readers that know only those.
//! <https://prometheus.io/docs/instrumenting/escaping_schemes/>

use std::borrow::Cow;
use std::fmt::Write as _;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use crate::name::{is_bare_label_name, is_label_name, is_metric_name};

/// How names that are not classic are written. Classic ones stay as they are in every scheme.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Escaping {
    /// As they are; text puts them in quotes.
    AllowUtf8,
    /// `_` for each character that a classic name may not have. Names may become the same.
    #[default]
    Underscores,
    /// `_dot_` for a dot, `__` for `_` and for anything else.
    Dots,
    /// `U__`, and `_2e_` for a dot: the character's number in hexadecimal. Can be undone.
    Values,
}

impl Escaping {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::AllowUtf8, Self::Underscores, Self::Dots, Self::Values];

    /// The word that stands for the scheme in Accept and Content-Type.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AllowUtf8 => "allow-utf-8",
            Self::Underscores => "underscores",
            Self::Dots => "dots",
            Self::Values => "values",
        }
    }

    /// The name of a metric, as it is written.
    pub fn metric(self, name: &str) -> Cow<'_, str> {
        if is_metric_name(name) { Cow::Borrowed(name) } else { self.escape(name) }
    }

    /// The name of a label, as it is written.
    pub fn label(self, name: &str) -> Cow<'_, str> {
        // `:` may stand in the name of a metric only, but is left alone by every scheme all the same.
        if is_label_name(name) || is_metric_name(name) { Cow::Borrowed(name) } else { self.escape(name) }
    }

    fn escape(self, name: &str) -> Cow<'_, str> {
        let legal = |at: usize, c: char| {
            c.is_ascii_alphabetic() || c == '_' || c == ':' || (c.is_ascii_digit() && at > 0)
        };
        let mut out = String::with_capacity(2 * name.len());
        if self == Self::Values {
            out.push_str("U__");
        }
        for (at, c) in name.char_indices() {
            match self {
                Self::AllowUtf8 => return Cow::Borrowed(name),
                Self::Underscores => out.push(if legal(at, c) { c } else { '_' }),
                Self::Dots | Self::Values if c == '_' => out.push_str("__"),
                Self::Dots if c == '.' => out.push_str("_dot_"),
                Self::Dots | Self::Values if legal(at, c) => out.push(c),
                Self::Dots => out.push_str("__"),
                Self::Values => {
                    let _ = write!(out, "_{:x}_", u32::from(c));
                }
            }
        }
        Cow::Owned(out)
    }
}

/// Two label names of one series that some scheme writes alike, or one that it writes like the label of the metric's
/// name: a scraper that is given such a series refuses the whole scrape.
pub fn find_escaped_alike<'a>(mut names: impl Iterator<Item = &'a str> + Clone) -> Option<(String, String)> {
    let all = names.clone();
    if names.all(is_bare_label_name) {
        return None;
    }
    let mut seen: HashMap<_, _, RandomState> = HashMap::default();
    for escaping in Escaping::ALL {
        seen.clear();
        seen.insert(Cow::Borrowed("__name__"), "__name__");
        for name in all.clone() {
            if let Some(other) = seen.insert(escaping.label(name), name) {
                return Some((other.to_owned(), name.to_owned()));
            }
        }
    }
    None
}

/// Undoes [`Escaping::Values`]. A name that was not escaped so is given back as it is.
pub fn unescape(name: &str) -> Cow<'_, str> {
    match name.strip_prefix("U__").and_then(unescape_values) {
        Some(plain) => Cow::Owned(plain),
        None => Cow::Borrowed(name),
    }
}

fn unescape_values(mut rest: &str) -> Option<String> {
    let mut plain = String::with_capacity(rest.len());
    while let Some(at) = rest.find('_') {
        plain.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let (code, behind) = rest.split_once('_')?;
        if code.is_empty() {
            plain.push('_');
        } else {
            // `from_str_radix` would take a sign.
            let is_code = code.len() <= 6 && code.bytes().all(|byte| byte.is_ascii_hexdigit());
            let number = is_code.then(|| u32::from_str_radix(code, 16).ok()).flatten()?;
            plain.push(char::from_u32(number)?);
        }
        rest = behind;
    }
    plain.push_str(rest);
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_every_scheme() {
        for (name, underscores, dots, values) in [
            ("a_b", "a_b", "a_b", "a_b"),
            ("a.b", "a_b", "a_dot_b", "U__a_2e_b"),
            ("a_b.c", "a_b_c", "a__b_dot_c", "U__a__b_2e_c"),
            ("1a", "_a", "__a", "U___31_a"),
            ("größe", "gr__e", "gr____e", "U__gr_f6__df_e"),
            ("a:b.c", "a:b_c", "a:b_dot_c", "U__a:b_2e_c"),
            ("日", "_", "__", "U___65e5_"),
        ] {
            assert_eq!(Escaping::AllowUtf8.metric(name), name);
            assert_eq!(Escaping::Underscores.metric(name), underscores);
            assert_eq!(Escaping::Dots.metric(name), dots);
            assert_eq!(Escaping::Values.metric(name), values);
        }
    }

    #[test]
    fn names_that_become_the_same_are_found() {
        for (names, alike) in [
            (&["a", "b", "a_b"] as &[_], false),
            (&["a.b", "a_c"], false),
            (&["a.b", "a_b"], true),
            (&["a-b", "a b"], true),
            (&["a.b", "a_dot_b"], true),
            (&["a.b", "U__a_2e_b"], true),
            (&["._name__"], true),
            (&["a.b"], false),
        ] {
            assert_eq!(find_escaped_alike(names.iter().copied()).is_some(), alike, "{names:?}");
        }
    }

    #[test]
    fn values_can_be_undone() {
        for (escaped, plain) in [
            ("U__foo_2e_bar", "foo.bar"),
            ("U__foo_2E_bar", "foo.bar"),
            ("U___55_____foo", "U__foo"),
            ("U__", ""),
            ("U__a__b", "a_b"),
            ("U___1F600_", "😀"),
            // Anything that is not right leaves the name as it is.
            ("U__a_b", "U__a_b"),
            ("U__a_2e", "U__a_2e"),
            ("U__a_+2e_", "U__a_+2e_"),
            ("U__a_0000002e_", "U__a_0000002e_"),
            ("U__a_d800_", "U__a_d800_"),
            ("U__a_", "U__a_"),
            ("a_2e_b", "a_2e_b"),
            ("", ""),
        ] {
            assert_eq!(unescape(escaped), plain, "{escaped}");
        }
        for name in ["a.b", "größe", "U__.", "_._", "a b", "😀"] {
            assert_eq!(unescape(&Escaping::Values.metric(name)), name);
        }
    }
}
