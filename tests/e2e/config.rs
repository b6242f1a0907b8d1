//! Configurations that are refused.

use e2e::gateway::{command, config, entry};
use e2e::process::Finished;
use e2e::{Folder, Gateway, artifacts};

/// Checks a configuration both ways, which must tell the same, and returns what they tell.
fn refused(text: &str) -> String {
    let folder = Folder::new();
    folder.write("config.toml", text);
    let told = |arguments: &[&str]| {
        let Finished { code, stdout, stderr } = command(&folder, arguments);
        assert_ne!(code, 0, "{arguments:?} accepts:\n{text}\n{stdout}{stderr}");
        assert!(code > 0, "{arguments:?} was ended by a signal: {stderr}");
        stderr
    };
    let checked = told(&["check-config", "config.toml"]);
    let started = told(&["--config.file", "config.toml"]);
    for line in checked.lines().filter(|line| line.contains("config.toml:")) {
        assert!(started.contains(line), "check-config says\n{line}\nbut the start says\n{started}");
    }
    checked
}

#[test]
fn every_mistake_is_told_at_once_with_its_place() {
    let text = "\
[web]
listen_adress = [\"127.0.0.1:0\"]
max_connections = \"many\"

[plugins]
directory = \"nowhere\"

[[plugin]]
name = \"ghost\"
source = \"ghost.wasm\"
mode = \"sometimes\"

[[plugin]]
name = \"broken\"
source = \"broken.wasm\"

[[plugin]]
name = \"picky\"
source = \"SCRIBE\"
[plugin.config]
wirte = \"x\"

[[plugin]]
name = \"typed\"
source = \"SCRIBE\"
[plugin.config]
remark = \"yes\"
";
    let text = text.replace("SCRIBE", &artifacts::guest("scribe").display().to_string());
    let told = refused(&text);
    let expected = [
        (":2:", "listen_adress"),
        (":2:", "listen_address"),
        (":3:", "max_connections"),
        (":10:", "ghost.wasm"),
        (":11:", "enforce, monitor, off"),
        (":15:", "broken.wasm"),
        (":21:", "wirte"),
        (":27:", "remark"),
    ];
    for (line, word) in expected {
        assert!(
            told.lines().any(|shown| shown.contains(&format!("config.toml{line}")) && shown.contains(word)),
            "{line} {word} in\n{told}"
        );
    }
}

#[test]
fn each_mistake_alone_is_refused_as_well() {
    let plugins = |rest: &str| config("127.0.0.1:0", rest);
    let scribe = artifacts::guest("scribe");
    let folder = Folder::new();
    let no_wasm = folder.write("text.wasm", "this is no plugin");
    let other_module = folder.write("empty.wasm", b"\0asm\x01\0\0\0");
    let cases = [
        ("no TOML", "[web".to_owned(), "1"),
        ("an unknown section", plugins("\n[weather]\n"), "weather"),
        ("two plugins of a name", plugins(&(entry("a", &scribe, "") + &entry("a", &scribe, ""))), "'a'"),
        ("a plugin without a source", plugins("\n[[plugin]]\nname = \"a\"\n"), "source"),
        ("a file that is no wasm", plugins(&entry("a", &no_wasm, "")), "text.wasm"),
        ("a module that is no plugin", plugins(&entry("a", &other_module, "")), "empty.wasm"),
        ("a pattern that is none", plugins(&entry("a", &scribe, "match = { job = \"(\" }")), "match"),
        ("a fail mode that there is not", plugins(&entry("a", &scribe, "fail = \"sometimes\"")), "closed"),
        (
            "a plugin that loops while it is configured",
            plugins(&entry("a", &artifacts::guest("loop"), "config = { at_once = true }")),
            "'a'",
        ),
    ];
    for (rule, text, word) in cases {
        let told = refused(&text);
        assert!(told.contains(word), "{rule}: {word} in\n{told}");
    }
}

#[test]
fn a_legal_configuration_passes_the_check_without_serving() {
    let folder = Folder::new();
    folder.write("config.toml", config("127.0.0.1:0", &entry("a", &artifacts::guest("scribe"), "")));
    let finished = command(&folder, &["check-config", "config.toml"]);
    assert_eq!(finished.code, 0, "{}", finished.stderr);
}

#[test]
fn the_bundled_configuration_passes_the_check() {
    let folder = Folder::new();
    artifacts::plugins();
    let file = xtask::workspace::path("config.toml");
    let finished = command(&folder, &["check-config", file.to_str().unwrap()]);
    assert_eq!(finished.code, 0, "{}", finished.stderr);
}

/// A block of lines that begins with `# [[plugin]]` is a plugin that is commented out.
#[test]
fn plugins_that_are_commented_out_in_the_bundled_configuration_are_legal() {
    let folder = Folder::new();
    let text = std::fs::read_to_string(xtask::workspace::path("config.toml")).unwrap();
    let mut shown = 0;
    for block in text.split("\n\n") {
        let Some((_, plugin)) = block.split_once("# [[plugin]]\n") else { continue };
        let plugin: String =
            plugin.lines().map(|line| format!("{}\n", line.strip_prefix("# ").unwrap_or(line))).collect();
        artifacts::plugins();
        folder.write("config.toml", config("127.0.0.1:0", &format!("[[plugin]]\n{plugin}")));
        let finished = command(&folder, &["check-config", "config.toml"]);
        assert_eq!(finished.code, 0, "{plugin}\n{}", finished.stderr);
        shown += 1;
    }
    assert!(shown > 0);
}

#[test]
fn a_missing_file_is_named() {
    let folder = Folder::new();
    for arguments in [&["check-config", "nowhere.toml"][..], &["--config.file", "nowhere.toml"]] {
        let finished = command(&folder, arguments);
        assert!(finished.code > 0 && finished.stderr.contains("nowhere.toml"), "{finished:?}");
    }
}

#[test]
fn it_listens_on_every_address_and_ends_when_it_is_asked_to() {
    let text = "[web]\nlisten_address = [\"127.0.0.1:0\", \"127.0.0.2:0\"]\n";
    let gateway = Gateway::start_with(text);
    let addresses = gateway.log().lines().filter(|line| line.contains("Listening on")).count();
    assert_eq!(addresses, 2, "{}", gateway.log());
    gateway.terminate();
}

#[test]
fn an_address_in_use_is_told_and_ends_the_start() {
    let first = Gateway::start("");
    let folder = Folder::new();
    folder.write("config.toml", config(&first.address().to_string(), ""));
    let finished = command(&folder, &["--config.file", "config.toml"]);
    assert!(finished.code > 0 && finished.stderr.contains(&first.address().to_string()), "{finished:?}");
}
