//! The golden cases of plugins, through the compiled plugin and the real host: the outcome must be the one that the
//! plugin's own, native test expects.

use std::path::Path;

use e2e::gateway::command;
use e2e::{Folder, artifacts};
use xtask::workspace;

// One test for each plugin: compiling takes most of the time, and tests run at the same time.

#[test]
fn naming_does_in_the_real_host_what_it_does_natively() {
    check_bundled("naming");
}

#[test]
fn relabel_does_in_the_real_host_what_it_does_natively() {
    check_bundled("relabel");
}

#[test]
fn required_labels_does_in_the_real_host_what_it_does_natively() {
    check_bundled("required-labels");
}

#[test]
fn honor_labels_does_in_the_real_host_what_it_does_natively() {
    check_bundled("honor-labels");
}

#[test]
fn cardinality_does_in_the_real_host_what_it_does_natively() {
    check_bundled("cardinality");
}

#[test]
fn values_does_in_the_real_host_what_it_does_natively() {
    check_bundled("values");
}

#[test]
fn rules_does_in_the_real_host_what_it_does_natively() {
    check_bundled("rules");
}

#[test]
fn a_plugin_in_javascript_does_what_its_cases_say() {
    let Some(plugin) = artifacts::javascript_plugin() else { return };
    check(&plugin, &workspace::path("examples/javascript-plugin/cases"));
}

/// The cases `readme*.case`, with the configuration that the plugin's README shows; and what they bring and what
/// comes of it is what the README shows.
#[test]
fn the_readmes_of_plugins_show_what_comes_of_a_push() {
    for name in ["naming", "relabel", "required-labels", "honor-labels", "cardinality", "values", "rules"] {
        let folder = workspace::path(Path::new("plugins").join(name));
        let readme = std::fs::read_to_string(folder.join("README.md")).unwrap();
        // The first block, and those that go behind it.
        let blocks = readme.split("```toml\n").skip(1).map(|block| block.split_once("```").unwrap().0);
        let is_meant = |(index, block): &(usize, &str)| *index == 0 || block.starts_with("[[plugin.config.");
        let toml: String = blocks.enumerate().filter(is_meant).map(|(_, block)| block).collect();
        let shown: toml::Table = toml::from_str(&toml).unwrap_or_else(|error| panic!("{name}: {error}"));
        let config = serde_json::to_string(&shown["plugin"][0]["config"]).unwrap();
        let cases = Folder::new();
        for case in std::fs::read_dir(folder.join("cases")).unwrap().map(|entry| entry.unwrap().path()) {
            let file = case.file_name().unwrap().to_str().unwrap();
            if !file.starts_with("readme") {
                continue;
            }
            let case = std::fs::read_to_string(&case).unwrap();
            let (about, rest) = case.split_once("--- config\n").unwrap();
            let (_, rest) = rest.split_once("--- push\n").unwrap();
            let (push, outcome) = rest.split_once("--- outcome\n").unwrap();
            for part in [push.split_once('\n').unwrap().1, outcome.split_once('\n').unwrap().1] {
                let is_prose = |line: &str| line.starts_with('{') || line.starts_with("caller ");
                let is_shown = part.lines().all(|line| is_prose(line) || readme.contains(line));
                assert!(is_shown, "{name}, {file}: not shown:\n{part}");
            }
            cases.write(file, format!("{about}--- config\n{config}\n--- push\n{rest}"));
        }
        check(&artifacts::plugin(name), cases.path());
    }
}

fn check_bundled(name: &str) {
    check(&artifacts::plugin(name), &workspace::path(Path::new("plugins").join(name).join("cases")));
}

fn check(plugin: &Path, cases: &Path) {
    let is_case = |entry: &std::fs::DirEntry| entry.path().extension().is_some_and(|end| end == "case");
    let files = std::fs::read_dir(cases).unwrap().filter(|entry| is_case(entry.as_ref().unwrap())).count();
    assert!(files > 0, "{} has no cases", cases.display());
    let (plugin, cases) = (plugin.display().to_string(), format!("--cases={}", cases.display()));
    let tested = command(&Folder::new(), &["plugin", "test", &cases, &plugin]);
    assert_eq!(tested.code, 0, "{}{}", tested.stdout, tested.stderr);
    assert!(tested.stdout.contains(&format!("\n{files} passed\n")), "{}", tested.stdout);
}
