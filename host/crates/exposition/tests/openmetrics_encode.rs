//! What is written as OpenMetrics: number for number as Go's `expfmt` writes it, and so that it can be read again.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use pushgate_exposition::openmetrics::encode::{self, Style};
use pushgate_exposition::{
    Builder, Detail, Exemplar, ExemplarOf, GroupingKey, Kind, Label, NativeHistogram, Push, Rules, Timestamp,
    openmetrics, text,
};

fn key() -> GroupingKey {
    GroupingKey::new([("job", "x")]).unwrap()
}

fn parse(body: &[u8]) -> Result<Push, openmetrics::ParseError> {
    openmetrics::parse(body, &key(), &Rules::default())
}

#[test]
fn created_lines_are_written_when_asked_for() {
    let body = "# TYPE a counter\na_total{l=\"v\"} 1.0\na_created{l=\"v\"} 1604676851.5\n# EOF\n";
    let push = parse(body.as_bytes()).unwrap();
    assert_eq!(openmetrics::encode(&push), body);
    let family = push.families().next().unwrap();
    let mut out = String::new();
    encode::samples(&mut out, family, family.series().next().unwrap(), &[], Style::default());
    assert_eq!(out, "a_total{l=\"v\"} 1.0\n");
}

#[test]
fn numbers_are_written_as_go_does() {
    let body = "# TYPE h histogram\nh_bucket{le=\"0.5\"} 1\nh_bucket{le=\"1\"} 2\nh_bucket{le=\"1e6\"} 3000000\nh_sum 1e6\nh_count 4e6\n\
                # TYPE g gauge\ng{v=\"1\"} 17\ng{v=\"2\"} 1e21\ng{v=\"3\"} -0\ng{v=\"4\"} NaN\ng{v=\"5\"} -Inf\ng{v=\"6\"} 0.1\n\
                # TYPE s summary\ns{quantile=\"1\"} 2\ns_sum 3\ns_count 4\n";
    let push = text::parse(body.as_bytes(), &key(), &Rules::default()).unwrap();
    assert_eq!(
        openmetrics::encode(&push),
        "# TYPE h histogram\nh_bucket{le=\"0.5\"} 1\nh_bucket{le=\"1.0\"} 2\nh_bucket{le=\"1e+06\"} 3000000\n\
         h_bucket{le=\"+Inf\"} 4000000\nh_sum 1e+06\nh_count 4000000\n\
         # TYPE g gauge\ng{v=\"1\"} 17.0\ng{v=\"2\"} 1e+21\ng{v=\"3\"} 0.0\ng{v=\"4\"} NaN\ng{v=\"5\"} -Inf\ng{v=\"6\"} 0.1\n\
         # TYPE s summary\ns{quantile=\"1.0\"} 2.0\ns_sum 3.0\ns_count 4\n# EOF\n"
    );
}

#[test]
fn headers() {
    for (name, help, unit, kind, expected) in [
        ("a_total", "b", "", Kind::Counter, "# HELP a b\n# TYPE a counter\n"),
        ("a", "b", "", Kind::Counter, "# HELP a b\n# TYPE a unknown\n"),
        ("_total", "", "", Kind::Counter, "# TYPE _total unknown\n"),
        ("a_total", "", "", Kind::Gauge, "# TYPE a_total gauge\n"),
        ("a", "\\\"\n", "", Kind::Untyped, "# HELP a \\\\\\\"\\n\n# TYPE a unknown\n"),
        ("a_s_total", "", "s", Kind::Counter, "# TYPE a_s counter\n# UNIT a_s s\n"),
        ("a_s_total", "", "total", Kind::Counter, "# TYPE a_s counter\n"),
        ("a_s", "", "s", Kind::GaugeHistogram, "# TYPE a_s gaugehistogram\n# UNIT a_s s\n"),
        ("as", "", "s", Kind::Gauge, "# TYPE as gauge\n"),
        ("a.b", "", "", Kind::Histogram, "# TYPE \"a.b\" histogram\n"),
        ("a_\n", "", "\n", Kind::Summary, "# TYPE \"a_\\n\" summary\n"),
    ] {
        let mut out = String::new();
        encode::header(&mut out, name, Some(help).filter(|help| !help.is_empty()), unit, kind);
        assert_eq!(out, expected, "{name}");
    }
}

/// What [`openmetrics::encode()`] says is lost.
#[test]
fn losses() {
    let created = Some(Timestamp { seconds: 1, nanos: 0 });
    let exemplar = |of, length: usize| Exemplar {
        of,
        labels: [("t".into(), "x".repeat(length - 1).into())].into(),
        value: 1.0,
        timestamp: None,
    };
    let check = |name: &str, kind, exemplars: Vec<Exemplar>, expected: &str| {
        let mut builder = Builder::new(&key()).unwrap();
        let name = builder.intern(name.as_bytes()).unwrap();
        let family = builder.family(name);
        builder.set_kind(family, kind);
        let series = builder.series(family, &[], 1.0);
        builder.set_count(series, 2.5);
        if !kind.is_simple() {
            builder.point(series, 1.0, 1.0);
        }
        let native = Some(Box::new(NativeHistogram::default()));
        let detail = Detail { created, exemplars: exemplars.into(), native, without_infinity: true };
        builder.set_detail(series, detail);
        assert_eq!(openmetrics::encode(&builder.finish()), format!("{expected}# EOF\n"));
    };
    let short = exemplar(ExemplarOf::Counter, 128);
    let long = exemplar(ExemplarOf::Counter, 129);
    check("c", Kind::Counter, vec![short], "# TYPE c unknown\nc 1.0\n");
    check("c_total", Kind::Counter, vec![long], "# TYPE c counter\nc_total 1.0\nc_created 1.0\n");
    check("g", Kind::Gauge, vec![], "# TYPE g gauge\ng 1.0\n");
    check(
        "h",
        Kind::GaugeHistogram,
        vec![
            exemplar(ExemplarOf::Native, 2),
            exemplar(ExemplarOf::Bucket(0), 2),
            exemplar(ExemplarOf::Bucket(9), 2),
        ],
        "# TYPE h gaugehistogram\nh_bucket{le=\"1.0\"} 1 # {t=\"x\"} 1.0\nh_bucket{le=\"+Inf\"} 2.5\nh_gsum 1.0\nh_gcount 2.5\n",
    );
}

/// Names of which none is a part of another family.
fn metric_name() -> impl Strategy<Value = String> {
    "[a-zA-Z_:][a-zA-Z0-9_:]{0,6}x"
}

fn value() -> impl Strategy<Value = f64> {
    prop_oneof![any::<f64>(), (-1000i32..1000).prop_map(f64::from), Just(f64::NAN), Just(f64::INFINITY)]
        // The text has one zero and one NaN.
        .prop_map(|value| if value.is_nan() { f64::NAN } else { value + 0.0 })
}

fn timestamp() -> impl Strategy<Value = Timestamp> {
    let seconds = prop_oneof![-62_135_596_800i64..253_402_300_800, 1_600_000_000i64..1_800_000_000];
    (seconds, 0..1_000_000_000i32).prop_map(|(seconds, nanos)| Timestamp { seconds, nanos })
}

fn exemplar() -> impl Strategy<Value = Exemplar> {
    let labels = btree_map("[a-z]{1,3}", "\\PC{0,20}", 0..3).prop_map(|labels| {
        labels.into_iter().map(|(name, value)| (name.into(), value.into())).collect::<Box<[_]>>()
    });
    let value = value().prop_map(|value| if value.is_nan() { 1.0 } else { value }); // NaN equals nothing.
    (labels, value, proptest::option::of(timestamp())).prop_map(|(labels, value, timestamp)| Exemplar {
        of: ExemplarOf::Counter,
        labels,
        value,
        timestamp,
    })
}

#[derive(Clone, Debug)]
struct Sample {
    value: f64,
    count: f64,
    points: Vec<(f64, f64)>,
    created: Option<Timestamp>,
    exemplars: Vec<Exemplar>,
}

fn sample(kind: Kind) -> BoxedStrategy<Sample> {
    let simple =
        |value| Sample { value, count: 0.0, points: Vec::new(), created: None, exemplars: Vec::new() };
    let created = || proptest::option::of(timestamp());
    match kind {
        Kind::Counter => (value(), created(), proptest::option::of(exemplar()))
            .prop_map(move |(value, created, exemplar)| {
                let value = if value.is_nan() { 1.0 } else { value.abs() };
                Sample { created, exemplars: exemplar.into_iter().collect(), ..simple(value) }
            })
            .boxed(),
        Kind::Summary => (-1e9..1e9, 0u32..1000, btree_map(0u32..=100, value(), 0..4), created())
            .prop_map(move |(sum, count, points, created)| {
                let points =
                    points.into_iter().map(|(rank, value)| (f64::from(rank) / 100.0, value)).collect();
                Sample { count: f64::from(count), points, created, ..simple(sum) }
            })
            .boxed(),
        Kind::Histogram | Kind::GaugeHistogram => {
            let bucket = (any::<i32>(), 0u32..1000, proptest::option::of(exemplar()));
            (0.0..1e9, vec(bucket, 0..4), 0u32..1000, created())
                .prop_map(move |(sum, mut buckets, rest, created)| {
                    buckets.sort_by_key(|&(bound, ..)| bound);
                    buckets.dedup_by_key(|&mut (bound, ..)| bound);
                    let mut sample = Sample { created, ..simple(sum) };
                    for (number, (bound, count, exemplar)) in (0..).zip(buckets) {
                        sample.count += f64::from(count);
                        sample.points.push((f64::from(bound) / 8.0, sample.count));
                        let of = ExemplarOf::Bucket(number);
                        sample.exemplars.extend(exemplar.map(|exemplar| Exemplar { of, ..exemplar }));
                    }
                    sample.count += f64::from(rest);
                    sample.points.push((f64::INFINITY, sample.count));
                    sample.created = sample.created.filter(|_| kind == Kind::Histogram);
                    sample
                })
                .boxed()
        }
        Kind::Gauge | Kind::Untyped => value().prop_map(simple).boxed(),
    }
}

type LabelSet = BTreeMap<String, String>;

fn family() -> impl Strategy<Value = (Kind, String, bool, BTreeMap<LabelSet, Sample>)> {
    let labels = || btree_map("[a-c][a-z0-9_]{0,3}", any::<String>(), 0..4);
    (0u8..6, any::<String>(), any::<bool>()).prop_flat_map(move |(kind, help, has_unit)| {
        let kind = Kind::from_u8(kind);
        (Just(kind), Just(help), Just(has_unit), btree_map(labels(), sample(kind), 1..5))
    })
}

fn push() -> impl Strategy<Value = Push> {
    btree_map(metric_name(), family(), 0..5).prop_map(|families| {
        let mut builder = Builder::new(&key()).unwrap();
        for (name, (kind, help, has_unit, series)) in families {
            let unit = if has_unit { "_s" } else { "" };
            let suffix = if kind == Kind::Counter { "_total" } else { "" };
            let name = builder.intern(format!("{name}{unit}{suffix}").as_bytes()).unwrap();
            let family = builder.family(name);
            let help = builder.intern(help.as_bytes()).unwrap();
            let unit = builder.intern(unit.trim_start_matches('_').as_bytes()).unwrap();
            builder.set_kind(family, kind);
            builder.set_help(family, help);
            builder.set_unit(family, unit);
            for (labels, sample) in series {
                let mut symbols = Vec::new();
                for (name, value) in &labels {
                    let name = builder.intern(name.as_bytes()).unwrap();
                    symbols.push(Label { name, value: builder.intern(value.as_bytes()).unwrap() });
                }
                let series = builder.series(family, &symbols, sample.value);
                builder.set_count(series, sample.count);
                sample.points.iter().for_each(|&(bound, value)| builder.point(series, bound, value));
                let detail = Detail {
                    created: sample.created,
                    exemplars: sample.exemplars.into(),
                    ..Detail::default()
                };
                if !detail.is_empty() {
                    builder.set_detail(series, detail);
                }
            }
        }
        builder.finish()
    })
}

/// Bodies made of the pieces of the format, so that most get past the first byte.
fn soup() -> impl Strategy<Value = Vec<u8>> {
    let pieces: &[&[u8]] = &[
        b"a",
        b"a_total",
        b"h_sum 1\n",
        b"h_count 1\n",
        b"h_bucket{le=\"1\"} 1",
        b"h_bucket{le=\"+Inf\"} 1",
        b"{",
        b"}",
        b"x=\"1\"",
        b"{x=\"1\"}",
        b",",
        b"\"",
        b"\\",
        b" ",
        b"\n",
        b" 1\n",
        b" 1",
        b" -1",
        b" # {t=\"x\"} 1",
        b"NaN",
        b"# TYPE h histogram\n",
        b"# TYPE h summary\n",
        b"# TYPE a counter\n",
        b"# TYPE a info\n",
        b"# HELP a ",
        b"# UNIT ",
        b"# EOF\n",
        b"#",
        b"\xff",
        b"_created",
        b"{quantile=\"0.5\"}",
        b"\r",
    ];
    vec(proptest::sample::select(pieces.to_vec()), 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn parsing_gives_back_what_was_encoded(push in push()) {
        let encoded = openmetrics::encode(&push);
        let parsed = parse(encoded.as_bytes());
        prop_assert_eq!(parsed.as_ref().map(openmetrics::encode), Ok(encoded));
        prop_assert!(parsed.unwrap() == push);
    }

    #[test]
    fn any_bytes_are_parsed_or_refused(body in vec(any::<u8>(), 0..200)) {
        let _ = parse(&body);
    }

    #[test]
    fn what_is_taken_can_be_encoded_and_taken_again(mut body in soup()) {
        let _ = parse(&body);
        body.extend_from_slice(if body.ends_with(b"\n") { b"# EOF" } else { b"\n# EOF" });
        if let Ok(push) = parse(&body) {
            let encoded = openmetrics::encode(&push);
            let again = parse(encoded.as_bytes());
            prop_assert_eq!(again.as_ref().map(openmetrics::encode), Ok(encoded));
            prop_assert!(again.is_ok_and(|again| again == push));
        }
    }
}
