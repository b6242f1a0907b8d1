//! The pages for people: the groups at `/`, the policies at `/plugins`, what they rejected at `/rejections`, how the
//! gateway runs at `/status`, and the files that all need.
//!
//! A page is rendered here as a whole and works without JavaScript; the script adds deleting and remembers what is
//! open. Whatever a page shows goes through a template, which escapes it. Links are relative to the page, so they
//! hold below any prefix and behind any proxy. Nothing is loaded from elsewhere, and [`POLICY`] keeps it so.
//!
//! Nobody can delete from a page of another site (`origin`), nor may one frame these.

mod asset;
mod family;
mod group;
mod groups;
mod moment;
mod native;
mod number;
mod paging;
mod path;
mod plugins;
mod query;
mod rejection;
mod rejections;
mod search;
mod status;
mod visible;

use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::SystemTime;

use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderValue, REFERRER_POLICY};
use http::{Response, StatusCode};
use tokio::sync::Semaphore;
use tokio::task;

use self::groups::GroupsPage;
pub(super) use self::groups::take_in_order;
use self::plugins::PluginsPage;
use self::query::Query;
use self::rejection::RejectionPage;
use self::rejections::RejectionsPage;
use self::status::StatusPage;
use super::payload::{self, Payload};
use crate::config::Config;
use crate::ingest::Ingest;
use crate::reload::Reloads;
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
    ingest: Arc<Ingest>,
    about: Arc<About>,
    turn: Arc<Semaphore>,
}

/// What the pages tell of the gateway and what stays the same while it runs.
#[derive(Debug)]
struct About {
    admin_api: bool,
    /// Where a scrape is answered, relative to a page.
    metrics_path: String,
    flags: Arc<[(&'static str, String)]>,
    reloads: Arc<Reloads>,
    version: &'static str,
    started: SystemTime,
}

impl Pages {
    /// Pages about `store` and what `ingest` has to do with it, in a gateway that was `started` with `config`, which as the original's flags is `flags`.
    pub(super) fn new(
        config: &Config,
        store: Arc<Store>,
        ingest: Arc<Ingest>,
        reloads: Arc<Reloads>,
        flags: Arc<[(&'static str, String)]>,
        started: SystemTime,
    ) -> Self {
        let about = About {
            admin_api: config.web.enable_admin_api,
            metrics_path: config.web.telemetry_path.trim_start_matches('/').to_owned(),
            flags,
            reloads,
            version: env!("CARGO_PKG_VERSION"),
            started,
        };
        Self { store, ingest, about: Arc::new(about), turn: Arc::new(Semaphore::new(MAX_CONCURRENT)) }
    }

    /// GET of `/`: the groups that the query asks for.
    pub(super) async fn groups(&self, query: Option<&str>) -> Response<Payload> {
        let query = Query::parse(query.unwrap_or_default());
        self.render(move |store, about| GroupsPage::of(store, about, &query, SystemTime::now()).html()).await
    }

    /// GET of `/status`: how the gateway runs.
    pub(super) async fn status(&self) -> Response<Payload> {
        let policies = self.ingest.policies();
        let page = move |store: &Store, about: &About| {
            StatusPage::of(store, about, policies.standings(), SystemTime::now()).html()
        };
        self.render(page).await
    }

    /// GET of `/plugins`: how the policies stand.
    pub(super) async fn plugins(&self) -> Response<Payload> {
        let policies = self.ingest.policies();
        self.render(move |_, about| PluginsPage::of(about, policies.standings(), SystemTime::now()).html())
            .await
    }

    /// GET of `/rejections`: the last pushes that policies spoke against.
    pub(super) async fn rejections(&self) -> Response<Payload> {
        let (kept, seen) = self.ingest.rejections().list();
        self.render(move |_, about| RejectionsPage::of(about, &kept, seen, SystemTime::now()).html()).await
    }

    /// GET of `/rejection?id=<id>`: one of them, if it is still kept.
    pub(super) async fn rejection(&self, query: Option<&str>) -> Option<Response<Payload>> {
        let id = query.unwrap_or_default().split('&').find_map(|pair| pair.strip_prefix("id="))?;
        let rejection = self.ingest.rejections().find(id)?;
        let page =
            move |_: &Store, about: &About| RejectionPage::of(about, &rejection, SystemTime::now()).html();
        Some(self.render(page).await)
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
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        response
    }
}

#[cfg(test)]
mod tests {
    //! Whole pages: what is shown, escaped and bounded.

    use std::path::Path;
    use std::time::{Duration, UNIX_EPOCH};

    use pushgate_exposition::edit::Change;
    use pushgate_exposition::{GroupingKey, Rules, text};
    use pushgate_plugin_host::{Finding, PastFault, Suspended};

    use super::*;
    use crate::config;
    use crate::ingest::{Consistency, Standing};
    use crate::journal::InMemory;
    use crate::policies::Loaded;
    use crate::rejections::{Decision, Edits, Excerpt, Judgement, Rejection, Rejections};
    use crate::reload::{Reload, Trigger};
    use crate::store::{Limits, Mode, OwnFamilies, Unknown};
    use crate::telemetry::{Metrics, PluginCounts};

    const NOON: u64 = 1_795_348_800;

    fn now() -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(NOON)
    }

    fn store() -> Store {
        let limits = Limits { groups: 1_000, series: 1_000_000 };
        Store::new(limits, OwnFamilies::default(), Box::new(InMemory))
    }

    fn key(labels: &[(&str, &str)]) -> GroupingKey {
        GroupingKey::new(labels.iter().copied()).unwrap()
    }

    /// A push, some seconds ago.
    fn push(store: &Store, labels: &[(&str, &str)], body: &str, ago: u64) {
        let push = text::parse(body.as_bytes(), &key(labels), &Rules::default()).unwrap();
        store.push(&push, Mode::Replace, (NOON - ago) as f64).unwrap();
    }

    fn fail(store: &Store, labels: &[(&str, &str)], reason: &str, ago: u64) {
        store.fail(key(labels), Unknown::Create, reason, (NOON - ago) as f64);
    }

    fn about() -> About {
        About {
            admin_api: true,
            metrics_path: "metrics".to_owned(),
            flags: Arc::new([
                ("persistence.file", String::new()),
                ("web.enable-admin-api", "true".to_owned()),
            ]),
            reloads: Arc::default(),
            version: "1.2.3",
            started: now() - Duration::from_secs(7_300),
        }
    }

    fn groups(store: &Store, query: &str) -> String {
        GroupsPage::of(store, &about(), &Query::parse(query), now()).html()
    }

    /// How many groups a page shows.
    fn shown(page: &str) -> usize {
        page.matches("<article").count()
    }

    /// Groups that do not stay: one that is stale, one that goes in a while, and one that should be gone.
    fn expiring() -> Store {
        let rules = "[store]\nttl = '1h'\nstale_after = '10m'\n[[store.jobs]]\njob = 'kept'\nttl = '0s'\n";
        let rules = Config::parse(rules, Path::new("c.toml")).unwrap();
        let store = store();
        store.retain(rules.store.retention, NOON as f64);
        for (job, ago) in [("fresh", 30), ("kept", 601), ("stale", 1_200), ("over", 3_601)] {
            push(&store, &[("job", job)], &format!("{job} 1\n"), ago);
        }
        store
    }

    const EVERY_KIND: &str = "\
# HELP runs_total Runs & retries, \"all\" of them.
# TYPE runs_total counter
runs_total{host=\"a\"} 3
runs_total{host=\"b\"} 4.5
# TYPE last_success_timestamp_seconds gauge
last_success_timestamp_seconds 1795345200
# HELP took_seconds How long.
# TYPE took_seconds histogram
took_seconds_bucket{le=\"0.5\"} 1
took_seconds_bucket{le=\"+Inf\"} 3
took_seconds_sum 7.25
took_seconds_count 3
# TYPE size_bytes summary
size_bytes{quantile=\"0.5\"} 1e+20
size_bytes_sum NaN
size_bytes_count 2
plain -1
";

    /// `page/golden/<name>.html`; `BLESS=1` rewrites it. Versions of files are left out, as any change of a style would
    /// change them.
    #[expect(clippy::disallowed_methods, reason = "BLESS is a switch of the tests, not of the program")]
    fn golden(name: &str, page: &str) {
        let page = page.replace(&asset::VERSION.to_string(), "VERSION");
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/http/page/golden/{name}.html"));
        if std::env::var("BLESS").is_ok() {
            std::fs::write(&file, &page).unwrap();
        }
        assert_eq!(page, std::fs::read_to_string(&file).unwrap(), "BLESS=1 rewrites {}", file.display());
    }

    #[test]
    fn pages_look_as_they_did() {
        let store = store();
        golden("empty", &groups(&store, ""));
        push(&store, &[("job", "backup"), ("instance", "db1"), ("path", "/a \"b\"")], EVERY_KIND, 90);
        fail(
            &store,
            &[("job", "backup"), ("instance", "db1"), ("path", "/a \"b\"")],
            "first line\nsecond <line>",
            30,
        );
        push(&store, &[("job", "a")], "x 1\n", 0);
        golden("groups", &groups(&store, ""));
        golden("expiring", &groups(&expiring(), ""));
        golden("nothing_found", &groups(&store, "q=no+such"));
        golden("status", &StatusPage::of(&store, &about(), [standing()].into_iter(), now()).html());
        let about = about();
        let reason = "config.toml:3: [log] level: 'loud' is not a level\nconfig.toml:7: <wrong>".to_owned();
        for outcome in [Ok(vec!["push.max_series".to_owned(), "log.level".to_owned()]), Err(reason)] {
            let name = if outcome.is_ok() { "status_reloaded" } else { "status_not_reloaded" };
            let at = now() - Duration::from_secs(70);
            about.reloads.remember(Reload { at, trigger: Trigger::Hangup, outcome });
            golden(name, &StatusPage::of(&store, &about, [standing()].into_iter(), now()).html());
        }
    }

    #[test]
    fn pages_of_policies_look_as_they_did() {
        let about = about();
        let plugins = |standings: Vec<Standing>| PluginsPage::of(&about, standings.into_iter(), now()).html();
        let ago = |seconds| now() - Duration::from_secs(seconds);
        let fault =
            PastFault { at: ago(5), job: "a<b>".into(), kind: "trap", message: "it <trapped>\n".into() };
        let suspended = Suspended {
            job: "a<b>".into(),
            since: ago(70),
            faults: 7,
            until: now() + Duration::from_secs(9),
        };
        let counts = PluginCounts {
            evaluations: vec![("accept", 1_234), ("mutate", 0), ("reject", 5)],
            faults: vec![("trap", 7)],
            skipped: vec![("scope", 0), ("memo", 3)],
            duration: Some([4.2e-6, 2.5e-3]),
            fuel: Some([6_000.0, 95_000.0]),
        };
        let failing = Standing {
            mode: "enforce",
            last_faults: vec![fault],
            suspended: vec![suspended.clone()],
            counts: Some(counts),
            ..standing()
        };
        let shadow =
            Standing { name: "next".into(), mode: "shadow", shadow_of: Some("naming".into()), ..standing() };
        golden(
            "plugins",
            &plugins(vec![failing, shadow, Standing { mode: "off", is_asked: false, ..standing() }]),
        );
        let many = plugins(vec![Standing { suspended: vec![suspended; 60], ..standing() }]);
        assert_eq!((many.matches("Next try").count(), many.matches("in 9 seconds").count()), (1, 50));
        assert!(many.contains("… and 10 more"));
        assert!(plugins(Vec::new()).contains("every push is taken as it is"));

        let rejection = Arc::new(rejection());
        let rejections = |kept: &[Arc<Rejection>]| RejectionsPage::of(&about, kept, 2_345, now()).html();
        golden("rejections", &rejections(&vec![rejection.clone(); 2]));
        assert!(rejections(&vec![rejection.clone(); 1_203]).contains("1,003 more"));
        assert!(rejections(&[]).contains("No push is kept"));
        golden("rejection", &RejectionPage::of(&about, &rejection, now()).html());
    }

    fn standing() -> Standing {
        Standing {
            name: "naming".into(),
            mode: "monitor",
            shadow_of: None,
            is_asked: true,
            fail: "closed",
            plugin: "naming".into(),
            version: "0.1.0".into(),
            digest: "sha256:00ff".into(),
            source: "plugins/naming.wasm".into(),
            suspended: Vec::new(),
            last_faults: Vec::new(),
            counts: None,
        }
    }

    /// Everything that may be in one, and all of it with what a page must not take for its own.
    fn rejection() -> Rejection {
        let finding = Finding {
            plugin: "naming".into(),
            code: "naming/<code>".into(),
            message: "rename <it>\u{202e}".into(),
            metric: Some("bad".into()),
            series: None,
            label: None,
        };
        let change =
            Change { edit: "set-label", name: "team".into(), to: None, value: Some("<a>".into()), series: 3 };
        let judgement = Judgement {
            plugin: "naming".into(),
            version: "0.1.0".into(),
            mode: "enforce",
            decision: Decision::Rejected,
            fault: None,
            findings: vec![finding],
            more_findings: 3,
            config: Some("{\"prefixes\":[\"</pre>\"]}".into()),
            group: "{job=\"<j>\"}".into(),
            excerpt: Excerpt { text: "# HELP bad </pre>\nbad 1\n".into(), series: 1, of: 9 },
            edits: vec![Edits { plugin: "relabel".into(), changes: vec![change], more: 2 }],
        };
        let fault = Judgement {
            plugin: "other".into(),
            mode: "monitor",
            decision: Decision::Fault,
            fault: Some("out of <fuel>".into()),
            ..Judgement::default()
        };
        Rejection {
            id: "9a44c0d25b1c3cfe".into(),
            at: now() - Duration::from_secs(90),
            method: "PUT",
            group: "{job=\"<j>\"}".into(),
            passed: false,
            judgements: vec![judgement, fault],
        }
    }

    #[test]
    fn searches_and_pages_show_their_groups() {
        let store = store();
        for number in 0..120 {
            let instance = format!("host-{number:03}");
            push(&store, &[("job", "batch"), ("instance", &instance)], "a 1\n", 1);
        }
        fail(&store, &[("job", "other")], "no", 1);
        for (query, expected, first) in [
            ("", 50, "host-000"),
            ("page=2", 50, "host-050"),
            ("page=3", 21, "host-100"),
            ("page=4", 21, "host-100"),
            ("page=0", 50, "host-000"),
            ("q=host-01", 10, "host-010"),
            ("q=HOST-01&page=2", 10, "host-010"),
            ("q=instance%3Dhost-007", 1, "host-007"),
            ("q=batch+99", 1, "host-099"),
            ("q=batch+other", 0, ""),
            ("q=%22%3E%3Cscript%3E", 0, ""),
            ("failed=1", 1, "other"),
            ("failed=1&q=batch", 0, ""),
        ] {
            let page = groups(&store, query);
            assert_eq!(shown(&page), expected, "{query}");
            let group = page.split("<article").nth(1).unwrap_or_default();
            assert!(group.split("</h2>").next().unwrap().contains(first), "{query}: {group}");
        }
        let middle = groups(&store, "q=batch&page=2");
        for link in ["?q=batch&#38;page=1", "?q=batch&#38;page=3"] {
            assert!(middle.contains(&format!("href=\"{link}\"")), "{link}");
        }
        assert!(groups(&store, "q=no+such").contains("No group matches"));
    }

    #[test]
    fn whatever_was_pushed_is_text() {
        let store = store();
        let hostile = "\"><script>alert(1)</script><img src=x onerror=alert(1)>'&";
        let body = "# HELP a </p><script>alert(1)</script>\na{x=\"\\\"><script>alert(1)</script>\"} 1\n";
        push(&store, &[("job", hostile), ("l", hostile), ("rtl", "\u{202e}evil")], body, 1);
        fail(&store, &[("job", hostile), ("l", hostile), ("rtl", "\u{202e}evil")], hostile, 1);
        let query = utf8_query(hostile);
        for page in [groups(&store, ""), groups(&store, &query), groups(&store, &format!("{query}zzz"))] {
            // The one script of the page is its own, from a file; the only image is its icon.
            assert_eq!(page.matches("<script").count(), 1, "{page}");
            assert_eq!(page.matches("<img").count(), 1);
            assert!(!page.contains('\u{202e}'));
            assert_eq!(page.matches(" style=").count() + page.matches(" onclick").count(), 0);
        }
    }

    fn utf8_query(search: &str) -> String {
        format!("q={}", percent_encoding::utf8_percent_encode(search, percent_encoding::NON_ALPHANUMERIC))
    }

    #[test]
    fn a_group_with_many_series_shows_the_first_ones() {
        let store = store();
        let line = |name: &str, number: usize| format!("{name}{{n=\"{number:06}\"}} 1\n");
        let body: String = (0..12_345).map(|number| line("a", number)).chain([line("b", 1)]).collect();
        push(&store, &[("job", "many")], &body, 1);
        let page = groups(&store, "");
        assert_eq!(page.matches("<tr><td>").count(), 100);
        assert!(page.contains("… and 12,246 more series") && page.contains("12,346 series"), "{page}");
        assert!(!page.contains("<bdi>b</bdi>"));
    }

    #[test]
    fn of_long_text_the_whole_series_are_shown() {
        let store = store();
        let histogram = |number: usize| {
            let buckets = (0..2_000).map(|le| format!("h_bucket{{n=\"{number}\",le=\"{le}\"}} 1\n"));
            let end = format!("h_sum{{n=\"{number}\"}} 1\nh_count{{n=\"{number}\"}} 1\n");
            buckets.chain([end]).collect::<String>()
        };
        let body: String =
            std::iter::once("# TYPE h histogram\n".to_owned()).chain((0..9).map(histogram)).collect();
        push(&store, &[("job", "long")], &body, 1);
        let page = groups(&store, "");
        // A series takes some 80 KB.
        assert_eq!(page.matches("count 1, sum 1").count(), 1);
        assert!(page.contains("… and 8 more series"));
        assert!(page.contains("… and 1951 more"), "{page}");
        assert!(page.len() < 30_000, "{}", page.len());
    }

    #[test]
    fn a_page_has_a_bound() {
        let store = store();
        let value = "<".repeat(4_000);
        let series = |number: usize| {
            format!(
                "a{{{}n=\"{number}\"}} 1\n",
                (0..20).map(|l| format!("l{l}=\"{value}\",")).collect::<String>()
            )
        };
        let body: String = (0..100).map(series).collect();
        for number in 0..60 {
            push(&store, &[("job", &format!("{number:02}{value}"))], &body, 1);
            fail(&store, &[("job", &format!("{number:02}{value}"))], &value, 1);
        }
        let page = groups(&store, "");
        assert_eq!(shown(&page), 50, "each has its head, its error and its button");
        assert!(page.len() < 4 << 20, "{}", page.len());
    }

    #[tokio::test]
    async fn pages_and_files_may_do_nothing_but_what_they_need() {
        let store = Arc::new(store());
        let ingest = Ingest::new(
            Loaded::default(),
            store.clone(),
            Arc::new(Metrics::new()),
            Arc::new(Rejections::new(&config::Rejections::default())),
            Rules::default(),
            Consistency::Checked,
            1,
        );
        let ingest = Arc::new(ingest);
        let pages = Pages::new(&Config::default(), store, ingest, Arc::default(), Arc::new([]), now());
        assert!(pages.rejection(Some("id=none")).await.is_none() && pages.rejection(None).await.is_none());
        for response in [
            pages.groups(Some("q=x")).await,
            pages.status().await,
            pages.plugins().await,
            pages.rejections().await,
        ] {
            assert_eq!(response.status(), 200);
            assert_eq!(response.headers()[http::header::CONTENT_TYPE], "text/html; charset=utf-8");
            assert_eq!(response.headers()[CONTENT_SECURITY_POLICY], POLICY);
            assert_eq!(response.headers()[CACHE_CONTROL], "no-cache");
        }
        assert!(pages.asset("style.css").is_some() && pages.asset("../page.rs").is_none());
    }
}
