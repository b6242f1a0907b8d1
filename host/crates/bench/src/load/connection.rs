//! One connection of the load: a request out, an answer in, never waiting for either.

use std::io::{self, IoSlice, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

/// An answer to a push is some hundred bytes; one that is longer is not what was asked for.
const MAX_ANSWER: usize = 16 << 10;

/// A connection that is kept, or made anew for each request.
#[derive(Debug)]
pub(super) struct Connection {
    address: SocketAddr,
    stream: Option<TcpStream>,
    keep: bool,
    /// Bytes of the request that are sent.
    sent: usize,
    answer: Vec<u8>,
}

/// How far a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// Nothing to do before the server has done something.
    Waiting,
    /// Bytes went out or came in.
    Moved,
    /// The whole answer is there, with this status.
    Answered(u16),
}

impl Connection {
    pub(super) fn new(address: SocketAddr, keep: bool) -> Self {
        Self { address, stream: None, keep, sent: 0, answer: Vec::new() }
    }

    /// Begins a request, on a new connection if there is none.
    pub(super) fn begin(&mut self) -> io::Result<()> {
        (self.sent, self.stream) = (0, self.stream.take().filter(|_| self.keep));
        self.answer.clear();
        if self.stream.is_none() {
            let stream = TcpStream::connect(self.address)?;
            stream.set_nodelay(true)?;
            stream.set_nonblocking(true)?;
            self.stream = Some(stream);
        }
        Ok(())
    }

    /// Does what can be done now for the request that is `parts`, one behind the other.
    pub(super) fn advance(&mut self, parts: [&[u8]; 2]) -> io::Result<Progress> {
        let Some(stream) = &mut self.stream else { return Err(io::ErrorKind::NotConnected.into()) };
        let mut progress = Progress::Waiting;
        while self.sent < parts[0].len() + parts[1].len() {
            let head = parts[0].get(self.sent..).unwrap_or_default();
            let body = parts[1].get(self.sent.saturating_sub(parts[0].len())..).unwrap_or_default();
            match stream.write_vectored(&[IoSlice::new(head), IoSlice::new(body)]) {
                Ok(written) => self.sent += written,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
            progress = Progress::Moved;
        }
        let mut buffer = [0; 4 << 10];
        match stream.read(&mut buffer) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => self.answer.extend_from_slice(&buffer[..read]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(progress),
            Err(error) => return Err(error),
        }
        if self.answer.len() > MAX_ANSWER {
            return Err(io::Error::other("the answer to a push is too long"));
        }
        Ok(status(&self.answer)?.map_or(Progress::Moved, Progress::Answered))
    }
}

/// The status of an answer that is whole.
fn status(answer: &[u8]) -> io::Result<Option<u16>> {
    let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let odd = || io::Error::other("an answer is not HTTP/1.1 with a Content-Length");
    let (head, body) = answer.split_at(end + 4);
    let head = std::str::from_utf8(head).map_err(|_| odd())?;
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).ok_or_else(odd)?;
    let length = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>())
    });
    let length = length.ok_or_else(odd)?.map_err(|_| odd())?;
    Ok((body.len() >= length).then_some(status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_when_its_length_is_there() {
        for (answer, expected) in [
            ("HTTP/1.1 200 OK\r\ncontent-len", None),
            ("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", Some(200)),
            ("HTTP/1.1 202 Accepted\r\nDate: x\r\nContent-Length: 2\r\n\r\na", None),
            ("HTTP/1.1 400 Bad Request\r\nContent-Length:2\r\n\r\nab", Some(400)),
        ] {
            assert_eq!(status(answer.as_bytes()).unwrap(), expected, "{answer}");
        }
        assert!(status(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
        assert!(status(b"nonsense\r\n\r\n").is_err());
    }
}
