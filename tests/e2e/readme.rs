//! README.md: every command in it runs, every answer it shows is the real one, its plugin and configuration load.

use e2e::clients::Shell;
use e2e::gateway::{command, config, entry};
use e2e::{Folder, Gateway, artifacts};
use xtask::workspace;

/// A fenced block: the word behind the fence, and the text.
pub(crate) type Block = (String, String);

fn readme() -> String {
    std::fs::read_to_string(workspace::path("README.md")).unwrap()
}

pub(crate) fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for line in text.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(language), None) => open = Some((language.to_owned(), String::new())),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some((_, content))) => *content += &format!("{line}\n"),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a fence is not closed");
    blocks
}

/// Commands that start this test, take minutes or would start another gateway; `cargo xtask ci` and people run them.
fn runs_the_tests(line: &str) -> bool {
    let command = line.split('#').next().unwrap().trim();
    ["cargo xtask run", "cargo xtask test", "cargo xtask soak"].contains(&command)
}

#[test]
fn commands_run_as_they_stand_and_answer_what_is_shown() {
    let Some(shell) = Shell::require() else { return };
    let gateway = Gateway::start_bundled();
    let address = gateway.address().to_string();
    let binary = artifacts::gateway().display().to_string();
    let blocks = blocks(&readme());
    let mut commands = 0;
    for (index, (language, content)) in blocks.iter().enumerate() {
        if language != "sh" {
            continue;
        }
        let mut printed = String::new();
        for line in content.lines().filter(|line| !line.trim().is_empty() && !runs_the_tests(line)) {
            let line = line.replace("127.0.0.1:9091", &address).replace("cargo run --quiet --", &binary);
            let ran = shell.run(&format!("cd {} && {line}", workspace::root().display()), &[]);
            assert_eq!(ran.code, 0, "{line}\n{}{}", ran.stdout, ran.stderr);
            printed = ran.stdout;
            commands += 1;
        }
        if let Some((_, expected)) = blocks.get(index + 1).filter(|(language, _)| language.is_empty()) {
            assert_eq!(with_one_id(&printed), with_one_id(expected), "what\n{content}prints");
        }
    }
    assert!(commands >= 4, "only {commands} commands were found");
    assert_eq!(gateway.scrape().samples("my_metric").len(), 1, "the push that passes has passed");
}

/// The text, with ids of requests made the same: there is a new one each time.
fn with_one_id(text: &str) -> String {
    let is_id = |word: &str| word.len() == 16 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.split_inclusive(['/', '\n', ' '])
        .map(|part| if is_id(part.trim_end()) { "ID\n" } else { part })
        .collect()
}

#[test]
fn the_configuration_it_shows_is_legal() {
    let folder = Folder::new();
    let mut shown = 0;
    for (_, content) in blocks(&readme()).iter().filter(|(language, _)| language == "toml") {
        folder.write("config.toml", config("127.0.0.1:0", content));
        let finished = command(&folder, &["check-config", "config.toml"]);
        assert_eq!(finished.code, 0, "{content}{}", finished.stderr);
        shown += 1;
    }
    assert!(shown > 0);
}

#[test]
fn the_plugin_it_shows_refuses_series_without_an_owner() {
    let gateway =
        Gateway::start(&entry("team", &artifacts::guest("readme"), "config = { label = \"team\" }"));
    gateway.put("/metrics/job/one", "m{team=\"a\"} 1\n").expect(200);
    let answer = gateway.put("/metrics/job/one", "m{team=\"a\"} 1\nn 1\n").expect(422);
    assert!(
        answer.text().contains("team/missing") && answer.text().contains("add the label 'team'"),
        "{answer:?}"
    );
}

#[test]
fn blocks_are_found() {
    let text = "a\n```sh\none\ntwo\n```\nb\n```\nthree\n```\n";
    let expected = [("sh", "one\ntwo\n"), ("", "three\n")];
    assert_eq!(blocks(text), expected.map(|(language, content)| (language.to_owned(), content.to_owned())));
}
