//! What a file is known by.

use std::fmt;
use std::str::FromStr;

use ring::digest::{SHA256, digest};

/// The SHA-256 of a file, shown as `sha256:` and 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

/// A text is not a digest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a digest; write \"sha256:\" and 64 hexadecimal digits, as sha256sum prints them")]
pub struct NoDigest(String);

impl Digest {
    /// The digest of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        let mut digits = [0; 32];
        digits.copy_from_slice(digest(&SHA256, bytes).as_ref());
        Self(digits)
    }

    /// The digits alone, which make a name of a file.
    pub fn hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl FromStr for Digest {
    type Err = NoDigest;

    fn from_str(text: &str) -> Result<Self, NoDigest> {
        let refused = || NoDigest(text.chars().take(100).collect());
        let hex = text.strip_prefix("sha256:").map(str::as_bytes).ok_or_else(refused)?;
        let mut digits = [0; 32];
        if hex.len() != 2 * digits.len() {
            return Err(refused());
        }
        for (digit, pair) in digits.iter_mut().zip(hex.chunks_exact(2)) {
            let nibble = |byte: u8| char::from(byte).to_digit(16).ok_or_else(refused);
            *digit = (nibble(pair[0])? << 4 | nibble(pair[1])?) as u8;
        }
        Ok(Self(digits))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn a_digest_is_shown_as_others_show_it_and_reads_back() {
        assert_eq!(Digest::of(b"").to_string(), EMPTY);
        assert_eq!(EMPTY.parse(), Ok(Digest::of(b"")));
        assert_eq!(EMPTY.to_ascii_uppercase().replace("SHA", "sha").parse(), Ok(Digest::of(b"")));
        assert_ne!(Digest::of(b""), Digest::of(b"\0"));
    }

    #[test]
    fn what_is_no_digest_is_refused() {
        let (short, long) = (&EMPTY[..EMPTY.len() - 1], format!("{EMPTY}0"));
        for text in ["", "sha256:", &EMPTY[7..], short, &long, &format!("{short}g"), &format!("{short}ä")] {
            let told = text.parse::<Digest>().unwrap_err().to_string();
            assert!(told.contains("is not a digest"), "{text}");
        }
    }
}
