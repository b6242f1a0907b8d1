//! Keys that are given outside of the file, by a flag or a variable of the environment.

use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Config;
use super::section::{Findings, Section};

/// A value as it is given: what it may be is for the key to say.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Given {
    /// For a key that is true or false.
    Switch(bool),
    /// For a key that is a string in the file.
    Text(String),
    /// For a key that is a list of strings.
    List(Vec<String>),
}

impl Given {
    fn value(&self) -> DeValue<'_> {
        let string = |text| DeValue::String(std::borrow::Cow::Borrowed(text));
        match self {
            Self::Switch(on) => DeValue::Boolean(*on),
            Self::Text(text) => string(text),
            Self::List(list) => DeValue::Array(list.iter().map(|text| nowhere(string(text))).collect()),
        }
    }
}

impl Config {
    /// Sets a key of a section (`[[plugin]]` is none) by the rules of the file; relative paths start from the
    /// working directory.
    ///
    /// # Errors
    /// What is wrong with the value; the key keeps the one it had.
    pub fn set(&mut self, section: &'static str, key: &'static str, given: &Given) -> Result<(), String> {
        let mut inner = DeTable::new();
        inner.insert(nowhere(key.into()), nowhere(given.value()));
        let mut outer = DeTable::new();
        outer.insert(nowhere(section.into()), nowhere(DeValue::Table(inner)));
        let mut findings = Findings::new("", Path::new(""));
        let mut root = Section::new(&mut findings, "", 0, &outer);
        self.read_sections(&mut root, Path::new(""));
        root.finish();
        match findings.into_problems().iter().next() {
            Some(problem) => Err(problem.message.clone()),
            None => Ok(()),
        }
    }
}

/// What stands in no file has no place there.
fn nowhere<T>(value: T) -> Spanned<T> {
    Spanned::new(0..0, value)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn text(text: &str) -> Given {
        Given::Text(text.to_owned())
    }

    #[test]
    fn a_key_is_set_and_the_others_are_left() {
        let file = "[web]\nmax_connections = 7\n[[plugin]]\nname = 'a'\nsource = 'a.wasm'\n";
        let mut config = Config::parse(file, Path::new("/etc/c.toml")).unwrap();
        let before = config.clone();
        config.set("persistence", "file", &text("data")).unwrap();
        config.set("web", "enable_admin_api", &Given::Switch(true)).unwrap();
        config.set("web", "listen_address", &Given::List(vec![":1".into(), ":2".into()])).unwrap();
        assert_eq!(config.persistence.file, Some(PathBuf::from("data")), "from the working directory");
        assert!(config.web.enable_admin_api);
        assert_eq!(config.web.listen_address.len(), 2);
        assert_eq!(config.web.max_connections, 7);
        assert_eq!((config.chain, config.plugins), (before.chain, before.plugins));
    }

    #[test]
    fn the_rules_are_those_of_the_file() {
        let mut config = Config::default();
        for (section, key, given, expected) in [
            ("log", "level", text("trace"), "'trace' is not a level; allowed: debug, info, warn, error"),
            ("persistence", "interval", text("8d"), "8d is out of bounds; allowed: 0s to 7d"),
            (
                "web",
                "listen_address",
                Given::List(vec![":1".into(), ":1".into()]),
                "stands in the list twice",
            ),
            (
                "web",
                "enable_lifecycle",
                text("true"),
                "expected a boolean, found a string; write true or false",
            ),
        ] {
            assert_eq!(config.set(section, key, &given), Err(expected.to_owned()));
        }
        assert_eq!(config, Config::default());
    }
}
