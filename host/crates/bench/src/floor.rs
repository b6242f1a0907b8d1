//! The floor: a server that reads the body and answers 200, on the same libraries as pushgate. Nothing that speaks HTTP
//! with them can be faster, so the distance to it is what pushgate itself costs.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::LazyLock;

use anyhow::Context as _;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::runtime;

/// The most that `GET /bytes/N` sends: a scrape of some two million series.
const MAX_BYTES: usize = 512 << 20;

/// What `GET /bytes/N` sends, made when it is asked for first.
static BLANK: LazyLock<Bytes> = LazyLock::new(|| Bytes::from(vec![b'x'; MAX_BYTES]));

/// Serves until the process is ended.
///
/// # Errors
/// When it cannot listen.
pub fn serve(address: SocketAddr) -> anyhow::Result<()> {
    let runtime =
        runtime::Builder::new_multi_thread().enable_all().build().context("cannot start threads")?;
    runtime.block_on(async {
        let listener = TcpListener::bind(address).await.with_context(|| format!("listen on {address}"))?;
        loop {
            let (stream, _) = listener.accept().await.context("accept")?;
            stream.set_nodelay(true).context("TCP_NODELAY")?;
            tokio::spawn(async move {
                // A client that hangs up is none of its business.
                let _ =
                    http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer)).await;
            });
        }
    })
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let size = request.uri().path().strip_prefix("/bytes/").and_then(|size| size.parse().ok());
    let mut body = request.into_body();
    while let Some(Ok(_)) = body.frame().await {}
    let answer = size.map_or_else(Bytes::new, |size: usize| BLANK.slice(..size.min(MAX_BYTES)));
    Ok(Response::new(Full::new(answer)))
}
