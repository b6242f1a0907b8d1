//! What the API tells of the configured policies.

use e2e::gateway::{config, entry};
use e2e::{Gateway, artifacts};
use serde_json::{Value, json};

fn data(gateway: &Gateway, path: &str) -> Value {
    let answer = gateway.get(path).expect(200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let mut answer: Value = serde_json::from_str(answer.text()).unwrap();
    assert_eq!(answer["status"], "success");
    answer["data"].take()
}

fn plugin(gateway: &Gateway, name: &str) -> Value {
    data(gateway, &format!("/api/v1/plugins/{name}"))
}

/// A secret in its configuration, which nobody must be told.
fn naming(name: &str, rest: &str) -> String {
    entry(name, &artifacts::plugin("naming"), &format!("{rest}\nconfig = {{ prefixes = ['hunter2_'] }}"))
}

#[test]
fn every_configured_policy_is_listed_with_what_it_is() {
    let chain = [
        naming(
            "live",
            "mode = 'monitor'\nfail = 'open'\nmatch = { job = 'a.*', team = 'x' }\nmax_findings = 7",
        ),
        naming("next", "shadow_of = 'live'"),
        naming("resting", "mode = 'off'"),
        naming("waiting", "shadow_of = 'resting'"),
    ];
    let gateway = Gateway::start(&chain.concat());
    let answer = gateway.get("/api/v1/plugins").expect(200);
    assert!(!answer.text().contains("hunter2"), "{}", answer.text());
    let listed = data(&gateway, "/api/v1/plugins")["plugins"].take();
    let facts = |member: &Value| json!([member["name"], member["state"], member["mode"], member["fail"]]);
    let all: Vec<_> = listed.as_array().unwrap().iter().map(facts).collect();
    let expected = [
        json!(["live", "running", "monitor", "open"]),
        json!(["next", "running", "shadow", "closed"]),
        json!(["resting", "off", "off", "closed"]),
        json!(["waiting", "off", "shadow", "closed"]),
    ];
    assert_eq!(all, expected);
    let live = &listed[0];
    assert_eq!(live["match"], json!({ "job": "a.*", "team": "x" }));
    assert_eq!((&live["limits"]["max_findings"], &live["limits"]["deadline"]), (&json!(7), &json!(1.0)));
    assert_eq!((&listed[1]["shadow_of"], &listed[1]["match"]), (&json!("live"), &live["match"]));
    let digest = live["digest"].as_str().unwrap();
    let scrape = gateway.scrape();
    let info = scrape.samples("pushgate_plugin_info");
    assert!(info[0].contains(&format!("digest=\"{digest}\"")), "{info:?}");

    let answer = gateway.get("/api/v1/plugins/resting").expect(200);
    assert!(!answer.text().contains("hunter2"), "{}", answer.text());
    let resting = plugin(&gateway, "resting");
    assert_eq!(resting["digest"], digest);
    assert!(resting["config_schema"]["properties"]["prefixes"].is_object(), "{resting}");
    let codes = resting["codes"].as_array().unwrap();
    assert!(codes.iter().any(|code| code["code"] == "naming/prefix" && code["meaning"] != ""), "{codes:?}");
    assert_eq!(resting.get("evaluations"), None, "nobody counts what is not asked");
}

#[test]
fn what_is_counted_is_what_the_metrics_count() {
    let gateway = Gateway::start(&naming("policy", ""));
    assert_eq!(plugin(&gateway, "policy").get("fuel"), None, "before the first call");
    for name in ["hunter2_ok", "bad", "worse"] {
        gateway.put("/metrics/job/j", format!("{name} 1\n"));
    }
    let told = plugin(&gateway, "policy");
    assert_eq!(told["evaluations"], json!({ "accept": 1, "mutate": 0, "reject": 2, "fault": 0 }));
    assert_eq!((&told["faults"]["trap"], &told["skipped"]["scope"]), (&json!(0), &json!(0)));
    for of in ["duration_seconds", "fuel"] {
        let [p50, p99] = ["p50", "p99"].map(|share| told[of][share].as_f64().unwrap());
        assert!(0.0 < p50 && p50 <= p99, "{of}: {p50} {p99}");
    }
    assert!(told["memory_peak_bytes"].as_u64() > Some(65_536), "{told}");
    assert_eq!(told["instances"], json!({ "busy": 0, "idle": 1 }));
}

#[test]
fn a_suspension_is_told_with_its_jobs_and_faults_and_ends_with_a_reload() {
    let settings = "breaker_faults = 2\nbreaker_backoff = '1h'\n";
    let trap = artifacts::guest("trap");
    let mut gateway = Gateway::start(&(settings.to_owned() + &entry("policy", &trap, "")));
    for job in ["hostile", "well", "hostile"] {
        gateway.put(&format!("/metrics/job/{job}"), "m 1\n");
    }
    let told = plugin(&gateway, "policy");
    assert_eq!((&told["state"], &told["suspended"][0]["job"]), (&json!("suspended"), &json!("hostile")));
    assert_eq!(
        (&told["suspended"][0]["faults"], told["suspended"].as_array().unwrap().len()),
        (&json!(2), 1)
    );
    let faults = told["last_faults"].as_array().unwrap();
    assert_eq!(faults.len(), 2);
    assert_eq!((&faults[0]["job"], &faults[0]["kind"]), (&json!("hostile"), &json!("trap")));
    assert!(faults[0]["message"].as_str().is_some_and(|message| !message.is_empty()), "{faults:?}");

    let off = entry("policy", &trap, "mode = 'off'");
    let line = gateway.reload(&config("127.0.0.1:0", &(settings.to_owned() + &off)));
    assert!(line.contains("configuration reloaded"), "{line}");
    let told = plugin(&gateway, "policy");
    assert_eq!(
        (&told["state"], &told["suspended"], &told["last_faults"]),
        (&json!("off"), &json!([]), &json!([]))
    );
}

#[test]
fn a_policy_that_is_not_there_is_not_found() {
    let gateway = Gateway::start(&naming("policy", ""));
    for path in ["no", "no/diff", "policy/diff", "%FF"] {
        let answer = gateway.get(&format!("/api/v1/plugins/{path}")).expect(404);
        assert!(answer.text().contains("/api/v1/plugins lists them all"), "{}", answer.text());
    }
    gateway.get("/api/v1/plugins/policy/other").expect(404);
}
