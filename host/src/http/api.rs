//! The API that programs read: `/api/v1/*`, answered as the original Pushgateway does, to the order of the keys.

mod audit;
mod groups;
mod json;
mod native;
mod plugins;
mod rejections;
mod selected;
mod shadow;

use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue,
};
use http::{Response, StatusCode};
use pushgate_exposition::GroupingKey;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tracing::{error, info};

use self::json::{object, string};
pub(super) use self::selected::BadWish;
use self::selected::Wish;
use super::Http;
use super::caller::Peer;
use super::error::Failure;
use super::payload::{self, Payload};
use crate::audit::Audit;
use crate::ingest::{IngestError, Policies};
use crate::journal::{NotWritten, Receipt};
use crate::telemetry::rfc3339_nano;

/// Pages of other sites may read the API, and nobody keeps what it said.
const HEADERS: [(HeaderName, &str); 5] = [
    (ACCESS_CONTROL_ALLOW_HEADERS, "Accept, Authorization, Content-Type, Origin"),
    (ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, DELETE, OPTIONS"),
    (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    (ACCESS_CONTROL_EXPOSE_HEADERS, "Date"),
    (CACHE_CONTROL, "no-cache, no-store, must-revalidate"),
];

/// Answers with all groups that are made at the same time: each takes a core, and memory for all that is stored.
static LISTING: Semaphore = Semaphore::const_new(2);

/// One audit at a time: each takes a core.
static AUDITING: Semaphore = Semaphore::const_new(1);

/// Version, flags and start.
pub(super) fn status(http: &Http) -> Response<Payload> {
    let version = env!("CARGO_PKG_VERSION");
    let build = [
        ("branch", ""),
        ("buildDate", ""),
        ("buildUser", ""),
        ("goVersion", ""),
        ("revision", ""),
        ("version", version),
    ];
    let mut body = String::from(r#"{"status":"success","data":{"build_information":"#);
    object(&mut body, build, string);
    body.push_str(r#","flags":"#);
    let mut flags: Vec<_> = http.flags.iter().map(|(name, value)| (*name, value)).collect();
    flags.sort_unstable();
    object(&mut body, flags, |out, value| string(out, value));
    body.push_str(r#","start_time":"#);
    string(&mut body, &rfc3339_nano(http.started_at));
    body.push_str("}}");
    json(Payload::from(Bytes::from(body)))
}

/// How many bytes a byte of text becomes in JSON, more or less.
const JSON: usize = 2;

/// All groups with their families, on the blocking pool: there may be a hundred megabytes of it.
pub(super) async fn metrics(http: &Http, peer: &Peer) -> Result<Response<Payload>, Failure> {
    let size = JSON.saturating_mul(http.store.snapshot().text_len());
    let room = http.answers.begin(size, peer.seat.presence()).await.ok_or(Failure::TooManyScrapes)?;
    let _permit = LISTING.acquire().await;
    let store = http.store.clone();
    let listed = tokio::task::spawn_blocking(move || groups::list(&store)).await;
    listed.map(|groups| json(room.with(groups))).map_err(|panic| {
        error!(%panic, "the groups could not be listed");
        Failure::Internal
    })
}

/// The configured policies.
pub(super) fn plugins(http: &Http) -> Response<Payload> {
    success(&plugins::list(&http.ingest.policies()))
}

/// One of them: `<name>`; `<name>/diff`, what a candidate would have done differently; `<name>/audit`, what it would say
/// to everything that is stored.
pub(super) async fn plugin(http: &Http, path: &[u8]) -> Result<Response<Payload>, Failure> {
    let path = std::str::from_utf8(path).map_err(|_| Failure::NoPlugin)?;
    let policies = http.ingest.policies();
    match path.split_once('/') {
        None => {
            let member = policies.roster.find(path).ok_or(Failure::NoPlugin)?;
            Ok(success(&plugins::whole(&policies, member)))
        }
        Some((name, "diff")) => {
            let report = http.metrics.shadow(name).ok_or(Failure::NoPlugin)?;
            Ok(success(&shadow::data(name, &report)))
        }
        Some((name, "audit")) => audit(http, policies, name).await,
        Some(_) => Err(Failure::NotFound),
    }
}

/// Asks a policy about everything that is stored, on the blocking pool, where it does not hold pushes up.
async fn audit(http: &Http, policies: Arc<Policies>, name: &str) -> Result<Response<Payload>, Failure> {
    if !http.admin_api {
        return Err(Failure::NoAudit);
    }
    if policies.roster.find(name).is_none() {
        return Err(Failure::NoPlugin);
    }
    let permit = AUDITING.try_acquire().map_err(|_| Failure::Auditing)?;
    // Dropped with this request: nobody waits any more then for what the audit finds.
    let asked = Arc::new(());
    let is_waited_for = Arc::downgrade(&asked);
    let (store, rejections, name) = (http.store.clone(), http.rejections.clone(), name.to_owned());
    let work = move || {
        let _permit = permit;
        let member = policies.roster.find(&name)?;
        info!(plugin = name, "audit begins");
        let audit = Audit::of(member, &store, &rejections, || is_waited_for.strong_count() > 0);
        Some(success(&audit::data(&policies.standing(member), &audit)))
    };
    let answer = tokio::task::spawn_blocking(work).await;
    drop(asked);
    match answer {
        Ok(answer) => answer.ok_or(Failure::NoPlugin),
        Err(panic) => {
            error!(%panic, "the audit of a plugin failed");
            Err(Failure::Internal)
        }
    }
}

/// The last pushes that policies spoke against.
pub(super) fn rejections(http: &Http) -> Response<Payload> {
    let (kept, seen) = http.rejections.list();
    success(&rejections::list(&kept, seen))
}

/// One of them, by its id.
pub(super) fn rejection(http: &Http, id: &[u8]) -> Result<Response<Payload>, Failure> {
    let kept = std::str::from_utf8(id).ok().and_then(|id| http.rejections.find(id));
    Ok(success(&rejections::whole(&*kept.ok_or(Failure::NoRejection)?)))
}

/// May a page of another site ask? Whatever the path; but remove groups it may not.
pub(super) fn options(path: &[u8]) -> Response<Payload> {
    let mut response = with_headers(payload::empty(StatusCode::OK));
    if path.to_ascii_lowercase().starts_with(b"groups") {
        let methods = HeaderValue::from_static("GET, OPTIONS");
        response.headers_mut().insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
    }
    response
}

/// The groups that selectors name, or all; on the blocking pool, as each is looked at.
pub(super) async fn groups(http: &Http, query: Option<&str>) -> Result<Response<Payload>, Failure> {
    let query = query.map(str::to_owned);
    let store = http.store.clone();
    let list = move || {
        let wish = Wish::parse(query.as_deref())?;
        Ok(success(&selected::list(&store, &wish, SystemTime::now())))
    };
    of_groups(list).await
}

/// Removes the groups that selectors name, or tells which they are.
pub(super) async fn delete_groups(
    http: &Http,
    query: Option<&str>,
    id: &str,
) -> Result<Response<Payload>, Failure> {
    if !http.admin_api {
        return Err(Failure::NoDelete);
    }
    if let Some(reason) = http.store.trouble() {
        return Err(not_written(NotWritten(reason)));
    }
    let query = query.map(str::to_owned);
    let (store, id) = (http.store.clone(), id.to_owned());
    let delete = move || {
        let wish = Wish::to_delete(query.as_deref())?;
        let selects = |key: &GroupingKey| wish.selects(key);
        if wish.is_dry_run {
            let mut keys: Vec<_> = store.groups().into_iter().map(|group| group.key).collect();
            keys.retain(|key| selects(key));
            keys.sort_unstable_by(|one, other| one.labels().cmp(other.labels()));
            return Ok((success(&selected::removed(&keys, true)), Receipt::default()));
        }
        let (keys, receipt) = store.delete_selected(selects);
        info!(id, groups = keys.len(), selectors = wish.shown(), "groups deleted");
        Ok((success(&selected::removed(&keys, false)), receipt))
    };
    let (response, receipt) = of_groups(delete).await?;
    receipt.written().await.map_err(not_written)?;
    Ok(response)
}

/// Looks at all groups, off the executor.
async fn of_groups<T: Send + 'static>(
    look: impl FnOnce() -> Result<T, BadWish> + Send + 'static,
) -> Result<T, Failure> {
    let _permit = LISTING.acquire().await;
    let looked = tokio::task::spawn_blocking(look).await;
    let looked = looked.map_err(|panic| {
        error!(%panic, "the groups could not be looked at");
        Failure::Internal
    })?;
    looked.map_err(Failure::Selection)
}

fn not_written(reason: NotWritten) -> Failure {
    Failure::NotTaken { error: IngestError::NotWritten(reason), more_at: None }
}

/// Removes all groups. There is a route to it only where that is switched on.
pub(super) async fn wipe(http: &Http) -> Result<Response<Payload>, Failure> {
    let store = http.store.clone();
    // Freeing all that was stored takes its time.
    let wiped = tokio::task::spawn_blocking(move || store.wipe()).await;
    let receipt = wiped.map_err(|panic| {
        error!(%panic, "the store could not be wiped");
        Failure::Internal
    })?;
    receipt.written().await.map_err(not_written)?;
    Ok(with_headers(payload::empty(StatusCode::ACCEPTED)))
}

fn success(data: &Value) -> Response<Payload> {
    json(Payload::from(Bytes::from(json!({ "status": "success", "data": data }).to_string())))
}

fn json(body: Payload) -> Response<Payload> {
    let mut response = payload::empty(StatusCode::OK);
    *response.body_mut() = body;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    with_headers(response)
}

fn with_headers(mut response: Response<Payload>) -> Response<Payload> {
    let headers = HEADERS.map(|(name, value)| (name, HeaderValue::from_static(value)));
    response.headers_mut().extend(headers);
    response
}
