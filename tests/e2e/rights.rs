//! Who may do what: every endpoint, asked by every kind of client.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use e2e::clients::Curl;
use e2e::gateway::{command, config, entry};
use e2e::prometheus::Prometheus;
use e2e::{Folder, Gateway, Response, artifacts};
use rcgen::SanType;

use crate::authority::Authority;

/// alice's password is `secret`. The hash is of the lowest cost.
const ALICE: &str =
    "basic_auth_users:\n  alice: $2b$04$K4ISagUDf8C76lYgU52tAewmYHzcJ0yh5mDiOJ6M1zmxRRmulwlWG\n";

/// Tokens with the SHA-256 that is configured for each, and the rest of its entry.
const TOKENS: [(&str, &str, &str, &str); 4] = [
    (
        "pushing",
        "pgt_pushing_pushing_pushing_pushing_pushing",
        "81ec4fc7d6e569d109176564efd13a0307b1c436bef137ce663bc26d2999e06e",
        "verbs = ['push']\njobs = 'team-a-.*'",
    ),
    (
        "deleting",
        "pgt_deleting_deleting_deleting_deleting_del",
        "d94e02f08dc5f3dfc3a96f388127a5056446bf5399ee9b0a0ea3283c8adc3cd9",
        "verbs = ['delete']\njobs = 'team-a-.*'",
    ),
    (
        "reading",
        "pgt_reading_reading_reading_reading_reading",
        "080c92ac705febe45de714a813be8935b9ef81d30baab0ed614b86ea29cd8081",
        "verbs = ['scrape']",
    ),
    (
        "ruling",
        "pgt_ruling_ruling_ruling_ruling_ruling_ruling",
        "70c3061006af695d8b2b83e70655c23f97a798ffeba4b8d5e106ca5a462536bf",
        "verbs = ['admin']",
    ),
];

/// A configuration in which each token has its entry.
fn file(more: &str) -> String {
    let entries = TOKENS.map(|(name, _, digest, rest)| {
        format!("[[rights]]\nname = '{name}'\ntoken_sha256 = '{digest}'\n{rest}\n")
    });
    config("127.0.0.1:0", "").replacen(
        "[web]\n",
        "[web]\nenable_admin_api = true\nenable_lifecycle = true\n",
        1,
    ) + &entries.concat()
        + more
}

fn bearer(name: &str) -> String {
    let (_, token, ..) = TOKENS.iter().find(|(other, ..)| *other == name).unwrap();
    format!("Bearer {token}")
}

/// One request; without a name, without a token.
fn ask(gateway: &Gateway, who: &str, method: &str, path: &str) -> Response {
    let request = gateway.request(method, path);
    let request = if who.is_empty() { request } else { request.header("Authorization", &bearer(who)) };
    let body = if path.starts_with("/metrics/job") && method != "DELETE" { "m 1\n" } else { "" };
    request.body(body).send()
}

/// What each path needs. All that the API documents stand here.
const ASKED: [(&str, &str, &str); 27] = [
    ("PUT", "/metrics/job/team-a-x", "pushing"),
    ("POST", "/metrics/job/team-a-x/zone/y", "pushing"),
    ("POST", "/metrics/job@base64/dGVhbS1hLXk", "pushing"),
    ("DELETE", "/metrics/job/team-a-x", "deleting"),
    ("GET", "/metrics", "reading"),
    ("HEAD", "/metrics", "reading"),
    ("GET", "/", "reading"),
    ("GET", "/status", "reading"),
    ("GET", "/plugins", "reading"),
    ("GET", "/rejections", "reading"),
    ("GET", "/rejection?id=x", "reading"),
    ("GET", "/api/v1/status", "reading"),
    ("GET", "/api/v1/metrics", "reading"),
    ("GET", "/api/v1/groups?match[]=x", "reading"),
    ("GET", "/api/v1/plugins", "reading"),
    ("GET", "/api/v1/plugins/x", "reading"),
    ("GET", "/api/v1/rejections", "reading"),
    ("GET", "/api/v1/rejections/x", "reading"),
    ("GET", "/api/v1/plugins/x/audit", "ruling"),
    ("DELETE", "/api/v1/groups?match[]=x", "ruling"),
    ("PUT", "/api/v1/admin/wipe", "ruling"),
    ("POST", "/-/reload", "ruling"),
    ("GET", "/-/healthy", ""),
    ("GET", "/-/ready", ""),
    ("GET", "/static/nothing", ""),
    ("OPTIONS", "/api/v1/status", ""),
    // Last: it ends the gateway.
    ("PUT", "/-/quit", "ruling"),
];

#[test]
fn everybody_may_do_what_is_granted_and_nothing_else() {
    let gateway = Gateway::start_with(&file(""));
    for (method, path, needed) in ASKED {
        let refused = |who: &str| [401, 403].contains(&ask(&gateway, who, method, path).status);
        for who in ["", "pushing", "deleting", "reading", "ruling"] {
            if who != needed && !needed.is_empty() {
                let answer = ask(&gateway, who, method, path);
                assert_eq!(answer.status, if who.is_empty() { 401 } else { 403 }, "{who}: {method} {path}");
                assert_eq!(answer.header("www-authenticate"), who.is_empty().then_some("Bearer"));
            }
        }
        assert!(!refused(needed), "{needed}: {method} {path}");
    }
}

#[test]
fn what_is_missing_is_told_before_the_body_is_read() {
    let gateway = Gateway::start_with(&file(""));
    ask(&gateway, "pushing", "PUT", "/metrics/job/team-a-x").expect(200);
    let answer = ask(&gateway, "pushing", "PUT", "/metrics/job/team-b-x").expect(403);
    assert_eq!(
        answer.text(),
        "the token 'pushing' may not push to the job \"team-b-x\": the verb 'push' is not granted for this job; \
         whoever runs the gateway can grant it in [[rights]]\n"
    );
    let job = "a".repeat(2_000);
    let answer = ask(&gateway, "reading", "PUT", &format!("/metrics/job/{job}")).expect(403);
    assert!(answer.text().len() < 500, "{}", answer.text());
    // A client that asks first is not told to go on.
    let mut stream = TcpStream::connect(gateway.address()).unwrap();
    let head = format!(
        "PUT /metrics/job/team-b-x HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\
         Authorization: {}\r\nConnection: close\r\n\r\n",
        bearer("pushing")
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    let restoring =
        gateway.request("PUT", "/metrics/job/team-a-y").header("Authorization", &bearer("pushing"));
    restoring.header("X-Pushgate-Restore", "push=1, failure=0").body("m 1\n").send().expect(403);
    let refused = ask(&gateway, "reading", "GET", "/metrics").expect(200);
    let refused: Vec<_> =
        refused.text().lines().filter(|line| line.starts_with("pushgate_rights_refused")).collect();
    assert_eq!(
        refused,
        [
            "pushgate_rights_refused_total{verb=\"push\"} 3",
            "pushgate_rights_refused_total{verb=\"delete\"} 0",
            "pushgate_rights_refused_total{verb=\"scrape\"} 0",
            "pushgate_rights_refused_total{verb=\"admin\"} 1",
        ]
    );
}

#[test]
fn what_proves_nothing_lets_nobody_in() {
    let gateway = Gateway::start_with(&file("[[rights]]\nverbs = ['scrape']\n"));
    gateway.get("/metrics").expect(200);
    let long = format!("Bearer {}", "x".repeat(10_000));
    let wrong = format!("Bearer {}", "x".repeat(40));
    let good = bearer("reading");
    for header in
        [wrong.as_str(), &long, "Bearer", "Bearer ", "Basic YWxpY2U6c2VjcmV0", "Digest x", "", &good[1..]]
    {
        let answer = gateway.request("GET", "/metrics").header("Authorization", header).send().expect(401);
        assert!(!answer.text().contains("xxx") && answer.text().len() < 400, "{}", answer.text());
    }
    let twice =
        gateway.request("GET", "/metrics").header("Authorization", &good).header("Authorization", &good);
    twice.send().expect(401);
    gateway.request("GET", "/-/healthy").header("Authorization", &wrong).send().expect(200);
}

#[test]
fn tokens_and_users_are_known_side_by_side() {
    let folder = Folder::new();
    let web = folder.write("web.yml", "");
    let entry = "[[rights]]\nuser = 'al.*'\nverbs = ['push', 'scrape']\n";
    let file = file(entry).replacen("[web]\n", &format!("[web]\nconfig_file = \"{}\"\n", web.display()), 1);
    let gateway = Gateway::start_with(&file);
    folder.write("web.yml", ALICE);
    let push = |authorization: &str| {
        let request = gateway.request("PUT", "/metrics/job/any").header("Authorization", authorization);
        request.body("m 1\n").send().status
    };
    assert_eq!(push("Basic YWxpY2U6c2VjcmV0"), 200);
    assert_eq!(push("Basic YWxpY2U6d3Jvbmc="), 401);
    assert_eq!(push(&bearer("pushing")), 403, "another job");
    let answer = gateway.get("/metrics").expect(401);
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "the first of both");
    ask(&gateway, "reading", "GET", "/metrics").expect(200);
    gateway.get("/-/healthy").expect(200);
    if let Some(curl) = Curl::require() {
        let url = gateway.url("/metrics/job/any");
        assert_eq!(curl.run("m 1\n", &["-u", "alice:secret", "--data-binary", "@-"], &url).status, 200);
        assert_eq!(curl.run("m 1\n", &["-u", "alice:wrong", "--data-binary", "@-"], &url).status, 401);
        let header = format!("Authorization: {}", bearer("pushing"));
        let url = gateway.url("/metrics/job/team-a-x");
        assert_eq!(curl.run("m 1\n", &["-H", &header, "--data-binary", "@-"], &url).status, 200);
    }
}

#[test]
fn a_reload_changes_rights_at_once() {
    let mut gateway = Gateway::start_with(&file(""));
    let push = |gateway: &Gateway| ask(gateway, "pushing", "PUT", "/metrics/job/team-b-x").status;
    assert_eq!(push(&gateway), 403);
    let told = gateway.reload(&file("").replacen("'team-a-.*'", "'team-b-.*'", 1));
    assert!(told.contains("configuration reloaded") && told.contains("level=info"), "{told}");
    assert_eq!(push(&gateway), 200);
    let told = gateway.reload(&file("[[rights]]\nverbs = ['fly']\n"));
    assert!(told.contains("not reloaded"), "{told}");
    assert_eq!(push(&gateway), 200);
}

#[test]
fn prometheus_scrapes_with_a_token() {
    let gateway = Gateway::start_with(&file(""));
    ask(&gateway, "pushing", "PUT", "/metrics/job/team-a-x").expect(200);
    let (_, token, ..) = TOKENS[2];
    let scrape = format!(
        "- job_name: pushgate\n  honor_labels: true\n  authorization:\n    credentials: {token}\n  static_configs:\n  - targets: ['{}']\n",
        gateway.address()
    );
    let Some(prometheus) = Prometheus::start(&scrape) else { return };
    prometheus.await_scrapes("pushgate", 2);
    assert_eq!(prometheus.query("m{job=\"team-a-x\"}").len(), 1);
}

#[test]
fn no_secret_is_told_or_logged() {
    let file = file("[log]\nlevel = 'debug'\n");
    let gateway = Gateway::start_with(&file);
    let mut told = String::new();
    for who in ["pushing", "reading", "ruling"] {
        for (method, path) in
            [("PUT", "/metrics/job/team-b-x"), ("GET", "/status"), ("GET", "/api/v1/status")]
        {
            told += ask(&gateway, who, method, path).text();
        }
    }
    let wrong = format!("Bearer {}", "guess".repeat(10));
    told += gateway.request("GET", "/metrics").header("Authorization", &wrong).send().expect(401).text();
    let folder = Folder::new();
    folder.write("config.toml", &file);
    told += &command(&folder, &["check-config", "--show", "config.toml"]).stdout;
    told += &gateway.log();
    for (_, token, ..) in TOKENS {
        assert!(!told.contains(token), "{told}");
    }
    assert!(!told.contains("guessguess"), "{told}");
    assert!(told.contains("verb=push") && told.contains("team-b-x"), "whom it concerns is told\n{told}");
}

#[test]
fn a_new_token_comes_with_the_lines_that_know_it() {
    let folder = Folder::new();
    let made = command(&folder, &["token", "ci"]);
    assert_eq!(made.code, 0, "{}", made.stderr);
    let (token, entry) = made.stdout.split_once('\n').unwrap();
    let gateway = Gateway::start_with(&(config("127.0.0.1:0", "") + entry));
    let push = |token: &str| {
        let request = gateway.request("PUT", "/metrics/job/any");
        request.header("Authorization", &format!("Bearer {token}")).body("m 1\n").send().status
    };
    assert_eq!((push(token), push(&token.replacen("pgt_", "pgt-", 1))), (200, 401));
    assert_eq!(command(&folder, &["token", "two words"]).code, 1);
}

#[test]
fn certificates_and_tokens_have_their_rights_in_both_versions_of_http_and_plugins_are_told_of_tokens() {
    let Some(curl) = Curl::require() else { return };
    let folder = Folder::new();
    let servers = Authority::new(&folder, "servers");
    let [certificate, key] = servers.identity(&folder, vec![SanType::IpAddress([127, 0, 0, 1].into())]);
    let clients = Authority::new(&folder, "clients");
    let dns = |name: &str| SanType::DnsName(name.try_into().unwrap());
    let db = clients.identity(&folder, vec![dns("db1.example.org")]);
    let stranger = clients.identity(&folder, vec![dns("db1.example.org.evil"), dns("other.example.org")]);
    // It says nothing yet, so that the gateway can be seen to start.
    let web = folder.write("web.yml", "");
    let more = "[[rights]]\ntls_san = 'db.*[.]example[.]org'\nverbs = ['push']\njobs = 'db'\n";
    let witness = entry("witness", &artifacts::guest("witness"), "match = { job = \"team-.*\" }\n");
    let more = format!("{more}[caller]\nattributes = ['token', 'tls-san']\n{witness}");
    let web = format!("[web]\nconfig_file = \"{}\"\n", web.display());
    let gateway = Gateway::start_with(&file(&more).replacen("[web]\n", &web, 1));
    folder.write(
        "web.yml",
        format!(
            "tls_server_config:\n  cert_file: {certificate}\n  key_file: {key}\n  client_ca_file: clients.pem\n  \
             client_auth_type: VerifyClientCertIfGiven\n"
        ),
    );
    let authority = folder.path().join("servers.pem").display().to_string();
    let ask = |version: &str, identity: Option<&[String; 2]>, token: &str, path: &str| {
        let header = format!("Authorization: {}", bearer("pushing"));
        let mut arguments = vec![version, "--cacert", &authority];
        if path.contains("/job/") {
            arguments.extend(["--data-binary", "@-"]);
        }
        if let Some([certificate, key]) = identity {
            arguments.extend(["--cert", certificate, "--key", key]);
        }
        if !token.is_empty() {
            arguments.extend(["-H", &header]);
        }
        curl.run("m 1\n", &arguments, &gateway.url(path).replacen("http", "https", 1))
    };
    for version in ["--http1.1", "--http2"] {
        let status = |identity, token, path| ask(version, identity, token, path).status;
        assert_eq!(status(Some(&db), "", "/metrics/job/db"), 200, "{version}");
        assert_eq!(status(Some(&db), "", "/metrics/job/other"), 403, "{version}");
        assert_eq!(status(Some(&db), "", "/metrics"), 403, "{version}");
        // No entry knows the names of its certificate.
        assert_eq!(status(Some(&stranger), "", "/metrics/job/db"), 401, "{version}");
        assert_eq!(status(None, "", "/metrics/job/db"), 401, "{version}");
        // With both, the rights of both, and the plugin is told of both.
        let told = ask(version, Some(&db), "pushing", "/metrics/job/team-a-x");
        assert_eq!(told.status, 422, "{version}");
        assert!(
            told.body.contains("[tls-san='db1.example.org' token='pushing']"),
            "{version}: {}",
            told.body
        );
    }
}
