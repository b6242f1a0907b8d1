//! The web configuration file over real sockets: users, TLS, HTTP/2, the rate limit, and what a change does.

#![expect(clippy::unwrap_used, reason = "a test may panic, also outside of its function")]

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::Empty;
use hyper_util::rt::{TokioExecutor, TokioIo};
use pushgate::config::{Config, Problems, Web};
use pushgate::gateway::Gateway;
use tokio::sync::oneshot;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// The user alice with the password `secret`.
const USERS: &str =
    "basic_auth_users:\n  alice: $2b$04$K4ISagUDf8C76lYgU52tAewmYHzcJ0yh5mDiOJ6M1zmxRRmulwlWG\n";
const TLS: &str = "tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n";
const ALICE: &str = "Authorization: Basic YWxpY2U6c2VjcmV0\r\n";
/// The path of the file in a folder of its own, with a certificate beside it.
struct Folder {
    path: PathBuf,
    certificate: CertificateDer<'static>,
}

impl Folder {
    fn new(web_yml: &str) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("pushgate-web-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        let server = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        fs::write(path.join("server.pem"), server.cert.pem()).unwrap();
        fs::write(path.join("server.key"), server.signing_key.serialize_pem()).unwrap();
        let folder = Self { path, certificate: server.cert.der().clone() };
        folder.write(web_yml);
        folder
    }

    fn write(&self, web_yml: &str) {
        fs::write(self.file(), web_yml).unwrap();
    }

    fn file(&self) -> PathBuf {
        self.path.join("web.yml")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// A gateway on a port of its own, stopped when the test ends.
struct Server {
    folder: Folder,
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Server {
    fn start(web_yml: &str) -> Self {
        Self::start_with(web_yml, |_| ())
    }

    fn start_with(web_yml: &str, change: impl FnOnce(&mut Web)) -> Self {
        let folder = Folder::new(web_yml);
        let mut config = Config::default();
        config.web.listen_address = vec!["127.0.0.1:0".parse().unwrap()];
        config.web.config_file = Some(folder.file());
        change(&mut config.web);
        let (stop, stopped) = oneshot::channel();
        let (bound, address) = std::sync::mpsc::channel();
        let serve = async move {
            let gateway = Gateway::load((config, Problems::of(Path::new("test")))).unwrap();
            let listeners = gateway.listen().await.unwrap();
            bound.send(listeners[0].local_addr().unwrap()).unwrap();
            gateway.run(listeners, async { stopped.await.unwrap_or_default() }).await;
        };
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let thread = thread::spawn(move || runtime.block_on(serve));
        Self { folder, address: address.recv().unwrap(), stop: Some(stop), thread: Some(thread) }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream
    }

    fn get(&self, path: &str, headers: &str) -> String {
        ask(&mut self.connect(), path, headers)
    }

    fn get_by_tls(&self, path: &str, headers: &str) -> String {
        let name = ServerName::try_from("localhost").unwrap();
        let client = ClientConnection::new(Arc::new(self.client(&[])), name).unwrap();
        ask(&mut StreamOwned::new(client, self.connect()), path, headers)
    }

    fn client(&self, protocols: &[&[u8]]) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(self.folder.certificate.clone()).unwrap();
        let mut client = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        client.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        client
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        self.thread.take().map(thread::JoinHandle::join);
    }
}

/// Asks and reads until the gateway closes.
fn ask(stream: &mut (impl std::io::Read + std::io::Write), path: &str, headers: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8(answer).unwrap()
}

fn status(answer: &str) -> &str {
    answer.get(9..12).unwrap_or(answer)
}

#[test]
fn users_are_asked_for_on_every_path() {
    let server =
        Server::start(&format!("{USERS}http_server_config:\n  headers:\n    X-Frame-Options: deny\n"));
    for path in ["/-/healthy", "/-/ready", "/metrics", "/", "/nowhere"] {
        let answer = server.get(path, "");
        assert!(answer.starts_with("HTTP/1.1 401 Unauthorized\r\n"), "{answer}");
        assert!(answer.contains("\r\nwww-authenticate: Basic\r\n"), "{answer}");
        assert!(answer.contains("\r\nx-frame-options: deny\r\n"), "{answer}");
        assert!(answer.ends_with("\r\n\r\nUnauthorized\n"), "{answer}");
        assert_ne!(status(&server.get(path, ALICE)), "401", "{path}");
    }
    for credentials in [
        "Basic YWxpY2U6d3Jvbmc=", // alice:wrong
        "Basic Ym9iOnNlY3JldA==", // bob:secret
        "Basic ???",
        "Bearer YWxpY2U6c2VjcmV0",
    ] {
        let header = format!("Authorization: {credentials}\r\n");
        assert_eq!(status(&server.get("/-/ready", &header)), "401", "{credentials}");
    }
    let answer = server.get("/-/ready", ALICE);
    assert!(
        answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains("\r\nx-frame-options: deny\r\n"),
        "{answer}"
    );
}

#[test]
fn a_change_is_in_force_with_the_next_request() {
    let server = Server::start(USERS);
    assert_eq!(status(&server.get("/-/ready", "")), "401");
    server.folder.write("basic_auth_users: {}\n");
    assert_eq!(status(&server.get("/-/ready", "")), "200");
    server.folder.write("foo: [");
    let answer = server.get("/-/ready", ALICE);
    assert!(answer.starts_with("HTTP/1.1 500 Internal Server Error\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\nInternal Server Error\n"), "{answer}");
    server.folder.write(USERS);
    assert_eq!(status(&server.get("/-/ready", "")), "401");
    assert_eq!(status(&server.get("/-/ready", ALICE)), "200");
}

#[test]
fn the_rate_limit_comes_before_users() {
    let server = Server::start(&format!("{USERS}rate_limit:\n  interval: 1h\n  burst: 2\n"));
    assert_eq!(status(&server.get("/-/ready", "")), "401");
    assert_eq!(status(&server.get("/-/ready", ALICE)), "200");
    let answer = server.get("/-/ready", ALICE);
    assert!(answer.starts_with("HTTP/1.1 429 Too Many Requests\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\nToo Many Requests\n"), "{answer}");
}

#[test]
fn tls_is_spoken_and_plain_http_is_told() {
    let server = Server::start(&format!("{TLS}{USERS}"));
    assert_eq!(status(&server.get_by_tls("/-/ready", ALICE)), "200");
    assert_eq!(status(&server.get_by_tls("/-/ready", "")), "401");
    let expected = "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";
    assert_eq!(server.get("/-/ready", ALICE), expected);
    // While the file is broken clients are told so, by the last good certificate.
    server.folder.write("foo: [");
    assert_eq!(status(&server.get_by_tls("/-/ready", ALICE)), "500");
}

#[test]
fn a_connection_without_tls_does_not_outlive_the_demand_for_it() {
    let server = Server::start("");
    let mut stream = server.connect();
    stream.write_all(b"GET /-/ready HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    server.folder.write(TLS);
    let answer = ask(&mut stream, "/-/ready", "");
    assert!(answer.contains("HTTP/1.1 400 Bad Request\r\n"), "{answer}");
    assert!(answer.ends_with("Client sent an HTTP request to an HTTPS server.\n"), "{answer}");
    assert_eq!(status(&server.get_by_tls("/-/ready", "")), "200");
}

#[test]
fn a_client_that_does_not_shake_hands_is_cut_and_keeps_nobody_waiting() {
    let short = Duration::from_millis(200);
    let server = Server::start_with(TLS, |web| (web.max_connections, web.header_timeout) = (2, short));
    let (mut silent, mut babbling) = (server.connect(), server.connect());
    babbling.write_all(b"\x16\x03\x01").unwrap();
    // Both permits are taken until the time is up.
    assert_eq!(status(&server.get_by_tls("/-/ready", "")), "200");
    for stream in [&mut silent, &mut babbling] {
        let mut rest = Vec::new();
        // A reset is an end as well.
        let _ = stream.read_to_end(&mut rest);
        assert!(rest.is_empty());
    }
}

#[test]
fn http2_is_spoken_by_agreement() {
    let server = Server::start(&format!("{TLS}{USERS}"));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let speak = |authorization: Option<&'static str>| {
        let connector = TlsConnector::from(Arc::new(server.client(&[b"h2"])));
        let address = server.address;
        runtime.block_on(async move {
            let stream = tokio::net::TcpStream::connect(address).await.unwrap();
            let name = ServerName::try_from("localhost").unwrap();
            let stream = connector.connect(name, stream).await.unwrap();
            assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
            let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
            let (mut client, connection) = handshake.await.unwrap();
            tokio::spawn(connection);
            let mut request = Request::get("https://localhost/-/ready");
            if let Some(authorization) = authorization {
                request = request.header("authorization", authorization);
            }
            client.send_request(request.body(Empty::<Bytes>::new()).unwrap()).await.unwrap().status()
        })
    };
    assert_eq!(speak(Some("Basic YWxpY2U6c2VjcmV0")), 200);
    assert_eq!(speak(None), 401);
    server.folder.write(&format!("{TLS}http_server_config:\n  http2: false\n"));
    assert_eq!(status(&server.get_by_tls("/-/ready", "")), "200");
    let name = ServerName::try_from("localhost").unwrap();
    let client = ClientConnection::new(Arc::new(server.client(&[b"h2", b"http/1.1"])), name).unwrap();
    let mut stream = StreamOwned::new(client, server.connect());
    assert_eq!(status(&ask(&mut stream, "/-/ready", "")), "200");
    assert_eq!(stream.conn.alpn_protocol(), Some(&b"http/1.1"[..]));
}

#[test]
fn a_file_that_cannot_be_used_stops_the_start() {
    let folder = Folder::new("basic_auth_users:\n  a: notbcrypt\n");
    let mut config = Config::default();
    config.web.config_file = Some(folder.file());
    let told = Gateway::load((config, Problems::of(Path::new("test")))).map(drop).unwrap_err().to_string();
    assert!(told.contains("web.yml:2: basic_auth_users.a: is not a bcrypt hash; "), "{told}");
}
