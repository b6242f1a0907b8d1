//! Plugins that loop, eat memory, trap or answer nonsense, while others push.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use e2e::gateway::entry;
use e2e::{Gateway, artifacts};

/// Guests that behave on every job but `hostile`.
const HOSTILE: [&str; 3] = ["loop", "memory-bomb", "trap"];

/// Words that a client must not read: what the host and the plugin know about the fault.
const SECRETS: [&str; 8] = ["secret", "fuel", "memory", "wasm", "unreachable", "panick", "trap:", ".rs"];

fn gateway(guest: &str, rest: &str) -> Gateway {
    Gateway::start(&entry("policy", &artifacts::guest(guest), rest))
}

#[test]
fn a_fault_is_answered_with_the_plugins_name_and_nothing_else() {
    for guest in HOSTILE {
        let gateway = gateway(guest, "");
        for _ in 0..3 {
            let answer = gateway.put("/metrics/job/hostile", "m 1\n").expect(503);
            let text = answer.text();
            assert!(text.contains("policy"), "{guest}: {text}");
            for secret in SECRETS {
                assert!(!text.contains(secret), "{guest}: {secret} in {text}");
            }
        }
        gateway.put("/metrics/job/bystander", "m 2\n").expect(200);
        let scrape = gateway.scrape();
        assert_eq!(
            scrape.samples("m"),
            [r#"m{instance="",job="bystander"} 2"#],
            "{guest}: nothing is stored"
        );
        assert_eq!(scrape.sum("pushgate_plugin_faults_total", &["plugin=\"policy\""]), 3.0, "{guest}");
    }
}

#[test]
fn faults_are_told_apart_by_their_metric() {
    let mut kinds = Vec::new();
    for guest in HOSTILE.into_iter().chain(["nonsense"]) {
        let gateway = gateway(guest, "");
        let job = if guest == "nonsense" { "symbol-out-of-range" } else { "hostile" };
        gateway.put(&format!("/metrics/job/{job}"), "m 1\n").expect(503);
        let scrape = gateway.scrape();
        let faults = scrape.samples("pushgate_plugin_faults_total");
        let of_this_push: Vec<_> =
            faults.into_iter().filter(|line| line.ends_with(" 1")).map(str::to_owned).collect();
        assert_eq!(of_this_push.len(), 1, "{guest}: {}", scrape.text());
        kinds.extend(of_this_push);
    }
    kinds.sort();
    kinds.dedup();
    assert_eq!(kinds.len(), 4, "{kinds:?}");
}

#[test]
fn a_plugin_that_may_fail_open_lets_the_push_through() {
    for guest in HOSTILE {
        let gateway = gateway(guest, "fail = \"open\"");
        gateway.put("/metrics/job/hostile", "m 1\n").expect(200);
        let scrape = gateway.scrape();
        assert_eq!(scrape.samples("m"), [r#"m{instance="",job="hostile"} 1"#], "{guest}");
        assert_eq!(
            scrape.sum("pushgate_plugin_faults_total", &["policy"]),
            1.0,
            "{guest}: but it is counted"
        );
    }
}

#[test]
fn a_fault_in_monitor_mode_refuses_nothing() {
    for guest in HOSTILE {
        let gateway = gateway(guest, "mode = \"monitor\"");
        gateway.put("/metrics/job/hostile", "m 1\n").expect(200);
        assert_eq!(gateway.scrape().sum("pushgate_plugin_faults_total", &["policy"]), 1.0, "{guest}");
    }
}

#[test]
fn nonsense_is_a_fault() {
    let gateway = gateway("nonsense", "");
    let jobs = [
        "symbol-out-of-range",
        "family-out-of-range",
        "series-out-of-range",
        "illegal-label-name",
        "reserved-label-name",
        "illegal-family-name",
        "no-job",
        "empty-job",
        "symbols-out-of-range",
        "symbols-not-utf8",
        "reject-without-a-reason",
    ];
    for job in jobs {
        let answer = gateway.put(&format!("/metrics/job/{job}"), "m 1\n");
        assert_eq!(answer.status, 503, "{job}: {}", answer.text());
        assert!(!answer.text().contains("secret"), "{job}: {}", answer.text());
        assert_eq!(gateway.scrape().samples("m"), [""; 0], "{job}");
    }
    gateway.put("/metrics/job/anything-else", "m 1\n").expect(200);
    let faults = gateway.scrape().sum("pushgate_plugin_faults_total", &["policy"]);
    assert_eq!(faults, jobs.len() as f64);
}

#[test]
fn every_bound_of_an_answer_is_taken_at_it_and_not_past_it() {
    let rest = "max_findings = 7\nedits_base = 10\nedits_per_series = 3\nsymbols_base = 20\nsymbols_per_series = 4\n\
                max_symbol_length = 64\ndata_base = \"64KiB\"\ndata_per_series = \"1KiB\"";
    let gateway = gateway("nonsense", rest);
    // A push of two series; the two bounds that are no setting are those of a message and of a code.
    let bounds = [
        ("findings", 7, 422, "7 are allowed (max_findings)"),
        ("message", 1024, 422, "1024 are allowed"),
        ("code", 128, 422, "128 are allowed"),
        ("edits", 16, 200, "16 are allowed (edits_base, edits_per_series)"),
        ("symbols", 28, 200, "28 are allowed (symbols_base, symbols_per_series)"),
        ("symbol-length", 64, 200, "64 are allowed (max_symbol_length)"),
        ("data", 66 << 10, 200, "(data_base, data_per_series)"),
    ];
    for (what, bound, status, told) in bounds {
        let push = |count: usize| {
            gateway.put(&format!("/metrics/job/{what}-{count}"), "m{x=\"1\"} 1\nm{x=\"2\"} 1\n")
        };
        let faults = || gateway.scrape().sum("pushgate_plugin_faults_total", &["kind=\"oversized\""]);
        let before = faults();
        let answer = push(bound);
        assert_eq!(answer.status, status, "{what}: {}", answer.text());
        assert_eq!(faults(), before, "{what}");
        assert_eq!(push(bound + 1).status, 503, "{what}");
        assert_eq!(faults(), before + 1.0, "{what}");
        let log = gateway.log();
        let last = log.lines().rfind(|line| line.contains("plugin failed")).unwrap_or_default();
        assert!(last.contains(told), "{what}: {last}");
    }
}

#[test]
fn lines_for_the_log_are_dropped_past_their_bound() {
    let gateway = gateway("nonsense", "max_log_lines = 3");
    let lines = |push: &str| {
        gateway.put(&format!("/metrics/job/lines-{push}"), "m 1\n").expect(200);
        let log = gateway.log();
        log.lines().filter(|line| line.contains(&format!(" of {push}\""))).count()
    };
    assert_eq!([lines("2"), lines("3"), lines("4"), lines("400")], [2, 3, 3, 3]);
}

#[test]
fn edits_that_cannot_be_made_are_a_fault_of_their_own() {
    // Many edits that each touch every row of a larger push.
    let gateway = gateway("nonsense", "edits_base = 10_000");
    for job in ["duplicate-series", "edits-2000", "ends-go-backwards"] {
        gateway.put(&format!("/metrics/job/{job}"), "m{x=\"1\"} 1\nm{x=\"2\"} 1\n").expect(503);
    }
    assert_eq!(gateway.scrape().sum("pushgate_plugin_faults_total", &["kind=\"edit\""]), 3.0);
}

#[test]
fn a_code_that_the_manifest_does_not_list_makes_no_series_of_its_own() {
    let gateway = gateway("nonsense", "");
    let answer = gateway.put("/metrics/job/unknown-code", "m 1\n").expect(422);
    assert!(answer.text().contains("nonsense/unknown"), "{}", answer.text());
    let scrape = gateway.scrape();
    assert_eq!(scrape.sum("pushgate_plugin_findings_total", &["code=\"other\"", "policy"]), 1.0);
    assert!(!scrape.text().contains("nonsense/unknown"), "{}", scrape.text());
}

#[test]
fn an_instance_that_failed_is_never_used_again() {
    // One instance, so that the next push would meet it.
    let config = e2e::gateway::config(
        "127.0.0.1:0",
        &("instances = 1\n".to_owned() + &entry("policy", &artifacts::guest("trap"), "")),
    );
    let gateway = Gateway::start_with(&config);
    for _ in 0..3 {
        gateway.put("/metrics/job/hostile", "m 1\n").expect(503);
        gateway.put("/metrics/job/bystander", "m 1\n").expect(200);
    }
}

#[test]
fn others_are_served_while_a_plugin_misbehaves() {
    for guest in HOSTILE {
        let gateway = gateway(guest, "");
        let bystanders = || -> Vec<Duration> {
            let push = |number: u32| {
                let started = Instant::now();
                gateway
                    .put(&format!("/metrics/job/bystander{}", number % 7), format!("m {number}\n"))
                    .expect(200);
                gateway.get("/-/healthy").expect(200);
                started.elapsed()
            };
            let mut durations: Vec<_> = (0..50).map(push).collect();
            durations.sort();
            durations
        };
        let quiet = bystanders();
        let over = AtomicBool::new(false);
        let under_attack = std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    while !over.load(Ordering::Relaxed) {
                        gateway.put("/metrics/job/hostile", "m 1\n").expect(503);
                    }
                });
            }
            // Stops the attackers also when a bystander's assertion fails; otherwise the test would never end.
            let _stop = Stop(&over);
            gateway.scrape();
            bystanders()
        });
        // Generous, because the machine may be busy with other tests: what it must find out is a bystander that
        // waits until the attackers are done, or for a time-out.
        let (median, worst) = (under_attack[25], under_attack[49]);
        let bound = quiet[25] * 50 + Duration::from_millis(250);
        assert!(median < bound, "{guest}: {median:?} in the middle, {:?} when it was quiet", quiet[25]);
        assert!(worst < Duration::from_secs(10), "{guest}: {worst:?} at worst");
        assert!(
            gateway.scrape().sum("pushgate_plugin_faults_total", &["policy"]) >= 3.0,
            "{guest}: there was no attack"
        );
    }
}

struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
