//! What plugins do to a push: relabel, reject, watch.

use e2e::gateway::entry;
use e2e::{Gateway, Scrape, artifacts};
use serde_json::Value;

/// An entry of the guest that does what its configuration says.
fn scribe(name: &str, rest: &str) -> String {
    entry(name, &artifacts::guest("scribe"), rest)
}

fn seen(scrape: &Scrape, job: &str) -> Option<String> {
    let series = scrape.samples("m").into_iter().find(|line| line.contains(&format!("job=\"{job}\"")))?;
    let (_, rest) = series.split_once("seen=\"")?;
    Some(rest.split('"').next()?.to_owned())
}

#[test]
fn the_chain_runs_in_the_order_of_the_configuration() {
    let write = |text: &str| scribe(text, &format!("config = {{ write = \"{text}\" }}"));
    for order in [["a", "b", "c"], ["c", "a", "b"]] {
        let gateway = Gateway::start(&order.map(write).concat());
        gateway.put("/metrics/job/one", "m 1\nm{x=\"1\"} 2\n").expect(200);
        let scrape = gateway.scrape();
        assert_eq!(scrape.samples("m").len(), 2);
        assert_eq!(seen(&scrape, "one"), Some(order.concat()), "each sees what those before it have written");
    }
}

#[test]
fn a_rejected_push_is_answered_with_its_reasons_and_stores_nothing() {
    let gateway = Gateway::start(&scribe("policy", "config = { refuse = \"bad\" }"));
    gateway.put("/metrics/job/one", "good 1\n").expect(200);
    let body = "good 2\nbad 3\nother 4\n";
    let answer = gateway.put("/metrics/job/one", body).expect(422);
    assert!(answer.header("content-type").unwrap().starts_with("text/plain"), "{answer:?}");
    let text = answer.text();
    assert_eq!(text.lines().count(), 2, "one line a finding, and where there is more: {text}");
    for part in ["policy", "scribe/forbidden", "bad", "choose another name"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    for path in ["/metrics/job/one", "/metrics/job/new"] {
        gateway.post(path, body).expect(422);
    }
    let scrape = gateway.scrape();
    assert_eq!(scrape.samples("good"), [r#"good{instance="",job="one"} 1"#]);
    assert_eq!((scrape.samples("bad"), scrape.samples("other")), (vec![], vec![]));
}

#[test]
fn all_reasons_are_told_at_once_where_that_is_asked_for() {
    let chain = |on_reject: &str| {
        let refusing = |name: &str, family: &str| {
            scribe(name, &format!("config = {{ refuse = \"{family}\", write = \"{name}\", remark = true }}"))
        };
        let broken = entry("broken", &artifacts::guest("trap"), "");
        let chain = [refusing("one", "a"), refusing("two", "b"), broken, refusing("three", "c")].concat();
        Gateway::start(&format!("on_reject = \"{on_reject}\"\n{chain}"))
    };
    let told = |gateway: &Gateway, body: &str, status: u16| {
        let answer = gateway.put("/metrics/job/hostile", body.to_owned()).expect(status);
        let lines = answer.text().lines().filter(|line| !line.starts_with("details: "));
        lines.map(|line| line.split(':').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let gateway = chain("collect");
    assert_eq!(told(&gateway, "a 1\nb 1\nc 1\n", 422), ["one", "two", "three"]);
    assert_eq!(told(&gateway, "b 1\nc 1\n", 422), ["two", "three"], "no remark, and no fault");
    assert_eq!(told(&gateway, "c 1\n", 503).len(), 1, "a fault before any reason is one");
    let scrape = gateway.scrape();
    assert_eq!(scrape.without_own(), "", "nothing is stored");
    assert_eq!(
        scrape.sum("pushgate_plugin_faults_total", &["broken"]),
        3.0,
        "faults are counted all the same"
    );
    gateway.put("/metrics/job/good", "d 1\n").expect(200);
    assert_eq!(gateway.scrape().samples("d"), [r#"d{instance="",job="good",seen="onetwothree"} 1"#]);

    assert_eq!(told(&chain("stop"), "a 1\nb 1\nc 1\n", 422), ["one"]);
}

#[test]
fn a_client_that_asks_for_json_gets_problem_json() {
    let gateway = Gateway::start(&scribe("policy", "config = { refuse = \"bad\" }"));
    for accept in ["application/json", "application/problem+json", "application/problem+json, */*;q=0.1"] {
        let request = gateway.request("PUT", "/metrics/job/one").header("Accept", accept).body("bad 3\n");
        let answer = request.send().expect(422);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{accept}");
        let problem: Value = serde_json::from_str(answer.text()).unwrap();
        assert_eq!(problem["status"], 422, "{problem}");
        assert!(problem["title"].is_string(), "{problem}");
        let findings = problem["findings"].as_array().unwrap_or_else(|| panic!("{problem}"));
        assert_eq!(findings.len(), 1, "{problem}");
        assert_eq!(findings[0]["plugin"], "policy", "{problem}");
        assert_eq!(findings[0]["code"], "scribe/forbidden", "{problem}");
        assert_eq!(findings[0]["message"], "choose another name", "{problem}");
    }
}

#[test]
fn a_plugin_in_monitor_mode_changes_nothing_but_is_counted() {
    let rest =
        "mode = \"monitor\"\nconfig = { refuse = \"bad\", write = \"x\", group = { job = \"renamed\" } }";
    let gateway = Gateway::start(&scribe("watcher", rest));
    gateway.put("/metrics/job/one", "m 1\n").expect(200);
    gateway.put("/metrics/job/two", "bad 1\n").expect(200);
    let scrape = gateway.scrape();
    assert_eq!(scrape.samples("m"), [r#"m{instance="",job="one"} 1"#]);
    assert_eq!(scrape.samples("bad"), [r#"bad{instance="",job="two"} 1"#]);
    assert_eq!(
        scrape.sum("pushgate_plugin_findings_total", &["plugin=\"watcher\"", "code=\"scribe/forbidden\""]),
        1.0
    );
    let log = gateway.log();
    assert!(log.contains("would have rejected") && log.contains("scribe/forbidden"), "{log}");
    assert!(log.contains("would have edited"), "{log}");
}

#[test]
fn a_plugin_that_is_off_is_not_called() {
    let gateway =
        Gateway::start(&scribe("asleep", "mode = \"off\"\nconfig = { refuse = \"bad\", write = \"x\" }"));
    gateway.put("/metrics/job/one", "m 1\nbad 1\n").expect(200);
    let scrape = gateway.scrape();
    assert_eq!(seen(&scrape, "one"), None);
    assert_eq!(scrape.sum("pushgate_plugin_evaluations_total", &["asleep"]), 0.0);
}

#[test]
fn a_plugin_is_called_for_the_pushes_it_matches() {
    let gateway = Gateway::start(
        &[
            scribe("jobs", "match = { job = \"batch_.*\" }\nconfig = { write = \"j\" }"),
            scribe("teams", "match = { team = \"a|b\" }\nconfig = { write = \"t\" }"),
            scribe("both", "match = { job = \"batch_.*\", team = \"a\" }\nconfig = { write = \"b\" }"),
        ]
        .concat(),
    );
    let cases = [
        ("batch_1", "", Some("j")),
        ("my_batch_1", "", None),
        ("batch_2", "/team/a", Some("jtb")),
        ("batch_3", "/team/b", Some("jt")),
        ("batch_4", "/team/ab", Some("j")),
    ];
    for (job, labels, expected) in cases {
        gateway.put(&format!("/metrics/job/{job}{labels}"), "m 1\n").expect(200);
        assert_eq!(seen(&gateway.scrape(), job).as_deref(), expected, "{job}{labels}");
    }
}

#[test]
fn an_edited_grouping_key_is_where_the_push_is_stored_and_deleted() {
    let gateway = Gateway::start(&scribe(
        "renamer",
        "config = { group = { job = \"canonical\", pod = \"\", team = \"a\" } }",
    ));
    gateway.put("/metrics/job/one/pod/x-123", "m 1\n").expect(200);
    assert_eq!(gateway.scrape().samples("m"), [r#"m{instance="",job="canonical",team="a"} 1"#]);
    gateway.put("/metrics/job/one/pod/x-456", "m 2\n").expect(200);
    assert_eq!(
        gateway.scrape().samples("m"),
        [r#"m{instance="",job="canonical",team="a"} 2"#],
        "the same group"
    );
    gateway.delete("/metrics/job/one/pod/x-789").expect(202);
    let scrape = gateway.scrape();
    assert_eq!((scrape.samples("m"), scrape.samples("push_time_seconds")), (vec![], vec![]));
}

#[test]
fn what_a_push_went_through_is_counted() {
    let gateway = Gateway::start(&scribe("policy", "config = { refuse = \"bad\", remark = true }"));
    gateway.put("/metrics/job/one", "m 1\n").expect(200);
    gateway.put("/metrics/job/one", "bad 1\n").expect(422);
    gateway.put("/metrics/job/one", "m{ 1\n").expect(400);
    let scrape = gateway.scrape();
    let pushes = |outcome: &str| scrape.sum("pushgate_pushes_total", &[&format!("outcome=\"{outcome}\"")]);
    assert_eq!((pushes("accepted"), pushes("rejected")), (1.0, 1.0), "{}", scrape.text());
    let findings = |code: &str| scrape.sum("pushgate_plugin_findings_total", &["policy", code]);
    assert_eq!((findings("scribe/seen"), findings("scribe/forbidden")), (1.0, 1.0));
    assert_eq!(scrape.sum("pushgate_plugin_evaluations_total", &["policy"]), 2.0);
}

#[test]
fn the_bundled_configuration_accepts_the_classic_lines() {
    let gateway = Gateway::start_bundled();
    gateway
        .put(
            "/metrics/job/myjob/instance/myinstance",
            "my_metric{label1=\"value1\", label2=\"value2\"} 42.5\n",
        )
        .expect(200);
    let body = "# TYPE some_metric counter\nsome_metric{label=\"val1\"} 42\n";
    assert_eq!(gateway.put("/metrics/job/some_job", body).status, 422, "a counter without _total is refused");
    gateway.put("/metrics/job/some_job", "# TYPE jobs_done_total counter\njobs_done_total 1\n").expect(200);
    assert_eq!(gateway.scrape().samples("my_metric").len(), 1);
}

#[test]
fn the_bundled_configuration_relabels() {
    let gateway = Gateway::start_bundled();
    gateway.put("/metrics/job/one", "m{environment=\"prod\"} 1\n").expect(200);
    assert_eq!(gateway.scrape().samples("m"), [r#"m{env="prod",instance="",job="one"} 1"#]);
}

#[test]
fn the_bundled_configuration_refuses_what_nobody_wants() {
    let gateway = Gateway::start_bundled();
    let cases = [
        ("a camelCase name", "queueDepth 7\n", "naming"),
        ("a counter without _total", "# TYPE jobs counter\njobs 7\n", "naming"),
        ("a forbidden label", "logins{password=\"hunter2\"} 7\n", "required-labels"),
    ];
    for (rule, body, plugin) in cases {
        let answer = gateway.put("/metrics/job/some_job", body).expect(422);
        assert!(answer.text().contains(plugin), "{rule}: {}", answer.text());
    }
    assert_eq!(gateway.scrape().without_own(), "");
}
