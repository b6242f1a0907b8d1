//! Groups are listed and removed by selectors.

use std::collections::BTreeSet;

use e2e::http::Response;
use e2e::prometheus::{Prometheus, percent_encoded};
use e2e::{Folder, Gateway};
use serde_json::{Value, json};

const ADMIN: &str = "[web]\nlisten_address = ['127.0.0.1:0']\nenable_admin_api = true\n[push]\nutf8_names = true\n[store]\npath = 'pushes.redb'\n";

fn path(selectors: &[&str]) -> String {
    let selectors = selectors.iter().map(|selector| format!("match[]={}", percent_encoded(selector)));
    format!("/api/v1/groups?{}", selectors.collect::<Vec<_>>().join("&"))
}

fn data(answer: Response) -> Value {
    let answer: Value = serde_json::from_str(answer.expect(200).text()).unwrap();
    assert_eq!(answer["status"], "success");
    answer["data"].clone()
}

/// The jobs of the groups in an answer, with what else they are known by, in its order.
fn named(data: &Value) -> Vec<String> {
    let groups = data["groups"].as_array().unwrap();
    assert_eq!(data["count"], groups.len());
    let name = |group: &Value| {
        let labels = group["labels"].as_object().unwrap().values().rev();
        labels.map(|value| value.as_str().unwrap()).collect::<Vec<_>>().join("/")
    };
    groups.iter().map(name).collect()
}

fn fill(gateway: &Gateway) {
    for path in
        ["x/instance/old1", "x/instance/old2", "x/instance/new", "x", "y/instance/old1", "ü/zone@base64/="]
    {
        gateway.put(&format!("/metrics/job/{}", path.replace('ü', "%C3%BC")), "").expect(200);
    }
}

#[test]
fn groups_are_selected_by_their_labels() {
    let gateway = Gateway::start_with(ADMIN);
    fill(&gateway);
    for (selectors, expected) in [
        (&[][..], &["x/new", "x/old1", "x/old2", "x", "y/old1", "/ü"][..]),
        (&[r#"{job="x",instance=~"old.*"}"#], &["x/old1", "x/old2"]),
        (&[r#"{job="x",instance=""}"#], &["x"]),
        (&[r#"{job!="x"}"#], &["y/old1", "/ü"]),
        (&[r#"{instance=~".+",job!~"y|z"}"#], &["x/new", "x/old1", "x/old2"]),
        (&[r#"{instance="new"}"#, r#"{job='y'}"#, "{job=`y`}"], &["x/new", "y/old1"]),
        (&[r#"{job="\u00fc"}"#], &["/ü"]),
        (&[r#"{"job"="y"}"#], &["y/old1"]),
        (&["{}"], &["x/new", "x/old1", "x/old2", "x", "y/old1", "/ü"]),
        (&[r#"{job="none"}"#], &[]),
    ] {
        let path = path(selectors);
        let listed: BTreeSet<_> = named(&data(gateway.get(&path))).into_iter().collect();
        assert_eq!(listed, expected.iter().map(|name| (*name).to_owned()).collect(), "{selectors:?}");
        if !selectors.is_empty() && !selectors.contains(&"{}") && !selectors.contains(&r#"{job!="x"}"#) {
            let dry = data(gateway.delete(&format!("{path}&dry_run=true")));
            assert_eq!(named(&dry).into_iter().collect::<BTreeSet<_>>(), listed, "{selectors:?}");
            assert_eq!(dry["dry_run"], true);
        }
    }
    assert_eq!(gateway.scrape().sum("pushgate_groups", &[]), 6.0, "nothing was removed");
}

#[test]
fn what_is_selected_is_removed_for_good() {
    let gateway = Gateway::start_with(ADMIN);
    fill(&gateway);
    let removed = data(gateway.delete(&path(&[r#"{job="x",instance=~"old.*"}"#, r#"{job="y"}"#])));
    let expected = json!({
        "dry_run": false,
        "count": 3,
        "groups": [
            { "labels": { "instance": "old1", "job": "x" } },
            { "labels": { "instance": "old1", "job": "y" } },
            { "labels": { "instance": "old2", "job": "x" } },
        ],
    });
    assert_eq!(removed, expected);
    let log = gateway.log();
    let line = log.lines().find(|line| line.contains("groups deleted")).unwrap();
    assert!(line.contains("groups=3") && line.contains(r#"{job=\"y\"}"#), "{line}");
    assert_eq!(data(gateway.delete(&path(&[r#"{job="y"}"#])))["count"], 0);
    let gateway = Gateway::start_again(gateway.kill(), ADMIN);
    let left: BTreeSet<_> = named(&data(gateway.get("/api/v1/groups"))).into_iter().collect();
    assert_eq!(left, BTreeSet::from(["x/new".to_owned(), "x".to_owned(), "/ü".to_owned()]));
}

#[test]
fn what_is_not_clear_removes_nothing_and_is_told() {
    let gateway = Gateway::start_with(ADMIN);
    fill(&gateway);
    let all = percent_encoded("{job!=\"z\"}");
    let x = percent_encoded("{job=\"x\"}");
    for (query, expected) in [
        (String::new(), "say which groups are to be removed"),
        (format!("?match[]={all}"), "demands nothing, so it would remove groups that nobody thinks of"),
        (format!("?match[]={x}&match[]={all}"), "PUT /api/v1/admin/wipe removes all groups\n"),
        (
            format!("?match[]={x}&dryrun=true"),
            "\"dryrun\" is no parameter of this; allowed: match[], dry_run\n",
        ),
        (format!("?match[]={x}&dry_run=yes"), "dry_run is true or false, not \"yes\"\n"),
        (format!("?match={x}"), "\"match\" is no parameter"),
        (
            format!("?match[]={}", percent_encoded("{job=x}")),
            "at character 6: expected a string in quotes, found 'x'\n",
        ),
        (format!("?{}", vec![format!("match[]={x}"); 33].join("&")), "more than 32 parameters match[]"),
    ] {
        let told = gateway.delete(&format!("/api/v1/groups{query}")).expect(400);
        assert!(told.text().contains(expected), "{query}: {}", told.text());
    }
    let told = gateway.get("/api/v1/groups?match[]={").expect(400);
    assert!(told.text().starts_with("the selector \"{\" is wrong at character 2"), "{}", told.text());
    assert_eq!(gateway.scrape().sum("pushgate_groups", &[]), 6.0);

    let gateway = Gateway::start_in(Folder::new(), &[]);
    fill(&gateway);
    let told = gateway.delete(&format!("/api/v1/groups?match[]={x}")).expect(403);
    assert!(told.text().contains("--web.enable-admin-api"), "{}", told.text());
    assert_eq!(data(gateway.get("/api/v1/groups"))["count"], 6, "listing is open");
    // A page of another site is not let.
    let allowed = |path: &str| {
        let answer = gateway.request("OPTIONS", path).send().expect(200);
        answer.header("access-control-allow-methods").unwrap().to_owned()
    };
    for path in ["/api/v1/groups", "/api/v1/groups/", "/api/v1/GROUPS"] {
        assert_eq!(allowed(path), "GET, OPTIONS", "{path}");
    }
    assert!(allowed("/api/v1/metrics").contains("DELETE"), "as in the original");
}

/// Selectors, and whether ours says otherwise than Prometheus 2.42, for the reason in the comment.
const SELECTORS: [(&str, bool); 84] = [
    ("", false),
    ("  ", false),
    ("{}", false),
    ("{job=\"x\"}", false),
    ("{job='x'}", false),
    ("{job=`x`}", false),
    ("{job=\"x\",}", false),
    ("{,}", false),
    ("{job=\"x\",,a=\"b\"}", false),
    ("{job=\"x\" a=\"b\"}", false),
    (" { job = \"x\" , a != \"y\" } ", false),
    ("{job=\"x\"} # c", false),
    ("{job=\"x\" # c\n}", false),
    ("# c\n{job=\"x\"}\t\r\n", false),
    ("{job=~\".*\"}", false),
    ("{job=~\".+\"}", false),
    ("{job!~\"a\"}", false),
    ("{job!~\".*\"}", false),
    ("{job!=\"\"}", false),
    ("{job!=\"x\"}", false),
    ("{job=\"\"}", false),
    ("{job=\"\",a=\"b\"}", false),
    ("{job=\"x\"}[5m]", false),
    ("{job=\"x\"} offset 5m", false),
    ("{job=\"x\"} @ 5", false),
    ("{job==\"x\"}", false),
    ("{job=\"x\"", false),
    ("job=\"x\"", false),
    ("{job=x}", false),
    ("{job=5}", false),
    ("{1a=\"x\"}", false),
    ("{a-b=\"x\"}", false),
    ("{a:b=\"x\"}", false),
    ("{ä=\"x\"}", false),
    ("{job=\"ä\"}", false),
    ("{\u{a0}job=\"x\"}", false),
    ("{_=\"x\"}", false),
    ("{__x__=\"y\"}", false),
    ("{on=\"x\",sum=\"y\",by=\"z\"}", false),
    ("{job!\"x\"}", false),
    ("{job~\"x\"}", false),
    ("{job =~ \"x\"}", false),
    ("{job= ~\"x\"}", false),
    ("{job=\"x\"}{a=\"b\"}", false),
    ("{job=\"x\"} or {a=\"b\"}", false),
    ("sum({job=\"x\"})", false),
    ("({job=\"x\"})", false),
    (r#"{job="\n"}"#, false),
    (r#"{job="\q"}"#, false),
    (r#"{job="\x41"}"#, false),
    (r#"{job="\xff"}"#, false),
    (r#"{job="\x4"}"#, false),
    (r#"{job="\101"}"#, false),
    (r#"{job="\18"}"#, false),
    (r#"{job="\0"}"#, false),
    (r#"{job="\777"}"#, false),
    (r#"{job="\u00e4"}"#, false),
    (r#"{job="\u12"}"#, false),
    (r#"{job="\ud800"}"#, false),
    (r#"{job="\U0010ffff"}"#, false),
    (r#"{job="\U00110000"}"#, false),
    (r#"{job="\'"}"#, false),
    (r#"{job='\"'}"#, false),
    (r#"{job='\''}"#, false),
    (r#"{job="\""}"#, false),
    (r#"{job="\a\b\f\r\t\v\\"}"#, false),
    ("{job=\"a\nb\"}", false),
    ("{job=`a\nb`}", false),
    (r"{job=`\q`}", false),
    ("{job=\"x}", false),
    ("{job=`x}", false),
    ("{job=~\"(\"}", false),
    ("{job=~\"a)|(b\"}", false),
    ("{job=~\"[a\"}", false),
    ("{job=~\"(?=a)\"}", false),
    ("{job=~\"(?i)x|[[:alpha:]]\"}", false),
    (r#"{job=~"\\d\\pL"}"#, false),
    (r#"{job=~"\xff"}"#, false),
    // A group has no metric name.
    ("up", true),
    ("up{job=\"x\"}", true),
    ("{__name__=\"up\"}", true),
    // Prometheus 3 has names in quotes.
    ("{\"a.b\"=\"x\"}", true),
    // What is legal there and not here: sets in a class, which are none there, and what only Go has.
    ("{job=~\"[a&&b]\"}", true),
    (r#"{job=~"\\Qa.b\\E"}"#, true),
];

#[test]
fn what_is_a_selector_is_what_prometheus_says() {
    let Some(prometheus) = Prometheus::start("- {job_name: none}\n") else { return };
    let gateway = Gateway::start_with(ADMIN);
    for (selector, differs) in SELECTORS {
        let theirs = prometheus.check_selector(selector);
        let ours = gateway.delete(&format!("{}&dry_run=true", path(&[selector])));
        assert!([200, 400].contains(&ours.status), "{selector:?}: {}", ours.text());
        let differ = theirs.is_ok() != (ours.status == 200);
        assert_eq!(differ, differs, "{selector:?}: theirs {theirs:?}, ours {}", ours.text());
    }
}
