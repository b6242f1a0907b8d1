//! Bytes to gob's numbers and strings.

use crate::{Problem, ReadError};

/// A place in a file, or in one message of it. Every step stays inside and says at which byte of the file it
/// could not.
#[derive(Clone)]
pub(crate) struct Cursor<'a> {
    /// The file from its first byte to where this cursor ends, so that places are those in the file.
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.left() == 0
    }

    /// How many bytes follow.
    fn left(&self) -> usize {
        self.bytes.len().saturating_sub(self.at)
    }

    /// The error of what comes next.
    pub(crate) fn fail<T>(&self, problem: Problem) -> Result<T, ReadError> {
        Err(ReadError { offset: self.at, problem })
    }

    /// Refuses what is left behind the end of `what`.
    pub(crate) fn expect_end(&self, what: &'static str) -> Result<(), ReadError> {
        match self.left() {
            0 => Ok(()),
            bytes => self.fail(Problem::ExtraBytes { what, bytes }),
        }
    }

    /// An unsigned number: itself if it is less than 128, else the negated count of the bytes that follow
    /// with it, the highest one first. Go takes leading zeros as well.
    pub(crate) fn uint(&mut self) -> Result<u64, ReadError> {
        match self.number() {
            Ok((number, len)) => {
                self.at += len;
                Ok(number)
            }
            Err(problem) => self.fail(problem),
        }
    }

    /// The number that comes next and how many bytes it has.
    fn number(&self) -> Result<(u64, usize), Problem> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let (&first, rest) = rest.split_first().ok_or(Problem::NumberCutOff)?;
        if first < 128 {
            return Ok((u64::from(first), 1));
        }
        let len = first.wrapping_neg();
        if len > 8 {
            return Err(Problem::NumberTooLong(len));
        }
        let digits = rest.get(..usize::from(len)).ok_or(Problem::NumberCutOff)?;
        let number = digits.iter().fold(0, |number, &digit| number << 8 | u64::from(digit));
        Ok((number, usize::from(len) + 1))
    }

    /// A signed number: its lowest bit says whether the others are to be inverted.
    pub(crate) fn int(&mut self) -> Result<i64, ReadError> {
        let number = self.uint()?;
        let magnitude = (number >> 1).cast_signed();
        Ok(if number & 1 == 1 { !magnitude } else { magnitude })
    }

    /// The bytes of `what`, behind their length.
    pub(crate) fn bytes(&mut self, what: &'static str) -> Result<&'a [u8], ReadError> {
        self.part(what).map(|part| part.bytes.get(part.at..).unwrap_or_default())
    }

    /// `what` as a cursor of its own, behind its length.
    pub(crate) fn part(&mut self, what: &'static str) -> Result<Self, ReadError> {
        let start = self.clone();
        let announced = self.uint()?;
        let left = self.left();
        let Some(len) = usize::try_from(announced).ok().filter(|&len| len <= left) else {
            return start.fail(Problem::Length { what, announced, left });
        };
        let part = Self { bytes: self.bytes.get(..self.at + len).unwrap_or_default(), at: self.at };
        self.at += len;
        Ok(part)
    }

    /// How many entries `what` has. Each takes a byte or more, so there cannot be more than bytes are left,
    /// and reading all of them takes no longer than the file is long.
    pub(crate) fn count(&mut self, what: &'static str) -> Result<usize, ReadError> {
        let start = self.clone();
        let announced = self.uint()?;
        let left = self.left();
        match usize::try_from(announced) {
            Ok(count) if count <= left => Ok(count),
            _ => start.fail(Problem::Count { what, announced, left }),
        }
    }

    /// Goes to the next field of a struct. Fields come in the order of their numbers, each behind its
    /// distance from the one before; a 0 ends the struct. Whether there is such a field, the caller knows.
    pub(crate) fn field(&mut self, before: Option<usize>) -> Result<Option<usize>, ReadError> {
        let distance = self.uint()?;
        let distance = usize::try_from(distance).unwrap_or(usize::MAX);
        // The first field has the number 0 and the distance 1.
        Ok(match before {
            _ if distance == 0 => None,
            None => Some(distance - 1),
            Some(before) => Some(before.saturating_add(distance)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsigned_numbers() {
        let check = |bytes: &[u8], expected: Result<u64, Problem>| {
            let mut cursor = Cursor::new(bytes);
            let found = cursor.uint();
            assert_eq!(found.is_ok(), cursor.is_at_end(), "{bytes:x?}");
            assert_eq!(found.map_err(|error| error.problem), expected, "{bytes:x?}");
        };
        check(&[0], Ok(0));
        check(&[0x7f], Ok(127));
        check(&[0xff, 0x80], Ok(128));
        check(&[0xfe, 0x01, 0x00], Ok(256));
        check(&[0xf8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], Ok(u64::MAX));
        check(&[0xf8, 0, 0, 0, 0, 0, 0, 0, 7], Ok(7)); // Leading zeros, which the writer uses.
        check(&[0xf7, 0, 0, 0, 0, 0, 0, 0, 0, 7], Err(Problem::NumberTooLong(9)));
        check(&[0x80], Err(Problem::NumberTooLong(128)));
        check(&[0xfe, 0x01], Err(Problem::NumberCutOff));
        assert_eq!(Cursor::new(&[]).uint().unwrap_err().problem, Problem::NumberCutOff);
    }

    #[test]
    fn signed_numbers() {
        let check = |bytes: &[u8], expected| assert_eq!(Cursor::new(bytes).int(), Ok(expected), "{bytes:x?}");
        check(&[0], 0);
        check(&[1], -1);
        check(&[2], 1);
        check(&[0xff, 0x80], 64);
        check(&[0xff, 0x81], -65);
        check(&[0xf8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], i64::MIN);
        check(&[0xf8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe], i64::MAX);
    }

    #[test]
    fn a_length_is_not_believed() {
        let mut cursor = Cursor::new(&[0, 3, b'a', b'b']);
        cursor.uint().unwrap();
        let error = cursor.bytes("a name").unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot read the persistence file at byte 1: a name announces 3 bytes, but only 2 are left",
        );
        let error = Cursor::new(&[0xf8, 255, 255, 255, 255, 255, 255, 255, 255]).count("a map").unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot read the persistence file at byte 0: \
             a map announces 18446744073709551615 entries, but only 0 bytes are left",
        );
    }

    #[test]
    fn field_numbers() {
        let check = |bytes: &[u8], before, expected| {
            assert_eq!(Cursor::new(bytes).field(before).ok(), expected, "{bytes:x?} {before:?}");
        };
        check(&[1], None, Some(Some(0)));
        check(&[1], Some(0), Some(Some(1)));
        check(&[3], Some(1), Some(Some(4)));
        check(&[0], None, Some(None));
        check(&[0], Some(1), Some(None));
        let most = [0xf8, 255, 255, 255, 255, 255, 255, 255, 255];
        check(&most, None, Some(Some(usize::MAX - 1)));
        check(&most, Some(7), Some(Some(usize::MAX)));
        check(&[], None, None);
    }
}
