//! One connection: TLS or not, HTTP/1 or 2, to its end.

use std::convert::Infallible;
use std::error::Error;
use std::future::Future;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use pushgate_web_config::Live;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::select;
use tokio::sync::watch;
use tokio::time::timeout;
use tracing::debug;

use super::caller::{Peer, Transport};
use super::lanes::{Presence, Seat};
use super::payload::Payload;
use super::stream::Stream;
use super::{guard, http2, tls};
use crate::config::Web;

/// Why a connection ended early.
pub(super) type Broken = Box<dyn Error + Send + Sync>;

/// How long a client may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timeouts {
    /// For the headers of the next request, idle time included, and for shaking hands.
    pub(super) header: Duration,
    /// Between two steps of taking an answer.
    pub(super) write: Duration,
}

impl From<&Web> for Timeouts {
    fn from(web: &Web) -> Self {
        Self { header: web.header_timeout, write: web.write_timeout }
    }
}

/// Knows when connections are asked to end: when the sender is gone.
#[derive(Clone, Debug)]
pub(super) struct Stopping(pub(super) watch::Receiver<()>);

impl Stopping {
    pub(super) async fn asked(&mut self) {
        while self.0.changed().await.is_ok() {}
    }
}

/// HTTP/1: bytes of a request's line and headers together, and of what is read of a body at a time.
const MAX_HEAD: usize = 64 << 10;

/// Serves a connection to its end; asked to stop, it ends with the request that is under way. It ends as well when somebody
/// else has been given its place.
pub(super) async fn serve<H, A>(
    stream: TcpStream,
    address: IpAddr,
    seat: Seat,
    live: Option<Arc<Live>>,
    timeouts: Timeouts,
    answer: H,
    stopping: Stopping,
) -> Result<(), Broken>
where
    H: Fn(Request<Incoming>, Arc<Peer>) -> A + Send + 'static,
    A: Future<Output = Response<Payload>> + Send + 'static,
{
    let presence = seat.presence().clone();
    select! {
        ended = speak(stream, address, seat, live, timeouts, answer, stopping) => ended,
        () = presence.asked_to_leave() => Ok(()),
    }
}

async fn speak<H, A>(
    stream: TcpStream,
    address: IpAddr,
    seat: Seat,
    live: Option<Arc<Live>>,
    timeouts: Timeouts,
    answer: H,
    mut stopping: Stopping,
) -> Result<(), Broken>
where
    H: Fn(Request<Incoming>, Arc<Peer>) -> A + Send + 'static,
    A: Future<Output = Response<Payload>> + Send + 'static,
{
    // An answer is written in one piece; waiting for more to send would only delay it.
    if let Err(error) = stream.set_nodelay(true) {
        debug!(%error, "cannot set TCP_NODELAY");
    }
    let presence = seat.presence().clone();
    let of = |transport| {
        let peer = Arc::new(Peer { address: address.to_canonical(), transport, seat });
        move |request| answer(request, peer.clone())
    };
    let Some(tls) = guard::tls(live.as_ref()).await else {
        let answer = of(Transport::Plain);
        let stream = Stream::new(stream, timeouts.write, presence.clone());
        return http1(stream, timeouts, presence, answer, stopping).await;
    };
    let accepting = tls::accept(stream, tls.config().clone(), timeouts.write, presence.clone());
    let hands = select! {
        hands = timeout(timeouts.header, accepting) => hands,
        () = stopping.asked() => return Ok(()),
    };
    let Some(stream) = hands?? else { return Ok(()) };
    let connection = stream.get_ref().1;
    let answer = of(Transport::Tls { names: tls.names_of_client(connection) });
    match connection.alpn_protocol() {
        Some(b"h2") => http2::serve(stream, timeouts, presence, answer, stopping).await,
        _ => http1(stream, timeouts, presence, answer, stopping).await,
    }
}

async fn http1<S, H, A>(
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
    let service = service_fn(move |request| {
        let underway = presence.begin();
        let answered = answer(request);
        async move {
            let response = answered.await;
            drop(underway);
            Ok::<_, Infallible>(response)
        }
    });
    let connection = http1::Builder::new()
        // Without a timer hyper's header timeout does nothing.
        .timer(TokioTimer::new())
        .header_read_timeout(timeouts.header)
        // A client may close its sending side once it has sent its request, as `nc -N` does.
        .half_close(true)
        .max_buf_size(MAX_HEAD)
        .max_header_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    select! {
        ended = connection.as_mut() => return Ok(ended?),
        () = stopping.asked() => connection.as_mut().graceful_shutdown(),
    }
    Ok(connection.await?)
}
