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

/// Serves a connection to its end; asked to stop, it ends with the request that is under way.
pub(super) async fn serve<H, A>(
    stream: TcpStream,
    address: IpAddr,
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
    let of = |transport| {
        let peer = Arc::new(Peer { address: address.to_canonical(), transport });
        move |request| answer(request, peer.clone())
    };
    let Some(tls) = guard::tls(live.as_ref()).await else {
        let answer = of(Transport::Plain);
        return http1(Stream::new(stream, timeouts.write), timeouts, answer, stopping).await;
    };
    let hands = select! {
        hands = timeout(timeouts.header, tls::accept(stream, tls.config().clone(), timeouts.write)) => hands,
        () = stopping.asked() => return Ok(()),
    };
    let Some(stream) = hands?? else { return Ok(()) };
    let connection = stream.get_ref().1;
    let answer = of(Transport::Tls { names: tls.names_of_client(connection) });
    match connection.alpn_protocol() {
        Some(b"h2") => http2::serve(stream, timeouts, answer, stopping).await,
        _ => http1(stream, timeouts, answer, stopping).await,
    }
}

async fn http1<S, H, A>(
    stream: S,
    timeouts: Timeouts,
    answer: H,
    mut stopping: Stopping,
) -> Result<(), Broken>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    H: Fn(Request<Incoming>) -> A + Send + 'static,
    A: Future<Output = Response<Payload>> + Send + 'static,
{
    let service = service_fn(move |request| {
        let answered = answer(request);
        async move { Ok::<_, Infallible>(answered.await) }
    });
    let connection = http1::Builder::new()
        // Without a timer hyper's header timeout does nothing.
        .timer(TokioTimer::new())
        .header_read_timeout(timeouts.header)
        // A client may close its sending side once it has sent its request, as `nc -N` does.
        .half_close(true)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    select! {
        ended = connection.as_mut() => return Ok(ended?),
        () = stopping.asked() => connection.as_mut().graceful_shutdown(),
    }
    Ok(connection.await?)
}
