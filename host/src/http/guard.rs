//! Who may enter: what the web configuration demands of connections and requests.

use std::num::NonZero;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Instant;

use http::HeaderMap;
use pushgate_web_config::{Comparison, Credentials, Live, Login, Tls, WebConfig};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::caller::{Peer, Transport};
use super::error::Failure;

/// Logins that may wait for their password to be compared; each holds a request.
const MAX_WAITING: usize = 64;

/// Lets requests in, or not. Without a web configuration, everybody.
#[derive(Debug)]
pub(super) struct Guard {
    live: Option<Arc<Live>>,
    /// For comparing passwords, which takes a core for some 60 ms: guesses must leave cores for pushes.
    comparing: Arc<Semaphore>,
    waiting: Semaphore,
}

/// The web configuration that a request came up to, if there is one.
#[derive(Debug)]
pub(super) struct Door(Option<(Arc<Live>, Arc<WebConfig>)>);

impl Door {
    /// Whether users are asked for their passwords.
    pub(super) fn has_users(&self) -> bool {
        self.with_users().is_some()
    }

    fn with_users(&self) -> Option<&(Arc<Live>, Arc<WebConfig>)> {
        self.0.as_ref().filter(|(_, config)| !config.users().is_empty())
    }
}

impl Guard {
    pub(super) fn new(live: Option<Arc<Live>>) -> Self {
        let cores = available_parallelism().map_or(1, NonZero::get);
        let comparing = Arc::new(Semaphore::new((cores / 2).max(1)));
        Self { live, comparing, waiting: Semaphore::new(MAX_WAITING) }
    }

    /// Lets a request up to the door, with the headers to add to the answer, whether or not it may enter.
    pub(super) async fn admit(&self, peer: &Peer) -> (HeaderMap, Result<Door, Failure>) {
        let Some(live) = &self.live else { return (HeaderMap::new(), Ok(Door(None))) };
        follow(live).await;
        let Some(config) = live.current() else { return (HeaderMap::new(), Err(Failure::NoWebConfig)) };
        if config.tls().is_some() && matches!(peer.transport, Transport::Plain) {
            // The connection is older than the demand for TLS.
            return (HeaderMap::new(), Err(Failure::PlainHttp));
        }
        if !live.admit(Instant::now()) {
            return (HeaderMap::new(), Err(Failure::RateLimited));
        }
        (config.headers().clone(), Ok(Door(Some((live.clone(), config)))))
    }

    /// Lets a request in that came up to the door. It is known who enters where users are asked for their passwords.
    pub(super) async fn log_in(
        &self,
        door: &Door,
        headers: &HeaderMap,
    ) -> Result<Option<Credentials>, Failure> {
        let Some((live, config)) = door.with_users() else { return Ok(None) };
        let Some(credentials) = Credentials::of(headers) else { return Err(Failure::Unauthorized) };
        let is_good = match live.logins().recall(config.users(), &credentials) {
            Login::Good => true,
            Login::Bad => false,
            Login::New(comparison) => self.compare(live, comparison).await?,
        };
        if is_good { Ok(Some(credentials)) } else { Err(Failure::Unauthorized) }
    }

    async fn compare(&self, live: &Arc<Live>, comparison: Comparison) -> Result<bool, Failure> {
        let Ok(_waiting) = self.waiting.try_acquire() else { return Err(Failure::TooManyLogins) };
        let Ok(permit) = Arc::clone(&self.comparing).acquire_owned().await else {
            return Err(Failure::TooManyLogins);
        };
        let live = Arc::clone(live);
        let compared = spawn_blocking(move || {
            let is_good = live.logins().compare(&comparison);
            // Only now, also when the client has hung up.
            drop(permit);
            is_good
        });
        Ok(compared.await.unwrap_or(false))
    }
}

/// How to speak TLS on a new connection, if that is asked for.
pub(super) async fn tls(live: Option<&Arc<Live>>) -> Option<Tls> {
    let live = live?;
    follow(live).await;
    live.tls()
}

/// Brings the configuration up to date with its files.
async fn follow(live: &Arc<Live>) {
    if live.is_stale() {
        let live = Arc::clone(live);
        // It cannot fail but by a panic, and then what was in force before still is.
        let _ = spawn_blocking(move || live.refresh()).await;
    }
}

#[cfg(test)]
mod tests {
    use http::Request;
    use http::header::AUTHORIZATION;

    use super::*;
    use crate::http::lanes::Seat;

    async fn enter(guard: &Guard, password: &str) -> Result<Option<String>, Failure> {
        use base64::Engine as _;
        let encoded = base64::engine::general_purpose::STANDARD.encode(format!("alice:{password}"));
        let request = Request::get("/").header(AUTHORIZATION, format!("Basic {encoded}"));
        let address = [127, 0, 0, 1].into();
        let peer = Peer { address, transport: Transport::Plain, seat: Seat::alone() };
        let door = guard.admit(&peer).await.1?;
        let entered = guard.log_in(&door, request.body(()).unwrap().headers()).await?;
        Ok(entered.map(|user| String::from_utf8(user.name().to_vec()).unwrap()))
    }

    #[tokio::test]
    async fn new_logins_queue_up_to_a_bound_and_known_ones_do_not() {
        let file = std::env::temp_dir().join(format!("pushgate-guard-{}.yml", std::process::id()));
        let users =
            "basic_auth_users:\n  alice: $2b$04$K4ISagUDf8C76lYgU52tAewmYHzcJ0yh5mDiOJ6M1zmxRRmulwlWG\n";
        std::fs::write(&file, users).unwrap();
        let guard = Guard::new(Some(Arc::new(Live::load(&file).unwrap())));
        assert_eq!(enter(&guard, "secret").await.unwrap().as_deref(), Some("alice"));
        assert!(matches!(enter(&guard, "wrong").await, Err(Failure::Unauthorized)));
        let queue = guard.waiting.try_acquire_many(u32::try_from(MAX_WAITING).unwrap()).unwrap();
        assert!(enter(&guard, "secret").await.is_ok());
        assert!(matches!(enter(&guard, "wrong").await, Err(Failure::Unauthorized)));
        assert!(matches!(enter(&guard, "new").await, Err(Failure::TooManyLogins)));
        drop(queue);
        assert!(matches!(enter(&guard, "new").await, Err(Failure::Unauthorized)));
        std::fs::remove_file(&file).unwrap();
    }

    #[tokio::test]
    async fn without_a_web_configuration_everybody_may_enter() {
        assert_eq!(enter(&Guard::new(None), "any").await.unwrap(), None, "whatever they say who they are");
    }
}
