//! The set-ups below `examples/`: each README's commands run as they stand, and answer what is shown. `BLESS=1`
//! rewrites what is shown.

use std::fs;

use e2e::clients::Shell;
use e2e::prometheus::promtool_check_config;
use e2e::tools::{Tool, require};
use e2e::{Folder, Gateway, artifacts};
use regex::Regex;
use xtask::workspace;

use crate::readme::blocks;

/// The command that starts the gateway; it stands alone.
const START: &str = "pushgate --config.file=config.toml\n";

/// Names the address in the files and commands, and the plugins, from where the files lie.
const ADDRESS: &str = "127.0.0.1:9091";
const PLUGINS: &str = "../../target/plugins";

#[test]
fn the_strict_platform_does_what_it_says() {
    check("strict-platform");
}

#[test]
fn the_migration_does_what_it_says() {
    check("migration");
}

#[test]
fn the_multi_tenant_gateway_does_what_it_says() {
    if require(Tool::Openssl).is_some() {
        check("multi-tenant");
    }
}

fn check(name: &str) {
    let Some(shell) = Shell::require() else { return };
    let bless = std::env::var_os("BLESS").is_some_and(|value| value == "1");
    let source = workspace::path("examples").join(name);
    let readme = fs::read_to_string(source.join("README.md")).unwrap();
    let mut blessed = readme.clone();
    let mut folder = Some(copy(&source));
    let path = folder.as_ref().unwrap().path().to_owned();
    let binary = artifacts::gateway();
    let mut gateway: Option<Gateway> = None;
    let blocks = blocks(&readme);
    let mut shown = 0;
    for (index, (language, command)) in blocks.iter().enumerate() {
        if language != "sh" {
            continue;
        }
        if command == START {
            let folder = folder.take().expect("the gateway is started once");
            gateway = Some(Gateway::start_guarded(folder, &["--config.file=config.toml"]));
            continue;
        }
        if command.starts_with("promtool ") {
            assert_eq!(command, "promtool check config prometheus.yml\n");
            let Some(checked) = promtool_check_config(&path.join("prometheus.yml")) else { continue };
            assert_eq!(checked.code, 0, "{}{}", checked.stdout, checked.stderr);
            continue;
        }
        let mut script =
            format!("pushgate() {{ {} \"$@\"; }}\ncd {}\n{command}", binary.display(), path.display());
        if let Some(gateway) = &gateway {
            script = script.replace(ADDRESS, &gateway.address().to_string());
        }
        let ran = shell.run(&script, &[]);
        match blocks.get(index + 1).filter(|(language, _)| language.is_empty()) {
            Some((_, expected)) => {
                shown += 1;
                let answer = match &gateway {
                    Some(gateway) => ran.stdout.replace(&gateway.address().to_string(), ADDRESS),
                    None => ran.stdout,
                };
                if lasting(&answer) != lasting(expected) {
                    let block = |answer: &str| format!("{command}```\n\n```\n{answer}```\n");
                    blessed = blessed.replace(&block(expected), &block(&answer));
                    assert!(bless, "what\n{command}prints is\n{answer}instead of\n{expected}{}", ran.stderr);
                }
            }
            None => assert_eq!(ran.code, 0, "{command}\n{}{}", ran.stdout, ran.stderr),
        }
    }
    if bless {
        fs::write(source.join("README.md"), blessed).unwrap();
    }
    assert!(gateway.is_some() && shown >= 3, "{name}: only {shown} answers are shown");
}

/// A copy of the files, for what the commands write.
fn copy(source: &std::path::Path) -> Folder {
    let folder = Folder::new();
    let plugins = artifacts::plugins().display().to_string();
    for entry in fs::read_dir(source).unwrap() {
        let file = entry.unwrap();
        let name = file.file_name().into_string().unwrap();
        if name == "README.md" || name.ends_with(".toml") || name.ends_with(".yml") {
            let text = fs::read_to_string(file.path()).unwrap();
            folder.write(&name, text.replace(PLUGINS, &plugins));
        }
    }
    folder
}

/// The text without what is another one each time: ids and times.
fn lasting(text: &str) -> String {
    let text = Regex::new("[0-9a-f]{16}").unwrap().replace_all(text, "ID");
    Regex::new("[0-9-]{10}T[0-9:.]+Z").unwrap().replace_all(&text, "TIME").into_owned()
}
