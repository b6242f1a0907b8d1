//! What is pushed: bodies as batch jobs have them, and the requests around them.

use std::fmt::Write as _;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use pushgate_exposition::{GroupingKey, Rules, protobuf, text};
use serde::{Deserialize, Serialize};

/// Bodies with the same names and other values, sent in turns: a job mostly pushes the same series again with new values.
const BODIES: u64 = 5;

/// A step through the groups that meets all of them and is far from the one before: caches must not hide what a large
/// store costs.
const STRIDE: u64 = 7_919;

/// How a push is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// The text format 0.0.4.
    Text,
    /// Protobuf, each family behind its length.
    Protobuf,
}

/// What pushes are like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// Series of one push, ten a family, each with six labels.
    pub series: usize,
    /// Groups that pushes go to in turns; all of them are stored before anything is measured.
    pub groups: u64,
    /// How they are written.
    pub format: Format,
    /// Whether bodies are sent as gzip.
    pub compressed: bool,
    /// Whether each push has a connection of its own.
    pub fresh: bool,
    /// Whether a label has another value in each push of a group, so that none is the one before with other numbers.
    #[serde(default)]
    pub relabelled: bool,
}

/// Requests, ready to be sent.
#[derive(Clone, Debug)]
pub struct Pushes {
    heads: Vec<Vec<u8>>,
    /// Each behind its `Content-Length` and the empty line.
    bodies: Vec<Vec<u8>>,
    keeps_connections: bool,
}

impl Pushes {
    /// Writes the pushes of a shape down.
    pub fn new(shape: Shape) -> Self {
        let heads = (0..shape.groups).map(|group| head(group, shape)).collect();
        let bodies = (0..BODIES).map(|turn| behind_its_length(&body(shape, turn))).collect();
        Self { heads, bodies, keeps_connections: !shape.fresh }
    }

    /// One body, sent to one group again and again.
    pub fn of_body(body: &str) -> Self {
        let shape = Shape {
            series: 0,
            groups: 1,
            format: Format::Text,
            compressed: false,
            fresh: false,
            relabelled: false,
        };
        let bodies = vec![behind_its_length(body.as_bytes())];
        Self { heads: vec![head(0, shape)], bodies, keeps_connections: true }
    }

    /// The request of a push: its head and the rest.
    pub fn request(&self, number: u64) -> [&[u8]; 2] {
        let (groups, bodies) = (self.heads.len() as u64, self.bodies.len() as u64);
        let head = &self.heads[(number.wrapping_mul(STRIDE) % groups) as usize];
        // Each time round, a group is sent another body.
        let body = &self.bodies[((number / groups + number) % bodies) as usize];
        [head, body]
    }

    /// How many groups there are.
    pub fn groups(&self) -> u64 {
        self.heads.len() as u64
    }

    /// Whether a connection is used for one push after the other.
    pub fn keeps_connections(&self) -> bool {
        self.keeps_connections
    }

    #[cfg(test)]
    pub(crate) fn with_last_line(mut self, line: &str) -> Self {
        self.bodies.iter_mut().for_each(|body| body.extend_from_slice(line.as_bytes()));
        self
    }
}

/// Counters, ten series a family, each with six labels, as text.
pub fn exposition(series: usize, turn: u64) -> String {
    let mut body = String::new();
    for row in 0..series {
        let (family, row) = (row / 10, row % 10);
        if row == 0 {
            let _ = writeln!(
                body,
                "# HELP app_{family}_total What it counts.\n# TYPE app_{family}_total counter"
            );
        }
        let _ = writeln!(
            body,
            "app_{family}_total{{code=\"200\",host=\"db{row}\",method=\"GET\",path=\"/api/{row}\",team=\"infra\",zone=\"eu\"}} {}.5",
            100 + turn
        );
    }
    body
}

/// The key of a group in the URL.
fn path(group: u64) -> String {
    format!("/metrics/job/bench/instance/host{group}")
}

fn head(group: u64, shape: Shape) -> Vec<u8> {
    let mut head = format!("PUT {} HTTP/1.1\r\nHost: localhost\r\n", path(group));
    if shape.format == Format::Protobuf {
        let _ = write!(head, "Content-Type: {}\r\n", protobuf::CONTENT_TYPE);
    }
    if shape.compressed {
        head.push_str("Content-Encoding: gzip\r\n");
    }
    if shape.fresh {
        head.push_str("Connection: close\r\n");
    }
    head.into_bytes()
}

fn body(shape: Shape, turn: u64) -> Vec<u8> {
    let mut text = exposition(shape.series, turn);
    if shape.relabelled {
        text = text.replace("zone=\"eu\"", &format!("zone=\"eu{turn}\""));
    }
    let plain = match shape.format {
        Format::Text => text.into_bytes(),
        Format::Protobuf => {
            let key = GroupingKey::new([("job", "bench")]).expect("the name is a label name");
            let push = text::parse(text.as_bytes(), &key, &Rules::default());
            protobuf::encode(&push.expect("what is written above is legal"))
        }
    };
    if !shape.compressed {
        return plain;
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let written = encoder.write_all(&plain).and_then(|()| encoder.finish());
    written.expect("memory takes whatever is written to it")
}

fn behind_its_length(body: &[u8]) -> Vec<u8> {
    [format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes(), body].concat()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const SHAPE: Shape = Shape {
        series: 20,
        groups: 100,
        format: Format::Text,
        compressed: false,
        fresh: false,
        relabelled: false,
    };

    #[test]
    fn each_group_comes_once_a_round_and_with_another_body_in_the_next() {
        let pushes = Pushes::new(SHAPE);
        let heads: BTreeSet<_> = (0..100).map(|number| pushes.request(number)[0]).collect();
        assert_eq!(heads.len(), 100);
        let (first, second) = (pushes.request(7), pushes.request(107));
        assert_eq!(first[0], second[0]);
        assert_ne!(first[1], second[1]);
    }

    #[test]
    fn bodies_of_all_forms_are_the_same_push() {
        let key = GroupingKey::new([("job", "bench")]).unwrap();
        let text = text::parse(&body(SHAPE, 1), &key, &Rules::default()).unwrap();
        let binary = body(Shape { format: Format::Protobuf, ..SHAPE }, 1);
        let binary = protobuf::parse(&binary, &key, &Rules::default()).unwrap();
        assert_eq!(text.series_count(), 20);
        assert_eq!(text::encode(&text), text::encode(&binary));
        let compressed = body(Shape { compressed: true, ..SHAPE }, 1);
        let mut plain = String::new();
        let mut decoder = flate2::bufread::GzDecoder::new(&*compressed);
        std::io::Read::read_to_string(&mut decoder, &mut plain).unwrap();
        assert_eq!(plain, exposition(20, 1));
    }
}
