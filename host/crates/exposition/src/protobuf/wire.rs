//! Bytes to fields.
//! <https://protobuf.dev/programming-guides/encoding/>

use crate::protobuf::Problem;
use crate::protobuf::error::Fault;
use crate::{Bound, Limits};

/// Groups in groups that are skipped. Nothing known has any.
const MAX_DEPTH: u32 = 100;
/// The largest number that a field can have.
const MAX_FIELD: u64 = (1 << 29) - 1;

/// What is left of a message. Every step stays inside it.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    /// Where the rest begins in the body.
    offset: usize,
}

/// A field of a message, with its number.
pub(super) type Field<'a> = (u32, Wire<'a>);

/// The value of a field, by how it is written.
pub(super) enum Wire<'a> {
    Varint(u64),
    Fixed64(u64),
    Fixed32,
    /// A message, a text, or numbers without tags between them.
    Bytes(Reader<'a>),
    Group,
}

impl<'a> Reader<'a> {
    pub(super) fn new(body: &'a [u8]) -> Self {
        Self { rest: body, offset: 0 }
    }

    /// What is left.
    pub(super) fn bytes(&self) -> &'a [u8] {
        self.rest
    }

    /// A problem at this place.
    #[cold]
    pub(super) fn fault(&self, problem: Problem) -> Fault {
        Fault { offset: self.offset, problem }
    }

    /// Whether there may be so much of something at this place.
    #[inline]
    pub(super) fn check(&self, limits: &Limits, bound: Bound, length: usize) -> Result<(), Fault> {
        limits.check(bound, length).map_err(|over| self.fault(over.into()))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next field, until the message ends. Fields come in any order and number.
    #[inline]
    pub(super) fn field(&mut self) -> Result<Option<Field<'a>>, Fault> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let (number, kind) = self.tag()?;
        if kind == 4 {
            return Err(self.fault(Problem::EndGroup(number)));
        }
        Ok(Some((number, self.value(number, kind, 0)?)))
    }

    /// A field's number and how its value is written.
    #[inline]
    fn tag(&mut self) -> Result<(u32, u8), Fault> {
        let tag = self.varint()?;
        let number = tag >> 3;
        if number == 0 || number > MAX_FIELD {
            return Err(self.fault(Problem::FieldNumber(number)));
        }
        Ok((number as u32, (tag & 7) as u8))
    }

    #[inline]
    fn value(&mut self, number: u32, kind: u8, depth: u32) -> Result<Wire<'a>, Fault> {
        Ok(match kind {
            0 => Wire::Varint(self.varint()?),
            1 => Wire::Fixed64(self.fixed64()?),
            2 => Wire::Bytes(self.delimited()?),
            3 => {
                self.skip_group(number, depth)?;
                Wire::Group
            }
            5 => {
                self.take(4)?;
                Wire::Fixed32
            }
            _ => return Err(self.fault(Problem::WireType(kind))),
        })
    }

    fn skip_group(&mut self, number: u32, depth: u32) -> Result<(), Fault> {
        if depth == MAX_DEPTH {
            return Err(self.fault(Problem::TooDeep(MAX_DEPTH)));
        }
        loop {
            match self.tag()? {
                (end, 4) if end == number => return Ok(()),
                (end, 4) => return Err(self.fault(Problem::EndGroup(end))),
                (inner, kind) => self.value(inner, kind, depth + 1)?,
            };
        }
    }

    /// A length, and so many bytes.
    #[inline]
    pub(super) fn delimited(&mut self) -> Result<Self, Fault> {
        let length = self.varint()?;
        let offset = self.offset;
        Ok(Self { rest: self.take(length)?, offset })
    }

    /// An integer, seven bits to a byte, the lowest first.
    #[inline]
    pub(super) fn varint(&mut self) -> Result<u64, Fault> {
        let mut number = 0;
        for (at, &byte) in self.rest.iter().enumerate() {
            if at == 9 && byte > 1 {
                return Err(self.fault(Problem::VarintOverflow));
            }
            number |= u64::from(byte & 0x7f) << (7 * at);
            if byte < 0x80 {
                self.take(at as u64 + 1)?;
                return Ok(number);
            }
        }
        Err(self.fault(Problem::UnexpectedEnd))
    }

    pub(super) fn fixed64(&mut self) -> Result<u64, Fault> {
        Ok(self.take(8)?.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte)))
    }

    #[inline]
    fn take(&mut self, announced: u64) -> Result<&'a [u8], Fault> {
        let length = usize::try_from(announced).unwrap_or(usize::MAX);
        let Some((taken, rest)) = self.rest.split_at_checked(length) else {
            return Err(self.fault(Problem::Truncated { announced, left: self.rest.len() }));
        };
        self.rest = rest;
        self.offset += length;
        Ok(taken)
    }
}

/// The number of a `double` field. There is one NaN and one zero, as in the text that is stored.
pub(super) fn double(bits: u64) -> f64 {
    let number = f64::from_bits(bits);
    if number.is_nan() { f64::NAN } else { number + 0.0 }
}

/// The integer of a `sint32` field, in which small numbers of either sign are short. What does not fit is cut.
pub(super) fn zigzag32(number: u64) -> i32 {
    zigzag(u64::from(number as u32)) as i32
}

/// The integer of a `sint64` field.
pub(super) fn zigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints() {
        let check = |bytes: &[u8], expected: Result<u64, Problem>| {
            let number = Reader::new(bytes).varint().map_err(|fault| fault.problem);
            assert_eq!(number, expected, "{bytes:?}");
        };
        check(&[0], Ok(0));
        check(&[0x96, 0x01], Ok(150));
        check(&[0x80, 0x00], Ok(0));
        check(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], Ok(u64::MAX));
        check(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02], Err(Problem::VarintOverflow));
        check(&[0x80; 11], Err(Problem::VarintOverflow));
        check(&[0x80], Err(Problem::UnexpectedEnd));
        check(&[], Err(Problem::UnexpectedEnd));
    }

    #[test]
    fn fields() {
        let check = |bytes: &[u8], expected: Result<Option<u32>, Problem>| {
            let field = Reader::new(bytes).field().map_err(|fault| fault.problem);
            let field = field.map(|field| field.map(|(number, _)| number));
            assert_eq!(field, expected, "{bytes:?}");
        };
        check(&[], Ok(None));
        check(&[0x08, 1], Ok(Some(1)));
        check(&[0x0a, 1, 7], Ok(Some(1)));
        check(&[0x0a, 2, 7], Err(Problem::Truncated { announced: 2, left: 1 }));
        check(&[0x09, 0, 0], Err(Problem::Truncated { announced: 8, left: 2 }));
        check(&[0x0d, 0, 0], Err(Problem::Truncated { announced: 4, left: 2 }));
        check(&[0x00], Err(Problem::FieldNumber(0)));
        check(&[0xfa, 0xff, 0xff, 0xff, 0x0f, 0], Ok(Some((1 << 29) - 1)));
        check(&[0x80, 0x80, 0x80, 0x80, 0x10], Err(Problem::FieldNumber(1 << 29)));
        check(&[0x0e], Err(Problem::WireType(6)));
        check(&[0x0c], Err(Problem::EndGroup(1)));
        check(&[0x0b, 0x10, 5, 0x0c], Ok(Some(1)));
        check(&[0x0b, 0x13, 0x14, 0x0c], Ok(Some(1)));
        check(&[0x0b, 0x14], Err(Problem::EndGroup(2)));
        check(&[0x0b, 0x10, 5], Err(Problem::UnexpectedEnd));
        check(&[0x0b; 5000], Err(Problem::TooDeep(MAX_DEPTH)));
    }

    #[test]
    fn signed_integers() {
        for (wire, number) in
            [(0, 0), (1, -1), (2, 1), (3, -2), (u64::MAX, i64::MIN), (u64::MAX - 1, i64::MAX)]
        {
            assert_eq!(zigzag(wire), number);
        }
        assert_eq!((zigzag32(105), zigzag32(1 << 40 | 1)), (-53, -1));
    }
}
