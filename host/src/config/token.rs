//! A token as the gateway knows it: by its hash.

use std::fmt;
use std::str::FromStr;

use ring::digest;
use subtle::ConstantTimeEq as _;

/// The SHA-256 of a token. What is found in a configuration, or in memory, lets nobody in; a plain hash is enough for
/// that, as a token is random and not a word to be guessed.
#[derive(Clone, Copy, Eq)]
pub struct TokenDigest([u8; 32]);

impl TokenDigest {
    /// The hash of a token that somebody sent.
    pub fn of(token: &[u8]) -> Self {
        let mut bytes = [0; 32];
        for (to, from) in bytes.iter_mut().zip(digest::digest(&digest::SHA256, token).as_ref()) {
            *to = *from;
        }
        Self(bytes)
    }
}

/// In constant time.
impl PartialEq for TokenDigest {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl FromStr for TokenDigest {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let no_hash = || {
            "is no SHA-256, which has 64 digits of 0-9, a-f; 'pushgate token NAME' makes a token with its hash".to_owned()
        };
        let digits: Option<Vec<u32>> = text.chars().map(|digit| digit.to_digit(16)).collect();
        let digits = digits.filter(|digits| digits.len() == 64).ok_or_else(no_hash)?;
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
            let value = pair.iter().fold(0, |value, digit| (value << 4) | digit);
            *byte = u8::try_from(value).map_err(|_| no_hash())?;
        }
        Ok(Self(bytes))
    }
}

/// As it is written in a configuration.
impl fmt::Display for TokenDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Without the hash: nothing of a token belongs in a log.
impl fmt::Debug for TokenDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenDigest")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_sha_256_of_the_token() {
        // The example of FIPS 180-2.
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(TokenDigest::of(b"abc").to_string(), abc);
        assert_eq!(abc.parse(), Ok(TokenDigest::of(b"abc")));
        assert_eq!(abc.to_uppercase().parse(), Ok(TokenDigest::of(b"abc")));
        assert_ne!(TokenDigest::of(b"abc"), TokenDigest::of(b"abd"));
        assert_eq!(format!("{:?}", TokenDigest::of(b"abc")), "TokenDigest");
    }

    #[test]
    fn what_is_no_hash_is_refused_without_being_repeated() {
        let hash = "0".repeat(64);
        for text in
            ["", "secret", &hash[1..], &format!("{hash}0"), &hash.replacen('0', "g", 1), &"ä".repeat(32)]
        {
            let told = text.parse::<TokenDigest>().unwrap_err();
            assert!(told.starts_with("is no SHA-256") && (text.is_empty() || !told.contains(text)), "{text}");
        }
    }
}
