//! The HTTP side: connections in, requests to ingest and the store, answers out.
//!
//! `server` accepts, `connection` speaks TLS and HTTP, `guard` lets in whom the web configuration allows.
//! `route` decides what a request asks for, one module an endpoint answers it. Only `body` reads a
//! request's body, and only `error` turns a failure into a status. Nothing here knows how a push is
//! parsed, judged or stored.

mod accept;
mod admin;
mod body;
mod connection;
mod delete;
mod error;
mod findings;
mod grouping_path;
mod guard;
mod http2;
mod listen;
mod payload;
mod push;
mod route;
mod scrape;
mod server;
mod stream;
mod tls;

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Request, Response};
use hyper::body::Incoming;
use pushgate_web_config::Live;
use tracing::debug;

use self::body::BodyReader;
use self::error::Failure;
use self::guard::Guard;
pub use self::listen::{InheritError, ListenError, inherit, listen};
pub use self::payload::Payload;
use self::route::Route;
pub use self::server::serve;
use crate::config::Config;
use crate::ingest::Ingest;

/// Names a request in the answer and in the log.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Comes with a PUT of a group that was stored elsewhere, and has its times: `push=1.5e9, failure=0`. Only where the
/// admin API is on.
pub const RESTORE: HeaderName = HeaderName::from_static("x-pushgate-restore");

/// Answers requests. The gateway makes one, which lives as long as the gateway and is shared by all connections.
pub struct Http {
    guard: Guard,
    ingest: Arc<Ingest>,
    exposition: Box<dyn Fn() -> Vec<Bytes> + Send + Sync>,
    bodies: BodyReader,
    ids: RequestIds,
}

impl Http {
    /// Answers with what `ingest` makes of pushes and with what `exposition` gives for a scrape: the rendered
    /// families, stored ones and the gateway's own. It must not block. `live` says who may ask.
    pub fn new(
        config: &Config,
        live: Option<Arc<Live>>,
        ingest: Arc<Ingest>,
        exposition: impl Fn() -> Vec<Bytes> + Send + Sync + 'static,
    ) -> Self {
        Self {
            guard: Guard::new(live),
            ingest,
            exposition: Box::new(exposition),
            bodies: BodyReader::new(config),
            ids: RequestIds::default(),
        }
    }

    /// Answers one request, whatever becomes of it.
    pub async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Response<Payload> {
        let started = Instant::now();
        let id = self.ids.next();
        let (head, body) = request.into_parts();
        let (extra, entered) = self.guard.enter(&head).await;
        let answered = match entered {
            Ok(()) => self.respond(&id, &head, body).await,
            Err(failure) => Err(failure),
        };
        let mut response = answered.unwrap_or_else(|failure| error::answer(&failure, &head.headers));
        response.headers_mut().extend(extra);
        let (method, path, status) = (&head.method, head.uri.path(), response.status().as_u16());
        debug!(id, %method, path, status, took = ?started.elapsed(), "request answered");
        if let Ok(id) = HeaderValue::try_from(id) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        response
    }

    async fn respond(&self, id: &str, head: &Parts, body: Incoming) -> Result<Response<Payload>, Failure> {
        let headers = &head.headers;
        match route::route(&head.method, head.uri.path()) {
            Route::Push(change, key) => push::push(self, change, key, id, headers, body).await,
            Route::Delete(key) => delete::delete(self, key, id).await,
            Route::Scrape => Ok(scrape::answer((self.exposition)().into_iter().collect(), headers).await),
            Route::Healthy | Route::Ready => Ok(admin::ok()),
            Route::Options(allow) => Ok(admin::options(allow)),
            Route::BadGroup(error) => Err(error.into()),
            Route::BadEscape => Err(Failure::BadEscape),
            Route::MethodNotAllowed(allow) => Err(Failure::MethodNotAllowed(allow)),
            Route::NotFound => Err(Failure::NotFound),
        }
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").field("bodies", &self.bodies).finish_non_exhaustive()
    }
}

/// Names that tell requests apart, also across restarts: a hashed count with a random key for each process.
#[derive(Debug, Default)]
struct RequestIds {
    key: RandomState,
    count: AtomicU64,
}

impl RequestIds {
    fn next(&self) -> String {
        format!("{:016x}", self.key.hash_one(self.count.fetch_add(1, Ordering::Relaxed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_ids_differ_within_and_across_processes() {
        let (one, other) = (RequestIds::default(), RequestIds::default());
        let ids = [one.next(), one.next(), other.next(), other.next()];
        assert!(ids.iter().all(|id| id.len() == 16));
        let distinct: std::collections::HashSet<_> = ids.iter().collect();
        assert_eq!(distinct.len(), 4);
    }
}
