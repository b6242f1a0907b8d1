//! What a plugin may use: each limit at it and one past it. Those of what it answers are in `hostile.rs`, those of what
//! it keeps in `capabilities.rs`.

use std::path::{Path, PathBuf};
use std::thread::{self, ScopedJoinHandle};

use e2e::gateway::entry;
use e2e::{Folder, Gateway, RawGuest, poll};

/// A guest that does something in turns, so many times, and accepts the push.
fn in_turns(folder: &Folder, name: &str, turns: u32, turn: &str) -> PathBuf {
    let evaluate = format!(
        "(local $turns i32)  i32.const {turns}  local.set $turns
         loop {turn}  local.get $turns  i32.const 1  i32.sub  local.tee $turns  br_if 0 end
         i32.const 65536  global.set $next  i32.const 4096"
    );
    RawGuest { evaluate: &evaluate, ..RawGuest::HARMLESS }.build(folder, name)
}

/// Starts a gateway with one guest and these settings of it, and pushes two series. Answers the kind of the fault, or
/// "none".
fn fault(guest: &Path, settings: &str) -> (Gateway, String) {
    let gateway = Gateway::start(&entry("policy", guest, settings));
    let answer = gateway.put("/metrics/job/one", "m{x=\"1\"} 1\nm{x=\"2\"} 1\n");
    let scrape = gateway.scrape();
    let faults = scrape.samples("pushgate_plugin_faults_total");
    let fault = faults.iter().find(|line| line.ends_with(" 1")).map_or("none", |line| {
        let (_, kind) = line.split_once("kind=\"").unwrap();
        kind.split('"').next().unwrap()
    });
    assert_eq!(answer.status, if fault == "none" { 200 } else { 503 }, "{}", answer.text());
    let fault = fault.to_owned();
    (gateway, fault)
}

#[test]
fn fuel() {
    let folder = Folder::new();
    let guest = in_turns(&folder, "guest", 10_000, "");
    let (gateway, _) = fault(&guest, "");
    let used = gateway.scrape().sum("pushgate_plugin_fuel_sum", &["policy"]) as u64;
    // A guest is stopped when nothing is left, so one more than it uses is enough.
    let enough = used + 1;
    for (base, per_series, expected) in [
        (enough, 0, "none"),
        (enough - 1, 0, "fuel"),
        (enough - 2_000, 1_000, "none"),
        (enough - 2_000, 999, "fuel"),
    ] {
        let settings = format!("fuel_base = {base}\nfuel_per_series = {per_series}");
        assert_eq!(fault(&guest, &settings).1, expected, "{settings}, of {used}");
    }
}

#[test]
fn memory() {
    let folder = Folder::new();
    for (name, pages, expected) in [("at", 16, "none"), ("past", 17, "memory")] {
        let grow = format!("i32.const {pages}  memory.grow  i32.const -1  i32.eq  if unreachable end");
        let guest = in_turns(&folder, name, 1, &grow);
        assert_eq!(fault(&guest, "memory = '2MiB'").1, expected, "{pages} pages more than the first 16");
    }
}

#[test]
fn time() {
    let folder = Folder::new();
    // An endless loop is within its time as long as its fuel ends before.
    let guest = in_turns(&folder, "endless", 1, "br 0");
    let settings = |deadline: &str, fuel: &str| format!("deadline = '{deadline}'\nfuel_base = {fuel}");
    assert_eq!(fault(&guest, &settings("1m", "4_000_000_000")).1, "fuel");
    let (gateway, kind) = fault(&guest, &settings("300ms", "1_000_000_000_000"));
    assert_eq!(kind, "deadline");
    let lasted = gateway.scrape().sum("pushgate_plugin_duration_seconds_sum", &["policy"]);
    assert!(lasted >= 0.3, "it had all of its time: {lasted}");
}

#[test]
fn lines_for_the_log_that_are_dropped() {
    let folder = Folder::new();
    // Of a push of two series 1,000 and 2 times 16 may be dropped.
    for (name, lines, expected) in [("at", 1_036, "none"), ("past", 1_037, "log")] {
        let guest = in_turns(&folder, name, lines, "i32.const 1  i32.const 16  i32.const 3  call $log");
        let (gateway, kind) = fault(&guest, "max_log_lines = 4");
        assert_eq!(kind, expected, "{lines} lines");
        assert_eq!(gateway.log().lines().filter(|line| line.contains("message=raw")).count(), 4);
    }
}

#[test]
fn instances_that_are_kept() {
    let folder = Folder::new();
    let slow = in_turns(&folder, "slow", 200_000_000, "");
    // Not on the threads of the runtime, of which there may be one.
    let large: String = (0..8_000).map(|number| format!("m{{number=\"{number}\"}} 1\n")).collect();
    for (kept, expected) in [(2, 2.0), (3, 3.0)] {
        let settings = format!("instances = {kept}\nfuel_base = 10_000_000_000\ndeadline = '1m'");
        let gateway = Gateway::start(&entry("policy", &slow, &settings));
        let instances =
            |state: &str| gateway.scrape().sum("pushgate_plugin_instances", &[&format!("state=\"{state}\"")]);
        poll::until("three pushes at the same time", || {
            thread::scope(|scope| {
                let push = |job| gateway.put(&format!("/metrics/job/{job}"), large.clone()).expect(200);
                let pushes = [1, 2, 3].map(|job| scope.spawn(move || push(job)));
                let together = poll::until("three, or the end", || {
                    let are_over = pushes.iter().all(ScopedJoinHandle::is_finished);
                    let together = instances("busy") == 3.0;
                    (together || are_over).then_some(together)
                });
                together.then_some(())
            })
        });
        assert_eq!((instances("busy"), instances("idle")), (0.0, expected), "{kept}");
    }
}
