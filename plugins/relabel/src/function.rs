//! What `lowercase`, `uppercase` and `hashmod` make of a value.

use std::num::NonZeroU64;

/// A function of the joined values of the source labels.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Function {
    Lowercase,
    Uppercase,
    /// The MD5 hash, modulo this.
    HashMod(NonZeroU64),
}

impl Function {
    pub(crate) fn of(self, text: &str) -> String {
        match self {
            Self::Lowercase => text.chars().map(lower).collect(),
            Self::Uppercase => text.chars().map(upper).collect(),
            Self::HashMod(modulus) => {
                // Prometheus takes the last eight bytes of the sixteen.
                let hash = u128::from_be_bytes(md5::compute(text).0) as u64;
                (hash % modulus).to_string()
            }
        }
    }
}

/// Go maps each character to one, where Rust may make several of it (`ß` becomes `SS`).
fn lower(character: char) -> char {
    match character {
        'İ' => 'i',
        _ => single(character.to_lowercase()).unwrap_or(character),
    }
}

fn upper(character: char) -> char {
    match character {
        // Greek letters with an iota below have one character as capitals, too.
        '\u{1f80}'..='\u{1f87}' | '\u{1f90}'..='\u{1f97}' | '\u{1fa0}'..='\u{1fa7}' => {
            char::from_u32(u32::from(character) + 8).unwrap_or(character)
        }
        '\u{1fb3}' | '\u{1fc3}' | '\u{1ff3}' => char::from_u32(u32::from(character) + 9).unwrap_or(character),
        _ => single(character.to_uppercase()).unwrap_or(character),
    }
}

fn single(mut mapped: impl Iterator<Item = char>) -> Option<char> {
    let first = mapped.next();
    if mapped.next().is_none() { first } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_do_what_they_do_in_go() {
        let hash = |modulus| Function::HashMod(NonZeroU64::new(modulus).unwrap());
        for (function, text, expected) in [
            (Function::Lowercase, "ABc-Ä_Σ", "abc-ä_σ"),
            (Function::Lowercase, "ΑΣ", "ασ"),
            (Function::Lowercase, "İ", "i"),
            (Function::Uppercase, "abC-äß", "ABC-Äß"),
            (Function::Uppercase, "ŉﬁ", "ŉﬁ"),
            (Function::Uppercase, "ᾀᾳ", "ᾈᾼ"),
            // MD5 of "abc" ends in d6963f7d28e17f72.
            (hash(u64::MAX), "abc", &0xd696_3f7d_28e1_7f72_u64.to_string()),
            (hash(1), "abc", "0"),
        ] {
            assert_eq!(function.of(text), expected, "{function:?} {text}");
        }
    }
}
