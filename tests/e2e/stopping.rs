//! The end that was asked for: what is under way is answered, what was acknowledged is there, and nobody holds it up.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use e2e::http::Request;
use e2e::{Folder, Gateway, poll};

/// Longer than a test may take: what would only end with it does not end.
const NEVER: &str = "1h";

fn config(drain: &str, store: &str) -> String {
    format!(
        "[web]\nlisten_address = ['127.0.0.1:0']\ndrain_timeout = '{drain}'\nbody_timeout = '{NEVER}'\n\
         header_timeout = '{NEVER}'\n[store]\npath = 'pushes.redb'\n{store}"
    )
}

const INTERVAL: &str = "durability = 'interval'\ninterval = '1h'\n";

/// A push that the gateway has begun to read and of which the last byte is still to come.
struct HalfSent {
    connection: TcpStream,
}

impl HalfSent {
    const BODY: &str = "half 1\n";

    fn to(gateway: &Gateway) -> Self {
        let mut connection = TcpStream::connect(gateway.address()).unwrap();
        connection.set_read_timeout(Some(poll::PATIENCE)).unwrap();
        let length = Self::BODY.len();
        let head = format!(
            "PUT /metrics/job/half HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\nExpect: 100-continue\r\n\r\n"
        );
        connection.write_all(head.as_bytes()).unwrap();
        // Asked for by whoever reads the body: from here on the push is under way.
        let mut told = [0; 25];
        connection.read_exact(&mut told).unwrap();
        assert_eq!(&told, b"HTTP/1.1 100 Continue\r\n\r\n");
        connection.write_all(&Self::BODY.as_bytes()[..length - 1]).unwrap();
        Self { connection }
    }

    fn send_rest(&mut self) {
        self.connection.write_all(b"\n").unwrap();
    }

    /// What comes until the gateway closes the connection.
    fn answer(mut self) -> String {
        let mut answer = Vec::new();
        // A reset is an end as well.
        let _ = self.connection.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }
}

#[test]
fn a_push_that_is_under_way_is_answered_and_kept() {
    for store in ["", INTERVAL] {
        let config = config(NEVER, store);
        let gateway = Gateway::start_with(&config);
        gateway.put("/metrics/job/before", "before 1\n").expect(200);
        let mut push = HalfSent::to(&gateway);
        gateway.ask_to_end();
        poll::until("nobody else is let in", || TcpStream::connect(gateway.address()).err());
        push.send_rest();
        let answer = push.answer();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.to_ascii_lowercase().contains("connection: close\r\n"), "{answer}");
        let gateway = Gateway::start_again(gateway.await_end(), &config);
        assert_eq!(gateway.scrape().samples("half"), [r#"half{instance="",job="half"} 1"#], "{store}");
        assert_eq!(gateway.scrape().samples("before").len(), 1, "{store}");
    }
}

#[test]
fn whoever_asks_twice_cuts_nobody_off() {
    let gateway = Gateway::start_with(&config(NEVER, INTERVAL));
    let mut push = HalfSent::to(&gateway);
    gateway.ask_to_end();
    gateway.ask_to_end();
    poll::until("nobody else is let in", || TcpStream::connect(gateway.address()).err());
    gateway.ask_to_end();
    push.send_rest();
    let answer = push.answer();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    let gateway = Gateway::start_again(gateway.await_end(), &config(NEVER, INTERVAL));
    assert_eq!(gateway.scrape().samples("half").len(), 1);
}

#[test]
fn idle_connections_do_not_hold_it_up() {
    let gateway = Gateway::start_with(&config(NEVER, ""));
    let mut idle = Vec::new();
    for request in ["", "GET /-/healthy HTTP/1.1\r\nHost: h\r\n\r\n"] {
        let mut connection = TcpStream::connect(gateway.address()).unwrap();
        connection.set_read_timeout(Some(poll::PATIENCE)).unwrap();
        connection.write_all(request.as_bytes()).unwrap();
        if !request.is_empty() {
            let mut answer = Vec::new();
            while !answer.ends_with(b"\r\n\r\nOK") {
                let mut byte = [0];
                connection.read_exact(&mut byte).unwrap();
                answer.extend(byte);
            }
        }
        idle.push(connection);
    }
    gateway.ask_to_end();
    for mut connection in idle {
        let mut rest = Vec::new();
        let _ = connection.read_to_end(&mut rest);
        assert_eq!(rest, b"", "there was no request to answer");
    }
    gateway.await_end();
}

#[test]
fn what_does_not_end_is_cut_at_the_drain_timeout_and_not_before() {
    for store in ["", INTERVAL] {
        let config = config("2s", store);
        let gateway = Gateway::start_with(&config);
        gateway.put("/metrics/job/before", "before 1\n").expect(200);
        let push = HalfSent::to(&gateway);
        let asked = Instant::now();
        gateway.ask_to_end();
        assert_eq!(push.answer(), "", "half a push has no answer");
        assert!(asked.elapsed() >= Duration::from_secs(2), "{:?}", asked.elapsed());
        let gateway = Gateway::start_again(gateway.await_end(), &config);
        assert_eq!(gateway.scrape().samples("half"), [""; 0], "{store}");
        assert_eq!(gateway.scrape().samples("before").len(), 1, "{store}");
    }
}

#[test]
fn pushes_acknowledged_right_before_the_end_are_kept() {
    for (store, rounds) in [("", 4), (INTERVAL, 4)] {
        let config = config(NEVER, store);
        let mut folder = Folder::new();
        let acknowledged: [AtomicU64; 4] = Default::default();
        for round in 0..rounds {
            let gateway = Gateway::start_again(folder, &config);
            let address = gateway.address();
            let is_over = AtomicBool::new(false);
            let before: u64 = acknowledged.iter().map(|last| last.load(Ordering::SeqCst)).sum();
            folder = thread::scope(|scope| {
                for (client, last) in acknowledged.iter().enumerate() {
                    let is_over = &is_over;
                    scope.spawn(move || {
                        while !is_over.load(Ordering::SeqCst) {
                            let next = last.load(Ordering::SeqCst) + 1;
                            let path = format!("/metrics/job/load/client/{client}");
                            let body = format!("one {next}\nother {next}\n");
                            match Request::new(address, "PUT", &path).body(body).try_send() {
                                Ok(answer) if answer.status == 200 => last.store(next, Ordering::SeqCst),
                                _ => break,
                            }
                        }
                    });
                }
                poll::until("there is load", || {
                    let sum: u64 = acknowledged.iter().map(|last| last.load(Ordering::SeqCst)).sum();
                    (sum > before + 40).then_some(())
                });
                gateway.ask_to_end();
                let folder = gateway.await_end();
                is_over.store(true, Ordering::SeqCst);
                folder
            });
            let gateway = Gateway::start_again(folder, &config);
            let scrape = gateway.scrape();
            for (client, last) in acknowledged.iter().enumerate() {
                let last = last.load(Ordering::SeqCst) as f64;
                let stored = |family: &str| scrape.sum(family, &[&format!("client=\"{client}\"")]);
                assert_eq!(stored("one"), stored("other"), "round {round}: half a push");
                // Whoever hears nothing may have been stored all the same.
                let is_kept = stored("one") == last || stored("one") == last + 1.0;
                assert!(
                    is_kept,
                    "round {round} {store}: {last} was acknowledged, {} is there",
                    stored("one")
                );
            }
            for (client, last) in acknowledged.iter().enumerate() {
                last.store(scrape.sum("one", &[&format!("client=\"{client}\"")]) as u64, Ordering::SeqCst);
            }
            folder = gateway.terminate();
        }
    }
}
