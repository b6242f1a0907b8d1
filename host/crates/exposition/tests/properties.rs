//! What holds for every body and every push.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use pushgate_exposition::{Builder, Escaping, Family, GroupingKey, Kind, Label, Push, Rules, text};

fn key() -> GroupingKey {
    GroupingKey::new([("job", "x")]).unwrap()
}

fn parse(body: &[u8]) -> Result<Push, text::ParseError> {
    text::parse(body, &key(), &Rules::default())
}

/// Names that are no part of one another: `a_sum` beside a histogram `a` would be read as its sum.
fn metric_name() -> impl Strategy<Value = String> {
    "[a-zA-Z_:][a-zA-Z0-9_:]{0,6}x"
}

fn value() -> impl Strategy<Value = f64> {
    prop_oneof![any::<f64>(), (-1000i32..1000).prop_map(f64::from), Just(f64::NAN), Just(f64::INFINITY)]
        // The text has one zero and one NaN.
        .prop_map(|value| if value.is_nan() { f64::NAN } else { value + 0.0 })
}

fn bound() -> impl Strategy<Value = f64> {
    value().prop_map(|value| if value.is_nan() { 1.0 } else { value })
}

fn count() -> impl Strategy<Value = f64> {
    prop_oneof![(0u32..1000).prop_map(f64::from), (0.0..1e9f64)]
}

#[derive(Debug, Clone)]
struct Sample {
    value: f64,
    count: f64,
    points: Vec<(f64, f64)>,
}

type LabelSet = BTreeMap<String, String>;

fn sample(kind: Kind) -> BoxedStrategy<Sample> {
    match kind {
        Kind::Summary => (value(), 0u32..1000, vec((bound(), value()), 0..4))
            .prop_map(|(value, count, points)| Sample { value, count: f64::from(count), points })
            .boxed(),
        Kind::Histogram => (value(), count(), vec((bound(), count()), 0..4))
            .prop_map(|(value, count, mut points)| {
                points.push((f64::INFINITY, count)); // The encoder would add it.
                Sample { value, count, points }
            })
            .boxed(),
        _ => value().prop_map(|value| Sample { value, count: 0.0, points: Vec::new() }).boxed(),
    }
}

fn family() -> impl Strategy<Value = (Kind, String, BTreeMap<LabelSet, Sample>)> {
    let kinds = [Kind::Untyped, Kind::Counter, Kind::Gauge, Kind::Summary, Kind::Histogram];
    // Of anything, and of little, so that a series has much of the one before.
    let labels = || {
        let any = btree_map("[a-c][a-z0-9_]{0,3}", any::<String>(), 0..4);
        let few = btree_map("[a-d]", "[xy\"]{0,2}", 0..4);
        let same = few.clone().prop_map(|few| {
            let value = |name: &str| few.get(name).cloned().unwrap_or_default();
            ["a", "b", "c"].map(|name| (name.to_owned(), value(name))).into()
        });
        prop_oneof![any, few, same]
    };
    // Blanks at its front belong to the line, not to the HELP text.
    let help = any::<String>().prop_map(|help| help.trim_start_matches([' ', '\t']).to_owned());
    (proptest::sample::select(kinds.to_vec()), help)
        .prop_flat_map(move |(kind, help)| (Just(kind), Just(help), btree_map(labels(), sample(kind), 1..8)))
}

fn push() -> impl Strategy<Value = Push> {
    btree_map(metric_name(), family(), 0..5).prop_map(|families| {
        let mut builder = Builder::new(&key()).unwrap();
        for (name, (kind, help, series)) in families {
            let name = builder.intern(name.as_bytes()).unwrap();
            let family = builder.family(name);
            let help = builder.intern(help.as_bytes()).unwrap();
            builder.set_kind(family, kind);
            if help != 0 {
                builder.set_help(family, help); // Text cannot tell an empty one from none.
            }
            for (labels, sample) in series {
                let mut symbols = Vec::new();
                for (name, value) in &labels {
                    let name = builder.intern(name.as_bytes()).unwrap();
                    symbols.push(Label { name, value: builder.intern(value.as_bytes()).unwrap() });
                }
                let series = builder.series(family, &symbols, sample.value);
                builder.set_count(series, sample.count);
                sample.points.iter().for_each(|&(bound, value)| builder.point(series, bound, value));
            }
        }
        builder.finish()
    })
}

/// Bodies made of the pieces of the format, so that most get past the first byte.
fn soup() -> impl Strategy<Value = Vec<u8>> {
    let pieces: &[&[u8]] = &[
        b"a",
        b"h",
        b"h_sum",
        b"h_bucket",
        b"_count",
        b"{",
        b"}",
        b"{le=\"1\"}",
        b"x=\"1\"",
        b",",
        b"=",
        b"\"",
        b"\\",
        b" ",
        b"\t",
        b"\n",
        b"1",
        b"-1",
        b"1e9",
        b"NaN",
        b"# TYPE h histogram\n",
        b"# TYPE h summary\n",
        b"# HELP a ",
        b"# ",
        b"#",
        b"\xff",
        b"\0",
        b"__name__",
        b"quantile=\"0.5\"",
        b"\r",
    ];
    vec(proptest::sample::select(pieces.to_vec()), 0..24).prop_map(|pieces| pieces.concat())
}

/// Labels as somebody may write them, of so few that many are those of the line before.
fn written_labels() -> impl Strategy<Value = String> {
    let pieces = [
        "a",
        "b",
        "le",
        " a",
        "b ",
        "=",
        " = ",
        "\"\"",
        "\"x\"",
        "\"y\"",
        "\"x\\\"\"",
        "\"1\"",
        ",",
        ", ",
        " ",
    ];
    let label = ("a|b|le| b", "=| =|= ", "\"x\"|\"\"|\"xy\"|\"1\"|\"1,b=\"|\"x\\\\\"|\"\\\"\"");
    let label = label.prop_map(|(name, equals, value)| format!("{name}{equals}{value}"));
    let legal = vec(label, 0..4).prop_map(|labels| labels.join(","));
    let any = vec(proptest::sample::select(pieces.to_vec()), 0..8).prop_map(|pieces| pieces.concat());
    prop_oneof![8 => legal, 1 => any]
}

proptest! {
    #[test]
    fn a_line_is_read_as_if_it_stood_alone(
        lines in vec((proptest::sample::select(vec!["m", "n", "h_bucket"]), written_labels()), 1..8)
    ) {
        let head = "# TYPE h histogram\n";
        let lines: Vec<String> =
            lines.into_iter().map(|(name, labels)| format!("{name}{{{labels}}} 1\n")).collect();
        let alone: Vec<_> = lines.iter().map(|line| parse(format!("{head}{line}").as_bytes())).collect();
        let together = parse(format!("{head}{}", lines.concat()).as_bytes());
        if let Some(at) = alone.iter().position(Result::is_err) {
            let (together, alone) = (together.unwrap_err(), alone[at].as_ref().unwrap_err());
            prop_assert_eq!((together.line as usize, together.problem), (at + 2, alone.problem.clone()));
            return Ok(());
        }
        let together = together.unwrap();
        for name in ["m", "n"] {
            let labels = |push: &Push| -> Vec<Vec<(String, String)>> {
                let families = push.families().filter(|family| family.name() == name);
                let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
                families.flat_map(Family::series).map(|series| series.labels().map(owned).collect()).collect()
            };
            let alone: Vec<_> = alone.iter().flat_map(|push| labels(push.as_ref().unwrap())).collect();
            prop_assert_eq!(labels(&together), alone);
        }
        let points = |push: &Push| push.series_columns().point_bound.len();
        prop_assert_eq!(points(&together), alone.iter().map(|push| points(push.as_ref().unwrap())).sum::<usize>());
    }

    #[test]
    fn lines_are_the_samples_of_their_series(push in push(), more in 0..3_usize) {
        let more = [&[][..], &[("aa", "x\n"), ("job", "j")], &[("instance", "")]][more];
        for family in push.families() {
            let (mut copied, mut plain) = (String::from("before"), String::new());
            let mut lines = text::Lines::new(&mut copied, family);
            for series in family.series() {
                lines.write(series, more);
                text::encode::samples(&mut plain, family, series, more, Escaping::AllowUtf8);
            }
            prop_assert_eq!(copied.strip_prefix("before"), Some(&*plain));
        }
    }

    #[test]
    fn parsing_gives_back_what_was_encoded(push in push()) {
        let encoded = text::encode(&push);
        let parsed = parse(encoded.as_bytes());
        prop_assert_eq!(parsed.as_ref().map(text::encode), Ok(encoded));
        prop_assert!(parsed.unwrap() == push);
    }

    #[test]
    fn what_was_encoded_of_a_family_is_read_back(push in push()) {
        for family in push.families() {
            let mut lines = String::new();
            for series in family.series() {
                text::encode::samples(&mut lines, family, series, &[], Escaping::AllowUtf8);
            }
            let again = text::read_back(family.name(), family.kind(), &lines, []).unwrap();
            let read = again.families().next().unwrap();
            prop_assert_eq!((read.name(), read.kind(), read.series().len()), (family.name(), family.kind(), family.series().len()));
            prop_assert!(read.series().zip(family.series()).all(|(a, b)| a == b), "{}", lines);
        }
    }

    #[test]
    fn any_bytes_are_parsed_or_refused(body in vec(any::<u8>(), 0..200)) {
        let _ = parse(&body);
    }

    #[test]
    fn what_is_taken_can_be_encoded_and_taken_again(body in soup()) {
        if let Ok(push) = parse(&body) {
            let encoded = text::encode(&push);
            let again = parse(encoded.as_bytes());
            prop_assert_eq!(again.as_ref().map(text::encode), Ok(encoded));
        }
    }
}
