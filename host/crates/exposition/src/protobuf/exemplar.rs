//! Exemplars, label pairs and times.

use crate::protobuf::error::Fault;
use crate::protobuf::wire::{Reader, Wire, double};
use crate::{Bound, Exemplar, ExemplarOf, Flaw, Limits, Timestamp};

/// A name and a value, as they are written.
pub(super) fn label_pair<'a>(mut pair: Reader<'a>, limits: &Limits) -> Result<(&'a [u8], &'a [u8]), Fault> {
    let (mut name, mut value): (&[u8], &[u8]) = (b"", b"");
    while let Some((number, wire)) = pair.field()? {
        match (number, wire) {
            (1, Wire::Bytes(text)) => {
                text.check(limits, Bound::NameLength, text.bytes().len())?;
                name = text.bytes();
            }
            (2, Wire::Bytes(text)) => {
                text.check(limits, Bound::ValueLength, text.bytes().len())?;
                value = text.bytes();
            }
            _ => {}
        }
    }
    Ok((name, value))
}

/// What was read of a timestamp so far. It may come in parts, as any message that is not repeated.
pub(super) fn timestamp(mut message: Reader<'_>, into: &mut Option<Timestamp>) -> Result<(), Fault> {
    let timestamp = into.get_or_insert_default();
    while let Some((number, wire)) = message.field()? {
        match (number, wire) {
            (1, Wire::Varint(seconds)) => timestamp.seconds = seconds as i64,
            (2, Wire::Varint(nanos)) => timestamp.nanos = nanos as i32,
            _ => {}
        }
    }
    Ok(())
}

/// Why a timestamp is none.
pub(super) fn check_timestamp(timestamp: Option<Timestamp>) -> Result<(), Flaw> {
    match timestamp {
        Some(Timestamp { nanos, .. }) if !(0..1_000_000_000).contains(&nanos) => {
            Err(Flaw::Nanoseconds(nanos))
        }
        _ => Ok(()),
    }
}

/// What was read of an exemplar so far.
#[derive(Default)]
pub(super) struct ExemplarDraft<'a> {
    labels: Vec<(&'a [u8], &'a [u8])>,
    value: f64,
    timestamp: Option<Timestamp>,
}

impl<'a> ExemplarDraft<'a> {
    pub(super) fn read(&mut self, mut message: Reader<'a>, limits: &Limits) -> Result<(), Fault> {
        while let Some((number, wire)) = message.field()? {
            match (number, wire) {
                (1, Wire::Bytes(pair)) => {
                    pair.check(limits, Bound::Labels, self.labels.len() + 1)?;
                    self.labels.push(label_pair(pair, limits)?);
                }
                (2, Wire::Fixed64(bits)) => self.value = double(bits),
                (3, Wire::Bytes(message)) => timestamp(message, &mut self.timestamp)?,
                _ => {}
            }
        }
        Ok(())
    }

    pub(super) fn finish(self, of: ExemplarOf) -> Result<Exemplar, Flaw> {
        check_timestamp(self.timestamp)?;
        let text = |bytes| match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Box::from(text)),
            Err(_) => Err(Flaw::NotUtf8("label of an exemplar")),
        };
        let labels = self.labels.into_iter().map(|(name, value)| Ok((text(name)?, text(value)?)));
        let labels = labels.collect::<Result<_, Flaw>>()?;
        Ok(Exemplar { of, labels, value: self.value, timestamp: self.timestamp })
    }
}
