//! Who asks, and whether they may, where there are rights: looked at before anything of a body is read.

use std::sync::Arc;

use http::HeaderMap;
use http::request::Parts;
use pushgate_exposition::GroupingKey;
use pushgate_web_config::Credentials;
use tracing::debug;

use super::bearer::Claim;
use super::caller::{Caller, Peer};
use super::error::Failure;
use super::guard::Door;
use super::route::Endpoint;
use super::{Http, RESTORE};
use crate::config::{Identity, Right, Rights, TokenDigest};

/// Characters of a job or user that an answer repeats.
const MAX_SHOWN: usize = 128;

/// Whoever sends a request, as far as it is proved.
#[derive(Debug, Default)]
pub(super) struct Known {
    user: Option<Credentials>,
    token: Option<Token>,
}

#[derive(Debug)]
struct Token {
    name: String,
    digest: TokenDigest,
}

/// How a client can say who it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Ways {
    pub(super) tokens: bool,
    pub(super) users: bool,
}

/// Why it is not known who asks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Unknown {
    /// They have not said so.
    Silent,
    /// They have, in a way that is none.
    Unreadable,
    /// There is no such token, or no such user with that password.
    Wrong,
}

impl Known {
    /// Somebody whose password was right, or who was not asked for one.
    pub(super) fn by_password(user: Option<Credentials>) -> Self {
        Self { user, token: None }
    }

    pub(super) fn caller<'r>(&'r self, peer: &'r Peer, headers: &'r HeaderMap) -> Caller<'r> {
        let token = self.token.as_ref().map(|token| token.name.as_str());
        Caller { peer, user: self.user.as_ref(), token, headers }
    }

    fn identity<'r>(&'r self, peer: &'r Peer) -> Identity<'r> {
        Identity {
            user: self.user.as_ref().and_then(|user| str::from_utf8(user.name()).ok()),
            token: self.token.as_ref().map(|token| token.digest),
            tls_names: peer.names(),
        }
    }

    /// What to call them.
    fn shown(&self) -> String {
        match (&self.token, &self.user) {
            (Some(token), _) => format!("the token '{}'", token.name),
            (None, Some(user)) => format!("the user {:?}", short(&String::from_utf8_lossy(user.name()))),
            (None, None) => "this client".to_owned(),
        }
    }
}

impl Http {
    /// Who may do what, now.
    pub(super) fn rights(&self) -> Arc<Rights> {
        self.rights.read().clone()
    }

    /// Who may do what from the next request on.
    pub fn replace_rights(&self, rights: Rights) {
        *self.rights.write() = Arc::new(rights);
    }

    /// Lets a request to an endpoint in, if whoever sends it has the right to.
    pub(super) async fn let_in(
        &self,
        rights: &Rights,
        door: &Door,
        peer: &Peer,
        (endpoint, argument): (Endpoint, &[u8]),
        head: &Parts,
    ) -> Result<Known, Failure> {
        let Some(right) = needed(endpoint, argument, &head.headers) else { return Ok(Known::default()) };
        let ways = Ways { tokens: rights.know_tokens(), users: door.has_users() };
        let refused = |failure: Failure| {
            self.metrics.rights_refused(right);
            failure
        };
        let known = match self.identify(rights, door, &head.headers).await? {
            Ok(known) => known,
            Err(why) => return Err(refused(Failure::Unidentified { ways, why })),
        };
        let key = match right {
            Right::Push | Right::Delete => Some(self.grouping_key(argument)?),
            Right::Scrape | Right::Admin => None,
        };
        let job = key.as_ref().map(GroupingKey::job);
        let identity = known.identity(peer);
        if rights.grant(&identity, right, job) {
            return Ok(known);
        }
        debug!(who = known.shown(), verb = %right, job, "a request was refused for want of a right");
        let is_somebody = known.user.is_some() || rights.know(&identity);
        Err(refused(if is_somebody || !(ways.tokens || ways.users) {
            Failure::Forbidden { who: known.shown(), right, job: job.map(short) }
        } else {
            Failure::Unidentified { ways, why: Unknown::Silent }
        }))
    }

    /// Who sends a request, or why that is not known. Whoever says so must be who they say, also where everybody may.
    async fn identify(
        &self,
        rights: &Rights,
        door: &Door,
        headers: &HeaderMap,
    ) -> Result<Result<Known, Unknown>, Failure> {
        match Claim::of(headers) {
            Claim::Nobody => Ok(Ok(Known::default())),
            Claim::Unreadable => Ok(Err(Unknown::Unreadable)),
            Claim::Token(digest) => {
                let name = rights.name_of(&digest).map(str::to_owned);
                let known = name.map(|name| Known { user: None, token: Some(Token { name, digest }) });
                Ok(known.ok_or(Unknown::Wrong))
            }
            Claim::User if !door.has_users() => Ok(Err(Unknown::Wrong)),
            Claim::User => match self.guard.log_in(door, headers).await {
                Ok(user) => Ok(Ok(Known::by_password(user))),
                Err(Failure::Unauthorized) => Ok(Err(Unknown::Wrong)),
                Err(failure) => Err(failure),
            },
        }
    }
}

/// The right that a request needs. A push that says when it came first is not one of its job's: it is an import.
fn needed(endpoint: Endpoint, argument: &[u8], headers: &HeaderMap) -> Option<Right> {
    match endpoint {
        Endpoint::Push(_) if headers.contains_key(RESTORE) => Some(Right::Admin),
        _ => endpoint.needs(argument),
    }
}

fn short(text: &str) -> String {
    let mut characters = text.chars();
    let mut short: String = characters.by_ref().take(MAX_SHOWN).collect();
    if characters.next().is_some() {
        short.push('…');
    }
    short
}
