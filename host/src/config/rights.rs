//! `[[rights]]`: who may do what, and to which jobs.

use std::fmt;
use std::str::FromStr;

use serde_json::Value;
use toml::Spanned;
use toml::de::DeValue;

use super::kind::{self, list, text};
use super::pattern::Pattern;
use super::section::Section;
use super::show::{Row, quoted, toml_of};
use super::token::TokenDigest;
use super::{Problems, Web};

/// Entries. Each request is compared with all of them.
const MAX_ENTRIES: usize = 1_000;

/// Characters of a token's name.
const MAX_NAME: usize = 64;

/// Who may do what. What no entry grants is refused; only while there is no entry at all, nothing is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rights {
    entries: Vec<Entry>,
}

/// What somebody may do: a verb of the configuration.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Right {
    /// PUT and POST of metrics.
    Push,
    /// DELETE of one group.
    Delete,
    /// Read what is stored: scrapes, pages and the API.
    Scrape,
    /// Everything that is about the gateway as a whole.
    Admin,
}

/// What is known, and proved, of whoever asks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Identity<'c> {
    /// The user whose password was right.
    pub user: Option<&'c str>,
    /// The token that was sent.
    pub token: Option<TokenDigest>,
    /// The names in the client's certificate, which was verified.
    pub tls_names: &'c [String],
}

#[derive(Clone, Debug, PartialEq)]
struct Entry {
    who: Who,
    rights: Vec<Right>,
    /// For every job without it.
    jobs: Option<Pattern>,
}

#[derive(Clone, Debug, PartialEq)]
enum Who {
    Everybody,
    User(Pattern),
    TlsName(Pattern),
    Token { name: String, digest: TokenDigest },
}

impl Rights {
    /// Whether there are none, so that everybody may do everything.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether somebody can be known by a token.
    pub fn know_tokens(&self) -> bool {
        self.entries.iter().any(|entry| matches!(entry.who, Who::Token { .. }))
    }

    /// The name of a token; `None` if it is none of these. It takes the same time for all of them.
    pub fn name_of(&self, token: &TokenDigest) -> Option<&str> {
        self.entries.iter().fold(None, |found, entry| match &entry.who {
            Who::Token { name, digest } if digest == token => Some(name.as_str()),
            _ => found,
        })
    }

    /// Whether an entry is for whoever asks by more than being for everybody.
    pub fn know(&self, caller: &Identity<'_>) -> bool {
        self.entries.iter().any(|entry| entry.who != Who::Everybody && entry.who.is(caller))
    }

    /// Whether `caller` has that right; to push or delete, for `job`.
    pub fn grant(&self, caller: &Identity<'_>, right: Right, job: Option<&str>) -> bool {
        let covers = |jobs: &Pattern| job.is_some_and(|job| jobs.is_match(job));
        self.entries.iter().any(|entry| {
            entry.rights.contains(&right) && entry.jobs.as_ref().is_none_or(covers) && entry.who.is(caller)
        })
    }

    /// Adds what is wrong with entries that are for users or certificates where nothing asks for either.
    pub fn check(&self, web: &Web, problems: &mut Problems) {
        let has_nobody = |entry: &Entry| matches!(entry.who, Who::User(_) | Who::TlsName(_));
        for (number, entry) in (1..).zip(&self.entries).filter(|(_, entry)| has_nobody(entry)) {
            if web.config_file.is_some() {
                continue;
            }
            let (key, what) = match entry.who {
                Who::TlsName(_) => ("tls_san", "certificates of clients are verified"),
                _ => ("user", "passwords are asked for"),
            };
            let message = format!(
                "it is for nobody, as {what} only with a file in [web] config_file; set that as well"
            );
            problems.add(None, format!("[[rights]] {number} {key}"), message);
        }
    }

    pub(super) fn read(root: &mut Section<'_, '_>) -> Self {
        let Some(value) = root.take("rights") else { return Self::default() };
        let wrong_type =
            |value: &Spanned<DeValue<'_>>| kind::wrong_type(value, "a list of tables", "write [[rights]]");
        let DeValue::Array(tables) = value.get_ref() else {
            root.refuse("rights", wrong_type(value));
            return Self::default();
        };
        if tables.len() > MAX_ENTRIES {
            let message = format!("there are {} entries; allowed: up to {MAX_ENTRIES}", tables.len());
            root.findings().add(value.span().start, "[[rights]]", message);
            return Self::default();
        }
        let mut entries: Vec<(usize, Entry)> = Vec::new();
        for (number, table) in (1..).zip(tables.iter()) {
            let DeValue::Table(keys) = table.get_ref() else {
                root.refuse("rights", wrong_type(table));
                continue;
            };
            let place = format!("[[rights]] {number}");
            let mut section = Section::new(root.findings(), place, table.span().start, keys);
            let read = Entry::read(&mut section);
            let line = section.line();
            if let Some(entry) = &read {
                entry.compare(&entries, &mut section);
            }
            section.finish();
            entries.extend(read.map(|entry| (line, entry)));
        }
        Self { entries: entries.into_iter().map(|(_, entry)| entry).collect() }
    }

    /// The keys of each entry.
    pub(super) fn rows(&self) -> impl Iterator<Item = Vec<Row>> {
        self.entries.iter().map(Entry::rows)
    }
}

impl Entry {
    fn read(entry: &mut Section<'_, '_>) -> Option<Self> {
        let who = Who::read(entry);
        let verb = text("\"push\", \"delete\", \"scrape\" or \"admin\"", str::parse);
        let rights = entry.required("verbs", &list(verb));
        let jobs = entry.optional("jobs", &text("a regular expression such as \"team-a-.*\"", somebody));
        let about_jobs = |right: &Right| matches!(right, Right::Push | Right::Delete);
        if let (Some(rights), Some(_)) = (&rights, &jobs)
            && let Some(other) = rights.iter().find(|right| !about_jobs(right))
        {
            let message = format!(
                "'{other}' is about the whole gateway and not about jobs; write it in an entry without jobs"
            );
            let (offset, place) = (entry.offset_of("jobs"), entry.place_of("jobs"));
            entry.findings().add(offset, place, message);
        }
        Some(Self { who: who?, rights: rights?, jobs })
    }

    /// Tells what entries before it make of no use, or contradict.
    fn compare(&self, before: &[(usize, Self)], section: &mut Section<'_, '_>) {
        let Some((line, key, message)) =
            before.iter().find_map(|(line, other)| match (&self.who, &other.who) {
                _ if self == other => Some((line, "verbs", "has an entry that says the same".to_owned())),
                (Who::Token { name, digest }, Who::Token { name: other, digest: same })
                    if digest == same && name != other =>
                {
                    Some((
                        line,
                        "token_sha256",
                        format!("has this token under the name '{other}'; each has one name"),
                    ))
                }
                _ => None,
            })
        else {
            return;
        };
        let (offset, place) = (section.offset_of(key), section.place_of(key));
        section.findings().add(offset, place, format!("line {line} {message}"));
    }

    fn rows(&self) -> Vec<Row> {
        let pattern = |pattern: &Pattern| quoted(pattern.as_str());
        let mut rows: Vec<Row> = match &self.who {
            Who::Everybody => Vec::new(),
            Who::User(user) => vec![("user", Some(pattern(user)))],
            Who::TlsName(name) => vec![("tls_san", Some(pattern(name)))],
            Who::Token { name, digest } => {
                vec![("name", Some(quoted(name))), ("token_sha256", Some(quoted(&digest.to_string())))]
            }
        };
        let verbs: Value = self.rights.iter().map(|right| Value::from(right.as_str())).collect();
        rows.push(("verbs", Some(toml_of(&verbs))));
        rows.push(("jobs", self.jobs.as_ref().map(pattern)));
        rows
    }
}

impl Who {
    fn read(entry: &mut Section<'_, '_>) -> Option<Self> {
        let user = entry.optional("user", &text("a regular expression such as \"ci-.*\"", somebody));
        let san = entry
            .optional("tls_san", &text("a regular expression such as \"db.*[.]example[.]org\"", somebody));
        let digest = entry.optional("token_sha256", &text("the SHA-256 of a token", str::parse));
        let name = entry.optional("name", &text("a name such as \"ci\"", token_name));
        let given: Vec<_> = ["user", "tls_san", "token_sha256"]
            .into_iter()
            .filter(|key| entry.line_of(key).is_some())
            .collect();
        match given.as_slice() {
            [] if entry.line_of("name").is_some() => {
                tell(entry, "name", "it is what a token is called; write it beside token_sha256");
                None
            }
            [] => Some(Self::Everybody),
            ["token_sha256"] if entry.line_of("name").is_none() => {
                tell(
                    entry,
                    "token_sha256",
                    "a token needs a name, which the log shows; write name = \"ci\" beside it",
                );
                None
            }
            ["token_sha256"] => Some(Self::Token { name: name?, digest: digest? }),
            [key] if entry.line_of("name").is_some() => {
                tell(
                    entry,
                    "name",
                    &format!("it is what a token is called, and this entry has {key}; leave it out"),
                );
                None
            }
            ["user"] => user.map(Self::User),
            ["tls_san"] => san.map(Self::TlsName),
            [_, second, ..] => {
                let keys = given.join(" and ");
                tell(
                    entry,
                    second,
                    &format!("an entry is for one kind of caller, and this has {keys}; write one for each"),
                );
                None
            }
            [_] => None,
        }
    }

    fn is(&self, caller: &Identity<'_>) -> bool {
        match self {
            Self::Everybody => true,
            Self::User(user) => caller.user.is_some_and(|name| user.is_match(name)),
            Self::TlsName(san) => caller.tls_names.iter().any(|name| san.is_match(name)),
            Self::Token { digest, .. } => caller.token.is_some_and(|token| token == *digest),
        }
    }
}

fn tell(entry: &mut Section<'_, '_>, key: &str, message: &str) {
    let (offset, place) = (entry.offset_of(key), entry.place_of(key));
    entry.findings().add(offset, place, message);
}

/// A pattern of names, which are never empty.
fn somebody(pattern: &str) -> Result<Pattern, String> {
    if pattern.is_empty() {
        return Err("the empty pattern matches nobody and no job; leave the key out for all".to_owned());
    }
    pattern.parse()
}

fn token_name(name: &str) -> Result<String, String> {
    let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if name.is_empty() || name.len() > MAX_NAME || !name.bytes().all(is_legal) {
        return Err(format!(
            "a token's name is of 1 to {MAX_NAME} letters, digits, '.', '_' and '-', as it stands in the log"
        ));
    }
    Ok(name.to_owned())
}

impl Right {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Push, Self::Delete, Self::Scrape, Self::Admin];

    /// The verb, which [`FromStr`] reads.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Push => "push",
            Self::Delete => "delete",
            Self::Scrape => "scrape",
            Self::Admin => "admin",
        }
    }
}

impl FromStr for Right {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|right| right.as_str() == text);
        found.ok_or_else(|| format!("'{text}' is no verb; allowed: push, delete, scrape, admin"))
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The name of a token, for whoever makes one.
///
/// # Errors
/// If it is none: what it may be.
pub fn check_token_name(name: &str) -> Result<(), String> {
    token_name(name).map(drop)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;

    const RIGHTS: &str = "
        [[rights]]
        user = 'ci-.*'
        verbs = ['push', 'delete']
        jobs = 'team-a-.*|shared'
        [[rights]]
        user = 'ci-root'
        verbs = ['admin']
        [[rights]]
        tls_san = 'db.*'
        verbs = ['push']
        [[rights]]
        name = 'prometheus'
        token_sha256 = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
        verbs = ['scrape']
        [[rights]]
        verbs = ['push']
        jobs = 'public'
    ";

    fn examine(text: &str) -> (Rights, String) {
        let (config, mut problems) = Config::examine(text, Path::new("c.toml"));
        config.rights.check(&config.web, &mut problems);
        (config.rights, problems.to_string())
    }

    #[test]
    fn what_no_entry_grants_is_not_granted() {
        let (rights, _) = examine(RIGHTS);
        let names = ["10.0.0.1".to_owned(), "db1".to_owned()];
        let nobody = Identity::default();
        let user = |name| Identity { user: Some(name), ..nobody };
        let token = |token: &[u8]| Identity { token: Some(TokenDigest::of(token)), ..nobody };
        let certificate = Identity { tls_names: &names, ..nobody };
        for (caller, is_known, expected) in [
            (nobody, false, &["push public"][..]),
            (user("alice"), false, &["push public"]),
            (
                user("ci-1"),
                true,
                &["push team-a-x", "push shared", "push public", "delete team-a-x", "delete shared"],
            ),
            (
                user("ci-root"),
                true,
                &["push team-a-x", "push shared", "push public", "delete team-a-x", "delete shared", "admin"],
            ),
            (user("an ci-1"), false, &["push public"]),
            (certificate, true, &["push team-a-x", "push shared", "push public", "push team-b"]),
            (token(b"abc"), true, &["push public", "scrape"]),
            (token(b"abd"), false, &["push public"]),
        ] {
            let mut granted = Vec::new();
            for right in [Right::Push, Right::Delete] {
                let jobs = ["team-a-x", "shared", "public", "team-b"];
                let of_right = jobs.into_iter().filter(|job| rights.grant(&caller, right, Some(job)));
                granted.extend(of_right.map(|job| format!("{right} {job}")));
            }
            let others = [Right::Scrape, Right::Admin].into_iter();
            granted.extend(
                others.filter(|right| rights.grant(&caller, *right, None)).map(|right| right.to_string()),
            );
            assert_eq!(granted, expected, "{caller:?}");
            assert_eq!(rights.know(&caller), is_known, "{caller:?}");
        }
        assert_eq!(rights.name_of(&TokenDigest::of(b"abc")), Some("prometheus"));
        assert_eq!(rights.name_of(&TokenDigest::of(b"")), None);
        assert!(!rights.is_empty() && rights.know_tokens() && Rights::default().is_empty());
    }

    /// What is told of entries behind `[web]`, `config_file` and two lines more.
    fn told(entries: &str) -> String {
        let (_, problems) = examine(&format!("[web]\nconfig_file = 'web.yml'\n{entries}"));
        problems.replace("c.toml:", "")
    }

    #[test]
    fn what_is_wrong_is_told_with_its_mend() {
        const HASH: &str =
            "token_sha256 = '0000000000000000000000000000000000000000000000000000000000000000'";
        for (entry, expected) in [
            ("", "3: [[rights]] 1: needs a key 'verbs'"),
            ("verbs = []", "4: [[rights]] 1 verbs: the list is empty; at least one element is needed"),
            (
                "verbs = ['read']",
                "4: [[rights]] 1 verbs: 'read' is no verb; allowed: push, delete, scrape, admin",
            ),
            ("verbs = ['push', 'push']", "4: [[rights]] 1 verbs: stands in the list twice"),
            (
                "jobs = 'a'\nverbs = ['push', 'scrape']",
                "4: [[rights]] 1 jobs: 'scrape' is about the whole gateway and not about jobs; write it in an entry \
                 without jobs",
            ),
            (
                "verbs = ['push']\njobs = ''",
                "5: [[rights]] 1 jobs: the empty pattern matches nobody and no job; leave the key out for all",
            ),
            (
                "verbs = ['push']\njobs = '['",
                "5: [[rights]] 1 jobs: '[' is not a regular expression: unclosed character class",
            ),
            (
                "verbs = ['push']\nname = 'a'",
                "5: [[rights]] 1 name: it is what a token is called; write it beside token_sha256",
            ),
            (
                "verbs = ['push']\nuser = 'a'\nname = 'a'",
                "6: [[rights]] 1 name: it is what a token is called, and this entry has user; leave it out",
            ),
            (
                "verbs = ['push']\nuser = 'a'\ntls_san = 'a'",
                "6: [[rights]] 1 tls_san: an entry is for one kind of caller, and this has user and tls_san; write \
                 one for each",
            ),
            (
                "verbs = ['push']\nname = 'a'\ntoken_sha256 = 'secret'",
                "6: [[rights]] 1 token_sha256: is no SHA-256, which has 64 digits of 0-9, a-f; 'pushgate token NAME' \
                 makes a token with its hash",
            ),
            (
                &format!("verbs = ['push']\n{HASH}"),
                "5: [[rights]] 1 token_sha256: a token needs a name, which the log shows; write name = \"ci\" beside it",
            ),
            (
                &format!("verbs = ['push']\n{HASH}\nname = 'a b'"),
                "6: [[rights]] 1 name: a token's name is of 1 to 64 letters, digits, '.', '_' and '-', as it stands in \
                 the log",
            ),
            (
                &format!(
                    "name = 'a'\n{HASH}\nverbs = ['push']\n[[rights]]\nname = 'b'\n{HASH}\nverbs = ['scrape']"
                ),
                "9: [[rights]] 2 token_sha256: line 3 has this token under the name 'a'; each has one name",
            ),
            (
                &format!(
                    "name = 'a'\n{HASH}\nverbs = ['push']\n[[rights]]\nname = 'a'\n{HASH}\nverbs = ['scrape']"
                ),
                "",
            ),
            (
                "verbs = ['push']\n[[rights]]\nverbs = ['push']",
                "6: [[rights]] 2 verbs: line 3 has an entry that says the same",
            ),
            (
                "verbs = ['push']\njob = 'a'",
                "5: [[rights]] 1 job: unknown key; did you mean 'jobs'? allowed: jobs, name, tls_san, token_sha256, \
                 user, verbs",
            ),
        ] {
            assert_eq!(told(&format!("[[rights]]\n{entry}")), expected, "{entry}");
        }
        assert_eq!(told("[rights]"), "3: rights: expected a list of tables, found a table; write [[rights]]");
        assert_eq!(told("rights = ['a']").lines().count(), 1);
    }

    #[test]
    fn users_and_certificates_need_a_web_configuration() {
        let text = "[[rights]]\nverbs = ['scrape']\n[[rights]]\nuser = 'a'\nverbs = ['push']\n\
                    [[rights]]\ntls_san = 'a'\nverbs = ['push']\n";
        assert_eq!(
            examine(text).1,
            "c.toml: [[rights]] 2 user: it is for nobody, as passwords are asked for only with a file in [web] \
             config_file; set that as well\n\
             c.toml: [[rights]] 3 tls_san: it is for nobody, as certificates of clients are verified only with a file \
             in [web] config_file; set that as well"
        );
        assert_eq!(told(text), "");
    }

    #[test]
    fn the_number_of_entries_and_the_length_of_a_name_are_bounded() {
        let entries = |count: usize| -> String {
            (0..count).map(|number| format!("[[rights]]\nverbs = ['push']\njobs = 'j{number}'\n")).collect()
        };
        assert_eq!(told(&entries(MAX_ENTRIES)), "");
        assert_eq!(
            told(&entries(MAX_ENTRIES + 1)),
            "3: [[rights]]: there are 1001 entries; allowed: up to 1000"
        );
        assert!(token_name(&"a".repeat(MAX_NAME)).is_ok() && token_name(&"a".repeat(MAX_NAME + 1)).is_err());
    }
}
