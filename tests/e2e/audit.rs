//! What a policy would say to everything that is stored.

use std::io::Write as _;
use std::net::TcpStream;
use std::thread;
use std::time::Instant;

use e2e::gateway::{config, entry};
use e2e::http::Request;
use e2e::{Gateway, artifacts, poll};
use serde_json::{Value, json};

fn naming(mode: &str, rest: &str) -> String {
    let policy = format!("mode = '{mode}'\nconfig = {{ prefixes = ['app_'] }}\n");
    config("127.0.0.1:0", &(rest.to_owned() + &entry("naming", &artifacts::plugin("naming"), &policy)))
}

fn start(config: &str) -> Gateway {
    Gateway::start_as(config, &["--config.file", "config.toml", "--web.enable-admin-api"], &[])
}

fn audit(gateway: &Gateway, name: &str) -> Value {
    let answer = gateway.get(&format!("/api/v1/plugins/{name}/audit")).expect(200);
    let mut answer: Value = serde_json::from_str(answer.text()).unwrap();
    answer["data"].take()
}

fn await_begin(gateway: &Gateway) {
    poll::until("the audit has begun", || gateway.log().contains("audit begins").then_some(()));
}

#[test]
fn an_audit_tells_just_those_groups_that_enforcing_would_refuse() {
    let mut gateway = start(&naming("off", ""));
    let pushes =
        [("a", "app_ok 1\n"), ("b", "bad 1\napp_ok 2\n"), ("c", "app_ok 3\n"), ("d", "worse{x=\"y\"} 1\n")];
    for (job, body) in pushes {
        gateway.put(&format!("/metrics/job/{job}"), body).expect(200);
    }
    let before = gateway.scrape();
    let told = audit(&gateway, "naming");
    assert_eq!(told["results"], json!({ "accept": 2, "mutate": 0, "reject": 2, "fault": 0 }));
    assert_eq!(
        (&told["groups"], &told["looked_at"], &told["complete"]),
        (&json!(4), &json!(4), &json!(true))
    );
    assert_eq!((&told["plugin"], &told["mode"]), (&json!("naming"), &json!("off")));
    assert_eq!(
        told["summary"],
        "in mode enforce 'naming' would reject 2, change 0 and fail on 0 of the 4 groups that are stored"
    );
    let against = told["against"].as_array().unwrap();
    let groups: Vec<_> = against.iter().map(|it| it["group"].as_str().unwrap()).collect();
    assert!(
        groups[0].contains("job=\"b\"") && groups[1].contains("job=\"d\"") && groups.len() == 2,
        "{groups:?}"
    );
    assert_eq!(
        (&against[1]["decision"], &against[1]["findings"][0]["code"]),
        (&json!("reject"), &json!("naming/prefix"))
    );
    assert!(against[1]["push"]["text"].as_str().unwrap().contains("worse{x=\"y\"}"), "{}", against[1]);
    let stored = |scrape: &e2e::Scrape| {
        ["app_ok", "bad", "worse", "push_time_seconds", "push_failure_time_seconds"]
            .map(|family| scrape.samples(family).iter().map(|&it| it.to_owned()).collect::<Vec<_>>())
    };
    assert_eq!(stored(&gateway.scrape()), stored(&before), "it changes nothing");

    let line = gateway.reload(&naming("enforce", ""));
    assert!(line.contains("configuration reloaded"), "{line}");
    for (job, body) in pushes {
        let refused = groups.iter().any(|group| group.contains(&format!("job=\"{job}\"")));
        gateway.put(&format!("/metrics/job/{job}"), body).expect(if refused { 422 } else { 200 });
    }
}

#[test]
fn what_is_counted_and_suspended_is_only_what_pushes_did() {
    let settings = "breaker_faults = 1\nbreaker_backoff = '1h'\n";
    let rest = "mode = 'monitor'";
    let chain = settings.to_owned() + &entry("policy", &artifacts::guest("trap"), rest);
    let gateway = start(&config("127.0.0.1:0", &chain));
    gateway.put("/metrics/job/well", "m 1\n").expect(200);
    // Stored although the plugin failed on it, since it only watches.
    gateway.put("/metrics/job/hostile", "m 1\n").expect(200);
    let counted = |gateway: &Gateway| {
        let scrape = gateway.scrape();
        ["pushgate_plugin_evaluations_total", "pushgate_plugin_faults_total", "pushgate_plugin_suspended"]
            .map(|family| scrape.sum(family, &["policy"]))
    };
    assert_eq!(counted(&gateway), [2.0, 1.0, 1.0]);
    for _ in 0..3 {
        let told = audit(&gateway, "policy");
        assert_eq!(
            told["results"],
            json!({ "accept": 1, "mutate": 0, "reject": 0, "fault": 1 }),
            "never suspended"
        );
        assert_eq!(told["against"][0]["decision"], "fault");
        assert!(told["against"][0]["fault"].as_str().is_some_and(|fault| !fault.is_empty()), "{told}");
    }
    assert_eq!(counted(&gateway), [2.0, 1.0, 1.0]);
}

#[test]
fn pushes_go_on_during_an_audit_that_takes_long_and_there_is_one_at_a_time() {
    // Without a bound in fuel, each of these groups takes the plugin as long as it may, which is half a second.
    let limits = "mode = 'off'\nfuel_base = 1_000_000_000_000\ndeadline = '500ms'";
    let gateway = start(&config("127.0.0.1:0", &entry("policy", &artifacts::guest("loop"), limits)));
    for instance in 0..8 {
        gateway.put(&format!("/metrics/job/hostile/instance/{instance}"), "m 1\n").expect(200);
    }
    let address = gateway.address();
    let long = thread::spawn(move || Request::new(address, "GET", "/api/v1/plugins/policy/audit").send());
    await_begin(&gateway);
    let answer = gateway.get("/api/v1/plugins/policy/audit").expect(429);
    assert!(answer.text().contains("one at a time"), "{}", answer.text());
    let mut pushes = 0;
    while !long.is_finished() {
        gateway.put("/metrics/job/bystander", format!("m {pushes}\n")).expect(200);
        pushes += 1;
    }
    assert!(pushes > 20, "only {pushes} pushes during four seconds");
    let answer = long.join().unwrap().expect(200);
    let told: Value = serde_json::from_str(answer.text()).unwrap();
    let results = &told["data"]["results"];
    assert_eq!((&results["fault"], &told["data"]["complete"]), (&json!(8), &json!(true)), "{told}");
}

#[test]
fn a_candidate_is_audited_on_the_groups_that_its_policy_is_for() {
    let policy = |name: &str, rest: &str| entry(name, &artifacts::plugin("naming"), rest);
    let live = policy("live", "match = { job = 'a.*' }");
    let next = policy("next", "shadow_of = 'live'\nconfig = { prefixes = ['app_'] }");
    let gateway = start(&config("127.0.0.1:0", &(live + &next)));
    for job in ["a1", "b1"] {
        gateway.put(&format!("/metrics/job/{job}"), "bad 1\n").expect(200);
    }
    let told = audit(&gateway, "next");
    assert_eq!(told["results"], json!({ "accept": 1, "mutate": 0, "reject": 1, "fault": 0 }));
    assert_eq!(told["against"][0]["group"], r#"{job="a1"}"#);
}

/// Not even the instances of the plugin: those that pushes wait for are still there after one that loops.
#[test]
fn an_audit_runs_on_instances_of_its_own() {
    let gateway = start(&config("127.0.0.1:0", &entry("policy", &artifacts::guest("loop"), "mode = 'off'")));
    gateway.put("/metrics/job/hostile", "m 1\n").expect(200);
    gateway.put("/metrics/job/well", "m 1\n").expect(200);
    let figures = || {
        let answer = gateway.get("/api/v1/plugins/policy").expect(200);
        let told: Value = serde_json::from_str(answer.text()).unwrap();
        (told["data"]["instances"].clone(), told["data"]["memory_peak_bytes"].clone())
    };
    let before = figures();
    assert_eq!(before, (json!({ "busy": 0, "idle": 1 }), json!(0)));
    let results = audit(&gateway, "policy")["results"].take();
    assert_eq!((&results["fault"], &results["accept"]), (&json!(1), &json!(1)));
    assert_eq!(figures(), before);
}

/// The connection is cut when it has had its time, and with it ends what nobody waits for any more.
#[test]
fn a_gateway_that_ends_does_not_wait_for_an_audit() {
    let limits = "mode = 'off'\nfuel_base = 1_000_000_000_000\ndeadline = '500ms'";
    let looping = config("127.0.0.1:0", &entry("policy", &artifacts::guest("loop"), limits));
    let gateway = start(&looping.replace("[web]", "[web]\ndrain_timeout = \"1s\""));
    for instance in 0..60 {
        gateway.put(&format!("/metrics/job/hostile/instance/{instance}"), "m 1\n").expect(200);
    }
    let begun = Instant::now();
    let mut client = TcpStream::connect(gateway.address()).unwrap();
    client.write_all(b"GET /api/v1/plugins/policy/audit HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
    await_begin(&gateway);
    gateway.terminate();
    assert!(begun.elapsed().as_secs() < 20, "with all groups it would have taken 30 s");
}

#[test]
fn what_is_redacted_is_in_no_audit() {
    let redact = "\n[rejections]\nredact = ['labels', 'values']\n";
    let gateway = start(&(naming("off", "") + redact));
    gateway.put("/metrics/job/a/pod/hunter1", "bad{x=\"hunter2\"} 271828\n").expect(200);
    let told = audit(&gateway, "naming");
    let text = told.to_string();
    assert!(!text.contains("hunter") && !text.contains("271828"), "{text}");
    assert_eq!(told["against"][0]["group"], r#"{job="a",pod="<redacted>"}"#);
    assert_eq!(told["against"][0]["findings"][0]["code"], "naming/prefix");
}

#[test]
fn an_answer_is_bounded_and_its_counts_are_not() {
    let gateway = start(&naming("off", ""));
    let told = |series: &str, groups: usize| {
        gateway.put("/api/v1/admin/wipe", "").expect(202);
        for group in 0..groups {
            gateway.put(&format!("/metrics/job/a/group/{group}"), series).expect(200);
        }
        let told = audit(&gateway, "naming");
        assert_eq!(told["results"]["reject"], json!(groups));
        (told["against"].as_array().unwrap().len(), told.to_string().len())
    };
    assert_eq!((told("bad 1\n", 1_000).0, told("bad 1\n", 1_001).0), (1_000, 1_000));
    let value = "v".repeat(4_000);
    let (groups, bytes) = told(&format!("bad{{a=\"{value}\",b=\"{value}\"}} 1\n"), 700);
    assert!((300..600).contains(&groups) && bytes < 6 << 20, "{groups} groups in {bytes} bytes");
}

#[test]
fn an_audit_needs_the_admin_api_and_a_policy() {
    let gateway = Gateway::start_with(&naming("off", ""));
    let answer = gateway.get("/api/v1/plugins/naming/audit").expect(403);
    assert!(answer.text().contains("--web.enable-admin-api"), "{}", answer.text());
    let gateway = start(&naming("off", ""));
    gateway.get("/api/v1/plugins/other/audit").expect(404);
    assert_eq!(audit(&gateway, "naming")["groups"], 0);
}
