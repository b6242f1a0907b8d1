//! What holds for every stream and every push.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use pushgate_exposition::{
    Buckets, Builder, Count, Detail, Escaping, Exemplar, ExemplarOf, GroupingKey, Kind, Label,
    NativeHistogram, Push, Rules, Span, Timestamp, protobuf, text,
};

fn key() -> GroupingKey {
    GroupingKey::new([("job", "x")]).unwrap()
}

fn parse(body: &[u8]) -> Result<Push, protobuf::DecodeError> {
    protobuf::parse(body, &key(), &Rules::default())
}

fn value() -> impl Strategy<Value = f64> {
    prop_oneof![any::<f64>(), (-1000i32..1000).prop_map(f64::from), Just(f64::NAN), Just(f64::INFINITY)]
        .prop_map(|value| if value.is_nan() { f64::NAN } else { value + 0.0 }) // There is one NaN and one zero.
}

fn bound() -> impl Strategy<Value = f64> {
    value().prop_map(|value| if value.is_nan() { 1.0 } else { value })
}

fn timestamp() -> impl Strategy<Value = Timestamp> {
    (any::<i64>(), 0..1_000_000_000).prop_map(|(seconds, nanos)| Timestamp { seconds, nanos })
}

fn exemplar(of: ExemplarOf) -> impl Strategy<Value = Exemplar> {
    let labels = vec((any::<String>(), any::<String>()), 0..3);
    (labels, value(), option::of(timestamp())).prop_map(move |(labels, value, timestamp)| {
        let labels = labels.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Exemplar { of, labels, value, timestamp }
    })
}

#[derive(Debug, Clone)]
struct Sample {
    value: f64,
    count: f64,
    points: Vec<(f64, f64)>,
    detail: Detail,
}

/// One side of a native histogram from counts and gaps between them, and how many were observed.
fn side(runs: &[(i32, u32, bool)], is_float: bool) -> (Buckets, u64) {
    // Only the first span may begin anywhere; the others may not go back.
    let starts = runs.iter().enumerate().map(|(at, run)| if at == 0 { run.0 } else { run.0.abs() });
    let lengths = runs.iter().map(|&(_, _, twice)| 1 + u32::from(twice));
    let spans = starts.zip(lengths).map(|(offset, length)| Span { offset, length }).collect();
    let counts: Vec<u32> = runs
        .iter()
        .flat_map(|&(_, count, twice)| [count, 7].into_iter().take(1 + usize::from(twice)))
        .collect();
    let observed = counts.iter().map(|&count| u64::from(count)).sum();
    let deltas = |counts: &[u32]| {
        let before = [0].into_iter().chain(counts.iter().copied());
        before.zip(counts).map(|(before, &count)| i64::from(count) - i64::from(before)).collect()
    };
    let buckets = if is_float {
        let counts = counts.iter().map(|&count| f64::from(count) + 0.5).collect();
        Buckets { spans, deltas: [].into(), counts }
    } else {
        Buckets { spans, deltas: deltas(&counts), counts: [].into() }
    };
    (buckets, observed)
}

/// A native histogram and its count.
fn native() -> impl Strategy<Value = (NativeHistogram, f64)> {
    let runs = || vec((-5i32..1000, any::<u32>(), any::<bool>()), 0..4);
    let schema = -4..=8;
    (schema, 0.0..1e9, 0u32..99, runs(), runs(), any::<bool>()).prop_map(
        |(schema, zero_threshold, zeros, negative, positive, is_float)| {
            let (negative, below) = side(&negative, is_float);
            let (positive, above) = side(&positive, is_float);
            let observed = u64::from(zeros) + below + above;
            let (zero_count, count) = if is_float {
                (Count::Float(f64::from(zeros)), Count::Float(observed as f64 + 0.5))
            } else {
                (Count::Integer(zeros.into()), Count::Integer(observed))
            };
            let column = match count {
                Count::Integer(count) => count as f64,
                Count::Float(count) => count,
            };
            (NativeHistogram { schema, zero_threshold, zero_count, count, negative, positive }, column)
        },
    )
}

fn simple(kind: Kind) -> BoxedStrategy<Sample> {
    let (of_counter, created) = (option::of(exemplar(ExemplarOf::Counter)), option::of(timestamp()));
    (value(), of_counter, created)
        .prop_map(move |(value, exemplar, created)| {
            let detail = match kind {
                Kind::Counter => {
                    Detail { created, exemplars: exemplar.into_iter().collect(), ..Detail::default() }
                }
                _ => Detail::default(),
            };
            Sample { value, count: 0.0, points: Vec::new(), detail }
        })
        .boxed()
}

fn summary() -> BoxedStrategy<Sample> {
    (value(), any::<u32>(), vec((bound(), value()), 0..4), option::of(timestamp()))
        .prop_map(|(value, count, points, created)| {
            let detail = Detail { created, ..Detail::default() };
            Sample { value, count: f64::from(count), points, detail }
        })
        .boxed()
}

fn histogram() -> BoxedStrategy<Sample> {
    let count = prop_oneof![(0u32..1000).prop_map(f64::from), (0.5..1e9f64)];
    let integer = (0u32..1000).prop_map(f64::from);
    let bucket = (bound(), count.clone(), integer, option::of(exemplar(ExemplarOf::Bucket(0))));
    let of_native = vec(exemplar(ExemplarOf::Native), 0..3);
    (0.0..1e9, count, vec(bucket, 0..4), option::of(native()), of_native, option::of(timestamp()))
        .prop_map(|(value, count, buckets, native, of_native, created)| {
            let (native, native_count) = native.unzip();
            let points: Vec<(f64, f64)> = buckets
                .iter()
                .map(|&(bound, count, integer, _)| (bound, if native.is_some() { integer } else { count }))
                .collect();
            let exemplars = buckets.into_iter().enumerate().filter_map(|(number, (_, _, _, exemplar))| {
                Some(Exemplar { of: ExemplarOf::Bucket(number as u32), ..exemplar? })
            });
            let exemplars = exemplars.chain(of_native).collect();
            let without_infinity = points.iter().all(|&(bound, _)| bound != f64::INFINITY);
            let native = native.map(Box::new);
            let detail = Detail { created, exemplars, native, without_infinity };
            Sample { value, count: native_count.unwrap_or(count), points, detail }
        })
        .boxed()
}

type LabelSet = BTreeMap<String, String>;
type SampleFamily = (Kind, String, String, BTreeMap<LabelSet, Sample>);

fn family() -> impl Strategy<Value = SampleFamily> {
    let kinds =
        [Kind::Untyped, Kind::Counter, Kind::Gauge, Kind::Summary, Kind::Histogram, Kind::GaugeHistogram];
    let sample = |kind| match kind {
        Kind::Summary => summary(),
        Kind::Histogram | Kind::GaugeHistogram => histogram(),
        kind => simple(kind),
    };
    // No two of these become the same when they are escaped.
    let labels = || btree_map("[a-c][.]?[a-z]", any::<String>(), 0..3);
    (proptest::sample::select(kinds.to_vec()), any::<String>(), any::<String>()).prop_flat_map(
        move |(kind, help, unit)| {
            (Just(kind), Just(help), Just(unit), btree_map(labels(), sample(kind), 1..4))
        },
    )
}

fn push() -> impl Strategy<Value = Push> {
    btree_map("(.|\n){1,6}", family(), 0..5).prop_map(|families| {
        let mut builder = Builder::new(&key()).unwrap();
        for (name, (kind, help, unit, series)) in families {
            let name = builder.intern(name.as_bytes()).unwrap();
            let family = builder.family(name);
            let help = builder.intern(help.as_bytes()).unwrap();
            let unit = builder.intern(unit.as_bytes()).unwrap();
            builder.set_kind(family, kind);
            builder.set_help(family, help);
            builder.set_unit(family, unit);
            for (labels, sample) in series {
                let mut symbols = Vec::new();
                for (name, value) in &labels {
                    builder.note_utf8_label();
                    let name = builder.intern(name.as_bytes()).unwrap();
                    symbols.push(Label { name, value: builder.intern(value.as_bytes()).unwrap() });
                }
                let series = builder.series(family, &symbols, sample.value);
                builder.set_count(series, sample.count);
                sample.points.iter().for_each(|&(bound, value)| builder.point(series, bound, value));
                if !sample.detail.is_empty() {
                    builder.set_detail(series, sample.detail);
                }
            }
        }
        builder.finish()
    })
}

/// A stream with some bytes changed, taken out or put in.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let damage = (any::<prop::sample::Index>(), any::<u8>(), 0..4);
    (push(), vec(damage, 1..4)).prop_map(|(push, damages)| {
        let mut body = protobuf::encode(&push);
        for (at, byte, how) in damages {
            let at = at.index(body.len() + 1);
            match how {
                0 => body.insert(at, byte),
                1 if at < body.len() => drop(body.remove(at)),
                2 if at < body.len() => body[at] = body[at].wrapping_add(1),
                _ if at < body.len() => body[at] = byte,
                _ => {}
            }
        }
        body
    })
}

/// What is done with every push that is taken: it is shown in any format, and stored as text.
fn is_sound(push: &Push) {
    let encoded = protobuf::encode(push);
    let again = parse(&encoded).unwrap();
    assert!(again.objection().is_none() && again == *push, "{:?} {again:?}\n{push:?}", again.objection());
    for family in push.families() {
        let mut lines = String::new();
        for series in family.series() {
            text::encode::samples(&mut lines, family, series, &[], Escaping::AllowUtf8);
        }
        if push.find_duplicate().is_some() {
            continue; // The store refuses them; text would make one histogram or summary of them.
        }
        let details = (0..).zip(family.series());
        let details = details.filter_map(|(row, series)| Some((row, series.detail()?.clone())));
        let read = text::read_back(family.name(), family.kind(), &lines, details).unwrap();
        let read = read.families().next().unwrap();
        for escaping in Escaping::ALL {
            assert_eq!(encode_family(read, escaping), encode_family(family, escaping), "{lines}");
        }
    }
}

fn encode_family(family: pushgate_exposition::Family<'_>, escaping: Escaping) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = protobuf::FamilyEncoder::new(&mut out, family.name(), None, family.kind(), escaping);
    family.series().for_each(|series| encoder.series(series));
    encoder.finish();
    out
}

proptest! {
    #[test]
    fn parsing_gives_back_what_was_encoded(push in push()) {
        let parsed = parse(&protobuf::encode(&push)).unwrap();
        prop_assert_eq!(parsed.objection(), None);
        prop_assert!(parsed == push, "{:?}\n{:?}", parsed, push);
    }

    #[test]
    fn any_bytes_are_parsed_or_refused(body in vec(any::<u8>(), 0..200)) {
        let _ = parse(&body);
    }

    #[test]
    fn what_is_taken_is_sound(body in damaged()) {
        if let Ok(push) = parse(&body) && push.objection().is_none() {
            is_sound(&push);
        }
    }
}
