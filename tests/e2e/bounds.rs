//! Every bound has a test, as ARCHITECTURE.md says in a table, and those on a push are held here.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use e2e::Gateway;
use e2e::gateway::config;
use xtask::workspace;

/// Numbers, sizes and times of the configuration that bound nothing.
const NO_LIMITS: [&str; 4] =
    // How often something is done, a part, and when something is said.
    ["persistence.interval", "store.interval", "store.stale_after", "traces.sample"];

/// Limits that no client meets: of the end, of what is kept of pushes, and of how long.
const NOT_OF_CLIENTS: [&str; 6] = [
    "capture.max_bytes",
    "rejections.keep",
    "rejections.max_bytes",
    "store.max_ttl",
    "store.ttl",
    "web.drain_timeout",
];

/// The keys of the configuration whose values are numbers, sizes or times, other than of single plugins.
fn limits() -> BTreeSet<String> {
    let text = std::fs::read_to_string(workspace::path("config.toml")).unwrap();
    let document: toml::Table = text.parse().unwrap();
    let mut keys = BTreeSet::new();
    for (section, table) in &document {
        for (key, value) in table.as_table().into_iter().flatten() {
            let is_measure = |text: &str| {
                let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
                unit.len() < text.len()
                    && ["B", "KiB", "MiB", "GiB", "ms", "s", "m", "h", "d"].contains(&unit)
            };
            let is_limit = value.is_integer() || value.is_float() || value.as_str().is_some_and(is_measure);
            let key = format!("{section}.{key}");
            if is_limit && !NO_LIMITS.contains(&key.as_str()) {
                keys.insert(key);
            }
        }
    }
    keys
}

/// The rows of the table: what is limited, and the tests.
fn rows() -> Vec<(String, Vec<String>)> {
    let document = std::fs::read_to_string(workspace::path("ARCHITECTURE.md")).unwrap();
    let lines = document.lines().skip_while(|line| !line.starts_with("| limit | past it |")).skip(2);
    let row = |line: &str| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, limit, answer, tests, _] = cells.as_slice() else { panic!("{line}") };
        assert!(!answer.is_empty(), "{line}");
        let tests = tests.split(", ").map(|test| test.trim_matches('`').to_owned());
        (limit.trim_matches('`').to_owned(), tests.collect())
    };
    lines.take_while(|line| line.starts_with('|')).map(row).collect()
}

/// All tests, as `file::name`.
fn tests() -> BTreeSet<String> {
    let mut files = Vec::new();
    for folder in ["host/src", "host/tests", "host/crates", "tests/e2e"] {
        find_rust(&workspace::path(folder), &mut files);
    }
    let mut tests = BTreeSet::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let stem = file.file_stem().unwrap().to_str().unwrap();
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        for pair in lines.windows(2).filter(|pair| ["#[test]", "#[tokio::test]"].contains(&pair[0])) {
            let name = pair[1].trim_start_matches("async ").strip_prefix("fn ");
            tests.extend(name.and_then(|name| name.split('(').next()).map(|name| format!("{stem}::{name}")));
        }
    }
    tests
}

fn find_rust(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            find_rust(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

#[test]
fn every_limit_has_a_row_and_every_row_its_tests() {
    let (limits, rows, tests) = (limits(), rows(), tests());
    assert!(limits.len() > 40 && tests.len() > 500, "they were read: {}, {}", limits.len(), tests.len());
    let listed: BTreeSet<_> = rows.iter().map(|(limit, _)| limit.clone()).collect();
    let missing: Vec<_> = limits.difference(&listed).collect();
    assert!(missing.is_empty(), "no row in ARCHITECTURE.md for {missing:?}");
    // What is fixed is told in words.
    let gone: Vec<_> = listed.difference(&limits).filter(|limit| !limit.contains(' ')).collect();
    assert!(gone.is_empty(), "no keys: {gone:?}");
    for (limit, named) in rows {
        assert!(!named.is_empty(), "{limit}");
        for test in named {
            assert!(tests.contains(&test), "{limit}: there is no test {test}");
        }
    }
}

#[test]
fn every_limit_on_clients_is_a_metric() {
    let gateway = Gateway::start("");
    let scrape = gateway.scrape();
    let keys = |name: &str| -> BTreeSet<String> {
        let key = |line: &str| line.split('"').nth(1).unwrap().to_owned();
        scrape.samples(name).into_iter().map(key).collect()
    };
    let on_clients: BTreeSet<_> = limits()
        .into_iter()
        .filter(|key| !key.starts_with("plugins.") && !NOT_OF_CLIENTS.contains(&key.as_str()))
        .collect();
    assert_eq!(keys("pushgate_limit"), on_clients);
    assert_eq!(keys("pushgate_limit_hits_total"), on_clients);
    let used = keys("pushgate_limit_used");
    let lasting =
        |key: &&String| ["conc", "flight", "connections", "store"].iter().any(|part| key.contains(part));
    assert_eq!(used.iter().collect::<Vec<_>>(), on_clients.iter().filter(lasting).collect::<Vec<_>>());
    assert_eq!(scrape.expect(r#"pushgate_limit{key="push.max_series"}"#), 100_000.0);
    assert_eq!(scrape.expect(r#"pushgate_limit{key="web.header_timeout"}"#), 30.0);
    assert_eq!(scrape.expect(r#"pushgate_limit_used{key="web.max_connections"}"#), 1.0, "this scrape");
}

fn packed(body: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(body.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn comment(length: usize) -> String {
    format!("#{}\n", "x".repeat(length - 2))
}

/// Pushes at a limit and one past it, and looks at the answers and at what is counted.
fn check(gateway: &Gateway, key: &str, push: impl Fn(Past) -> e2e::Response) {
    let hits = || gateway.scrape().expect(&format!("pushgate_limit_hits_total{{key=\"{key}\"}}"));
    let before = hits();
    push(Past(0)).expect(200);
    assert_eq!(hits(), before, "{key}");
    let refused = push(Past(1)).expect(413);
    assert!(refused.text().contains(&format!("({key})")), "{}", refused.text());
    assert_eq!(hits(), before + 1.0, "{key}");
}

/// How far past a limit.
#[derive(Clone, Copy)]
struct Past(usize);

fn limited() -> Gateway {
    Gateway::start_with(
        &(config("127.0.0.1:0", "")
            + "\n[push]\nmax_body = '1KiB'\nmax_decompressed = '4KiB'\nmax_series = 10\nmax_labels = 3\n\
               max_name_length = 8\nmax_label_value_length = 16\n"),
    )
}

#[test]
fn each_limit_on_a_push_is_taken_at_it_and_answered_past_it() {
    let gateway = limited();
    let put = |body: String| gateway.put("/metrics/job/x", body);
    check(&gateway, "push.max_body", |past| put(comment(1024 + past.0)));
    check(&gateway, "push.max_decompressed", |past| {
        let body = packed(&comment(4096 + past.0));
        gateway.request("PUT", "/metrics/job/x").header("Content-Encoding", "gzip").body(body).send()
    });
    let series = |count: usize| (0..count).map(|n| format!("a{{n=\"{n}\"}} {n}\n")).collect::<String>();
    check(&gateway, "push.max_series", |past| put(series(10 + past.0)));
    let labels = |count: usize| (0..count).map(|n| format!("l{n}=\"1\",")).collect::<String>();
    check(&gateway, "push.max_labels", |past| put(format!("a{{{}}} 1\n", labels(3 + past.0))));
    check(&gateway, "push.max_name_length", |past| put(format!("{} 1\n", "n".repeat(8 + past.0))));
    check(&gateway, "push.max_name_length", |past| put(format!("a{{{}=\"1\"}} 1\n", "n".repeat(8 + past.0))));
    let value = |length: usize| "v".repeat(length);
    check(&gateway, "push.max_label_value_length", |past| {
        put(format!("a{{l=\"{}\"}} 1\n", value(16 + past.0)))
    });
}

#[test]
fn the_labels_in_a_url_have_the_same_limits() {
    let gateway = limited();
    let put = |path: String| gateway.put(&format!("/metrics/job/{path}"), "m 1\n");
    let labels = |count: usize| (0..count).map(|n| format!("/l{n}/1")).collect::<String>();
    // The job is one of them.
    check(&gateway, "push.max_labels", |past| put(format!("x{}", labels(2 + past.0))));
    check(&gateway, "push.max_name_length", |past| put(format!("x/{}/1", "n".repeat(8 + past.0))));
    check(&gateway, "push.max_label_value_length", |past| put("j".repeat(16 + past.0)));
    check(&gateway, "push.max_label_value_length", |past| put(format!("x/l/{}", "v".repeat(16 + past.0))));
    // What was stored under a larger limit can be removed.
    gateway.delete(&format!("/metrics/job/{}", "j".repeat(17))).expect(202);
}
