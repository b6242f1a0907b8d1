//! PUT, POST and DELETE, and what each leaves stored.

use std::time::{SystemTime, UNIX_EPOCH};

use e2e::Gateway;

const GROUP: &str = "/metrics/job/batch/instance/one";
const LABELS: &str = r#"{instance="one",job="batch"}"#;

const HISTOGRAM: &str = "# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n";

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}

#[test]
fn put_replaces_the_group_and_post_the_families_it_names() {
    let gateway = Gateway::start("");
    gateway.put(GROUP, "a{x=\"1\"} 1\na{x=\"2\"} 2\nb 3\n").expect(200);
    gateway.post(GROUP, "a{x=\"3\"} 4\n").expect(200);
    let scrape = gateway.scrape();
    assert_eq!(scrape.samples("a"), [r#"a{instance="one",job="batch",x="3"} 4"#], "the family as a whole");
    assert_eq!(scrape.expect(&format!("b{LABELS}")), 3.0, "other families stay");
    gateway.put(GROUP, "b 5\n").expect(200);
    let scrape = gateway.scrape();
    assert_eq!(scrape.samples("a"), [""; 0]);
    assert_eq!(scrape.expect(&format!("b{LABELS}")), 5.0);
}

#[test]
fn groups_do_not_touch_each_other() {
    let gateway = Gateway::start("");
    gateway.put("/metrics/job/batch", "a 1\n").expect(200);
    gateway.put(GROUP, "a 2\n").expect(200);
    gateway.delete("/metrics/job/batch").expect(202);
    let scrape = gateway.scrape();
    assert_eq!(scrape.samples("a"), [format!("a{LABELS} 2")]);
    assert_eq!(scrape.samples("push_time_seconds").len(), 1);
}

#[test]
fn delete_removes_a_group_whether_or_not_it_exists() {
    let gateway = Gateway::start("");
    gateway.put(GROUP, "a 1\n").expect(200);
    for _ in 0..2 {
        let answer = gateway.delete("/metrics/job/batch/instance@base64/b25l").expect(202);
        assert_eq!(answer.text(), "");
        let scrape = gateway.scrape();
        assert_eq!((scrape.samples("a"), scrape.samples("push_time_seconds")), (vec![], vec![]));
    }
}

#[test]
fn an_empty_body_makes_or_empties_a_group() {
    let gateway = Gateway::start("");
    gateway.post(GROUP, "").expect(200);
    assert_eq!(gateway.scrape().samples("push_time_seconds").len(), 1, "POST makes it");
    gateway.post(GROUP, "a 1\n").expect(200);
    gateway.post(GROUP, "# only a comment\n").expect(200);
    assert_eq!(gateway.scrape().samples("a").len(), 1, "POST leaves what it does not name");
    gateway.put(GROUP, "").expect(200);
    let scrape = gateway.scrape();
    assert_eq!(scrape.samples("a"), [""; 0], "PUT replaces by nothing");
    assert_eq!(scrape.samples("push_time_seconds").len(), 1, "and the group stays");
}

#[test]
fn a_group_tells_when_it_was_pushed_and_that_it_never_failed() {
    let gateway = Gateway::start("");
    let before = now();
    gateway.put(GROUP, "a 1\n").expect(200);
    let after = now();
    let scrape = gateway.scrape();
    let pushed = scrape.expect(&format!("push_time_seconds{LABELS}"));
    // The clock may be slewed between the two readings.
    assert!((before - 1.0..=after + 1.0).contains(&pushed), "{before} <= {pushed} <= {after}");
    assert_eq!(scrape.expect(&format!("push_failure_time_seconds{LABELS}")), 0.0);
    for (family, help) in [
        ("push_time_seconds", "Last Unix time when changing this group in the Pushgateway succeeded."),
        ("push_failure_time_seconds", "Last Unix time when changing this group in the Pushgateway failed."),
    ] {
        let (help, kind) = (format!("# HELP {family} {help}"), format!("# TYPE {family} gauge"));
        for line in [help, kind] {
            assert!(scrape.text().lines().any(|shown| shown == line), "{line}");
        }
    }
}

#[test]
fn a_push_that_contradicts_what_is_stored_is_noted_in_its_group() {
    let gateway = Gateway::start("");
    gateway.put(GROUP, "# TYPE a counter\na 1\n").expect(200);
    let before = now();
    let answer = gateway.put("/metrics/job/other", "# TYPE a gauge\na 1\n").expect(400);
    assert!(
        answer.text().contains("pushed metrics are invalid or inconsistent with existing metrics"),
        "{answer:?}"
    );
    let scrape = gateway.scrape();
    let labels = r#"{instance="",job="other"}"#;
    assert_eq!(scrape.expect(&format!("push_time_seconds{labels}")), 0.0);
    assert!(scrape.expect(&format!("push_failure_time_seconds{labels}")) >= before - 1.0);
    assert_eq!(scrape.samples("a"), [format!("a{LABELS} 1")], "nothing of it is stored");
    // The own group may change the type: its family is replaced as a whole.
    gateway.put(GROUP, "# TYPE a gauge\na 1\n").expect(200);
    gateway.put("/metrics/job/other", "# TYPE a gauge\na 1\n").expect(200);
}

#[test]
fn the_times_of_a_group_cannot_be_pushed() {
    let gateway = Gateway::start("");
    for _ in 0..2 {
        gateway.post(GROUP, "push_time_seconds 1\npush_failure_time_seconds 2\na 3\n");
        let scrape = gateway.scrape();
        for (family, pushed) in [("push_time_seconds", 1.0), ("push_failure_time_seconds", 2.0)] {
            assert!(scrape.samples(family).len() <= 1, "{family}");
            assert_ne!(scrape.value(&format!("{family}{LABELS}")), Some(pushed), "{family}");
        }
    }
}

#[test]
fn the_grouping_key_wins_over_the_labels_of_the_body() {
    let gateway = Gateway::start("");
    gateway.put(GROUP, "a{job=\"evil\",instance=\"two\",x=\"1\"} 1\n").expect(200);
    gateway.put("/metrics/job/own", "a{instance=\"mine\"} 2\n").expect(200);
    let scrape = gateway.scrape();
    assert_eq!(scrape.expect(r#"a{instance="one",job="batch",x="1"}"#), 1.0);
    assert_eq!(
        scrape.expect(r#"a{instance="mine",job="own"}"#),
        2.0,
        "where the key has no instance, the body's stays"
    );
}

#[test]
fn pushes_that_poison_a_pushgateway_are_refused_and_the_scrape_goes_on() {
    let gateway = Gateway::start("");
    gateway.put("/metrics/job/x", HISTOGRAM.to_owned() + "a 1\n").expect(200);
    let cases = [
        ("the same series through another group", "/metrics/job/x/instance/", "b 1\n"),
        (
            "a metric of the gateway itself",
            "/metrics/job/y",
            "# TYPE pushgate_build_info counter\npushgate_build_info 1\n",
        ),
        ("a timestamp", "/metrics/job/y", "b 1 1700000000000\n"),
        ("a series twice", "/metrics/job/y", "b 1\nb 2\n"),
        ("a series twice, once the key is merged", "/metrics/job/y", "b 1\nb{job=\"y\"} 2\n"),
        ("a reserved label", "/metrics/job/y", "b{__x=\"1\"} 2\n"),
        ("a suffix of a stored histogram", "/metrics/job/y", "h_count 1\n"),
    ];
    for (rule, path, body) in cases {
        let answer = gateway.put(path, body);
        assert_eq!(answer.status, 400, "{rule}: {}", answer.text());
        let scrape = gateway.scrape();
        assert_eq!((scrape.samples("a").len(), scrape.samples("b").len()), (1, 0), "{rule}");
    }
    gateway.put("/metrics/job/z", "c 1\n").expect(200);
}
