//! The golden cases of the bundled plugins, through the compiled plugin and the real host: the outcome must be
//! the one that the plugin's own, native test expects.

use std::collections::BTreeMap;
use std::path::Path;

use e2e::artifacts;
use e2e::case::{self, Case};
use pushgate_plugin_host::{Chain, Engine, Granted, Limits, Link, LoadError, Plugin, Request, Step};
use xtask::workspace;

// One test for each plugin: compiling takes most of the time, and tests run at the same time.

#[test]
fn naming_does_in_the_real_host_what_it_does_natively() {
    check("naming");
}

#[test]
fn relabel_does_in_the_real_host_what_it_does_natively() {
    check("relabel");
}

#[test]
fn required_labels_does_in_the_real_host_what_it_does_natively() {
    check("required-labels");
}

#[test]
fn a_plugin_in_javascript_does_what_its_cases_say() {
    let Some(file) = artifacts::javascript_plugin() else { return };
    check_file("owners", &file, &workspace::path("examples/javascript-plugin/cases"));
}

fn check(name: &str) {
    let cases = workspace::path(Path::new("plugins").join(name).join("cases"));
    check_file(name, &artifacts::plugin(name), &cases);
}

fn check_file(name: &str, file: &Path, cases: &Path) {
    let cases = Case::read_folder(cases);
    assert!(!cases.is_empty(), "{name} has no cases");
    // Room for an instance of every case, and for the one that tries a configuration.
    let engine = Engine::new(cases.len() as u32 + 1, Limits::default().memory).unwrap();
    let file = std::fs::read(file).unwrap();
    // Many cases have the configuration in common.
    let mut policies: BTreeMap<&str, Policy> = BTreeMap::new();
    let mut failures = String::new();
    for case in &cases {
        let policy = policies.entry(&case.config).or_insert_with(|| load(&engine, name, &file, &case.config));
        let outcome = run(policy, case);
        if outcome != case.outcome {
            let Case { file, outcome: expected, .. } = case;
            failures += &format!("\n{file}: expected\n{expected}but it came to\n{outcome}");
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

/// A configured plugin and what it remarks on its configuration, or why there is none; in the words of a case.
type Policy = Result<(String, Chain), String>;

fn load(engine: &Engine, name: &str, file: &[u8], config: &str) -> Policy {
    let plugin = Plugin::load(engine, name, file, config, Limits::default(), &Granted::default()).map_err(
        |error| match error {
            LoadError::Config(problems) => case::refusal(&problems),
            error => format!("cannot be loaded: {error}\n"),
        },
    )?;
    let warnings = case::warnings(plugin.warnings());
    Ok((warnings, Chain::new(vec![Link::of(plugin)])))
}

/// What the case comes to.
fn run(policy: &Policy, case: &Case) -> String {
    match policy {
        Ok((warnings, chain)) => {
            let first = evaluate(chain, case);
            // On an instance that is warm now: nothing of the first push may be left in it.
            assert_eq!(evaluate(chain, case), first, "{}", case.file);
            format!("{warnings}{first}")
        }
        Err(refusal) => refusal.clone(),
    }
}

fn evaluate(chain: &Chain, case: &Case) -> String {
    let mut push = case.push.clone();
    let verdict =
        chain.run(&mut push, Request { id: "test", method: case.method, received_ms: 0, attributes: &[] });
    let findings: String = verdict.findings.iter().map(case::finding).collect();
    match &verdict.reports[0].step {
        Step::Accepted => format!("accept\n{findings}"),
        Step::Mutated => format!("mutate\n{findings}{}", case::push(&push)),
        Step::Rejected => format!("reject\n{findings}"),
        Step::Fault(fault) => format!("fault: {fault}\n"),
        Step::Skipped(why) => format!("skipped: {why:?}\n"),
    }
}
