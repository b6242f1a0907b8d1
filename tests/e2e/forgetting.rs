//! Groups that nobody pushes to any more go when their time is over.

use std::time::{SystemTime, UNIX_EPOCH};

use e2e::http::Response;
use e2e::prometheus::Prometheus;
use e2e::{Folder, Gateway, poll};

fn config(store: &str) -> String {
    format!(
        "[web]\nlisten_address = ['127.0.0.1:0']\nenable_admin_api = true\n[store]\npath = 'pushes.redb'\n{store}"
    )
}

fn start(store: &str) -> Gateway {
    Gateway::start_with(&config(store))
}

/// Stores a group that was pushed to so many seconds ago, somewhere else, with that wish.
fn pushed_ago(gateway: &Gateway, path: &str, seconds: u64, wish: &str) -> Response {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let times = format!("push={}, failure=0", now - seconds);
    let request = gateway.request("PUT", path).header("X-Pushgate-Restore", &times).body("m 1\n");
    let request = if wish.is_empty() { request } else { request.header("X-Pushgate-TTL", wish) };
    request.send().expect(200)
}

/// The jobs that have a push time.
fn jobs(gateway: &Gateway) -> Vec<String> {
    let scrape = gateway.scrape();
    let times = scrape.samples("push_time_seconds").into_iter();
    let job = |line: &str| Some(line.split_once("job=\"")?.1.split_once('"')?.0.to_owned());
    let mut jobs: Vec<_> = times.filter_map(job).collect();
    jobs.sort();
    jobs
}

fn await_jobs(gateway: &Gateway, expected: &[&str]) {
    poll::until(format!("{expected:?} are left"), || (jobs(gateway) == expected).then_some(()));
}

fn expired(gateway: &Gateway, job: &str) -> f64 {
    gateway.scrape().sum("pushgate_groups_expired_total", &[&format!("pushed_job=\"{job}\"")])
}

#[test]
fn a_group_goes_when_its_time_is_over_and_says_so() {
    let gateway = start("[[store.jobs]]\njob = 'nightly_.*'\nttl = '1s'\n");
    assert!(!gateway.scrape().text().contains("pushgate_groups_expired_total"), "nothing has expired");
    gateway.put("/metrics/job/kept", "m 1\n").expect(200);
    gateway.put("/metrics/job/nightly_1/instance/a", "m 1\n").expect(200);
    gateway.put("/metrics/job/failed/instance/a?ttl=1s", "m 1 5\n").expect(400);
    gateway.put("/metrics/job/nightly_2", "m 1 5\n").expect(400);
    let answer = gateway.put("/metrics/job/wishing?ttl=1s", "m 1\n").expect(200);
    assert_eq!(answer.header("x-pushgate-ttl"), Some("1s"));
    await_jobs(&gateway, &["failed", "kept"]);
    assert_eq!(expired(&gateway, "nightly_1"), 1.0);
    assert_eq!(expired(&gateway, "nightly_2"), 1.0, "what was never stored goes a while after its failure");
    assert_eq!(expired(&gateway, "wishing"), 1.0);
    let log = gateway.log();
    let told: Vec<_> = log.lines().filter(|line| line.contains("groups expired")).collect();
    assert!(told.iter().any(|line| line.contains(r#"{instance=\"a\",job=\"nightly_1\"}"#)), "{told:#?}");
    assert_eq!(gateway.scrape().samples("m"), [r#"m{instance="",job="kept"} 1"#]);
    // It may come again.
    gateway.put("/metrics/job/wishing", "m 2\n").expect(200);
    assert_eq!(gateway.scrape().expect(r#"m{instance="",job="wishing"}"#), 2.0);
}

#[test]
fn whoever_pushes_may_wish_and_is_told_what_holds() {
    let gateway = start("ttl = '1h'\nmax_ttl = '1d'\n[[store.jobs]]\njob = 'kept'\nttl = '0s'\n");
    let told = |answer: Response| answer.expect(200).header("x-pushgate-ttl").map(str::to_owned);
    for (path, header, holds) in [
        ("/metrics/job/a?ttl=90s", None, Some("1m30s")),
        ("/metrics/job/a", Some("2h"), Some("2h")),
        ("/metrics/job/a?ttl=120m", Some("2h"), Some("2h")),
        ("/metrics/job/a?ttl=2d", None, Some("1d")),
        ("/metrics/job/kept", Some("2d"), Some("1d")),
        ("/metrics/job/a", None, None),
    ] {
        for method in ["PUT", "POST"] {
            let request = gateway.request(method, path).body("m{a=\"1\"} 1\n");
            let request = header.map_or(request.clone(), |wish| request.header("X-Pushgate-TTL", wish));
            let answer = request.send().expect(200);
            assert_eq!(answer.header("x-pushgate-ttl"), holds, "{method} {path} {header:?}");
            gateway.delete("/metrics/job/a").expect(202);
            gateway.delete("/metrics/job/kept").expect(202);
        }
    }
    let how = "write it as \"90s\", \"30m\", \"1h30m\" or \"7d\"\n";
    for (path, header, expected) in [
        ("/metrics/job/junk?ttl=5", None, format!("\"5\" is no TTL; {how}")),
        ("/metrics/job/junk", Some("soon"), format!("\"soon\" is no TTL; {how}")),
        ("/metrics/job/junk?ttl=", None, format!("\"\" is no TTL; {how}")),
        (
            "/metrics/job/junk?ttl=1h",
            Some("2h"),
            "the push wishes for two different TTLs; send X-Pushgate-TTL or ?ttl= once\n".to_owned(),
        ),
    ] {
        let request = gateway.request("PUT", path).body("m 1\n");
        let request = header.map_or(request.clone(), |wish| request.header("X-Pushgate-TTL", wish));
        assert_eq!(request.send().expect(400).text(), expected);
    }
    assert_eq!(jobs(&gateway), [""; 0], "nothing of it was stored");
    // The wish of a policy's push is for the group that it makes of it; a DELETE needs none.
    assert_eq!(told(gateway.put("/metrics/job/a", "m 1\n")), None);
    gateway.delete("/metrics/job/a?ttl=junk").expect(202);
}

#[test]
fn time_goes_on_over_a_crash_from_the_push() {
    let gateway = start("");
    pushed_ago(&gateway, "/metrics/job/old", 7_200, "");
    pushed_ago(&gateway, "/metrics/job/wishing", 7_200, "4h");
    gateway.put("/metrics/job/fresh", "m{x=\"1\"} 1\n").expect(200);
    pushed_ago(&gateway, "/metrics/job/soon", 3_590, "1h");
    await_jobs(&gateway, &["fresh", "old", "soon", "wishing"]);
    let gateway = Gateway::start_again(gateway.kill(), &config("max_ttl = '3h'"));
    await_jobs(&gateway, &["fresh", "old", "wishing"]);
    assert_eq!(expired(&gateway, "soon"), 1.0, "ten seconds were left of its hour");
    let gateway = Gateway::start_again(gateway.kill(), &config("max_ttl = '1h'"));
    await_jobs(&gateway, &["fresh", "old"]);
    assert_eq!((expired(&gateway, "wishing"), expired(&gateway, "soon")), (1.0, 0.0), "what is gone is gone");
    let gateway = Gateway::start_again(gateway.terminate(), &config("ttl = '1h'"));
    await_jobs(&gateway, &["fresh"]);
    let gateway = Gateway::start_again(gateway.kill(), &config(""));
    assert_eq!(jobs(&gateway), ["fresh"]);
}

#[test]
fn crashes_while_groups_expire_bring_none_back_whole_or_in_part() {
    let mut folder = Folder::new();
    let (mut pushed, mut gone) = (0, 0);
    for _ in 0..8 {
        let gateway = Gateway::start_again(folder, &config(""));
        for _ in 0..25 {
            gateway.put(&format!("/metrics/job/short/n/{pushed}?ttl=1s"), "a 1\nb 1\n").expect(200);
            pushed += 1;
        }
        gateway.put("/metrics/job/kept", "a 1\nb 1\n").expect(200);
        poll::until("some are gone", || (expired(&gateway, "short") > 0.0).then_some(()));
        let scrape = gateway.scrape();
        assert_eq!(scrape.samples("a").len(), scrape.samples("b").len(), "each vanishes in one step");
        gone += expired(&gateway, "short") as usize;
        folder = gateway.kill();
    }
    let gateway = Gateway::start_again(folder, &config(""));
    await_jobs(&gateway, &["kept"]);
    assert_eq!(gateway.scrape().samples("a"), [r#"a{instance="",job="kept"} 1"#]);
    gone += expired(&gateway, "short") as usize;
    assert!(gone >= pushed, "{gone} of {pushed} were counted");
}

#[test]
fn a_reload_changes_how_long_groups_are_kept() {
    let mut gateway = start("");
    pushed_ago(&gateway, "/metrics/job/old", 7_200, "");
    gateway.put("/metrics/job/fresh", "m{x=\"1\"} 1\n").expect(200);
    let told = gateway.reload(&config("ttl = '3h'"));
    assert!(told.contains("configuration reloaded") && !told.contains("restart"), "{told}");
    let told = gateway.reload(&config("ttl = '1x'"));
    assert!(told.contains("not reloaded") && told.contains("'1x' is not a duration"), "{told}");
    assert_eq!(jobs(&gateway), ["fresh", "old"]);
    gateway.reload(&config("ttl = '1h'\n[[store.jobs]]\njob = 'o.*'\nttl = '3h'\n"));
    assert_eq!(jobs(&gateway), ["fresh", "old"]);
    gateway.reload(&config("ttl = '1h'"));
    await_jobs(&gateway, &["fresh"]);
    gateway.reload(&config("ttl = '1s'"));
    await_jobs(&gateway, &[]);
}

/// The lines of the two families in a scrape with that Accept header.
fn ages(gateway: &Gateway, accept: &str) -> Vec<String> {
    let scrape = gateway.request("GET", "/metrics").header("Accept", accept).send().expect(200);
    let is_of = |line: &&str| line.contains("push_age_seconds") || line.contains("push_stale");
    String::from_utf8_lossy(&scrape.body).lines().filter(is_of).map(str::to_owned).collect()
}

const COMPACT: &str =
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=compact-text";
const OPENMETRICS: &str = "application/openmetrics-text;version=1.0.0";

#[test]
fn what_is_stale_is_told_before_it_goes() {
    let config = config(
        "ttl = '1h'\nstale_after = '30m'\n[[store.jobs]]\njob = 'kept'\nttl = '0s'\nstale_after = '0s'\n",
    );
    let gateway = Gateway::start_with(&(config + "[scrape]\nopenmetrics = true\n"));
    pushed_ago(&gateway, "/metrics/job/stale/instance/a", 2_000, "");
    pushed_ago(&gateway, "/metrics/job/kept", 2_000, "");
    gateway.put("/metrics/job/fresh", "fresh 1\n").expect(200);
    let scrape = gateway.scrape();
    let age = |labels: &str| scrape.expect(&format!("push_age_seconds{{{labels}}}"));
    assert!((2_000.0..2_120.0).contains(&age(r#"instance="a",job="stale""#)));
    assert!((0.0..120.0).contains(&age(r#"instance="",job="fresh""#)));
    assert_eq!(scrape.samples("push_age_seconds").len(), 2, "kept is kept for ever");
    assert_eq!(scrape.samples("push_stale"), [r#"push_stale{instance="a",job="stale"} 1"#]);
    let lines = ages(&gateway, OPENMETRICS);
    assert!(lines.contains(&"# TYPE push_stale gauge".to_owned()), "{lines:#?}");
    assert!(lines.contains(&r#"push_stale{instance="a",job="stale"} 1.0"#.to_owned()), "{lines:#?}");
    let lines = ages(&gateway, COMPACT);
    let stale =
        r#"metric:{label:{name:"instance" value:"a"} label:{name:"job" value:"stale"} gauge:{value:1}}"#;
    assert!(
        lines.iter().any(|line| line.starts_with("name:\"push_stale\"") && line.ends_with(stale)),
        "{lines:#?}"
    );
    assert!(
        gateway.get("/?q=stale").text().contains("Stale!")
            && !gateway.get("/?q=kept").text().contains("Stale!")
    );
    assert!(gateway.get("/").text().contains("expires"));
    for name in ["push_stale", "push_age_seconds"] {
        let told = gateway.put("/metrics/job/x", format!("{name} 1\n")).expect(400);
        let expected = format!("metric {name:?} is what the gateway itself tells of each group; rename it\n");
        assert!(told.text().ends_with(&expected), "{}", told.text());
    }
    gateway.put("/metrics/job/stale/instance/a", "m 2\n").expect(200);
    assert_eq!(gateway.scrape().samples("push_stale"), [""; 0]);
    assert_eq!(gateway.scrape().samples("push_age_seconds").len(), 2, "x was never stored");
}

#[test]
fn prometheus_sees_what_is_stale() {
    let gateway = start("stale_after = '30m'");
    pushed_ago(&gateway, "/metrics/job/stale/instance/a", 2_000, "");
    gateway.put("/metrics/job/fresh", "fresh 1\n").expect(200);
    let target = gateway.address();
    let scrapes =
        format!("- {{job_name: gateway, honor_labels: true, static_configs: [{{targets: ['{target}']}}]}}\n");
    let Some(prometheus) = Prometheus::start(&scrapes) else { return };
    prometheus.await_scrapes("gateway", 2);
    let stale = prometheus.query("push_stale == 1");
    assert_eq!(stale.len(), 1, "{stale:?}");
    assert!(stale[0].0.contains(&("job".to_owned(), "stale".to_owned())), "{stale:?}");
    assert_eq!(prometheus.query("push_age_seconds > 1800").len(), 1);
    assert_eq!(prometheus.query("push_age_seconds < 1800").len(), 1);
}

#[test]
fn where_nothing_is_said_a_scrape_is_as_before() {
    let gateway = start("");
    gateway.put("/metrics/job/a", "m 1\n").expect(200);
    for accept in ["*/*", COMPACT, OPENMETRICS] {
        assert_eq!(ages(&gateway, accept), [""; 0]);
    }
}

#[test]
fn a_job_cannot_fill_the_whole_store() {
    let bounds = "[[store.jobs]]\njob = 'ci_.*'\nmax_groups = 2\nmax_series = 3\n";
    let gateway = start(bounds);
    for instance in ["a", "b"] {
        gateway.put(&format!("/metrics/job/ci_1/instance/{instance}"), "m 1\n").expect(200);
    }
    let refused = gateway.put("/metrics/job/ci_1/instance/c", "m 1\n").expect(429);
    let expected = "the job \"ci_1\" stores as much as it may ([[store.jobs]] max_groups = 2); push less, delete groups of that \
                    job, or have the bound raised\n";
    assert_eq!(refused.text(), expected);
    assert_eq!(refused.header("retry-after"), Some("60"));
    let refused = gateway.post("/metrics/job/ci_1/instance/a", "n 1\no 1\n").expect(429);
    assert!(refused.text().contains("[[store.jobs]] max_series = 3"), "{}", refused.text());
    for job in ["ci_2", "other"] {
        gateway.put(&format!("/metrics/job/{job}"), "m 1\nn 1\no 1\n").expect(200);
    }
    gateway.put("/metrics/job/other/instance/a", "m 1\n").expect(200);
    assert_eq!(gateway.scrape().sum("pushgate_pushes_total", &["outcome=\"full\""]), 2.0);
    let scrape = gateway.scrape();
    for (series, value) in [
        ("pushgate_job_limit{key=\"max_groups\",pushed_job=\"ci_1\"}", 2.0),
        ("pushgate_job_limit_used{key=\"max_groups\",pushed_job=\"ci_1\"}", 2.0),
        ("pushgate_job_limit_hits_total{key=\"max_groups\",pushed_job=\"ci_1\"}", 1.0),
        ("pushgate_job_limit_hits_total{key=\"max_series\",pushed_job=\"ci_1\"}", 1.0),
        ("pushgate_job_limit_used{key=\"max_series\",pushed_job=\"ci_2\"}", 3.0),
    ] {
        assert_eq!(scrape.expect(series), value, "{series}");
    }
    assert_eq!(scrape.sum("pushgate_job_limit", &["pushed_job=\"other\""]), 0.0, "it has none");
    // What goes makes room; a restart counts what is stored, and a reload changes the bounds.
    gateway.delete("/metrics/job/ci_1/instance/a").expect(202);
    gateway.put("/metrics/job/ci_1/instance/c", "m 1\n").expect(200);
    let mut gateway = Gateway::start_again(gateway.kill(), &config(bounds));
    gateway.put("/metrics/job/ci_1/instance/d", "m 1\n").expect(429);
    let told = gateway.reload(&config("[[store.jobs]]\njob = 'ci_.*'\nmax_groups = 3\n"));
    assert!(told.contains("configuration reloaded") && !told.contains("restart"), "{told}");
    gateway.put("/metrics/job/ci_1/instance/d", "m 1\n").expect(200);
    gateway.put("/metrics/job/ci_1/instance/e", "m 1\n").expect(429);
    assert_eq!(gateway.scrape().sum("pushgate_groups", &[]), 6.0);
}
