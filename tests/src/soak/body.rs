//! What the clients of a soak push: two families whose series all have the number of the step.

use std::fmt::Write as _;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::dice::Dice;

/// The family with one series.
pub(super) const FIRST: &str = "soak_first";
/// The family with [`PARTS`] series, each with a label `part`.
pub(super) const SECOND: &str = "soak_second";
pub(super) const PARTS: usize = 12;

/// How a body is sent.
pub(super) struct Body {
    pub(super) bytes: Vec<u8>,
    pub(super) headers: Vec<(&'static str, &'static str)>,
}

/// A push of that number, in one of the forms that are understood.
pub(super) fn of(number: u64, dice: &mut Dice) -> Body {
    let (bytes, mut headers) = match dice.below(3) {
        0 => (protobuf(number), vec![("Content-Type", PROTOBUF)]),
        _ => (text(number).into_bytes(), Vec::new()),
    };
    if dice.below(3) > 0 {
        return Body { bytes, headers };
    }
    headers.push(("Content-Encoding", "gzip"));
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(&bytes).expect("memory takes all");
    Body { bytes: gzip.finish().expect("memory takes all"), headers }
}

/// A push that is to be refused, whose number nobody may ever see, and the status that is due.
pub(super) fn refused(dice: &mut Dice) -> (Body, u16) {
    let whole = text(NEVER);
    let (text, status) = match dice.below(5) {
        0 => (whole + "soak_first{", 400),
        1 => (whole + "soak_third 1 1700000000000\n", 400),
        2 => (whole + "soak_first 1\n", 400),
        3 => (whole + "pushgate_own 1\n", 400),
        _ => (whole + "soak_third{password=\"x\"} 1\n", 422),
    };
    (Body { bytes: text.into_bytes(), headers: Vec::new() }, status)
}

/// The number of pushes that are refused.
const NEVER: u64 = 4_000_000_000;

fn text(number: u64) -> String {
    let mut text =
        format!("# HELP {FIRST} The number of the step.\n# TYPE {FIRST} gauge\n{FIRST} {number}\n");
    writeln!(text, "# TYPE {SECOND} gauge").expect("memory takes all");
    for part in 0..PARTS {
        writeln!(text, "{SECOND}{{part=\"{part}\"}} {number}").expect("memory takes all");
    }
    text
}

const PROTOBUF: &str =
    "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited";

/// The same as delimited messages: name (1), type (3, of which 1 is a gauge), metrics (4) with labels (1) and a
/// gauge (2).
fn protobuf(number: u64) -> Vec<u8> {
    let gauge = field(2, &[&[0x09][..], &(number as f64).to_le_bytes()].concat());
    let family = |name: &str, metrics: Vec<u8>| {
        let message = [field(1, name.as_bytes()), vec![0x18, 1], metrics].concat();
        [varint(message.len()), message].concat()
    };
    let part = |part: usize| {
        let label = [field(1, b"part"), field(2, part.to_string().as_bytes())].concat();
        field(4, &[field(1, &label), gauge.clone()].concat())
    };
    let parts = (0..PARTS).flat_map(part).collect();
    [family(FIRST, field(4, &gauge)), family(SECOND, parts)].concat()
}

/// A field with a length.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    [vec![number << 3 | 2], varint(content.len()), content.to_vec()].concat()
}

fn varint(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}
