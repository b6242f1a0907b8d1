//! The gateways at both ends of an import.

use std::fmt;
use std::io::Read;
use std::str::FromStr;
use std::time::Duration;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Uri;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use pushgate_exposition::protobuf;
use ureq::{Agent, Body};

use super::Group;
use crate::http::{RESTORE, path_of};

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
    /// The body of a GET.
    pub(super) fn get(&self, path: &str, accept: &str) -> anyhow::Result<impl Read + use<>> {
        let url = format!("{}{path}", self.base);
        let mut request = agent().get(&url).header(ACCEPT, accept);
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        let response = request.call().with_context(|| format!("cannot reach {url}"))?;
        let status = response.status();
        let body = response.into_body();
        anyhow::ensure!(status == 200, "{url} answers {status}: {}", reason(body));
        Ok(body.into_with_config().limit(u64::MAX).reader())
    }
}

/// The pushgate that groups are imported into.
#[derive(Debug)]
pub struct Target {
    url: GatewayUrl,
    agent: Agent,
}

/// What the target said to a group.
pub(super) enum Answer {
    Stored,
    Present,
    Refused(String),
}

impl Target {
    /// The pushgate at that address.
    pub fn new(url: GatewayUrl) -> Self {
        Self { url, agent: agent() }
    }

    /// Stores a group that is not there yet.
    pub(super) fn restore(&self, group: &Group) -> anyhow::Result<Answer> {
        let url = format!("{}/metrics/{}", self.url.base, path_of(&group.key));
        let times = format!("push={:?}, failure={:?}", group.times.push, group.times.failure);
        let mut request =
            (self.agent.put(&url)).header(CONTENT_TYPE, protobuf::CONTENT_TYPE).header(RESTORE, times);
        if let Some(authorization) = &self.url.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        let response = request.send(&group.body[..]).with_context(|| format!("cannot reach {}", self.url))?;
        let status = response.status().as_u16();
        let why = || reason(response.into_body());
        Ok(match status {
            200 | 202 => Answer::Stored,
            409 => Answer::Present,
            400 | 413 | 422 | 429 => Answer::Refused(why()),
            403 => anyhow::bail!("{} refuses to import: {}", self.url, why()),
            _ => anyhow::bail!("{} answers {status}: {}", self.url, why()),
        })
    }
}

fn agent() -> Agent {
    Agent::config_builder().timeout_global(Some(TIMEOUT)).http_status_as_error(false).build().into()
}

/// What an answer says, in one line.
fn reason(body: Body) -> String {
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
