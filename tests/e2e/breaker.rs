//! A plugin that keeps failing is left alone for a while, job by job.

use std::time::Instant;

use e2e::gateway::{config, entry};
use e2e::{Gateway, artifacts, poll};

/// A plugin that traps for the job `hostile`, suspended after three faults for about so long.
fn gateway(backoff: &str, rest: &str) -> Gateway {
    let settings = format!("breaker_faults = 3\nbreaker_backoff = \"{backoff}\"\n");
    Gateway::start(&(settings + &entry("policy", &artifacts::guest("trap"), rest)))
}

fn suspended(gateway: &Gateway) -> f64 {
    gateway.scrape().sum("pushgate_plugin_suspended", &["plugin=\"policy\""])
}

fn counted(gateway: &Gateway) -> (f64, f64) {
    let scrape = gateway.scrape();
    let skipped = scrape.sum("pushgate_plugin_skipped_total", &["reason=\"suspended\""]);
    (scrape.sum("pushgate_plugin_faults_total", &["policy"]), skipped)
}

#[test]
fn a_plugin_is_suspended_for_the_job_that_it_keeps_failing_on() {
    let gateway = gateway("1m", "");
    for _ in 0..3 {
        let answer = gateway.put("/metrics/job/hostile", "m 1\n").expect(503);
        assert!(answer.text().contains("failed"), "{}", answer.text());
    }
    assert_eq!(suspended(&gateway), 1.0);
    for _ in 0..5 {
        let answer = gateway.put("/metrics/job/hostile", "m 1\n").expect(503);
        assert!(answer.text().contains("plugin 'policy' keeps failing"), "{}", answer.text());
        let seconds: u64 = answer.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=72).contains(&seconds), "{seconds}");
    }
    assert_eq!(counted(&gateway), (3.0, 5.0), "it was not asked any more");
    gateway.put("/metrics/job/bystander", "m 1\n").expect(200);
    assert!(gateway.log().contains("plugin keeps failing and is suspended for a job"), "{}", gateway.log());
}

#[test]
fn a_suspended_plugin_that_fails_open_is_passed_over() {
    let gateway = gateway("1m", "fail = \"open\"");
    for value in 0..5 {
        gateway.put("/metrics/job/hostile", format!("m {value}\n")).expect(200);
    }
    assert_eq!(counted(&gateway), (3.0, 2.0));
    assert_eq!(gateway.scrape().samples("m"), [r#"m{instance="",job="hostile"} 4"#]);
}

#[test]
fn a_suspended_plugin_is_tried_again() {
    let gateway = gateway("10ms", "");
    let started = Instant::now();
    poll::until("further faults of probes", || {
        gateway.put("/metrics/job/hostile", "m 1\n").expect(503);
        let (faults, skipped) = counted(&gateway);
        (faults >= 5.0 && skipped >= 1.0).then_some(())
    });
    assert!(started.elapsed().as_millis() >= 8, "two probes come no sooner than the first time to wait");
}

#[test]
fn a_reload_lets_a_mended_plugin_in_at_once() {
    let mut gateway = gateway("1h", "");
    for _ in 0..4 {
        gateway.put("/metrics/job/hostile", "m 1\n").expect(503);
    }
    assert_eq!(suspended(&gateway), 1.0);
    let mended = entry("policy", &artifacts::guest("scribe"), "");
    let line = gateway.reload(&config("127.0.0.1:0", &mended));
    assert!(line.contains("configuration reloaded"), "{line}");
    gateway.put("/metrics/job/hostile", "m 1\n").expect(200);
    assert_eq!(suspended(&gateway), 0.0);
}
