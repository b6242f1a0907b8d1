//! The HTTP interface over real sockets, with no plugins: one request, its status, headers and body.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::thread;
use std::time::Duration;

use pushgate::config::{ByteSize, Config, Problems};
use pushgate::gateway::Gateway;
use tokio::sync::oneshot;

/// A gateway on a port of its own, stopped when the test ends.
struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Server {
    fn start(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::default();
        config.web.listen_address = vec!["127.0.0.1:0".parse().expect("an address")];
        change(&mut config);
        let (stop, stopped) = oneshot::channel();
        let (bound, address) = std::sync::mpsc::channel();
        let serve = async move {
            let gateway =
                Gateway::load((config, Problems::of(Path::new("test")))).expect("it has no plugins");
            let listeners = gateway.listen().await.expect("port 0 is free");
            bound.send(listeners[0].local_addr().expect("it is bound")).expect("the test waits");
            gateway.run(listeners, async { stopped.await.unwrap_or_default() }).await;
        };
        let runtime = tokio::runtime::Runtime::new().expect("threads can be had");
        let thread = thread::spawn(move || runtime.block_on(serve));
        Self { address: address.recv().expect("it listens"), stop: Some(stop), thread: Some(thread) }
    }

    /// Sends bytes as they are and reads until the gateway closes.
    fn raw(&self, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).expect("it listens");
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a duration");
        stream.write_all(request).expect("it reads");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("it answers and closes");
        String::from_utf8_lossy(&answer).into_owned()
    }

    fn request(&self, line: &str, headers: &str, body: &[u8]) -> Answer {
        let length = body.len();
        let head = format!(
            "{line} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n"
        );
        Answer::of(&self.raw(&[head.as_bytes(), body].concat()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the gateway does not panic");
        }
    }
}

#[derive(Debug)]
struct Answer {
    status: u16,
    headers: String,
    body: String,
}

impl Answer {
    fn of(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
        let (line, headers) = head.split_once("\r\n").expect("a status line");
        let status = line.split(' ').nth(1).expect("a status").parse().expect("a number");
        Self { status, headers: format!("{headers}\r\n"), body: body.to_owned() }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

const CLASSIC: &[u8] = b"my_metric{label1=\"value1\", label2=\"value2\"} 42.5\n";
const GROUP: &str = "/metrics/job/myjob/instance/myinstance";

fn gzipped(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(plain).and_then(|()| encoder.finish()).expect("memory takes everything")
}

#[test]
fn what_is_pushed_is_scraped_until_it_is_deleted() {
    let server = Server::start(|_| {});
    for method in ["PUT", "POST"] {
        let pushed = server.request(&format!("{method} {GROUP}"), "", CLASSIC);
        assert_eq!((pushed.status, pushed.body.as_str()), (200, ""));
        assert_eq!(pushed.header("content-type"), None);
        assert!(pushed.header("x-request-id").is_some());
        let scraped = server.request("GET /metrics", "", b"");
        assert_eq!(scraped.status, 200);
        let media_type = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores";
        assert_eq!(scraped.header("content-type"), Some(media_type));
        let line =
            "\nmy_metric{instance=\"myinstance\",job=\"myjob\",label1=\"value1\",label2=\"value2\"} 42.5\n";
        assert!(scraped.body.contains(line), "{}", scraped.body);
        let head = server.request("HEAD /metrics", "", b"");
        assert_eq!((head.status, head.body.as_str()), (200, ""));
        let deleted = server.request(&format!("DELETE {GROUP}"), "", b"");
        assert_eq!((deleted.status, deleted.body.as_str()), (202, ""));
        assert!(!server.request("GET /metrics", "", b"").body.contains("myjob"));
    }
    assert_eq!(server.request(&format!("DELETE {GROUP}"), "", b"").status, 202, "it is gone already");
}

#[test]
fn every_way_to_name_the_same_group_names_it() {
    let server = Server::start(|_| {});
    for path in [
        "/metrics/job/my%20job/path@base64/L3Zhci90bXA",
        "/metrics/job@base64/bXkgam9i/path@base64/L3Zhci90bXA=",
        "/metrics/job/my%20job/path@base64/L3Zhci90bXA%3D?query=is&ignored",
    ] {
        assert_eq!(server.request(&format!("PUT {path}"), "", b"a 1\n").status, 200, "{path}");
        let scraped = server.request("GET /metrics", "", b"").body;
        assert!(scraped.contains("a{instance=\"\",job=\"my job\",path=\"/var/tmp\"} 1\n"), "{scraped}");
        assert_eq!(server.request(&format!("DELETE {path}"), "", b"").status, 202);
    }
}

#[test]
fn what_is_refused_says_why() {
    let server = Server::start(|config| {
        config.push.max_body = ByteSize::bytes(64);
        config.push.max_decompressed = ByteSize::bytes(100);
        config.push.max_labels = 3;
        config.store.max_groups = 1;
        config.store.max_series = 1;
    });
    assert_eq!(server.request("PUT /metrics/job/x", "", b"a 1\n").status, 200);
    let gzip = "Content-Encoding: gzip\r\n";
    let bomb = gzipped(&[b'#'; 101]);
    let check = |line: &str, headers: &str, body: &[u8], status: u16, told: &str| {
        let answer = server.request(line, headers, body);
        assert_eq!(answer.status, status, "{line} {answer:?}");
        assert!(answer.body.starts_with(told) && answer.body.ends_with('\n'), "{line} {answer:?}");
        assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    };
    check("GET /nowhere", "", b"", 404, "404 page not found\n");
    check("PATCH /metrics/job/x", "", b"", 405, "Method Not Allowed\n");
    check("PUT /metrics/job/x/a", "", b"a 1\n", 400, "odd number of components in label string \"/a\"\n");
    check("PUT /metrics/job/%zz", "", b"a 1\n", 400, "the URL has a '%'");
    check("PUT /metrics/job/x", "", b"a\n", 400, "text format parsing error in line 1: ");
    check("PUT /metrics/job/x", "", b"a 1", 400, "text format parsing error in line 1: unexpected end");
    check(
        "PUT /metrics/job/x",
        "",
        b"a 1 1\n",
        400,
        "pushed metrics are invalid or inconsistent with existing metrics: ",
    );
    check("PUT /metrics/job/x", "", &[b'#'; 65], 413, "the body is larger than 64B (push.max_body)\n");
    check("PUT /metrics/job/x", gzip, b"a 1\n", 400, "the body is not gzip");
    check(
        "PUT /metrics/job/x",
        gzip,
        &bomb,
        413,
        "the decompressed body is larger than 100B (push.max_decompressed)\n",
    );
    check(
        "PUT /metrics/job/x",
        "",
        b"a{b=\"\",c=\"\",d=\"\",e=\"\"} 1\n",
        413,
        "text format parsing error in line 1: ",
    );
    check(
        "PUT /metrics/job/y",
        "",
        b"a 1\n",
        429,
        "the gateway stores as much as it may (store.max_groups = 1)\n",
    );
    check(
        "PUT /metrics/job/x",
        "",
        b"a 1\nb 1\n",
        429,
        "the gateway stores as much as it may (store.max_series = 1)\n",
    );
    assert_eq!(server.request("PATCH /metrics", "", b"").header("allow"), Some("GET, OPTIONS"));
    let problem = server.request("PUT /metrics/job/x", "Accept: application/json\r\n", b"a\n");
    assert_eq!(problem.header("content-type"), Some("application/problem+json"));
    assert!(problem.body.contains("\"type\":\"urn:pushgate:parse-error\""), "{}", problem.body);
}

#[test]
fn bodies_come_in_every_shape_of_http() {
    let server = Server::start(|_| {});
    let chunked = "PUT /metrics/job/chunked HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n\
                   2\r\na \r\n2\r\n1\n\r\n0\r\n\r\n";
    let old = "PUT /metrics/job/old HTTP/1.0\r\nContent-Length: 4\r\n\r\na 1\n";
    let absolute = "PUT http://h/metrics/job/absolute HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 4\r\n\r\na 1\n";
    for request in [chunked, old, absolute] {
        assert_eq!(Answer::of(&server.raw(request.as_bytes())).status, 200, "{request}");
    }
    let scraped = server.request("GET /metrics", "", b"").body;
    for job in ["chunked", "old", "absolute"] {
        assert!(scraped.contains(&format!("\na{{instance=\"\",job=\"{job}\"}} 1\n")), "{scraped}");
    }
    let packed = [gzipped(b"a "), gzipped(b"1\n")].concat();
    assert_eq!(server.request("PUT /metrics/job/packed", "Content-Encoding: gzip\r\n", &packed).status, 200);
    assert_eq!(server.request("PUT /metrics/job/empty", "", b"").status, 200);
}

#[test]
fn supervisors_are_answered() {
    let server = Server::start(|_| {});
    for path in ["/-/healthy", "/-/ready"] {
        let answer = server.request(&format!("GET {path}"), "", b"");
        assert_eq!((answer.status, answer.body.as_str()), (200, "OK"));
        assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
    }
    let options = server.request("OPTIONS /metrics/job/x", "", b"");
    assert_eq!((options.status, options.header("allow")), (200, Some("DELETE, OPTIONS, POST, PUT")));
}

#[test]
fn no_answer_is_taken_for_what_it_does_not_say_it_is() {
    let server = Server::start(|_| {});
    for line in [
        "PUT /metrics/job/x",
        "GET /metrics",
        "GET /api/v1/metrics",
        "GET /api/v1/status",
        "GET /",
        "GET /static/pushgate.css",
        "GET /-/ready",
        "GET /nowhere",
        "OPTIONS /metrics",
    ] {
        let answer = server.request(line, "", b"");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{line}");
    }
}

#[test]
fn a_form_of_another_site_changes_nothing() {
    let server = Server::start(|config| config.web.enable_lifecycle = true);
    for (line, headers, status) in [
        ("POST /metrics/job/x", "Sec-Fetch-Site: cross-site\r\n", 403),
        ("POST /metrics/job/x", "Origin: http://evil.example\r\n", 403),
        ("POST /-/quit", "Origin: null\r\n", 403),
        ("POST /-/reload", "Sec-Fetch-Site: same-site\r\n", 403),
        ("GET /metrics", "Sec-Fetch-Site: cross-site\r\n", 200),
        ("POST /metrics/job/y", "Sec-Fetch-Site: same-origin\r\n", 200),
    ] {
        assert_eq!(server.request(line, headers, b"a 1\n").status, status, "{line} {headers}");
    }
    let scraped = server.request("GET /metrics", "", b"").body;
    assert!(scraped.contains("job=\"y\"") && !scraped.contains("job=\"x\""), "{scraped}");
}

#[test]
fn a_body_that_does_not_come_is_a_timeout() {
    let server = Server::start(|config| config.web.body_timeout = Duration::from_millis(50));
    let answer = server.raw(b"PUT /metrics/job/x HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\na 1\n");
    let answer = Answer::of(&answer);
    assert_eq!((answer.status, answer.header("connection")), (408, Some("close")));
}
