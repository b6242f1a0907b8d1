//! A small HTTP/1.1 client that sends exactly what a test wants, paths and headers that a real client would
//! never send included.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use crate::poll::PATIENCE;

/// A request to be sent; each is a connection of its own.
#[derive(Debug, Clone)]
pub struct Request {
    address: SocketAddr,
    head: String,
    body: Vec<u8>,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The headers in the order received, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, with the chunks joined; not decompressed.
    pub body: Vec<u8>,
}

impl Request {
    /// A request without a body. The path goes out as it is.
    pub fn new(address: SocketAddr, method: &str, path: &str) -> Self {
        Self::with_line(address, &format!("{method} {path} HTTP/1.1"))
    }

    /// A request without a body, whose first line goes out as it is.
    pub fn with_line(address: SocketAddr, line: &str) -> Self {
        let head = format!("{line}\r\nHost: {address}\r\nConnection: close\r\n");
        Self { address, head, body: Vec::new() }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        write!(self.head, "{name}: {value}\r\n").unwrap();
        self
    }

    /// Adds a body, and its length.
    #[must_use]
    pub fn body(self, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        let length = body.len().to_string();
        self.framed_body(body).header("Content-Length", &length)
    }

    /// Adds a body about whose length the headers say something already.
    #[must_use]
    pub fn framed_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends it and reads the whole answer.
    pub fn send(self) -> Response {
        self.try_send().unwrap_or_else(|failure| panic!("{failure}"))
    }

    /// Sends it and reads the whole answer, or tells that there was none.
    ///
    /// # Errors
    /// When there is no connection, or it is closed before the answer is whole.
    pub fn try_send(self) -> Result<Response, String> {
        let broken = |error: std::io::Error| format!("{error}, on the way to:\n{}", self.head);
        let mut connection = TcpStream::connect(self.address).map_err(broken)?;
        connection.set_read_timeout(Some(PATIENCE)).map_err(broken)?;
        connection.set_write_timeout(Some(PATIENCE)).map_err(broken)?;
        connection.write_all(self.head.as_bytes()).map_err(broken)?;
        connection.write_all(b"\r\n").map_err(broken)?;
        // A server may refuse a body before it has read it all; its answer says more than the broken pipe.
        let sent = connection.write_all(&self.body);
        let mut answer = Vec::new();
        let received = receive(&mut connection, &mut answer);
        let method = self.head.split(' ').next().unwrap_or_default();
        Response::parse(method, &answer).ok_or_else(|| {
            let length = answer.len();
            format!("no answer (sent: {sent:?}, received: {received:?}, {length} bytes) to:\n{}", self.head)
        })
    }
}

impl Response {
    fn parse(method: &str, answer: &[u8]) -> Option<Self> {
        let end_of_head = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
        let head = std::str::from_utf8(&answer[..end_of_head]).ok()?;
        let body = &answer[end_of_head + 4..];
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        if (100..200).contains(&status) {
            // "100 Continue" says that the answer is still to come.
            return Self::parse(method, body);
        }
        let headers = lines
            .map(|line| {
                let (name, value) = line.split_once(':')?;
                Some((name.to_ascii_lowercase(), value.trim().to_owned()))
            })
            .collect::<Option<Vec<_>>>()?;
        let mut response = Self { status, headers, body: Vec::new() };
        response.body = if method == "HEAD" {
            Vec::new()
        } else if response.header("transfer-encoding") == Some("chunked") {
            dechunk(body)?
        } else if let Some(length) = response.header("content-length") {
            body.get(..length.parse().ok()?)?.to_vec()
        } else {
            body.to_vec()
        };
        Some(response)
    }

    /// The first header of that name, given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(candidate, _)| candidate == name).map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the body is text")
    }

    /// Checks the status, and shows the body when it is another one.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        self
    }
}

/// Reads until the server closes, or until as much has come as it has announced: not every server closes when it is
/// asked to.
fn receive(connection: &mut TcpStream, answer: &mut Vec<u8>) -> std::io::Result<()> {
    let mut buffer = vec![0; 64 << 10];
    while !is_whole(answer) {
        match connection.read(&mut buffer)? {
            0 => break,
            length => answer.extend_from_slice(&buffer[..length]),
        }
    }
    Ok(())
}

/// Whether an answer with a length has come as a whole.
fn is_whole(answer: &[u8]) -> bool {
    let announces = |line: &[u8]| line.to_ascii_lowercase().starts_with(b"content-length:");
    let head = answer.windows(4).position(|window| window == b"\r\n\r\n").map(|end| &answer[..end]);
    let has_length = head.is_some_and(|head| head.split(|&byte| byte == b'\n').any(announces));
    has_length && Response::parse("", answer).is_some()
}

/// Joins the chunks of a chunked body. `None` when one is cut off.
fn dechunk(mut body: &[u8]) -> Option<Vec<u8>> {
    let mut whole = Vec::new();
    loop {
        let end_of_line = body.windows(2).position(|window| window == b"\r\n")?;
        let length = std::str::from_utf8(&body[..end_of_line]).ok()?;
        let length = usize::from_str_radix(length.split(';').next()?.trim(), 16).ok()?;
        if length == 0 {
            return Some(whole);
        }
        let chunk = body.get(end_of_line + 2..end_of_line + 2 + length)?;
        whole.extend_from_slice(chunk);
        body = body.get(end_of_line + 2 + length + 2..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_by_length_by_chunks_and_to_the_end() {
        let cases = [
            ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabc", Some("ab")),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
                Some("abc"),
            ),
            ("HTTP/1.1 200 OK\r\n\r\nabc", Some("abc")),
            ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\nabc", Some("abc")),
            ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", None),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", None),
            ("", None),
        ];
        for (answer, expected) in cases {
            let body = Response::parse("GET", answer.as_bytes()).map(|response| response.text().to_owned());
            assert_eq!(body.as_deref(), expected, "{answer:?}");
        }
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n";
        assert_eq!(Response::parse("HEAD", answer).map(|response| response.status), Some(200), "to HEAD");
    }
}
