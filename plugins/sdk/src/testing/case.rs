//! Case files.

use std::path::Path;

use pushgate_exposition as exposition;
use pushgate_exposition::{GroupingKey, Rules, text};

use crate::Method;

/// One case: a configuration, a push and the outcome that is expected.
///
/// ```
/// use pushgate_plugin::{Method, testing::Case};
///
/// let file = "Nothing to see.\n--- config\n{}\n--- push\nPUT {job=\"a\"}\nruns 1\n--- outcome\naccept\n";
/// let case = Case::parse(file)?;
/// assert_eq!((case.about.as_str(), case.config.as_str()), ("Nothing to see.\n", "{}\n"));
/// assert_eq!((case.method, case.key.job()), (Method::Put, "a"));
/// assert_eq!((case.body.as_str(), case.outcome.as_str()), ("runs 1\n", "accept\n"));
/// assert_eq!(case.to_string(), file);
/// # Ok::<(), pushgate_plugin::testing::CaseError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Case {
    /// What the case is about.
    pub about: String,
    /// The configuration, JSON.
    pub config: String,
    /// How it is pushed, as written: the method and the grouping key on the first line, and on one more, that begins with
    /// `caller`, what the gateway tells of who pushes.
    pub request: String,
    /// What the push does to its group.
    pub method: Method,
    /// The group that is pushed to.
    pub key: GroupingKey,
    /// What [`Push::attributes`](crate::Push::attributes) tells.
    pub caller: Vec<(String, String)>,
    /// The body of the push: exposition text, with its last newline.
    pub body: String,
    /// What is expected, as [`Answer`](super::Answer) displays it.
    pub outcome: String,
}

/// Why a case, or a push in a test, cannot be used.
///
/// ```
/// use pushgate_plugin::testing::Case;
///
/// let error = Case::parse("no sections").unwrap_err();
/// assert_eq!(error.to_string(), "there is no section '--- config'");
/// ```
#[derive(Debug)]
pub struct CaseError(String);

impl CaseError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl std::fmt::Display for CaseError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for CaseError {}

impl Case {
    /// Reads a case from the text of its file.
    ///
    /// # Errors
    /// When a section is missing or cannot be read.
    ///
    /// ```
    /// # use pushgate_plugin::testing::Case;
    /// assert!(Case::parse("--- config\n{}\n--- push\nPUT {job=\"a\"}\n--- outcome\naccept\n").is_ok());
    /// ```
    pub fn parse(text: &str) -> Result<Self, CaseError> {
        let (about, rest) = split(text, "config")?;
        let (config, rest) = split(rest, "push")?;
        let (push, outcome) = split(rest, "outcome")?;
        let (request, body) =
            split_request(push).ok_or_else(|| CaseError::new("the push has no request line"))?;
        let Request { method, key, caller } = Request::read(request)?;
        Ok(Self {
            about: about.to_owned(),
            config: config.to_owned(),
            request: request.to_owned(),
            method,
            key,
            caller,
            body: body.to_owned(),
            outcome: outcome.to_owned(),
        })
    }

    /// Reads all `*.case` files of a folder, sorted by name; each with its file name.
    ///
    /// # Errors
    /// When the folder or a file cannot be read.
    ///
    /// ```no_run
    /// # use pushgate_plugin::testing::Case;
    /// for (name, case) in Case::read_folder("plugins/naming/cases".as_ref())? {
    ///     println!("{name}: {}", case.about);
    /// }
    /// # Ok::<(), pushgate_plugin::testing::CaseError>(())
    /// ```
    pub fn read_folder(folder: &Path) -> Result<Vec<(String, Self)>, CaseError> {
        let at =
            |path: &Path, error: &dyn std::fmt::Display| CaseError(format!("{}: {error}", path.display()));
        let mut cases = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(|error| at(folder, &error))? {
            let path = entry.map_err(|error| at(folder, &error))?.path();
            if path.extension().is_some_and(|extension| extension == "case") {
                let text = std::fs::read_to_string(&path).map_err(|error| at(&path, &error))?;
                let case = Self::parse(&text).map_err(|error| at(&path, &error))?;
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                cases.push((name, case));
            }
        }
        cases.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(cases)
    }

    /// The push as the host has it before any plugin runs.
    ///
    /// # Errors
    /// When the body is no exposition text.
    ///
    /// ```
    /// # use pushgate_plugin::testing::Case;
    /// # let case = Case::parse("--- config\n{}\n--- push\nPUT {job=\"a\"}\nruns 1\n--- outcome\naccept\n")?;
    /// assert_eq!(case.push()?.series_count(), 1);
    /// # Ok::<(), pushgate_plugin::testing::CaseError>(())
    /// ```
    pub fn push(&self) -> Result<exposition::Push, CaseError> {
        read_push(&self.key, &self.body)
    }
}

/// The text of the case's file.
impl std::fmt::Display for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { about, config, request, body, outcome, .. } = self;
        write!(f, "{about}--- config\n{config}--- push\n{request}\n{body}--- outcome\n{outcome}")
    }
}

/// Splits at the line that begins a section.
fn split<'a>(text: &'a str, section: &str) -> Result<(&'a str, &'a str), CaseError> {
    let marker = format!("--- {section}\n");
    let at =
        if text.starts_with(&marker) { Some(0) } else { text.find(&format!("\n{marker}")).map(|at| at + 1) };
    let at = at.ok_or_else(|| CaseError(format!("there is no section '--- {section}'")))?;
    Ok((&text[..at], &text[at + marker.len()..]))
}

pub(super) fn read_push(key: &GroupingKey, body: &str) -> Result<exposition::Push, CaseError> {
    text::parse(body.as_bytes(), key, &Rules::default()).map_err(|error| CaseError(error.to_string()))
}

/// The word that begins the line of the caller.
const CALLER: &str = "caller ";

/// Splits a push behind its request line, and behind the line of the caller if there is one.
fn split_request(push: &str) -> Option<(&str, &str)> {
    let end = push.find('\n')?;
    let more = match push[end + 1..].starts_with(CALLER) {
        true => 1 + push[end + 1..].find('\n')?,
        false => 0,
    };
    Some((&push[..end + more], &push[end + more + 1..]))
}

/// How a push is made.
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) key: GroupingKey,
    pub(super) caller: Vec<(String, String)>,
}

impl Request {
    /// Reads `PUT {job="backup", host="db1"}`, and `caller user="ci", network="10.0.0.1"` on a line of its own.
    pub(super) fn read(text: &str) -> Result<Self, CaseError> {
        let (line, caller) = text.split_once('\n').map_or((text, None), |(line, next)| (line, Some(next)));
        let wrong =
            || CaseError(format!("expected a request such as PUT {{job=\"backup\"}}, found {line:?}"));
        let (method, key) = line.trim().split_once(' ').ok_or_else(wrong)?;
        let method = match method {
            "PUT" => Method::Put,
            "POST" => Method::Post,
            "DELETE" => Method::Delete,
            _ => return Err(wrong()),
        };
        let labels = key.trim().strip_prefix('{').and_then(|key| key.strip_suffix('}')).ok_or_else(wrong)?;
        let labels = read_labels(labels).ok_or_else(wrong)?;
        let key = GroupingKey::new(labels).map_err(|error| CaseError(error.to_string()))?;
        let caller = caller.map_or(Ok(Vec::new()), read_caller)?;
        Ok(Self { method, key, caller })
    }
}

fn read_caller(line: &str) -> Result<Vec<(String, String)>, CaseError> {
    let wrong = || CaseError(format!("expected a caller such as caller user=\"ci\", found {line:?}"));
    let mut attributes = line.strip_prefix(CALLER).and_then(read_labels).ok_or_else(wrong)?;
    // As the host tells them.
    attributes.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(attributes)
}

/// Reads `job="backup", host="db1"`, with the escapes of exposition text.
fn read_labels(mut text: &str) -> Option<Vec<(String, String)>> {
    let mut labels = Vec::new();
    while !text.trim().is_empty() {
        let (name, rest) = text.split_once("=\"")?;
        let mut value = String::new();
        let mut characters = rest.chars();
        loop {
            match characters.next()? {
                '"' => break,
                '\\' => value.push(match characters.next()? {
                    'n' => '\n',
                    other => other,
                }),
                other => value.push(other),
            }
        }
        labels.push((name.trim().to_owned(), value));
        let rest = characters.as_str().trim_start();
        text = rest.strip_prefix(',').unwrap_or(rest);
    }
    Some(labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests() {
        for (text, expected) in [
            (r#"PUT {job="a"}"#, Some(r#"{job="a"}"#)),
            (r#"POST {job="a", path="x\"y\\z,"}"#, Some(r#"{job="a",path="x\"y\\z,"}"#)),
            (r#"DELETE {b="",job="a"}"#, Some(r#"{b="",job="a"}"#)),
            ("PUT {job=\"a\"}\ncaller user=\"b\"", Some(r#"{job="a"}"#)),
            (r#"GET {job="a"}"#, None),
            (r#"PUT {host="a"}"#, None),
            (r#"PUT {job="a}"#, None),
            ("PUT", None),
            ("PUT {job=\"a\"}\ncaller b", None),
            ("PUT {job=\"a\"}\nb", None),
        ] {
            let key = Request::read(text).ok().map(|request| request.key.to_string());
            assert_eq!(key.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn callers() {
        let push = "PUT {job=\"a\"}\ncaller user=\"ci\", header:x-team=\"a\\\"b\"\ncaller{user=\"x\"} 1\n";
        let text = format!("--- config\n{{}}\n--- push\n{push}--- outcome\naccept\n");
        let case = Case::parse(&text).unwrap();
        let expected = [("header:x-team", "a\"b"), ("user", "ci")];
        assert_eq!(case.caller, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(case.body, "caller{user=\"x\"} 1\n");
        assert_eq!(case.to_string(), text);
    }
}
