//! The bundled plugin `honor-labels`: what it says of Prometheus, held against a real one.

use std::collections::BTreeMap;

use e2e::gateway::{config, entry};
use e2e::prometheus::Sample;
use e2e::{Gateway, Prometheus, artifacts};

/// Labels of the target, as the policy and as Prometheus are told them.
const TARGET: [(&str, &str); 4] =
    [("job", "pushgate"), ("instance", "gateway:9091"), ("env", "prod"), ("zone", "a")];

/// A push of one series.
struct Case {
    /// Behind `/metrics/job/<number>`.
    path: String,
    labels: String,
}

/// Cases in which labels that collide come together in all ways: in the key, on the series, empty, renamed already.
fn cases() -> Vec<Case> {
    let in_key = ["", "/instance/db1", "/instance@base64/=", "/env/prod", "/env/dev", "/env@base64/="];
    let exported_in_key = ["", "/exported_job/x", "/exported_instance/x", "/exported_env/x/zone/b"];
    let on_series = [
        "",
        r#"instance="db2""#,
        r#"instance="""#,
        r#"job="prometheus""#,
        r#"env="test",exported_env="y""#,
        r#"env="""#,
        r#"exported_instance="y",exported_exported_instance="z""#,
        r#"exported_job="y",exported_exported_job="z",instance="db2""#,
        r#"text="a\\b\"c\nd",zone="a""#,
    ];
    let mut cases = Vec::new();
    for key in in_key {
        for exported in exported_in_key {
            for labels in on_series {
                cases.push(Case { path: format!("{key}{exported}"), labels: labels.to_owned() });
            }
        }
    }
    cases
}

/// A series as it is shown in a preview.
fn shown(sample: &Sample) -> String {
    let labels = sample.0.iter().filter(|(name, _)| name != "__name__");
    let escaped = |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let labels: Vec<String> = labels.map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
    format!("{{{}}}", labels.join(","))
}

fn prometheus(gateway: &Gateway, honor_labels: bool) -> Option<Prometheus> {
    let labels = TARGET.map(|(name, value)| format!("{name}: '{value}'")).join(", ");
    let address = gateway.address();
    Prometheus::start(&format!(
        "- job_name: gateways\n  honor_labels: {honor_labels}\n  static_configs: [{{targets: ['{address}'], labels: {{{labels}}}}}]\n"
    ))
}

/// The two series that the plugin says Prometheus will store.
fn previews(told: &str) -> [String; 2] {
    let (_, told) = told.split_once("Prometheus stores m").unwrap_or_else(|| panic!("no preview in {told}"));
    let (honored, renamed) = told.split_once(" with honor_labels: true, m").unwrap();
    let renamed = renamed.split_once(" with false").unwrap().0;
    [honored, renamed].map(|series| series.split_once('{').map(|(_, labels)| format!("{{{labels}")).unwrap())
}

#[test]
fn prometheus_stores_what_the_preview_says() {
    let target = TARGET.map(|(name, value)| format!("{name} = \"{value}\"")).join(", ");
    let options =
        format!("config = {{ preview = true, reserved_labels = [], target_labels = {{ {target} }} }}");
    let asked = Gateway::start(&entry("honor-labels", &artifacts::plugin("honor-labels"), &options));
    let scraped = Gateway::start("");
    let (mut expected, cases) = (BTreeMap::new(), cases());
    for (number, Case { path, labels }) in cases.iter().enumerate() {
        let path = format!("/metrics/job/j{number}{path}");
        let body = format!("m{number}{{{labels}}} 1\n");
        let answer = asked.put(&path, body.clone());
        assert!([200, 422].contains(&answer.status), "{path} {body} {answer:?}");
        scraped.put(&path, body).expect(200);
        expected.insert(format!("m{number}"), previews(answer.text()));
    }
    for (at, honor_labels) in [(0, true), (1, false)] {
        let Some(prometheus) = prometheus(&scraped, honor_labels) else { return };
        prometheus.await_scrapes("pushgate", 1);
        let stored = prometheus.query("{__name__=~\"m[0-9]+\"}");
        assert_eq!(stored.len(), cases.len());
        for sample in &stored {
            let (_, name) = sample.0.iter().find(|(name, _)| name == "__name__").unwrap();
            assert_eq!(shown(sample), expected[name][at], "{name} with honor_labels: {honor_labels}");
        }
    }
}

#[test]
fn names_are_judged_as_readers_see_them_that_know_only_classic_ones() {
    let policy = entry(
        "honor-labels",
        &artifacts::plugin("honor-labels"),
        "config = { target_labels = { my_env = \"prod\" } }",
    );
    let gateway =
        Gateway::start_with(&format!("[push]\nutf8_names = true\n{}", config("127.0.0.1:0", &policy)));
    for (body, code) in [
        ("{\"scrape.duration.seconds\"} 1\n", "honor-labels/reserved-metric"),
        ("{\"m\", \"exported.job\"=\"x\"} 1\n", "honor-labels/reserved-label"),
        ("{\"m\", \"my.env\"=\"dev\"} 1\n", "honor-labels/target-label"),
    ] {
        let answer = gateway.put("/metrics/job/one", body).expect(422);
        assert!(answer.text().contains(code), "{body}{}", answer.text());
    }
    gateway.put("/metrics/job/one", "{\"http.requests\", \"my.team\"=\"a\"} 1\n").expect(200);
}
