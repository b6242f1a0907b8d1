//! Bytes to the numbers and strings of gob.

use crate::{Error, Problem};

/// A part of the file that is read from front to back.
#[derive(Clone)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    /// Where `bytes` begins in the file.
    offset: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(file: &'a [u8]) -> Self {
        Self { bytes: file, offset: 0 }
    }

    pub(crate) fn error(&self, problem: Problem) -> Error {
        Error { offset: self.offset, problem }
    }

    pub(crate) fn left(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    fn take(&mut self, length: usize, what: &'static str) -> Result<&'a [u8], Error> {
        let (taken, rest) =
            self.bytes.split_at_checked(length).ok_or_else(|| self.error(Problem::End(what)))?;
        self.bytes = rest;
        self.offset += length;
        Ok(taken)
    }

    /// An unsigned number: one byte below 128, or the negated count of the bytes that follow, most significant first.
    pub(crate) fn uint(&mut self) -> Result<u64, Error> {
        let start = self.clone();
        let first = self.take(1, "number")?.first().copied().unwrap_or_default();
        if first < 0x80 {
            return Ok(u64::from(first));
        }
        let length = first.wrapping_neg();
        if length > 8 {
            return Err(start.error(Problem::Number(length)));
        }
        let bytes = self.take(usize::from(length), "number")?;
        Ok(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    /// A signed number: bit 0 says that the rest is complemented.
    pub(crate) fn int(&mut self) -> Result<i64, Error> {
        let number = self.uint()?;
        let magnitude = (number >> 1) as i64;
        Ok(if number & 1 == 1 { !magnitude } else { magnitude })
    }

    /// A length, and so many bytes, to be read for themselves.
    pub(crate) fn part(&mut self, what: &'static str) -> Result<Self, Error> {
        let start = self.clone();
        let announced = self.uint()?;
        let left = self.left();
        let length = usize::try_from(announced).ok().filter(|length| *length <= left);
        let length = length.ok_or_else(|| start.error(Problem::TooLong { what, announced, left }))?;
        let offset = self.offset;
        Ok(Self { bytes: self.take(length, what)?, offset })
    }

    /// A length, and so many bytes.
    pub(crate) fn bytes(&mut self, what: &'static str) -> Result<&'a [u8], Error> {
        Ok(self.part(what)?.bytes)
    }

    /// A length, and a text of so many bytes.
    pub(crate) fn text(&mut self, what: &'static str) -> Result<String, Error> {
        let part = self.part(what)?;
        let text = std::str::from_utf8(part.bytes).map_err(|_| part.error(Problem::NotUtf8(what)))?;
        Ok(text.to_owned())
    }

    /// How many entries follow. Each takes a byte at least, so more than there are bytes cannot be.
    pub(crate) fn count(&mut self, what: &'static str) -> Result<u64, Error> {
        let start = self.clone();
        let announced = self.uint()?;
        let left = self.left();
        if announced > left as u64 {
            return Err(start.error(Problem::TooMany { what, announced, left }));
        }
        Ok(announced)
    }

    /// The fields of a struct, each told by how far its number is from the one before. `read` takes the value of the
    /// field with that number.
    pub(crate) fn fields(
        &mut self,
        mut read: impl FnMut(&mut Self, u64) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut next: u64 = 0;
        loop {
            let start = self.clone();
            let delta = self.uint()?;
            let Some(skipped) = delta.checked_sub(1) else { return Ok(()) };
            let number = next.checked_add(skipped).filter(|number| *number < u64::MAX);
            let number =
                number.ok_or_else(|| start.error(Problem::UnknownField { number: delta, fields: 0 }))?;
            read(self, number)?;
            next = number + 1;
        }
    }
}
