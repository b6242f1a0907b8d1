//! Paths, redirects and the end over HTTP.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use e2e::{Gateway, poll};

fn with_web(keys: &str) -> Gateway {
    Gateway::start_with(&format!("[web]\nlisten_address = [\"127.0.0.1:0\"]\n{keys}\n"))
}

#[test]
fn a_path_with_a_slip_is_redirected_and_stores_nothing() {
    let gateway = with_web("");
    let cases = [
        ("POST", "/metrics//job/x", 301, "/metrics/job/x"),
        ("PUT", "/metrics/./job/x?q=1", 301, "/metrics/job/x?q=1"),
        ("POST", "/METRICS/Job/x", 307, "/metrics/job/x"),
        ("GET", "/metrics/", 301, "/metrics"),
        ("HEAD", "/Status", 301, "/status"),
        ("GET", "/api/v1", 301, "/api/v1/"),
    ];
    for (method, path, status, location) in cases {
        let answer = gateway.request(method, path).body("a 1\n").send().expect(status);
        assert_eq!((answer.header("location"), answer.text()), (Some(location), ""), "{method} {path}");
    }
    assert_eq!(gateway.scrape().samples("a"), [""; 0]);
}

#[test]
fn options_and_head_are_answered() {
    let gateway = with_web("");
    let allow =
        |path: &str| gateway.request("OPTIONS", path).send().expect(200).header("allow").map(str::to_owned);
    assert_eq!(allow("/metrics").as_deref(), Some("GET, OPTIONS"));
    assert_eq!(allow("/metrics/job/x").as_deref(), Some("DELETE, OPTIONS, POST, PUT"));
    for path in ["/metrics", "/-/ready", "/-/healthy", "/api/v1/status", "/api/v1/metrics"] {
        // Nothing follows the head, though it tells the length of a body.
        let mut stream = TcpStream::connect(gateway.address()).unwrap();
        write!(stream, "HEAD {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        assert!(text.starts_with("HTTP/1.1 200 OK\r\n") && text.ends_with("\r\n\r\n"), "{path}: {text}");
    }
}

#[test]
fn scrapes_may_be_elsewhere() {
    let gateway = with_web("telemetry_path = \"/tele\"");
    gateway.put("/metrics/job/x", "a 1\n").expect(200);
    assert!(gateway.get("/tele").expect(200).text().contains("a{instance=\"\",job=\"x\"} 1\n"));
    gateway.get("/metrics").expect(404);
}

#[test]
fn the_gateway_ends_over_http_only_where_that_is_switched_on() {
    let locked = with_web("");
    assert_eq!(locked.put("/-/quit", "").expect(403).text(), "Lifecycle API is not enabled.");
    assert_eq!(locked.get("/-/quit").expect(405).text(), "Only POST or PUT requests allowed.");
    locked.get("/-/ready").expect(200);
    let gateway = with_web("enable_lifecycle = true");
    let answer = gateway.put("/-/quit", "").expect(200);
    assert_eq!(answer.text(), "Requesting termination... Goodbye!", "the answer arrives");
    let ended = || TcpStream::connect(gateway.address()).is_err().then_some(());
    poll::until("nothing listens any more", ended);
    poll::until("the log tells why", || gateway.log().contains("asked to stop over HTTP").then_some(()));
}
