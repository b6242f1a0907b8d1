//! More clients than the gateway takes: who is served all the same, and what the others are told. Nothing here is about
//! how fast.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use e2e::gateway::{config, entry};
use e2e::{Folder, Gateway, RawGuest, poll};

/// More than `web.max_connections` and `web.reserve_connections` together.
const MANY: usize = 600;

const CONNECTIONS: &str = r#"{key="web.max_connections"}"#;

/// A client that sends what it is told to, and waits.
struct Client(TcpStream);

impl Client {
    fn connect(gateway: &Gateway, sent: &str) -> Self {
        let mut stream = TcpStream::connect(gateway.address()).unwrap();
        stream.set_read_timeout(Some(poll::PATIENCE)).unwrap();
        // It may have been closed already, which the answer will tell.
        let _ = stream.write_all(sent.as_bytes());
        Self(stream)
    }

    /// Sends the rest, and reads what comes until the connection is closed; nothing if it was before.
    fn finish(mut self, rest: &str) -> String {
        let _ = self.0.write_all(rest.as_bytes());
        let mut answer = Vec::new();
        let _ = self.0.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Whether nothing has come yet, neither an answer nor an end.
    fn is_waiting(&self) -> bool {
        self.0.set_nonblocking(true).unwrap();
        let peeked = self.0.peek(&mut [0]).map_err(|error| error.kind());
        self.0.set_nonblocking(false).unwrap();
        peeked == Err(ErrorKind::WouldBlock)
    }
}

/// A push whose body has only begun. It is `m 1` with the rest of it.
const BEGUN: &str = "Host: h\r\nConnection: close\r\nContent-Length: 4\r\n\r\nm";
const REST: &str = " 1\n";

fn begun_push(gateway: &Gateway, number: usize) -> Client {
    Client::connect(gateway, &format!("PUT /metrics/job/flood/id/{number} HTTP/1.1\r\n{BEGUN}"))
}

fn open_files(gateway: &Gateway) -> f64 {
    gateway.scrape().expect("process_open_fds")
}

/// Waits until all that a flood has opened is closed again.
fn await_open_files(gateway: &Gateway, before: f64) {
    poll::until(format!("{before} open files, as before"), || (open_files(gateway) <= before).then_some(()));
}

#[test]
fn idle_connections_keep_nobody_out() {
    let gateway = Gateway::start("");
    let before = open_files(&gateway);
    // Some have never said anything, some are between two requests, some in the middle of one.
    let said = ["", "GET /-/ready HTTP/1.1\r\nHost: h\r\n\r\n", "PUT /metrics/job/x HTTP/1.1\r\nHo"];
    let flood: Vec<Client> = (0..MANY).map(|number| Client::connect(&gateway, said[number % 3])).collect();
    for number in 0..20 {
        gateway.put(&format!("/metrics/job/bystander/id/{number}"), "m 1\n").expect(200);
        gateway.get("/-/healthy").expect(200);
        assert_eq!(gateway.scrape().samples("m").len(), number + 1);
    }
    let scrape = gateway.scrape();
    assert_eq!(scrape.expect(&format!("pushgate_limit_hits_total{CONNECTIONS}")), 0.0, "nobody was refused");
    assert!(scrape.expect(&format!("pushgate_limit_used{CONNECTIONS}")) <= 512.0);
    drop(flood);
    await_open_files(&gateway, before);
}

#[test]
fn slow_pushers_keep_neither_scrapes_nor_probes_out_and_none_of_them_loses_its_push() {
    let gateway =
        Gateway::start_with(&config("127.0.0.1:0", "").replace("[web]", "[web]\nbody_timeout = '5m'"));
    let before = open_files(&gateway);
    let flood: Vec<Client> = (0..MANY).map(|number| begun_push(&gateway, number)).collect();
    for _ in 0..5 {
        gateway.get("/-/healthy").expect(200);
        gateway.get("/-/ready").expect(200);
        gateway.get("/status").expect(200);
        assert_eq!(gateway.scrape().samples("m").len(), 0);
    }
    poll::until("those that are too many are told so", || {
        (flood.iter().filter(|client| client.is_waiting()).count() <= 512).then_some(())
    });
    let refused = gateway.put("/metrics/job/bystander", "m 1\n").expect(503);
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(refused.text(), "too many clients are pushing (web.max_connections)\n");
    assert_eq!(refused.header("connection"), Some("close"));

    // Who was let in is taken, however long it took; who was not, was told so.
    let (held, told): (Vec<_>, Vec<_>) = flood.into_iter().partition(Client::is_waiting);
    assert!(held.len() <= 512, "{}", held.len());
    let held_count = held.len();
    for client in held {
        let answer = client.finish(REST);
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    }
    for client in told {
        let answer = client.finish("");
        let is_told = answer.starts_with("HTTP/1.1 503 ") && answer.contains("\r\nretry-after: 1\r\n");
        assert!(is_told, "{answer}");
    }
    gateway.put("/metrics/job/bystander", "m 1\n").expect(200);
    assert_eq!(gateway.scrape().samples("m").len(), held_count + 1);
    await_open_files(&gateway, before);
}

#[test]
fn clients_that_do_not_read_a_large_scrape_are_cut_and_others_get_theirs() {
    let limits = "[web]\nwrite_timeout = '1s'\nmax_connections = 4\nreserve_connections = 2";
    let gateway = Gateway::start_with(&config("127.0.0.1:0", "").replace("[web]", limits));
    let value = "x".repeat(4_000);
    let body: String = (0..4_000).map(|n| format!("m{{n=\"{n}\",value=\"{value}\"}} 1\n")).collect();
    gateway.put("/metrics/job/large", body).expect(200);
    let scrape = "GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n";
    let stuck: Vec<Client> = (0..8).map(|_| Client::connect(&gateway, scrape)).collect();
    for _ in 0..3 {
        gateway.get("/-/healthy").expect(200);
        assert_eq!(gateway.scrape().samples("m").len(), 4_000);
    }
    poll::until("all of them are cut", || {
        let cut = gateway.scrape().expect(r#"pushgate_limit_hits_total{key="web.write_timeout"}"#);
        (cut >= 8.0).then_some(())
    });
    for client in stuck {
        assert!(client.finish("").len() < 16 << 20, "it was cut before the end");
    }
}

#[test]
fn slow_readers_that_hold_all_the_memory_of_scrapes_make_room() {
    let gateway = Gateway::start("\n[scrape]\nmax_in_flight = '1MiB'\n");
    let value = "x".repeat(4_000);
    let body: String = (0..4_000).map(|n| format!("m{{n=\"{n}\",value=\"{value}\"}} 1\n")).collect();
    gateway.put("/metrics/job/large", body).expect(200);
    // It is larger than the bound, and more than the system takes for a client that does not read.
    let stuck = Client::connect(&gateway, "GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n");
    poll::until("its answer begins", || (!stuck.is_waiting()).then_some(()));
    gateway.get("/-/healthy").expect(200);
    // Prometheus would wait as long.
    assert_eq!(gateway.scrape().samples("m").len(), 4_000);
    assert!(stuck.finish("").len() < 16 << 20, "it was cut before the end");
}

#[test]
fn scrapes_do_not_wait_behind_pushes_that_wait_for_their_turn() {
    let folder = Folder::new();
    let guest = RawGuest { evaluate: "loop br 0 end  i32.const 4096", ..RawGuest::HARMLESS };
    let guest = guest.build(&folder, "endless");
    // The one whose turn it is has longer than others wait for theirs.
    let limits = "deadline = '8s'\nfuel_base = 1_000_000_000_000\nmatch = { job = 'large' }";
    let gateway = Gateway::start(&(entry("endless", &guest, limits) + "\n[push]\nmax_concurrent = 1\n"));
    let large: String = (0..10_000).map(|n| format!("m{{n=\"{n}\"}} {n}\n")).collect();
    let used = || gateway.scrape().expect(r#"pushgate_limit_used{key="push.max_concurrent"}"#);
    thread::scope(|scope| {
        let push = || gateway.put("/metrics/job/large", large.clone());
        let first = scope.spawn(push);
        poll::until("it is the first one's turn", || (used() == 1.0).then_some(()));
        let second = scope.spawn(push);
        for _ in 0..5 {
            assert_eq!(used(), 1.0, "a scrape is answered meanwhile");
            gateway.get("/-/healthy").expect(200);
        }
        let refused = second.join().unwrap().expect(503);
        assert_eq!(refused.text(), "too many large pushes came at the same time (push.max_concurrent)\n");
        assert_eq!(refused.header("retry-after"), Some("1"));
        assert!(!first.is_finished(), "the second one did not wait for the first");
        assert_eq!(first.join().unwrap().expect(503).header("retry-after"), Some("5"));
    });
    let hits = gateway.scrape().expect(r#"pushgate_limit_hits_total{key="push.max_concurrent"}"#);
    assert_eq!((hits, used()), (1.0, 0.0));
}

#[test]
fn large_bodies_that_come_slowly_keep_no_small_ones_out() {
    let limits = "\n[push]\nmax_in_flight = '1MiB'\n";
    let gateway = Gateway::start(limits);
    let before = open_files(&gateway);
    let part = "#".repeat(272 << 10);
    let head =
        format!("PUT /metrics/job/slow HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n", 2 * part.len());
    // Each is counted without its first 16 KiB, so the fourth fills what there is.
    let slow: Vec<Client> = (0..4).map(|_| Client::connect(&gateway, &format!("{head}{part}"))).collect();
    let used = || gateway.scrape().expect(r#"pushgate_limit_used{key="push.max_in_flight"}"#);
    poll::until("as much is under way as may be", || (used() == f64::from(1 << 20)).then_some(()));
    let comment = |length: usize| format!("#{}\n", "x".repeat(length - 2));
    gateway.put("/metrics/job/small", comment(16 << 10)).expect(200);
    let refused = gateway.put("/metrics/job/large", comment((16 << 10) + 1)).expect(503);
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(refused.text(), "too much is being pushed at the same time (push.max_in_flight)\n");
    drop(slow);
    poll::until("nothing is under way", || (used() == 0.0).then_some(()));
    gateway.put("/metrics/job/large", comment((16 << 10) + 1)).expect(200);
    await_open_files(&gateway, before);
}

#[test]
fn a_job_that_fills_the_store_keeps_nobody_from_pushing_to_groups_that_are_there() {
    let gateway = Gateway::start("\n[store]\nmax_groups = 50\nmax_series = 200\n");
    let bystanders = |value: usize| {
        for number in 0..10 {
            let path = format!("/metrics/job/bystander/id/{number}");
            gateway.put(&path, format!("m {value}\nn {value}\n")).expect(200);
        }
    };
    bystanders(1);
    let refused = |key: &str, answer: e2e::Response| {
        assert_eq!((answer.status, answer.header("retry-after")), (429, Some("60")), "{}", answer.text());
        assert!(answer.text().contains(key), "{}", answer.text());
    };
    for number in 0..100 {
        let answer = gateway.put(&format!("/metrics/job/flood/id/{number}"), "m 1\n");
        if number < 40 { drop(answer.expect(200)) } else { refused("store.max_groups = 50", answer) }
    }
    bystanders(2);
    // 60 series are there; one at a time is tried past what there is room for.
    for number in 60..250 {
        let answer = gateway.post("/metrics/job/flood/id/0", format!("f{number} 1\n"));
        if number < 200 { drop(answer.expect(200)) } else { refused("store.max_series = 200", answer) }
    }
    bystanders(3);
    let scrape = gateway.scrape();
    assert_eq!(scrape.sum("m", &["job=\"bystander\""]), 30.0);
    for (key, hits, used) in [("store.max_groups", 60.0, 50.0), ("store.max_series", 50.0, 200.0)] {
        assert_eq!(scrape.expect(&format!("pushgate_limit_hits_total{{key=\"{key}\"}}")), hits);
        assert_eq!(scrape.expect(&format!("pushgate_limit_used{{key=\"{key}\"}}")), used);
    }
}

#[test]
fn a_client_that_sends_its_request_byte_by_byte_is_ended_in_time() {
    let limits = "[web]\nheader_timeout = '300ms'\nbody_timeout = '300ms'";
    let gateway = Gateway::start_with(&config("127.0.0.1:0", "").replace("[web]", limits));
    let hits =
        |key: &str| gateway.scrape().expect(&format!("pushgate_limit_hits_total{{key=\"web.{key}\"}}"));
    // Each byte comes in good time, and all of them would take for ever.
    let trickle = |sent: &str, with: &str| {
        let mut client = Client::connect(&gateway, sent);
        client.0.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        let mut answer = Vec::new();
        let ended = poll::within(poll::PATIENCE, || {
            let _ = client.0.write_all(with.as_bytes());
            let read = client.0.read_to_end(&mut answer);
            let is_over = |kind| ![ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&kind);
            read.map_or_else(|error| is_over(error.kind()), |_| true).then_some(())
        });
        assert!(ended.is_some(), "{sent}");
        String::from_utf8_lossy(&answer).into_owned()
    };
    assert_eq!(trickle("PUT /metrics/job/x HTTP/1.1\r\nX: ", "x"), "");
    poll::until("it is counted", || (hits("header_timeout") == 1.0).then_some(()));
    let answer = trickle("PUT /metrics/job/x HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n", "#");
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert_eq!(hits("body_timeout"), 1.0);
}
