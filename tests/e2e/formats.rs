//! Every way to build a plugin.

use e2e::gateway::{config, entry};
use e2e::{Folder, Gateway, artifacts};

#[test]
fn core_modules_load() {
    let gateway = Gateway::start(&entry("module", &artifacts::guest("scribe"), "config = { write = \"m\" }"));
    gateway.put("/metrics/job/one", "m 1\n").expect(200);
    assert_eq!(gateway.scrape().samples("m"), [r#"m{instance="",job="one",seen="m"} 1"#]);
}

#[test]
fn components_load_and_see_nothing_of_the_machine() {
    let gateway = Gateway::start(&entry("component", &artifacts::guest("wasip2"), ""));
    for value in 1..=3 {
        gateway.put("/metrics/job/one", format!("m {value}\nn 1\n")).expect(200);
        let labels = r#"arguments="0",families="2",instance="",job="one",nanoseconds="0",variables="0""#;
        assert_eq!(gateway.scrape().samples("m"), [format!("m{{{labels}}} {value}")]);
    }
    assert!(!gateway.log().contains("a line for nobody"), "{}", gateway.log());
}

#[test]
fn what_a_component_prints_takes_fuel() {
    let printing = |name: &str, lines: &str| entry(name, &artifacts::guest("wasip2"), lines);
    let chain = [printing("terse", "config = { lines = 1 }"), printing("wordy", "config = { lines = 101 }")];
    let gateway = Gateway::start(&chain.concat());
    gateway.put("/metrics/job/one", "m 1\n").expect(200);
    let scrape = gateway.scrape();
    let fuel = |plugin: &str| scrape.sum("pushgate_plugin_fuel_sum", &[plugin]);
    let line = (fuel("plugin=\"wordy\"") - fuel("plugin=\"terse\"")) / 100.0;
    assert!(line >= 1_000.0, "a call of the host for each line, at the least: {line}");
}

#[test]
fn both_run_in_one_chain() {
    let gateway = Gateway::start(
        &[
            entry("component", &artifacts::guest("wasip2"), ""),
            entry("module", &artifacts::guest("scribe"), "config = { write = \"m\" }"),
        ]
        .concat(),
    );
    gateway.put("/metrics/job/one", "m 1\n").expect(200);
    let scrape = gateway.scrape();
    assert!(
        scrape.samples("m")[0].contains("families=\"1\"") && scrape.samples("m")[0].contains("seen=\"m\"")
    );
}

#[test]
fn a_source_is_relative_to_the_folder_of_plugins_or_a_path() {
    let folder = Folder::new();
    std::fs::copy(artifacts::guest("scribe"), folder.path().join("copy.wasm")).unwrap();
    let directory = format!("directory = \"{}\"", folder.path().display());
    let text = config("127.0.0.1:0", &entry("copy", "copy.wasm".as_ref(), "config = { write = \"m\" }"));
    let text: String = text
        .lines()
        .map(|line| if line.starts_with("directory = ") { directory.clone() } else { line.to_owned() } + "\n")
        .collect();
    let gateway = Gateway::start_with(&text);
    gateway.put("/metrics/job/one", "m 1\n").expect(200);
    assert_eq!(gateway.scrape().samples("m"), [r#"m{instance="",job="one",seen="m"} 1"#]);
}

#[test]
fn somebody_elses_plugin_loads() {
    let gateway =
        Gateway::start(&entry("budget", &artifacts::guest("series-budget"), "config = { limit = 2 }"));
    gateway.put("/metrics/job/one", "a 1\nb 1\n").expect(200);
    let answer = gateway.put("/metrics/job/one", "a 1\nb 1\nc 1\n").expect(422);
    assert!(answer.text().contains("series-budget/too-many"), "{}", answer.text());
}
