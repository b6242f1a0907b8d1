//! What a pure plugin answered is remembered by the shape of the push: it is what it would have answered, and the
//! plugin is not called.

use e2e::gateway::{config, entry};
use e2e::{Gateway, Scrape, artifacts};
use pushgate_exposition::{GroupingKey, Push, Rules, text};
use pushgate_plugin_host::{
    Chain, Engine, Granted, Limits, Link, Memo, Method, Origin, Plugin, Request, Verdict,
};

/// Rules that reject, rewrite series and rewrite the grouping key.
const POLICIES: [(&str, &str); 3] = [
    ("naming", r#"{"counter_suffix": true}"#),
    (
        "relabel",
        r#"{
            "group_rules": [
                {"source_labels": ["job"], "regex": "b(.)", "target_label": "job", "replacement": "batch_$1"}
            ],
            "rules": [
                {"action": "labelmap", "regex": "environment", "replacement": "env"},
                {"action": "labeldrop", "regex": "environment"},
                {"source_labels": ["__name__"], "regex": "dropped", "action": "drop"}
            ]
        }"#,
    ),
    ("required-labels", r#"{"forbidden": ["token"]}"#),
];

fn chain(plugin: &Plugin, memo: Option<Memo>) -> Chain {
    Chain::new(vec![Link { memo, ..Link::of(plugin.clone()) }])
}

/// Numbers that look random and are the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }
}

/// A push of few shapes and any values.
fn push(numbers: &mut Numbers) -> (Push, Method) {
    let method = numbers.one_of(&[Method::Put, Method::Put, Method::Post, Method::Delete]);
    let key = GroupingKey::new([("job", numbers.one_of(&["a", "b1", "c"]))]).unwrap();
    let mut body = String::new();
    if method != Method::Delete {
        let kind = numbers.one_of(&["counter", "gauge"]);
        let name = numbers.one_of(&["m", "m_total", "badName", "dropped"]);
        body += &format!("# TYPE {name} {kind}\n");
        for series in 0..=numbers.below(2) {
            let label = numbers.one_of(&["environment", "env", "token"]);
            body += &format!("{name}{{{label}=\"{series}\"}} {}\n", numbers.below(1_000_000));
        }
    }
    (text::parse(body.as_bytes(), &key, &Rules::default()).unwrap(), method)
}

fn told(verdict: &Verdict) -> String {
    let report = &verdict.reports[0];
    format!("{:?} {:?} {:?} {}", verdict.end, verdict.findings, report.step, report.edits)
}

#[test]
fn what_is_remembered_is_what_the_plugin_would_have_answered() {
    let engine = Engine::new(8, Limits::default().memory).unwrap();
    for (name, config) in POLICIES {
        let file = std::fs::read(artifacts::plugin(name)).unwrap();
        let plugin =
            Plugin::load(&engine, name, &file, config, Limits::default(), &Granted::default()).unwrap();
        // One that remembers everything, and one that has to forget: its room is for a few outcomes.
        let memos = [1 << 20, 32 << 10].map(|bytes| chain(&plugin, Memo::of(&plugin, bytes)));
        let without = chain(&plugin, None);
        let mut numbers = Numbers(7);
        let (mut remembered, mut endings) = ([0; 2], std::collections::BTreeSet::new());
        for number in 0..2_000 {
            let (pushed, method) = push(&mut numbers);
            let id = number.to_string();
            let request = Request { id: &id, method, received_ms: number, attributes: &[] };
            let mut expected = pushed.clone();
            let verdict = without.run(&mut expected, request);
            endings.insert(format!("{:?}", verdict.reports[0].step));
            for (with, remembered) in memos.iter().zip(&mut remembered) {
                let mut edited = pushed.clone();
                let known = with.run(&mut edited, request);
                assert_eq!(told(&known), told(&verdict), "{name} {number}");
                assert!(edited == expected, "{name} {number}: {edited:?} instead of {expected:?}");
                assert_ne!(known.reports[0].origin, Origin::Contradicted, "{name} {number}");
                *remembered += usize::from(known.reports[0].origin == Origin::Remembered);
            }
        }
        assert!(remembered[0] > 1_000, "{name}: only {remembered:?} of 2,000 pushes were remembered");
        assert!(remembered[1] < remembered[0], "{name}: {remembered:?}: nothing was forgotten");
        assert!(endings.len() == 2, "{name}: {endings:?}: it always decides in the same way");
    }
}

#[test]
fn what_a_chain_always_does_is_followed_until_an_answer_is_tried() {
    let engine = Engine::new(8, Limits::default().memory).unwrap();
    let file = std::fs::read(artifacts::plugin("naming")).unwrap();
    let load =
        || Plugin::load(&engine, "naming", &file, "{}", Limits::default(), &Granted::default()).unwrap();
    let with_memo = |plugin: &Plugin| chain(plugin, Memo::of(plugin, 1 << 20));
    let (one, other, without) = (with_memo(&load()), with_memo(&load()), chain(&load(), None));
    let run = |chain: &Chain, body: &str| {
        let key = GroupingKey::new([("job", "j")]).unwrap();
        let mut push = text::parse(body.as_bytes(), &key, &Rules::default()).unwrap();
        chain.run(&mut push, Request { id: "", method: Method::Put, received_ms: 0, attributes: &[] })
    };
    assert!(without.routine(&run(&without, "m 1\n")).is_none(), "it is asked each time");
    assert!(one.routine(&run(&one, "badName 1\n")).is_none(), "a rejection is told to each client");
    let routine = one.routine(&run(&one, "m 1\n")).unwrap();
    assert!(other.follow(&routine).is_none(), "another chain may do something else");
    let followed = std::iter::from_fn(|| one.follow(&routine)).take(2_000);
    let origins: Vec<_> = followed.map(|reports| reports[0].origin).collect();
    assert_eq!(origins, [Origin::Remembered; 1_020], "so many are followed, and the next one is tried");
    assert_eq!(run(&one, "m 1\n").reports[0].origin, Origin::Called);
    assert!(one.follow(&routine).is_some());
}

/// Fuel used, calls, and pushes for which a plugin was not called.
fn counted(scrape: &Scrape, plugin: &str) -> [f64; 3] {
    let plugin = format!("plugin=\"{plugin}\"");
    [
        scrape.sum("pushgate_plugin_fuel_sum", &[&plugin]),
        scrape.sum("pushgate_plugin_fuel_count", &[&plugin]),
        scrape.sum("pushgate_plugin_skipped_total", &[&plugin, "reason=\"memo\""]),
    ]
}

fn naming() -> String {
    entry("naming", &artifacts::plugin("naming"), "")
}

#[test]
fn a_push_of_the_same_names_costs_no_call() {
    let gateway = Gateway::start(&naming());
    let push = |path: &str, body: &str| {
        gateway.put(path, body).expect(200);
        counted(&gateway.scrape(), "naming")
    };
    let [fuel, calls, skipped] = push("/metrics/job/one", "m{a=\"1\"} 1\n");
    assert!(fuel > 0.0);
    assert_eq!([calls, skipped], [1.0, 0.0]);
    assert_eq!(push("/metrics/job/one", "m{a=\"1\"} 1\n"), [fuel, 1.0, 1.0], "the same push");
    assert_eq!(push("/metrics/job/one", "m{a=\"1\"} 2\n"), [fuel, 1.0, 2.0], "another value");
    for (calls, path, body) in [
        (2.0, "/metrics/job/one", "m{a=\"2\"} 1\n"),
        (3.0, "/metrics/job/one", "m{b=\"1\"} 1\n"),
        (4.0, "/metrics/job/two", "m{a=\"1\"} 1\n"),
    ] {
        let [_, called, skipped] = push(path, body);
        assert_eq!([called, skipped], [calls, 2.0], "{path} {body}");
    }
    let scrape = gateway.scrape();
    assert_eq!(scrape.sum("pushgate_plugin_evaluations_total", &["decision=\"accept\""]), 6.0);
    assert_eq!(scrape.sum("pushgate_plugin_duration_seconds_count", &[]), 6.0);
}

#[test]
fn a_remembered_rejection_is_told_in_full_and_counted() {
    let gateway = Gateway::start(&naming());
    let answers =
        [1, 2].map(|value| gateway.put("/metrics/job/one", format!("ok 1\nbadName{{a=\"1\"}} {value}\n")));
    for answer in &answers {
        assert_eq!(answer.status, 422);
        assert!(answer.text().contains("badName"), "{}", answer.text());
    }
    // The last line has the id of the push.
    let [one, other] = answers.each_ref().map(|answer| answer.text().rsplit_once("details: ").unwrap().0);
    assert_eq!(one, other);
    let scrape = gateway.scrape();
    assert_eq!(counted(&scrape, "naming")[2], 1.0, "{}", scrape.text());
    assert_eq!(scrape.sum("pushgate_plugin_evaluations_total", &["decision=\"reject\""]), 2.0);
    assert_eq!(scrape.sum("pushgate_plugin_findings_total", &["code=\"naming/snake-case\""]), 2.0);
}

#[test]
fn nothing_is_remembered_when_that_is_switched_off_nor_over_a_reload() {
    let mut gateway = Gateway::start(&naming());
    let push = |gateway: &Gateway| {
        gateway.put("/metrics/job/one", "m 1\n").expect(200);
        counted(&gateway.scrape(), "naming")[2]
    };
    assert_eq!([push(&gateway), push(&gateway)], [0.0, 1.0]);
    let same = config("127.0.0.1:0", &naming());
    let off = config("127.0.0.1:0", &format!("memo = \"0B\"\n{}", naming()));
    assert!(gateway.reload(&same).contains("configuration reloaded"));
    assert_eq!([push(&gateway), push(&gateway)], [1.0, 2.0], "the new chain has to be told first");
    assert!(gateway.reload(&off).contains("configuration reloaded"));
    assert_eq!([push(&gateway), push(&gateway)], [2.0, 2.0]);
}

#[test]
fn a_fault_is_not_remembered() {
    let gateway = Gateway::start(&entry("policy", &artifacts::guest("trap"), ""));
    for faults in [1.0, 2.0] {
        gateway.put("/metrics/job/hostile", "m 1\n").expect(503);
        assert_eq!(gateway.scrape().sum("pushgate_plugin_faults_total", &["kind=\"trap\""]), faults);
    }
}

#[test]
fn a_plugin_that_is_not_pure_although_it_says_so_is_found_out() {
    let gateway = Gateway::start(&entry("liar", &artifacts::guest("liar"), ""));
    let push = || {
        let answer = gateway.put("/metrics/job/one", "m 1\n").expect(200);
        let (_, calls) = answer.text().trim().rsplit_once("call ").unwrap();
        calls.parse::<u32>().unwrap()
    };
    assert_eq!(push(), 1);
    let before = (0..2_000).take_while(|_| push() == 1).count();
    assert_eq!(before, 1_020, "so many pushes it was believed");
    assert_eq!([push(), push()], [3, 4], "it is believed no more");
    let scrape = gateway.scrape();
    assert_eq!(scrape.expect("pushgate_plugin_memo_mismatches_total{plugin=\"liar\"}"), 1.0);
    assert_eq!(counted(&scrape, "liar")[1..], [4.0, before as f64]);
    let log = gateway.log();
    let lines: Vec<_> = log.lines().filter(|line| line.contains("says that it is pure")).collect();
    assert!(
        matches!(lines[..], [line] if line.contains("level=ERROR") || line.contains("level=error")),
        "{log}"
    );
}

#[test]
fn what_a_plugin_takes_is_told() {
    let gateway = Gateway::start(&naming());
    gateway.put("/metrics/job/one", "m 1\n").expect(200);
    let scrape = gateway.scrape();
    assert!(scrape.expect("pushgate_plugin_memory_peak_bytes{plugin=\"naming\"}") >= 65_536.0);
    assert_eq!(scrape.expect("pushgate_plugin_instances{plugin=\"naming\",state=\"idle\"}"), 1.0);
    assert_eq!(scrape.expect("pushgate_plugin_instances{plugin=\"naming\",state=\"busy\"}"), 0.0);
    assert!(scrape.expect("pushgate_plugin_compile_seconds{cache=\"miss\",plugin=\"naming\"}") > 0.0);
    assert_eq!(scrape.expect("pushgate_plugin_edits_total{plugin=\"naming\"}"), 0.0);
    let info = scrape.samples("pushgate_plugin_info");
    assert!(info[0].starts_with("pushgate_plugin_info{api=\"0.1.0\",digest=\"sha256:"), "{info:?}");
    let outside = entry("naming", &artifacts::plugin("naming"), "match = { job = \"x\" }");
    let gateway = Gateway::start(&outside);
    gateway.put("/metrics/job/one", "m 1\n").expect(200);
    assert_eq!(
        gateway.scrape().expect("pushgate_plugin_skipped_total{plugin=\"naming\",reason=\"scope\"}"),
        1.0
    );
}
