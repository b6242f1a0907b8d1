//! Bytes to tokens.

use std::borrow::Cow;

use memchr::{memchr, memchr2, memchr3};

use crate::text::{Problem, quote};

/// A place in a body. Every step stays inside it; the end of the body is a [`Problem`] wherever
/// something must follow.
pub(crate) struct Cursor<'a> {
    body: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(body: &'a [u8]) -> Self {
        Self { body, at: 0 }
    }

    /// The next byte, if there is one.
    #[inline]
    pub(crate) fn next(&self) -> Option<u8> {
        self.body.get(self.at).copied()
    }

    /// The next byte, where there must be one.
    #[inline]
    pub(crate) fn peek(&self) -> Result<u8, Problem> {
        // Not `ok_or`: a problem that is made and dropped for each byte costs more than the byte.
        let Some(next) = self.next() else { return Err(Problem::UnexpectedEnd) };
        Ok(next)
    }

    /// The next character, for a message.
    pub(crate) fn char(&self) -> char {
        String::from_utf8_lossy(self.rest().get(..4).unwrap_or(self.rest()))
            .chars()
            .next()
            .unwrap_or_default()
    }

    /// What is left of the body.
    #[inline]
    pub(crate) fn rest(&self) -> &'a [u8] {
        &self.body[self.at.min(self.body.len())..]
    }

    /// Goes one byte on.
    #[inline]
    pub(crate) fn bump(&mut self) {
        self.at += 1;
    }

    /// Takes the next `len` bytes.
    #[inline]
    pub(crate) fn take(&mut self, len: usize) -> &'a [u8] {
        let (token, _) = self.rest().split_at_checked(len).unwrap_or((self.rest(), b""));
        self.at += token.len();
        token
    }

    /// Takes a metric's name if just that one comes next, before a brace or a blank.
    #[inline]
    pub(crate) fn take_name(&mut self, name: &[u8]) -> bool {
        let behind = self.rest().strip_prefix(name).and_then(<[u8]>::first);
        let taken = matches!(behind, Some(b'{' | b' '));
        if taken {
            self.at += name.len();
        }
        taken
    }

    /// Takes those bytes if they come next.
    #[inline]
    pub(crate) fn take_if(&mut self, bytes: &[u8]) -> bool {
        let taken = self.rest().starts_with(bytes);
        if taken {
            self.at += bytes.len();
        }
        taken
    }

    /// Takes a label, all of it as it is written, if just that one comes next, and the comma behind it.
    #[inline]
    pub(crate) fn take_label(&mut self, label: &[u8]) -> bool {
        let behind = self.rest().strip_prefix(label).and_then(<[u8]>::first);
        match behind {
            Some(b',') => self.at += label.len() + 1,
            Some(b'}') => self.at += label.len(),
            _ => return false,
        }
        true
    }

    /// How many bytes that come next are those from `at` on, which is before this place; of these no more than up to here.
    #[inline]
    pub(crate) fn common_with(&self, at: usize) -> usize {
        const WORD: usize = size_of::<u64>();
        let (before, next) = (self.since(at), self.rest());
        let word = |bytes: &[u8; WORD]| u64::from_le_bytes(*bytes);
        let (words, others) = (before.as_chunks().0, next.as_chunks().0);
        let pairs = words.iter().zip(others);
        let mut common = 0;
        for (one, other) in pairs {
            let differs = word(one) ^ word(other);
            if differs != 0 {
                return common + differs.trailing_zeros() as usize / 8;
            }
            common += WORD;
        }
        let rest = before.iter().zip(next).skip(common);
        common + rest.take_while(|(one, other)| one == other).count()
    }

    /// Where it stands.
    #[inline]
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// What was taken since it stood there.
    #[inline]
    pub(crate) fn since(&self, at: usize) -> &'a [u8] {
        self.body.get(at..self.at).unwrap_or_default()
    }

    /// Skips blanks and tabs.
    #[inline]
    pub(crate) fn skip_blanks(&mut self) {
        while self.next().is_some_and(is_blank) {
            self.at += 1;
        }
    }

    /// Takes what stands before the next blank, tab or line feed.
    #[inline]
    pub(crate) fn word(&mut self) -> Result<&'a [u8], Problem> {
        let rest = self.rest();
        let Some(end) = rest.iter().position(|&byte| byte == b'\n' || is_blank(byte)) else {
            return Err(Problem::UnexpectedEnd);
        };
        self.at += end;
        Ok(&rest[..end])
    }

    /// Takes the rest of the line, and goes past its line feed.
    pub(crate) fn line(&mut self) -> Result<&'a [u8], Problem> {
        let rest = self.rest();
        let end = memchr(b'\n', rest).ok_or(Problem::UnexpectedEnd)?;
        self.at += end + 1;
        Ok(&rest[..end])
    }

    /// Takes a text in double quotes and undoes its escapes: `\\`, `\"` and `\n`.
    #[inline]
    pub(crate) fn quoted(&mut self) -> Result<Cow<'a, [u8]>, Problem> {
        self.bump();
        let rest = self.rest();
        let Some(end) = memchr3(b'"', b'\\', b'\n', rest) else { return Err(Problem::UnexpectedEnd) };
        if rest[end] == b'"' {
            self.at += end + 1;
            return Ok(Cow::Borrowed(&rest[..end]));
        }
        self.quoted_with_escapes().map(Cow::Owned)
    }

    /// Takes a text in double quotes, and leaves its escapes.
    pub(crate) fn quoted_raw(&mut self) -> Result<&'a [u8], Problem> {
        self.bump();
        let rest = self.rest();
        let mut end = 0;
        loop {
            let behind = rest.get(end..).ok_or(Problem::UnexpectedEnd)?;
            end += memchr2(b'"', b'\\', behind).ok_or(Problem::UnexpectedEnd)?;
            if rest[end] == b'"' {
                self.at += end + 1;
                return Ok(&rest[..end]);
            }
            end += 2;
        }
    }

    #[cold]
    fn quoted_with_escapes(&mut self) -> Result<Vec<u8>, Problem> {
        let mut text = Vec::new();
        loop {
            let end = memchr3(b'"', b'\\', b'\n', self.rest()).ok_or(Problem::UnexpectedEnd)?;
            text.extend_from_slice(self.take(end));
            match self.peek()? {
                b'"' => {
                    self.bump();
                    return Ok(text);
                }
                b'\n' => return Err(Problem::NewLineInLabelValue(quote(&text))),
                _ => {
                    self.bump();
                    text.push(unescape(self.peek()?).ok_or_else(|| Problem::InvalidEscape(self.char()))?);
                    self.bump();
                }
            }
        }
    }
}

#[inline]
pub(crate) fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// What the byte behind a backslash stands for.
pub(crate) fn unescape(byte: u8) -> Option<u8> {
    match byte {
        b'\\' | b'"' => Some(byte),
        b'n' => Some(b'\n'),
        _ => None,
    }
}
