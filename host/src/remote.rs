//! A running gateway, asked over HTTP.

use std::fmt;
use std::io::Read;
use std::str::FromStr;
use std::time::Duration;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Uri;
use http::header::{ACCEPT, AUTHORIZATION};
use ureq::typestate::WithBody;
use ureq::{Agent, Body, RequestBuilder};

/// How long one request may take: the listing of 20,000 groups took an original two seconds.
const TIMEOUT: Duration = Duration::from_secs(120);

/// Bytes that are read of an answer that tells why not.
const MAX_REASON: u64 = 16 << 10;

/// The address of a gateway, with its route prefix if it has one, such as `http://old:9091`. User and password may
/// stand in it.
#[derive(Clone)]
pub struct GatewayUrl {
    /// Without user and without a slash at the end.
    base: String,
    authorization: Option<String>,
}

impl fmt::Debug for GatewayUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.base) // Without the password.
    }
}

impl fmt::Display for GatewayUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.base)
    }
}

impl FromStr for GatewayUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || "write it as http://host:port or https://host:port".to_owned();
        let (scheme, rest) = text.split_once("://").ok_or_else(refused)?;
        let (user, rest) = match rest.split_once('@') {
            Some((user, rest)) if !user.contains('/') => (Some(user), rest),
            _ => (None, rest),
        };
        let base = format!("{scheme}://{}", rest.trim_end_matches('/'));
        let uri: Uri = base.parse().map_err(|_| refused())?;
        if !matches!(scheme, "http" | "https") || uri.host().is_none() || uri.query().is_some() {
            return Err(refused());
        }
        let decode = |user: &str| percent_encoding::percent_decode_str(user).collect::<Vec<u8>>();
        let authorization = user.map(|user| format!("Basic {}", STANDARD.encode(decode(user))));
        Ok(Self { base, authorization })
    }
}

impl GatewayUrl {
    /// The body of a GET; `None` if there is nothing at that path.
    ///
    /// # Errors
    /// When the gateway cannot be reached, or answers something else.
    pub fn find(&self, path: &str, accept: &str) -> anyhow::Result<Option<impl Read + use<>>> {
        let url = format!("{}{path}", self.base);
        let mut request = agent().get(&url).header(ACCEPT, accept);
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        let response = request.call().with_context(|| format!("cannot reach {url}"))?;
        let status = response.status();
        let body = response.into_body();
        if status == 404 {
            return Ok(None);
        }
        anyhow::ensure!(status == 200, "{url} answers {status}: {}", reason(body));
        Ok(Some(body.into_with_config().limit(u64::MAX).reader()))
    }

    /// The same of what has to be there.
    ///
    /// # Errors
    /// As for [`find`](Self::find), and when there is nothing.
    pub fn get(&self, path: &str, accept: &str) -> anyhow::Result<impl Read + use<>> {
        self.find(path, accept)?.with_context(|| format!("{self}{path} answers 404 Not Found"))
    }

    /// A PUT to a path, for the caller to send.
    pub(crate) fn put(&self, agent: &Agent, path: &str) -> RequestBuilder<WithBody> {
        let request = agent.put(format!("{}{path}", self.base));
        match &self.authorization {
            Some(authorization) => request.header(AUTHORIZATION, authorization),
            None => request,
        }
    }
}

/// What sends requests, and keeps connections open between them.
pub(crate) fn agent() -> Agent {
    Agent::config_builder().timeout_global(Some(TIMEOUT)).http_status_as_error(false).build().into()
}

/// What an answer says, in one line.
pub(crate) fn reason(body: Body) -> String {
    let mut text = Vec::new();
    // An answer that breaks off has said what it has said.
    let _ = body.into_reader().take(MAX_REASON).read_to_end(&mut text);
    String::from_utf8_lossy(&text).trim().replace('\n', "; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_gateways() {
        for (text, base, authorization) in [
            ("http://old:9091", "http://old:9091", None),
            ("https://old/pgw/", "https://old/pgw", None),
            ("http://a:b%40c@old:9091", "http://old:9091", Some("Basic YTpiQGM=")),
            ("http://[::1]:9091", "http://[::1]:9091", None),
        ] {
            let url: GatewayUrl = text.parse().unwrap();
            assert_eq!((url.base.as_str(), url.authorization.as_deref()), (base, authorization));
        }
        for text in ["old:9091", "ftp://old", "http://", "http://old/?x", "http:// old"] {
            assert!(text.parse::<GatewayUrl>().is_err(), "{text}");
        }
        let secret: GatewayUrl = "http://user:secret@old:9091".parse().unwrap();
        assert!(!format!("{secret:?} {secret}").contains("secret"));
    }
}
