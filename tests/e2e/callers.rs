//! What plugins are told of whoever pushes, over real connections: nothing that the configuration does not name, and
//! nothing that the client merely says of itself.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use e2e::clients::Curl;
use e2e::gateway::{command, config, entry};
use e2e::http::Request;
use e2e::{Folder, Gateway, Response, artifacts};
use rcgen::SanType;

use crate::authority::Authority;

/// alice's password is `secret`. The hash is of the lowest cost.
const ALICE: &str =
    "basic_auth_users:\n  alice: $2b$04$K4ISagUDf8C76lYgU52tAewmYHzcJ0yh5mDiOJ6M1zmxRRmulwlWG\n";

const ALL: &str = "[caller]\nattributes = ['user', 'tls-san', 'network', 'header:x-team']\n";

/// A plugin that rejects every push with all that it is told of the caller.
fn witness() -> String {
    entry("witness", &artifacts::guest("witness"), "")
}

/// A gateway with that plugin.
fn start(caller: &str) -> Gateway {
    Gateway::start_with(&file(caller, ""))
}

/// A configuration with that plugin.
fn file(caller: &str, of_the_plugin: &str) -> String {
    config("127.0.0.1:0", &format!("{caller}{}{of_the_plugin}\n", witness()))
}

/// A gateway that follows a web configuration, which says nothing yet, so that it can be seen to start.
struct Guarded {
    folder: Folder,
    gateway: Gateway,
}

impl Guarded {
    fn start(caller: &str, of_the_plugin: &str) -> Self {
        let folder = Folder::new();
        let web = folder.write("web.yml", "");
        let web = format!("[web]\nconfig_file = \"{}\"\n", web.display());
        Self {
            folder,
            gateway: Gateway::start_with(&file(caller, of_the_plugin).replacen("[web]\n", &web, 1)),
        }
    }

    fn guard(&self, web: &str) {
        self.folder.write("web.yml", web);
    }
}

/// What the plugin was told.
#[track_caller]
fn told(answer: Response) -> String {
    told_in(answer.expect(422).text())
}

fn told_in(text: &str) -> String {
    let (_, told) = text.split_once("witness/caller: ").unwrap_or_else(|| panic!("{text}"));
    told.lines().next().unwrap().to_owned()
}

fn basic(pair: &str) -> String {
    use base64::Engine as _;
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
}

#[test]
fn nothing_is_told_that_is_not_named_or_not_known() {
    let headers = [
        ("user", "root"),
        ("network", "10.0.0.1"),
        ("tls-san", "db1.example.org"),
        ("X-Forwarded-For", "10.0.0.1"),
        ("X-Team", "a"),
        ("x-team", "b, c"),
    ];
    for (caller, expected) in [
        ("", "[]"),
        (ALL, "[header:x-team='a, b, c' network='127.0.0.1']"),
        ("[caller]\nattributes = ['header:user', 'user']\n", "[header:user='root']"),
    ] {
        let gateway = start(caller);
        for method in ["PUT", "POST", "DELETE"] {
            let request =
                gateway.request(method, "/metrics/job/one").header("Authorization", &basic("alice:secret"));
            let request = headers.iter().fold(request, |request, (name, value)| request.header(name, value));
            assert_eq!(told(request.body("m 1\n").send()), expected, "{method} {caller}");
        }
    }
}

#[test]
fn a_user_is_whoever_has_sent_the_right_password() {
    let guarded = Guarded::start(ALL, "");
    let push = |pair: &str| {
        guarded
            .gateway
            .request("PUT", "/metrics/job/one")
            .header("Authorization", &basic(pair))
            .header("User", "root")
            .body("m 1\n")
            .send()
    };
    assert_eq!(told(push("alice:secret")), "[network='127.0.0.1']", "nobody is asked for a password");
    guarded.guard(ALICE);
    assert_eq!(told(push("alice:secret")), "[network='127.0.0.1' user='alice']");
    for pair in ["alice:wrong", "alice:", "alice", "root:secret", ":secret"] {
        push(pair).expect(401);
    }
    guarded.guard("");
    let asked = guarded.gateway.scrape().sum("pushgate_plugin_evaluations_total", &["witness"]);
    assert_eq!(asked, 2.0, "no plugin has seen those who were not let in");
    assert_eq!(told(push("alice:secret")), "[network='127.0.0.1']");
}

#[test]
fn names_are_those_of_certificates_that_were_verified() {
    let Some(curl) = Curl::require() else { return };
    let guarded = Guarded::start("[caller]\nattributes = ['tls-san', 'user']\n", "");
    let folder = &guarded.folder;
    let dns = |name: &str| SanType::DnsName(name.try_into().unwrap());
    let uri = |name: &str| SanType::URI(name.try_into().unwrap());
    let servers = Authority::new(folder, "servers");
    let server = servers.identity(folder, vec![SanType::IpAddress([127, 0, 0, 1].into())]);
    let clients = Authority::new(folder, "clients");
    let one = clients.identity(folder, vec![dns("db1.example.org")]);
    let two = clients.identity(folder, vec![dns("db2.example.org"), uri("spiffe://example.org/db2")]);
    let stranger = Authority::new(folder, "strangers").identity(folder, vec![dns("db1.example.org")]);

    let url = guarded.gateway.url("/metrics/job/one").replacen("http", "https", 1);
    let authority = folder.path().join("servers.pem").display().to_string();
    let push = |identity: Option<&[String; 2]>, version: &str| {
        let mut arguments =
            vec![version, "--cacert", &authority, "--data-binary", "@-", "-H", "tls-san: root"];
        if let Some([certificate, key]) = identity {
            arguments.extend(["--cert", certificate, "--key", key]);
        }
        curl.try_run("m 1\n", &arguments, &url).ok().map(|answer| told_in(&answer.body))
    };
    let [certificate, key] = &server;
    let verified = "[tls-san='db2.example.org' tls-san='spiffe://example.org/db2']";
    for (kind, expected) in [
        ("NoClientCert", [Some("[]"), Some("[]"), Some("[]"), Some("[]")]),
        ("RequestClientCert", [Some("[]"), Some("[]"), Some("[]"), Some("[]")]),
        ("RequireAnyClientCert", [None, Some("[]"), Some("[]"), Some("[]")]),
        ("VerifyClientCertIfGiven", [Some("[]"), Some("[tls-san='db1.example.org']"), Some(verified), None]),
        ("RequireAndVerifyClientCert", [None, Some("[tls-san='db1.example.org']"), Some(verified), None]),
    ] {
        let ca = if kind == "NoClientCert" { "" } else { "  client_ca_file: clients.pem\n" };
        guarded.guard(&format!(
            "tls_server_config:\n  cert_file: {certificate}\n  key_file: {key}\n  client_auth_type: {kind}\n{ca}"
        ));
        for version in ["--http1.1", "--http2"] {
            let told =
                [None, Some(&one), Some(&two), Some(&stranger)].map(|identity| push(identity, version));
            assert_eq!(told.each_ref().map(Option::as_deref), expected, "{kind} {version}");
        }
    }
}

#[test]
fn a_client_that_is_still_sending_sees_that_it_is_refused() {
    let Some(curl) = Curl::require() else { return };
    let guarded = Guarded::start("", "");
    let folder = &guarded.folder;
    let servers = Authority::new(folder, "servers");
    let [certificate, key] = servers.identity(folder, vec![SanType::IpAddress([127, 0, 0, 1].into())]);
    guarded.guard(&format!("tls_server_config:\n  cert_file: {certificate}\n  key_file: {key}\n{ALICE}"));
    let authority = folder.path().join("servers.pem").display().to_string();
    let body = format!("m{{x=\"{}\"}} 1\n", "y".repeat(30_000));
    let refused = |path: &str, user: &str| {
        let url = guarded.gateway.url(path).replacen("http", "https", 1);
        let arguments = ["--http2", "--cacert", &authority, "-u", user, "--data-binary", "@-"];
        curl.run(&body, &arguments, &url).status
    };
    for _ in 0..30 {
        assert_eq!(refused("/metrics/job/one", "alice:wrong"), 401);
    }
    for (path, status) in [("/metrics/job/one/odd", 400), ("/no/such/path", 404), ("/status", 405)] {
        assert_eq!(refused(path, "alice:secret"), status, "{path}");
    }
}

#[test]
fn what_is_told_changes_with_a_reload() {
    let mut gateway = start("");
    let push = |gateway: &Gateway| {
        let request = gateway.request("PUT", "/metrics/job/one").header("x-team", "a").header("x-zone", "b");
        told(request.body("m 1\n").send())
    };
    for (caller, expected) in [
        ("", "[]"),
        ("[caller]\nattributes = ['header:x-zone']\n", "[header:x-zone='b']"),
        ("[caller]\nattributes = ['header:x-team', 'network']\n", "[header:x-team='a' network='127.0.0.1']"),
        ("", "[]"),
    ] {
        let told = gateway.reload(&file(caller, ""));
        assert!(told.contains("level=info"), "{told}");
        assert_eq!(push(&gateway), expected, "{caller}");
    }
    let told = gateway.reload(&file("[caller]\nattributes = ['header:cookie']\n", ""));
    assert!(told.contains("not reloaded"), "{told}");
    assert_eq!(push(&gateway), "[]");
}

#[test]
fn a_policy_is_for_methods_and_callers_and_a_reload_changes_that() {
    let mut gateway = start(ALL);
    // As PUT, POST and DELETE of team a, and as PUT of team b and of nobody.
    let asked = |gateway: &Gateway| {
        [("PUT", "a"), ("POST", "a"), ("DELETE", "a"), ("PUT", "b"), ("PUT", "")].map(|(method, team)| {
            let request = gateway.request(method, "/metrics/job/one");
            let request = if team.is_empty() { request } else { request.header("X-Team", team) };
            let answer = request.body("m 1\n").send();
            assert!([200, 202, 422].contains(&answer.status), "{answer:?}");
            answer.status == 422
        })
    };
    assert_eq!(asked(&gateway), [true; 5]);
    for (of_the_plugin, expected) in [
        ("match_methods = ['DELETE']", [false, false, true, false, false]),
        ("match_methods = ['PUT', 'POST']", [true, true, false, true, true]),
        ("match_caller = { 'header:x-team' = 'a|c' }", [true, true, true, false, false]),
        ("match_caller = { 'header:x-team' = '' }", [false, false, false, false, true]),
        ("match_caller = { network = ['10.0.0.0/8', '127.0.0.0/8'] }", [true; 5]),
        ("match_caller = { network = '10.0.0.0/8' }", [false; 5]),
        ("match_caller = { user = '.+' }", [false; 5]),
        (
            "match = { job = 'one' }\nmatch_methods = ['PUT']\nmatch_caller = { 'header:x-team' = 'a' }",
            [true, false, false, false, false],
        ),
        ("match_methods = ['PUT']\nmatch = { job = 'two' }", [false; 5]),
    ] {
        let told = gateway.reload(&file(ALL, of_the_plugin));
        assert!(told.contains("level=info"), "{told}");
        assert_eq!(asked(&gateway), expected, "{of_the_plugin}");
    }
    let before = gateway.scrape();
    let skipped = before.sum("pushgate_plugin_skipped_total", &["plugin=\"witness\"", "reason=\"scope\""]);
    assert!(skipped > 0.0);
    let told = gateway.reload(&file("", "match_caller = { user = 'ci' }"));
    assert!(told.contains("not reloaded"), "{told}");
    assert!(gateway.log().contains("write attributes = [\\\"user\\\"] below [caller]"), "{}", gateway.log());
    assert_eq!(asked(&gateway), [false; 5], "what was in force still is");
}

#[test]
fn a_policy_may_be_for_a_user_of_the_web_configuration() {
    let guarded = Guarded::start(ALL, "match_caller = { user = 'ali.*' }");
    let push = || {
        let request = guarded.gateway.request("PUT", "/metrics/job/one");
        request.header("Authorization", &basic("alice:secret")).body("m 1\n").send()
    };
    push().expect(200);
    guarded.guard(ALICE);
    assert_eq!(told(push()), "[network='127.0.0.1' user='alice']");
}

#[test]
fn a_captured_push_is_replayed_as_of_its_caller() {
    let of_team = |team: &str| format!("match_caller = {{ 'header:x-team' = '{team}' }}");
    let gateway = Gateway::start_with(&file(&format!("[capture]\nfile = 'pushes'\n{ALL}"), &of_team("a")));
    for (team, status) in [("a", 422), ("b", 200)] {
        let request = gateway.request("PUT", "/metrics/job/one").header("X-Team", team);
        request.body("m 1\n").send().expect(status);
    }
    let folder = gateway.terminate();
    for (caller, of_the_plugin, expected) in [
        (ALL, of_team("a"), "2 pushes, 2 the same, 0 newly rejected, 0 newly accepted"),
        (ALL, of_team("b"), "2 pushes, 0 the same, 1 newly rejected, 1 newly accepted"),
        (
            ALL,
            "match_caller = { network = '127.0.0.1' }".to_owned(),
            "2 pushes, 1 the same, 1 newly rejected, 0 newly",
        ),
        (
            ALL,
            "match_caller = { user = 'a' }".to_owned(),
            "2 pushes, 1 the same, 0 newly rejected, 1 newly accepted",
        ),
        ("", String::new(), "2 pushes, 1 the same, 1 newly rejected, 0 newly accepted"),
    ] {
        folder.write("new.toml", file(caller, &of_the_plugin));
        let replayed = command(&folder, &["replay", "--config.file=new.toml", "pushes"]);
        assert!(replayed.stdout.contains(expected), "{of_the_plugin}: {replayed:?}");
    }
}

#[test]
fn a_payload_is_checked_as_of_a_caller() {
    let folder = Folder::new();
    folder.write("config.toml", file("[caller]\nattributes = ['user', 'tls-san']\n", ""));
    folder.write("push.txt", "m 1\n");
    let check =
        |arguments: &[&str]| command(&folder, &[&["check", "--job=one", "push.txt"], arguments].concat());
    for (arguments, expected) in [
        (&[][..], "[]"),
        (
            &["--caller=user=ci=1", "--caller=tls-san=b", "--caller=tls-san=a"],
            "[tls-san='b' tls-san='a' user='ci=1']",
        ),
    ] {
        let checked = check(arguments);
        assert_eq!((checked.code, told_in(&checked.stdout).as_str()), (1, expected), "{checked:?}");
    }
    for (argument, expected) in [
        (
            "--caller=network=10.0.0.1",
            "--caller=network: it is not told of callers; write attributes = [\"tls-san\", \"user\", \"network\"] below [caller]",
        ),
        ("--caller=job=x", "--caller=job: 'job' is no attribute of a caller; allowed: "),
    ] {
        let checked = check(&[argument]);
        assert!(checked.code == 2 && checked.stderr.contains(expected), "{checked:?}");
    }
}

#[test]
fn a_push_is_judged_by_the_policies_that_were_told_of_its_caller() {
    let of = |header: &str| {
        file(
            &format!("[caller]\nattributes = ['header:{header}']\n"),
            &format!("match_caller = {{ 'header:{header}' = '1' }}"),
        )
    };
    let mut gateway = Gateway::start_with(&of("x-a"));
    let (address, done) = (gateway.address(), AtomicBool::new(false));
    let seen = thread::scope(|scope| {
        let pushing = scope.spawn(|| {
            let mut seen = BTreeMap::new();
            while !done.load(Ordering::Relaxed) {
                let request = Request::new(address, "PUT", "/metrics/job/one");
                let answer = request.header("x-a", "1").header("x-b", "1").body("m 1\n").send();
                *seen.entry(told(answer)).or_insert(0) += 1;
            }
            seen
        });
        for header in ["x-b", "x-a"].into_iter().cycle().take(40) {
            gateway.reload(&of(header));
        }
        done.store(true, Ordering::Relaxed);
        pushing.join().unwrap()
    });
    let told: Vec<_> = seen.keys().collect();
    assert_eq!(told, ["[header:x-a='1']", "[header:x-b='1']"], "{seen:?}");
}

#[test]
fn what_is_remembered_is_remembered_by_caller() {
    let gateway = start("[caller]\nattributes = ['header:x-team', 'header:x-teams']\n");
    for number in 0..3 {
        for (name, value) in [("x-team", "a"), ("x-team", "b"), ("x-teams", "a"), ("x-other", "a")] {
            let request = gateway.request("PUT", "/metrics/job/one").header(name, value);
            let expected =
                if name == "x-other" { "[]".to_owned() } else { format!("[header:{name}='{value}']") };
            assert_eq!(told(request.body(format!("m {number}\n")).send()), expected);
        }
    }
    let remembered =
        gateway.scrape().sum("pushgate_plugin_skipped_total", &["plugin=\"witness\"", "reason=\"memo\""]);
    assert_eq!(remembered, 8.0, "all but the first of each caller");
}
