//! The HTTP side: connections in, requests to ingest and the store, answers out.
//!
//! `server` accepts, on the thread of `front`, `lanes` has a place for whoever comes, `connection` speaks TLS and HTTP,
//! `guard` lets in whom the web configuration allows, `rights` whom `[[rights]]` allow, `origin` no page of another site, and
//! `caller` knows who that is.
//! `route` decides what a request asks for, one module an endpoint answers it. Only `body` reads a
//! request's body, and only `error` turns a failure into a status. Nothing here knows how a push is
//! parsed or judged.

mod accept;
mod admin;
mod answers;
mod api;
mod bearer;
mod body;
mod caller;
mod connection;
mod delete;
mod error;
mod findings;
mod front;
mod grouping_path;
mod guard;
mod http2;
mod in_flight;
mod lanes;
mod listen;
mod media_type;
mod negotiate;
mod origin;
mod page;
mod payload;
mod place;
mod push;
mod rights;
mod route;
mod scrape;
mod server;
mod stream;
mod tls;
mod wish;

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime};

use http::header::X_CONTENT_TYPE_OPTIONS;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use parking_lot::RwLock;
use pushgate_exposition::{GroupingKey, Names};
use pushgate_web_config::Live;
use tokio::sync::Notify;
use tracing::debug;

use self::answers::Answers;
use self::body::BodyReader;
use self::caller::Caller;
pub use self::caller::Peer;
use self::error::Failure;
pub use self::error::told;
use self::grouping_path::KeyLimits;
pub use self::grouping_path::path_of;
use self::guard::{Door, Guard};
pub use self::listen::{InheritError, ListenError, inherit, listen};
use self::origin::Origins;
use self::page::Pages;
pub use self::payload::Payload;
use self::rights::Known;
use self::route::{Endpoint, Route, Routes};
pub use self::server::serve;
use crate::config::{Config, Rights};
use crate::exposition::GzipCache;
use crate::ingest::{Ingest, IngestError};
use crate::rejections::Rejections;
use crate::reload::Reloads;
use crate::store::Store;
use crate::telemetry::Metrics;

/// Names a request in the answer and in the log.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Comes with a PUT of a group that was stored elsewhere, and has its times: `push=1.5e9, failure=0`. Only where the
/// admin API is on.
pub const RESTORE: HeaderName = HeaderName::from_static("x-pushgate-restore");

/// Answers requests. The gateway makes one, which lives as long as the gateway and is shared by all connections.
pub struct Http {
    guard: Guard,
    rights: RwLock<Arc<Rights>>,
    origins: Origins,
    routes: Routes,
    names: Names,
    ingest: Arc<Ingest>,
    store: Arc<Store>,
    metrics: Arc<Metrics>,
    keys: KeyLimits,
    bodies: BodyReader,
    answers: Answers,
    openmetrics_bodies: media_type::OpenMetrics,
    openmetrics_scrapes: negotiate::OpenMetrics,
    /// What is answered to a push that was taken.
    accepted: StatusCode,
    /// Whether the gateway may be ended and reloaded over HTTP.
    lifecycle: bool,
    /// Whether groups may come with their times.
    admin_api: bool,
    quit: Notify,
    reloads: Arc<Reloads>,
    rejections: Arc<Rejections>,
    /// What the path of every route begins with.
    prefix: String,
    /// The settings that the original knows, by its names for them.
    flags: Arc<[(&'static str, String)]>,
    started_at: SystemTime,
    pages: Pages,
    ids: RequestIds,
    /// What is kept of the last scrape.
    gzip: Arc<GzipCache>,
}

impl Http {
    /// Answers with what `ingest` makes of pushes, and with what `store` and `metrics` have to show. `live` says who may
    /// ask; `reloads` is where reloads are asked for.
    pub fn new(
        config: &Config,
        live: Option<Arc<Live>>,
        ingest: Arc<Ingest>,
        store: Arc<Store>,
        metrics: Arc<Metrics>,
        reloads: Arc<Reloads>,
        flags: Arc<[(&'static str, String)]>,
    ) -> Self {
        let (push, scrape) = (&config.push, &config.scrape);
        let started_at = SystemTime::now();
        Self {
            guard: Guard::new(live),
            rights: RwLock::new(Arc::new(config.rights.clone())),
            origins: Origins::new(config.web.external_host()),
            routes: Routes::new(&config.web),
            names: if push.utf8_names { Names::Utf8 } else { Names::Classic },
            rejections: ingest.rejections().clone(),
            keys: KeyLimits {
                labels: push.max_labels,
                name_length: push.max_name_length,
                value_length: push.max_label_value_length,
            },
            answers: Answers::new(scrape.max_in_flight, metrics.limits().clone()),
            bodies: BodyReader::new(config, ingest.turns().clone(), metrics.limits().clone()),
            metrics,
            openmetrics_bodies: if push.openmetrics {
                media_type::OpenMetrics::Read
            } else {
                media_type::OpenMetrics::Ignored
            },
            openmetrics_scrapes: if scrape.openmetrics {
                negotiate::OpenMetrics::Offered
            } else {
                negotiate::OpenMetrics::Withheld
            },
            // The original does not know yet what becomes of a push that it does not check.
            accepted: if push.disable_consistency_check { StatusCode::ACCEPTED } else { StatusCode::OK },
            lifecycle: config.web.enable_lifecycle,
            admin_api: config.web.enable_admin_api,
            quit: Notify::new(),
            pages: Pages::new(
                config,
                store.clone(),
                ingest.clone(),
                reloads.clone(),
                flags.clone(),
                started_at,
            ),
            ingest,
            reloads,
            prefix: config.web.prefix(),
            store,
            flags,
            started_at,
            ids: RequestIds::default(),
            gzip: Arc::default(),
        }
    }

    /// Completes when a request asked for the end of the gateway.
    pub async fn asked_to_quit(&self) {
        self.quit.notified().await;
    }

    /// Answers one request, whatever becomes of it.
    pub async fn answer(self: Arc<Self>, request: Request<Incoming>, peer: Arc<Peer>) -> Response<Payload> {
        let started = Instant::now();
        let id = self.ids.next();
        let (head, body) = request.into_parts();
        let (extra, admitted) = self.guard.admit(&peer).await;
        let mut response = match admitted {
            Ok(door) => self.respond(&id, (&door, &peer), &head, body, started).await,
            Err(failure) => {
                body::linger(&head.headers, body);
                self.refuse(&failure, &head)
            }
        };
        response.headers_mut().extend(extra);
        // Much of what is answered was pushed by somebody.
        response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        let (method, path, status) = (&head.method, head.uri.path(), response.status().as_u16());
        debug!(id, %method, path, status, took = ?started.elapsed(), "request answered");
        if let Ok(id) = HeaderValue::try_from(id) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        response
    }

    async fn respond(
        &self,
        id: &str,
        (door, peer): (&Door, &Peer),
        head: &Parts,
        body: Incoming,
        started: Instant,
    ) -> Response<Payload> {
        let refused = |failure: &Failure| self.refuse(failure, head);
        let rights = self.rights();
        // Without rights, whoever may not enter is not even told which paths there are.
        let entered = if rights.is_empty() {
            match self.guard.log_in(door, &head.headers).await {
                Ok(user) => Some(Known::by_password(user)),
                Err(failure) => {
                    body::linger(&head.headers, body);
                    return refused(&failure);
                }
            }
        } else {
            None
        };
        let (sent, query) = (head.uri.path(), head.uri.query());
        let Some(path) = route::decode(sent) else { return refused(&Failure::BadEscape) };
        let (endpoint, argument) = match self.routes.find(&head.method, sent, query, &path) {
            Route::To(endpoint, argument) => (endpoint, argument),
            Route::Options(allow) => return admin::options(&allow),
            Route::Redirect(redirect) => return admin::redirect(&redirect),
            Route::MethodNotAllowed(allow) => {
                body::linger(&head.headers, body);
                return refused(&Failure::MethodNotAllowed(allow));
            }
            Route::NotFound => {
                body::linger(&head.headers, body);
                return refused(&Failure::NotFound);
            }
        };
        let size = push::size(head, &body);
        let entered = match entered {
            _ if self.origins.is_foreign(head) => Err(Failure::OtherSite),
            Some(known) => Ok(known),
            None => self.let_in(&rights, door, peer, (endpoint, argument), head).await,
        };
        let answered = match entered {
            Ok(known) => {
                self.ask(endpoint, argument, id, known.caller(peer, &head.headers), head, body).await
            }
            Err(failure) => {
                body::linger(&head.headers, body);
                Err(failure)
            }
        };
        let response = answered.unwrap_or_else(|failure| refused(&failure));
        if let Some(handler) = handler(endpoint) {
            let method = method_label(&head.method);
            self.metrics.request(response.status().as_u16(), handler, method);
            if let Endpoint::Push(_) = endpoint {
                self.metrics.push_request(method, size, started.elapsed());
            }
        }
        response
    }

    async fn ask(
        &self,
        endpoint: Endpoint,
        argument: &[u8],
        id: &str,
        caller: Caller<'_>,
        head: &Parts,
        body: Incoming,
    ) -> Result<Response<Payload>, Failure> {
        if let Endpoint::Push(_) | Endpoint::Delete = endpoint
            && !caller.peer.seat.may_push().await
        {
            body::linger(&head.headers, body);
            return Err(Failure::TooManyConnections);
        }
        match endpoint {
            Endpoint::Push(change) => push::push(self, change, argument, id, caller, head, body).await,
            Endpoint::Delete => delete::delete(self, argument, id, caller).await,
            Endpoint::Scrape => scrape::scrape(self, &head.headers, caller.peer).await,
            Endpoint::Healthy | Endpoint::Ready => Ok(admin::ok()),
            Endpoint::Page => Ok(self.pages.groups(head.uri.query()).await),
            Endpoint::Status => Ok(self.pages.status().await),
            Endpoint::Plugins => Ok(self.pages.plugins().await),
            Endpoint::Rejections => Ok(self.pages.rejections().await),
            Endpoint::Rejection => self.pages.rejection(head.uri.query()).await.ok_or(Failure::NoRejection),
            Endpoint::Static => {
                let file = std::str::from_utf8(argument).ok().and_then(|path| self.pages.asset(path));
                file.ok_or(Failure::NotFound)
            }
            Endpoint::Quit => admin::quit(self),
            Endpoint::QuitByGet => Err(Failure::QuitByGet),
            Endpoint::Reload => admin::reload(self).await,
            Endpoint::ApiStatus => Ok(api::status(self)),
            Endpoint::ApiMetrics => api::metrics(self, caller.peer).await,
            Endpoint::ApiPlugins => Ok(api::plugins(self)),
            Endpoint::ApiPlugin => api::plugin(self, argument).await,
            Endpoint::ApiRejections => Ok(api::rejections(self)),
            Endpoint::ApiRejection => api::rejection(self, argument),
            Endpoint::ApiGroups => api::groups(self, head.uri.query()).await,
            Endpoint::DeleteGroups => api::delete_groups(self, head.uri.query(), id).await,
            Endpoint::ApiOptions => Ok(api::options(argument)),
            Endpoint::Wipe => api::wipe(self).await,
        }
    }

    /// The answer to a request that failed, which is counted if that was for a limit.
    fn refuse(&self, failure: &Failure, head: &Parts) -> Response<Payload> {
        if let Some(limit) = error::limit(failure) {
            self.metrics.limits().hit(limit);
        }
        error::answer(failure, &head.headers)
    }

    /// A push was not taken. If a policy had to do with it, the answer says where to find out why.
    fn not_taken(&self, error: IngestError, id: &str) -> Failure {
        let is_kept =
            matches!(error, IngestError::Rejected(_) | IngestError::Fault { .. }) && self.rejections.is_on();
        let more_at = is_kept.then(|| format!("{}/api/v1/rejections/{id}", self.prefix));
        Failure::NotTaken { error, more_at }
    }

    /// The group that a path names, from behind `/metrics/`.
    fn grouping_key(&self, path: &[u8]) -> Result<GroupingKey, Failure> {
        let key = grouping_path::grouping_key(path, self.names).ok_or(Failure::NotFound)?;
        Ok(key?)
    }
}

/// The label of an endpoint in `pushgateway_http_requests_total`; requests to the others are not counted.
fn handler(endpoint: Endpoint) -> Option<&'static str> {
    match endpoint {
        Endpoint::Push(_) => Some("push"),
        Endpoint::Delete => Some("delete"),
        Endpoint::Healthy => Some("healthy"),
        Endpoint::Ready => Some("ready"),
        Endpoint::Page
        | Endpoint::Status
        | Endpoint::Plugins
        | Endpoint::Rejections
        | Endpoint::Rejection => Some("status"),
        Endpoint::Static => Some("static"),
        Endpoint::ApiStatus => Some("api/v1/status"),
        Endpoint::ApiMetrics => Some("api/v1/metrics"),
        Endpoint::ApiPlugins | Endpoint::ApiPlugin => Some("api/v1/plugins"),
        Endpoint::ApiRejections | Endpoint::ApiRejection => Some("api/v1/rejections"),
        Endpoint::ApiGroups | Endpoint::DeleteGroups => Some("api/v1/groups"),
        Endpoint::ApiOptions => Some("api/v1/options"),
        Endpoint::Wipe => Some("wipe"),
        Endpoint::Scrape | Endpoint::Quit | Endpoint::QuitByGet | Endpoint::Reload => None,
    }
}

/// The label of a method that some endpoint has.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "get",
        Method::HEAD => "head",
        Method::PUT => "put",
        Method::POST => "post",
        Method::DELETE => "delete",
        Method::OPTIONS => "options",
        _ => "other",
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
        let number = self.key.hash_one(self.count.fetch_add(1, Ordering::Relaxed));
        let digit = |at| char::from_digit((number >> (60 - 4 * at)) as u32 & 0xf, 16).unwrap_or_default();
        (0..16).map(digit).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_ids_differ_within_and_across_processes() {
        let (one, other) = (RequestIds::default(), RequestIds::default());
        let ids = [one.next(), one.next(), other.next(), other.next()];
        assert!(ids.iter().all(|id| id.len() == 16 && u64::from_str_radix(id, 16).is_ok()));
        let distinct: std::collections::HashSet<_> = ids.iter().collect();
        assert_eq!(distinct.len(), 4);
    }
}
