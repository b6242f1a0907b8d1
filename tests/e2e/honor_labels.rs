//! The bundled plugin `honor-labels`: what it says of Prometheus, held against a real one.

use std::collections::BTreeMap;

use e2e::clients::Curl;
use e2e::gateway::{command, config, entry};
use e2e::prometheus::Sample;
use e2e::{Folder, Gateway, Prometheus, artifacts};
use xtask::workspace;

use crate::readme::blocks;

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

/// Users `ci` and `ops`, both with the password `secret`.
const USERS: &str = "basic_auth_users:
  ci: $2b$04$RihBezfbrUfim9g3kdjZHO6IpNAvN1IN4rjzMw76Mnvxd.0TsnOK.
  ops: $2b$04$g5rrXKW2ZMqYnr0EOvsjaeS/RpLCmnWx/tpo0bFWBf5yY1GzA0v7.
";

/// Who may push what.
const ALLOW: &str = r#"
[[plugin.config.allow]]
caller = { user = "ci" }
jobs = "ci_.*"
labels = { instance = ".*" }
[[plugin.config.allow]]
caller = { user = "ops", tls-san = "db[0-9]+[.]example[.]org", network = ["10.0.0.0/8", "127.0.0.0/8"] }
jobs = "backup"
labels = { team = "storage" }
[[plugin.config.allow]]
caller = { user = "ops", "header:x-team" = "shop" }
jobs = "shop_.*"
[[plugin.config.allow]]
caller = { user = "ops", network = "192.0.2.0/24" }
jobs = ".*"
"#;

/// A gateway behind TLS with users, which takes the certificate of `db7.example.org` from clients, and tells its plugins
/// these attributes.
fn guarded(attributes: &str) -> Gateway {
    let folder = Folder::new();
    for name in ["127.0.0.1", "db7.example.org"] {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        folder.write(&format!("{name}.pem"), made.cert.pem());
        folder.write(&format!("{name}.key"), made.signing_key.serialize_pem());
    }
    let tls = "tls_server_config:
  cert_file: 127.0.0.1.pem
  key_file: 127.0.0.1.key
  client_ca_file: db7.example.org.pem
  client_auth_type: VerifyClientCertIfGiven
";
    folder.write("web.yml", format!("{tls}{USERS}"));
    let policy = entry("honor-labels", &artifacts::plugin("honor-labels"), ALLOW);
    let rest = format!("[web]\nconfig_file = \"web.yml\"\n[caller]\nattributes = {attributes}\n{policy}");
    folder.write("config.toml", rest);
    Gateway::start_guarded(folder, &["--config.file=config.toml"])
}

#[test]
fn callers_may_push_what_is_allowed_to_them() {
    let Some(curl) = Curl::require() else { return };
    let gateway = guarded(r#"["user", "tls-san", "network", "header:x-team"]"#);
    let path = |name: &str| gateway.folder().path().join(name).display().to_string();
    let (ca, certificate, key) =
        (path("127.0.0.1.pem"), path("db7.example.org.pem"), path("db7.example.org.key"));
    let with_certificate = ["--cert", &certificate, "--key", &key];
    let ask = |user: &str, more: &[&str], path: &str| {
        let arguments = [&["--cacert", &ca, "--user", user][..], more].concat();
        let address = gateway.address();
        let answer = curl.run("m 1\n", &arguments, &format!("https://{address}/metrics/job/{path}"));
        let code = answer.body.split(": ").nth(1).unwrap_or_default().to_owned();
        (answer.status, code)
    };
    let (push, delete) = (["--data-binary", "@-"], ["--request", "DELETE"]);
    let none = (202, String::new());
    let stored = (200, String::new());
    let not_allowed = (422, "honor-labels/not-allowed".to_owned());
    let unknown = (422, "honor-labels/unknown-caller".to_owned());
    for (rule, user, more, path, expected) in [
        ("a user", "ci:secret", push.to_vec(), "ci_build/instance/r1", &stored),
        ("another job", "ci:secret", push.to_vec(), "backup", &not_allowed),
        ("another label", "ci:secret", push.to_vec(), "ci_build/pod/a", &not_allowed),
        ("removing another's", "ci:secret", delete.to_vec(), "backup/team/storage", &not_allowed),
        ("removing one's own", "ci:secret", delete.to_vec(), "ci_build/instance/r1", &none),
        ("a user alone", "ops:secret", push.to_vec(), "backup/team/storage", &unknown),
        (
            "a certificate",
            "ops:secret",
            [&with_certificate[..], &push].concat(),
            "backup/team/storage",
            &stored,
        ),
        ("and a label", "ops:secret", [&with_certificate[..], &push].concat(), "backup", &not_allowed),
        ("a header", "ops:secret", [&["-H", "X-Team: shop"][..], &push].concat(), "shop_a", &stored),
        (
            "another header",
            "ops:secret",
            [&["-H", "X-Team: shopping"][..], &push].concat(),
            "shop_a",
            &unknown,
        ),
        (
            "a header and another user",
            "ci:secret",
            [&["-H", "X-Team: shop"][..], &push].concat(),
            "shop_a",
            &not_allowed,
        ),
    ] {
        assert_eq!(&ask(user, &more, path), expected, "{rule}");
    }
    assert_eq!(ask("ci:wrong", &push, "ci_build").0, 401);
}

#[test]
fn what_the_gateway_does_not_tell_nobody_can_go_by() {
    let Some(curl) = Curl::require() else { return };
    let gateway = guarded(r#"["network"]"#);
    let ca = gateway.folder().path().join("127.0.0.1.pem").display().to_string();
    let url = format!("https://{}/metrics/job/shop_a", gateway.address());
    let arguments = ["--cacert", &ca, "--user", "ops:secret", "-H", "X-Team: shop", "--data-binary", "@-"];
    let answer = curl.run("m 1\n", &arguments, &url);
    assert_eq!(answer.status, 422, "{answer:?}");
    assert!(answer.body.contains("there is none for network '127.0.0.1'"), "{answer:?}");
}

#[test]
fn the_rules_that_the_readme_shows_do_what_it_says() {
    let readme = std::fs::read_to_string(workspace::path("plugins/honor-labels/README.md")).unwrap();
    let blocks = blocks(&readme);
    let (_, rules) = blocks.iter().filter(|(language, _)| language == "toml").nth(1).unwrap();
    let shown: toml::Table = toml::from_str(rules).unwrap();
    let config = serde_json::to_string(&shown["plugin"][0]["config"]).unwrap();
    let storage = r#"tls-san="db1.example.org", network="10.8.0.7""#;
    let folder = Folder::new();
    let cases = [
        (r#"user="ci-7""#, r#"{job="ci_build", instance="r1", branch="main"}"#, "accept"),
        (r#"user="ci-7""#, r#"{job="ci_build"}"#, "accept"),
        (r#"user="ci-7""#, r#"{job="ci_build", branch="dev"}"#, "reject"),
        (r#"user="ci-7""#, r#"{job="backup", team="storage"}"#, "reject"),
        (storage, r#"{job="backup", team="storage", pod="a"}"#, "accept"),
        (storage, r#"{job="backup"}"#, "reject"),
        (r#"tls-san="db1.example.org", network="10.9.0.7""#, r#"{job="backup", team="storage"}"#, "reject"),
    ];
    for (number, (caller, key, _)) in cases.iter().enumerate() {
        let case = format!("--- config\n{config}\n--- push\nPUT {key}\ncaller {caller}\nm 1\n--- outcome\n");
        folder.write(&format!("{number}.case"), case);
    }
    let folder_of_cases = format!("--cases={}", folder.path().display());
    let plugin = artifacts::plugin("honor-labels").display().to_string();
    let tested = command(&folder, &["plugin", "test", "--bless", &folder_of_cases, &plugin]);
    assert_eq!(tested.code, 0, "{}{}", tested.stdout, tested.stderr);
    for (number, (caller, key, expected)) in cases.iter().enumerate() {
        let case = std::fs::read_to_string(folder.path().join(format!("{number}.case"))).unwrap();
        let (_, outcome) = case.split_once("--- outcome\n").unwrap();
        assert_eq!(outcome.lines().next(), Some(*expected), "{caller} {key}: {outcome}");
    }
}
