//! Requests over HTTP: bounded in size, time and redirects, and never less protected than they began.

use std::io::{self, Read as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::header::{AUTHORIZATION, HeaderMap, LOCATION};
use http::{HeaderName, Uri};
use rustls::pki_types::CertificateDer;
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use crate::FetchError;
use crate::source::url;

/// A server that sends us on more often goes in circles.
const MAX_REDIRECTS: usize = 5;

/// Asks servers.
#[derive(Debug)]
pub(crate) struct Client {
    agent: Agent,
    timeout: Duration,
}

/// The time that is left for one plugin.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Instant);

/// What a server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Who gave it, at the end of all redirects.
    pub(crate) place: Uri,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Client {
    /// A client that trusts these authorities, or those that browsers trust.
    pub(crate) fn new(authorities: Option<Vec<CertificateDer<'static>>>, timeout: Duration) -> Self {
        let roots = match authorities {
            Some(authorities) => {
                let authority = |authority: &CertificateDer<'_>| Certificate::from_der(authority).to_owned();
                RootCerts::Specific(Arc::new(authorities.iter().map(authority).collect()))
            }
            None => RootCerts::WebPki,
        };
        let config = Agent::config_builder()
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .http_status_as_error(false)
            // Followed here, by our rules.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("pushgate/", env!("CARGO_PKG_VERSION")))
            // It would be read from the environment.
            .proxy(None);
        Self { agent: config.build().into(), timeout }
    }

    /// The time for a plugin, from now on.
    pub(crate) fn deadline(&self) -> Deadline {
        Deadline(Instant::now() + self.timeout)
    }

    /// Gets a URL, of which at most `limit` bytes are taken. What `headers` say of authorization is for that server
    /// only, and not for another one that it redirects to.
    pub(crate) fn get(
        &self,
        start: &Uri,
        headers: &[(HeaderName, &str)],
        limit: u64,
        deadline: Deadline,
    ) -> Result<Answer, FetchError> {
        let mut place = start.clone();
        for _ in 0..=MAX_REDIRECTS {
            let same_server = place.authority() == start.authority();
            let sent = headers.iter().filter(|(name, _)| same_server || name != AUTHORIZATION);
            let answer = self.get_once(&place, sent, limit, deadline)?;
            if !matches!(answer.status, 301 | 302 | 303 | 307 | 308) {
                return Ok(answer);
            }
            let target =
                answer.headers.get(LOCATION).and_then(|target| target.to_str().ok()).unwrap_or_default();
            place = redirected(&place, target)
                .map_err(|reason| FetchError::Redirect { url: place.to_string(), reason })?;
        }
        let reason = format!("it is the redirect number {}", MAX_REDIRECTS + 1);
        Err(FetchError::Redirect { url: start.to_string(), reason })
    }

    fn get_once<'a>(
        &self,
        place: &Uri,
        headers: impl Iterator<Item = &'a (HeaderName, &'a str)>,
        limit: u64,
        deadline: Deadline,
    ) -> Result<Answer, FetchError> {
        let late = || FetchError::Late { url: place.to_string() };
        let left = deadline.0.checked_duration_since(Instant::now()).filter(|left| !left.is_zero());
        let mut request = self.agent.get(place).config().timeout_global(Some(left.ok_or_else(late)?)).build();
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        let unreachable = |reason: String| FetchError::Unreachable { url: place.to_string(), reason };
        let response = match request.call() {
            Err(ureq::Error::Timeout(_)) => return Err(late()),
            response => response.map_err(|error| unreachable(error.to_string()))?,
        };
        let (head, body) = response.into_parts();
        let too_large = || FetchError::TooLarge { place: place.to_string(), limit };
        if body.content_length().is_some_and(|length| length > limit) {
            return Err(too_large());
        }
        let mut content = Vec::new();
        let reader = body.into_with_config().limit(u64::MAX).reader();
        match reader.take(limit + 1).read_to_end(&mut content) {
            Err(error) if is_timeout(&error) => return Err(late()),
            Err(error) => return Err(unreachable(format!("the answer broke off: {error}"))),
            Ok(length) if length as u64 > limit => return Err(too_large()),
            Ok(_) => {}
        }
        let (status, headers) = (head.status.as_u16(), head.headers);
        Ok(Answer { place: place.clone(), status, headers, body: content })
    }
}

impl Answer {
    /// The body of an answer to a URL that has it.
    pub(crate) fn found(self, place: &Uri) -> Result<Vec<u8>, FetchError> {
        match self.status {
            200 => Ok(self.body),
            status => Err(FetchError::Status { url: place.to_string(), status }),
        }
    }
}

fn is_timeout(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    error.kind() == io::ErrorKind::TimedOut || matches!(inner, Some(ureq::Error::Timeout(_)))
}

/// Where a redirect leads: to a path of the same server, or to a URL that is no less protected.
fn redirected(from: &Uri, target: &str) -> Result<Uri, String> {
    let mut whole = target.to_owned();
    if target.starts_with('/') && !target.starts_with("//") {
        let (scheme, authority) = (from.scheme_str().unwrap_or("https"), from.authority());
        whole = format!("{scheme}://{}{target}", authority.map_or("", |authority| authority.as_str()));
    }
    let to = url(&whole)?;
    if from.scheme_str() == Some("https") && to.scheme_str() != Some("https") {
        return Err(format!("'{to}' is not encrypted"));
    }
    Ok(to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_never_leads_to_less_protection() {
        let (secure, own) = ("https://a.example/x.wasm", "http://127.0.0.1:1/x.wasm");
        for (from, target, expected) in [
            (secure, "/y", Ok("https://a.example/y")),
            (secure, "https://b.example/y?z", Ok("https://b.example/y?z")),
            (own, "/y", Ok("http://127.0.0.1:1/y")),
            (own, "http://[::1]:2/y", Ok("http://[::1]:2/y")),
            (own, "https://b.example/y", Ok("https://b.example/y")),
            (secure, "http://127.0.0.1:1/y", Err("is not encrypted")),
            (secure, "http://b.example/y", Err("is not encrypted")),
            (own, "http://b.example/y", Err("is not encrypted")),
            (secure, "file:///etc/passwd", Err("not")),
            (secure, "//b.example/y", Err("'//b.example/y'")),
            (secure, "y", Err("'y'")),
            (secure, "", Err("''")),
        ] {
            match (redirected(&from.parse().unwrap(), target), expected) {
                (Ok(to), Ok(expected)) => assert_eq!(to.to_string(), expected),
                (Err(told), Err(expected)) => assert!(told.contains(expected), "{target}: {told}"),
                (to, _) => panic!("{from} {target}: {to:?}"),
            }
        }
    }
}
