//! Finding out why a push was rejected, afterwards.

use e2e::gateway::{config, entry};
use e2e::{Gateway, Response, artifacts};
use serde_json::{Value, json};

/// An entry of the guest that does what its configuration says.
fn scribe(name: &str, rest: &str) -> String {
    entry(name, &artifacts::guest("scribe"), rest)
}

fn data(gateway: &Gateway, path: &str) -> Value {
    let answer = gateway.get(path).expect(200);
    let mut body: Value = serde_json::from_str(answer.text()).unwrap();
    assert_eq!(body["status"], "success");
    body["data"].take()
}

/// The path that the last line of an answer names.
fn details(answer: &Response) -> String {
    let last = answer.text().lines().last().unwrap();
    last.strip_prefix("details: ").unwrap_or_else(|| panic!("{last}")).to_owned()
}

fn list(gateway: &Gateway) -> Vec<Value> {
    data(gateway, "/api/v1/rejections")["rejections"].as_array().unwrap().clone()
}

#[test]
fn a_rejection_tells_what_the_policy_saw_and_what_those_before_it_did() {
    let gateway = Gateway::start(
        &[
            scribe("writer", "config = { write = \"w\", group = { job = \"renamed\", pod = \"\" } }"),
            scribe("strict", "config = { refuse = \"bad\" }"),
            scribe("never", "config = { refuse = \"bad\" }"),
        ]
        .concat(),
    );
    let body = "# TYPE good counter\ngood 1\nbad{x=\"1\"} 2\nbad{x=\"2\"} 3\n";
    let answer = gateway.put("/metrics/job/one/pod/p-1", body).expect(422);
    let path = details(&answer);
    let id = answer.header("x-request-id").unwrap();
    assert_eq!(path, format!("/api/v1/rejections/{id}"));
    let log = gateway.log();
    assert!(log.lines().any(|line| line.contains("push judged") && line.contains(id)), "{log}");

    let mut rejection = data(&gateway, &path);
    assert!(rejection["time"].take().as_str().unwrap().starts_with("20"));
    let text = "# TYPE good counter\ngood{seen=\"w\"} 1\n\
                # TYPE bad untyped\nbad{seen=\"w\",x=\"1\"} 2\nbad{seen=\"w\",x=\"2\"} 3\n";
    let finding = json!({
        "plugin": "strict", "code": "scribe/forbidden", "metric": "bad", "message": "choose another name"
    });
    let changes = json!([
        { "edit": "set-label", "name": "seen", "value": "w", "series": 3 },
        { "edit": "set-grouping-label", "name": "job", "value": "renamed", "series": 0 },
        { "edit": "drop-grouping-label", "name": "pod", "series": 0 },
    ]);
    let expected = json!({
        "id": id,
        "time": null,
        "method": "PUT",
        "group": r#"{job="one",pod="p-1"}"#,
        "outcome": "refused",
        "judgements": [{
            "plugin": "strict",
            "version": "0.1.0",
            "mode": "enforce",
            "decision": "rejected",
            "codes": ["scribe/forbidden"],
            "findings": [finding],
            "more_findings": 0,
            "config": { "refuse": "bad" },
            "group": r#"{job="renamed"}"#,
            "push": { "text": text, "series": 3, "of": 3 },
            "edits": [{ "plugin": "writer", "changes": changes, "more": 0 }],
        }],
    });
    assert_eq!(rejection, expected);
    assert_eq!(list(&gateway)[0]["judgements"][0]["codes"], json!(["scribe/forbidden"]));
    gateway.put("/metrics/job/one", "good 1\n").expect(200);
    assert_eq!(list(&gateway).len(), 1, "what is accepted is not kept");
    let missing = gateway.get("/api/v1/rejections/0000000000000000").expect(404);
    assert!(missing.text().contains("kept no more"), "{}", missing.text());
}

#[test]
fn what_would_have_been_rejected_and_faults_are_kept_as_well() {
    let gateway = Gateway::start(
        &[
            scribe("watcher", "mode = \"monitor\"\nconfig = { refuse = \"bad\" }"),
            scribe("writer", "config = { write = \"w\" }"),
            entry("broken", &artifacts::guest("trap"), "fail = \"open\"\nmatch = { fails = \"open\" }"),
            entry("failing", &artifacts::guest("trap"), "match = { fails = \"closed\" }"),
        ]
        .concat(),
    );
    gateway.put("/metrics/job/x", "bad 1\n").expect(200);
    let refused = gateway.put("/metrics/job/hostile/fails/closed", "m 1\n").expect(503);
    let passed = gateway.put("/metrics/job/hostile/fails/open", "bad 1\n").expect(200);
    let list = list(&gateway);
    let shown = |at: usize| {
        let judgements = list[at]["judgements"].as_array().unwrap().iter();
        let decided = |judgement: &Value| format!("{} {}", judgement["plugin"], judgement["decision"]);
        format!("{} {}", list[at]["outcome"], judgements.map(decided).collect::<Vec<_>>().join(", "))
            .replace('"', "")
    };
    let shown: Vec<_> = (0..list.len()).map(shown).collect();
    assert_eq!(
        shown,
        [
            "passed watcher would have rejected, broken fault",
            "refused failing fault",
            "passed watcher would have rejected"
        ]
    );
    let rejection = data(&gateway, &details(&refused));
    let fault = rejection["judgements"][0]["fault"].as_str().unwrap();
    assert!(fault.starts_with("trap: "), "{fault}");
    let path = format!("/api/v1/rejections/{}", passed.header("x-request-id").unwrap());
    let judgements = data(&gateway, &path)["judgements"].take();
    assert_eq!(judgements[0]["push"]["text"], "# TYPE bad untyped\nbad 1\n", "before the edit");
    assert_eq!(judgements[1]["push"]["text"], "# TYPE bad untyped\nbad{seen=\"w\"} 1\n");
    assert_eq!(
        (&judgements[0]["edits"], &judgements[1]["edits"][0]["plugin"]),
        (&json!([]), &json!("writer"))
    );
}

#[test]
fn a_problem_names_its_instance_below_the_prefix() {
    let with = |more: &str| {
        let plugins = scribe("strict", "config = { refuse = \"bad\" }");
        format!("{}\n{more}", config("127.0.0.1:0", &plugins))
    };
    let gateway = Gateway::start_with(&with("[rejections]\nkeep = 1\n"));
    let push = |gateway: &Gateway| {
        let request = gateway.request("PUT", "/metrics/job/x").header("Accept", "application/json");
        let answer = request.body("bad 1\n").send().expect(422);
        serde_json::from_str::<Value>(answer.text()).unwrap()
    };
    let [first, second] = [push(&gateway), push(&gateway)].map(|mut problem| problem["instance"].take());
    gateway.get(first.as_str().unwrap()).expect(404);
    gateway.get(second.as_str().unwrap()).expect(200);
    let data = data(&gateway, "/api/v1/rejections");
    assert_eq!((data["seen"].as_u64(), data["rejections"].as_array().unwrap().len()), (Some(2), 1));

    let gateway = Gateway::start_with(&with("[rejections]\nkeep = 0\n"));
    assert_eq!(push(&gateway).get("instance"), None, "nothing is kept");
    assert_eq!(gateway.put("/metrics/job/x", "bad 1\n").expect(422).text().lines().count(), 1);
}

#[test]
fn what_is_redacted_is_nowhere() {
    let plugins = [
        scribe("writer", "config = { write = \"hunter1\", group = { team = \"hunter2\" } }"),
        scribe("strict", "config = { refuse = \"bad\", write = \"hunter3\" }"),
    ];
    let redact = "[rejections]\nredact = [\"labels\", \"values\", \"config\"]\n";
    let gateway = Gateway::start_with(&format!("{}\n{redact}", config("127.0.0.1:0", &plugins.concat())));
    let answer = gateway.put("/metrics/job/x/pod/hunter4", "bad{password=\"hunter5\"} 271828\n").expect(422);
    let path = details(&answer);
    for path in [path.as_str(), "/api/v1/rejections"] {
        let told = gateway.get(path).expect(200);
        let told = told.text();
        assert!(!told.contains("hunter") && !told.contains("271828"), "{told}");
        assert!(told.contains("scribe/forbidden"), "{told}");
    }
    let judgement = data(&gateway, &path)["judgements"][0].take();
    assert_eq!(
        judgement["push"]["text"],
        "# TYPE bad untyped\nbad{password=\"<redacted>\",seen=\"<redacted>\"} <redacted>\n"
    );
    assert_eq!(judgement["findings"][0]["message"], "a family has the name that is to be refused");
}
