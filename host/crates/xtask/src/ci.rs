//! `cargo xtask ci`: what has to hold before a change lands.

use std::process::Command;

use crate::failure::{Failure, Result};
use crate::{counts, guests, step, test, wasm_target, workspace};

/// Checks formatting, lints, the rules on dependencies and the documentation, then runs all tests and counts
/// instructions. What is quickest to fail comes first.
pub fn ci() -> Result {
    step::run_all(format_checks())?;
    dependency_rules()?;
    allowed_crates()?;
    wasm_target::ensure(&[wasm_target::UNKNOWN, wasm_target::WASI])?;
    step::run_all(lints())?;
    step::run_all(documents())?;
    test::test()?;
    counts::counts_of_built(counts::How::Compare)
}

fn format_checks() -> Vec<(String, Command)> {
    let folders = std::iter::once(".").chain(guests::ALL.into_iter().map(|workspace| workspace.folder));
    folders
        .map(|folder| {
            let mut command = workspace::cargo(folder);
            command.args(["fmt", "--all", "--check"]);
            (format!("check the format of {folder}"), command)
        })
        .collect()
}

fn lints() -> Vec<(String, Command)> {
    let deny = ["--", "-D", "warnings"];
    let mut host = workspace::cargo(".");
    host.args(["clippy", "--workspace", "--all-targets"]).args(deny);
    let mut lints = vec![("lint the host".to_owned(), host)];
    for workspace in guests::ALL {
        let folder = workspace.folder;
        let mut native = workspace.cargo("clippy");
        native.args(["--workspace", "--all-targets"]).args(deny);
        lints.push((format!("lint {folder} natively"), native));
        // Half of the boundary's code only exists for wasm.
        let mut wasm = workspace.cargo("clippy");
        wasm.args(["--workspace", "--target", wasm_target::UNKNOWN]).args(deny);
        lints.push((format!("lint {folder} for wasm"), wasm));
    }
    lints
}

fn documents() -> Vec<(String, Command)> {
    let document = |what: &str, mut cargo: Command| {
        cargo.args(["--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings");
        (format!("document {what} without warnings"), cargo)
    };
    let mut host = workspace::cargo(".");
    host.arg("doc");
    vec![document("the host", host), document("the plugins", guests::PLUGINS.cargo("doc"))]
}

/// What a crate must never come to depend on, not even through others.
struct Rule {
    package: &'static str,
    /// Names of crates, or `crate feature "name"`.
    forbidden: &'static [&'static str],
}

const RULES: [Rule; 7] = [
    // The data form is pure: it can be used, tested and fuzzed without a runtime.
    Rule {
        package: "pushgate-exposition",
        forbidden: &["tokio", "serde", "serde_core", "wasmtime", "hyper"],
    },
    // Formats, for whoever has bytes.
    Rule {
        package: "pushgate-capture",
        forbidden: &["tokio", "serde", "serde_core", "wasmtime", "hyper", "clap", "pushgate"],
    },
    Rule {
        package: "pushgate-gob",
        forbidden: &["tokio", "serde", "serde_core", "wasmtime", "hyper", "clap", "pushgate"],
    },
    // Files, for whoever keeps some.
    Rule {
        package: "pushgate-cache",
        forbidden: &["tokio", "serde", "serde_core", "wasmtime", "hyper", "rustls", "pushgate"],
    },
    // Plugins know pushes, not connections: no HTTP, no sockets.
    Rule { package: "pushgate-plugin-host", forbidden: &["hyper", "tokio feature \"net\"", "pushgate"] },
    // What fetches plugins neither knows what they do nor runs beside pushes.
    Rule {
        package: "pushgate-plugin-source",
        forbidden: &["tokio", "hyper", "wasmtime", "pushgate", "pushgate-plugin-host"],
    },
    // It decides who may enter and knows neither what is served nor how: that can be read in one sitting.
    Rule { package: "pushgate-web-config", forbidden: &["hyper", "tokio", "wasmtime", "pushgate"] },
];

/// The only crates that may name wasmtime themselves.
const KNOWS_WASMTIME: [&str; 1] = ["pushgate-plugin-host"];

fn dependency_rules() -> Result {
    step::say("check who depends on whom");
    let mut broken = Vec::new();
    for rule in RULES {
        let mut tree = workspace::cargo(".");
        tree.args([
            "tree",
            "--package",
            rule.package,
            "--edges",
            "normal,build,features",
            "--prefix",
            "none",
        ]);
        let tree = step::output(&mut tree)?;
        for forbidden in rule.forbidden.iter().filter(|forbidden| names(&tree, forbidden)) {
            broken.push(format!("{} must not depend on {forbidden}", rule.package));
        }
    }
    let mut users = workspace::cargo(".");
    users.args([
        "tree",
        "--workspace",
        "--invert",
        "wasmtime",
        "--depth",
        "1",
        "--edges",
        "normal,build,dev",
    ]);
    users.args(["--prefix", "none"]);
    for user in our_packages(&step::output(&mut users)?) {
        if !KNOWS_WASMTIME.contains(&user) {
            broken.push(format!("{user} must not depend on wasmtime; it is plugin-host's to know"));
        }
    }
    if broken.is_empty() { Ok(()) } else { Err(Failure::new(broken.join("\n"))) }
}

/// `deny.toml`, where cargo-deny is installed: it takes longer to build than the tests take to run.
fn allowed_crates() -> Result {
    let deny = |arguments: &[&str]| {
        let mut deny = workspace::cargo(".");
        deny.arg("deny").args(arguments);
        deny
    };
    if step::output(&mut deny(&["--version"])).is_err() {
        step::say("licences and sources of crates are not checked: `cargo install cargo-deny` is missing");
        return Ok(());
    }
    let mut check = deny(&["--offline", "check", "bans", "licenses", "sources"]);
    step::run_quietly("check licences and sources of crates", &mut check).map(drop)
}

/// Whether a line of `cargo tree` is about `what`, which a space follows.
fn names(tree: &str, what: &str) -> bool {
    tree.lines()
        .any(|line| line.strip_prefix(what).is_some_and(|rest| rest.is_empty() || rest.starts_with(" v")))
}

/// Packages of this repository: cargo prints their folder behind the version.
fn our_packages(tree: &str) -> impl Iterator<Item = &str> {
    tree.lines().filter(|line| line.contains(" (/")).filter_map(|line| line.split(' ').next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forbidden_crate_is_found_by_its_whole_name() {
        let tree = "memchr v2.8.0\ntokio-util v0.7.0\ntokio feature \"net\"\nserde v1.0.0 (*)\n";
        let cases = [
            ("memchr", true),
            ("serde", true),
            ("tokio", false),
            ("tokio feature \"net\"", true),
            ("hyper", false),
        ];
        for (what, expected) in cases {
            assert_eq!(names(tree, what), expected, "{what}");
        }
    }

    #[test]
    fn our_packages_are_those_with_a_folder() {
        let tree =
            "wasmtime v48.0.8\npushgate-plugin-host v0.1.0 (/src/host/crates/plugin-host)\nother v1.0.0\n";
        assert_eq!(our_packages(tree).collect::<Vec<_>>(), ["pushgate-plugin-host"]);
    }
}
