//! The protobuf text format, for people who look at a scrape in protobuf.
//! <https://protobuf.dev/reference/protobuf/textformat-spec/>
//!
//! What is shown is the delimited stream that a scrape would be otherwise, walked along a table of the schema, so that
//! there is one encoder and no model. It looks like Go's `prototext`, but for the blanks that Go doubles at random.

use std::fmt::Write as _;

use crate::protobuf::error::Fault;
use crate::protobuf::wire::{Reader, Wire, zigzag, zigzag32};
use crate::text::number;

/// How the messages are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// A line for each message of the stream.
    Compact,
    /// A line for each field, and an empty one behind each message of the stream.
    Indented,
}

/// Shows a stream of families, each behind its length, as [`FamilyEncoder`](crate::protobuf::FamilyEncoder) writes it.
/// In another stream, fields that are not of the schema are left out, and so is all from a place that cannot be
/// decoded.
///
/// ```
/// # use pushgate_exposition::protobuf::{Layout, to_text};
/// assert_eq!(to_text(b"\x05\x0a\x01a\x18\x01", Layout::Compact), "name:\"a\" type:GAUGE\n");
/// ```
pub fn to_text(delimited: &[u8], layout: Layout) -> String {
    let mut writer = Writer { out: String::with_capacity(2 * delimited.len()), layout, depth: 0 };
    // All that can go wrong is that the stream ends too early.
    let _ = writer.families(Reader::new(delimited));
    writer.out
}

struct Writer {
    out: String,
    layout: Layout,
    /// How many messages a field is in, beside the family.
    depth: usize,
}

impl Writer {
    fn families(&mut self, mut stream: Reader<'_>) -> Result<(), Fault> {
        while !stream.is_empty() {
            let fields = known_fields(FAMILY, stream.delimited()?)?;
            self.fields(FAMILY, fields)?;
            self.out.push('\n');
        }
        Ok(())
    }

    fn fields(&mut self, schema: Schema, fields: Vec<(usize, Wire<'_>)>) -> Result<(), Fault> {
        for (place, wire) in fields {
            let (_, name, shape) = schema[place];
            match (shape, wire) {
                (Shape::Message(schema), Wire::Bytes(message)) => {
                    self.begin(name);
                    self.message(schema, message)?;
                    self.end();
                }
                (Shape::Text, Wire::Bytes(text)) => {
                    self.begin(name);
                    quote(&mut self.out, text.bytes());
                    self.end();
                }
                (Shape::Number(Number::Double), Wire::Bytes(mut packed)) => {
                    while !packed.is_empty() {
                        self.number(name, Number::Double, packed.fixed64()?);
                    }
                }
                (Shape::Number(shape), Wire::Bytes(mut packed)) => {
                    while !packed.is_empty() {
                        self.number(name, shape, packed.varint()?);
                    }
                }
                (Shape::Number(Number::Double), Wire::Fixed64(bits)) => {
                    self.number(name, Number::Double, bits);
                }
                (Shape::Number(shape), Wire::Varint(number)) if shape != Number::Double => {
                    self.number(name, shape, number);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// A message in a message.
    fn message(&mut self, schema: Schema, message: Reader<'_>) -> Result<(), Fault> {
        let fields = known_fields(schema, message)?;
        if fields.is_empty() {
            self.out.push_str("{}");
            return Ok(());
        }
        self.out.push('{');
        self.end();
        self.depth += 1;
        self.fields(schema, fields)?;
        self.depth -= 1;
        self.indent();
        self.out.push('}');
        Ok(())
    }

    fn number(&mut self, name: &str, shape: Number, wire: u64) {
        self.begin(name);
        shape.write(&mut self.out, wire);
        self.end();
    }

    /// The name of a field, and what keeps it from the one before.
    fn begin(&mut self, name: &str) {
        self.indent();
        if self.layout == Layout::Compact && !self.out.is_empty() && !self.out.ends_with(['{', '\n']) {
            self.out.push(' ');
        }
        self.out.push_str(name);
        self.out.push_str(if self.layout == Layout::Compact { ":" } else { ": " });
    }

    fn end(&mut self) {
        if self.layout == Layout::Indented {
            self.out.push('\n');
        }
    }

    fn indent(&mut self) {
        if self.layout == Layout::Indented {
            self.out.extend(std::iter::repeat_n("  ", self.depth));
        }
    }
}

/// The fields of a message that are in its table, each with its place there and in that order, as Go has it.
fn known_fields<'a>(schema: Schema, mut message: Reader<'a>) -> Result<Vec<(usize, Wire<'a>)>, Fault> {
    let mut fields = Vec::new();
    while let Some((number, wire)) = message.field()? {
        if let Some(place) = schema.iter().position(|field| field.0 == number) {
            fields.push((place, wire));
        }
    }
    fields.sort_by_key(|&(place, _)| place);
    Ok(fields)
}

/// A text in quotes. What is no text, and what would not be seen, is escaped.
fn quote(out: &mut String, text: &[u8]) {
    out.push('"');
    for chunk in text.utf8_chunks() {
        for char in chunk.valid().chars() {
            match char {
                '"' | '\\' => out.extend(['\\', char]),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '\0'..' ' | '\x7f' => escape(out, 'x', 2, char.into()),
                '\u{80}'..='\u{9f}' => escape(out, 'u', 4, char.into()),
                _ => out.push(char),
            }
        }
        chunk.invalid().iter().for_each(|&byte| escape(out, 'x', 2, byte.into()));
    }
    out.push('"');
}

fn escape(out: &mut String, letter: char, digits: usize, code: u32) {
    // A string takes all that is written.
    let _ = write!(out, "\\{letter}{code:0digits$x}");
}

/// The fields of a message, in the order in which they are declared, which is not always that of their numbers.
/// <https://github.com/prometheus/client_model/blob/v0.6.2/io/prometheus/client/metrics.proto>
type Schema = &'static [(u32, &'static str, Shape)];

/// What a field holds.
#[derive(Clone, Copy)]
enum Shape {
    Text,
    Number(Number),
    Message(Schema),
}

/// How a number is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Number {
    Double,
    Unsigned,
    /// An `int32` or `int64`.
    Signed,
    Zigzag32,
    Zigzag64,
    /// The type of a family.
    Kind,
}

impl Number {
    fn write(self, out: &mut String, wire: u64) {
        // A string takes all that is written.
        let _ = match self {
            Self::Double => return write_double(out, f64::from_bits(wire)),
            Self::Unsigned => write!(out, "{wire}"),
            Self::Signed => write!(out, "{}", wire as i64),
            Self::Zigzag32 => write!(out, "{}", zigzag32(wire)),
            Self::Zigzag64 => write!(out, "{}", zigzag(wire)),
            Self::Kind => match usize::try_from(wire).ok().and_then(|kind| KINDS.get(kind)) {
                Some(kind) => write!(out, "{kind}"),
                None => write!(out, "{}", wire as i32),
            },
        };
    }
}

fn write_double(out: &mut String, value: f64) {
    if value.is_nan() {
        out.push_str("nan");
    } else if value.is_infinite() {
        out.push_str(if value > 0.0 { "inf" } else { "-inf" });
    } else {
        number::write(out, value);
    }
}

const KINDS: [&str; 6] = ["COUNTER", "GAUGE", "SUMMARY", "UNTYPED", "HISTOGRAM", "GAUGE_HISTOGRAM"];

const DOUBLE: Shape = Shape::Number(Number::Double);
const UNSIGNED: Shape = Shape::Number(Number::Unsigned);
const SIGNED: Shape = Shape::Number(Number::Signed);
const ZIGZAG32: Shape = Shape::Number(Number::Zigzag32);
const ZIGZAG64: Shape = Shape::Number(Number::Zigzag64);

const FAMILY: Schema = &[
    (1, "name", Shape::Text),
    (2, "help", Shape::Text),
    (3, "type", Shape::Number(Number::Kind)),
    (4, "metric", Shape::Message(METRIC)),
    (5, "unit", Shape::Text),
];

const METRIC: Schema = &[
    (1, "label", Shape::Message(LABEL)),
    (2, "gauge", Shape::Message(SIMPLE)),
    (3, "counter", Shape::Message(COUNTER)),
    (4, "summary", Shape::Message(SUMMARY)),
    (5, "untyped", Shape::Message(SIMPLE)),
    (7, "histogram", Shape::Message(HISTOGRAM)),
    (6, "timestamp_ms", SIGNED),
];

const LABEL: Schema = &[(1, "name", Shape::Text), (2, "value", Shape::Text)];

/// A gauge, or what is untyped.
const SIMPLE: Schema = &[(1, "value", DOUBLE)];

const COUNTER: Schema = &[
    (1, "value", DOUBLE),
    (2, "exemplar", Shape::Message(EXEMPLAR)),
    (3, "created_timestamp", Shape::Message(TIMESTAMP)),
];

const SUMMARY: Schema = &[
    (1, "sample_count", UNSIGNED),
    (2, "sample_sum", DOUBLE),
    (3, "quantile", Shape::Message(QUANTILE)),
    (4, "created_timestamp", Shape::Message(TIMESTAMP)),
];

const QUANTILE: Schema = &[(1, "quantile", DOUBLE), (2, "value", DOUBLE)];

const HISTOGRAM: Schema = &[
    (1, "sample_count", UNSIGNED),
    (4, "sample_count_float", DOUBLE),
    (2, "sample_sum", DOUBLE),
    (3, "bucket", Shape::Message(BUCKET)),
    (15, "created_timestamp", Shape::Message(TIMESTAMP)),
    (5, "schema", ZIGZAG32),
    (6, "zero_threshold", DOUBLE),
    (7, "zero_count", UNSIGNED),
    (8, "zero_count_float", DOUBLE),
    (9, "negative_span", Shape::Message(SPAN)),
    (10, "negative_delta", ZIGZAG64),
    (11, "negative_count", DOUBLE),
    (12, "positive_span", Shape::Message(SPAN)),
    (13, "positive_delta", ZIGZAG64),
    (14, "positive_count", DOUBLE),
    (16, "exemplars", Shape::Message(EXEMPLAR)),
];

const BUCKET: Schema = &[
    (1, "cumulative_count", UNSIGNED),
    (4, "cumulative_count_float", DOUBLE),
    (2, "upper_bound", DOUBLE),
    (3, "exemplar", Shape::Message(EXEMPLAR)),
];

const SPAN: Schema = &[(1, "offset", ZIGZAG32), (2, "length", UNSIGNED)];

const EXEMPLAR: Schema =
    &[(1, "label", Shape::Message(LABEL)), (2, "value", DOUBLE), (3, "timestamp", Shape::Message(TIMESTAMP))];

const TIMESTAMP: Schema = &[(1, "seconds", SIGNED), (2, "nanos", SIGNED)];

#[cfg(test)]
mod tests {
    use super::*;

    /// A message, or a text, as a field.
    fn m(field: u8, content: &[u8]) -> Vec<u8> {
        [&[field << 3 | 2, content.len() as u8], content].concat()
    }

    /// A float as a field.
    fn f(field: u8, number: f64) -> Vec<u8> {
        [&[field << 3 | 1][..], &number.to_le_bytes()].concat()
    }

    /// Numbers below 128 as fields, as they are on the wire.
    fn n(fields: &[(u8, u8)]) -> Vec<u8> {
        fields.iter().flat_map(|&(field, number)| [field << 3, number]).collect()
    }

    fn delimited(family: &[u8]) -> Vec<u8> {
        [&[family.len() as u8], family].concat()
    }

    #[track_caller]
    fn compact(family: &[u8], expected: &str) {
        assert_eq!(to_text(&delimited(family), Layout::Compact), format!("{expected}\n"));
    }

    #[test]
    fn a_line_for_each_family() {
        compact(b"", "");
        let label = m(1, &[m(1, b"instance"), m(2, b"")].concat());
        let gauge = m(4, &[label, m(2, &f(1, 1.0))].concat());
        let family = [m(1, b"a"), n(&[(3, 1)]), gauge].concat();
        let line = r#"name:"a" type:GAUGE metric:{label:{name:"instance" value:""} gauge:{value:1}}"#;
        compact(&family, line);
        let two = [delimited(&family), delimited(&family)].concat();
        assert_eq!(to_text(&two, Layout::Compact), format!("{line}\n{line}\n"));
        let untyped = m(4, &m(5, b""));
        compact(
            &[m(1, b"u"), n(&[(3, 3)]), untyped].concat(),
            r#"name:"u" type:UNTYPED metric:{untyped:{}}"#,
        );
        let exemplar = [m(1, &m(1, b"id")), f(2, 0.5), m(3, &n(&[(1, 7)]))].concat();
        let counter = [f(1, 5.0), m(2, &exemplar), m(3, &n(&[(1, 9), (2, 5)]))].concat();
        compact(
            &m(4, &m(3, &counter)),
            r#"metric:{counter:{value:5 exemplar:{label:{name:"id"} value:0.5 timestamp:{seconds:7}} created_timestamp:{seconds:9 nanos:5}}}"#,
        );
        let summary = [n(&[(1, 5)]), f(2, 2.5), m(3, &[f(1, 0.5), f(2, f64::NAN)].concat())].concat();
        compact(
            &m(4, &m(4, &summary)),
            "metric:{summary:{sample_count:5 sample_sum:2.5 quantile:{quantile:0.5 value:nan}}}",
        );
    }

    #[test]
    fn histograms_have_their_fields_as_they_are_declared() {
        let check = |histogram: &[u8], expected: &str| {
            compact(&m(4, &m(7, histogram)), &format!("metric:{{histogram:{{{expected}}}}}"));
        };
        let bucket = m(3, &[n(&[(1, 3)]), f(2, f64::INFINITY)].concat());
        check(
            &[n(&[(1, 3)]), f(2, 1.5), bucket, n(&[(5, 1)]), m(15, &n(&[(1, 9)]))].concat(),
            "sample_count:3 sample_sum:1.5 bucket:{cumulative_count:3 upper_bound:inf} created_timestamp:{seconds:9} schema:-1",
        );
        let bucket = m(3, &[f(2, 1.0), f(4, 0.5)].concat());
        check(
            &[f(2, 1.5), bucket, f(4, 0.5)].concat(),
            "sample_count_float:0.5 sample_sum:1.5 bucket:{cumulative_count_float:0.5 upper_bound:1}",
        );
        let span = m(9, &n(&[(1, 1), (2, 2)]));
        check(
            &[span, n(&[(10, 2), (10, 1)])].concat(),
            "negative_span:{offset:-1 length:2} negative_delta:1 negative_delta:-1",
        );
        let counts = [1.5_f64.to_le_bytes(), 2.0_f64.to_le_bytes()].concat();
        check(
            &[m(13, &[2, 1]), m(14, &counts)].concat(),
            "positive_delta:1 positive_delta:-1 positive_count:1.5 positive_count:2",
        );
    }

    #[test]
    fn an_indented_line_for_each_field() {
        let label = m(1, &[m(1, b"l"), m(2, b"v")].concat());
        let metric = m(4, &[label, m(5, b"")].concat());
        let family = delimited(&[m(1, b"u"), n(&[(3, 3)]), metric].concat());
        let expected = r#"name: "u"
type: UNTYPED
metric: {
  label: {
    name: "l"
    value: "v"
  }
  untyped: {}
}

"#;
        let two = [family.clone(), family].concat();
        assert_eq!(to_text(&two, Layout::Indented), expected.repeat(2));
    }

    #[test]
    fn texts_are_quoted_as_go_does() {
        for (text, expected) in [
            (&b"plain 'text'"[..], "plain 'text'"),
            (b"\"\\", r#"\"\\"#),
            (b"\n\r\t", r"\n\r\t"),
            (b"\0\x01\x1f\x7f", r"\x00\x01\x1f\x7f"),
            ("ü\u{80}\u{9f}\u{a0}\u{2028}".as_bytes(), "ü\\u0080\\u009f\u{a0}\u{2028}"),
            (b"a\xffb\xc3", r"a\xffb\xc3"),
        ] {
            compact(&m(1, text), &format!("name:\"{expected}\""));
        }
    }

    #[test]
    fn doubles_are_written_as_go_does() {
        for (value, expected) in [
            (1.5, "1.5"),
            (1e6, "1e+06"),
            (1e-5, "1e-05"),
            (f64::NAN, "nan"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            compact(&m(4, &m(2, &f(1, value))), &format!("metric:{{gauge:{{value:{expected}}}}}"));
        }
    }

    #[test]
    fn what_is_not_of_the_schema_is_left_out() {
        compact(&[n(&[(9, 1)]), m(1, b"a"), f(3, 1.0)].concat(), "name:\"a\"");
        compact(&n(&[(3, 99)]), "type:99");
        let cut = [delimited(&m(1, b"a")), vec![9, 0]].concat();
        assert_eq!(to_text(&cut, Layout::Compact), "name:\"a\"\n");
    }
}
