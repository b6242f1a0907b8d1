//! A stored password: a bcrypt hash.

use bcrypt::HashParts;

/// Beyond it a comparison takes more than ten seconds of a core, and nobody could log in.
const MAX_COST: u32 = 16;
/// What bcrypt itself can do.
const MIN_COST: u32 = 4;

/// A bcrypt hash that a password can be compared with. No `Debug`: it is as good as the password to a patient
/// attacker.
#[derive(Clone)]
pub(crate) struct Hash(String);

impl Hash {
    /// Reads a hash; the error is the mend, without the hash.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let parts: HashParts = text.parse().map_err(|_| {
            "is not a bcrypt hash; make one with 'htpasswd -nBC 10 \"\"' and take what follows the colon"
                .to_owned()
        })?;
        let cost = parts.get_cost();
        if !(MIN_COST..=MAX_COST).contains(&cost) {
            return Err(format!(
                "the hash has cost {cost}; allowed: {MIN_COST} to {MAX_COST}, and each step doubles what a login takes"
            ));
        }
        Ok(Self(text.to_owned()))
    }

    /// Compares, which takes from a millisecond to seconds. Only the first 72 bytes count, as always with bcrypt.
    pub(crate) fn matches(&self, password: &[u8]) -> bool {
        bcrypt::verify(password, &self.0).unwrap_or(false)
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::SECRET;

    #[test]
    fn a_hash_is_of_any_known_version_and_a_bearable_cost() {
        for version in ["2a", "2b", "2x", "2y"] {
            assert!(Hash::parse(&SECRET.replace("2b", version)).unwrap().matches(b"secret"), "{version}");
        }
        assert!(!Hash::parse(SECRET).unwrap().matches(b"Secret"));
        for (cost, legal) in [("03", false), ("04", true), ("16", true), ("17", false), ("99", false)] {
            let told = Hash::parse(&SECRET.replace("$04$", &format!("${cost}$"))).map(drop);
            assert_eq!(told.is_ok(), legal, "{cost}");
            assert!(told.err().is_none_or(|told| told.starts_with("the hash has cost ")), "{cost}");
        }
    }

    #[test]
    fn what_is_no_hash_is_refused_without_being_repeated() {
        for text in [
            "",
            "notbcrypt",
            "secret",
            &SECRET[..59],
            &format!("{SECRET}x"),
            &SECRET.replace("2b", "3b"),
            &SECRET.replace('K', "ä"),
        ] {
            let told = Hash::parse(text).map(drop).unwrap_err();
            assert!(told.starts_with("is not a bcrypt hash; "), "{text}");
        }
    }
}
