//! What the program tells about itself.

use std::fs;
use std::path::Path;
use std::process::Command;

/// `--help` of the program and of each command are the golden files; `BLESS=1` rewrites those.
#[test]
#[expect(clippy::disallowed_methods, reason = "BLESS is a switch of the tests, not of the program")]
fn the_help_is_reviewed() {
    let bless = std::env::var("BLESS").is_ok();
    for (arguments, golden) in
        [(&["--help"] as &[_], "help.txt"), (&["check-config", "--help"], "help-check-config.txt")]
    {
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli").join(golden);
        let shown = run(arguments);
        if bless {
            fs::write(&golden, &shown).unwrap();
        }
        assert_eq!(shown, fs::read_to_string(&golden).unwrap_or_default(), "{}", golden.display());
    }
}

#[test]
fn the_version_is_that_of_the_package() {
    assert_eq!(run(&["--version"]), concat!("pushgate ", env!("CARGO_PKG_VERSION"), "\n"));
}

fn run(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_pushgate"))
        .args(arguments)
        .output()
        .expect("it was built for this test");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("what it prints is text")
}
