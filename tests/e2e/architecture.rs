//! Who may import whom among the modules of the host: ARCHITECTURE.md says it in a table, this reads the sources.
//!
//! ```text
//! | module | may use |
//! |---|---|
//! | `store` | `config`, `telemetry` |
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use xtask::workspace;

type Uses = BTreeMap<String, BTreeSet<String>>;

#[test]
fn modules_import_only_what_the_architecture_allows() {
    let document = std::fs::read_to_string(workspace::path("ARCHITECTURE.md")).unwrap();
    let allowed = read_table(&document);
    assert!(!allowed.is_empty(), "ARCHITECTURE.md has no table `| module | may use |`");
    let sources = workspace::path("host/src");
    let mut uses = Uses::new();
    for file in rust_files(&sources) {
        let relative = file.strip_prefix(&sources).unwrap();
        let module = relative.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned();
        // The root of the crate is where everything meets; it declares the modules and no more.
        if module != "lib" && module != "main" {
            let text = std::fs::read_to_string(&file).unwrap();
            uses.entry(module).or_default().extend(imports(&text));
        }
    }
    let modules = |uses: &Uses| uses.keys().cloned().collect::<Vec<_>>();
    assert_eq!(
        modules(&allowed),
        modules(&uses),
        "the table (left) has a row for each module of the host (right)"
    );
    for (module, used) in &uses {
        let more: Vec<_> =
            used.iter().filter(|&other| other != module && !allowed[module].contains(other)).collect();
        assert!(more.is_empty(), "{module} uses {more:?}, which ARCHITECTURE.md does not allow");
    }
}

/// The words in backticks of each row: the module, and what it may use.
fn read_table(document: &str) -> Uses {
    let header = |line: &&str| {
        let mut cells = line.split('|').map(str::trim).filter(|cell| !cell.is_empty());
        cells.next() == Some("module") && cells.next() == Some("may use")
    };
    let rows =
        document.lines().skip_while(|line| !header(line)).skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let mut cells = row.split('|').skip(1).map(code_words);
        let module = cells.next().unwrap().into_iter().next().unwrap_or_else(|| panic!("no module in {row}"));
        (module, cells.next().unwrap_or_default())
    })
    .collect()
}

fn code_words(cell: &str) -> BTreeSet<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The modules that follow `crate::`, alone or in braces. Tests may use whatever they like, and prose is no code.
fn imports(source: &str) -> BTreeSet<String> {
    let source = source.split("#[cfg(test)]\nmod tests").next().unwrap();
    let code: String =
        source.lines().map(|line| line.split("//").next().unwrap()).collect::<Vec<_>>().join("\n");
    let mut modules = BTreeSet::new();
    for (at, path) in code.match_indices("crate::") {
        // `$crate::` and `some_crate::` are others.
        if code[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_' || before == '$') {
            continue;
        }
        let rest = &code[at + path.len()..];
        match rest.strip_prefix('{') {
            Some(list) => modules.extend(top_level_words(list)),
            None => modules.extend(word(rest)),
        }
    }
    modules
}

/// The first words of the elements of a list that may have lists in it, up to its closing brace.
fn top_level_words(list: &str) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    let (mut depth, mut starts) = (1, true);
    for (at, character) in list.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => starts = true,
            _ if depth == 1 && starts && !character.is_whitespace() => {
                words.extend(word(&list[at..]));
                starts = false;
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    words
}

fn word(text: &str) -> Option<String> {
    let end =
        text.find(|character: char| !character.is_alphanumeric() && character != '_').unwrap_or(text.len());
    (end > 0).then(|| text[..end].to_owned())
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

#[test]
fn imports_are_found_however_they_are_written() {
    let source = "
use crate::store::Store;
use crate::{config::Config, telemetry::{Metrics, crash}, ingest};
// use crate::prose;
fn f() -> crate::http::Status { my_crate::x(); $crate::y() }
#[cfg(test)]
mod tests { use crate::anything; }
";
    let expected = ["config", "http", "ingest", "store", "telemetry"].map(str::to_owned);
    assert_eq!(imports(source), BTreeSet::from(expected));
}

#[test]
fn the_table_is_found_among_others() {
    let document = "# Title\n\n| module | file |\n|---|---|\n| `x` | y |\n\n| module | may use |\n|---|---|\n| `store` | `config` and `telemetry` |\n| `config` | – |\n\ntext";
    let row = |module: &str, uses: &[&str]| {
        (module.to_owned(), uses.iter().map(|&other| other.to_owned()).collect::<BTreeSet<_>>())
    };
    assert_eq!(
        read_table(document),
        Uses::from([row("store", &["config", "telemetry"]), row("config", &[])])
    );
}
