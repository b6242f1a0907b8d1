//! A registry that wants tokens, which another server gives out, as those on the internet do.

use std::fs;
use std::net::SocketAddr;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use e2e::process::finish;
use e2e::registry::{Registry, Tokens};
use e2e::tools::{Tool, require};
use pushgate_plugin_host::Digest;
use serde_json::json;

use super::servers::{Then, answer, server};
use super::setup::{self, Setup, wasm};

/// A token for the repository `p`, signed by a new key whose certificate is in `tokens.pem` then.
fn token(setup: &Setup) -> Option<String> {
    let openssl = require(Tool::Openssl)?;
    let run = |arguments: &[&str]| {
        let made = finish(Command::new(&openssl).args(arguments).current_dir(setup.folder.path()), b"");
        assert_eq!(made.code, 0, "{}", made.stderr);
    };
    let certificate = ["-subj", "/CN=tests", "-keyout", "tokens.key", "-out", "tokens.pem"];
    run(&[&["req", "-x509", "-newkey", "rsa:2048", "-nodes"], certificate.as_slice()].concat());
    run(&["x509", "-in", "tokens.pem", "-outform", "DER", "-out", "tokens.der"]);
    let certificate = STANDARD.encode(fs::read(setup.path("tokens.der")).unwrap());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let header = json!({"typ": "JWT", "alg": "RS256", "x5c": [certificate]});
    let claims = json!({
        "iss": "tests", "sub": "alice", "aud": "registry", "jti": "1",
        "iat": now - 60, "nbf": now - 60, "exp": now + 3_600,
        "access": [{"type": "repository", "name": "p", "actions": ["pull"]}],
    });
    let signed = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string())).join(".");
    setup.folder.write("token", &signed);
    run(&["dgst", "-sha256", "-sign", "tokens.key", "-out", "token.sig", "token"]);
    let signature = URL_SAFE_NO_PAD.encode(fs::read(setup.path("token.sig")).unwrap());
    Some(format!("{signed}.{signature}"))
}

/// Gives the token out to alice, for what a client should ask for.
fn token_server(token: String) -> SocketAddr {
    let alice = format!("authorization: basic {}", STANDARD.encode("alice:secret").to_ascii_lowercase());
    server(
        move |head| {
            let wanted = "get /token?scope=repository%3ap%3apull&service=registry ";
            match (head.starts_with(wanted), head.contains(&alice)) {
                (true, true) => answer("200 OK", json!({ "token": token }).to_string().as_bytes()),
                (true, false) => answer("401 Unauthorized", b""),
                (false, _) => answer("400 Bad Request", b""),
            }
        },
        Then::Close,
    )
}

#[test]
fn tokens_are_asked_for_where_the_registry_says() {
    let Some(registry) = Registry::start() else { return };
    let setup = Setup::new();
    let Some(token) = token(&setup) else { return };
    registry.push("p", "1", &wasm(&setup::plugin()));
    registry.push("other", "1", &wasm(&setup::plugin()));
    let port = token_server(token).port();
    let certificate = setup.path("tokens.pem");
    let tokens = Tokens { realm: &format!("http://127.0.0.1:{port}/token"), certificate: &certificate };
    let Some(registry) = registry.with_tokens(tokens) else { return };
    let address = registry.address().to_string();
    let pinned = format!("digest = '{}'", Digest::of(&setup::plugin()));
    let configure = |source: &str, users: &[(&str, &str)]| {
        let user = |(host, password): &(&str, &str)| {
            ((*host).to_owned(), json!({ "username": "alice", "password": password }))
        };
        let users: serde_json::Map<_, _> = users.iter().map(user).collect();
        setup.folder.write("auth.json", json!({ "auths": users }).to_string());
        setup.configure("credentials_file = 'auth.json'", &format!("oci://{source}:1"), &pinned);
    };
    let plugin = format!("{address}/p");
    let at_realm = format!("http://127.0.0.1:{port}/token?scope=");
    configure(&plugin, &[]);
    setup.refused(&[&at_realm, "answers 401"]);
    configure(&plugin, &[(&address, "wrong")]);
    setup.refused(&[&at_realm, "answers 401"]);
    configure(&plugin, &[(&address, "secret")]);
    setup.accepted(&[]);
    // The token is not for everything.
    configure(&format!("{address}/other"), &[(&address, "secret")]);
    setup.refused(&["answers 400"]);

    // Another host, as far as names tell.
    let tokens = Tokens { realm: &format!("http://localhost:{port}/token"), certificate: &certificate };
    let Some(registry) = registry.with_tokens(tokens) else { return };
    let address = registry.address().to_string();
    let (plugin, server) = (format!("{address}/p"), format!("localhost:{port}"));
    configure(&plugin, &[(&address, "secret")]);
    let told = format!("has its tokens given out by '{server}', which is of another domain");
    setup.refused(&[&told, &format!("add a user for '{server}' to plugins.credentials_file")]);
    configure(&plugin, &[(&address, "secret"), (&server, "secret")]);
    setup.accepted(&[]);
}
