//! The same floods by TLS and HTTP/2, where the gateway cannot see what a connection is for before hands are shaken.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::thread;

use e2e::clients::Curl;
use e2e::gateway::config;
use e2e::{Folder, Gateway, poll};
use rcgen::SanType;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::authority::Authority;

/// More than `web.max_connections` and `web.reserve_connections` together.
const MANY: usize = 600;

/// A gateway that speaks TLS only, and who may speak with it.
struct Guarded {
    gateway: Gateway,
    client: Arc<ClientConfig>,
    curl: Curl,
    authority: String,
}

/// What a flood holds on to.
type Client = StreamOwned<ClientConnection, TcpStream>;

impl Guarded {
    /// `None` skips the test: there is no curl.
    fn start(settings: &str) -> Option<Self> {
        let curl = Curl::require()?;
        let folder = Folder::new();
        let [certificate, key] = Authority::new(&folder, "servers")
            .identity(&folder, vec![SanType::IpAddress([127, 0, 0, 1].into())]);
        let authority = folder.path().join("servers.pem");
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(&authority).unwrap()).unwrap();
        let client = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        // It says nothing yet, so that the gateway can be seen to start.
        let web = folder.write("web.yml", "");
        let web = format!("[web]\nconfig_file = \"{}\"\n{settings}", web.display());
        let gateway = Gateway::start_with(&config("127.0.0.1:0", "").replacen("[web]\n", &web, 1));
        let tls = format!("tls_server_config:\n  cert_file: {certificate}\n  key_file: {key}\n");
        folder.write("web.yml", tls);
        let guarded =
            Self { gateway, client: Arc::new(client), curl, authority: authority.display().to_string() };
        guarded.ask("--http1.1", "GET", "/-/ready").expect("it speaks TLS");
        drop(folder.keep());
        Some(guarded)
    }

    /// Shakes hands, and sends something.
    fn connect(&self, sent: &str) -> Client {
        let stream = TcpStream::connect(self.gateway.address()).unwrap();
        stream.set_read_timeout(Some(poll::PATIENCE)).unwrap();
        let name = "127.0.0.1".try_into().unwrap();
        let mut client = StreamOwned::new(ClientConnection::new(self.client.clone(), name).unwrap(), stream);
        // It may have been closed already, which the answer will tell.
        let _ = client.conn.complete_io(&mut client.sock);
        let _ = client.write_all(sent.as_bytes());
        client
    }

    /// A push with a body of `m 1`, or anything else, over a connection of its own; the status and the body.
    fn ask(&self, version: &str, method: &str, path: &str) -> Result<(u16, String), String> {
        let url = self.gateway.url(path).replacen("http", "https", 1);
        let mut arguments = vec![version, "--cacert", &self.authority, "--max-time", "60", "-X", method];
        if method == "PUT" {
            arguments.extend(["--data-binary", "@-"]);
        }
        self.curl.try_run("m 1\n", &arguments, &url).map(|answer| (answer.status, answer.body))
    }

    /// The value of one of the gateway's own metrics.
    fn own(&self, series: &str) -> f64 {
        let (_, scrape) = self.ask("--http1.1", "GET", "/metrics").unwrap();
        let line = scrape.lines().find_map(|line| line.strip_prefix(series)).expect(series);
        line.trim().parse().unwrap()
    }

    /// Asks what must always be answered, in both versions of HTTP.
    fn is_served(&self) {
        for version in ["--http1.1", "--http2"] {
            for path in ["/-/healthy", "/-/ready", "/metrics", "/status"] {
                let answer = self.ask(version, "GET", path);
                assert_eq!(answer.map(|(status, _)| status), Ok(200), "{version} {path}");
            }
        }
    }

    fn await_open_files(&self, before: f64) {
        poll::until(format!("{before} open files, as before"), || {
            (self.own("process_open_fds") <= before).then_some(())
        });
    }
}

/// Whether nothing has come yet, neither an answer nor an end.
fn is_waiting(client: &mut Client) -> bool {
    client.sock.set_nonblocking(true).unwrap();
    // Tickets of the session may have come, which are nothing yet.
    let read = loop {
        match client.conn.read_tls(&mut client.sock) {
            Ok(0) => break Ok(()),
            Ok(_) => client.conn.process_new_packets().map(drop).unwrap(),
            Err(error) => break Err(error.kind()),
        }
    };
    client.sock.set_nonblocking(false).unwrap();
    let has_answer = client.conn.process_new_packets().is_ok_and(|state| state.plaintext_bytes_to_read() > 0);
    read == Err(ErrorKind::WouldBlock) && !has_answer
}

fn finish(mut client: Client, rest: &str) -> String {
    let _ = client.write_all(rest.as_bytes());
    let mut answer = Vec::new();
    let _ = client.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

/// Many connections at once, as shaking hands takes a while.
fn flood(guarded: &Guarded, sent: impl Fn(usize) -> String + Sync) -> Vec<Client> {
    const AT_ONCE: usize = 8;
    thread::scope(|scope| {
        let (sent, part) = (&sent, MANY / AT_ONCE);
        let parts: Vec<_> = (0..AT_ONCE)
            .map(|at| {
                let of = at * part..(at + 1) * part;
                scope.spawn(move || of.map(|number| guarded.connect(&sent(number))).collect::<Vec<_>>())
            })
            .collect();
        parts.into_iter().flat_map(|part| part.join().unwrap()).collect()
    })
}

#[test]
fn idle_connections_keep_nobody_out() {
    let Some(guarded) = Guarded::start("") else { return };
    let before = guarded.own("process_open_fds");
    let said = ["", "GET /-/ready HTTP/1.1\r\nHost: h\r\n\r\n", "PUT /metrics/job/x HTTP/1.1\r\nHo"];
    let flood =
        flood(&guarded, |number| said.get(number % said.len()).copied().unwrap_or_default().to_owned());
    for (number, version) in ["--http1.1", "--http2"].into_iter().cycle().take(10).enumerate() {
        let pushed = guarded.ask(version, "PUT", &format!("/metrics/job/bystander/id/{number}"));
        assert_eq!(pushed.map(|(status, _)| status), Ok(200), "{version}");
    }
    guarded.is_served();
    assert_eq!(
        guarded.own(r#"pushgate_limit_hits_total{key="web.max_connections"}"#),
        0.0,
        "nobody was refused"
    );
    drop(flood);
    guarded.await_open_files(before);
}

#[test]
fn slow_pushers_keep_neither_scrapes_nor_probes_out_and_none_of_them_loses_its_push() {
    let Some(guarded) = Guarded::start("body_timeout = '5m'\n") else { return };
    let before = guarded.own("process_open_fds");
    let begun = |number| {
        format!(
            "PUT /metrics/job/flood/id/{number} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 4\r\n\r\nm"
        )
    };
    let mut flood = flood(&guarded, begun);
    guarded.is_served();
    poll::until("those that are too many are told so", || {
        (flood.iter_mut().filter_map(|client| is_waiting(client).then_some(())).count() <= 512).then_some(())
    });
    let (held, told): (Vec<bool>, Vec<Client>) =
        flood.into_iter().map(|mut client| (is_waiting(&mut client), client)).unzip();
    let held_count = held.iter().filter(|held| **held).count();
    for (held, client) in held.into_iter().zip(told) {
        if held {
            let answer = finish(client, " 1\n");
            assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        } else {
            let answer = finish(client, "");
            assert!(
                answer.starts_with("HTTP/1.1 503 ") && answer.contains("\r\nretry-after: 1\r\n"),
                "{answer}"
            );
        }
    }
    assert_eq!(guarded.own("pushgate_groups"), held_count as f64, "none of those that were taken is lost");
    guarded.await_open_files(before);
}

#[test]
fn a_connection_full_of_slow_streams_keeps_nobody_out() {
    const STREAMS: usize = 90;
    let Some(guarded) = Guarded::start("") else { return };
    let folder = Folder::new();
    let body: String = (0..200).map(|n| format!("m{{n=\"{n}\"}} 1\n")).collect();
    let body = folder.write("body", body);
    let pushes: String = (0..STREAMS)
        .map(|number| {
            let url =
                guarded.gateway.url(&format!("/metrics/job/slow/id/{number}")).replacen("http", "https", 1);
            format!("url = \"{url}\"\nupload-file = \"{}\"\nlimit-rate = 1000\n", body.display())
                + "http2\nsilent\nwrite-out = \"\\n%{http_code}\"\n"
                + &format!("cacert = \"{}\"\nnext\n", guarded.authority)
        })
        .collect();
    let pushes = folder.write("pushes", pushes.trim_end_matches("next\n"));
    let pushes = ["--parallel", "--parallel-max", "100", "--config", &pushes.display().to_string()];
    thread::scope(|scope| {
        let pushing = scope.spawn(|| {
            let url = guarded.gateway.url("/-/ready").replacen("http", "https", 1);
            let more = ["--next", "--http2", "--cacert", &guarded.authority, "--write-out", "\n%{http_code}"];
            guarded.curl.run("", &[&pushes[..], &more].concat(), &url)
        });
        poll::until("pushes are under way", || {
            (guarded.own(r#"pushgate_limit_used{key="web.max_connections"}"#) >= 2.0).then_some(())
        });
        guarded.is_served();
        // All statuses, but for the last one that came.
        let told = pushing.join().unwrap();
        assert_eq!((told.body.matches("200").count(), told.status), (STREAMS, 200), "{}", told.body);
    });
    assert_eq!(guarded.own("pushgate_groups"), STREAMS as f64);
}
