//! The pages for people: the groups at `/`, how the gateway runs at `/status`, and the files that both need.
//!
//! A page is rendered here as a whole and works without JavaScript; the script adds deleting and remembers what is
//! open. Whatever a page shows goes through a template, which escapes it. Links are relative to the page, so they
//! hold below any prefix and behind any proxy. Nothing is loaded from elsewhere, and [`POLICY`] keeps it so.
//!
//! Nobody can delete from a page of another site: a browser asks first whether DELETE or PUT may come from there, and
//! the gateway allows neither on a group nor, in the API, PUT, which is how everything is deleted. Nor may a page of
//! another site frame this one.

mod asset;
mod family;
mod group;
mod groups;
mod moment;
mod native;
mod number;
mod paging;
mod path;
mod query;
mod search;
mod status;
mod visible;

use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::SystemTime;

use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use http::{Response, StatusCode};
use tokio::sync::Semaphore;
use tokio::task;

use self::groups::GroupsPage;
use self::query::Query;
use self::status::StatusPage;
use super::payload::{self, Payload};
use crate::config::{Config, Policy};
use crate::store::Store;

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");

/// What a page may do: use the gateway's own files and requests, and nothing else.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
     form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
);

/// Pages rendered at the same time. Each holds a copy of the list of groups, and pushes need the cores, too; further
/// ones wait, which a person does not notice.
const MAX_CONCURRENT: usize = 2;

/// Renders the pages. Made once, shared by all connections.
#[derive(Clone)]
pub(super) struct Pages {
    store: Arc<Store>,
    about: Arc<About>,
    turn: Arc<Semaphore>,
}

/// What the pages tell of the gateway and what stays the same while it runs.
#[derive(Debug)]
struct About {
    admin_api: bool,
    /// Where a scrape is answered, relative to a page.
    metrics_path: String,
    policies: Vec<Policy>,
    flags: Arc<[(&'static str, String)]>,
    version: &'static str,
    started: SystemTime,
}

impl Pages {
    /// Pages about `store`, in a gateway that was `started` with `config`, which as the original's flags is `flags`.
    pub(super) fn new(
        config: &Config,
        store: Arc<Store>,
        flags: Arc<[(&'static str, String)]>,
        started: SystemTime,
    ) -> Self {
        let about = About {
            admin_api: config.web.enable_admin_api,
            metrics_path: config.web.telemetry_path.trim_start_matches('/').to_owned(),
            policies: config.chain.clone(),
            flags,
            version: env!("CARGO_PKG_VERSION"),
            started,
        };
        Self { store, about: Arc::new(about), turn: Arc::new(Semaphore::new(MAX_CONCURRENT)) }
    }

    /// GET of `/`: the groups that the query asks for.
    pub(super) async fn groups(&self, query: Option<&str>) -> Response<Payload> {
        let query = Query::parse(query.unwrap_or_default());
        self.render(move |store, about| GroupsPage::of(store, about, &query, SystemTime::now()).html()).await
    }

    /// GET of `/status`: how the gateway runs.
    pub(super) async fn status(&self) -> Response<Payload> {
        self.render(|store, about| StatusPage::of(store, about, SystemTime::now()).html()).await
    }

    /// GET below `/static/`: a file that the pages need. `path` is what follows, decoded.
    pub(super) fn asset(&self, path: &str) -> Option<Response<Payload>> {
        asset::find(path).map(asset::Asset::answer)
    }

    /// Renders off the executor: with many groups it takes some tens of milliseconds.
    async fn render(
        &self,
        page: impl FnOnce(&Store, &About) -> String + Send + 'static,
    ) -> Response<Payload> {
        let (store, about) = (self.store.clone(), self.about.clone());
        // The semaphore is never closed; should it be, the page does without its turn.
        let turn = self.turn.clone().acquire_owned().await;
        let work = move || {
            let _turn = turn;
            page(&store, &about)
        };
        let html = match task::spawn_blocking(work).await.map_err(task::JoinError::try_into_panic) {
            Ok(html) => html,
            Err(Ok(panic)) => resume_unwind(panic),
            // The runtime ends, and with it the connection.
            Err(Err(_)) => String::new(),
        };
        let mut response = payload::whole(StatusCode::OK, HTML, html);
        let headers = response.headers_mut();
        headers.insert(CONTENT_SECURITY_POLICY, POLICY);
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        response
    }
}

#[cfg(test)]
mod tests;
