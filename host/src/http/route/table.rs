//! The whole API on one screen.

use http::Method;

use super::path::clean;
use crate::config::{Right, Web};

/// Who answers a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::http) enum Endpoint {
    /// PUT or POST of metrics.
    Push(Change),
    /// DELETE of a group.
    Delete,
    /// All stored metrics and the gateway's own.
    Scrape,
    /// Is the process there?
    Healthy,
    /// Can it take pushes?
    Ready,
    /// The groups, for people.
    Page,
    /// How the gateway runs, for people.
    Status,
    /// How the policies stand, for people.
    Plugins,
    /// The last pushes that policies spoke against, for people.
    Rejections,
    /// One of them.
    Rejection,
    /// A file that the page needs.
    Static,
    /// The gateway is to end.
    Quit,
    /// It is not, as GET is not for that.
    QuitByGet,
    /// The configuration is to be read again.
    Reload,
    /// Version, flags and start.
    ApiStatus,
    /// All groups as JSON.
    ApiMetrics,
    /// The configured policies, as JSON.
    ApiPlugins,
    /// What is known of one of them.
    ApiPlugin,
    /// The last pushes that policies spoke against, as JSON.
    ApiRejections,
    /// One of them.
    ApiRejection,
    /// Some groups, by selectors, as JSON.
    ApiGroups,
    /// Some groups are to be removed, by selectors.
    DeleteGroups,
    /// May a page of another site ask?
    ApiOptions,
    /// All groups are to be removed.
    Wipe,
}

impl Endpoint {
    /// The right that a request to it needs, where there are rights; `None` for what everybody may ask. `argument` is
    /// the end of the path.
    pub(in crate::http) fn needs(self, argument: &[u8]) -> Option<Right> {
        match self {
            Self::Push(_) => Some(Right::Push),
            Self::Delete => Some(Right::Delete),
            // An audit keeps a core busy.
            Self::ApiPlugin if argument.ends_with(b"/audit") => Some(Right::Admin),
            Self::Scrape
            | Self::Page
            | Self::Status
            | Self::Plugins
            | Self::Rejections
            | Self::Rejection
            | Self::ApiStatus
            | Self::ApiMetrics
            | Self::ApiGroups
            | Self::ApiPlugins
            | Self::ApiPlugin
            | Self::ApiRejections
            | Self::ApiRejection => Some(Right::Scrape),
            // Selectors are not about one job.
            Self::DeleteGroups | Self::Quit | Self::Reload | Self::Wipe => Some(Right::Admin),
            // Supervisors have no token.
            Self::Healthy | Self::Ready => None,
            // These files are part of every pushgate and tell nothing of this one.
            Self::Static => None,
            // It says only that this is not how to end the gateway.
            Self::QuitByGet => None,
            // A browser asks it without the token that it may be about to send.
            Self::ApiOptions => None,
        }
    }
}

/// How a push changes its group.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::http) enum Change {
    /// PUT: the group afterwards is what was pushed.
    Replace,
    /// POST: only families of the pushed names are replaced.
    Merge,
}

/// The methods that some path has, in alphabetical order.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Verb {
    Delete,
    Get,
    Options,
    Post,
    Put,
}

impl Verb {
    /// The verb of a method. HEAD is a GET whose body is not sent.
    pub(super) fn of(method: &Method) -> Option<Self> {
        match *method {
            Method::GET | Method::HEAD => Some(Self::Get),
            Method::PUT => Some(Self::Put),
            Method::POST => Some(Self::Post),
            Method::DELETE => Some(Self::Delete),
            Method::OPTIONS => Some(Self::Options),
            _ => None,
        }
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Delete => "DELETE",
            Self::Get => "GET",
            Self::Options => "OPTIONS",
            Self::Post => "POST",
            Self::Put => "PUT",
        }
    }
}

/// Which paths a row is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Shape {
    /// Just the row's.
    Exact,
    /// Those that begin with the row's, or are it; the rest is the argument.
    Below,
    /// Those that begin with the row's and go on; the argument is what stands behind `/metrics/`.
    Group,
}

/// A path and who answers there.
#[derive(Debug)]
pub(super) struct Row {
    /// With the prefix.
    path: String,
    shape: Shape,
    endpoints: &'static [(Verb, Endpoint)],
}

/// What stands behind `/metrics/` in the path of a group.
const GROUPS: [&str; 2] = ["job/", "job@base64/"];

/// The table, pushes first.
pub(super) fn rows(web: &Web) -> Vec<Row> {
    use Endpoint as E;
    use Shape::{Below, Exact, Group};
    use Verb::{Delete, Get, Options, Post, Put};
    const GROUP: &[(Verb, Endpoint)] =
        &[(Put, E::Push(Change::Replace)), (Post, E::Push(Change::Merge)), (Delete, E::Delete)];
    let prefix = web.prefix();
    let row = |path: &str, shape, endpoints| Row { path: format!("{prefix}{path}"), shape, endpoints };
    let mut rows = vec![
        row("/metrics/job/", Group, GROUP),
        row("/metrics/job@base64/", Group, GROUP),
        row(&web.telemetry_path, Exact, &[(Get, E::Scrape)]),
        row("/-/healthy", Exact, &[(Get, E::Healthy)]),
        row("/-/ready", Exact, &[(Get, E::Ready)]),
        row("/", Exact, &[(Get, E::Page)]),
        row("/status", Exact, &[(Get, E::Status)]),
        row("/plugins", Exact, &[(Get, E::Plugins)]),
        row("/rejections", Exact, &[(Get, E::Rejections)]),
        row("/rejection", Exact, &[(Get, E::Rejection)]),
        row("/static/", Below, &[(Get, E::Static)]),
        row("/api/v1/status", Exact, &[(Get, E::ApiStatus)]),
        row("/api/v1/metrics", Exact, &[(Get, E::ApiMetrics)]),
        row("/api/v1/plugins", Exact, &[(Get, E::ApiPlugins)]),
        row("/api/v1/plugins/", Below, &[(Get, E::ApiPlugin)]),
        row("/api/v1/rejections", Exact, &[(Get, E::ApiRejections)]),
        row("/api/v1/rejections/", Below, &[(Get, E::ApiRejection)]),
        row("/api/v1/groups", Exact, &[(Get, E::ApiGroups), (Delete, E::DeleteGroups)]),
        row("/api/v1/", Below, &[(Options, E::ApiOptions)]),
        row("/-/quit", Exact, &[(Put, E::Quit), (Post, E::Quit)]),
        row("/-/reload", Exact, &[(Put, E::Reload), (Post, E::Reload)]),
        Row { path: "/-/quit".to_owned(), shape: Exact, endpoints: &[(Get, E::QuitByGet)] },
    ];
    if web.enable_admin_api {
        rows.push(row("/api/v1/admin/wipe", Exact, &[(Put, E::Wipe)]));
    }
    rows
}

impl Row {
    /// Who answers a method.
    pub(super) fn endpoint(&self, verb: Verb) -> Option<Endpoint> {
        self.endpoints.iter().find(|(other, _)| *other == verb).map(|(_, endpoint)| *endpoint)
    }

    /// All methods.
    pub(super) fn verbs(&self) -> impl Iterator<Item = Verb> + use<> {
        self.endpoints.iter().map(|(verb, _)| *verb)
    }

    /// What a path says to the endpoint; `None` when the row is not for that path.
    pub(super) fn argument<'p>(&self, path: &'p [u8]) -> Option<&'p [u8]> {
        let rest = path.strip_prefix(self.path.as_bytes())?;
        match self.shape {
            Shape::Exact => rest.is_empty().then_some(rest),
            Shape::Below => Some(rest),
            Shape::Group if rest.is_empty() => None,
            Shape::Group => {
                let kind = GROUPS.into_iter().find(|kind| self.path.ends_with(kind))?;
                path.get(self.path.len() - kind.len()..)
            }
        }
    }

    /// The path that was meant by one that no row is for: with or without a slash at its end, without empty segments,
    /// and whatever the case. Names and values keep theirs.
    pub(super) fn meant_by(&self, path: &[u8]) -> Option<Vec<u8>> {
        let cleaned = std::str::from_utf8(path).ok().and_then(clean);
        let path = cleaned.as_ref().map_or(path, String::as_bytes);
        let own = self.path.as_bytes();
        let without_slash = |path: &'_ [u8]| path.strip_suffix(b"/").map_or(path.len(), <[u8]>::len);
        let is_alike = |one: &[u8], other: &[u8]| {
            let (one, other) = (one.get(..without_slash(one)), other.get(..without_slash(other)));
            one.zip(other).is_some_and(|(one, other)| one.eq_ignore_ascii_case(other))
        };
        match self.shape {
            Shape::Exact | Shape::Below if is_alike(own, path) => Some(own.to_owned()),
            Shape::Exact => None,
            Shape::Below | Shape::Group => {
                let (head, rest) = path.split_at_checked(own.len())?;
                let is_meant = head.eq_ignore_ascii_case(own) && !rest.is_empty();
                is_meant.then(|| [own, rest].concat())
            }
        }
    }
}
