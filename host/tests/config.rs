//! The configuration as operators meet it: the annotated file of the project, and what they are told when
//! theirs is wrong.

use std::fs;
use std::path::{Path, PathBuf};

use pushgate::config::Config;

fn host() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The annotated file, without the plugin chain, is the defaults: so its comments and its values cannot
/// tell something that the program does not do.
#[test]
fn the_annotated_file_holds_the_defaults() {
    let text = fs::read_to_string(host().join("../config.toml")).unwrap();
    let mut config =
        Config::parse(&text, Path::new("config.toml")).unwrap_or_else(|problems| panic!("{problems}"));
    let names: Vec<_> = config.chain.iter().map(|policy| policy.name.as_str()).collect();
    assert_eq!(names, ["relabel", "naming", "required-labels"]);
    config.chain.clear();
    assert_eq!(config, Config::default());
}

/// Every key that the program knows stands in the annotated file. The keys are asked of the program, which
/// lists them when it meets one that it does not know.
#[test]
fn the_annotated_file_names_every_key() {
    let text = fs::read_to_string(host().join("../config.toml")).unwrap();
    let document: toml::Table = text.parse().unwrap();
    for section in known_keys("zzzz = 1\n") {
        // An entry of rights would be none of the defaults.
        let is_there = document.contains_key(&section) || text.contains(&format!("# [[{section}]]\n"));
        assert!(is_there, "{section} is missing in config.toml");
        let header = match section.as_str() {
            "plugin" => "[[plugin]]\nname = 'x'\nsource = 'x'".to_owned(),
            "rights" => "[[rights]]\nverbs = ['push']".to_owned(),
            _ => format!("[{section}]"),
        };
        for key in known_keys(&format!("{header}\nzzzz = 1\n")) {
            let commented = format!("# {key} = ");
            let there = text.lines().any(|line| {
                line.starts_with(&format!("{key} = "))
                    || line.starts_with(&commented)
                    || line == format!("[{section}.{key}]")
                    || line == format!("# [[{section}.{key}]]")
            });
            assert!(there, "[{section}] {key} is missing in config.toml");
        }
    }
}

fn known_keys(text: &str) -> Vec<String> {
    let problems = Config::parse(text, Path::new("config.toml")).expect_err("the key is unknown").to_string();
    let (_, allowed) = problems.rsplit_once("allowed: ").expect("the message lists the known keys");
    allowed.split(", ").map(str::to_owned).collect()
}

/// Each `bad_config/<what>.toml` is refused with the words of `<what>.err`; `BLESS=1` rewrites those.
#[test]
#[expect(clippy::disallowed_methods, reason = "BLESS is a switch of the tests, not of the program")]
fn each_bad_file_is_refused_in_these_words() {
    let bless = std::env::var("BLESS").is_ok();
    let mut files: Vec<PathBuf> =
        fs::read_dir(host().join("tests/bad_config")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    assert!(files.len() > 10, "the folder was read");
    for file in files {
        let name = file.file_name().unwrap();
        let text = fs::read_to_string(&file).unwrap();
        let problems = match Config::parse(&text, Path::new(name)) {
            Ok(_) => panic!("{} is accepted", file.display()),
            Err(problems) => format!("{problems}\n"),
        };
        let golden = file.with_extension("err");
        if bless {
            fs::write(&golden, &problems).unwrap();
        }
        let expected = fs::read_to_string(&golden).unwrap_or_default();
        assert_eq!(problems, expected, "{}", golden.display());
    }
}
