//! Streams of length-delimited metric families of the protobuf format, as text:
//!
//! ```text
//! family { name: "m" type: GAUGE metric { label { name: "l" value: "v" } gauge { value: 1 } } }
//! ```
//!
//! Fields are written in the order given, as often as given, none is added: what is wrong on purpose can be
//! written, too. A string has the escapes `\n \" \\ \xff`; a type may be a number.

use std::fmt::Write as _;

use super::body::unescape;

/// The media type of these streams.
pub(super) const CONTENT_TYPE: &str =
    "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited";

/// What is in a field.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Double,
    /// A varint.
    Integer,
    /// A varint in zigzag form.
    Signed,
    /// One of [`TYPES`].
    Type,
    Message(&'static [Field]),
}

type Field = (u64, &'static str, Kind);

const TYPES: [&str; 6] = ["COUNTER", "GAUGE", "SUMMARY", "UNTYPED", "HISTOGRAM", "GAUGE_HISTOGRAM"];

const FAMILY: &[Field] = &[
    (1, "name", Kind::Text),
    (2, "help", Kind::Text),
    (3, "type", Kind::Type),
    (4, "metric", Kind::Message(METRIC)),
    (5, "unit", Kind::Text),
];
const METRIC: &[Field] = &[
    (1, "label", Kind::Message(LABEL)),
    (2, "gauge", Kind::Message(VALUE)),
    (3, "counter", Kind::Message(COUNTER)),
    (4, "summary", Kind::Message(SUMMARY)),
    (5, "untyped", Kind::Message(VALUE)),
    (6, "timestamp_ms", Kind::Integer),
    (7, "histogram", Kind::Message(HISTOGRAM)),
];
const LABEL: &[Field] = &[(1, "name", Kind::Text), (2, "value", Kind::Text)];
const VALUE: &[Field] = &[(1, "value", Kind::Double)];
const COUNTER: &[Field] = &[
    (1, "value", Kind::Double),
    (2, "exemplar", Kind::Message(EXEMPLAR)),
    (3, "created_timestamp", Kind::Message(TIMESTAMP)),
];
const QUANTILE: &[Field] = &[(1, "quantile", Kind::Double), (2, "value", Kind::Double)];
const SUMMARY: &[Field] = &[
    (1, "sample_count", Kind::Integer),
    (2, "sample_sum", Kind::Double),
    (3, "quantile", Kind::Message(QUANTILE)),
    (4, "created_timestamp", Kind::Message(TIMESTAMP)),
];
const HISTOGRAM: &[Field] = &[
    (1, "sample_count", Kind::Integer),
    (2, "sample_sum", Kind::Double),
    (3, "bucket", Kind::Message(BUCKET)),
    (4, "sample_count_float", Kind::Double),
    (5, "schema", Kind::Signed),
    (6, "zero_threshold", Kind::Double),
    (7, "zero_count", Kind::Integer),
    (8, "zero_count_float", Kind::Double),
    (9, "negative_span", Kind::Message(SPAN)),
    (10, "negative_delta", Kind::Signed),
    (11, "negative_count", Kind::Double),
    (12, "positive_span", Kind::Message(SPAN)),
    (13, "positive_delta", Kind::Signed),
    (14, "positive_count", Kind::Double),
    (15, "created_timestamp", Kind::Message(TIMESTAMP)),
    (16, "exemplars", Kind::Message(EXEMPLAR)),
];
const BUCKET: &[Field] = &[
    (1, "cumulative_count", Kind::Integer),
    (2, "upper_bound", Kind::Double),
    (3, "exemplar", Kind::Message(EXEMPLAR)),
    (4, "cumulative_count_float", Kind::Double),
];
const SPAN: &[Field] = &[(1, "offset", Kind::Signed), (2, "length", Kind::Integer)];
const EXEMPLAR: &[Field] = &[
    (1, "label", Kind::Message(LABEL)),
    (2, "value", Kind::Double),
    (3, "timestamp", Kind::Message(TIMESTAMP)),
];
const TIMESTAMP: &[Field] = &[(1, "seconds", Kind::Integer), (2, "nanos", Kind::Integer)];
const STREAM: &[Field] = &[(0, "family", Kind::Message(FAMILY))];

/// Writes the stream that the text describes.
pub(super) fn encode(text: &str) -> Result<Vec<u8>, String> {
    let mut rest = text.trim_start();
    let stream = message(&mut rest, STREAM)?;
    if rest.is_empty() { Ok(stream) } else { Err(format!("nothing is open that `{rest}` could close")) }
}

/// Reads fields up to the brace that closes them, or the end.
fn message(rest: &mut &str, fields: &[Field]) -> Result<Vec<u8>, String> {
    let mut encoded = Vec::new();
    while !rest.is_empty() && !rest.starts_with('}') {
        let name = token(rest, |letter| !letter.is_ascii_alphanumeric() && letter != '_');
        let (number, _, kind) = fields
            .iter()
            .find(|(_, other, _)| *other == name)
            .ok_or_else(|| format!("`{name}` is no field here"))?;
        if let Kind::Message(fields) = kind {
            take(rest, "{")?;
            let inner = message(rest, fields)?;
            take(rest, "}")?;
            if *number > 0 {
                varint(&mut encoded, number << 3 | 2);
            }
            varint(&mut encoded, inner.len() as u64);
            encoded.extend(inner);
        } else {
            take(rest, ":")?;
            scalar(&mut encoded, *number, *kind, rest)?;
        }
    }
    Ok(encoded)
}

fn scalar(encoded: &mut Vec<u8>, number: u64, kind: Kind, rest: &mut &str) -> Result<(), String> {
    if matches!(kind, Kind::Text) {
        take(rest, "\"")?;
        let mut escaped = false;
        let end = rest.find(|letter| {
            let ends = letter == '"' && !escaped;
            escaped = letter == '\\' && !escaped;
            ends
        });
        let end = end.ok_or("a string is not closed")?;
        let text = unescape(&rest[..end])?;
        *rest = rest[end + 1..].trim_start();
        varint(encoded, number << 3 | 2);
        varint(encoded, text.len() as u64);
        encoded.extend(text);
        return Ok(());
    }
    let value = token(rest, |letter| letter.is_whitespace() || letter == '}');
    let wrong = || format!("`{value}` is no value");
    if matches!(kind, Kind::Double) {
        varint(encoded, number << 3 | 1);
        encoded.extend(value.parse::<f64>().map_err(|_| wrong())?.to_le_bytes());
        return Ok(());
    }
    let named = TYPES.iter().position(|name| matches!(kind, Kind::Type) && *name == value);
    let value = match named {
        Some(place) => place as i64,
        None => value.parse().map_err(|_| wrong())?,
    };
    varint(encoded, number << 3);
    let is_zigzag = matches!(kind, Kind::Signed);
    varint(encoded, if is_zigzag { (value << 1) ^ (value >> 63) } else { value }.cast_unsigned());
    Ok(())
}

fn token<'t>(rest: &mut &'t str, is_end: impl Fn(char) -> bool) -> &'t str {
    let end = rest.find(is_end).unwrap_or(rest.len());
    let (token, after) = rest.split_at(end);
    *rest = after.trim_start();
    token
}

fn take(rest: &mut &str, what: &str) -> Result<(), String> {
    let after = rest.strip_prefix(what).ok_or_else(|| format!("expected `{what}` before `{rest}`"))?;
    // A string keeps its blanks.
    *rest = if what == "\"" { after } else { after.trim_start() };
    Ok(())
}

fn varint(encoded: &mut Vec<u8>, mut value: u64) {
    while value > 0x7f {
        encoded.push(value as u8 | 0x80);
        value >>= 7;
    }
    encoded.push(value as u8);
}

/// Writes a stream as text, a family a line. `None` when it is none.
pub(super) fn decode(mut stream: &[u8]) -> Option<String> {
    let mut text = String::new();
    while !stream.is_empty() {
        let family = length_delimited(&mut stream)?;
        text.push_str("family {");
        decode_message(&mut text, family, FAMILY)?;
        text.push_str(" }\n");
    }
    Some(text)
}

fn decode_message(text: &mut String, mut message: &[u8], fields: &[Field]) -> Option<()> {
    while !message.is_empty() {
        let key = take_varint(&mut message)?;
        let (_, name, kind) = fields.iter().find(|(number, ..)| *number == key >> 3)?;
        match (kind, key & 7) {
            (Kind::Text, 2) => {
                let bytes = length_delimited(&mut message)?;
                write!(text, " {name}: {:?}", std::str::from_utf8(bytes).ok()?).ok()?;
            }
            (Kind::Message(fields), 2) => {
                let inner = length_delimited(&mut message)?;
                write!(text, " {name} {{").ok()?;
                decode_message(text, inner, fields)?;
                text.push_str(" }");
            }
            (Kind::Double, 1) => {
                let bytes = message.split_off(..8)?;
                write!(text, " {name}: {}", f64::from_le_bytes(bytes.try_into().ok()?)).ok()?;
            }
            (Kind::Double, 2) => {
                for value in length_delimited(&mut message)?.chunks(8) {
                    write!(text, " {name}: {}", f64::from_le_bytes(value.try_into().ok()?)).ok()?;
                }
            }
            (Kind::Integer | Kind::Signed | Kind::Type, 0) => {
                write_integer(text, name, *kind, take_varint(&mut message)?)?;
            }
            (Kind::Integer | Kind::Signed, 2) => {
                let mut packed = length_delimited(&mut message)?;
                while !packed.is_empty() {
                    write_integer(text, name, *kind, take_varint(&mut packed)?)?;
                }
            }
            _ => return None,
        }
    }
    Some(())
}

fn write_integer(text: &mut String, name: &str, kind: Kind, value: u64) -> Option<()> {
    let signed = (value >> 1).cast_signed() ^ -(value & 1).cast_signed();
    match kind {
        Kind::Type => write!(text, " {name}: {}", TYPES.get(usize::try_from(value).ok()?)?).ok(),
        Kind::Signed => write!(text, " {name}: {signed}").ok(),
        _ => write!(text, " {name}: {value}").ok(),
    }
}

fn length_delimited<'b>(bytes: &mut &'b [u8]) -> Option<&'b [u8]> {
    let length = usize::try_from(take_varint(bytes)?).ok()?;
    bytes.split_off(..length)
}

fn take_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for place in 0..10 {
        let byte = *bytes.split_off_first()?;
        value |= u64::from(byte & 0x7f) << (place * 7);
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_become_a_stream() {
        let text = r#"family { name: "m" type: GAUGE
            metric { label { name: "l" value: "\xff}" } gauge { value: 1 } timestamp_ms: 300 } }"#;
        let expected = b"\x1e\x0a\x01m\x18\x01\x22\x17\x0a\x07\x0a\x01l\x12\x02\xff}\x12\x09\x09\0\0\0\0\0\0\xf0\x3f\x30\xac\x02";
        assert_eq!(encode(text).unwrap(), expected);
        assert_eq!(encode("").unwrap(), b"");
    }

    #[test]
    fn what_is_written_is_read_again() {
        for text in [
            r#"family { name: "a\"b" help: "x" unit: "s" type: COUNTER metric { counter { value: -0.5 } } }"#,
            r#"family { type: HISTOGRAM metric { histogram { schema: -3 positive_span { offset: -2 length: 1 } positive_delta: -7 positive_delta: 8 } } }"#,
        ] {
            let stream = [encode(text).unwrap(), encode(text).unwrap()].concat();
            assert_eq!(decode(&stream).unwrap(), format!("{text}\n{text}\n"));
            assert_eq!(decode(&stream[..stream.len() - 1]), None, "{text}");
        }
    }

    #[test]
    fn mistakes_are_told() {
        for (text, part) in [
            ("family { nome: \"m\" }", "`nome` is no field"),
            ("family { name: m }", "expected `\"`"),
            ("family { name: \"m }", "not closed"),
            ("family {", "expected `}`"),
            ("family { } }", "nothing is open"),
            ("family { metric { gauge { value: one } } }", "`one` is no value"),
        ] {
            let message = encode(text).expect_err(text);
            assert!(message.contains(part), "{text}: {message}");
        }
    }
}
