//! Ranges of IP addresses.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A range of IP addresses, `10.0.0.0/8`, or one address. No IPv4 address is in a range of IPv6.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Network {
    first: IpAddr,
    prefix: u32,
}

impl Network {
    /// Whether an address is in it. One of IPv4 that is mapped into IPv6 has to be unmapped before.
    pub(super) fn contains(self, address: IpAddr) -> bool {
        without_rest(address, self.prefix) == Some(self.first)
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("'{text}' is not a network such as '10.0.0.0/8' or 'fd00::/8'");
        let (address, prefix) = text.split_once('/').map_or((text, None), |(a, p)| (a, Some(p)));
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let prefix = prefix.map_or(Ok(bits(address)), str::parse).map_err(|_| wrong())?;
        let first = without_rest(address, prefix).ok_or_else(wrong)?;
        match () {
            () if first != address => {
                Err(format!("'{text}' begins inside of a network; write '{first}/{prefix}'"))
            }
            () if first.to_canonical() != first => {
                Err(format!("'{text}' is mapped into IPv6; write the network in IPv4"))
            }
            () => Ok(Self { first, prefix }),
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.prefix)
    }
}

fn bits(address: IpAddr) -> u32 {
    if address.is_ipv4() { Ipv4Addr::BITS } else { Ipv6Addr::BITS }
}

/// The address with nothing behind so many bits; `None` when it has not as many.
fn without_rest(address: IpAddr, prefix: u32) -> Option<IpAddr> {
    let rest = bits(address).checked_sub(prefix)?;
    Some(match address {
        IpAddr::V4(address) => {
            Ipv4Addr::from_bits(address.to_bits() & u32::MAX.checked_shl(rest).unwrap_or(0)).into()
        }
        IpAddr::V6(address) => {
            Ipv6Addr::from_bits(address.to_bits() & u128::MAX.checked_shl(rest).unwrap_or(0)).into()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_in_a_network_or_not() {
        for (network, address, expected) in [
            ("10.0.0.0/8", "10.255.255.255", true),
            ("10.0.0.0/8", "11.0.0.0", false),
            ("10.0.0.0/8", "9.255.255.255", false),
            ("10.1.2.3", "10.1.2.3", true),
            ("10.1.2.3/32", "10.1.2.2", false),
            ("10.1.2.2/31", "10.1.2.3", true),
            ("0.0.0.0/0", "255.255.255.255", true),
            ("0.0.0.0/0", "::1", false),
            ("::/0", "::1", true),
            ("::/0", "10.1.2.3", false),
            ("2001:db8::/33", "2001:db8:7fff::", true),
            ("2001:db8::/33", "2001:db8:8000::", false),
            ("::1", "::2", false),
        ] {
            let found = network.parse::<Network>().unwrap().contains(address.parse().unwrap());
            assert_eq!(found, expected, "{address} in {network}");
        }
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in
            ["", "/8", "ten", "10.0.0/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "::/129", "::1%eth0"]
        {
            let expected = format!("'{text}' is not a network such as '10.0.0.0/8' or 'fd00::/8'");
            assert_eq!(text.parse::<Network>(), Err(expected));
        }
        for (text, expected) in [
            ("10.1.2.3/8", "'10.1.2.3/8' begins inside of a network; write '10.0.0.0/8'"),
            ("fd00::1/0", "'fd00::1/0' begins inside of a network; write '::/0'"),
            ("::ffff:10.0.0.0/104", "'::ffff:10.0.0.0/104' is mapped into IPv6; write the network in IPv4"),
        ] {
            assert_eq!(text.parse::<Network>(), Err(expected.to_owned()));
        }
    }
}
