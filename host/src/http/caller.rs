//! Whoever sends a request, and what policies are told of them.

use std::net::IpAddr;

use http::HeaderMap;
use http::header::HeaderName;
use pushgate_web_config::Credentials;

use super::lanes::Seat;
use crate::config::{Attribute, Fact};

/// How many bytes a header has that policies are told.
const MAX_HEADER: usize = 1 << 10;

/// The other end of a connection. Made when it is accepted; while there is one, its place is taken.
#[derive(Debug)]
pub struct Peer {
    pub(super) address: IpAddr,
    pub(super) transport: Transport,
    pub(super) seat: Seat,
}

/// How requests of a connection come.
#[derive(Debug)]
pub(super) enum Transport {
    Plain,
    /// By TLS, with the names in the client's certificate, if somebody has verified it.
    Tls {
        names: Vec<String>,
    },
}

/// Whoever sends a request.
#[derive(Clone, Copy)]
pub(super) struct Caller<'r> {
    pub(super) peer: &'r Peer,
    /// Whose password was right.
    pub(super) user: Option<&'r Credentials>,
    /// The name of the token that was sent.
    pub(super) token: Option<&'r str>,
    pub(super) headers: &'r HeaderMap,
}

impl Caller<'_> {
    /// What is known of these attributes, in their order; one that has several values stands there again for each.
    pub(super) fn attributes(self, told: &[Attribute]) -> Vec<(String, String)> {
        let mut known = Vec::new();
        for attribute in told {
            let mut add = |value: &str| known.push((attribute.as_str().to_owned(), value.to_owned()));
            match &attribute.fact {
                Fact::User => {
                    self.user.and_then(|user| str::from_utf8(user.name()).ok()).into_iter().for_each(add);
                }
                Fact::Token => self.token.into_iter().for_each(add),
                Fact::TlsName => self.peer.names().iter().for_each(|name| add(name)),
                Fact::Address => add(&self.peer.address.to_string()),
                Fact::Header(name) => {
                    header(self.headers, name).iter().for_each(|value| add(value));
                }
            }
        }
        known
    }
}

impl Peer {
    /// The names in the client's certificate, if somebody has verified it.
    pub(super) fn names(&self) -> &[String] {
        match &self.transport {
            Transport::Plain => &[],
            Transport::Tls { names } => names,
        }
    }
}

/// The value of a header; those of several joined, as a proxy would. Too long, or no UTF-8, it is as if it was not sent.
fn header(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let mut joined: Option<String> = None;
    for value in headers.get_all(name) {
        let value = str::from_utf8(value.as_bytes()).ok()?;
        match &mut joined {
            None => joined = Some(value.to_owned()),
            Some(joined) => joined.extend([", ", value]),
        }
        if joined.as_ref().is_some_and(|joined| joined.len() > MAX_HEADER) {
            return None;
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn told(peer: &Peer, headers: &HeaderMap, attributes: &[&str]) -> Vec<(String, String)> {
        let attributes: Vec<Attribute> = attributes.iter().map(|name| name.parse().unwrap()).collect();
        Caller { peer, user: None, token: Some("ci"), headers }.attributes(&attributes)
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn only_what_is_asked_for_and_known_is_told() {
        let names = vec!["db1.example.org".to_owned(), "10.0.0.1".to_owned()];
        let transport = Transport::Tls { names };
        let peer = Peer { address: [10, 0, 0, 1].into(), transport, seat: Seat::alone() };
        let headers =
            HeaderMap::from_iter([(HeaderName::from_static("user"), HeaderValue::from_static("root"))]);
        for (attributes, expected) in [
            (&[][..], &[][..]),
            (&["user"], &[]),
            (&["network"], &[("network", "10.0.0.1")]),
            (&["token"], &[("token", "ci")]),
            (&["tls-san"], &[("tls-san", "db1.example.org"), ("tls-san", "10.0.0.1")]),
            (&["header:user", "user"], &[("header:user", "root")]),
        ] {
            assert_eq!(told(&peer, &headers, attributes), pairs(expected), "{attributes:?}");
        }
    }

    #[test]
    fn headers_are_joined_and_bounded() {
        let address = [127, 0, 0, 1].into();
        let peer = Peer { address, transport: Transport::Plain, seat: Seat::alone() };
        let (longest, too_long) = ("a".repeat(1 << 10), "a".repeat((1 << 10) + 1));
        let half = "a".repeat(511);
        for (values, expected) in [
            (&[][..], None),
            (&[&b""[..]], Some("")),
            (&[b"a"], Some("a")),
            (&[b"a", b"b, c", b""], Some("a, b, c, ")),
            (&["ä".as_bytes()], Some("ä")),
            (&[b"\xe4"], None),
            (&[b"a", b"\xe4"], None),
            (&[longest.as_bytes()], Some(longest.as_str())),
            (&[too_long.as_bytes()], None),
            (&[half.as_bytes(), half.as_bytes()], Some(format!("{half}, {half}").as_str())),
            (&[half.as_bytes(), half.as_bytes(), b""], None),
        ] {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append("x-team", HeaderValue::from_bytes(value).unwrap());
            }
            let expected: Vec<_> = expected.into_iter().map(|value| ("header:x-team", value)).collect();
            assert_eq!(told(&peer, &headers, &["header:x-team"]), pairs(&expected), "{values:?}");
        }
    }
}
