//! The beginning of a TLS connection.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::server::TlsStream;

use super::lanes::Presence;
use super::stream::Stream;

/// What the original says to a client that does not speak TLS.
const PLAIN_HTTP: &str = "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";
/// How much of such a client's request is read before closing: closing with something unread would reset the
/// connection, and the client might never see the answer.
const MAX_UNWANTED: u64 = 64 << 10;

/// Shakes hands. `None` if the client spoke plain HTTP, which has been answered, or nothing at all. The caller limits
/// the time.
pub(super) async fn accept(
    stream: TcpStream,
    config: Arc<ServerConfig>,
    write_timeout: Duration,
    presence: Arc<Presence>,
) -> io::Result<Option<TlsStream<Stream<TcpStream>>>> {
    let mut first = [0];
    let is_closed = stream.peek(&mut first).await? == 0;
    if is_closed {
        return Ok(None);
    }
    // A TLS record begins with a small number, a request with the name of its method.
    if first.iter().all(u8::is_ascii_alphabetic) {
        refuse(stream).await?;
        return Ok(None);
    }
    let stream = Stream::new(stream, write_timeout, presence);
    TlsAcceptor::from(config).accept(stream).await.map(Some)
}

async fn refuse(mut stream: TcpStream) -> io::Result<()> {
    stream.write_all(PLAIN_HTTP.as_bytes()).await?;
    stream.shutdown().await?;
    tokio::io::copy(&mut stream.take(MAX_UNWANTED), &mut tokio::io::sink()).await?;
    Ok(())
}
