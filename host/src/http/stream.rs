//! A connection whose writes cannot stall for ever.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// Fails a write that makes no progress for too long: hyper has no timeout for it, and a client that stops
/// reading would hold its connection, and the chunks of a scrape, for as long as it likes.
#[derive(Debug)]
pub(super) struct Stream<S> {
    inner: S,
    timeout: Duration,
    /// Made at the first write that has to wait, which most connections never see.
    sleep: Option<Pin<Box<Sleep>>>,
    stalled: bool,
}

impl<S> Stream<S> {
    pub(super) fn new(inner: S, timeout: Duration) -> Self {
        Self { inner, timeout, sleep: None, stalled: false }
    }

    /// Passes on what the inner stream answered, unless it has been pending for too long.
    fn watch<T>(&mut self, context: &mut Context<'_>, answer: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if answer.is_ready() {
            self.stalled = false;
            return answer;
        }
        let timeout = self.timeout;
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep(timeout)));
        if !self.stalled {
            self.stalled = true;
            sleep.as_mut().reset(Instant::now() + timeout);
        }
        ready!(sleep.as_mut().poll(context));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client stopped reading")))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Stream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Stream<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let answer = Pin::new(&mut self.inner).poll_write(cx, bytes);
        self.watch(cx, answer)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let answer = Pin::new(&mut self.inner).poll_write_vectored(cx, slices);
        self.watch(cx, answer)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let answer = Pin::new(&mut self.inner).poll_flush(cx);
        self.watch(cx, answer)
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

    async fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap());
        let (client, accepted) = tokio::join!(client, listener.accept());
        (client.unwrap(), accepted.unwrap().0)
    }

    #[tokio::test]
    async fn a_write_that_nobody_reads_fails() {
        let (client, server) = pair().await;
        let mut server = Stream::new(server, Duration::from_millis(20));
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
    async fn a_slow_reader_is_no_stalled_one() {
        let (client, server) = pair().await;
        let mut server = Stream::new(server, Duration::from_secs(60));
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
