//! The answer to a scrape: read as fast as it comes, looked at afterwards.

use std::io::{self, Read};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use flate2::bufread::MultiGzDecoder;

/// More is not read: a million series take 140 MB.
const MAX_ANSWER: u64 = 2 << 30;

/// All bytes that came, and how long that took.
#[derive(Debug)]
pub(super) struct Answer {
    bytes: Vec<u8>,
    /// Where the body begins.
    body_at: usize,
    pub(super) took: Duration,
}

impl Answer {
    /// Reads until the server closes the connection.
    pub(super) fn read(stream: TcpStream, started: Instant) -> io::Result<Self> {
        let mut bytes = Vec::with_capacity(1 << 20);
        stream.take(MAX_ANSWER).read_to_end(&mut bytes)?;
        let took = started.elapsed();
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        let body_at = end.ok_or_else(|| io::Error::other("the answer has no end of its head"))? + 4;
        Ok(Self { bytes, body_at, took })
    }

    pub(super) fn status(&self) -> Option<u16> {
        self.head().split(' ').nth(1)?.parse().ok()
    }

    /// Bytes of the body as they came, the lengths of chunks included.
    pub(super) fn body_length(&self) -> usize {
        self.bytes.len() - self.body_at
    }

    /// The body, decompressed if need be.
    pub(super) fn text(&self) -> anyhow::Result<String> {
        let mut body = self.bytes[self.body_at..].to_vec();
        if self.has("transfer-encoding: chunked") {
            body = without_chunks(&body).context("a chunk is broken off")?;
        }
        if self.has("content-encoding: gzip") {
            let mut text = String::new();
            MultiGzDecoder::new(&*body).read_to_string(&mut text).context("the answer is no gzip")?;
            return Ok(text);
        }
        String::from_utf8(body).context("the answer is no UTF-8")
    }

    fn has(&self, header: &str) -> bool {
        self.head().lines().any(|line| line.eq_ignore_ascii_case(header))
    }

    fn head(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.body_at]).unwrap_or_default()
    }
}

/// What stands in the chunks; `None` when one is not whole.
fn without_chunks(mut body: &[u8]) -> Option<Vec<u8>> {
    let mut joined = Vec::with_capacity(body.len());
    loop {
        let end = body.windows(2).position(|two| two == b"\r\n")?;
        let length = usize::from_str_radix(std::str::from_utf8(&body[..end]).ok()?, 16).ok()?;
        let chunk = body.get(end + 2..)?.get(..length)?;
        if length == 0 {
            return Some(joined);
        }
        joined.extend_from_slice(chunk);
        body = body.get(end + 2 + length + 2..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_joined() {
        let joined = |body: &str| without_chunks(body.as_bytes());
        assert_eq!(joined("2\r\nab\r\na\r\n0123456789\r\n0\r\n\r\n"), Some(b"ab0123456789".to_vec()));
        assert_eq!(joined("2\r\na"), None);
        assert_eq!(joined("x\r\n"), None);
        assert_eq!(joined("2\r\nab\r\n"), None);
    }
}
