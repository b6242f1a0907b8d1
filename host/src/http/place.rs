//! Which thread a connection is served on: the front's if it asks for something, one of the workers' if it pushes.

use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use pushgate_web_config::Live;
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::select;
use tokio::time::timeout;
use tracing::error;

use super::caller::Peer;
use super::connection::{self, Broken, Stopping, Timeouts};
use super::front;
use super::lanes::Seat;
use super::payload::{self, Payload};

/// What all connections have in common.
#[derive(Clone)]
pub(super) struct Common<H> {
    pub(super) live: Option<Arc<Live>>,
    pub(super) timeouts: Timeouts,
    pub(super) answer: H,
    pub(super) stopping: Stopping,
    /// The runtime that has a thread for each core.
    pub(super) workers: Handle,
}

/// What can be told of a connection by its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum First {
    /// It was closed, or asked to.
    Nothing,
    /// It begins with a request for something.
    Asks,
    /// It begins with a push, or with TLS, whose hands take a while to shake.
    Works,
}

/// Serves a connection, which has been accepted on the front, to its end.
pub(super) async fn serve<H, A>(
    stream: TcpStream,
    address: IpAddr,
    seat: Seat,
    common: Common<H>,
) -> Result<(), Broken>
where
    H: Fn(Request<Incoming>, Arc<Peer>) -> A + Send + 'static,
    A: Future<Output = Response<Payload>> + Send + 'static,
{
    let Common { live, timeouts, answer, mut stopping, workers } = common;
    let first = select! {
        first = timeout(timeouts.header, first(&stream)) => first.unwrap_or(Ok(First::Nothing)),
        () = seat.presence().asked_to_leave() => return Ok(()),
        () = stopping.asked() => return Ok(()),
    };
    match first? {
        First::Nothing => Ok(()),
        First::Asks => {
            let answer = move |request: Request<Incoming>, peer| {
                let (asks, workers) = (asks(request.method()), workers.clone());
                let answered = answer(request, peer);
                async move { if asks { answered.await } else { by_a_worker(&workers, answered).await } }
            };
            connection::serve(stream, address, seat, live, timeouts, answer, stopping).await
        }
        First::Works => {
            // Whether there is something to read is told to the runtime that it belongs to.
            let stream = stream.into_std()?;
            // What has come is a request, however long it takes until a worker has time to read it.
            let underway = seat.presence().begin();
            let serving = async move {
                let stream = TcpStream::from_std(stream)?;
                drop(underway);
                connection::serve(stream, address, seat, live, timeouts, answer, stopping).await
            };
            front::elsewhere(&workers, serving).await?
        }
    }
}

async fn first(stream: &TcpStream) -> io::Result<First> {
    let mut byte = [0];
    let length = stream.peek(&mut byte).await?;
    Ok(match (length, byte) {
        (0, _) => First::Nothing,
        // GET, HEAD, OPTIONS.
        (_, [b'G' | b'H' | b'O']) => First::Asks,
        _ => First::Works,
    })
}

fn asks(method: &Method) -> bool {
    [Method::GET, Method::HEAD, Method::OPTIONS].contains(method)
}

/// The answer to a push on a connection that began with something else.
async fn by_a_worker<A>(workers: &Handle, answered: A) -> Response<Payload>
where
    A: Future<Output = Response<Payload>> + Send + 'static,
{
    front::elsewhere(workers, answered).await.unwrap_or_else(|panic| {
        error!(%panic, "a request could not be answered");
        payload::empty(StatusCode::INTERNAL_SERVER_ERROR)
    })
}
