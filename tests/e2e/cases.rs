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
fn a_plugin_in_javascript_does_what_its_cases_say() {
    let Some(plugin) = artifacts::javascript_plugin() else { return };
    check(&plugin, &workspace::path("examples/javascript-plugin/cases"));
}

fn check_bundled(name: &str) {
    check(&artifacts::plugin(name), &workspace::path(Path::new("plugins").join(name).join("cases")));
}

fn check(plugin: &Path, cases: &Path) {
    let files = std::fs::read_dir(cases).unwrap().count();
    assert!(files > 0, "{} has no cases", cases.display());
    let (plugin, cases) = (plugin.display().to_string(), format!("--cases={}", cases.display()));
    let tested = command(&Folder::new(), &["plugin", "test", &cases, &plugin]);
    assert_eq!(tested.code, 0, "{}{}", tested.stdout, tested.stderr);
    assert!(tested.stdout.ends_with(&format!("{files} passed\n")), "{}", tested.stdout);
}
