//! Compares passwords, and remembers the outcome: a bcrypt comparison takes some 60 ms of a core, and a scraper
//! logs in with each request.

use std::collections::HashSet;
use std::fmt;

use parking_lot::Mutex;
use ring::hmac;
use ring::rand::SystemRandom;
use zeroize::Zeroizing;

use crate::credentials::Credentials;
use crate::error::Problem;
use crate::hash::Hash;
use crate::users::Users;

/// How many good and how many bad logins are remembered. They are apart, so that guesses cannot make the gateway
/// forget who is good.
const MAX_REMEMBERED: usize = 1_000;

/// A login without its name or password: their keyed hash, with that of the stored hash, so that a changed
/// password is a login nobody has seen.
type Fingerprint = [u8; 32];

/// The memory of past logins. It lives as long as the process and holds nothing that outlives it.
pub struct Logins {
    /// Random for each process.
    key: hmac::Key,
    past: Mutex<Past>,
}

#[derive(Default)]
struct Past {
    good: HashSet<Fingerprint>,
    bad: HashSet<Fingerprint>,
}

/// What is known of a login without comparing.
#[derive(Debug)]
pub enum Login {
    /// It was good before.
    Good,
    /// It was bad before.
    Bad,
    /// It has to be compared.
    New(Comparison),
}

/// A login that has to be compared, by [`Logins::compare`]. It owns all it needs, so that it can go to another
/// thread; the password is wiped when it is dropped.
pub struct Comparison {
    fingerprint: Fingerprint,
    hash: Hash,
    password: Zeroizing<Vec<u8>>,
    known: bool,
}

impl Logins {
    pub(crate) fn new() -> Result<Self, Problem> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new())
            .map_err(|_| Problem::of_file("the system gives no random numbers"))?;
        Ok(Self { key, past: Mutex::default() })
    }

    /// What is known of a login. It takes the same steps whether or not such a user exists.
    pub fn recall(&self, users: &Users, credentials: &Credentials) -> Login {
        let Some(found) = users.find(credentials.name()) else { return Login::Bad };
        let fingerprint = self.fingerprint([
            credentials.name(),
            credentials.password(),
            found.hash.as_bytes(),
            // A user who is removed must not be remembered as good because somebody else has the same hash.
            &[u8::from(found.known)],
        ]);
        match self.past.lock().outcome(&fingerprint) {
            Some(true) => Login::Good,
            Some(false) => Login::Bad,
            None => Login::New(Comparison {
                fingerprint,
                hash: found.hash.clone(),
                password: Zeroizing::new(credentials.password().to_vec()),
                known: found.known,
            }),
        }
    }

    /// Compares, remembers the outcome and tells whether the login is good. Takes from a millisecond to seconds
    /// of a core, by design of bcrypt: call it where that disturbs nobody, few at a time.
    pub fn compare(&self, comparison: &Comparison) -> bool {
        // Many requests may have come with the same new login, and only the first should cost anything.
        if let Some(outcome) = self.past.lock().outcome(&comparison.fingerprint) {
            return outcome;
        }
        let matches = comparison.hash.matches(&comparison.password);
        let good = matches && comparison.known;
        self.past.lock().remember(comparison.fingerprint, good);
        good
    }

    fn fingerprint(&self, parts: [&[u8]; 4]) -> Fingerprint {
        let mut context = hmac::Context::with_key(&self.key);
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut fingerprint = Fingerprint::default();
        for (to, from) in fingerprint.iter_mut().zip(context.sign().as_ref()) {
            *to = *from;
        }
        fingerprint
    }
}

impl Past {
    fn outcome(&self, fingerprint: &Fingerprint) -> Option<bool> {
        let (good, bad) = (self.good.contains(fingerprint), self.bad.contains(fingerprint));
        (good || bad).then_some(good)
    }

    fn remember(&mut self, fingerprint: Fingerprint, good: bool) {
        let past = if good { &mut self.good } else { &mut self.bad };
        if past.len() >= MAX_REMEMBERED {
            past.clear();
        }
        past.insert(fingerprint);
    }
}

impl fmt::Debug for Logins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logins").finish_non_exhaustive()
    }
}

impl fmt::Debug for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Comparison").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use http::HeaderMap;
    use http::header::AUTHORIZATION;

    use super::*;
    use crate::testing::SECRET;
    use crate::users::tests::users;

    fn credentials(pair: &str) -> Credentials {
        let encoded = base64::engine::general_purpose::STANDARD.encode(pair);
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, format!("Basic {encoded}").parse().unwrap());
        Credentials::of(&headers).unwrap()
    }

    /// What is remembered, and what comes of comparing if nothing is.
    fn log_in(logins: &Logins, users: &Users, pair: &str) -> (&'static str, bool) {
        match logins.recall(users, &credentials(pair)) {
            Login::Good => ("remembered", true),
            Login::Bad => ("remembered", false),
            Login::New(comparison) => ("compared", logins.compare(&comparison)),
        }
    }

    #[test]
    fn a_login_is_compared_once() {
        let users = users(&format!("alice: {SECRET}")).unwrap();
        let logins = Logins::new().unwrap();
        for (pair, good) in [
            ("alice:secret", true),
            ("alice:wrong", false),
            ("alice:", false),
            // The stand-in is the hash of this very password.
            ("bob:secret", false),
            (":secret", false),
            ("alices:ecret", false),
        ] {
            assert_eq!(log_in(&logins, &users, pair), ("compared", good), "{pair}");
            assert_eq!(log_in(&logins, &users, pair), ("remembered", good), "{pair}");
        }
    }

    #[test]
    fn who_is_changed_or_removed_is_compared_anew() {
        let logins = Logins::new().unwrap();
        let before = users(&format!("alice: {SECRET}")).unwrap();
        let after = users(&format!("alice: {}", SECRET.replace("wlWG", "wlWe"))).unwrap();
        assert_eq!(log_in(&logins, &before, "alice:secret"), ("compared", true));
        assert_eq!(log_in(&logins, &after, "alice:secret"), ("compared", false));
        let gone = users(&format!("bob: {SECRET}")).unwrap();
        assert_eq!(log_in(&logins, &gone, "alice:secret"), ("compared", false));
    }

    #[test]
    fn the_same_login_waiting_twice_is_compared_once() {
        let users = users(&format!("alice: {SECRET}")).unwrap();
        let logins = Logins::new().unwrap();
        let wait = || match logins.recall(&users, &credentials("alice:secret")) {
            Login::New(comparison) => comparison,
            _ => panic!("nothing is remembered yet"),
        };
        let (first, mut second) = (wait(), wait());
        assert!(logins.compare(&first));
        second.password = Zeroizing::new(b"wrong".to_vec());
        assert!(logins.compare(&second), "it was not compared");
    }

    #[test]
    fn what_is_remembered_is_bounded_and_guesses_push_nobody_out() {
        let mut past = Past::default();
        past.remember([255; 32], true);
        for number in 0..=MAX_REMEMBERED {
            let mut fingerprint = Fingerprint::default();
            fingerprint[..8].copy_from_slice(&number.to_be_bytes());
            past.remember(fingerprint, false);
        }
        assert_eq!((past.good.len(), past.bad.len()), (1, 1));
        assert_eq!(past.outcome(&[255; 32]), Some(true));
    }
}
