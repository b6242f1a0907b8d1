//! What the program tells about itself.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// `--help` and `check-config --show` print the golden files below `cli/`; `BLESS=1` rewrites those.
#[test]
fn what_is_printed_is_reviewed() {
    check("help.txt", &["--help"], &[]);
    check("help.txt", &["check-config", "-h"], &[]);
    check("show-defaults.toml", &["check-config", "--show", "empty.toml"], &[]);
    let variables = [("PUSHGATE_LOG_LEVEL", "debug"), ("PUSHGATE_PERSISTENCE_INTERVAL", "1h30m0s")];
    let flags =
        ["--web.listen-address=:1", "--web.listen-address=:2", "--persistence.file=data", "--log.level=warn"];
    check("show-some.toml", &[&["check-config", "--show", "some.toml"], &flags[..]].concat(), &variables);
}

#[expect(clippy::disallowed_methods, reason = "BLESS is a switch of the tests, not of the program")]
fn check(golden: &str, arguments: &[&str], variables: &[(&str, &str)]) {
    let golden = folder().join(golden);
    let shown = printed(arguments, variables);
    if std::env::var("BLESS").is_ok() {
        fs::write(&golden, &shown).expect("the golden file can be written");
    }
    assert_eq!(shown, fs::read_to_string(&golden).unwrap_or_default(), "{}", golden.display());
}

#[test]
fn the_version_is_that_of_the_package() {
    assert_eq!(printed(&["--version"], &[]), concat!("pushgate ", env!("CARGO_PKG_VERSION"), "\n"));
}

/// Each is exit code 1, as the original has it.
#[test]
fn what_is_wrong_is_told_on_standard_error() {
    for (arguments, variables, expected) in [
        (&["--foo"] as &[_], &[] as &[_], "pushgate: error: unknown long flag '--foo', try --help\n"),
        (&["serve"], &[], "pushgate: error: unexpected serve, try --help\n"),
        (
            &["--persistence.interval=5x"],
            &[],
            "pushgate: error: --persistence.interval: '5x' is not a duration; \
             write it as \"500ms\", \"5s\" or \"1m30s\", try --help\n",
        ),
        (
            &["check-config", "empty.toml"],
            &[("PUSHGATE_WEB_ENABLE_LIFECYCLE", "maybe")],
            "pushgate: error: PUSHGATE_WEB_ENABLE_LIFECYCLE: 'maybe' is neither true nor false; \
             write true, false, 1 or 0\n",
        ),
        (
            &["--config.file=nowhere.toml"],
            &[],
            "pushgate: cannot read the configuration 'nowhere.toml': No such file or directory (os error 2)\n",
        ),
    ] {
        let output = run(arguments, variables);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), expected);
        assert!(output.stdout.is_empty(), "{output:?}");
    }
}

#[test]
fn a_variable_that_nobody_reads_is_told() {
    let output = run(&["check-config", "empty.toml"], &[("PUSHGATE_LOG_LEVL", "warn")]);
    assert!(output.status.success());
    let expected = "pushgate: warning: unknown variable 'PUSHGATE_LOG_LEVL' in the environment\n";
    assert_eq!(String::from_utf8_lossy(&output.stderr), expected);
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli")
}

fn run(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pushgate"));
    command.args(arguments).current_dir(folder()).env_clear().envs(variables.iter().copied());
    command.output().expect("it was built for this test")
}

fn printed(arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let output = run(arguments, variables);
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout).expect("what it prints is text")
}
