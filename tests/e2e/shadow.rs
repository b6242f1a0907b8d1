//! Candidates that run beside a policy on the same pushes, and change nothing.

use e2e::gateway::entry;
use e2e::{Gateway, artifacts};
use serde_json::{Value, json};

fn naming(name: &str, rest: &str) -> String {
    entry(name, &artifacts::plugin("naming"), rest)
}

fn relabel(name: &str, rest: &str) -> String {
    entry(name, &artifacts::plugin("relabel"), rest)
}

fn diff(gateway: &Gateway, plugin: &str) -> Value {
    let answer = gateway.get(&format!("/api/v1/plugins/{plugin}/diff")).expect(200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let mut answer: Value = serde_json::from_str(answer.text()).unwrap();
    assert_eq!(answer["status"], "success");
    answer["data"].take()
}

/// Pushes by result, as the metrics tell and the API as well.
fn results(gateway: &Gateway, plugin: &str) -> Value {
    let results = diff(gateway, plugin)["results"].take();
    let scrape = gateway.scrape();
    for (result, count) in results.as_object().unwrap() {
        let line = format!(
            "pushgate_plugin_shadow_total{{plugin=\"{plugin}\",result=\"{result}\",shadow_of=\"live\"}} {count}"
        );
        assert!(scrape.samples("pushgate_plugin_shadow_total").contains(&line.as_str()), "{line}");
    }
    results
}

#[test]
fn a_candidate_that_decides_otherwise_is_reported_and_changes_nothing() {
    let gateway = Gateway::start(
        &[
            naming("live", "config = { counter_suffix = false, prefixes = ['a_', 'b_'] }"),
            naming("next", "shadow_of = 'live'\nconfig = { counter_suffix = true, prefixes = ['a_', 'c_'] }"),
        ]
        .concat(),
    );
    gateway.put("/metrics/job/same", "a_x 1\n").expect(200);
    let id =
        gateway.put("/metrics/job/accepted", "b_c 1\n").expect(200).header("x-request-id").map(str::to_owned);
    let refused = gateway.put("/metrics/job/refused", "c_y 1\n").expect(422);
    assert!(!refused.text().contains("next"), "{}", refused.text());
    gateway.put("/metrics/job/other", "# TYPE d_e counter\nd_e 1\n").expect(422);
    assert_eq!(
        results(&gateway, "next"),
        json!({ "same": 1, "decision": 2, "findings": 1, "edits": 0, "fault": 0, "suspended": 0 })
    );
    let told = diff(&gateway, "next");
    assert_eq!((&told["plugin"], &told["shadow_of"]), (&json!("next"), &json!("live")));
    let [other, refused, accepted] = told["differences"].as_array().unwrap().as_slice() else {
        panic!("{told}")
    };
    let facts = |difference: &Value| {
        let of = |side: &str| (difference[side]["decision"].clone(), difference[side]["codes"].clone());
        (difference["group"].clone(), difference["result"].clone(), of("live"), of("shadow"))
    };
    let (accept, reject) = (json!("accept"), json!("reject"));
    let (suffix, prefix) = (json!("naming/counter-suffix"), json!("naming/prefix"));
    assert_eq!(
        facts(accepted),
        (
            json!(r#"{job="accepted"}"#),
            json!("decision"),
            (accept.clone(), json!([])),
            (reject.clone(), json!([prefix]))
        )
    );
    assert_eq!(accepted["id"].as_str(), id.as_deref());
    assert_eq!(
        facts(refused),
        (
            json!(r#"{job="refused"}"#),
            json!("decision"),
            (reject.clone(), json!([prefix])),
            (accept, json!([]))
        )
    );
    let (group, result, live, shadow) = facts(other);
    assert_eq!((group, result), (json!(r#"{job="other"}"#), json!("findings")));
    assert_eq!(live, (reject.clone(), json!([prefix])));
    assert_eq!(shadow.0, reject);
    assert!(shadow.1.as_array().unwrap().contains(&suffix), "{shadow:?}");
    for side in ["live", "shadow"] {
        assert!(other[side]["fuel"].as_u64().unwrap() > 1_000, "{other}");
    }
    assert_eq!(gateway.log().matches("a shadow differs").count(), 1, "one line for many\n{}", gateway.log());
}

/// It sees what the policy sees: what those before it made of the push, not what the policy itself makes of it. What it
/// would edit does not reach the next policy.
#[test]
fn a_candidate_stands_in_the_place_of_its_policy() {
    let rule = |label: &str, value: &str| {
        format!(
            "[plugin.config]\nrules = [{{ action = 'replace', target_label = '{label}', replacement = '{value}' }}]"
        )
    };
    let gateway = Gateway::start(
        &[
            relabel("first", &rule("zone", "eu")),
            relabel("next", &format!("shadow_of = 'live'\n{}", rule("team", "ops"))),
            relabel("live", &format!("match = {{ job = 'a.*' }}\n{}", rule("team", "dev"))),
            entry("last", &artifacts::guest("scribe"), "config = { write = 'x' }"),
        ]
        .concat(),
    );
    gateway.put("/metrics/job/a1", "m{l=\"1\"} 1\nm{l=\"2\"} 2\n").expect(200);
    gateway.put("/metrics/job/b1", "m 1\n").expect(200);
    assert_eq!(
        results(&gateway, "next"),
        json!({ "same": 0, "decision": 0, "findings": 0, "edits": 1, "fault": 0, "suspended": 0 }),
        "it is asked about what the policy is for"
    );
    let difference = diff(&gateway, "next")["differences"][0].take();
    assert_eq!(
        difference["lines"],
        json!([
            r#"-m{l="1",team="dev",zone="eu"} 1"#,
            r#"+m{l="1",team="ops",zone="eu"} 1"#,
            r#"-m{l="2",team="dev",zone="eu"} 2"#,
            r#"+m{l="2",team="ops",zone="eu"} 2"#
        ])
    );
    assert_eq!((&difference["live"]["decision"], &difference["more_lines"]), (&json!("mutate"), &json!(0)));
    let stored = gateway.scrape();
    assert_eq!(stored.samples(r#"m"#)[0], r#"m{instance="",job="a1",l="1",seen="x",team="dev",zone="eu"} 1"#);
}

/// Edits that come to the same are no difference, in whatever order and words they are made.
#[test]
fn edits_are_compared_by_what_they_leave() {
    let rules = |rules: &str| format!("[plugin.config]\nrules = [{rules}]");
    let one = rules(
        "{ action = 'labelmap', regex = 'environment', replacement = 'env' }, { action = 'labeldrop', regex = 'environment' }",
    );
    let other = rules(
        "{ action = 'replace', source_labels = ['environment'], regex = '(.+)', target_label = 'env' }, { action = 'labeldrop', regex = 'environ.*' }",
    );
    let gateway = Gateway::start(
        &[relabel("live", &one), relabel("next", &format!("shadow_of = 'live'\n{other}"))].concat(),
    );
    gateway.put("/metrics/job/a", "m{environment=\"prod\"} 1\n").expect(200);
    gateway.put("/metrics/job/a", "m{env=\"prod\"} 1\n").expect(200);
    assert_eq!(
        results(&gateway, "next"),
        json!({ "same": 2, "decision": 0, "findings": 0, "edits": 0, "fault": 0, "suspended": 0 })
    );
}

#[test]
fn a_candidate_that_fails_refuses_nothing() {
    let gateway = Gateway::start(
        &[
            naming("live", ""),
            entry("next", &artifacts::guest("loop"), "shadow_of = 'live'\nfuel_base = 1_000_000"),
        ]
        .concat(),
    );
    gateway.put("/metrics/job/hostile", "m 1\n").expect(200);
    gateway.put("/metrics/job/x", "m 1\n").expect(200);
    assert_eq!(
        results(&gateway, "next"),
        json!({ "same": 1, "decision": 0, "findings": 0, "edits": 0, "fault": 1, "suspended": 0 })
    );
    let difference = diff(&gateway, "next")["differences"][0].take();
    assert_eq!(difference["shadow"]["fault"], "out of fuel", "{difference}");
    assert_eq!(difference["shadow"]["decision"], "fault", "{difference}");
    assert_eq!(difference["live"]["decision"], "accept", "{difference}");
}

#[test]
fn a_candidate_that_keeps_failing_is_left_alone_and_its_policy_is_not() {
    let gateway = Gateway::start(
        &[
            "breaker_faults = 3\nbreaker_backoff = '1h'\n".to_owned(),
            naming("live", ""),
            entry("next", &artifacts::guest("trap"), "shadow_of = 'live'"),
        ]
        .concat(),
    );
    for value in 0..5 {
        gateway.put("/metrics/job/hostile", format!("m {value}\n")).expect(200);
        gateway.put("/metrics/job/x", format!("m {value}\n")).expect(200);
    }
    assert_eq!(
        results(&gateway, "next"),
        json!({ "same": 5, "decision": 0, "findings": 0, "edits": 0, "fault": 3, "suspended": 2 })
    );
    let standing = gateway.get("/api/v1/plugins/next").expect(200);
    let standing: Value = serde_json::from_str(standing.text()).unwrap();
    assert_eq!(standing["data"]["state"], "suspended", "{standing}");
    assert_eq!(standing["data"]["suspended"][0]["job"], "hostile", "{standing}");
    assert_eq!(gateway.put("/metrics/job/hostile", "camelCase 1\n").status, 422, "the policy still decides");
    let skipped = gateway.scrape().sum("pushgate_plugin_skipped_total", &["live", "reason=\"suspended\""]);
    assert_eq!(skipped, 0.0);
}

#[test]
fn a_reload_keeps_the_counts_and_forgets_the_differences() {
    let chain = |prefix: &str| {
        e2e::gateway::config(
            "127.0.0.1:0",
            &[
                naming("live", ""),
                naming("next", &format!("shadow_of = 'live'\nconfig = {{ prefixes = ['{prefix}'] }}")),
            ]
            .concat(),
        )
    };
    let mut gateway = Gateway::start_with(&chain("a_"));
    gateway.put("/metrics/job/x", "m 1\n").expect(200);
    assert_eq!(diff(&gateway, "next")["differences"].as_array().unwrap().len(), 1);
    gateway.reload(&chain("m"));
    gateway.put("/metrics/job/x", "m 1\n").expect(200);
    assert_eq!(diff(&gateway, "next")["differences"], json!([]));
    assert_eq!(
        results(&gateway, "next"),
        json!({ "same": 1, "decision": 1, "findings": 0, "edits": 0, "fault": 0, "suspended": 0 })
    );
}

#[test]
fn only_candidates_have_differences() {
    let gateway = Gateway::start(&naming("live", ""));
    for path in ["/api/v1/plugins/live/diff", "/api/v1/plugins/next/diff", "/api/v1/plugins/diff"] {
        gateway.get(path).expect(404);
    }
    assert!(gateway.scrape().samples("pushgate_plugin_shadow_total").is_empty());
}
