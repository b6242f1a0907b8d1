//! Pushes that are captured, and replayed with another configuration.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use e2e::gateway::{command, config, entry};
use e2e::process::Finished;
use e2e::{Folder, Gateway, artifacts, poll};
use serde_json::{Value, json};

const CAPTURE: &str = "[capture]\nfile = 'pushes'\n";

/// The bundled plugins, edits and all.
fn chain(naming: &str) -> String {
    let rules = "{ action = 'labelmap', regex = 'environment', replacement = 'env' }, \
                 { action = 'labeldrop', regex = 'environment' }";
    [
        entry("relabel", &artifacts::plugin("relabel"), &format!("[plugin.config]\nrules = [{rules}]")),
        entry("naming", &artifacts::plugin("naming"), &format!("config = {{ {naming} }}")),
        entry("required", &artifacts::plugin("required-labels"), "config = { forbidden = ['password'] }"),
    ]
    .concat()
}

/// Pushes of all methods and outcomes; the first edits are made on instances that know nothing yet.
fn push(gateway: &Gateway) {
    for round in 0..3 {
        let large: String =
            (0..300).map(|number| format!("m{number}{{environment=\"e{round}\"}} {number}\n")).collect();
        gateway.put(&format!("/metrics/job/large{round}"), large).expect(200);
        gateway.put("/metrics/job/a/host/x", "a_seconds 1\n").expect(200);
        gateway.post("/metrics/job/a/host/x", "# TYPE b counter\nb 1\n").expect(422);
        gateway.post("/metrics/job/b", "c{password=\"x\"} 1\n").expect(422);
        gateway.put("/metrics/job/b", "c{environment=\"x\"} 1\n").expect(200);
        gateway.delete("/metrics/job/b").expect(202);
        // It does not come to the policies.
        gateway.put("/metrics/job/b", "garbage\n").expect(400);
    }
}

const PUSHES: u64 = 18;

fn replay(folder: &Folder, chain: &str, arguments: &[&str]) -> Finished {
    folder.write("new.toml", config("127.0.0.1:0", chain));
    command(folder, &[&["replay", "--config.file=new.toml"], arguments].concat())
}

fn json(finished: &Finished) -> (Vec<Value>, Value) {
    let lines = finished.stdout.lines().map(|line| serde_json::from_str(line).unwrap());
    let mut lines: Vec<Value> = lines.collect();
    let summary = lines.pop().unwrap_or_else(|| panic!("{}", finished.stderr))["summary"].take();
    (lines, summary)
}

fn captured() -> Folder {
    // What is remembered from one push to the next costs no fuel.
    let gateway = Gateway::start(&["memo = '0B'\n", CAPTURE, &chain("")].concat());
    push(&gateway);
    gateway.terminate()
}

#[test]
fn the_same_configuration_changes_nothing_and_uses_the_same_fuel_each_time() {
    let folder = captured();
    let one = replay(&folder, &chain(""), &["--json", "pushes"]);
    assert_eq!((one.code, one.stderr.as_str()), (0, ""), "{}", one.stdout);
    let (pushes, summary) = json(&one);
    assert_eq!(
        (pushes.as_slice(), &summary["pushes"], &summary["same"]),
        (&[] as &[_], &json!(PUSHES), &json!(PUSHES))
    );
    let other = replay(&folder, &chain(""), &["--json", "pushes"]);
    assert_eq!(other.stdout, one.stdout, "to the last unit of fuel");
    // It keeps nothing from one push to the next, so it costs the gateway the same.
    let naming = &summary["fuel"]["naming"];
    assert_eq!(naming["before"], naming["after"]);
    assert!(naming["after"].as_u64().unwrap() > 100_000, "{naming}");

    // The fuel of a push does not depend on those before it.
    let twice = replay(&folder, &chain(""), &["--json", "pushes", "pushes"]);
    let (_, double) = json(&twice);
    for policy in ["relabel", "naming", "required"] {
        let fuel = |summary: &Value| summary["fuel"][policy]["after"].as_u64().unwrap();
        assert_eq!(fuel(&double), 2 * fuel(&summary), "{policy}");
    }
}

#[test]
fn what_another_configuration_would_have_changed_is_told() {
    let folder = captured();
    let rule = "{ action = 'labelmap', regex = 'environment', replacement = 'zone' }";
    let other = [
        entry("relabel", &artifacts::plugin("relabel"), &format!("[plugin.config]\nrules = [{rule}]")),
        entry(
            "naming",
            &artifacts::plugin("naming"),
            "config = { prefixes = ['m', 'b', 'c'], counter_suffix = false }",
        ),
    ]
    .concat();
    let told = replay(&folder, &other, &["--json", "pushes"]);
    assert_eq!((told.code, told.stderr.as_str()), (1, ""));
    let (pushes, summary) = json(&told);
    assert_eq!(
        summary["changes"],
        json!({
            "newly rejected": 3, "newly accepted": 6, "newly failing": 0, "other findings": 0, "edited differently": 6
        })
    );
    assert_eq!((&summary["pushes"], &summary["same"]), (&json!(PUSHES), &json!(3)), "the removals");
    let of = |change: &str| pushes.iter().find(|push| push["change"] == change).unwrap();
    let rejected = of("newly rejected");
    assert_eq!((&rejected["method"], &rejected["group"]), (&json!("PUT"), &json!(r#"{host="x",job="a"}"#)));
    assert_eq!(rejected["before"], json!({ "end": "accepted", "codes": [] }));
    assert_eq!(rejected["after"], json!({ "end": "rejected", "codes": ["naming/prefix"] }));
    let accepted = of("newly accepted");
    assert_eq!(accepted["before"]["codes"], json!(["naming/counter-suffix"]), "{accepted}");
    let edited = of("edited differently");
    assert_eq!((&edited["group"], &edited["more_lines"]), (&json!(r#"{job="large0"}"#), &json!(580)));
    assert_eq!(edited["lines"][0], r#"-m0{env="e0"} 0"#);

    let text = replay(&folder, &other, &["pushes"]);
    assert_eq!(text.code, 1);
    let blocks: Vec<_> = text.stdout.split("\n\n").collect();
    assert_eq!(blocks.len(), 16, "15 pushes and the summary");
    assert!(blocks[1].starts_with(r#"PUT {host="x",job="a"} at 20"#), "{}", blocks[1]);
    assert!(
        blocks[1].ends_with(": newly rejected\n  before: accepted\n  after:  rejected: naming/prefix"),
        "{}",
        blocks[1]
    );
    assert!(
        blocks[15].starts_with(
            "18 pushes, 3 the same, 3 newly rejected, 6 newly accepted, 0 newly failing, 0 other findings, \
             6 edited differently\nfuel "
        ),
        "{}",
        blocks[15]
    );
}

#[test]
fn a_push_that_could_not_be_read_any_more_is_told() {
    let folder = captured();
    let told = replay(&folder, &["[push]\nmax_series = 10\n", &chain("")].concat(), &["--json", "pushes"]);
    let (pushes, summary) = json(&told);
    assert_eq!((told.code, &summary["changes"]["newly rejected"]), (1, &json!(3)));
    let reason = pushes[0]["after"]["reason"].as_str().unwrap();
    assert!(reason.contains("series"), "{reason}");
}

#[test]
fn a_capture_is_read_as_far_as_it_goes() {
    let folder = captured();
    let path = folder.path().join("pushes");
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    let told = replay(&folder, &chain(""), &["--json", "pushes"]);
    assert_eq!((told.code, &json(&told).1["pushes"]), (0, &json!(PUSHES - 1)), "{}", told.stderr);
    assert!(told.stderr.starts_with("pushgate: warning: 'pushes': the record at byte "), "{}", told.stderr);
    assert!(told.stderr.ends_with(" is not whole, and left out\n"), "{}", told.stderr);

    let mut damaged = whole;
    damaged[100] ^= 1;
    fs::write(&path, damaged).unwrap();
    folder.write("config.toml", "no TOML");
    for (arguments, expected) in [
        (&["pushes"] as &[_], "pushgate: cannot read 'pushes': the record at byte 20 is damaged\n"),
        (&["new.toml"], "pushgate: cannot read 'new.toml': this is no capture of pushgate's\n"),
        (&["nowhere"], "pushgate: cannot read 'nowhere': No such file or directory (os error 2)\n"),
    ] {
        let told = replay(&folder, &chain(""), arguments);
        assert_eq!((told.code, told.stderr.as_str()), (2, expected), "{arguments:?}");
    }
    let told = command(&folder, &["replay", "pushes"]);
    assert_eq!(told.code, 2);
    assert!(told.stderr.starts_with("config.toml:1: not TOML"), "{}", told.stderr);
}

#[test]
fn a_capture_is_switched_by_a_reload_and_nobody_elses_to_read() {
    let with = |capture: &str| config("127.0.0.1:0", &[capture, &chain("")].concat());
    let mut gateway = Gateway::start_with(&with(""));
    gateway.put("/metrics/job/before", "m 1\n").expect(200);
    assert!(!gateway.folder().path().join("pushes").exists());
    gateway.reload(&with(CAPTURE));
    gateway.put("/metrics/job/during", "m 1\n").expect(200);
    // One that changes something else goes on.
    let line = gateway.reload(&with(&[CAPTURE, "[push]\n"].concat()));
    assert!(line.contains("configuration reloaded") && !line.contains("restart"), "{line}");
    gateway.put("/metrics/job/during", "m 2\n").expect(200);
    gateway.reload(&with(""));
    gateway.put("/metrics/job/after", "m 1\n").expect(200);
    assert_eq!(gateway.scrape().expect("pushgate_captured_pushes_total{result=\"written\"}"), 2.0);
    let mode = fs::metadata(gateway.folder().path().join("pushes")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let folder = gateway.terminate();
    let (_, summary) = json(&replay(&folder, &chain(""), &["--json", "pushes"]));
    assert_eq!(summary["pushes"], 2);
}

#[test]
fn a_capture_keeps_the_newest_pushes_within_its_bound() {
    let bound = 64 << 10;
    let gateway = Gateway::start("[capture]\nfile = 'pushes'\nmax_bytes = '64KiB'\n");
    let body = |number: u64| format!("# {}\nm {number}\n", "x".repeat(10_000));
    for number in 0..20 {
        gateway.put("/metrics/job/x", body(number)).expect(200);
    }
    let too_large = format!("# {}\nm 1\n", "x".repeat(bound / 2));
    gateway.put("/metrics/job/x", too_large).expect(200);
    let count = |result: &str| {
        gateway.scrape().expect(&format!("pushgate_captured_pushes_total{{result=\"{result}\"}}"))
    };
    poll::until("all is written", || (count("written") + count("dropped") == 21.0).then_some(()));
    assert_eq!((count("written"), count("dropped")), (20.0, 1.0));
    let folder = gateway.terminate();
    let size = |name: &str| fs::metadata(folder.path().join(name)).unwrap().len() as usize;
    assert!(size("pushes") <= bound / 2 && size("pushes.1") <= bound / 2);
    let (_, summary) = json(&replay(&folder, "", &["--json", "pushes.1", "pushes"]));
    let kept = summary["pushes"].as_u64().unwrap();
    assert!((4..=6).contains(&kept), "{kept}");
    let text = fs::read(folder.path().join("pushes")).unwrap();
    assert!(String::from_utf8_lossy(&text).contains("m 19\n"), "the newest is there");
}

#[test]
fn pushes_do_not_depend_on_the_capture() {
    let gateway = Gateway::start("[capture]\nfile = 'nowhere/pushes'\n");
    gateway.put("/metrics/job/x", "m 1\n").expect(200);
    assert!(gateway.log().contains("pushes cannot be captured"), "{}", gateway.log());
    assert!(!Path::new("nowhere").exists());
    gateway.terminate();

    if Path::new("/dev/full").exists() {
        // The file is a link, which is set aside rather than followed.
        let folder = Folder::new();
        std::os::unix::fs::symlink("/dev/full", folder.path().join("pushes")).unwrap();
        folder.write("config.toml", "[capture]\nfile = 'pushes'\n");
        let gateway = Gateway::start_in(folder, &["--config.file=config.toml"]);
        gateway.put("/metrics/job/x", "m 1\n").expect(200);
        let folder = gateway.terminate();
        assert!(fs::symlink_metadata(folder.path().join("pushes")).unwrap().is_file());
    }
}
