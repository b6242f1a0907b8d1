//! Ranges of IP addresses.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A range of IP addresses in CIDR notation, or a single address. An IPv4 address that is mapped into IPv6
/// (`::ffff:10.0.0.1`), as a gateway that listens on both sees it, is the IPv4 address.
///
/// ```
/// use pushgate_plugin::Network;
///
/// let office: Network = "10.8.0.0/16".parse()?;
/// assert!(office.contains("10.8.3.1".parse()?) && office.contains("::ffff:10.8.3.1".parse()?));
/// assert!(!office.contains("10.9.0.1".parse()?));
/// assert!("10.8.0.1/16".parse::<Network>().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    first: IpAddr,
    prefix: u32,
}

/// Why a text is no [`Network`].
///
/// ```
/// let error = "10.8.0.1/16".parse::<pushgate_plugin::Network>().unwrap_err();
/// assert_eq!(error.to_string(), "write '10.8.0.0/16': the address has bits behind its prefix");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkError(String);

impl fmt::Display for NetworkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NetworkError {}

impl Network {
    /// Whether an address is in it. No IPv4 address is in a range of IPv6, `::/0` included.
    ///
    /// ```
    /// # use pushgate_plugin::Network;
    /// let everybody: Network = "0.0.0.0/0".parse()?;
    /// assert!(everybody.contains("192.0.2.7".parse()?) && !everybody.contains("2001:db8::1".parse()?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn contains(self, address: IpAddr) -> bool {
        first_of(address.to_canonical(), self.prefix) == Some(self.first)
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let wrong = || NetworkError("expected a network such as '10.0.0.0/8' or 'fd00::/8'".to_owned());
        let (address, prefix) = text.split_once('/').map_or((text, None), |(a, p)| (a, Some(p)));
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let bits = bits_of(address);
        let prefix = match prefix {
            None => bits,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().ok().filter(|prefix| *prefix <= bits).ok_or_else(wrong)?
            }
            Some(_) => return Err(wrong()),
        };
        let first = first_of(address, prefix).ok_or_else(wrong)?;
        if first != address {
            let message = format!("write '{first}/{prefix}': the address has bits behind its prefix");
            return Err(NetworkError(message));
        }
        // What is mapped has as many bits less in front. With fewer than that it would have had bits behind its prefix.
        let canonical = first.to_canonical();
        Ok(Self { first: canonical, prefix: prefix - (bits - bits_of(canonical)) })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.prefix == bits_of(self.first) {
            return self.first.fmt(f);
        }
        write!(f, "{}/{}", self.first, self.prefix)
    }
}

fn bits_of(address: IpAddr) -> u32 {
    if address.is_ipv4() { Ipv4Addr::BITS } else { Ipv6Addr::BITS }
}

/// The address with nothing behind its prefix; `None` when it has fewer bits than that.
fn first_of(address: IpAddr, prefix: u32) -> Option<IpAddr> {
    let behind = bits_of(address).checked_sub(prefix)?;
    Some(match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(behind).unwrap_or(0);
            Ipv4Addr::from_bits(address.to_bits() & mask).into()
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(behind).unwrap_or(0);
            Ipv6Addr::from_bits(address.to_bits() & mask).into()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_in_networks() {
        for (network, address, expected) in [
            ("10.0.0.0/8", "10.255.255.255", true),
            ("10.0.0.0/8", "11.0.0.0", false),
            ("10.0.0.0/8", "9.255.255.255", false),
            ("10.0.0.0/8", "::ffff:10.1.2.3", true),
            ("10.0.0.0/8", "::10.1.2.3", false),
            ("10.1.2.3", "10.1.2.3", true),
            ("10.1.2.3", "10.1.2.2", false),
            ("10.1.2.2/31", "10.1.2.3", true),
            ("10.1.2.2/31", "10.1.2.4", false),
            ("10.1.2.3/32", "10.1.2.3", true),
            ("0.0.0.0/0", "255.255.255.255", true),
            ("0.0.0.0/0", "::1", false),
            ("::/0", "::1", true),
            ("::/0", "10.1.2.3", false),
            ("::/0", "::ffff:10.1.2.3", false),
            ("fd00::/8", "fdff:ffff::1", true),
            ("fd00::/8", "fe00::", false),
            ("::1", "::1", true),
            ("::1/128", "::2", false),
            ("2001:db8::/33", "2001:db8:7fff::", true),
            ("2001:db8::/33", "2001:db8:8000::", false),
            ("::ffff:10.0.0.0/104", "10.1.2.3", true),
            ("::ffff:10.0.0.0/104", "11.1.2.3", false),
            ("::ffff:10.1.2.3", "10.1.2.3", true),
            ("::ffff:0.0.0.0/96", "192.0.2.1", true),
        ] {
            let found = network.parse::<Network>().unwrap().contains(address.parse().unwrap());
            assert_eq!(found, expected, "{address} in {network}");
        }
    }

    #[test]
    fn what_is_no_network() {
        for text in [
            "",
            "/",
            "/8",
            "a",
            "10.0.0/8",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.0/-1",
            "10.0.0.0/+8",
            "10.0.0.0/8/8",
            "::/129",
            "010.0.0.0/8",
            "10.0.0.0 /8",
            "::1%eth0",
            "10.0.0.0/99999999999",
        ] {
            let error = text.parse::<Network>().unwrap_err().to_string();
            assert!(error.starts_with("expected a network"), "{text}: {error}");
        }
        for (text, meant) in [
            ("10.1.2.3/8", "10.0.0.0/8"),
            ("10.1.2.3/0", "0.0.0.0/0"),
            ("fd00::1/8", "fd00::/8"),
            ("::ffff:10.0.0.0/95", "::fffe:0:0/95"),
        ] {
            let error = text.parse::<Network>().unwrap_err().to_string();
            assert!(error.contains(&format!("'{meant}'")), "{text}: {error}");
        }
    }

    #[test]
    fn a_network_is_shown_as_it_is_written() {
        for (text, shown) in [
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("10.1.2.3/32", "10.1.2.3"),
            ("fd00::/8", "fd00::/8"),
            ("::1/128", "::1"),
            ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
        ] {
            assert_eq!(text.parse::<Network>().unwrap().to_string(), shown);
        }
    }
}
