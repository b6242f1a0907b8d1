//! `plugin new`: a project that builds by itself.
//!
//! It is the plugin of `examples/custom-plugin` under another name, with the SDK beside it in `vendor/pushgate`: the
//! same files at the same places as in the repository, so that paths between them hold. They are in this program, so a
//! project fits the gateway that made it, and needs nothing else but public crates.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::manifest::standalone;

/// What a project is made of: paths in the repository, and what is there.
const SOURCES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/plugin_sources.rs"));

/// Where the template is in the repository, and what it is called.
const TEMPLATE: &str = "examples/custom-plugin/";
const TEMPLATE_NAME: &str = "series-budget";

/// Where the SDK goes.
const VENDOR: &str = "vendor/pushgate";

/// Bytes of a name: it is that of a policy as well.
const MAX_NAME: usize = 64;

/// Words that Rust has for itself.
const KEYWORDS: &str = "abstract as async await become box break const continue crate do dyn else enum extern false final \
    fn for gen if impl in let loop macro match mod move mut override priv pub ref return self static struct super trait \
    true try type typeof unsafe unsized use virtual where while yield alloc core proc_macro proc-macro std test";

/// Makes a project in a folder that is not there yet, named like the folder: all of it or nothing. Returns the name.
///
/// # Errors
/// When the name is none for a plugin, the folder is there, or it cannot be written.
pub fn create(folder: &Path) -> anyhow::Result<String> {
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    check_name(name)?;
    anyhow::ensure!(fs::symlink_metadata(folder).is_err(), "'{}' is there already", folder.display());
    // Written beside it and renamed, so that no half of a project is left behind.
    let unfinished = folder.with_file_name(format!(".{name}.{}", std::process::id()));
    let written = write(&unfinished, name).and_then(|()| {
        fs::rename(&unfinished, folder).with_context(|| format!("cannot make '{}'", folder.display()))
    });
    if written.is_err() {
        // What went wrong is the error to tell.
        let _ = fs::remove_dir_all(&unfinished);
    }
    written.map(|()| name.to_owned())
}

fn write(folder: &Path, name: &str) -> anyhow::Result<()> {
    for (path, text) in files(name) {
        let path = folder.join(path);
        let cannot_write = || format!("cannot write '{}'", path.display());
        fs::create_dir_all(path.parent().unwrap_or(folder)).with_context(cannot_write)?;
        fs::write(&path, text).with_context(cannot_write)?;
    }
    Ok(())
}

/// The files of a project, relative to its folder.
fn files(name: &str) -> impl Iterator<Item = (PathBuf, String)> {
    SOURCES.iter().filter_map(move |(path, text)| match (path.strip_prefix(TEMPLATE), *path) {
        (Some(path), _) => Some((PathBuf::from(path), of_template(text, name))),
        (None, "Cargo.toml" | "plugins/Cargo.toml") => None,
        (None, "host/crates/exposition/Cargo.toml") => {
            Some((Path::new(VENDOR).join(path), standalone(text, source("Cargo.toml"), "../../..")))
        }
        (None, "plugins/sdk/Cargo.toml") => {
            Some((Path::new(VENDOR).join(path), standalone(text, source("plugins/Cargo.toml"), "..")))
        }
        (None, path) => Some((Path::new(VENDOR).join(path), (*text).to_owned())),
    })
}

fn source(path: &str) -> &'static str {
    SOURCES.iter().find(|(other, _)| *other == path).map_or("", |(_, text)| text)
}

/// A file of the template under another name, and with the SDK in another place.
fn of_template(text: &str, name: &str) -> String {
    text.replace(TEMPLATE_NAME, name)
        .replace(&snake_case(TEMPLATE_NAME), &snake_case(name))
        .replace(&camel_case(TEMPLATE_NAME), &camel_case(name))
        .replace("../../plugins/sdk", &format!("{VENDOR}/plugins/sdk"))
        // The SDK's manifests are their own roots.
        .replace("\n[workspace]\n", "\n[workspace]\nexclude = [\"vendor\"]\n")
}

fn snake_case(name: &str) -> String {
    name.replace('-', "_")
}

fn camel_case(name: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
    };
    name.split(['-', '_']).map(word).collect()
}

/// A name is that of a crate, a type and a policy.
fn check_name(name: &str) -> anyhow::Result<()> {
    let first = name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    anyhow::ensure!(
        first && name.len() <= MAX_NAME && name.bytes().all(legal),
        "'{name}' is no name for a plugin; take a lower-case letter, and then up to {} more, digits, '-' and '_'",
        MAX_NAME - 1
    );
    anyhow::ensure!(
        !KEYWORDS.split_whitespace().any(|word| word == name),
        "'{name}' is a word of Rust's own, take another name for the plugin"
    );
    let lock = source("examples/custom-plugin/Cargo.lock");
    let is_taken = lock.lines().any(|line| line == format!("name = \"{name}\""));
    anyhow::ensure!(
        !is_taken || name == TEMPLATE_NAME,
        "'{name}' is a crate that plugins are built with, take another name for the plugin"
    );
    // Its type would hide what the template uses under that name.
    let template = source("examples/custom-plugin/src/lib.rs");
    let mut words = template.split(|letter: char| !letter.is_ascii_alphanumeric());
    let camel = camel_case(name);
    anyhow::ensure!(
        name == TEMPLATE_NAME || !words.any(|word| word == camel),
        "'{name}' would have a type '{camel}', which a plugin uses already, take another name for the plugin"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_for_a_crate_a_type_and_a_policy() {
        let (longest, longer) = ("a".repeat(MAX_NAME), "a".repeat(MAX_NAME + 1));
        for (name, expected) in [
            ("my-policy", ""),
            ("a", ""),
            ("team_2-x", ""),
            (&longest, ""),
            ("series-budget", ""),
            (&longer, "no name for a plugin"),
            ("", "no name for a plugin"),
            ("2x", "no name for a plugin"),
            ("My-policy", "no name for a plugin"),
            ("a b", "no name for a plugin"),
            ("ä", "no name for a plugin"),
            ("match", "a word of Rust's own"),
            ("test", "a word of Rust's own"),
            ("serde", "a crate that plugins are built with"),
            ("pushgate-plugin", "a crate that plugins are built with"),
            ("push", "a type 'Push'"),
            ("result", "a type 'Result'"),
            ("push-result", ""),
        ] {
            let told = check_name(name).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(told.contains(expected) && told.is_empty() == expected.is_empty(), "{name}: {told}");
        }
    }

    #[test]
    fn the_template_is_nowhere_left_in_a_project() {
        for (path, text) in files("my-policy") {
            let of_project = !path.starts_with("vendor");
            for word in ["series-budget", "series_budget", "SeriesBudget", "../../plugins"] {
                assert!(!of_project || !text.contains(word), "{word} in {}", path.display());
            }
            assert!(
                !text.contains("workspace = true") || !path.ends_with("Cargo.toml"),
                "{}",
                path.display()
            );
        }
        assert_eq!(camel_case("my-policy_2"), "MyPolicy2");
    }

    #[test]
    fn nothing_is_left_of_a_project_that_cannot_be_written() {
        let folder = std::env::temp_dir().join(format!("pushgate-project-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("there"), "").unwrap();
        let told = create(&folder.join("there")).unwrap_err().to_string();
        assert!(told.contains("is there already"), "{told}");
        // A folder that cannot be made, whoever runs this.
        assert!(create(&folder.join("there/inside")).is_err());
        assert!(create(&folder.join("my-policy")).is_ok());
        let mut left: Vec<_> =
            fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["my-policy", "there"]);
        fs::remove_dir_all(&folder).unwrap();
    }
}
