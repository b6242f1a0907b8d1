//! Bodies of requests.

use std::io::Write as _;

use super::protobuf;

/// The body of a request as a scenario writes it, with the headers that its encodings bring.
#[derive(Debug, Default)]
pub(super) struct Body {
    /// What is encoded already.
    sealed: Vec<u8>,
    /// What was written since.
    open: Vec<u8>,
    headers: Vec<(&'static str, &'static str)>,
    chunked: bool,
}

impl Body {
    /// Takes a line of a scenario, and says whether it is one of a body.
    pub(super) fn read(&mut self, line: &str) -> Result<bool, String> {
        let (mark, rest) = line.split_once(' ').unwrap_or((line, ""));
        match mark {
            "|" => {
                self.open.extend_from_slice(rest.as_bytes());
                self.open.push(b'\n');
            }
            "*" => {
                let (count, text) = rest.split_once(' ').ok_or("expected `* COUNT text`")?;
                for number in 1..=number(count)? {
                    writeln!(self.open, "{}", text.replace("<#>", &number.to_string())).unwrap();
                }
            }
            "@" => self.open.extend(unescape(rest)?),
            "x" => self.open.extend(bytes(rest)?),
            "encode" => self.encode(rest)?,
            "cut" | "flip" => self.damage(mark, number(rest)?)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The bytes to send, and the headers that tell what they are.
    pub(super) fn finish(&self) -> (Vec<u8>, &[(&'static str, &'static str)]) {
        let body = [&self.sealed[..], &self.open].concat();
        if !self.chunked {
            return (body, &self.headers);
        }
        let mut chunks = Vec::new();
        for chunk in body.chunks(3) {
            write!(chunks, "{:x}\r\n", chunk.len()).unwrap();
            chunks.extend_from_slice(chunk);
            chunks.extend_from_slice(b"\r\n");
        }
        chunks.extend_from_slice(b"0\r\n\r\n");
        (chunks, &self.headers)
    }

    /// Whether nothing at all is to be sent, not even a length.
    pub(super) fn is_absent(&self) -> bool {
        self.sealed.is_empty() && self.open.is_empty() && self.headers.is_empty()
    }

    fn encode(&mut self, encoding: &str) -> Result<(), String> {
        if encoding == "chunked" {
            self.chunked = true;
            self.headers.push(("Transfer-Encoding", "chunked"));
            return Ok(());
        }
        let plain = std::mem::take(&mut self.open);
        let (encoded, header) = match encoding {
            "gzip" => (gzip(&plain), ("Content-Encoding", "gzip")),
            "snappy" => (snappy(&plain), ("Content-Encoding", "snappy")),
            "protobuf" => {
                let text = std::str::from_utf8(&plain).map_err(|error| error.to_string())?;
                // It stays open: it may be compressed as well.
                self.open = protobuf::encode(text)?;
                self.headers.push(("Content-Type", protobuf::CONTENT_TYPE));
                return Ok(());
            }
            _ => return Err(format!("`{encoding}` is no encoding")),
        };
        self.sealed.extend(encoded);
        if !self.headers.contains(&header) {
            self.headers.push(header);
        }
        Ok(())
    }

    fn damage(&mut self, how: &str, count: usize) -> Result<(), String> {
        self.sealed.append(&mut self.open);
        let place = self.sealed.len().checked_sub(count).ok_or("the body is shorter than that")?;
        if how == "cut" {
            self.sealed.truncate(place);
        } else {
            *self.sealed.get_mut(place).ok_or("the body is shorter than that")? ^= 1;
        }
        Ok(())
    }
}

fn number(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| format!("`{text}` is no number"))
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn snappy(plain: &[u8]) -> Vec<u8> {
    let mut encoder = snap::write::FrameEncoder::new(Vec::new());
    encoder.write_all(plain).unwrap();
    encoder.into_inner().unwrap()
}

/// Reads `0a ff`; what follows a hash is a comment.
fn bytes(text: &str) -> Result<Vec<u8>, String> {
    let digits = text.split('#').next().unwrap_or_default();
    let byte = |pair| u8::from_str_radix(pair, 16).map_err(|_| format!("`{pair}` is no byte"));
    digits.split_whitespace().map(byte).collect()
}

/// Reads text with the escapes `\n`, `\r`, `\t`, `\"`, `\\` and `\xff`.
pub(super) fn unescape(text: &str) -> Result<Vec<u8>, String> {
    let mut unescaped = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        unescaped.extend_from_slice(before.as_bytes());
        let escape = after.chars().next().unwrap_or_default();
        let mut length = 1;
        unescaped.push(match escape {
            'n' => b'\n',
            'r' => b'\r',
            't' => b'\t',
            '"' => b'"',
            '\\' => b'\\',
            'x' => {
                length = 3;
                let digits = after.get(1..3).ok_or("`\\x` takes two digits")?;
                u8::from_str_radix(digits, 16).map_err(|_| format!("`\\x{digits}` is no byte"))?
            }
            _ => return Err(format!("`\\{escape}` is no escape")),
        });
        rest = &after[length..];
    }
    unescaped.extend_from_slice(rest.as_bytes());
    Ok(unescaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_written_in_pieces() {
        for (rule, lines, expected) in [
            ("lines", &["| a 1", "|", "| b"] as &[_], b"a 1\n\nb\n" as &[u8]),
            ("text as it is", &[r"@ a\\ \x41\xff\n", "@ b"], b"a\\ A\xff\nb"),
            ("bytes", &["x 00 0a # a comment"], b"\0\n"),
            ("many lines", &["* 2 a{n=\"<#>\"} <#>"], b"a{n=\"1\"} 1\na{n=\"2\"} 2\n"),
            ("damage", &["| abc", "cut 2", "flip 1"], b"ac"),
            ("chunks", &["| abcd", "encode chunked"], b"3\r\nabc\r\n2\r\nd\n\r\n0\r\n\r\n"),
        ] {
            let mut body = Body::default();
            for line in lines {
                assert_eq!(body.read(line), Ok(true), "{rule}: {line}");
            }
            assert_eq!(body.finish().0, expected, "{rule}");
        }
    }

    #[test]
    fn each_encoding_takes_what_was_written_since_the_last() {
        let mut body = Body::default();
        for line in ["@ a", "encode gzip", "@ b", "encode gzip", "@ c"] {
            body.read(line).unwrap();
        }
        let (bytes, headers) = body.finish();
        assert_eq!(bytes, [gzip(b"a"), gzip(b"b"), b"c".to_vec()].concat());
        assert_eq!(headers, [("Content-Encoding", "gzip")]);
    }
}
