//! Accepts connections and serves them, as many as are allowed, until it is asked to stop.

use std::error::Error;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use pushgate_web_config::Live;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::select;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::error::Elapsed;
use tokio::time::{sleep, timeout};
use tracing::{debug, warn};

use super::caller::Peer;
use super::connection::{Broken, Stopping, Timeouts};
use super::front;
use super::lanes::{Lanes, Presence};
use super::payload::Payload;
use super::place::{self, Common};
use crate::config::Web;
use crate::telemetry::{Limit, LimitMetrics};

/// How long accepting rests after the system refused, most often for want of file descriptors.
const ACCEPT_REST: Duration = Duration::from_millis(100);

/// Serves until `shutdown` ends: then nothing more is accepted, requests under way are finished within
/// `drain_timeout`, and what is left is cut. Nothing outlives the returned future; when it is dropped, what there is ends
/// soon after.
///
/// Connections are accepted on a thread of their own, where those stay that ask for something; those that push, and those
/// that speak TLS, of which it cannot be seen, are left to the runtime that this is called in.
///
/// `live` says whether and how connections speak TLS. `answer` cannot fail: whatever goes wrong is an answer as
/// well. What is used of the limits on connections is told to `limits`.
pub async fn serve<H, A>(
    listeners: Vec<TcpListener>,
    web: &Web,
    live: Option<Arc<Live>>,
    limits: Arc<LimitMetrics>,
    answer: H,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()>
where
    H: Fn(Request<Incoming>, Arc<Peer>) -> A + Clone + Send + 'static,
    A: Future<Output = Response<Payload>> + Send + 'static,
{
    // Whether a socket is ready is told to the runtime that it belongs to.
    let listeners = listeners.into_iter().map(TcpListener::into_std).collect::<io::Result<Vec<_>>>()?;
    let (stop, stopped) = oneshot::channel();
    let (web, workers) = (web.clone(), Handle::current());
    let (failed, failure) = oneshot::channel();
    let accepting = move || async move {
        let stopped = async { stopped.await.unwrap_or_default() };
        match listeners.into_iter().map(TcpListener::from_std).collect() {
            Ok(listeners) => accept_all(listeners, &web, live, limits, answer, workers, stopped).await,
            Err(error) => drop(failed.send(error)),
        }
    };
    let mut front = pin!(front::run(accepting));
    select! {
        ended = front.as_mut() => ended?,
        () = shutdown => {
            // It may have ended by itself.
            let _ = stop.send(());
            front.await?;
        }
    }
    failure.await.map_or(Ok(()), Err)
}

async fn accept_all<H, A>(
    listeners: Vec<TcpListener>,
    web: &Web,
    live: Option<Arc<Live>>,
    limits: Arc<LimitMetrics>,
    answer: H,
    workers: Handle,
    shutdown: impl Future<Output = ()>,
) where
    H: Fn(Request<Incoming>, Arc<Peer>) -> A + Clone + Send + 'static,
    A: Future<Output = Response<Payload>> + Send + 'static,
{
    let lanes = Lanes::new(web, limits.clone());
    let (stop, stopping) = watch::channel(());
    let common =
        Common { live, timeouts: Timeouts::from(web), answer, stopping: Stopping(stopping), workers };
    let mut connections = JoinSet::new();
    let mut first = 0;
    // Accepted, and waiting for a place. Those that come later stay in the system's queue, where they cost nothing.
    let mut waiting = None;
    let mut shutdown = pin!(shutdown);
    loop {
        let next = async {
            if waiting.is_none() {
                waiting = Some(accept(&listeners, &mut first).await?);
            }
            let seat = lanes.enter().await;
            Ok(waiting.take().map(|accepted| (seat, accepted)))
        };
        let accepted = select! {
            biased;
            () = &mut shutdown => break,
            Some(_) = connections.join_next() => continue,
            accepted = next => accepted,
        };
        match accepted {
            Ok(None) => {}
            Ok(Some((seat, (stream, peer)))) => {
                let (presence, limits) = (seat.presence().clone(), limits.clone());
                let connection = place::serve(stream, peer.ip(), seat, common.clone());
                connections.spawn(async move {
                    if let Err(error) = connection.await {
                        debug!(%peer, %error, "connection ended early");
                        if let Some(limit) = limit(&error, &presence) {
                            limits.hit(limit);
                        }
                    }
                });
            }
            Err(error) if is_of_the_client(&error) => {
                debug!(%error, "connection ended before it was accepted");
            }
            Err(error) => {
                warn!(%error, "cannot accept connections");
                lanes.close_one();
                sleep(ACCEPT_REST).await;
            }
        }
    }
    drop((listeners, stop));
    let drained = async { while connections.join_next().await.is_some() {} };
    if timeout(web.drain_timeout, drained).await.is_err() {
        warn!(connections = connections.len(), "cutting connections that did not end in time");
    }
    connections.shutdown().await;
}

/// The next connection of any listener. `first` goes round, so that a busy listener does not starve the rest.
async fn accept(listeners: &[TcpListener], first: &mut usize) -> io::Result<(TcpStream, SocketAddr)> {
    poll_fn(|context| {
        let (before, after) = listeners.split_at((*first).min(listeners.len()));
        for listener in after.iter().chain(before) {
            if let Poll::Ready(accepted) = listener.poll_accept(context) {
                *first = (*first + 1) % listeners.len().max(1);
                return Poll::Ready(accepted);
            }
        }
        Poll::Pending
    })
    .await
}

/// The limit that ended a connection, if one did. One that was idle for too long has not been refused anything.
fn limit(error: &Broken, presence: &Presence) -> Option<Limit> {
    let mut source: Option<&(dyn Error + 'static)> = Some(&**error);
    while let Some(error) = source {
        let of_io = error.downcast_ref().map(io::Error::kind);
        if of_io == Some(io::ErrorKind::TimedOut) {
            return Some(Limit::WriteTime);
        }
        let is_of_hyper = error.downcast_ref().is_some_and(hyper::Error::is_timeout);
        if is_of_hyper || error.is::<Elapsed>() {
            return presence.is_half_heard().then_some(Limit::HeaderTime);
        }
        source = error.source();
    }
    None
}

fn is_of_the_client(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(error.kind(), Kind::ConnectionAborted | Kind::ConnectionReset | Kind::ConnectionRefused)
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpStream as Client;
    use std::time::Instant;

    use bytes::Bytes;
    use http::StatusCode;
    use http_body_util::BodyExt as _;
    use tokio::sync::mpsc;
    use tokio::task::JoinHandle;

    use super::*;
    use crate::http::payload::{TEXT, empty, whole};

    struct Server {
        address: SocketAddr,
        stop: oneshot::Sender<()>,
        served: JoinHandle<()>,
        limits: Arc<LimitMetrics>,
        /// One message for each request that has arrived.
        arrived: mpsc::UnboundedReceiver<()>,
    }

    async fn start(web: Web) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let other = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let (arrival, arrived) = mpsc::unbounded_channel();
        let limits = Arc::<LimitMetrics>::default();
        let told = limits.clone();
        let served = tokio::spawn(async move {
            let stopped = async { stopped.await.unwrap_or_default() };
            let answer = move |request, _| {
                arrival.send(()).unwrap_or_default(); // Not every test listens to the end.
                answer(request)
            };
            serve(vec![other, listener], &web, None, told, answer, stopped).await.unwrap();
        });
        Server { address, stop, served, limits, arrived }
    }

    /// `/slow` takes 100 ms, `/never` never ends, `/large` is more than a socket takes at once, `/body` reads
    /// the body, anything else is answered at once.
    async fn answer(request: Request<Incoming>) -> Response<Payload> {
        match request.uri().path() {
            "/slow" => {
                sleep(Duration::from_millis(100)).await;
                whole(StatusCode::OK, TEXT, "slow")
            }
            "/never" => std::future::pending().await,
            "/large" => whole(StatusCode::OK, TEXT, Bytes::from(vec![b'x'; 64 << 20])),
            "/body" => {
                let mut body = request.into_body();
                while let Some(Ok(_)) = body.frame().await {}
                empty(StatusCode::OK)
            }
            "/thread" => {
                let thread = std::thread::current();
                whole(StatusCode::OK, TEXT, thread.name().unwrap_or_default().to_owned())
            }
            _ => whole(StatusCode::OK, TEXT, "ok"),
        }
    }

    fn ask(server: &Server, request: &str) -> Client {
        let mut client = Client::connect(server.address).unwrap();
        client.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        client.write_all(request.as_bytes()).unwrap();
        client
    }

    /// Reads until the server closes, off the executor.
    async fn rest(mut client: Client) -> String {
        let read = move || {
            let mut text = Vec::new();
            // A reset is an end as well.
            let _ = client.read_to_end(&mut text);
            String::from_utf8_lossy(&text).into_owned()
        };
        tokio::task::spawn_blocking(read).await.unwrap()
    }

    /// Waits until something was refused because of that limit.
    async fn counted(server: &Server, limit: Limit) {
        while server.limits.hits(limit) == 0 {
            tokio::task::yield_now().await;
        }
    }

    fn get(path: &str) -> String {
        format!("GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
    }

    #[tokio::test]
    async fn requests_are_answered_one_after_the_other_on_a_connection() {
        let server = start(Web::default()).await;
        let requests = format!("GET / HTTP/1.1\r\nHost: h\r\n\r\n{}", get("/slow"));
        let text = rest(ask(&server, &requests)).await;
        assert_eq!(text.matches("HTTP/1.1 200 OK\r\n").count(), 2, "{text}");
        assert!(text.ends_with("\r\n\r\nslow"), "{text}");
        let text = rest(ask(&server, "GET / HTTP/1.0\r\n\r\n")).await;
        assert!(text.starts_with("HTTP/1.0 200 OK\r\n") && text.ends_with("\r\n\r\nok"), "{text}");
    }

    #[tokio::test]
    async fn whatever_is_no_push_is_answered_on_the_front_and_pushes_never_are() {
        let server = start(Web::default()).await;
        let put = |path: &str| get(path).replace("GET", "PUT");
        let and = |first: &str, second: &str| first.replace("Connection: close\r\n", "") + second;
        let (asks, pushes) = (get("/thread"), put("/thread"));
        for (requests, expected) in [
            (asks.clone(), true),
            (asks.replace("GET", "OPTIONS"), true),
            (pushes.clone(), false),
            (asks.replace("GET", "DELETE"), false),
            (and(&get("/"), &pushes), false),
            (and(&get("/"), &asks), true),
        ] {
            let text = rest(ask(&server, &requests)).await;
            assert_eq!(text.ends_with("\r\n\r\nfront"), expected, "{requests}: {text}");
        }
    }

    #[tokio::test]
    async fn a_client_that_closed_its_sending_side_is_answered() {
        let server = start(Web::default()).await;
        let client = ask(&server, &get("/slow"));
        client.shutdown(std::net::Shutdown::Write).unwrap();
        assert!(rest(client).await.ends_with("slow"));
    }

    #[tokio::test]
    async fn head_is_the_answer_without_its_body() {
        let server = start(Web::default()).await;
        let text = rest(ask(&server, &get("/").replace("GET", "HEAD"))).await;
        assert!(text.contains("content-length: 2\r\n") && text.ends_with("\r\n\r\n"), "{text}");
    }

    #[tokio::test]
    async fn headers_that_do_not_come_end_the_connection() {
        let server = start(Web { header_timeout: Duration::from_millis(300), ..Web::default() }).await;
        assert_eq!(rest(ask(&server, "GET / HTTP/1.1\r\nHost:")).await, "");
        counted(&server, Limit::HeaderTime).await;
        // Between two requests it is the same clock.
        let text = rest(ask(&server, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")).await;
        assert!(text.ends_with("ok"), "{text}");
        assert_eq!(server.limits.hits(Limit::HeaderTime), 1, "nobody was refused anything");
    }

    #[tokio::test]
    async fn an_answer_that_is_not_read_ends_the_connection() {
        let timeout = Duration::from_millis(50);
        let web =
            Web { write_timeout: timeout, max_connections: 1, reserve_connections: 1, ..Web::default() };
        let mut server = start(web).await;
        let stuck = [ask(&server, &get("/large")), ask(&server, &get("/large"))];
        assert_eq!((server.arrived.recv().await, server.arrived.recv().await), (Some(()), Some(())));
        // A place comes free when a stuck connection is cut.
        assert!(rest(ask(&server, &get("/"))).await.ends_with("ok"));
        counted(&server, Limit::WriteTime).await;
        drop(stuck);
    }

    #[tokio::test]
    async fn connections_past_the_limit_are_in_reserve_and_past_that_they_wait() {
        let web = Web { max_connections: 1, reserve_connections: 1, ..Web::default() };
        let mut server = start(web).await;
        let started = Instant::now();
        let held = [ask(&server, &get("/never")), ask(&server, &get("/slow"))];
        assert_eq!((server.arrived.recv().await, server.arrived.recv().await), (Some(()), Some(())));
        assert!(rest(ask(&server, &get("/"))).await.ends_with("ok"));
        assert!(started.elapsed() >= Duration::from_millis(100), "it waited for the second");
        let [_never, slow] = held;
        assert!(rest(slow).await.ends_with("slow"));
    }

    #[tokio::test]
    async fn an_idle_connection_makes_room() {
        let web = Web { max_connections: 1, reserve_connections: 1, ..Web::default() };
        let mut server = start(web).await;
        let idle = ask(&server, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        let silent = ask(&server, "");
        assert_eq!(server.arrived.recv().await, Some(()));
        let started = Instant::now();
        let never = [ask(&server, &get("/never")), ask(&server, &get("/never"))];
        assert_eq!((server.arrived.recv().await, server.arrived.recv().await), (Some(()), Some(())));
        assert!(started.elapsed() < Web::default().header_timeout, "nobody waited for a timeout");
        assert!(rest(idle).await.ends_with("ok"));
        assert_eq!(rest(silent).await, "");
        drop(never);
    }

    #[tokio::test]
    async fn the_head_of_a_request_has_a_size() {
        let server = start(Web::default()).await;
        let head = |length: usize| {
            let head = "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nX: \r\n\r\n";
            head.replace("X: ", &format!("X: {}", "x".repeat(length - head.len())))
        };
        for (length, expected) in [(64 << 10, "HTTP/1.1 200 "), ((64 << 10) + 1, "HTTP/1.1 431 ")] {
            let text = rest(ask(&server, &head(length))).await;
            assert!(text.starts_with(expected), "{length}: {text}");
        }
    }

    #[tokio::test]
    async fn the_number_of_headers_has_a_bound() {
        let server = start(Web::default()).await;
        for (count, expected) in [(98, "HTTP/1.1 200 "), (99, "HTTP/1.1 431 ")] {
            let headers = "X: x\r\n".repeat(count);
            let request = format!("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{headers}\r\n");
            let text = rest(ask(&server, &request)).await;
            assert!(text.starts_with(expected), "{count}: {text}");
        }
    }

    #[tokio::test]
    async fn a_stop_lets_requests_under_way_finish() {
        let mut server = start(Web::default()).await;
        let busy = ask(&server, "GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
        let idle = ask(&server, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        assert_eq!((server.arrived.recv().await, server.arrived.recv().await), (Some(()), Some(())));
        server.stop.send(()).unwrap();
        server.served.await.unwrap();
        assert!(rest(busy).await.ends_with("slow"));
        assert!(rest(idle).await.ends_with("ok"));
        assert!(Client::connect(server.address).is_err(), "nothing listens any more");
    }

    #[tokio::test]
    async fn a_stop_does_not_wait_for_ever() {
        let mut server = start(Web { drain_timeout: Duration::from_millis(30), ..Web::default() }).await;
        let never = ask(&server, &get("/never"));
        assert_eq!(server.arrived.recv().await, Some(()));
        server.stop.send(()).unwrap();
        server.served.await.unwrap();
        assert_eq!(rest(never).await, "");
    }

    #[tokio::test]
    async fn a_client_that_asks_first_is_told_to_go_on_when_its_body_is_read() {
        let server = start(Web::default()).await;
        let head = "Host: h\r\nConnection: close\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n";
        let mut asked = ask(&server, &format!("PUT /body HTTP/1.1\r\n{head}"));
        asked.write_all(b"ab").unwrap();
        let text = rest(asked).await;
        assert!(text.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"), "{text}");
        let text = rest(ask(&server, &format!("PUT /refused HTTP/1.1\r\n{head}"))).await;
        assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{text}");
    }
}
