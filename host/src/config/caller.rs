//! `[caller]`: what policies are told of whoever pushes.

use std::fmt;
use std::str::FromStr;

use http::HeaderName;
use http::header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION};

use super::kind::{short_list, text};
use super::section::Section;

/// Facts that may be told; each is copied into the push.
const MAX_ATTRIBUTES: usize = 16;

/// What an attribute that is a header begins with.
const HEADER: &str = "header:";

/// Headers that are secrets.
const SECRET: [HeaderName; 3] = [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION];

/// `[caller]`: what policies are told of whoever pushes. What is not named here no plugin sees.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Caller {
    /// Sorted by their names.
    pub attributes: Vec<Attribute>,
}

/// A fact about whoever pushes, by a name that plugins know it by.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribute {
    name: String,
    /// What it is.
    pub fact: Fact,
}

/// What there is to know of whoever pushes.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// The user of the web configuration whose password was right.
    User,
    /// The name of the token that was sent.
    Token,
    /// A name in the client's certificate, which was verified.
    TlsName,
    /// The address that the connection comes from.
    Address,
    /// What a header of the request says, whoever has set it.
    Header(HeaderName),
}

impl Caller {
    pub(super) fn read(&mut self, caller: &mut Section<'_, '_>) {
        let attribute = text("an attribute such as \"user\"", str::parse);
        caller.key("attributes", &short_list(MAX_ATTRIBUTES, attribute), &mut self.attributes);
        self.attributes.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    }

    /// The attribute of that name, if policies are told of it.
    ///
    /// # Errors
    /// If they are not: what to do about it.
    pub fn find(&self, name: &str) -> Result<&Attribute, String> {
        if let Some(attribute) = self.attributes.iter().find(|attribute| attribute.name == name) {
            return Ok(attribute);
        }
        let attribute: Attribute = name.parse()?;
        let names =
            self.attributes.iter().chain([&attribute]).map(|attribute| format!("{:?}", attribute.name));
        let names = names.collect::<Vec<_>>().join(", ");
        Err(format!("it is not told of callers; write attributes = [{names}] below [caller]"))
    }
}

impl Attribute {
    /// Its name, which [`FromStr`] reads.
    pub fn as_str(&self) -> &str {
        &self.name
    }
}

impl FromStr for Attribute {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let fact = match name {
            "user" => Fact::User,
            "token" => Fact::Token,
            "tls-san" => Fact::TlsName,
            "network" => Fact::Address,
            _ => Fact::Header(header(name)?),
        };
        Ok(Self { name: name.to_owned(), fact })
    }
}

fn header(name: &str) -> Result<HeaderName, String> {
    let allowed = "allowed: user, token, tls-san, network, header:<name>";
    let unknown = || format!("'{name}' is no attribute of a caller; {allowed}");
    let header = name.strip_prefix(HEADER).ok_or_else(unknown)?;
    let lower = header.to_ascii_lowercase();
    let parsed = HeaderName::from_lowercase(lower.as_bytes())
        .map_err(|_| format!("'{header}' is not the name of a header; {allowed}"))?;
    match () {
        () if lower != header => Err(format!("write '{HEADER}{lower}': names of attributes are lower-case")),
        () if SECRET.contains(&parsed) => Err(format!("'{header}' is a secret, which no plugin is told")),
        () => Ok(parsed),
    }
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::Config;

    /// The names that are told, or what is wrong.
    fn read(attributes: &str) -> Result<Vec<String>, String> {
        let text = format!("[caller]\nattributes = {attributes}\n");
        let config = Config::parse(&text, Path::new("c.toml")).map_err(|problems| problems.to_string())?;
        Ok(config.caller.attributes.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn attributes_are_sorted_by_name() {
        assert_eq!(read("[]"), Ok(Vec::new()));
        let sorted = ["header:x-a", "header:x-team", "network", "tls-san", "user"].map(str::to_owned);
        assert_eq!(
            read("['user', 'tls-san', 'header:x-team', 'network', 'header:x-a']"),
            Ok(sorted.to_vec())
        );
    }

    #[test]
    fn what_is_no_attribute_is_refused() {
        for (attribute, expected) in [
            (
                "job",
                "'job' is no attribute of a caller; allowed: user, token, tls-san, network, header:<name>",
            ),
            ("", "'' is no attribute of a caller; allowed: user, token, tls-san, network, header:<name>"),
            (
                "User",
                "'User' is no attribute of a caller; allowed: user, token, tls-san, network, header:<name>",
            ),
            (
                "header:",
                "'' is not the name of a header; allowed: user, token, tls-san, network, header:<name>",
            ),
            (
                "header:x y",
                "'x y' is not the name of a header; allowed: user, token, tls-san, network, header:<name>",
            ),
            ("header:X-Team", "write 'header:x-team': names of attributes are lower-case"),
            ("header:authorization", "'authorization' is a secret, which no plugin is told"),
            ("header:cookie", "'cookie' is a secret, which no plugin is told"),
            ("header:proxy-authorization", "'proxy-authorization' is a secret, which no plugin is told"),
        ] {
            let expected = format!("c.toml:2: [caller] attributes: {expected}");
            assert_eq!(read(&format!("['{attribute}']")), Err(expected), "{attribute}");
        }
        let twice = "c.toml:2: [caller] attributes: stands in the list twice";
        assert_eq!(read("['user', 'user']"), Err(twice.to_owned()));
    }

    #[test]
    fn the_number_of_attributes_is_bounded() {
        let list = |length: usize| {
            (0..length).map(|number| format!("'header:x-{number}'")).collect::<Vec<_>>().join(", ")
        };
        assert_eq!(read(&format!("[{}]", list(16))).map(|names| names.len()), Ok(16));
        let expected = "c.toml:2: [caller] attributes: the list has 17 elements; allowed: up to 16";
        assert_eq!(read(&format!("[{}]", list(17))), Err(expected.to_owned()));
    }
}
