//! Who pushes, as far as the gateway tells.

use std::fmt;
use std::net::IpAddr;

use pushgate_plugin::{Network, Pattern, Push, quote};

/// The attribute that is an address.
pub(crate) const NETWORK: &str = "network";

/// Facts that must all be true of a caller.
#[derive(Debug)]
pub(crate) struct Caller(pub(crate) Vec<Fact>);

/// An attribute, and what one of its values must be.
#[derive(Debug)]
pub(crate) struct Fact {
    pub(crate) attribute: String,
    pub(crate) values: Values,
}

#[derive(Debug)]
pub(crate) enum Values {
    Patterns(Vec<Pattern>),
    Networks(Vec<Network>),
}

impl Caller {
    pub(crate) fn is_of(&self, push: &Push) -> bool {
        self.0.iter().all(|fact| {
            let mut values = push.attributes().filter(|(name, _)| *name == fact.attribute);
            values.any(|(_, value)| fact.values.have(value))
        })
    }
}

impl Values {
    fn have(&self, value: &str) -> bool {
        match self {
            Self::Patterns(patterns) => patterns.iter().any(|pattern| pattern.is_match(value)),
            Self::Networks(networks) => value
                .parse::<IpAddr>()
                .is_ok_and(|address| networks.iter().any(|network| network.contains(address))),
        }
    }
}

/// Everything that is known of whoever pushes, in words.
pub(crate) struct Known<'p>(pub(crate) &'p Push);

impl fmt::Display for Known<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, value)) in self.0.attributes().enumerate() {
            let glue = if index == 0 { "" } else { ", " };
            write!(f, "{glue}{name} {}", quote(value))?;
        }
        Ok(())
    }
}
