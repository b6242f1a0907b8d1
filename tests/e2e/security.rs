//! SECURITY.md names the test behind each promise: here each is looked up.

use xtask::workspace;

/// A promise, and what it says shows it: a file and a test in it.
#[derive(Debug, PartialEq, Eq)]
struct Promise<'d> {
    text: &'d str,
    tests: Vec<(&'d str, &'d str)>,
}

#[test]
fn each_promise_is_shown_by_tests_that_exist() {
    let document = std::fs::read_to_string(workspace::path("SECURITY.md")).unwrap();
    let promises = promises(&document);
    assert!(promises.len() > 40, "found {} rows only", promises.len());
    let mut wrong = Vec::new();
    for promise in promises {
        if promise.tests.is_empty() {
            wrong.push(format!("nothing shows {:?}", promise.text));
        }
        for (file, test) in promise.tests {
            let source = std::fs::read_to_string(workspace::path(file)).unwrap_or_default();
            if !has_test(&source, test) {
                wrong.push(format!("{file} has no test {test}"));
            }
        }
    }
    assert_eq!(wrong.join("\n"), "");
}

/// The rows of all tables: what is promised, and in backticks `file: test`.
fn promises(document: &str) -> Vec<Promise<'_>> {
    let rows = document.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| promise"));
    rows.map(|row| {
        let (text, tests) = row.trim_matches(['|', ' ']).rsplit_once(" | ").unwrap_or((row, ""));
        Promise {
            text,
            tests: tests.split('`').skip(1).step_by(2).filter_map(|test| test.split_once(": ")).collect(),
        }
    })
    .collect()
}

/// Whether a function of that name stands behind an attribute that makes it a test.
fn has_test(source: &str, name: &str) -> bool {
    let lines: Vec<_> = source.lines().map(str::trim).collect();
    let is_function = |line: &str| {
        let line = line.strip_prefix("async ").unwrap_or(line);
        line.strip_prefix("fn ")
            .and_then(|line| line.strip_prefix(name))
            .is_some_and(|rest| rest.starts_with('('))
    };
    let Some(at) = lines.iter().position(|line| is_function(line)) else { return false };
    let attributes = lines[..at].iter().rev().take_while(|line| line.starts_with("#["));
    attributes.into_iter().any(|line| line.starts_with("#[test]") || line.starts_with("#[tokio::test"))
}

#[test]
fn promises_and_tests_are_found() {
    let document = "# T\n\n| promise | shown by |\n|---|---|\n| One `thing` | `a.rs: b`, `c/d.rs: e_f` |\n| Two | nothing |\n";
    let expected = [
        Promise { text: "One `thing`", tests: vec![("a.rs", "b"), ("c/d.rs", "e_f")] },
        Promise { text: "Two", tests: vec![] },
    ];
    assert_eq!(promises(document), expected);
    let source =
        "#[test]\n    #[cfg(unix)]\n    fn one() {}\n\nfn two() {}\n#[tokio::test]\nasync fn three() {}\n";
    for (name, expected) in [("one", true), ("two", false), ("three", true), ("on", false), ("four", false)] {
        assert_eq!(has_test(source, name), expected, "{name}");
    }
}
