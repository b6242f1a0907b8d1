//! The one list of what is answered to what: each failure's status, its kind and the words that say what to mend.

use std::time::Duration;

use http::header::{ALLOW, CONNECTION, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{Response, StatusCode};
use serde_json::{Map, Value};

use super::Failure;
use crate::config::Right;
use crate::http::bearer::{MAX_TOKEN, MIN_TOKEN};
use crate::http::body::BodyError;
use crate::http::findings;
use crate::http::payload::{self, Payload};
use crate::http::rights::{Unknown, Ways};
use crate::http::route::Allow;
use crate::ingest::{Busy, IngestError, PolicyFinding};

/// A failure as the client gets to know it.
pub(super) struct Refusal<'f> {
    status: StatusCode,
    /// Names the kind of failure for programs, as the last part of a URN.
    kind: &'static str,
    /// One line for people.
    detail: String,
    /// What policies found, instead of `detail` when the answer is text.
    findings: &'f [PolicyFinding],
    /// The path at which there is more to read.
    more_at: Option<&'f str>,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
}

/// What is answered to a failure.
pub(super) fn refusal(failure: &Failure) -> Refusal<'_> {
    use StatusCode as S;
    match failure {
        Failure::NotFound => refuse(S::NOT_FOUND, "not-found", "404 page not found"),
        Failure::MethodNotAllowed(Allow(methods)) => {
            refuse(S::METHOD_NOT_ALLOWED, "method-not-allowed", "Method Not Allowed").with(ALLOW, methods)
        }
        Failure::NoLifecycle => refuse(S::FORBIDDEN, "no-lifecycle", "Lifecycle API is not enabled."),
        Failure::NoImport => refuse(
            S::FORBIDDEN,
            "no-admin-api",
            "groups can be imported only where the admin API is enabled; start the gateway with --web.enable-admin-api",
        ),
        Failure::BadRestore => refuse(
            S::BAD_REQUEST,
            "bad-restore",
            "write the times of an imported group as push=1.5e9, failure=0, and send it with PUT",
        ),
        Failure::Wish(error) => refuse(S::BAD_REQUEST, "bad-ttl", error.to_string()),
        Failure::QuitByGet => {
            refuse(S::METHOD_NOT_ALLOWED, "quit-by-get", "Only POST or PUT requests allowed.")
                .with(ALLOW, "OPTIONS, POST, PUT")
        }
        Failure::NotReloaded(reason) => {
            refuse(S::INTERNAL_SERVER_ERROR, "not-reloaded", format!("failed to reload config: {reason}"))
        }
        Failure::NoReloads => {
            refuse(S::NOT_IMPLEMENTED, "no-reloads", "this gateway has no configuration to read again")
        }
        Failure::BadEscape => {
            refuse(S::BAD_REQUEST, "bad-url", "the URL has a '%' without two hexadecimal digits")
        }
        // These are the original's words, and clients know them.
        Failure::Unauthorized => {
            refuse(S::UNAUTHORIZED, "unauthorized", "Unauthorized").with(WWW_AUTHENTICATE, "Basic")
        }
        Failure::Unidentified { ways, why } => unidentified(*ways, *why),
        Failure::Forbidden { who, right, job } => {
            let (what, for_what) = match job {
                Some(job) => (format!("{} the job {job:?}", about(*right)), " for this job"),
                None => (about(*right).to_owned(), ""),
            };
            let detail = format!(
                "{who} may not {what}: the verb '{right}' is not granted{for_what}; whoever runs the gateway can grant it \
                 in [[rights]]"
            );
            refuse(S::FORBIDDEN, "forbidden", detail)
        }
        Failure::OtherSite => refuse(
            S::FORBIDDEN,
            "other-site",
            "a page of another site may not change anything here; if it is the gateway's own page, set web.external_url to \
             the URL that browsers know it by",
        ),
        Failure::RateLimited => {
            refuse_for_now(S::TOO_MANY_REQUESTS, "rate-limited", "Too Many Requests", SOON)
        }
        Failure::NoWebConfig => refuse(S::INTERNAL_SERVER_ERROR, "internal", "Internal Server Error"),
        Failure::PlainHttp => {
            let detail = "Client sent an HTTP request to an HTTPS server.";
            refuse(S::BAD_REQUEST, "plain-http", detail).with(CONNECTION, "close")
        }
        Failure::TooManyLogins => {
            let detail = "too many new logins came at the same time";
            refuse_for_now(S::SERVICE_UNAVAILABLE, "busy", detail, SOON)
        }
        Failure::TooManyConnections => {
            let detail = "too many clients are pushing (web.max_connections)";
            refuse_for_now(S::SERVICE_UNAVAILABLE, "busy", detail, SOON).with(CONNECTION, "close")
        }
        Failure::TooManyScrapes => {
            let detail = "too much is being sent to too many scrapers (scrape.max_in_flight)";
            refuse_for_now(S::SERVICE_UNAVAILABLE, "busy", detail, SOON)
        }
        Failure::Group(error) => refuse(S::BAD_REQUEST, "bad-url", error.to_string()),
        Failure::KeyTooLarge(error) => refuse(S::PAYLOAD_TOO_LARGE, "too-large", error.to_string()),
        Failure::Body(error) => body(error),
        Failure::NotTaken { error, more_at } => Refusal { more_at: more_at.as_deref(), ..ingest(error) },
        Failure::NoPlugin => refuse(
            S::NOT_FOUND,
            "no-plugin",
            "there is no policy of that name, or none that this is known of; /api/v1/plugins lists them all",
        ),
        Failure::NoAudit => refuse(
            S::FORBIDDEN,
            "no-admin-api",
            "an audit asks a plugin about everything that is stored, which is allowed only where the admin API is enabled; \
             start the gateway with --web.enable-admin-api",
        ),
        Failure::NoDelete => refuse(
            S::FORBIDDEN,
            "no-admin-api",
            "groups can be removed by selectors only where the admin API is enabled; start the gateway with \
             --web.enable-admin-api",
        ),
        Failure::Selection(error) => refuse(S::BAD_REQUEST, "bad-selection", error.to_string()),
        Failure::Auditing => refuse_for_now(
            S::TOO_MANY_REQUESTS,
            "audit-running",
            "another audit is running; there is one at a time, so ask again when it is done",
            LATER,
        ),
        Failure::NoRejection => refuse(
            S::NOT_FOUND,
            "no-rejection",
            "no push of this id was rejected, or it is kept no more (rejections.keep, rejections.max_bytes)",
        ),
        Failure::Unsound(reason) => refuse(
            S::INTERNAL_SERVER_ERROR,
            "unsound",
            format!("An error has occurred while serving metrics:\n\n{reason}"),
        ),
        Failure::Internal => refuse(S::INTERNAL_SERVER_ERROR, "internal", "Internal Server Error"),
    }
}

/// What somebody may not.
fn about(right: Right) -> &'static str {
    match right {
        Right::Push => "push to",
        Right::Delete => "delete",
        Right::Scrape => "read what is stored",
        Right::Admin => "administer the gateway",
    }
}

/// Who has not said who they are is told how to.
fn unidentified(ways: Ways, why: Unknown) -> Refusal<'static> {
    let how = match (ways.tokens, ways.users) {
        (true, true) => "send a token, as 'Authorization: Bearer <token>', or a user with a password",
        (true, false) => "send a token, as 'Authorization: Bearer <token>'",
        (false, true) => "send a user with a password, as 'Authorization: Basic'",
        (false, false) => "send no Authorization header, as this gateway knows neither tokens nor users",
    };
    let detail = match why {
        Unknown::Silent => format!("nobody may do this without saying who they are; {how}"),
        Unknown::Unreadable => format!(
            "the Authorization header cannot be read; {how}{}",
            if ways.tokens {
                format!("; a token has {MIN_TOKEN} to {MAX_TOKEN} characters")
            } else {
                String::new()
            }
        ),
        Unknown::Wrong => format!("the token, or the user or password, is not known here; {how}"),
    };
    let mut refusal = refuse(StatusCode::UNAUTHORIZED, "unauthorized", detail);
    // Whoever gets this may be asked for something else the next time, but an answer without any way is none.
    if ways.tokens || !ways.users {
        refusal = refusal.with(WWW_AUTHENTICATE, "Bearer");
    }
    if ways.users {
        refusal = refusal.with(WWW_AUTHENTICATE, "Basic");
    }
    refusal
}

fn body(error: &BodyError) -> Refusal<'static> {
    use StatusCode as S;
    match error {
        BodyError::TooLarge { .. } | BodyError::DecompressedTooLarge { .. } => {
            refuse(S::PAYLOAD_TOO_LARGE, "too-large", error.to_string())
        }
        BodyError::Corrupt { .. } | BodyError::Broken => {
            refuse(S::BAD_REQUEST, "bad-body", error.to_string())
        }
        // The rest of the body may still come, and would be taken for the next request.
        BodyError::Late { .. } => {
            refuse(S::REQUEST_TIMEOUT, "timeout", error.to_string()).with(CONNECTION, "close")
        }
        BodyError::NoRoom => refuse_for_now(S::SERVICE_UNAVAILABLE, "busy", error.to_string(), SOON),
        BodyError::Busy(error) => busy(*error),
    }
}

pub(super) fn ingest(error: &IngestError) -> Refusal<'_> {
    use StatusCode as S;
    match error {
        IngestError::TooLarge { error, key } => {
            refuse(S::PAYLOAD_TOO_LARGE, "too-large", format!("{error} ({key})"))
        }
        IngestError::Parse(error) => refuse(S::BAD_REQUEST, "parse-error", error.to_string()),
        IngestError::Inconsistent(reason) => refuse(
            S::BAD_REQUEST,
            "inconsistent",
            format!("pushed metrics are invalid or inconsistent with existing metrics: {reason}"),
        ),
        IngestError::Rejected(findings) => Refusal {
            findings,
            ..refuse(
                S::UNPROCESSABLE_ENTITY,
                "policy-rejection",
                "refused by policy; nothing of the push is stored",
            )
        },
        IngestError::Fault { plugin } => refuse_for_now(
            S::SERVICE_UNAVAILABLE,
            "plugin-fault",
            format!("plugin '{plugin}' failed, and nothing enters unchecked; nothing of the push is stored"),
            LATER,
        ),
        IngestError::Suspended { plugin, retry_after } => {
            let detail = format!(
                "plugin '{plugin}' keeps failing on the pushes of this job and is left alone for a while, and nothing \
                 enters unchecked; nothing of the push is stored"
            );
            refuse_for_now(S::SERVICE_UNAVAILABLE, "plugin-suspended", detail, *retry_after)
        }
        IngestError::Exists { group } => {
            refuse(S::CONFLICT, "exists", format!("the group {group} exists already"))
        }
        IngestError::JobFull(reason) => {
            refuse_for_now(S::TOO_MANY_REQUESTS, "job-full", reason.as_str(), WHEN_DELETED)
        }
        IngestError::Full { limit, key } => {
            let detail = format!("the gateway stores as much as it may ({key} = {limit})");
            refuse_for_now(S::TOO_MANY_REQUESTS, "full", detail, WHEN_DELETED)
        }
        IngestError::Busy(error) => busy(*error),
        IngestError::NotWritten(reason) => {
            let detail =
                format!("the push cannot be kept for good: {reason}; send it again when that is mended");
            refuse_for_now(S::SERVICE_UNAVAILABLE, "not-written", detail, LATER)
        }
    }
}

fn busy(busy: Busy) -> Refusal<'static> {
    let detail = "too many large pushes came at the same time (push.max_concurrent)";
    refuse_for_now(StatusCode::SERVICE_UNAVAILABLE, "busy", detail, busy.retry_after)
}

/// When to come back: what is busy may not be in a moment.
const SOON: Duration = Duration::from_secs(1);
/// Somebody may have to look at it.
const LATER: Duration = Duration::from_secs(5);
/// Somebody has to.
const WHEN_DELETED: Duration = Duration::from_secs(60);

/// A refusal of what may be taken another time, with 429 or 503, which always say when.
fn refuse_for_now(
    status: StatusCode,
    kind: &'static str,
    detail: impl Into<String>,
    retry_after: Duration,
) -> Refusal<'static> {
    let seconds = retry_after.as_secs_f64().ceil().to_string();
    refuse(status, kind, detail).with(RETRY_AFTER, &seconds)
}

fn refuse(status: StatusCode, kind: &'static str, detail: impl Into<String>) -> Refusal<'static> {
    Refusal { status, kind, detail: detail.into(), findings: &[], more_at: None, headers: Vec::new() }
}

impl Refusal<'_> {
    fn with(mut self, name: HeaderName, value: &str) -> Self {
        self.headers.extend(HeaderValue::from_str(value).ok().map(|value| (name, value)));
        self
    }

    pub(super) fn text(&self) -> String {
        let mut text = match self.kind {
            // The original writes these two without going through its helper for errors, which ends lines.
            "no-lifecycle" | "quit-by-get" => self.detail.clone(),
            _ if self.findings.is_empty() => format!("{}\n", self.detail),
            _ => findings::lines(self.findings),
        };
        if let Some(path) = self.more_at {
            text.push_str(&format!("details: {path}\n"));
        }
        text
    }

    pub(super) fn as_text(&self) -> Response<Payload> {
        payload::whole(self.status, payload::TEXT, self.text())
    }

    pub(super) fn as_json(&self) -> Response<Payload> {
        let mut problem = Map::new();
        problem.insert("type".to_owned(), Value::from(format!("urn:pushgate:{}", self.kind)));
        problem.insert("title".to_owned(), Value::from(self.status.canonical_reason()));
        problem.insert("status".to_owned(), Value::from(self.status.as_u16()));
        problem.insert("detail".to_owned(), Value::from(self.detail.as_str()));
        if let Some(path) = self.more_at {
            problem.insert("instance".to_owned(), Value::from(path));
        }
        if !self.findings.is_empty() {
            problem.insert("findings".to_owned(), findings::json(self.findings));
        }
        let media_type = HeaderValue::from_static("application/problem+json");
        payload::whole(self.status, media_type, format!("{}\n", Value::Object(problem)))
    }
}
