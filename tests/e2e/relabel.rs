//! The bundled plugin `relabel`, held against a real Prometheus: the same rules on the same label sets.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use e2e::gateway::{self, entry};
use e2e::prometheus::promtool_check_config;
use e2e::{Folder, Gateway, Prometheus, artifacts, poll};
use serde_json::{Value, json};

/// How many cases there are, and how many of them one gateway has a policy for.
const CASES: usize = 480;
const POLICIES: usize = 60;

/// The values of a case are these many numbers, the first case's from here on.
const NUMBERS: usize = 32;
const FIRST: usize = 1 << 20;

/// Numbers that look random, the same in each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }

    fn pick<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.roll(choices.len())]
    }
}

type Rule = Vec<(&'static str, Value)>;
type Labels = BTreeMap<String, String>;

/// A sample that was stored: its labels, sorted by name, and its value.
type Stored = (Vec<(String, String)>, usize);

/// Rules, and the lines that they are tried on.
struct Case {
    number: usize,
    rules: Vec<Rule>,
    /// `# TYPE` lines, and samples without the labels of the group.
    lines: Vec<Line>,
}

enum Line {
    Type(String),
    Sample { name: String, labels: Vec<(String, String)>, value: usize },
}

const LABELS: [&str; 5] = ["a", "b", "c", "Zone", "_x1"];
const VALUES: [&str; 18] = [
    "",
    "1",
    "2",
    "x",
    "foo",
    "FooBar",
    "foo-bar.baz",
    "a;b",
    ";",
    "$1",
    "${2}",
    "$$",
    "Größe",
    "ß",
    "ΑΣ",
    "日本",
    "İﬁᾳ",
    "10.0.0.1:9100",
];
const SOURCES: [&str; 10] =
    ["a", "b", "c", "Zone", "_x1", "missing", "__name__", "job", "instance", "__tmp_v"];
const SEPARATORS: [&str; 5] = [";", "", "-", "$", "日"];
const REGEXES: [&str; 24] = [
    "(.*)",
    "",
    ".*",
    ".+",
    "(.+)",
    "foo",
    "foo.*",
    "(?i)FOO.*",
    "([^.]+)\\..*",
    "(\\w+)(?:-(\\w+))?(.*)",
    "(a)|(b)|.*",
    "x|1|2",
    "(?P<first>[^;]*);(?P<second>.*)",
    "\\d+",
    "[[:alpha:]]+",
    "(\\S+):(\\d+)",
    ".*[äöü].*",
    "\\p{Lu}(.*)",
    "[^a-z]*",
    "(.)(.*)",
    "(?s).*",
    "^(.*)$",
    "(m\\d?)_(\\w+)",
    "(job|case).*",
];
const REPLACEMENTS: [&str; 18] = [
    "$1",
    "",
    "const",
    "$2",
    "${1}_x",
    "$1_x",
    "$$",
    "$$1",
    "$",
    "${first}-${second}",
    "$0",
    "a$9b",
    "${1}${2}",
    "日$1",
    "$first",
    "${",
    "$2$1",
    "pre-$3",
];
const TARGETS: [&str; 12] =
    ["a", "b", "c", "Zone", "new", "_x1", "__tmp_v", "__name__", "job", "instance", "missing", "A"];

fn replace(dice: &mut Dice) -> Rule {
    let mut rule: Rule = Vec::new();
    // A target that the value decides; some values make no name of it.
    if dice.roll(5) == 0 {
        let (regex, target) =
            [("(\\w+).*", "t_$1"), ("([a-z]+)?(.*)", "${1}_t"), ("(?P<n>[a-z0-9]*).*", "x${n}y")]
                [dice.roll(3)];
        rule.extend([
            ("regex", json!(regex)),
            ("target_label", json!(target)),
            ("replacement", json!("k$1")),
        ]);
        return rule;
    }
    rule.push(("target_label", json!(dice.pick(&TARGETS))));
    if dice.roll(4) > 0 {
        rule.push(("regex", json!(dice.pick(&REGEXES))));
    }
    if dice.roll(3) > 0 {
        rule.push(("replacement", json!(dice.pick(&REPLACEMENTS))));
    }
    rule
}

fn rule(dice: &mut Dice, index: usize) -> Rule {
    let mut rule = match dice.roll(12) {
        0 => vec![("action", json!(dice.pick(&["keep", "drop"]))), ("regex", json!(dice.pick(&REGEXES)))],
        1 => vec![
            ("action", json!(dice.pick(&["keepequal", "dropequal"]))),
            ("target_label", json!(dice.pick(&TARGETS))),
        ],
        2 => vec![
            ("action", json!(dice.pick(&["lowercase", "uppercase"]))),
            ("target_label", json!(dice.pick(&TARGETS[..7]))),
        ],
        3 => {
            let modulus = [1, 2, 7, 1000, u32::MAX as usize][dice.roll(5)];
            vec![
                ("action", json!("hashmod")),
                ("target_label", json!(dice.pick(&TARGETS[..7]))),
                ("modulus", json!(modulus)),
            ]
        }
        4 => {
            let regex = dice.pick(&[
                "(a|b)",
                "(.)",
                "(.*)",
                "([ab]|_x1)",
                "(Zone|c|job)",
                "__(name)__",
                "__tmp_(.*)",
                "(?i)zone",
            ]);
            // Which of several labels counts that go to one name depends on the rules before, in Prometheus 2 otherwise
            // than in 3.
            let replacement = match index {
                0 => dice.pick(&["m_$1", "d", "${1}_m", "b", "a", "__tmp_v", "_$1"]),
                _ => dice.pick(&["m_$1", "${1}_m", "n_$1"]),
            };
            return vec![
                ("action", json!("labelmap")),
                ("regex", json!(regex)),
                ("replacement", json!(replacement)),
            ];
        }
        5 => {
            let regex = dice.pick(&["a", "[abc]", "m_.*", "_.*1", "nothing", "(?i)zone|new"]);
            return vec![("action", json!("labeldrop")), ("regex", json!(regex))];
        }
        6 => {
            let regex = format!(
                "{}|__name__|job|instance|le|quantile",
                dice.pick(&["a", "[abc]", "a|new|__tmp_v", ".*"])
            );
            return vec![("action", json!("labelkeep")), ("regex", json!(regex))];
        }
        _ => replace(dice),
    };
    let sources: Vec<&str> = (0..dice.roll(4)).map(|_| dice.pick(&SOURCES)).collect();
    if !sources.is_empty() || dice.roll(2) == 0 {
        rule.push(("source_labels", json!(sources)));
    }
    let is_equal = rule.iter().any(|(_, value)| value.as_str().is_some_and(|text| text.ends_with("equal")));
    if dice.roll(3) == 0 && !is_equal {
        rule.push(("separator", json!(dice.pick(&SEPARATORS))));
    }
    rule
}

impl Case {
    fn random(number: usize, dice: &mut Dice) -> Self {
        let rules = (0..=dice.roll(4)).map(|index| rule(dice, index)).collect();
        let mut case = Self { number, rules, lines: Vec::new() };
        let mut value = FIRST + number * NUMBERS;
        for name in ["m", "m1_foo", "m2"] {
            let mut seen = BTreeSet::new();
            for _ in 0..dice.roll(4) {
                let labels = labels(dice);
                if seen.insert(labels.clone()) {
                    case.sample(name, labels.into_iter().collect(), value);
                    value += 1;
                }
            }
        }
        // A bound is no label of a histogram in the gateway, so it is not copied with the others.
        let copies_all = |rule: &Rule| {
            rule.contains(&("regex", json!("(.*)"))) && rule.contains(&("action", json!("labelmap")))
        };
        if dice.roll(3) == 0 && !case.rules.iter().any(copies_all) {
            case.histogram(&labels(dice), value);
            case.summary(&labels(dice), value + 8);
        }
        case
    }

    fn sample(&mut self, name: &str, labels: Vec<(String, String)>, value: usize) {
        self.lines.push(Line::Sample { name: name.to_owned(), labels, value });
    }

    fn histogram(&mut self, labels: &Labels, value: usize) {
        self.lines.push(Line::Type("h histogram".to_owned()));
        let with = |name: &str, value: &str| with(labels, name, value);
        self.sample("h_bucket", with("le", "0.5"), value);
        self.sample("h_bucket", with("le", "+Inf"), value + 1);
        self.sample("h_sum", with("", ""), value + 2);
        self.sample("h_count", with("", ""), value + 1);
    }

    fn summary(&mut self, labels: &Labels, value: usize) {
        self.lines.push(Line::Type("s summary".to_owned()));
        let with = |name: &str, value: &str| with(labels, name, value);
        self.sample("s", with("quantile", "0.5"), value);
        self.sample("s_sum", with("", ""), value + 1);
        self.sample("s_count", with("", ""), value + 2);
    }

    /// The lines, with more labels behind those of each.
    fn text(&self, more: &[(&str, &str)]) -> String {
        let mut text = String::new();
        for line in &self.lines {
            match line {
                Line::Type(of) => writeln!(text, "# TYPE {of}").unwrap(),
                Line::Sample { name, labels, value } => {
                    let labels = labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
                    let labels: Vec<String> = labels
                        .chain(more.iter().copied())
                        .map(|(name, value)| format!("{name}=\"{value}\""))
                        .collect();
                    writeln!(text, "{name}{{{}}} {value}", labels.join(",")).unwrap();
                }
            }
        }
        text
    }

    fn job(&self) -> String {
        format!("case_{}", self.number)
    }

    /// What Prometheus is told.
    fn scrape_config(&self, server: SocketAddr) -> String {
        format!(
            "- {{job_name: {job}, honor_labels: true, metrics_path: /{number}, static_configs: [{{targets: ['{server}']}}], metric_relabel_configs: [{rules}]}}\n",
            job = self.job(),
            number = self.number,
            rules = flow(&self.rules, ": "),
        )
    }

    /// What the gateway is told.
    fn policy(&self) -> String {
        let options = format!(
            "match = {{ job = \"{job}\" }}\nconfig = {{ rules = [{rules}] }}",
            job = self.job(),
            rules = flow(&self.rules, " = ")
        );
        entry(&self.job(), &artifacts::plugin("relabel"), &options)
    }
}

fn labels(dice: &mut Dice) -> Labels {
    let mut labels = Labels::new();
    for name in LABELS {
        if dice.roll(2) == 0 {
            labels.insert(name.to_owned(), dice.pick(&VALUES).to_owned());
        }
    }
    labels.retain(|_, value| !value.is_empty() || dice.roll(2) == 0);
    labels
}

fn with(labels: &Labels, name: &str, value: &str) -> Vec<(String, String)> {
    let more = (!name.is_empty()).then(|| (name.to_owned(), value.to_owned()));
    labels.clone().into_iter().chain(more).collect()
}

/// Rules on one line, which is TOML or YAML by what stands between keys and values: strings and lists of JSON are both.
fn flow(rules: &[Rule], between: &str) -> String {
    let pair = |(key, value): &(&str, Value)| format!("{key}{between}{value}");
    let rule = |rule: &Rule| format!("{{{}}}", rule.iter().map(pair).collect::<Vec<_>>().join(", "));
    rules.iter().map(rule).collect::<Vec<_>>().join(", ")
}

/// Settings for a gateway of many policies: they find the code of the plugin compiled.
fn shared(folder: &Folder) -> String {
    let cache = folder.path().join("cache");
    let settings = format!("instances = 1\ncache_directory = \"{}\"\n", cache.display());
    let first = entry("first", &artifacts::plugin("relabel"), "");
    folder.write("config.toml", gateway::config("127.0.0.1:0", &format!("{settings}{first}")));
    assert_eq!(gateway::command(folder, &["check-config"]).code, 0);
    settings
}

/// Answers `GET /<number>` with the text of that number until the process ends.
fn serve(texts: Vec<String>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, texts) = (listener.local_addr().unwrap(), Arc::new(texts));
    std::thread::spawn(move || {
        for mut connection in listener.incoming().flatten() {
            let texts = Arc::clone(&texts);
            std::thread::spawn(move || {
                let mut lines = BufReader::new(connection.try_clone().unwrap()).lines().map_while(Result::ok);
                // Prometheus may end at any time.
                let path = lines.next().and_then(|line| line.split([' ', '/']).nth(2).map(str::to_owned));
                let Some(text) = path.and_then(|number| texts.get(number.parse::<usize>().ok()?)) else {
                    return;
                };
                lines.find(String::is_empty);
                let head =
                    "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nConnection: close\r\n";
                let _ = write!(connection, "{head}Content-Length: {}\r\n\r\n{text}", text.len());
            });
        }
    });
    address
}

/// What a Prometheus has stored of each case: labels, temporary ones aside, and values.
fn stored(prometheus: &Prometheus) -> BTreeMap<usize, BTreeSet<Stored>> {
    let mut stored: BTreeMap<usize, BTreeSet<_>> = BTreeMap::new();
    for (mut labels, value) in
        prometheus.query(&format!("{{__name__=~\".+\"}} >= {FIRST} < {}", FIRST + CASES * NUMBERS))
    {
        labels.retain(|(name, _)| name == "__name__" || !name.starts_with("__"));
        stored.entry((value as usize - FIRST) / NUMBERS).or_default().insert((labels, value as usize));
    }
    stored
}

fn await_jobs(prometheus: &Prometheus, count: usize) {
    poll::until("all jobs are scraped", || {
        (prometheus.query("count(count_over_time(scrape_samples_scraped[1h]) >= 2)").first()?.1 as usize
            == count)
            .then_some(())
    });
}

#[test]
fn rules_that_were_written_for_prometheus_are_converted() {
    let mut dice = Dice(7);
    let rules: Vec<Rule> = (0..200).map(|_| rule(&mut dice, 0)).collect();
    let folder = Folder::new();
    let yaml =
        format!("scrape_configs: [{{job_name: a, metric_relabel_configs: [{}]}}]\n", flow(&rules, ": "));
    folder.write("prometheus.yml", yaml);
    let converted = gateway::command(&folder, &["convert", "relabel", "prometheus.yml"]);
    assert_eq!(converted.code, 0, "{}", converted.stderr);
    let plugin = entry("relabel", &artifacts::plugin("relabel"), "");
    let config = gateway::config("127.0.0.1:0", &format!("{plugin}{}", converted.stdout));
    folder.write("config.toml", &config);
    assert_eq!(gateway::command(&folder, &["check-config"]).stdout, "config.toml: good, with 1 plugin\n");
    let config: toml::Table = toml::from_str(&config).unwrap();
    let found = serde_json::to_value(&config["plugin"][0]["config"]["rules"]).unwrap();
    let rules: Vec<Value> = rules
        .into_iter()
        .map(|rule| rule.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
        .collect();
    assert_eq!(found, Value::Array(rules));

    let refused = gateway::command(&folder, &["convert", "relabel", "none.yml"]);
    assert_eq!(
        (refused.code, refused.stderr.as_str()),
        (1, "pushgate: cannot read none.yml: No such file or directory (os error 2)\n")
    );
    folder.write("prometheus.yml", "- {target_label: a, modulo: 2}\n");
    let refused = gateway::command(&folder, &["convert", "relabel", "prometheus.yml"]);
    assert!(
        refused
            .stderr
            .starts_with("pushgate: prometheus.yml: no relabelling rules: line 1: 'modulo' is no key"),
        "{}",
        refused.stderr
    );
}

#[test]
fn rules_make_of_labels_what_prometheus_makes() {
    let mut dice = Dice(5);
    let cases: Vec<Case> = (0..CASES).map(|number| Case::random(number, &mut dice)).collect();
    let texts = cases.iter().map(|case| case.text(&[("job", &case.job()), ("instance", "i")])).collect();
    let server = serve(texts);
    let jobs: String = cases.iter().map(|case| case.scrape_config(server)).collect();
    let Some(original) = Prometheus::start(&jobs) else { return };

    let mut refused: BTreeMap<usize, String> = BTreeMap::new();
    let mut gateways = Vec::new();
    let compiled = Folder::new();
    let settings = shared(&compiled);
    for cases in cases.chunks(POLICIES) {
        let policies: String = cases.iter().map(Case::policy).collect();
        let gateway = Gateway::start(&format!("{settings}{policies}"));
        for case in cases {
            let answer = gateway.put(&format!("/metrics/job/{}/instance/i", case.job()), case.text(&[]));
            if answer.status == 422 {
                refused.insert(case.number, answer.text().to_owned());
            } else {
                assert_eq!(answer.status, 200, "{}\n{answer:?}", flow(&case.rules, ": "));
            }
        }
        gateways.push(gateway);
    }
    let targets: Vec<String> = gateways.iter().map(|gateway| format!("'{}'", gateway.address())).collect();
    let scraped = Prometheus::start(&format!(
        "- {{job_name: gateways, honor_labels: true, static_configs: [{{targets: [{}]}}]}}\n",
        targets.join(", ")
    ))
    .unwrap();
    await_jobs(&original, CASES);
    await_jobs(&scraped, gateways.len());
    let (original, scraped) = (stored(&original), stored(&scraped));

    let mut compared = 0;
    for case in &cases {
        let told = || format!("case {}\n{}\n{}", case.number, flow(&case.rules, ": "), case.text(&[]));
        let (original, scraped) = (original.get(&case.number), scraped.get(&case.number));
        match refused.get(&case.number) {
            None => {
                assert_eq!(scraped, original, "{}", told());
                compared += 1;
            }
            // A push is refused where Prometheus loses samples, or stores what a push gateway cannot: part of a
            // histogram, or another group.
            Some(reasons) => {
                assert_eq!(scraped, None, "{}", told());
                for line in reasons.lines().filter(|line| line.contains("relabel/")) {
                    let known =
                        ["duplicate-series", "grouping-label", "split-family", "metric-name", "mixed-types"];
                    assert!(known.iter().any(|code| line.contains(code)), "{reasons}\n{}", told());
                }
                let samples = case.lines.iter().filter(|line| matches!(line, Line::Sample { .. })).count();
                if reasons.contains("metric-name") {
                    // Prometheus 2 drops the whole scrape, 3 takes any name but the empty one.
                    let is_odd = |(labels, _): &Stored| {
                        labels.iter().any(|(label, name)| {
                            label == "__name__"
                                && name.contains(|of: char| of != '_' && !of.is_ascii_alphanumeric())
                        })
                    };
                    assert!(original.is_none_or(|stored| stored.iter().any(is_odd)), "{reasons}\n{}", told());
                } else if reasons.contains("duplicate-series") {
                    assert!(original.map_or(0, BTreeSet::len) < samples, "{reasons}\n{}", told());
                }
            }
        }
    }
    assert!(compared > CASES / 2, "only {compared} cases were compared, {} were refused", refused.len());
}

/// Rules, good and bad ones. What Prometheus 2 and 3 do not agree about is left out: names that are not ASCII, which only
/// 3 takes, and references in the targets of `lowercase`, which 2 takes as they are.
fn judged_rules() -> Vec<Value> {
    let mut rules = vec![
        json!({}),
        json!({"target_label": ""}),
        json!({"target_label": "a"}),
        json!({"target_label": "a", "action": ""}),
        json!({"target_label": "a", "action": "rename"}),
        json!({"target_label": "a", "action": "REPLACE"}),
        json!({"target_label": "a", "action": "Replace", "replacement": ""}),
        json!({"target_label": "a", "modulus": 7, "separator": ""}),
        json!({"target_label": "job"}),
        json!({"target_label": "__name__"}),
        json!({"target_label": "__meta_x", "source_labels": []}),
        json!({"target_label": "a", "source_labels": ["__name__", "job", "le", "_"]}),
        json!({"target_label": "a", "source_labels": [""]}),
        json!({"target_label": "a", "source_label": ["a"]}),
        json!({"target_label": "a", "source_labels": ["a"], "replacement": "$1$2${9}$$${"}),
        json!({"action": "keep"}),
        json!({"action": "drop", "source_labels": ["a"], "target_label": "b-c", "replacement": "x y"}),
        json!({"action": "hashmod", "target_label": "a"}),
        json!({"action": "hashmod", "target_label": "a", "modulus": 0}),
        json!({"action": "hashmod", "target_label": "a", "modulus": 1, "regex": "x", "replacement": "y"}),
        json!({"action": "hashmod", "target_label": "", "modulus": 1}),
        json!({"action": "hashmod", "modulus": 1}),
        json!({"action": "hashmod", "target_label": "a", "modulus": -1}),
        json!({"action": "labelmap"}),
        json!({"action": "labelmap", "regex": "a(.*)", "replacement": "b_$1"}),
        json!({"action": "labelmap", "regex": "a(.*)", "replacement": ""}),
        json!({"action": "labelmap", "source_labels": ["a"], "target_label": "b", "modulus": 3}),
        json!({"action": "labeldrop"}),
        json!({"action": "labelkeep", "regex": "a"}),
        json!({"action": "labeldrop", "regex": "a", "source_labels": []}),
        json!({"action": "labeldrop", "regex": "a", "source_labels": ["a"]}),
        json!({"action": "labeldrop", "regex": "a", "target_label": ""}),
        json!({"action": "labeldrop", "regex": "a", "target_label": "a"}),
        json!({"action": "labelkeep", "regex": "a", "separator": ";"}),
        json!({"action": "labelkeep", "regex": "a", "separator": ","}),
        json!({"action": "labelkeep", "regex": "a", "replacement": "$1"}),
        json!({"action": "labelkeep", "regex": "a", "replacement": "$2"}),
        json!({"action": "labelkeep", "regex": "a", "modulus": 0}),
        json!({"action": "labelkeep", "regex": "a", "modulus": 1}),
    ];
    for action in ["lowercase", "uppercase", "keepequal", "dropequal"] {
        let with = |more: Value| {
            let mut rule = json!({"action": action, "source_labels": ["a"], "target_label": "b"});
            rule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            rule
        };
        rules.extend([
            with(json!({})),
            with(json!({"target_label": ""})),
            with(json!({"target_label": "__name__"})),
            with(json!({"separator": ";", "modulus": 0, "replacement": "$1"})),
            with(json!({"source_labels": []})),
        ]);
        if action.ends_with("equal") {
            let refused = [
                json!({"regex": "(.*)"}),
                json!({"separator": ","}),
                json!({"replacement": "x"}),
                json!({"modulus": 1}),
            ];
            rules.extend(refused.map(with));
        } else {
            rules.extend([json!({"regex": "x"}), json!({"separator": ","}), json!({"modulus": 1})].map(with));
        }
    }
    for target in [
        "a1", "1a", "$1", "${1}", "$", "a$", "${1", "${}", "a$1", "1$1", "$1$2", "${1}2_", "a${b}c", "$$1",
        "${1}}", "a-$1", "$1-a",
    ] {
        rules.push(json!({"target_label": target, "regex": "(a)(b)"}));
        rules.push(json!({"action": "labelmap", "replacement": target, "regex": "(a)(b)"}));
    }
    for regex in [
        "",
        "a(b",
        "a)b",
        "a**",
        "*",
        "a+?",
        "a++",
        "x{2}",
        "x{2,1}",
        "x{1000}",
        "x{1001}",
        "(x{100}){11}",
        "(x{100}){10}",
        "x{,2}",
        "(?:x{31}){32}{2}",
        "[a",
        "[z-a]",
        "[]a]",
        "[^]",
        "[[:alpha:]]",
        "[[:foo:]]",
        "[a-\\d]",
        "[\\d-z]",
        "\\d\\w\\s\\b\\B\\A\\z",
        "\\Z",
        "\\G",
        "\\1",
        "\\8",
        "\\012",
        "\\x41",
        "\\x{10FFFF}",
        "\\x{110000}",
        "\\xg",
        "\\pL",
        "\\PL",
        "\\p{Greek}",
        "\\p{^Greek}",
        "\\p{Foo}",
        "[\\p{Lu}\\P{Nd}]",
        "\\pX",
        "\\p",
        "\\Qa(b\\E",
        "\\Qa(b",
        "\\C",
        "\\R",
        "\\X",
        "\\_",
        "\\-",
        "\\é",
        "(?i)a",
        "(?i:a)",
        "(?s-m:a)",
        "(?U)a*",
        "(?x)a",
        "(?i-)",
        "(?-)",
        "(?)",
        "(?:)",
        "(?P<a>b)",
        "(?P<a>b)(?P<a>c)",
        "(?P<1>b)",
        "(?P<a-b>b)",
        "(?P<>b)",
        "(?P=a)",
        "(?=a)",
        "(?!a)",
        "(?<=a)",
        "(?>a)",
        "(?#a)",
        "a|*",
        "|",
        "a||b",
        "^*",
        "$+",
        "(|a)*",
        "(^)*",
        "\\b+",
        "a{2}{3}",
        "a{2}*",
        "(a*)*",
        "[a-a]",
        "[--a]",
        "[a--]",
        "[&&]",
        "[a~~b]",
        "{",
        "}",
        "a{1",
        "a{a}",
        "a{1,2,3}",
        "]",
        "\\",
        "[\\]",
        "\\a\\f\\v\\t\\n\\r",
        "\\e",
        "\\ä",
        "ä+",
        "日本",
    ] {
        rules.push(json!({"action": "labeldrop", "regex": regex}));
    }
    rules
}

#[test]
fn rules_are_refused_that_promtool_refuses_and_no_others() {
    let rules = judged_rules();
    let folder = Folder::new();
    let mut policies = String::new();
    for (number, rule) in rules.iter().enumerate() {
        let pairs = rule.as_object().unwrap().iter().map(|(key, value)| format!("{key} = {value}"));
        let options = format!("config = {{ rules = [{{ {} }}] }}", pairs.collect::<Vec<_>>().join(", "));
        policies.push_str(&entry(&format!("rule-{number}-"), &artifacts::plugin("relabel"), &options));
    }
    folder.write("config.toml", gateway::config("127.0.0.1:0", &format!("{}{policies}", shared(&folder))));
    let told = gateway::command(&folder, &["check-config"]);
    assert_ne!(told.code, 0, "{}", told.stderr);
    let judged = |rule: &Value| {
        let yaml = format!("scrape_configs: [{{job_name: a, metric_relabel_configs: [{rule}]}}]\n");
        promtool_check_config(&folder.write("prometheus.yml", yaml))
    };
    let Some(odd_name) = judged(&json!({"target_label": "1a"})) else { return };
    let mut wrong = Vec::new();
    for (number, rule) in rules.iter().enumerate() {
        let promtool = judged(rule).unwrap();
        let name = format!("'rule-{number}-'");
        let line = told
            .stderr
            .lines()
            .find(|line| line.contains(&name) && !line.contains("warning"))
            .unwrap_or_default();
        // Prometheus 3 takes any label name that is text.
        let is_other_name = line.contains("is no label name") && promtool.code == 0 && odd_name.code == 0;
        if line.is_empty() == (promtool.code != 0) && !is_other_name {
            wrong.push(format!("{rule}: {line}{}", promtool.stderr));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
