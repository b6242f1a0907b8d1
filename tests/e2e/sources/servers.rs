//! Servers of ours, which do what a well-behaved one does not, or serve what a registry cannot.

use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pushgate_plugin_host::Digest;

use super::setup::{Setup, plugin};

/// A server that answers each request, of which it is told the head in lower case, and then goes on as told.
pub(super) fn server(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static, then: Then) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answer = Arc::new(answer);
    thread::spawn(move || {
        for connection in listener.incoming() {
            let (mut connection, answer) = (BufReader::new(connection.unwrap()), answer.clone());
            thread::spawn(move || {
                let mut head = String::new();
                while !head.ends_with("\r\n\r\n") && connection.read_line(&mut head).unwrap_or(0) > 0 {}
                let mut connection = connection.into_inner();
                if connection.write_all(&answer(&head.to_ascii_lowercase())).is_ok() {
                    then.go_on(&mut connection);
                }
            });
        }
    });
    address
}

/// What a server does behind its answer.
#[derive(Clone, Copy)]
pub(super) enum Then {
    Close,
    /// Sends without an end.
    Flood,
    /// Sends a byte ten times a second.
    Drip,
    /// Waits for the other side to go.
    Wait,
}

impl Then {
    fn go_on(self, connection: &mut TcpStream) {
        match self {
            Self::Close => {}
            Self::Flood => while connection.write_all(&[b'x'; 64 << 10]).is_ok() {},
            Self::Drip => {
                connection.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
                let is_pause = |kind| matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut);
                while connection.read(&mut [0]).is_err_and(|error| is_pause(error.kind()))
                    && connection.write_all(b"x").is_ok()
                {}
            }
            Self::Wait => drop(connection.read(&mut [0])),
        }
    }
}

/// An answer with a body.
pub(super) fn answer(status: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn answering(head: String, then: Then) -> SocketAddr {
    server(move |_| head.clone().into_bytes(), then)
}

#[test]
fn a_server_that_does_not_keep_to_the_rules_is_named() {
    let setup = Setup::new();
    let pinned = format!("digest = '{}'", Digest::of(b""));
    let check = |rule: &str, address: SocketAddr, expected: &[&str]| {
        setup.configure("fetch_timeout = '2s'", &format!("http://{address}/p.wasm"), &pinned);
        let place = format!("'http://{address}/p.wasm'");
        println!("{rule}");
        setup.refused(&[&[place.as_str()], expected].concat());
    };
    let ok = "HTTP/1.1 200 OK\r\n";
    check(
        "announced to be too large",
        answering(format!("{ok}Content-Length: 33554433\r\n\r\n"), Then::Close),
        &["has more than the 33554432 bytes that are allowed"],
    );
    check(
        "endless",
        answering(format!("{ok}Connection: close\r\n\r\n"), Then::Flood),
        &["has more than the 33554432 bytes that are allowed"],
    );
    check(
        "shorter than announced",
        answering(format!("{ok}Content-Length: 9\r\n\r\nabc"), Then::Close),
        &["broke off"],
    );
    check("no answer", answering(String::new(), Then::Close), &["cannot get"]);
    check(
        "a redirect to what is not encrypted",
        answering(
            "HTTP/1.1 302 Found\r\nLocation: http://example.org/p.wasm\r\nContent-Length: 0\r\n\r\n".into(),
            Then::Close,
        ),
        &["redirects to a place that is not followed: 'http://example.org/p.wasm' is not encrypted"],
    );
    let circle = "HTTP/1.1 302 Found\r\nLocation: /p.wasm\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    check("a circle", answering(circle.into(), Then::Close), &["it is the redirect number"]);
    for (rule, head, then) in [
        ("silence", "", Then::Wait),
        ("a head without an end", "HTTP/1.1 200 OK\r\nX: ", Then::Drip),
        ("a head, and silence", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", Then::Wait),
        ("a body that drips", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", Then::Drip),
    ] {
        let late = "did not answer in time; plugins.fetch_timeout is for all that one plugin needs";
        check(rule, answering(head.into(), then), &[late]);
    }
}

#[test]
fn a_signature_lies_beside_its_url() {
    let setup = Setup::new();
    if setup.make_key("ours").is_none() {
        return;
    }
    let signature = setup.sign("ours", &plugin());
    let address = server(
        move |head| match head.split(' ').nth(1) {
            Some("/p.wasm" | "/p.wasm?v=1" | "/unsigned.wasm") => answer("200 OK", &plugin()),
            // That of the version that is asked for.
            Some("/p.wasm.sig?v=1") => answer("200 OK", signature.as_bytes()),
            Some("/p.wasm.sig") => answer("200 OK", b"that of another version"),
            _ => answer("404 Not Found", b""),
        },
        Then::Close,
    );
    let check = |path: &str| {
        setup.configure("", &format!("http://{address}/{path}"), "signed_by = 'ours.pub'");
    };
    check("p.wasm?v=1");
    setup.accepted(&[]);
    check("p.wasm");
    setup.refused(&[&format!("the signature at 'http://{address}/p.wasm.sig' is not one of '")]);
    check("unsigned.wasm");
    setup.refused(&[&format!("there is no signature at 'http://{address}/unsigned.wasm.sig'")]);
}

#[test]
fn a_user_is_told_to_its_server_only() {
    let setup = Setup::new();
    let known = format!("authorization: basic {}", STANDARD.encode("alice:secret").to_ascii_lowercase());
    // The one that is redirected to, which may be anybody's.
    let asked_for_tokens = Arc::new(AtomicUsize::new(0));
    let counted = asked_for_tokens.clone();
    let other = server(
        move |head| {
            if head.contains("authorization") {
                return answer("500 Internal Server Error", b"");
            }
            if head.starts_with("get /p.wasm ") {
                return answer("200 OK", &plugin());
            }
            if head.contains("tokens") {
                counted.fetch_add(1, Ordering::Relaxed);
            }
            let host = head.split("host: ").nth(1).and_then(|rest| rest.lines().next()).unwrap();
            let challenge = format!("WWW-Authenticate: Bearer realm=\"http://{host}/tokens\"");
            answer(&format!("401 Unauthorized\r\n{challenge}"), b"")
        },
        Then::Close,
    );
    let first = server(
        move |head| {
            let path = head.split(' ').nth(1).unwrap().to_owned();
            match head.contains(&known) || path.starts_with("/v2/") {
                true => answer(&format!("307 Temporary Redirect\r\nLocation: http://{other}{path}"), b""),
                false => answer("401 Unauthorized", b""),
            }
        },
        Then::Close,
    );
    let auth = STANDARD.encode("alice:secret");
    setup.folder.write("auth.json", format!(r#"{{"auths": {{"{first}": {{"auth": "{auth}"}}}}}}"#));
    let pinned = format!("digest = '{}'", Digest::of(&plugin()));
    setup.configure("credentials_file = 'auth.json'", &format!("http://{first}/p.wasm"), &pinned);
    setup.accepted(&[]);
    setup.configure("credentials_file = 'auth.json'", &format!("oci://{first}/p:1"), &pinned);
    setup.refused(&["/v2/p/manifests/1' answers 401"]);
    assert_eq!(asked_for_tokens.load(Ordering::Relaxed), 0);
}
