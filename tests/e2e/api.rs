//! The API that programs read.

use e2e::Gateway;
use serde_json::{Value, json};

fn start() -> Gateway {
    Gateway::start_with(
        "[web]\nlisten_address = [\"127.0.0.1:0\"]\nenable_admin_api = true\nroute_prefix = \"/\"\n",
    )
}

fn asked(gateway: &Gateway, path: &str) -> Value {
    let answer = gateway.get(path).expect(200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert_eq!(answer.header("cache-control"), Some("no-cache, no-store, must-revalidate"));
    serde_json::from_str(answer.text()).unwrap()
}

#[test]
fn groups_are_listed_with_their_families_and_their_last_push() {
    let gateway = start();
    assert_eq!(asked(&gateway, "/api/v1/metrics"), json!({"status": "success", "data": []}));
    gateway.put("/metrics/job/x/l/v", "# HELP g <Some> help\n# TYPE g gauge\ng 0.5\n").expect(200);
    gateway.put("/metrics/job/x/l/v", "g 1 1234\n").expect(400);
    let listed = asked(&gateway, "/api/v1/metrics");
    let group = &listed["data"][0];
    assert_eq!(group["labels"], json!({"job": "x", "l": "v"}));
    assert_eq!(group["last_push_successful"], false);
    assert_eq!((&group["g"]["type"], &group["g"]["help"]), (&json!("GAUGE"), &json!("<Some> help")));
    let metrics = json!([{"labels": {"instance": "", "job": "x", "l": "v"}, "value": "0.5"}]);
    assert_eq!(group["g"]["metrics"], metrics);
    let pushed_at = group["push_time_seconds"]["metrics"][0]["value"].as_str().unwrap();
    assert!(pushed_at.parse::<f64>().unwrap() > 1.7e9, "{pushed_at}");
    assert!(group["g"]["time_stamp"].as_str().unwrap().ends_with('Z'));
}

#[test]
fn many_groups_are_one_list() {
    let gateway = start();
    let body: String = (0..20).map(|series| format!("a{{n=\"{series}\"}} 1\n")).collect();
    (0..200).for_each(|group| drop(gateway.put(&format!("/metrics/job/g{group}"), &*body).expect(200)));
    let listed = asked(&gateway, "/api/v1/metrics");
    assert_eq!(listed["data"].as_array().unwrap().len(), 200);
}

#[test]
fn the_status_tells_version_flags_and_start() {
    let data = &asked(&start(), "/api/v1/status")["data"];
    assert_eq!(data["build_information"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(data["flags"]["web.enable-admin-api"], "true");
    assert_eq!(data["flags"]["web.telemetry-path"], "/metrics");
    assert!(data["start_time"].as_str().unwrap().ends_with('Z'));
}

#[test]
fn a_page_of_another_site_may_ask() {
    let answer = start().request("OPTIONS", "/api/v1/anything").send().expect(200);
    assert_eq!(answer.header("access-control-allow-methods"), Some("GET, POST, DELETE, OPTIONS"));
}

#[test]
fn everything_can_be_wiped_where_that_is_switched_on() {
    let gateway = start();
    gateway.put("/metrics/job/x", "a 1\n").expect(200);
    gateway.put("/api/v1/admin/wipe", "").expect(202);
    let scrape = gateway.scrape();
    assert_eq!((scrape.samples("a"), scrape.samples("push_time_seconds")), (vec![], vec![]));
    Gateway::start("").put("/api/v1/admin/wipe", "").expect(404);
}

#[test]
fn requests_are_counted_by_handler_method_and_status_but_for_scrapes() {
    let gateway = start();
    gateway.put("/metrics/job/x", "a 1\n").expect(200);
    gateway.post("/metrics/job/x", "bad").expect(400);
    gateway.put("/metrics/job/x/odd", "a 1\n").expect(400);
    gateway.delete("/metrics/job/x").expect(202);
    gateway.get("/api/v1/status").expect(200);
    gateway.get("/nowhere").expect(404);
    gateway.get("/metrics/job/x").expect(405);
    let scrape = gateway.scrape();
    let counted = scrape.samples("pushgateway_http_requests_total");
    for (code, handler, method, count) in [
        (200, "api/v1/status", "get", 1),
        (200, "push", "put", 1),
        (202, "delete", "delete", 1),
        (400, "push", "post", 1),
        (400, "push", "put", 1),
    ] {
        let line = format!(
            "pushgateway_http_requests_total{{code=\"{code}\",handler=\"{handler}\",method=\"{method}\"}} {count}"
        );
        assert!(counted.contains(&&*line), "{line} in {counted:?}");
    }
    let refused = ["code=\"404\"", "code=\"405\""];
    assert!(counted.iter().all(|line| refused.iter().all(|code| !line.contains(code))));
    assert_eq!(scrape.expect("pushgateway_http_push_size_bytes_count{method=\"put\"}"), 2.0);
    assert!(scrape.expect("pushgateway_http_push_size_bytes{method=\"post\",quantile=\"0.5\"}") > 20.0);
    assert!(scrape.expect("process_resident_memory_bytes") > 1e6);
}
