//! Golden cases of plugins, as the files below `plugins/*/cases` hold them.
//!
//! The SDK reads the same files for the native tests. This second reader exists because the tests of the host
//! must not depend on the guests' workspace: its crates would change the features that wasmtime is built with,
//! and every other command would build it once more.

use std::path::Path;

use pushgate_exposition::{GroupingKey, Push, Rules, text};
use pushgate_plugin_host::{ConfigProblem, Finding, Method};

/// One case: a configuration, a push and the outcome that is expected.
#[derive(Debug)]
pub struct Case {
    /// The name of its file.
    pub file: String,
    /// The configuration, JSON.
    pub config: String,
    /// How the push is sent.
    pub method: Method,
    /// The push as it is before any plugin has seen it.
    pub push: Push,
    /// What is expected.
    pub outcome: String,
}

impl Case {
    /// All cases of a folder, in the order of their names.
    pub fn read_folder(folder: &Path) -> Vec<Self> {
        let entries =
            std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        files.retain(|file| file.extension().is_some_and(|extension| extension == "case"));
        files.sort();
        files.iter().map(|file| Self::read(file)).collect()
    }

    fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap();
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        Self::parse(file, &text).unwrap_or_else(|| panic!("{} is not a case", path.display()))
    }

    fn parse(file: String, text: &str) -> Option<Self> {
        let (_about, rest) = text.split_once("--- config\n")?;
        let (config, rest) = rest.split_once("--- push\n")?;
        let (push, outcome) = rest.split_once("--- outcome\n")?;
        let (request, body) = push.split_once('\n')?;
        let (method, key) = request.split_once(' ')?;
        let method = match method {
            "PUT" => Method::Put,
            "POST" => Method::Post,
            "DELETE" => Method::Delete,
            _ => return None,
        };
        let key = GroupingKey::new(labels(key.strip_prefix('{')?.strip_suffix('}')?)?).ok()?;
        let push = text::parse(body.as_bytes(), &key, &Rules::default()).ok()?;
        Some(Self { file, config: config.to_owned(), method, push, outcome: outcome.to_owned() })
    }
}

/// Reads `job="backup", host="db1"`.
fn labels(mut text: &str) -> Option<Vec<(String, String)>> {
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
pub fn refusal(problems: &[ConfigProblem]) -> String {
    format!("config refused\n{}", lines(problems))
}

/// How a case shows what a plugin remarks on its configuration, before the outcome.
pub fn warnings(problems: &[ConfigProblem]) -> String {
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
pub fn finding(finding: &Finding) -> String {
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
pub fn push(push: &Push) -> String {
    let text = text::encode(push);
    let says_nothing = |line: &&str| line.starts_with("# TYPE ") && line.ends_with(" untyped\n");
    let lines: String = text.split_inclusive('\n').filter(|line| !says_nothing(line)).collect();
    format!("{}\n{lines}", push.grouping_key())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_read() {
        let text =
            "About.\n--- config\n{}\n--- push\nPUT {job=\"a\", path=\"x\\\"y\"}\nm 1\n--- outcome\naccept\n";
        let case = Case::parse("one.case".to_owned(), text).unwrap();
        assert_eq!(
            (case.config.as_str(), case.method, case.outcome.as_str()),
            ("{}\n", Method::Put, "accept\n")
        );
        assert_eq!(push(&case.push), "{job=\"a\",path=\"x\\\"y\"}\nm 1\n");
        assert!(Case::parse("one.case".to_owned(), &text.replace("PUT", "GET")).is_none());
    }
}
