//! Where to listen: host and port.

use std::fmt;
use std::str::FromStr;

/// An address to listen on: `127.0.0.1:9091`, `[::1]:9091`, `metrics.internal:9091`, or `:9091` for
/// every interface. A host name is looked up when the gateway binds; port 0 lets the system choose.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct ListenAddress {
    host: String,
    port: u16,
}

impl ListenAddress {
    /// The host without brackets; empty means every interface, IPv4 and IPv6.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl FromStr for ListenAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || {
            format!("'{text}' is not an address; write host:port, such as \"127.0.0.1:9091\" or \":9091\"")
        };
        if text.starts_with("vsock://") {
            return Err(format!("'{text}': sockets of virtual machines (vsock) are not supported"));
        }
        let (host, port) = text.rsplit_once(':').ok_or_else(refused)?;
        // A plain `u16` parse would take "+80".
        if port.is_empty() || !port.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(refused());
        }
        let port = port.parse().map_err(|_| format!("'{text}': a port is at most 65535"))?;
        let host = match host.strip_prefix('[') {
            Some(inside) => {
                let inside = inside.strip_suffix(']').ok_or_else(refused)?;
                inside.parse::<std::net::Ipv6Addr>().map_err(|_| refused())?;
                inside
            }
            None if host.contains(':') => {
                return Err(format!("'{text}': an IPv6 address stands in brackets, such as \"[::1]:9091\""));
            }
            None => host,
        };
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:".contains(&byte);
        if !host.bytes().all(legal) {
            return Err(refused());
        }
        Ok(Self { host: host.to_owned(), port })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_a_host_and_a_port() {
        for (text, host, port) in [
            ("127.0.0.1:9091", "127.0.0.1", 9091),
            (":9091", "", 9091),
            ("0.0.0.0:0", "0.0.0.0", 0),
            ("[::1]:65535", "::1", 65535),
            ("[::]:80", "::", 80),
            ("localhost:9091", "localhost", 9091),
        ] {
            let address: ListenAddress = text.parse().unwrap();
            assert_eq!((address.host(), address.port()), (host, port));
            assert_eq!(address.to_string(), text);
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "9091",
            "localhost",
            "localhost:",
            "localhost:http",
            "h:65536",
            "h:+80",
            "::1:9091",
            "[::1]",
            "[::1:80",
            "[x]:80",
            "a b:80",
            "http://h:80",
            "h/x:80",
            "vsock://:9091",
        ] {
            assert!(text.parse::<ListenAddress>().is_err(), "{text}");
        }
    }
}
