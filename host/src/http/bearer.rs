//! `Authorization`, where there are rights: a token, a user with a password, or something that proves nothing.

use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::config::TokenDigest;

/// The fewest characters of a token. One that was made by `pushgate token` has 47; a word that somebody thought of could
/// be guessed from its hash.
pub(super) const MIN_TOKEN: usize = 32;

/// The most. Each is hashed.
pub(super) const MAX_TOKEN: usize = 512;

/// What a request says of who sends it. Nothing of it is proved yet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Claim {
    /// Nothing.
    Nobody,
    /// That it comes from somebody who has this token.
    Token(TokenDigest),
    /// That it comes from a user: the credentials are in the header.
    User,
    /// The header says nothing that can be made use of.
    Unreadable,
}

impl Claim {
    /// That of the one `Authorization` header. Of two nobody could tell which one a proxy in front has looked at.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let Some(value) = values.next() else { return Self::Nobody };
        let value = value.as_bytes();
        let Some(end) = value.iter().position(|byte| *byte == b' ').filter(|_| values.next().is_none())
        else {
            return Self::Unreadable;
        };
        let (scheme, rest) = value.split_at(end);
        if scheme.eq_ignore_ascii_case(b"basic") {
            return Self::User;
        }
        let token = rest.trim_ascii();
        let is_token =
            (MIN_TOKEN..=MAX_TOKEN).contains(&token.len()) && token.iter().all(u8::is_ascii_graphic);
        if scheme.eq_ignore_ascii_case(b"bearer") && is_token {
            Self::Token(TokenDigest::of(token))
        } else {
            Self::Unreadable
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_claim_is_a_token_of_a_good_length_or_a_user() {
        let (shortest, longest) = ("t".repeat(MIN_TOKEN), "t".repeat(MAX_TOKEN));
        let token = |token: &str| Claim::Token(TokenDigest::of(token.as_bytes()));
        for (values, expected) in [
            (vec![], Claim::Nobody),
            (vec![format!("Bearer {shortest}")], token(&shortest)),
            (vec![format!("bEARER   {longest}  ")], token(&longest)),
            (vec![format!("Bearer {longest}t")], Claim::Unreadable),
            (vec![format!("Bearer {}", &shortest[1..])], Claim::Unreadable),
            (vec![format!("Bearer {shortest} {shortest}")], Claim::Unreadable),
            (vec![format!("Bearer {shortest}ä")], Claim::Unreadable),
            (vec![format!("Bearer\t{shortest}")], Claim::Unreadable),
            (vec![format!("Bearer{shortest}")], Claim::Unreadable),
            (vec![format!("Bearer {shortest}"), format!("Bearer {shortest}")], Claim::Unreadable),
            (vec![format!("Bearer {shortest}"), "Basic YTpi".to_owned()], Claim::Unreadable),
            (vec!["Basic YTpi".to_owned()], Claim::User),
            (vec!["BASIC nonsense".to_owned()], Claim::User),
            (vec!["Basic".to_owned()], Claim::Unreadable),
            (vec!["Bearer ".to_owned()], Claim::Unreadable),
            (vec![String::new()], Claim::Unreadable),
            (vec![" ".to_owned()], Claim::Unreadable),
            (vec![format!("Digest {shortest}")], Claim::Unreadable),
            (vec![shortest.clone()], Claim::Unreadable),
        ] {
            let mut headers = HeaderMap::new();
            for value in &values {
                headers.append(AUTHORIZATION, HeaderValue::from_bytes(value.as_bytes()).unwrap());
            }
            assert_eq!(Claim::of(&headers), expected, "{values:?}");
        }
    }

    #[test]
    fn a_token_is_not_shown() {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {}", "t".repeat(40))).unwrap());
        assert_eq!(format!("{:?}", Claim::of(&headers)), "Token(TokenDigest)");
    }
}
