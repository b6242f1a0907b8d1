//! Bytes to records.

use std::io::{self, Read};

use bytes::{Buf as _, Bytes};

use crate::record::{Numbered, Outcome, Policy, Record};
use crate::{FRAME, HEADER};

/// Reads one record after the other. What cannot be read is the last thing that it gives.
#[derive(Debug)]
pub struct Reader<R> {
    input: R,
    /// Where the next record begins.
    at: u64,
    done: bool,
}

/// Why a capture cannot be read, or not further.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is something else.
    #[error("this is no capture of pushgate's")]
    NoCapture,
    /// Another version of the format.
    #[error("it is a capture of version {0}, and this pushgate reads version 1")]
    Version(u32),
    /// The last record is not whole: its writer was killed, or is still writing.
    #[error("the record at byte {at} is not whole")]
    Torn {
        /// Where it begins.
        at: u64,
    },
    /// A record is not what was written.
    #[error("the record at byte {at} is damaged")]
    Damaged {
        /// Where it begins.
        at: u64,
    },
}

impl<R: Read> Reader<R> {
    /// A reader of the records that follow the header.
    ///
    /// # Errors
    /// When the file cannot be read, or does not begin as a capture.
    pub fn new(mut input: R) -> Result<Self, ReadError> {
        let header = read(&mut input, HEADER.len() as u64)?;
        let (name, version) = HEADER.split_at(HEADER.len() - 4);
        match header.strip_prefix(name).map(<[u8; 4]>::try_from) {
            Some(Ok(read)) if read == version => Ok(Self { input, at: HEADER.len() as u64, done: false }),
            Some(Ok(read)) => Err(ReadError::Version(u32::from_le_bytes(read))),
            _ => Err(ReadError::NoCapture),
        }
    }

    fn record(&mut self) -> Result<Option<Record>, ReadError> {
        let at = self.at;
        let frame = read(&mut self.input, FRAME as u64)?;
        if frame.is_empty() {
            return Ok(None);
        }
        let mut frame = Fields(frame.into());
        let frame = frame.number().zip(frame.checksum());
        let (length, checksum) = frame.ok_or(ReadError::Torn { at })?;
        let payload = read(&mut self.input, length)?;
        if (payload.len() as u64) < length {
            return Err(ReadError::Torn { at });
        }
        self.at += FRAME as u64 + length;
        let intact = crc32fast::hash(&payload) == checksum;
        let mut fields = Fields(payload.into());
        let record = intact.then(|| fields.record()).flatten().filter(|_| fields.0.is_empty());
        record.ok_or(ReadError::Damaged { at }).map(Some)
    }
}

impl<R: Read> Iterator for Reader<R> {
    type Item = Result<Record, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let read = self.record();
        self.done = !matches!(read, Ok(Some(_)));
        read.transpose()
    }
}

/// So many bytes, or as many as there are. Memory is taken for what is there, whatever is announced.
fn read(input: &mut impl Read, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input.by_ref().take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// What is left of a record. `None` is what does not fit the format.
struct Fields(Bytes);

impl Fields {
    fn record(&mut self) -> Option<Record> {
        Some(Record {
            id: self.text()?,
            received_ms: self.number()? as i64,
            method: self.variant()?,
            format: self.variant()?,
            key: self.list(Self::pair)?,
            attributes: self.list(Self::pair)?,
            body: self.bytes()?,
            outcome: Outcome {
                end: self.variant()?,
                policies: self.list(Self::policy)?,
                edited: {
                    let mut edited = self.list(Self::text)?;
                    let last = edited.pop();
                    if edited.is_empty() { last } else { return None }
                },
            },
        })
    }

    fn policy(&mut self) -> Option<Policy> {
        Some(Policy {
            name: self.text()?,
            enforces: self.variant()?,
            step: self.variant()?,
            codes: self.list(Self::text)?,
            fuel: self.number()?,
        })
    }

    fn pair(&mut self) -> Option<(String, String)> {
        Some((self.text()?, self.text()?))
    }

    /// Each element takes bytes, so a list is no longer than what is left of the record.
    fn list<T>(&mut self, element: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let length = self.number()?;
        (0..length).map(|_| element(self)).collect()
    }

    fn text(&mut self) -> Option<String> {
        String::from_utf8(self.bytes()?.into()).ok()
    }

    fn bytes(&mut self) -> Option<Bytes> {
        let length = usize::try_from(self.number()?).ok()?;
        (length <= self.0.len()).then(|| self.0.split_to(length))
    }

    fn variant<T: Numbered>(&mut self) -> Option<T> {
        T::of(self.0.try_get_u8().ok()?)
    }

    fn checksum(&mut self) -> Option<u32> {
        self.0.try_get_u32_le().ok()
    }

    fn number(&mut self) -> Option<u64> {
        self.0.try_get_u64_le().ok()
    }
}
