//! `pushgate token`: a new token, with the lines of a configuration that know it.

use anyhow::anyhow;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::config::TokenDigest;

/// Random bytes of a token: nobody guesses as many.
const RANDOM: usize = 32;

/// What tokens begin with, so that they are recognised where they should not be: in a repository or a log.
const PREFIX: &str = "pgt_";

/// A new token of that name, as it is printed: the token, and an entry of `[[rights]]` that knows it by its hash.
///
/// # Errors
/// When the system gives no random numbers.
pub fn issue(name: &str) -> anyhow::Result<String> {
    let mut random = [0; RANDOM];
    SystemRandom::new().fill(&mut random).map_err(|_| anyhow!("the system gives no random numbers"))?;
    Ok(told(name, &format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(random))))
}

fn told(name: &str, token: &str) -> String {
    let digest = TokenDigest::of(token.as_bytes());
    format!(
        "{token}\n\n\
         # The token is shown only this once: give it to whoever sends \"Authorization: Bearer <token>\".\n\
         # The gateway needs no more than its hash. For its config.toml, with the verbs that it is to have:\n\
         [[rights]]\n\
         name = \"{name}\"\n\
         token_sha256 = \"{digest}\"\n\
         verbs = [\"push\", \"delete\"]\n\
         # jobs = \"team-a-.*\"\n"
    )
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{Config, Identity, Right};

    #[test]
    fn what_is_printed_is_an_entry_that_knows_the_token() {
        let printed = issue("ci").unwrap();
        let (token, entry) = printed.split_once('\n').unwrap();
        assert_eq!((token.len(), &token[..4]), (47, "pgt_"));
        let config = Config::parse(entry, Path::new("config.toml")).unwrap();
        let digest = TokenDigest::of(token.as_bytes());
        assert_eq!(config.rights.name_of(&digest), Some("ci"));
        let caller = Identity { token: Some(digest), ..Identity::default() };
        assert!(config.rights.grant(&caller, Right::Push, Some("x")));
        assert!(!config.rights.grant(&caller, Right::Scrape, None));
        assert_ne!(issue("ci").unwrap(), printed);
    }
}
