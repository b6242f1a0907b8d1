//! The bundled plugin `cardinality` where something is stored: its golden cases begin with an empty gateway.

use e2e::gateway::{command, config, entry};
use e2e::{Folder, Gateway, Prometheus, artifacts, poll};

fn gateway(limits: &str) -> Gateway {
    Gateway::start(&limited("grants = [\"cardinality\"]", limits))
}

fn limited(grants: &str, limits: &str) -> String {
    let config = format!("{grants}\n[plugin.config.limits]\n{limits}");
    entry("cardinality", &artifacts::plugin("cardinality"), &config)
}

/// So many series of a metric, each with a `path` of its own.
fn paths(metric: &str, numbers: std::ops::Range<usize>) -> String {
    numbers.map(|number| format!("{metric}{{path=\"/{number}\"}} 1\n")).collect()
}

#[test]
fn it_has_to_be_granted_what_it_asks_for() {
    let folder = Folder::new();
    folder.write("config.toml", config("127.0.0.1:0", &limited("", "series_per_push = 1")));
    let checked = command(&folder, &["check-config", "config.toml"]);
    assert!(checked.code > 0 && checked.stderr.contains("write grants = [\"cardinality\"]"), "{checked:?}");
}

#[test]
fn a_group_is_limited_with_what_a_post_leaves_of_it() {
    let gateway = gateway("series_per_group = 5");
    let url = "/metrics/job/web";
    gateway.put(url, paths("a", 0..5)).expect(200);
    gateway.put(url, paths("a", 0..6)).expect(422);
    gateway.put(url, paths("a", 0..3)).expect(200);
    gateway.post(url, paths("b", 0..2)).expect(200);
    let refused = gateway.post(url, paths("b", 0..3)).expect(422);
    let told = "keep the group at 5 series: with this push it would have 6, 3 of them stored, of metrics that the push does not name";
    assert!(refused.text().contains(told), "{}", refused.text());
    // A metric that is named is replaced.
    gateway.post(url, paths("a", 0..2) + &paths("b", 0..3)).expect(200);
    gateway.put("/metrics/job/web/instance/other", paths("a", 0..5)).expect(200);
}

#[test]
fn the_values_of_a_label_are_limited_in_all_groups_of_a_job() {
    let gateway = gateway("label_values = [{ label = \"path|pod\", limit = 3 }]");
    gateway.put("/metrics/job/web/pod/1", paths("a", 0..2)).expect(200);
    gateway.put("/metrics/job/web/pod/2", paths("a", 1..3)).expect(200);
    let refused = gateway.post("/metrics/job/web/pod/2", paths("b", 2..4)).expect(422);
    let told = "the job 'web' would have 4 of it and may have 3; '/3' is new";
    assert!(refused.text().contains(told), "{}", refused.text());
    gateway.put("/metrics/job/api/pod/1", paths("a", 7..9)).expect(200);

    // What is replaced makes room, and a label of the grouping key has a limit as well.
    gateway.put("/metrics/job/web/pod/2", paths("a", 3..4)).expect(200);
    gateway.put("/metrics/job/web/pod/3", "a 1\n").expect(200);
    let refused = gateway.put("/metrics/job/web/pod/4", "a 1\n").expect(422);
    let told = "give the label 'pod' of the grouping key fewer values, or take it out: the job 'web' would have 4 of it";
    assert!(refused.text().contains(told), "{}", refused.text());
    gateway.delete("/metrics/job/web/pod/3").expect(202);
    gateway.put("/metrics/job/web/pod/4", "a 1\n").expect(200);
}

#[test]
fn values_that_were_stored_before_the_limit_may_go_on() {
    let mut gateway = Gateway::start_with(&config("127.0.0.1:0", ""));
    gateway.put("/metrics/job/web/pod/1", paths("a", 0..3)).expect(200);
    gateway.put("/metrics/job/web/pod/2", paths("a", 3..6)).expect(200);
    let limits = "label_values = [{ label = \".*\", limit = 2, action = \"drop\" }]";
    gateway.reload(&config("127.0.0.1:0", &limited("grants = [\"cardinality\"]", limits)));
    let answer = gateway.put("/metrics/job/web/pod/1", paths("a", 0..3)).expect(200);
    assert_eq!(answer.text(), "");
    let answer = gateway.put("/metrics/job/web/pod/1", paths("a", 2..7)).expect(200);
    assert!(answer.text().contains("'/6' is new; 1 series was dropped"), "{}", answer.text());
    assert_eq!(gateway.scrape().samples("a").len(), 4 + 3);
}

/// What a hostile push costs stays within what the usual limits allow.
#[test]
fn large_pushes_are_judged_within_the_usual_fuel() {
    let limits = "series_per_push = 1_000_000\nseries_per_group = 1_000_000\nlabel_value_length_limit = { limit = 20, action = \"labeldrop\" }\n\
        high_entropy = {}\nlabel_values = [{ label = \".*\", limit = 10, action = \"labeldrop\" }]";
    let gateway = gateway(limits);
    let push = |series: usize, name: &dyn Fn(usize, usize) -> String, value: &dyn Fn(usize) -> String| {
        let line = |series: usize| {
            let labels: Vec<_> =
                (0..60).map(|label| format!("{}=\"{}\"", name(series, label), value(series))).collect();
            format!("m{{{}}} 1\n", labels.join(","))
        };
        (0..series).map(line).collect::<String>()
    };
    let same = |_: usize, label: usize| format!("label{label:02}");
    let each_its_own = |series: usize, label: usize| format!("label{label:02}_{series}");
    for (what, body, status) in [
        ("values that are new each time", push(5_000, &same, &|series| format!("0d4e9f3a-{series}")), 422),
        ("values that are too long", push(5_000, &same, &|_| "x".repeat(21)), 422),
        ("names that are new each time", push(300, &each_its_own, &|_| "x".to_owned()), 422),
        ("names that are as many as can be", push(79, &each_its_own, &|_| "x".to_owned()), 200),
    ] {
        for _ in 0..2 {
            let answer = gateway.put("/metrics/job/web", body.clone());
            assert_eq!(answer.status, status, "{what}: {}", answer.text());
        }
    }
    assert_eq!(gateway.scrape().sum("pushgate_plugin_faults_total", &[]), 0.0);
}

/// Labels are counted as Prometheus counts them, so whoever has a limit there can have the same one here.
#[test]
fn a_label_limit_is_that_of_prometheus() {
    let cases = [
        ("", "m{a=\"1\",b=\"2\",c=\"3\"} 1\n"),
        ("/instance/x", "m{a=\"1\",b=\"2\"} 1\n"),
        ("/instance/x/zone/eu", "m{a=\"1\"} 1\nm{a=\"2\",b=\"2\"} 1\n"),
        ("/zone@base64/=", "m{a=\"1\",b=\"\",instance=\"x\"} 1\n"),
        ("", "# TYPE h histogram\nh_bucket{a=\"1\",le=\"+Inf\"} 1\nh_sum{a=\"1\"} 1\nh_count{a=\"1\"} 1\n"),
        ("", "# TYPE s summary\ns{quantile=\"0.5\"} 1\ns_sum 1\ns_count 1\n"),
    ];
    let scraped = Gateway::start("");
    let (mut jobs, mut accepted, mut refused) = (String::new(), Vec::new(), Vec::new());
    for limit in 2..=6 {
        let gateway = gateway(&format!("label_limit = {limit}"));
        for (case, (path, body)) in cases.into_iter().enumerate() {
            let path = format!("/metrics/job/case{case}{path}");
            scraped.put(&path, body).expect(200);
            let name = format!("case{case}_limit{limit}");
            jobs += &format!(
                "- {{job_name: {name}, honor_labels: true, label_limit: {limit}, static_configs: [{{targets: ['{}']}}], \
                 metric_relabel_configs: [{{source_labels: [job], regex: 'case{case}', action: keep}}]}}\n",
                scraped.address()
            );
            let answer = gateway.put(&path, body);
            if answer.status == 200 { accepted.push(name) } else { refused.push(name) }
        }
    }
    assert!(accepted.len() > 8 && refused.len() > 8, "{accepted:?} {refused:?}");
    let Some(prometheus) = Prometheus::start(&jobs) else { return };
    let seen = |value: u8| {
        let series = prometheus.query(&format!("max_over_time(up[1h]) == {value}"));
        let job =
            |labels: &[(String, String)]| labels.iter().find(|(name, _)| name == "job").unwrap().1.clone();
        let mut jobs: Vec<String> = series.iter().map(|(labels, _)| job(labels)).collect();
        jobs.sort();
        jobs
    };
    accepted.sort();
    refused.sort();
    poll::until("each is scraped", || {
        (seen(1).len() + seen(0).len() == accepted.len() + refused.len()).then_some(())
    });
    poll::until(format!("what was accepted is scraped: {accepted:?}"), || {
        (seen(1) == accepted).then_some(())
    });
    assert_eq!(seen(0), refused);
}
