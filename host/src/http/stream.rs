//! A connection whose writes cannot stall for ever.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use super::lanes::Presence;

/// What a client has to take of an answer within the timeout. Otherwise one that takes a byte now and then would have its
/// answer, and the memory that it takes, for hours.
const LEAST: usize = 64 << 10;

/// Fails a write that makes too little progress for too long: hyper has no timeout for it, and a client that stops
/// reading would hold its connection, and the chunks of a scrape, for as long as it likes. Notes what the connection does.
#[derive(Debug)]
pub(super) struct Stream<S> {
    inner: S,
    timeout: Duration,
    presence: Arc<Presence>,
    /// Made at the first write that has to wait, which most connections never see.
    sleep: Option<Pin<Box<Sleep>>>,
    /// Bytes that were written since a write had to wait.
    written: Option<usize>,
}

impl<S> Stream<S> {
    pub(super) fn new(inner: S, timeout: Duration, presence: Arc<Presence>) -> Self {
        Self { inner, timeout, presence, sleep: None, written: None }
    }

    /// Passes on how much was written, unless it was too little for too long.
    fn wrote(
        &mut self,
        context: &mut Context<'_>,
        answer: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        self.presence.wrote();
        if let (Poll::Ready(Ok(length)), Some(written)) = (&answer, &mut self.written) {
            *written += length;
        }
        self.watch(context, answer)
    }

    /// Passes on what the inner stream answered, unless it has been pending for too long.
    fn watch<T>(&mut self, context: &mut Context<'_>, answer: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if answer.is_ready() {
            return answer;
        }
        let timeout = self.timeout;
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep(timeout)));
        if self.written.is_none_or(|written| written >= LEAST) {
            self.written = Some(0);
            sleep.as_mut().reset(Instant::now() + timeout);
        }
        ready!(sleep.as_mut().poll(context));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client stopped reading")))
    }

    /// Nothing is left to be written when a flush has come to its end.
    fn flushed(&mut self, context: &mut Context<'_>, answer: Poll<io::Result<()>>) -> Poll<io::Result<()>> {
        if answer.is_ready() {
            self.presence.flushed();
            self.written = None;
        }
        self.watch(context, answer)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Stream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let answer = Pin::new(&mut self.inner).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.presence.heard();
        }
        answer
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Stream<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let answer = Pin::new(&mut self.inner).poll_write(cx, bytes);
        self.wrote(cx, answer)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let answer = Pin::new(&mut self.inner).poll_write_vectored(cx, slices);
        self.wrote(cx, answer)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let answer = Pin::new(&mut self.inner).poll_flush(cx);
        self.flushed(cx, answer)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let answer = Pin::new(&mut self.inner).poll_shutdown(cx);
        self.watch(cx, answer)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::net::{TcpListener, TcpStream};

    use super::*;
    use crate::http::lanes::Seat;

    fn presence() -> Arc<Presence> {
        Seat::alone().presence().clone()
    }

    async fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap());
        let (client, accepted) = tokio::join!(client, listener.accept());
        (client.unwrap(), accepted.unwrap().0)
    }

    #[tokio::test]
    async fn a_write_that_nobody_reads_fails() {
        let (client, server) = pair().await;
        let mut server = Stream::new(server, Duration::from_millis(20), presence());
        let bytes = vec![0; 1 << 20];
        let error = loop {
            let written = poll_fn(|cx| Pin::new(&mut server).poll_write(cx, &bytes)).await;
            if let Err(error) = written {
                break error;
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        drop(client);
    }

    #[tokio::test]
    async fn a_reader_that_takes_a_byte_now_and_then_is_a_stalled_one() {
        use tokio::io::AsyncReadExt as _;
        let (mut client, server) = tokio::io::duplex(16);
        let timeout = Duration::from_millis(50);
        let mut server = Stream::new(server, timeout, presence());
        let started = Instant::now();
        let error = loop {
            let write = poll_fn(|cx| Pin::new(&mut server).poll_write(cx, &[0; 32]));
            match tokio::time::timeout(Duration::from_millis(1), write).await {
                Ok(Err(error)) => break error,
                Ok(Ok(_)) => {}
                Err(_) => assert_eq!(client.read_u8().await.unwrap(), 0),
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(started.elapsed() >= timeout, "it had its time");
    }

    #[tokio::test]
    async fn a_slow_reader_is_no_stalled_one() {
        let (client, server) = pair().await;
        let mut server = Stream::new(server, Duration::from_secs(60), presence());
        let reader = tokio::spawn(async move {
            let mut total = 0;
            let mut buffer = vec![0; 1 << 16];
            while total < 8 << 20 {
                client.readable().await.unwrap();
                match client.try_read(&mut buffer) {
                    Ok(read) => total += read,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(error) => panic!("{error}"),
                }
                tokio::task::yield_now().await;
            }
        });
        let bytes = vec![0; 1 << 20];
        let mut left = 8 << 20;
        while left > 0 {
            let part = bytes.get(..left.min(bytes.len())).unwrap();
            left -= poll_fn(|cx| Pin::new(&mut server).poll_write(cx, part)).await.unwrap();
        }
        reader.await.unwrap();
    }
}
