//! The bundled plugin `naming`, held against `promtool check metrics`.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use e2e::gateway::entry;
use e2e::prometheus::promtool_check_metrics;
use e2e::{Gateway, artifacts};
use serde_json::Value;
use xtask::workspace;

/// How many expositions are made up.
const MADE_UP: usize = 250;

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

const WORDS: [&str; 22] = [
    "http",
    "requests",
    "fooBar",
    "ABC",
    "Abc",
    "x1",
    "total",
    "count",
    "sum",
    "bucket",
    "counter",
    "gauge",
    "Gauge",
    "histogram",
    "summary",
    "untyped",
    "ratio",
    "percent",
    "mib",
    "thermometers",
    "total",
    "a1B",
];
const UNITS: [&str; 24] = [
    "amperes",
    "bytes",
    "celsius",
    "grams",
    "joules",
    "kelvin",
    "meters",
    "metres",
    "seconds",
    "volts",
    "minutes",
    "hours",
    "days",
    "weeks",
    "kelvins",
    "fahrenheit",
    "rankine",
    "inches",
    "yards",
    "miles",
    "bits",
    "calories",
    "pounds",
    "ounces",
];
const PREFIXES: [&str; 20] = [
    "", "pico", "nano", "micro", "milli", "centi", "deci", "deca", "hecto", "kilo", "kibi", "mega", "mibi",
    "giga", "gibi", "tera", "tebi", "peta", "pebi", "mebi",
];
const ABBREVIATIONS: [&str; 18] =
    ["s", "ms", "us", "ns", "sec", "b", "kb", "mb", "gb", "tb", "pb", "m", "h", "d", "MB", "S", "min", "kib"];
const LABELS: [&str; 7] = ["a", "b", "le", "quantile", "hostName", "HOST", "a_B"];

/// A name. It has one unit at most: which of several counts is up to chance in older versions of promtool.
fn name(dice: &mut Dice) -> String {
    let mut words = vec![dice.pick(&["m", "job", "gauge", "s", "Abc", "fooBar", "seconds", "_x"]).to_owned()];
    for _ in 0..dice.roll(3) {
        words.push(dice.pick(&WORDS).to_owned());
    }
    if words[0] != "seconds" && dice.roll(2) == 0 {
        words.push(format!("{}{}", dice.pick(&PREFIXES), dice.pick(&UNITS)));
    }
    if dice.roll(3) == 0 {
        words.push(dice.pick(&ABBREVIATIONS).to_owned());
    }
    if dice.roll(2) == 0 {
        words
            .push(dice.pick(&["total", "total", "count", "sum", "bucket", "", "gauge_histogram"]).to_owned());
    }
    words.join(if dice.roll(12) == 0 { ":" } else { "_" })
}

fn exposition(dice: &mut Dice) -> String {
    let (mut text, mut names) = (String::new(), BTreeSet::new());
    for _ in 0..=dice.roll(8) {
        let name = name(dice);
        // A name must not be one line of another metric.
        if !names.insert(name.clone())
            || names
                .iter()
                .any(|other| other != &name && (other.starts_with(&name) || name.starts_with(other.as_str())))
        {
            names.remove(&name);
            continue;
        }
        if dice.roll(3) > 0 {
            writeln!(text, "# HELP {name} Some help.").unwrap();
        }
        let kind = dice.pick(&["counter", "gauge", "histogram", "summary", "untyped", ""]);
        if !kind.is_empty() {
            writeln!(text, "# TYPE {name} {kind}").unwrap();
        }
        let mut labels: BTreeSet<&str> = (0..dice.roll(3)).map(|_| dice.pick(&LABELS)).collect();
        match kind {
            "histogram" => labels.remove("le"),
            "summary" => labels.remove("quantile"),
            _ => false,
        };
        let labels: Vec<String> = labels.iter().map(|label| format!("{label}=\"1\"")).collect();
        let labels = labels.join(",");
        match kind {
            "histogram" => {
                let comma = if labels.is_empty() { "" } else { "," };
                writeln!(text, "{name}_bucket{{{labels}{comma}le=\"+Inf\"}} 1\n{name}_sum{{{labels}}} 1\n{name}_count{{{labels}}} 1").unwrap();
            }
            "summary" => writeln!(text, "{name}_sum{{{labels}}} 1\n{name}_count{{{labels}}} 1").unwrap(),
            _ => writeln!(text, "{name}{{{labels}}} 1").unwrap(),
        }
    }
    text
}

/// What is pushed in the cases of the bundled plugins.
fn own_corpus() -> Vec<String> {
    let mut pushes = BTreeSet::new();
    for plugin in std::fs::read_dir(workspace::path("plugins")).unwrap().map(|entry| entry.unwrap().path()) {
        let Ok(cases) = std::fs::read_dir(plugin.join("cases")) else { continue };
        for case in cases.map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap()) {
            let Some((_, push)) = case.split_once("--- push\n") else { continue };
            let push = push.split_once("--- outcome\n").unwrap().0;
            pushes.extend(
                push.split_once('\n').map(|(_, text)| text.to_owned()).filter(|text| !text.is_empty()),
            );
        }
    }
    pushes.into_iter().collect()
}

/// What is found of which metric.
type Verdicts = BTreeSet<(String, String)>;

/// `None` when promtool cannot read the exposition, or is not there.
fn promtool(text: &str) -> Option<Verdicts> {
    let mut verdicts = Verdicts::new();
    for line in promtool_check_metrics(text)?.iter().filter(|line| !line.is_empty()) {
        let (metric, told) = line.split_once(' ').filter(|(metric, _)| *metric != "error")?;
        let quoted = |from: char| told.split(from).skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
        let verdict = if told.starts_with("use base unit") {
            let units = quoted('"');
            format!("base-unit {} {}", units[0], units[1])
        } else if told.ends_with("label") {
            format!("reserved-label {}", quoted('"')[0])
        } else if told.contains("include type") {
            format!("type-in-name {}", quoted('\'')[0])
        } else {
            let known = [
                ("no help text", "no-help"),
                ("counter metrics should have", "counter-suffix"),
                ("not have \"_total\"", "total-suffix"),
                ("suffix", "reserved-suffix"),
                ("contain ':'", "colon"),
                ("metric names should be written", "snake-case"),
                ("label names should be written", "label-snake-case"),
                ("abbreviated units", "abbreviated-unit"),
                ("not unique", "duplicate-series"),
            ];
            let code = known.iter().find(|(part, _)| told.contains(part)).map(|(_, code)| *code);
            code.unwrap_or_else(|| panic!("promtool says what is not known here: {line}")).to_owned()
        };
        verdicts.insert((metric.to_owned(), verdict));
    }
    Some(verdicts)
}

fn plugin(gateway: &Gateway, number: usize, text: &str) -> Verdicts {
    let request = gateway
        .request("PUT", &format!("/metrics/job/j{number}"))
        .header("Accept", "application/problem+json");
    let answer = request.body(text).send();
    if answer.status != 422 {
        return Verdicts::new();
    }
    let answer: Value = serde_json::from_str(answer.text()).unwrap();
    let findings = answer["findings"].as_array().unwrap_or_else(|| panic!("{answer}"));
    let verdict = |finding: &Value| {
        let text = |key: &str| finding[key].as_str().unwrap_or_default().to_owned();
        let (message, code) = (text("message"), text("code").replace("naming/", ""));
        let quoted: Vec<&str> = message.split('\'').skip(1).step_by(2).collect();
        let facts = match code.as_str() {
            "base-unit" => format!(" {} {}", quoted[quoted.len() - 2], quoted[quoted.len() - 1]),
            "type-in-name" => format!(" {}", quoted[quoted.len() - 1]),
            "reserved-label" => format!(" {}", quoted[0]),
            _ => String::new(),
        };
        (text("metric"), format!("{code}{facts}"))
    };
    findings.iter().map(verdict).collect()
}

#[test]
fn metrics_are_judged_as_promtool_judges_them() {
    // Only newer ones look for series that are there twice.
    let Some(twice) = promtool("# HELP a b\n# TYPE a gauge\na 1\na 1\n") else { return };
    let options =
        format!("config = {{ promtool_only = true, help = true, duplicates = {} }}", !twice.is_empty());
    let gateway = Gateway::start(&entry("naming", &artifacts::plugin("naming"), &options));
    let mut dice = Dice(11);
    let mut corpus: Vec<String> = (0..MADE_UP).map(|_| exposition(&mut dice)).collect();
    corpus.extend(own_corpus());
    let (mut wrong, mut compared) = (Vec::new(), BTreeSet::new());
    for (number, text) in corpus.iter().enumerate() {
        let Some(expected) = promtool(text) else { continue };
        // The answer has room for so many findings.
        if expected.len() >= 100 {
            continue;
        }
        let mut found = plugin(&gateway, number, text);
        // And they mind a type in a name only when it is the metric's own.
        found.retain(|verdict| {
            twice.is_empty() || !verdict.1.starts_with("type-in-name") || expected.contains(verdict)
        });
        if found != expected {
            let (missing, more) = (&expected - &found, &found - &expected);
            wrong.push(format!("only promtool: {missing:?}\nonly naming: {more:?}\n{text}"));
        }
        compared
            .extend(expected.into_iter().map(|(_, verdict)| verdict.split(' ').next().unwrap().to_owned()));
    }
    assert!(wrong.is_empty(), "{} of {} differ\n{}", wrong.len(), corpus.len(), wrong.join("\n"));
    assert!(compared.len() >= 11, "some rules were not tried: {compared:?}");
}
