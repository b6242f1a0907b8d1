//! A suite of hostile guests: each has a fault of its own name, and harms nobody else.
//!
//! What Rust cannot be made to do is written as WebAssembly text here. An outcome in it lies at 8192: the number of its
//! decision, three lists of a patch (at 4, 12 and 20), and the findings (at 28); a finding has its code, its message (at
//! 8), and takes 48 bytes.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Instant;

use e2e::gateway::{config, entry};
use e2e::{Folder, Gateway, RawGuest, artifacts, poll};

const HARMLESS: RawGuest<'_> = RawGuest::HARMLESS;

const LOOP: &str = "loop br 0 end  unreachable";
const LOG_FLOOD: &str = "loop i32.const 1 i32.const 16 i32.const 3 call $log br 0 end  unreachable";
const RECURSION: &str = "(func $deeper (result i32) call $deeper  i32.const 1  i32.add)";
const MEMORY_BOMB: &str = "loop i32.const 1 memory.grow i32.const -1 i32.ne br_if 0 end  i32.const 0 i32.const 1 i32.store  unreachable";

/// A guest that behaves until it is configured, and is asked for memory from then on.
const fn realloc(realloc: &'static str) -> RawGuest<'static> {
    RawGuest {
        items: "(global $lies (mut i32) (i32.const 0))",
        realloc,
        configure: "i32.const 1  global.set $lies  i32.const 4096",
        ..HARMLESS
    }
}

const fn evaluate(evaluate: &'static str) -> RawGuest<'static> {
    RawGuest { evaluate, ..HARMLESS }
}

/// What each does when it is asked about a push: settings, the kind of the fault, and what the log says of it.
const EVALUATED: [(&str, RawGuest<'static>, &str, &str, &str); 25] = [
    ("loop", evaluate(LOOP), "", "fuel", "out of fuel"),
    (
        "loop-past-the-deadline",
        evaluate(LOOP),
        "fuel_base = 1_000_000_000_000\ndeadline = '50ms'",
        "deadline",
        "past its deadline",
    ),
    (
        "loop-in-realloc",
        realloc("loop global.get $lies br_if 0 end  i32.const 65536"),
        "",
        "fuel",
        "out of fuel",
    ),
    ("loop-after-the-answer", RawGuest { post_evaluate: LOOP, ..HARMLESS }, "", "fuel", "out of fuel"),
    ("memory-bomb", evaluate(MEMORY_BOMB), "", "memory", "out of memory"),
    ("recursion", RawGuest { items: RECURSION, ..evaluate("call $deeper") }, "", "stack", "stack overflow"),
    (
        "recursion-in-realloc",
        RawGuest {
            items: "(global $lies (mut i32) (i32.const 0)) (func $deeper (result i32) call $deeper  i32.const 1  i32.add)",
            ..realloc("global.get $lies  if (result i32) call $deeper else i32.const 65536 end")
        },
        "",
        "stack",
        "stack overflow",
    ),
    ("trap", evaluate("unreachable"), "", "trap", "`unreachable` instruction executed"),
    (
        "trap-in-realloc",
        realloc("global.get $lies  if unreachable end  i32.const 65536"),
        "",
        "trap",
        "unreachable",
    ),
    ("log-flood", evaluate(LOG_FLOOD), "", "log", "flooded the log, of which 1032 lines were dropped"),
    (
        "log-from-outside-its-memory",
        evaluate("i32.const 1  i32.const -16  i32.const 8  call $log  i32.const 4096"),
        "",
        "nonsense",
        "out of bounds",
    ),
    (
        "realloc-beyond-the-memory",
        realloc("i32.const -65536  i32.const 65536  global.get $lies  select"),
        "",
        "nonsense",
        "realloc return: beyond end of memory",
    ),
    (
        "realloc-not-aligned",
        realloc("i32.const 65537  i32.const 65536  global.get $lies  select"),
        "",
        "nonsense",
        "realloc return: result not aligned",
    ),
    (
        "realloc-that-calls-the-host",
        realloc("global.get $lies  if i32.const 1 i32.const 16 i32.const 3 call $log end  i32.const 65536"),
        "",
        "trap",
        "cannot leave component instance",
    ),
    // The plugin harms only itself: it finds in its memory what was written last.
    ("realloc-always-the-same", realloc("i32.const 65536"), "", "", ""),
    ("answer-beyond-the-memory", evaluate("i32.const -4"), "", "nonsense", "out of bounds"),
    ("answer-not-aligned", evaluate("i32.const 4097"), "", "nonsense", "not aligned"),
    (
        "decision-that-there-is-not",
        evaluate("i32.const 8192  i32.const 3  i32.store8  i32.const 8192"),
        "",
        "nonsense",
        "discriminant",
    ),
    (
        "reject-without-a-finding",
        evaluate("i32.const 8192  i32.const 2  i32.store8  i32.const 8192"),
        "",
        "nonsense",
        "a rejection without a finding",
    ),
    (
        "ten-million-findings-that-are-not-there",
        evaluate("i32.const 8192  i32.const 10000000  i32.store offset=32  i32.const 8192"),
        "",
        "nonsense",
        "out of bounds",
    ),
    (
        "ten-million-findings",
        RawGuest {
            pages: 7400,
            ..evaluate(
                "i32.const 8192  i32.const 10000000  i32.store offset=32
                        i32.const 8192  i32.const 65536  i32.store offset=28  i32.const 8192",
            )
        },
        "memory = '512MiB'",
        "oversized",
        "more data than is taken at a time",
    ),
    (
        "a-message-that-is-not-utf-8",
        evaluate(
            "i32.const 8192  i32.const 1  i32.store offset=32
                  i32.const 8192  i32.const 12288  i32.store offset=28
                  i32.const 12288  i32.const 16384  i32.store offset=8
                  i32.const 12288  i32.const 1  i32.store offset=12
                  i32.const 16384  i32.const 255  i32.store8  i32.const 8192",
        ),
        "",
        "nonsense",
        "invalid utf-8",
    ),
    (
        "a-message-beyond-the-memory",
        evaluate(
            "i32.const 8192  i32.const 1  i32.store offset=32
                  i32.const 8192  i32.const 12288  i32.store offset=28
                  i32.const 12288  i32.const -8  i32.store offset=8
                  i32.const 12288  i32.const 16  i32.store offset=12  i32.const 8192",
        ),
        "",
        "nonsense",
        "out of bounds",
    ),
    (
        "symbols-beyond-the-memory",
        evaluate(
            "i32.const 8192  i32.const 1  i32.store8
                  i32.const 8192  i32.const 1000000  i32.store offset=16
                  i32.const 8192  i32.const 131072  i32.store offset=12  i32.const 8192",
        ),
        "",
        "nonsense",
        "out of bounds",
    ),
    (
        "an-edit-that-there-is-not",
        evaluate(
            "i32.const 8192  i32.const 1  i32.store8
                  i32.const 8192  i32.const 1  i32.store offset=24
                  i32.const 8192  i32.const 12288  i32.store offset=20
                  i32.const 12288  i32.const 9  i32.store8  i32.const 8192",
        ),
        "",
        "nonsense",
        "discriminant",
    ),
];

/// Answers of the guest `nonsense`, by the job of the push.
const ANSWERS: [(&str, &str, &str); 8] = [
    ("symbol-out-of-range", "edit", "symbol"),
    ("ends-go-backwards", "edit", ""),
    ("symbols-not-utf8", "edit", ""),
    ("duplicate-series", "edit", ""),
    ("no-job", "edit", ""),
    ("findings-101", "oversized", "101 findings, 100 are allowed"),
    ("findings-10000000", "memory", "out of memory"),
    ("lines-2000", "log", "flooded the log"),
];

/// What each does when it is loaded, and why it is refused.
const LOADED: [(&str, RawGuest<'static>, &str); 18] = [
    ("loop-at-the-start", start("(func $start loop br 0 end)"), "it failed in start: out of fuel"),
    (
        "trap-at-the-start",
        start("(func $start unreachable)"),
        "it failed in start: trap: wasm trap: wasm `unreachable`",
    ),
    ("recursion-at-the-start", start("(func $start call $start)"), "it failed in start: stack overflow"),
    ("loop-in-describe", describe(LOOP), "it failed in describe: out of fuel"),
    (
        "trap-in-describe",
        describe("unreachable"),
        "it failed in describe: trap: wasm trap: wasm `unreachable`",
    ),
    (
        "recursion-in-describe",
        RawGuest { items: RECURSION, ..describe("call $deeper") },
        "it failed in describe: stack overflow",
    ),
    ("memory-bomb-in-describe", describe(MEMORY_BOMB), "it failed in describe: out of memory"),
    ("log-flood-in-describe", describe(LOG_FLOOD), "it failed in describe: flooded the log"),
    (
        "manifest-beyond-the-memory",
        describe("i32.const -64"),
        "it failed in describe: answered nonsense: pointer out of bounds",
    ),
    (
        "manifest-that-is-not-utf-8",
        describe("i32.const 16  i32.const 255  i32.store8  i32.const 1024"),
        "it failed in describe: answered nonsense: invalid utf-8",
    ),
    (
        "huge-schema",
        describe(
            "i32.const 1048  i32.const 1  i32.store8  i32.const 1056  i32.const 262145  i32.store  i32.const 1024",
        ),
        "its manifest is not usable: 262145 bytes in the schema of its configuration, 262144 are allowed",
    ),
    (
        "huge-manifest",
        describe(
            "i32.const 1072  i32.const 131072  i32.store  i32.const 1076  i32.const 50000  i32.store  i32.const 1024",
        ),
        "its manifest is not usable: 50000 codes, 256 are allowed",
    ),
    ("loop-in-configure", configure(LOOP), "it failed in configure: out of fuel"),
    (
        "trap-in-configure",
        configure("unreachable"),
        "it failed in configure: trap: wasm trap: wasm `unreachable`",
    ),
    ("log-flood-in-configure", configure(LOG_FLOOD), "it failed in configure: flooded the log"),
    ("loop-in-realloc", RawGuest { realloc: LOOP, ..HARMLESS }, "it failed in configure: out of fuel"),
    (
        "realloc-beyond-the-memory",
        RawGuest { realloc: "i32.const -65536", ..HARMLESS },
        "it failed in configure: answered nonsense: realloc return: beyond end of memory",
    ),
    (
        "memory-past-its-limit",
        RawGuest { pages: 1025, ..HARMLESS },
        "it cannot be compiled: module memory does not fit",
    ),
];

const fn start(items: &'static str) -> RawGuest<'static> {
    RawGuest { items, start: "(start $start)", ..HARMLESS }
}

const fn describe(describe: &'static str) -> RawGuest<'static> {
    RawGuest { describe, ..HARMLESS }
}

const fn configure(configure: &'static str) -> RawGuest<'static> {
    RawGuest { configure, ..HARMLESS }
}

#[test]
fn each_has_a_fault_of_its_own_name_when_it_is_asked_about_a_push() {
    let folder = Folder::new();
    let nonsense = artifacts::guest("nonsense");
    let scoped = |name: &str, file: &std::path::Path, rest: &str| {
        entry(name, file, &format!("match = {{ job = '{name}' }}\n{rest}"))
    };
    let mut chain = String::from("breaker_faults = 0\n");
    for (name, guest, rest, ..) in EVALUATED {
        chain += &scoped(name, &guest.build(&folder, name), rest);
    }
    for (name, ..) in ANSWERS {
        chain += &scoped(name, &nonsense, "");
    }
    // One that everybody passes, and that behaves on these jobs.
    let gateway = Gateway::start(&(chain + &entry("everybody", &artifacts::guest("trap"), "")));
    let rows = EVALUATED.map(|(name, _, _, kind, told)| (name, kind, told));
    beside_others(&gateway, || {
        for (name, kind, told) in rows.into_iter().chain(ANSWERS) {
            let status = if kind.is_empty() { 200 } else { 503 };
            for _ in 0..2 {
                let answer = gateway.put(&format!("/metrics/job/{name}"), "m{x=\"1\"} 1\nm{x=\"2\"} 1\n");
                assert_eq!(answer.status, status, "{name}: {}", answer.text());
            }
            let scrape = gateway.scrape();
            let faults = |labels: &[&str]| scrape.sum("pushgate_plugin_faults_total", labels);
            let plugin = format!("plugin=\"{name}\"");
            let expected = if kind.is_empty() { 0.0 } else { 2.0 };
            assert_eq!(faults(&[&plugin]), expected, "{name}");
            assert_eq!(
                faults(&[&plugin, &format!("kind=\"{kind}\"")]),
                expected,
                "{name}: {}",
                gateway.log()
            );
            let log = gateway.log();
            let failed = log.lines().rfind(|line| line.contains("plugin failed")).unwrap_or_default();
            assert!(kind.is_empty() || failed.contains(told), "{name}: {failed}");
        }
    });
    let fuel = gateway.scrape().sum("pushgate_plugin_fuel_sum", &["plugin=\"loop\""]);
    assert_eq!(fuel, 2.0 * (10_000_000.0 + 2.0 * 50_000.0), "what a fault has cost is told as well");
}

#[test]
fn each_is_refused_by_its_own_name_when_it_is_loaded() {
    let guests = Folder::new();
    let chain = |rest: &str| {
        let usual = entry("everybody", &artifacts::guest("trap"), "");
        config("127.0.0.1:0", &(usual + rest)).replacen("[web]", "[web]\nenable_lifecycle = true", 1)
    };
    let gateway = Gateway::start_with(&chain(""));
    beside_others(&gateway, || {
        for (name, guest, told) in LOADED {
            let file = guest.build(&guests, name);
            gateway.folder().write("config.toml", chain(&entry(name, &file, "")));
            let answer = gateway.request("POST", "/-/reload").send().expect(500);
            let expected = format!("'{}' cannot be used: {told}", file.display());
            assert!(answer.text().contains(&expected), "{name}: {}", answer.text());
        }
    });
    assert_eq!(gateway.scrape().expect("pushgate_config_last_reload_successful"), 0.0);
}

#[test]
fn others_are_served_while_a_push_is_stuck_in_a_plugin() {
    let rest = "match = { job = 'stuck' }\nfuel_base = 1_000_000_000_000\ndeadline = '2s'";
    let folder = Folder::new();
    let stuck = entry("stuck", &evaluate(LOOP).build(&folder, "stuck"), rest);
    let gateway = Gateway::start(&("breaker_faults = 0\n".to_owned() + &stuck));
    // A machine may be too busy to serve three others within two seconds. It is not each time.
    poll::until("others are served while one is stuck", || {
        thread::scope(|scope| {
            let stuck = scope.spawn(|| gateway.put("/metrics/job/stuck", "m 1\n").expect(503));
            poll::until("it is stuck", || {
                let busy = ["plugin=\"stuck\"", "state=\"busy\""];
                let busy = gateway.scrape().sum("pushgate_plugin_instances", &busy) == 1.0;
                (busy || stuck.is_finished()).then_some(())
            });
            (0..3).for_each(|number| serve_another(&gateway, number));
            (!stuck.is_finished()).then_some(())
        })
    });
}

#[test]
fn an_instance_ends_after_a_thousand_calls_or_so() {
    const fn counting(evaluate: &'static str) -> RawGuest<'static> {
        RawGuest { items: "(global $calls (mut i32) (i32.const 0))", ..self::evaluate(evaluate) }
    }
    let folder = Folder::new();
    let [few, many] = [
        counting(
            "global.get $calls i32.const 1 i32.add global.set $calls i32.const 65536 global.set $next
             global.get $calls i32.const 798 i32.gt_s if unreachable end i32.const 4096",
        ),
        counting(
            "global.get $calls i32.const 1 i32.add global.set $calls i32.const 65536 global.set $next
             global.get $calls i32.const 1200 i32.gt_s if unreachable end i32.const 4096",
        ),
    ];
    let few = entry("few", &few.build(&folder, "few"), "fail = 'open'");
    let many = entry("many", &many.build(&folder, "many"), "fail = 'open'");
    let gateway = Gateway::start(&("breaker_faults = 0\n".to_owned() + &few + &many));
    for _ in 0..2_500 {
        gateway.put("/metrics/job/one", "m 1\n").expect(200);
    }
    let scrape = gateway.scrape();
    let faults = |plugin: &str| scrape.sum("pushgate_plugin_faults_total", &[plugin]);
    assert!(faults("plugin=\"few\"") > 0.0, "one serves 800 at the least");
    assert_eq!(faults("plugin=\"many\""), 0.0, "and 1,200 at the most");
}

/// Does something, while others push and ask whether the gateway is well; they must be served all the time.
fn beside_others(gateway: &Gateway, attack: impl FnOnce()) {
    let (over, served) = (AtomicBool::new(false), AtomicU32::new(0));
    thread::scope(|scope| {
        let _stop = Stop(&over);
        let others = scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                serve_another(gateway, served.fetch_add(1, Ordering::Relaxed));
            }
        });
        attack();
        assert!(!others.is_finished(), "somebody was not served");
    });
    assert!(served.into_inner() > 10, "there was nobody else");
}

fn serve_another(gateway: &Gateway, number: u32) {
    let started = Instant::now();
    gateway.put(&format!("/metrics/job/bystander{}", number % 7), format!("m {number}\n")).expect(200);
    gateway.get("/-/healthy").expect(200);
    // Far more than it takes; what it must find out is one who waits until the attacker is done.
    assert!(started.elapsed() < poll::PATIENCE, "{:?}", started.elapsed());
}

/// Ends the others also when an assertion fails; otherwise the test would never end.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
