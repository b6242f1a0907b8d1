//! The only place that turns what went wrong into a status and a body.
//!
//! A 4xx says what the client has to mend. A 5xx says nothing of the gateway's inside; the log does, once,
//! where it happened. Only whoever may reload the gateway is told what is wrong with its configuration.

mod refusal;

use http::{HeaderMap, Response};

use self::refusal::{ingest, refusal};
use super::accept::prefers_json;
use super::api::BadWish;
use super::body::BodyError;
use super::findings;
use super::grouping_path::{KeyTooLarge, PathError};
use super::payload::Payload;
use super::rights::{Unknown, Ways};
use super::route::Allow;
use super::wish::WishError;
use crate::config::Right;
use crate::ingest::{Accepted, IngestError};
use crate::telemetry::Limit;

/// Everything that a request can fail with.
#[derive(Debug)]
pub(super) enum Failure {
    NotFound,
    MethodNotAllowed(Allow),
    BadEscape,
    Unauthorized,
    /// There are rights, and it is not known whose to look for.
    Unidentified {
        ways: Ways,
        why: Unknown,
    },
    /// It is known who asks, and they may not.
    Forbidden {
        who: String,
        right: Right,
        job: Option<String>,
    },
    /// A page of another site asks for a change.
    OtherSite,
    RateLimited,
    TooManyLogins,
    /// All connections that may push are busy, and this one is in reserve.
    TooManyConnections,
    /// Too much is being sent to scrapers already.
    TooManyScrapes,
    PlainHttp,
    /// The web configuration cannot be read, and nobody may enter.
    NoWebConfig,
    /// The gateway is not to be ended over HTTP.
    NoLifecycle,
    /// Groups may not come with their times.
    NoImport,
    /// Their times are none, or the method is not PUT.
    BadRestore,
    /// A wish how long a group is to be kept is none.
    Wish(WishError),
    /// It is not ended by GET, either.
    QuitByGet,
    /// The configuration cannot be used, for these reasons, and the one before stays.
    NotReloaded(String),
    /// There is no configuration to read again.
    NoReloads,
    Group(PathError),
    /// Its labels are more than are taken, or longer.
    KeyTooLarge(KeyTooLarge),
    Body(BodyError),
    /// A push was not taken, and there may be a path at which to read more of why.
    NotTaken {
        error: IngestError,
        more_at: Option<String>,
    },
    /// There is no policy of that name, or no candidate.
    NoPlugin,
    /// A policy may not be asked about everything that is stored.
    NoAudit,
    /// Groups may not be removed by selectors.
    NoDelete,
    /// What groups are meant cannot be told.
    Selection(BadWish),
    /// One is asked already.
    Auditing,
    /// What was kept of a push is kept no more, or was not kept.
    NoRejection,
    /// What was stored unchecked cannot be shown, for this reason.
    Unsound(String),
    /// Not for anything that the client did.
    Internal,
}

impl From<PathError> for Failure {
    fn from(error: PathError) -> Self {
        Self::Group(error)
    }
}

impl From<WishError> for Failure {
    fn from(error: WishError) -> Self {
        Self::Wish(error)
    }
}

impl From<KeyTooLarge> for Failure {
    fn from(error: KeyTooLarge) -> Self {
        Self::KeyTooLarge(error)
    }
}

impl From<BodyError> for Failure {
    fn from(error: BodyError) -> Self {
        Self::Body(error)
    }
}

/// The answer to a request that failed: `application/problem+json` (RFC 9457) for who prefers JSON, text
/// otherwise.
pub(super) fn answer(failure: &Failure, headers: &HeaderMap) -> Response<Payload> {
    let refusal = refusal(failure);
    let mut response = if prefers_json(headers) { refusal.as_json() } else { refusal.as_text() };
    for (name, value) in refusal.headers {
        response.headers_mut().append(name, value);
    }
    response
}

/// The text of an answer to a push, for whoever asks without HTTP.
pub fn told(taken: &Result<Accepted, IngestError>) -> String {
    match taken {
        Ok(accepted) => findings::lines(&accepted.findings),
        Err(error) => ingest(error).text(),
    }
}

/// The limit of the configuration that a failure is for, if it is for one.
pub(super) fn limit(failure: &Failure) -> Option<Limit> {
    match failure {
        Failure::TooManyConnections => Some(Limit::Connections),
        Failure::TooManyScrapes => Some(Limit::Scrapes),
        Failure::KeyTooLarge(error) => Limit::of(error.key),
        Failure::Body(error) => match error {
            BodyError::TooLarge { .. } => Some(Limit::Body),
            BodyError::DecompressedTooLarge { .. } => Some(Limit::Decompressed),
            BodyError::Late { .. } => Some(Limit::BodyTime),
            BodyError::NoRoom => Some(Limit::InFlight),
            BodyError::Busy(_) => Some(Limit::Concurrent),
            BodyError::Corrupt { .. } | BodyError::Broken => None,
        },
        Failure::NotTaken { error, .. } => match error {
            IngestError::TooLarge { key, .. } | IngestError::Full { key, .. } => Limit::of(key),
            IngestError::Busy(_) => Some(Limit::Concurrent),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER};
    use pushgate_exposition::GroupingKey;
    use pushgate_exposition::{Limits, Rules, text};
    use serde_json::{Value, json};

    use super::*;
    use crate::config::ByteSize;
    use crate::http::grouping_path::KeyLimits;
    use crate::ingest::{Busy, PolicyFinding, Unreadable};
    use crate::journal::NotWritten;

    fn parse_error(body: &str, rules: &Rules) -> text::ParseError {
        let key = GroupingKey::new([("job", "j")]).unwrap();
        text::parse(body.as_bytes(), &key, rules).unwrap_err()
    }

    impl From<IngestError> for Failure {
        fn from(error: IngestError) -> Self {
            Self::NotTaken { error, more_at: None }
        }
    }

    fn long_key() -> KeyTooLarge {
        let limits = KeyLimits { labels: 1, name_length: 2, value_length: 3 };
        limits.check(&GroupingKey::new([("job", "j")]).unwrap()).unwrap_err()
    }

    fn unknown(why: Unknown, [tokens, users]: [bool; 2]) -> Failure {
        Failure::Unidentified { ways: Ways { tokens, users }, why }
    }

    fn forbidden(who: &str, right: Right, job: Option<&str>) -> Failure {
        Failure::Forbidden { who: who.to_owned(), right, job: job.map(str::to_owned) }
    }

    fn rejected() -> Failure {
        let finding = PolicyFinding {
            plugin: "naming".to_owned(),
            code: "naming/counter-suffix".to_owned(),
            metric: Some("requests".to_owned()),
            series: None,
            label: None,
            message: "a counter ends in _total; rename it to requests_total".to_owned(),
        };
        IngestError::Rejected(vec![finding]).into()
    }

    fn text(response: Response<Payload>) -> String {
        response.into_body().into_chunks().map(|chunk| String::from_utf8(chunk.to_vec()).unwrap()).collect()
    }

    #[test]
    fn every_failure_has_a_status_and_a_line() {
        let one_series = Rules { limits: Limits { series: 1, ..Limits::default() }, ..Rules::default() };
        for (failure, status, body, header) in [
            (Failure::NotFound, 404, "404 page not found\n", None),
            (
                Failure::MethodNotAllowed(Allow("GET, OPTIONS".to_owned())),
                405,
                "Method Not Allowed\n",
                Some(("allow", "GET, OPTIONS")),
            ),
            (
                Failure::QuitByGet,
                405,
                "Only POST or PUT requests allowed.",
                Some(("allow", "OPTIONS, POST, PUT")),
            ),
            (
                Failure::Wish(WishError::Different),
                400,
                "the push wishes for two different TTLs; send X-Pushgate-TTL or ?ttl= once\n",
                None,
            ),
            (Failure::NoLifecycle, 403, "Lifecycle API is not enabled.", None),
            (
                Failure::OtherSite,
                403,
                "a page of another site may not change anything here; if it is the gateway's own page, set web.external_url to \
                 the URL that browsers know it by\n",
                None,
            ),
            (
                Failure::NoPlugin,
                404,
                "there is no policy of that name, or none that this is known of; /api/v1/plugins lists them all\n",
                None,
            ),
            (
                Failure::NoAudit,
                403,
                "an audit asks a plugin about everything that is stored, which is allowed only where the admin API is enabled; \
                 start the gateway with --web.enable-admin-api\n",
                None,
            ),
            (
                Failure::NoDelete,
                403,
                "groups can be removed by selectors only where the admin API is enabled; start the gateway with \
                 --web.enable-admin-api\n",
                None,
            ),
            (Failure::Selection(BadWish::NotUtf8), 400, "the parameter match[] is not UTF-8\n", None),
            (
                Failure::Auditing,
                429,
                "another audit is running; there is one at a time, so ask again when it is done\n",
                Some(("retry-after", "5")),
            ),
            (Failure::NotReloaded("why".to_owned()), 500, "failed to reload config: why\n", None),
            (Failure::NoReloads, 501, "this gateway has no configuration to read again\n", None),
            (
                Failure::Unsound("why".to_owned()),
                500,
                "An error has occurred while serving metrics:\n\nwhy\n",
                None,
            ),
            (Failure::Unauthorized, 401, "Unauthorized\n", Some(("www-authenticate", "Basic"))),
            (Failure::RateLimited, 429, "Too Many Requests\n", Some(("retry-after", "1"))),
            (Failure::NoWebConfig, 500, "Internal Server Error\n", None),
            (
                Failure::PlainHttp,
                400,
                "Client sent an HTTP request to an HTTPS server.\n",
                Some(("connection", "close")),
            ),
            (
                Failure::TooManyLogins,
                503,
                "too many new logins came at the same time\n",
                Some(("retry-after", "1")),
            ),
            (Failure::BadEscape, 400, "the URL has a '%' without two hexadecimal digits\n", None),
            (
                PathError::Odd("/a".to_owned()).into(),
                400,
                "odd number of components in label string \"/a\"\n",
                None,
            ),
            (
                BodyError::TooLarge { limit: ByteSize::mib(16) }.into(),
                413,
                "the body is larger than 16MiB (push.max_body)\n",
                None,
            ),
            (
                BodyError::DecompressedTooLarge { limit: ByteSize::mib(64) }.into(),
                413,
                "the decompressed body is larger than 64MiB (push.max_decompressed)\n",
                None,
            ),
            (
                BodyError::Late { limit: Duration::from_secs(30) }.into(),
                408,
                "the body took longer than 30000 ms to arrive (web.body_timeout)\n",
                Some(("connection", "close")),
            ),
            (BodyError::Broken.into(), 400, "the body broke off\n", None),
            (
                IngestError::Inconsistent("metric \"a\" was collected before".to_owned()).into(),
                400,
                "pushed metrics are invalid or inconsistent with existing metrics: metric \"a\" was collected before\n",
                None,
            ),
            (
                rejected(),
                422,
                "naming: naming/counter-suffix: requests: a counter ends in _total; rename it to requests_total\n",
                None,
            ),
            (
                IngestError::Fault { plugin: "naming".to_owned() }.into(),
                503,
                "plugin 'naming' failed, and nothing enters unchecked; nothing of the push is stored\n",
                Some(("retry-after", "5")),
            ),
            (
                IngestError::Full { key: "store.max_groups", limit: 5 }.into(),
                429,
                "the gateway stores as much as it may (store.max_groups = 5)\n",
                Some(("retry-after", "60")),
            ),
            (
                IngestError::Busy(Busy { retry_after: Duration::from_millis(2_500) }).into(),
                503,
                "too many large pushes came at the same time (push.max_concurrent)\n",
                Some(("retry-after", "3")),
            ),
            (
                BodyError::Busy(Busy::soon()).into(),
                503,
                "too many large pushes came at the same time (push.max_concurrent)\n",
                Some(("retry-after", "1")),
            ),
            (
                BodyError::NoRoom.into(),
                503,
                "too much is being pushed at the same time (push.max_in_flight)\n",
                Some(("retry-after", "1")),
            ),
            (
                Failure::TooManyConnections,
                503,
                "too many clients are pushing (web.max_connections)\n",
                Some(("retry-after", "1")),
            ),
            (
                Failure::TooManyConnections,
                503,
                "too many clients are pushing (web.max_connections)\n",
                Some(("connection", "close")),
            ),
            (
                Failure::TooManyScrapes,
                503,
                "too much is being sent to too many scrapers (scrape.max_in_flight)\n",
                Some(("retry-after", "1")),
            ),
            (
                IngestError::NotWritten(NotWritten("the journal 'x' cannot be written: no".into())).into(),
                503,
                "the push cannot be kept for good: the journal 'x' cannot be written: no; send it again when that is mended\n",
                Some(("retry-after", "5")),
            ),
        ] {
            let response = answer(&failure, &HeaderMap::new());
            assert_eq!(response.status(), status, "{failure:?}");
            assert_eq!(response.headers()[CONTENT_TYPE], "text/plain; charset=utf-8");
            if let Some((name, value)) = header {
                assert_eq!(response.headers()[name], value);
            }
            assert_eq!(text(response), body);
        }
        let failure = IngestError::Parse(Unreadable::Text(parse_error("a b\n", &Rules::default()))).into();
        let response = answer(&failure, &HeaderMap::new());
        assert_eq!(response.status(), 400);
        assert!(text(response).starts_with("text format parsing error in line 1: "));
        let error = Unreadable::Text(parse_error("a 1\nb 1\n", &one_series));
        let response =
            answer(&IngestError::TooLarge { error, key: "push.max_series" }.into(), &HeaderMap::new());
        assert_eq!(response.status(), 413);
        assert_eq!(
            text(response),
            "text format parsing error in line 2: too many series in one push, 1 are allowed (push.max_series)\n"
        );
    }

    /// One of each, by its name. What is new has to get a name here, and an example below.
    fn name(failure: &Failure) -> &'static str {
        match failure {
            Failure::NotFound => "NotFound",
            Failure::MethodNotAllowed(_) => "MethodNotAllowed",
            Failure::BadEscape => "BadEscape",
            Failure::Unauthorized => "Unauthorized",
            Failure::Unidentified { .. } => "Unidentified",
            Failure::Forbidden { .. } => "Forbidden",
            Failure::OtherSite => "OtherSite",
            Failure::RateLimited => "RateLimited",
            Failure::TooManyLogins => "TooManyLogins",
            Failure::TooManyConnections => "TooManyConnections",
            Failure::TooManyScrapes => "TooManyScrapes",
            Failure::PlainHttp => "PlainHttp",
            Failure::NoWebConfig => "NoWebConfig",
            Failure::NoLifecycle => "NoLifecycle",
            Failure::NoImport => "NoImport",
            Failure::BadRestore => "BadRestore",
            Failure::QuitByGet => "QuitByGet",
            Failure::NotReloaded(_) => "NotReloaded",
            Failure::NoReloads => "NoReloads",
            Failure::Group(_) => "Group",
            Failure::KeyTooLarge(_) => "KeyTooLarge",
            Failure::Body(error) => match error {
                BodyError::TooLarge { .. } => "Body TooLarge",
                BodyError::DecompressedTooLarge { .. } => "Body DecompressedTooLarge",
                BodyError::Corrupt { .. } => "Body Corrupt",
                BodyError::Late { .. } => "Body Late",
                BodyError::Broken => "Body Broken",
                BodyError::NoRoom => "Body NoRoom",
                BodyError::Busy(_) => "Body Busy",
            },
            Failure::NotTaken { error, .. } => match error {
                IngestError::Parse(_) => "Parse",
                IngestError::TooLarge { .. } => "TooLarge",
                IngestError::Inconsistent(_) => "Inconsistent",
                IngestError::Rejected(_) => "Rejected",
                IngestError::Fault { .. } => "Fault",
                IngestError::Suspended { .. } => "Suspended",
                IngestError::Exists { .. } => "Exists",
                IngestError::JobFull(_) => "JobFull",
                IngestError::Full { .. } => "Full",
                IngestError::Busy(_) => "Busy",
                IngestError::NotWritten(_) => "NotWritten",
            },
            Failure::Wish(_) => "Wish",
            Failure::NoPlugin => "NoPlugin",
            Failure::NoAudit => "NoAudit",
            Failure::NoDelete => "NoDelete",
            Failure::Selection(_) => "Selection",
            Failure::Auditing => "Auditing",
            Failure::NoRejection => "NoRejection",
            Failure::Unsound(_) => "Unsound",
            Failure::Internal => "Internal",
        }
    }

    #[test]
    fn whoever_may_try_again_is_told_when_and_limits_are_known() {
        let seconds = Duration::from_secs;
        let plugin = || "naming".to_owned();
        let later = [
            (Failure::RateLimited, 429, None),
            (Failure::Auditing, 429, None),
            (IngestError::Full { key: "store.max_groups", limit: 5 }.into(), 429, Some("store.max_groups")),
            (IngestError::Full { key: "store.max_series", limit: 5 }.into(), 429, Some("store.max_series")),
            (IngestError::JobFull("why".to_owned()).into(), 429, None),
            (Failure::TooManyLogins, 503, None),
            (Failure::TooManyConnections, 503, Some("web.max_connections")),
            (Failure::TooManyScrapes, 503, Some("scrape.max_in_flight")),
            (BodyError::NoRoom.into(), 503, Some("push.max_in_flight")),
            (BodyError::Busy(Busy::soon()).into(), 503, Some("push.max_concurrent")),
            (IngestError::Busy(Busy::soon()).into(), 503, Some("push.max_concurrent")),
            (IngestError::Fault { plugin: plugin() }.into(), 503, None),
            (IngestError::Suspended { plugin: plugin(), retry_after: seconds(9) }.into(), 503, None),
            (IngestError::NotWritten(NotWritten("why".into())).into(), 503, None),
        ];
        let limit = ByteSize::mib(1);
        let unreadable = || Unreadable::Text(parse_error("a b\n", &Rules::default()));
        let never = [
            (Failure::OtherSite, 403, None),
            (Failure::NotFound, 404, None),
            (Failure::MethodNotAllowed(Allow("GET".to_owned())), 405, None),
            (Failure::BadEscape, 400, None),
            (Failure::Unauthorized, 401, None),
            (unknown(Unknown::Silent, [true, true]), 401, None),
            (forbidden("this client", Right::Admin, None), 403, None),
            (Failure::PlainHttp, 400, None),
            (Failure::NoWebConfig, 500, None),
            (Failure::NoLifecycle, 403, None),
            (Failure::NoImport, 403, None),
            (Failure::BadRestore, 400, None),
            (Failure::QuitByGet, 405, None),
            (Failure::NotReloaded("why".to_owned()), 500, None),
            (Failure::NoReloads, 501, None),
            (PathError::Odd("/a".to_owned()).into(), 400, None),
            (long_key().into(), 413, Some("push.max_name_length")),
            (BodyError::TooLarge { limit }.into(), 413, Some("push.max_body")),
            (BodyError::DecompressedTooLarge { limit }.into(), 413, Some("push.max_decompressed")),
            (BodyError::Corrupt { coding: "gzip", error: std::io::Error::other("why") }.into(), 400, None),
            (BodyError::Late { limit: seconds(1) }.into(), 408, Some("web.body_timeout")),
            (BodyError::Broken.into(), 400, None),
            (IngestError::Parse(unreadable()).into(), 400, None),
            (
                IngestError::TooLarge { error: unreadable(), key: "push.max_labels" }.into(),
                413,
                Some("push.max_labels"),
            ),
            (IngestError::Inconsistent("why".to_owned()).into(), 400, None),
            (rejected(), 422, None),
            (IngestError::Exists { group: "{}".to_owned() }.into(), 409, None),
            (WishError::Different.into(), 400, None),
            (Failure::NoPlugin, 404, None),
            (Failure::NoAudit, 403, None),
            (Failure::NoDelete, 403, None),
            (Failure::Selection(BadWish::NotUtf8), 400, None),
            (Failure::NoRejection, 404, None),
            (Failure::Unsound("why".to_owned()), 500, None),
            (Failure::Internal, 500, None),
        ];
        let mut names = std::collections::BTreeSet::new();
        for (failure, status, key) in later.into_iter().chain(never) {
            names.insert(name(&failure));
            assert_eq!(super::limit(&failure).map(Limit::key), key, "{failure:?}");
            let response = answer(&failure, &HeaderMap::new());
            assert_eq!(response.status(), status, "{failure:?}");
            let retry_after = response.headers().get(RETRY_AFTER).map(|value| value.to_str().unwrap());
            let is_told = retry_after.is_some_and(|value| value.parse::<u32>().unwrap() > 0);
            assert_eq!(is_told, [429, 503].contains(&status), "{failure:?}");
            if let Some(key) = key {
                let is_named =
                    matches!(failure, Failure::NotTaken { error: IngestError::TooLarge { .. }, .. })
                        || text(response).contains(key);
                assert!(is_named, "{failure:?}");
            }
        }
        assert_eq!(names.len(), 48, "there is an example of each name above");
    }

    #[test]
    fn who_prefers_json_gets_a_problem() {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, "application/json".parse().unwrap());
        let response = answer(&rejected(), &headers);
        assert_eq!(response.status(), 422);
        assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
        let problem: Value = serde_json::from_str(&text(response)).unwrap();
        assert_eq!(
            problem,
            json!({
                "type": "urn:pushgate:policy-rejection",
                "title": "Unprocessable Entity",
                "status": 422,
                "detail": "refused by policy; nothing of the push is stored",
                "findings": [{
                    "plugin": "naming",
                    "code": "naming/counter-suffix",
                    "metric": "requests",
                    "message": "a counter ends in _total; rename it to requests_total",
                }],
            })
        );
        let response = answer(&Failure::NotFound, &headers);
        assert_eq!(
            serde_json::from_str::<Value>(&text(response)).unwrap(),
            json!({"type": "urn:pushgate:not-found", "title": "Not Found", "status": 404, "detail": "404 page not found"})
        );
    }
}
