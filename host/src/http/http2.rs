//! HTTP/2, which hyper limits in streams, headers and resets, but not in time.
//!
//! A connection of HTTP/1 is idle while it waits for headers, and a client that does not read stalls a write; both
//! have a timeout. Here neither shows on the socket: an idle connection may go on sending pings, and a client
//! stops an answer by not widening its window. So what is open is counted, and a watchdog looks at it.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{HeaderValue, Method, Request, Response};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::select;
use tokio::time::{Instant, sleep, sleep_until};

use super::connection::{Broken, Stopping, Timeouts};
use super::lanes::{Presence, Underway};
use super::payload::Payload;

/// Requests that a connection may have under way. Each may bring a body of `push.max_body`.
const MAX_STREAMS: u32 = 32;
/// Bytes of headers of one request, uncompressed; HTTP/1 has a bound of the same order.
const MAX_HEADERS: u32 = 64 << 10;
/// Streams that a client opened and took back before they were looked at; more end the connection
/// (CVE-2023-44487).
const MAX_TAKEN_BACK: usize = 32;
/// Answers leave in pieces, so that their progress can be seen.
const MAX_PIECE: usize = 64 << 10;
/// How often the watchdog looks at a connection whose requests have no answer yet; they have timeouts of their own.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Serves a connection of HTTP/2 to its end; asked to stop, it ends with the requests that are under way.
pub(super) async fn serve<S, H, A>(
    stream: S,
    timeouts: Timeouts,
    presence: Arc<Presence>,
    answer: H,
    mut stopping: Stopping,
) -> Result<(), Broken>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    H: Fn(Request<Incoming>) -> A + Send + 'static,
    A: Future<Output = Response<Payload>> + Send + 'static,
{
    let activity = Arc::new(Activity::new());
    let watchdog = activity.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let open = Activity::open(&activity, presence.begin());
        let without_body = request.method() == Method::HEAD;
        let answered = answer(request);
        async move {
            let response = answered.await;
            let response = if without_body { head_of(response) } else { response };
            Ok::<_, Infallible>(response.map(|payload| Paced::new(payload, open)))
        }
    });
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(MAX_HEADERS)
        .max_pending_accept_reset_streams(MAX_TAKEN_BACK)
        .max_local_error_reset_streams(MAX_TAKEN_BACK);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    select! {
        ended = connection.as_mut() => return Ok(ended?),
        end = watchdog.end(timeouts) => end?,
        () = stopping.asked() => {}
    }
    connection.as_mut().graceful_shutdown();
    let farewell = async {
        // A client is told that the connection ends, and need not answer.
        watchdog.end(timeouts).await?;
        sleep(timeouts.write).await;
        Err("the client did not close an idle connection".into())
    };
    select! {
        ended = connection => Ok(ended?),
        end = farewell => end,
    }
}

/// The answer to HEAD: hyper leaves its body away in HTTP/1 only.
fn head_of(response: Response<Payload>) -> Response<Payload> {
    let (mut head, payload) = response.into_parts();
    head.headers.entry(CONTENT_LENGTH).or_insert_with(|| HeaderValue::from(payload.len()));
    Response::from_parts(head, Payload::default())
}

/// What is open on a connection.
struct Activity {
    now: Mutex<Now>,
}

struct Now {
    /// By number; with the time of its last progress when it is an answer that is being sent.
    open: HashMap<u64, Option<Instant>>,
    next: u64,
    /// When the last request began or ended.
    last: Instant,
}

impl Activity {
    fn new() -> Self {
        Self { now: Mutex::new(Now { open: HashMap::new(), next: 0, last: Instant::now() }) }
    }

    fn open(this: &Arc<Self>, underway: Underway) -> Open {
        let mut now = this.now.lock();
        let number = now.next;
        now.next = number.wrapping_add(1);
        now.open.insert(number, None);
        Open { activity: this.clone(), number, _underway: underway }
    }

    /// Completes when the connection has been idle for too long, and fails when an answer has.
    async fn end(&self, timeouts: Timeouts) -> Result<(), Broken> {
        loop {
            let now = Instant::now();
            let (next, end) = self.next_end(timeouts);
            if next > now {
                sleep_until(next).await;
                continue;
            }
            return match end {
                End::Idle => Ok(()),
                End::Stalled => {
                    Err(io::Error::new(io::ErrorKind::TimedOut, "the client stopped reading").into())
                }
            };
        }
    }

    /// When the connection would end if nothing happened before, and why.
    fn next_end(&self, timeouts: Timeouts) -> (Instant, End) {
        let now = self.now.lock();
        let stalled = now.open.values().flatten().min().map(|progress| *progress + timeouts.write);
        match stalled {
            Some(stalled) => (stalled, End::Stalled),
            None if now.open.is_empty() => (now.last + timeouts.header, End::Idle),
            None => (Instant::now() + LOOK_AGAIN, End::Idle),
        }
    }
}

enum End {
    Idle,
    Stalled,
}

/// One request and its answer, until the answer is sent or given up.
struct Open {
    activity: Arc<Activity>,
    number: u64,
    _underway: Underway,
}

impl Open {
    fn progress(&self) {
        self.activity.now.lock().open.insert(self.number, Some(Instant::now()));
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let mut now = self.activity.now.lock();
        now.open.remove(&self.number);
        now.last = Instant::now();
    }
}

/// An answer whose progress is seen.
struct Paced {
    payload: Payload,
    open: Open,
}

impl Paced {
    fn new(payload: Payload, open: Open) -> Self {
        open.progress();
        Self { payload, open }
    }
}

impl Body for Paced {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.open.progress();
        Poll::Ready(self.payload.take(MAX_PIECE).map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.payload.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.payload.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;
    use std::sync::atomic::Ordering::Relaxed;

    use http::StatusCode;
    use http_body_util::{BodyExt as _, Empty};
    use hyper::client::conn::http2 as client;
    use tokio::sync::watch;
    use tokio::task::{JoinHandle, JoinSet};

    use super::*;
    use crate::http::lanes::Seat;
    use crate::http::payload::{TEXT, empty, whole};

    struct Pair {
        client: client::SendRequest<Empty<Bytes>>,
        server: JoinHandle<Result<(), Broken>>,
        stop: watch::Sender<()>,
    }

    const SECOND: Duration = Duration::from_secs(1);
    const SOON: Duration = Duration::from_millis(50);

    async fn pair(timeouts: Timeouts) -> Pair {
        pair_with(timeouts, answer).await
    }

    async fn pair_with<H, A>(timeouts: Timeouts, answer: H) -> Pair
    where
        H: Fn(Request<Incoming>) -> A + Send + 'static,
        A: Future<Output = Response<Payload>> + Send + 'static,
    {
        let (near, far) = tokio::io::duplex(1 << 16);
        let (stop, stopping) = watch::channel(());
        let presence = Seat::alone().presence().clone();
        let server = tokio::spawn(serve(near, timeouts, presence, answer, Stopping(stopping)));
        let handshake = client::handshake(TokioExecutor::new(), TokioIo::new(far));
        let (client, connection) = handshake.await.unwrap();
        tokio::spawn(connection);
        Pair { client, server, stop }
    }

    async fn answer(request: Request<Incoming>) -> Response<Payload> {
        match request.uri().path() {
            "/slow" => {
                sleep(Duration::from_millis(100)).await;
                whole(StatusCode::OK, TEXT, "slow")
            }
            "/large" => whole(StatusCode::OK, TEXT, vec![b'x'; 8 << 20]),
            "/empty" => empty(StatusCode::OK),
            _ => whole(StatusCode::OK, TEXT, "ok"),
        }
    }

    fn request(method: Method, path: &str) -> Request<Empty<Bytes>> {
        Request::builder().method(method).uri(format!("http://h{path}")).body(Empty::new()).unwrap()
    }

    impl Pair {
        async fn get(&mut self, path: &str) -> Response<Incoming> {
            self.client.send_request(request(Method::GET, path)).await.unwrap()
        }

        /// Why the server ended the connection.
        async fn ended(self) -> Result<(), String> {
            self.server.await.unwrap().map_err(|error| error.to_string())
        }
    }

    async fn text(response: Response<Incoming>) -> Bytes {
        let mut body = response.into_body();
        let mut text = Vec::new();
        while let Some(frame) = body.frame().await {
            text.extend_from_slice(&frame.unwrap().into_data().unwrap());
        }
        text.into()
    }

    #[tokio::test]
    async fn answers_are_whole() {
        let mut pair = pair(Timeouts { header: SECOND, write: SECOND }).await;
        let large = pair.get("/large").await;
        assert_eq!(large.headers()[CONTENT_LENGTH], "8388608");
        assert_eq!(text(pair.get("/").await).await, "ok");
        assert_eq!(text(large).await.len(), 8 << 20);
        assert_eq!(text(pair.get("/empty").await).await, "");
    }

    #[tokio::test]
    async fn head_is_the_answer_without_its_body() {
        let mut pair = pair(Timeouts { header: SECOND, write: SECOND }).await;
        let response = pair.client.send_request(request(Method::HEAD, "/")).await.unwrap();
        assert_eq!(response.headers()[CONTENT_LENGTH], "2");
        assert_eq!(text(response).await, "");
    }

    #[tokio::test]
    async fn an_idle_connection_ends_and_a_busy_one_does_not() {
        let mut pair = pair(Timeouts { header: SOON, write: SECOND }).await;
        assert_eq!(text(pair.get("/slow").await).await, "slow");
        // The client is told and closes, now and then before the last byte was written.
        assert_ne!(pair.ended().await, Err("the client did not close an idle connection".to_owned()));
    }

    #[tokio::test]
    async fn an_answer_whose_window_stays_shut_ends_the_connection() {
        let mut pair = pair(Timeouts { header: SECOND, write: SOON }).await;
        let unread = pair.get("/large").await;
        // Others that are read do not keep it alive.
        assert_eq!(text(pair.get("/").await).await, "ok");
        assert_eq!(pair.ended().await, Err("the client stopped reading".to_owned()));
        drop(unread);
    }

    #[tokio::test]
    async fn a_client_that_says_nothing_is_cut() {
        let (near, _far) = tokio::io::duplex(1 << 16);
        let (_stop, stopping) = watch::channel(());
        let presence = Seat::alone().presence().clone();
        let timeouts = Timeouts { header: SOON, write: SOON };
        let served = serve(near, timeouts, presence, answer, Stopping(stopping));
        let told = served.await.unwrap_err().to_string();
        assert_eq!(told, "the client did not close an idle connection");
    }

    #[tokio::test]
    async fn a_stop_lets_requests_under_way_finish() {
        let mut pair = pair(Timeouts { header: SECOND, write: SECOND }).await;
        let slow = pair.client.send_request(request(Method::GET, "/slow"));
        let slow = tokio::spawn(slow);
        // Its headers have arrived when a later request is answered.
        assert_eq!(text(pair.get("/").await).await, "ok");
        drop(pair.stop);
        pair.server.await.unwrap().unwrap();
        assert_eq!(text(slow.await.unwrap().unwrap()).await, "slow");
    }

    #[tokio::test]
    async fn streams_of_a_connection_are_bounded() {
        let (now, most) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
        let seen = most.clone();
        let count = move |_| {
            let (now, most) = (now.clone(), most.clone());
            async move {
                most.fetch_max(now.fetch_add(1, Relaxed) + 1, Relaxed);
                sleep(SOON).await;
                now.fetch_sub(1, Relaxed);
                empty(StatusCode::OK)
            }
        };
        let mut pair = pair_with(Timeouts { header: SECOND, write: SECOND }, count).await;
        // The client learns the bound with the first answer.
        pair.get("/").await;
        let mut requests = JoinSet::new();
        for _ in 0..2 * MAX_STREAMS {
            requests.spawn(pair.client.send_request(request(Method::GET, "/")));
        }
        while let Some(response) = requests.join_next().await {
            assert_eq!(response.unwrap().unwrap().status(), StatusCode::OK);
        }
        assert_eq!(seen.load(Relaxed), MAX_STREAMS);
    }
}
