//! Golden cases of plugins: a configuration, a push and the outcome that is expected, in one readable file.
//!
//! The SDK reads the same files for native tests. It is of another workspace, and its crates would change the features
//! that those of this one are built with; so this is a second reader.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use pushgate_exposition::{GroupingKey, Push, Rules, text};
use pushgate_plugin_host::{ConfigProblem, Finding, Method};

/// Cases in a folder.
const MAX_CASES: usize = 1_000;

/// Bytes of a case.
const MAX_FILE: u64 = 1 << 20;

/// A case as its file says it.
#[derive(Debug)]
pub(super) struct Case {
    /// The name of its file.
    pub(super) name: String,
    path: PathBuf,
    /// The text up to the outcome.
    head: String,
    /// The configuration, JSON.
    pub(super) config: String,
    /// How the push is sent.
    pub(super) method: Method,
    /// What is told of whoever pushes, by name.
    pub(super) caller: Vec<(String, String)>,
    /// The push as it is before any plugin has seen it.
    pub(super) push: Push,
    /// What is expected.
    pub(super) outcome: String,
}

impl Case {
    /// All `*.case` files of a folder, in the order of their names.
    pub(super) fn read_folder(folder: &Path) -> anyhow::Result<Vec<Self>> {
        let cannot_read = || format!("cannot read the folder of cases '{}'", folder.display());
        let entries = fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let mut files: Vec<_> =
            entries.with_context(cannot_read)?.into_iter().map(|entry| entry.path()).collect();
        files.retain(|file| file.extension().is_some_and(|extension| extension == "case"));
        anyhow::ensure!(!files.is_empty(), "there is no file '*.case' in '{}'", folder.display());
        anyhow::ensure!(files.len() <= MAX_CASES, "'{}' has more than {MAX_CASES} cases", folder.display());
        files.sort();
        files.into_iter().map(|file| Self::read(&file).with_context(|| file.display().to_string())).collect()
    }

    fn read(path: &Path) -> anyhow::Result<Self> {
        let mut text = String::new();
        let length = File::open(path)?.take(MAX_FILE + 1).read_to_string(&mut text)? as u64;
        anyhow::ensure!(length <= MAX_FILE, "it has more than 1 MiB");
        Self::parse(path, &text)
    }

    fn parse(path: &Path, text: &str) -> anyhow::Result<Self> {
        let (_about, rest) = section(text, "config")?;
        let (config, rest) = section(rest, "push")?;
        let (push, outcome) = section(rest, "outcome")?;
        let (request, rest) = push.split_once('\n').context("the push has no request line")?;
        let wrong = || format!("expected a request such as PUT {{job=\"backup\"}}, found '{request}'");
        let (method, key) = read_request(request).with_context(wrong)?;
        let key = GroupingKey::new(key).with_context(wrong)?;
        let (caller, body) = read_caller(rest)?;
        Ok(Self {
            name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            path: path.to_owned(),
            head: text[..text.len() - outcome.len()].to_owned(),
            config: config.to_owned(),
            method,
            caller,
            push: text::parse(body.as_bytes(), &key, &Rules::default()).context("the push")?,
            outcome: outcome.to_owned(),
        })
    }

    /// Rewrites the expectation.
    pub(super) fn bless(&self, outcome: &str) -> anyhow::Result<()> {
        fs::write(&self.path, format!("{}{outcome}", self.head))
            .with_context(|| format!("cannot write '{}'", self.path.display()))
    }
}

/// What stands before the line that begins a section, and behind it.
fn section<'a>(text: &'a str, name: &str) -> anyhow::Result<(&'a str, &'a str)> {
    let marker = format!("--- {name}\n");
    let first = text.starts_with(&marker).then_some(0);
    let at = first.or_else(|| text.find(&format!("\n{marker}")).map(|at| at + 1));
    let at = at.with_context(|| format!("there is no line '--- {name}'"))?;
    Ok((&text[..at], &text[at + marker.len()..]))
}

/// Reads `PUT {job="backup", host="db1"}`.
fn read_request(line: &str) -> Option<(Method, Vec<(String, String)>)> {
    let (method, key) = line.trim().split_once(' ')?;
    let method = match method {
        "PUT" => Method::Put,
        "POST" => Method::Post,
        "DELETE" => Method::Delete,
        _ => return None,
    };
    Some((method, read_labels(key.trim().strip_prefix('{')?.strip_suffix('}')?)?))
}

/// Reads the line `caller user="ci", network="10.0.0.1"`, if there is one, and returns the rest.
fn read_caller(text: &str) -> anyhow::Result<(Vec<(String, String)>, &str)> {
    let Some((line, body)) = text.strip_prefix("caller ").and_then(|line| line.split_once('\n')) else {
        return Ok((Vec::new(), text));
    };
    let wrong = || format!("expected a caller such as caller user=\"ci\", found 'caller {line}'");
    let mut attributes = read_labels(line).with_context(wrong)?;
    attributes.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok((attributes, body))
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
                '\\' => {
                    value.push(characters.next().map(|escaped| if escaped == 'n' { '\n' } else { escaped })?);
                }
                other => value.push(other),
            }
        }
        labels.push((name.trim_matches([' ', ',']).to_owned(), value));
        text = characters.as_str();
    }
    Some(labels)
}

/// How a case shows a configuration that is refused.
pub(super) fn refusal(problems: &[ConfigProblem]) -> String {
    format!("config refused\n{}", lines(problems))
}

/// How a case shows what a plugin remarks on its configuration, before the outcome.
pub(super) fn warnings(problems: &[ConfigProblem]) -> String {
    if problems.is_empty() { String::new() } else { format!("config warning\n{}", lines(problems)) }
}

fn lines(problems: &[ConfigProblem]) -> String {
    let line = |problem: &ConfigProblem| {
        let place = if problem.pointer.is_empty() { "the whole" } else { &problem.pointer };
        format!("{place}: {}\n", problem.message)
    };
    problems.iter().map(line).collect()
}

/// How a case shows a finding. A series without labels has empty braces there, to be told from a family.
pub(super) fn finding(finding: &Finding) -> String {
    let place = match (&finding.series, &finding.metric) {
        (Some(series), _) if series.ends_with('}') => series.clone(),
        (Some(series), _) => format!("{series}{{}}"),
        (None, Some(metric)) => metric.clone(),
        (None, None) => "the push".to_owned(),
    };
    let label = finding.label.as_ref().map(|label| format!(", label {label}")).unwrap_or_default();
    format!("{} at {place}{label}: {}\n", finding.code, finding.message)
}

/// How a case shows what a push has become: the grouping key, then the text without types that say nothing.
pub(super) fn push(push: &Push) -> String {
    let text = text::encode(push);
    let says_nothing = |line: &&str| line.starts_with("# TYPE ") && line.ends_with(" untyped\n");
    let lines: String = text.split_inclusive('\n').filter(|line| !says_nothing(line)).collect();
    format!("{}\n{lines}", push.grouping_key())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "About.\n--- config\n{}\n--- push\nPUT {job=\"a\", path=\"x\\\"y\"}\nm 1\n--- outcome\naccept\n";

    #[test]
    fn a_case_is_read() {
        let case = Case::parse(Path::new("cases/one.case"), TEXT).unwrap();
        assert_eq!(
            (case.name.as_str(), case.config.as_str(), case.method),
            ("one.case", "{}\n", Method::Put)
        );
        assert_eq!(format!("{}{}", case.head, case.outcome), TEXT);
        assert_eq!(push(&case.push), "{job=\"a\",path=\"x\\\"y\"}\nm 1\n");
        assert_eq!(case.caller, []);
    }

    #[test]
    fn a_case_may_tell_who_pushes() {
        let text = TEXT.replace("m 1\n", "caller user=\"ci\", header:x-team=\"a\"\ncaller{user=\"b\"} 1\n");
        let case = Case::parse(Path::new("one.case"), &text).unwrap();
        let expected = [("header:x-team", "a"), ("user", "ci")];
        assert_eq!(case.caller, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(push(&case.push), "{job=\"a\",path=\"x\\\"y\"}\ncaller{user=\"b\"} 1\n");
    }

    #[test]
    fn what_is_wrong_with_a_case_is_told() {
        for (from, to, expected) in [
            ("--- config", "-- config", "there is no line '--- config'"),
            ("--- push", "--- pusch", "there is no line '--- push'"),
            ("--- outcome", "--- out", "there is no line '--- outcome'"),
            ("PUT {", "GET {", "expected a request such as PUT {job=\"backup\"}, found 'GET {job"),
            ("{job=", "{jobb=", "expected a request such as"),
            ("m 1", "m one", "the push: "),
            ("m 1", "caller user", "expected a caller such as caller user=\"ci\", found 'caller user'"),
        ] {
            let told = Case::parse(Path::new("one.case"), &TEXT.replace(from, to)).unwrap_err();
            assert!(format!("{told:#}").starts_with(expected), "{told:#}");
        }
    }
}
