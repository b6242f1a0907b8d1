//! Who a request says it comes from: `Authorization: Basic`.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use zeroize::Zeroizing;

/// As Go's decoder: padded, and not strict about bits that stand for nothing.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);

/// A name and a password as a client sent them; neither is known to be good. Wiped when dropped.
pub struct Credentials {
    /// `name:password`, as it was decoded.
    decoded: Zeroizing<Vec<u8>>,
    colon: usize,
}

impl Credentials {
    /// Those of the first `Authorization` header; `None` if it is absent or not a pair of the scheme Basic.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let (scheme, encoded) = headers.get(AUTHORIZATION)?.as_bytes().split_at_checked(6)?;
        if !scheme.eq_ignore_ascii_case(b"basic ") {
            return None;
        }
        let decoded = Zeroizing::new(BASE64.decode(encoded).ok()?);
        let colon = decoded.iter().position(|byte| *byte == b':')?;
        Some(Self { decoded, colon })
    }

    /// The name, which anybody can send: it is that of the client once the password was compared.
    pub fn name(&self) -> &[u8] {
        self.decoded.split_at_checked(self.colon).map_or(&[], |(name, _)| name)
    }

    pub(crate) fn password(&self) -> &[u8] {
        self.decoded.split_at_checked(self.colon.saturating_add(1)).map_or(&[], |(_, password)| password)
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(header: &str, expected: Option<(&str, &str)>) {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, header.parse().unwrap());
        let credentials = Credentials::of(&headers);
        let shown = credentials.as_ref().map(|c| (c.name(), c.password()));
        assert_eq!(
            shown,
            expected.map(|(name, password)| (name.as_bytes(), password.as_bytes())),
            "{header}"
        );
    }

    #[test]
    fn a_pair_is_what_stands_around_the_first_colon() {
        check("Basic YWxpY2U6c2VjcmV0", Some(("alice", "secret")));
        check("bASIC YTpiOmM=", Some(("a", "b:c")));
        check("Basic Og==", Some(("", "")));
        check("Basic YWxpY2U=", None);
        check("Basic YTpi OmM=", None);
        check("Basic YTpiOmM", None);
        check("Basic ", None);
        check("Basic", None);
        check("Bearer YWxpY2U6c2VjcmV0", None);
        assert!(Credentials::of(&HeaderMap::new()).is_none());
    }

    #[test]
    fn a_password_is_not_shown() {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, "Basic YWxpY2U6c2VjcmV0".parse().unwrap());
        assert_eq!(format!("{:?}", Credentials::of(&headers).unwrap()), "Credentials { .. }");
    }
}
