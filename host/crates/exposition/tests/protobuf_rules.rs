//! Every rule of the protobuf format, one row each: what is taken, as what, what is refused by the store, and what
//! cannot be decoded. The rules are those of the Pushgateway 1.11.2, observed, except that it stores what breaks its
//! scrapes later on; here that is an objection.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use pushgate_exposition::{
    Bound, Count, Escaping, Exemplar, ExemplarOf, GroupingKey, Kind, Limits, Manners, Push, Rules, Span,
    Timestamp, protobuf, text,
};

fn parse(body: &[u8]) -> Result<Push, protobuf::DecodeError> {
    parse_by(body, &Rules::default())
}

fn parse_by(body: &[u8], rules: &Rules) -> Result<Push, protobuf::DecodeError> {
    protobuf::parse(body, &GroupingKey::new([("job", "x"), ("a_b", "")]).unwrap(), rules)
}

#[track_caller]
fn takes(rule: &str, body: impl AsRef<[u8]>, expected: &str) -> Push {
    let push = match parse(body.as_ref()) {
        Ok(push) => push,
        Err(error) => panic!("{rule}: {error}"),
    };
    assert_eq!(push.objection().map(ToString::to_string), None, "{rule}");
    assert_eq!(text::encode(&push), expected, "{rule}");
    let again = parse(&protobuf::encode(&push)).unwrap();
    assert!(again == push, "{rule}: encoded as\n{}", text::encode(&again));
    push
}

#[track_caller]
fn objects(rule: &str, body: impl AsRef<[u8]>, expected: &str) {
    match parse(body.as_ref()) {
        Ok(push) => match push.objection() {
            Some(objection) => assert_eq!(objection.to_string(), expected, "{rule}"),
            None => panic!("{rule}: taken as\n{}", text::encode(&push)),
        },
        Err(error) => panic!("{rule}: {error}"),
    }
}

#[track_caller]
fn refuses(rule: &str, body: impl AsRef<[u8]>, expected: &str) {
    match parse(body.as_ref()) {
        Ok(push) => panic!("{rule}: taken as\n{}", text::encode(&push)),
        Err(error) => {
            let error = error.to_string();
            let expected = format!("protobuf format parsing error in family number {expected}");
            assert!(error.starts_with(&expected), "{rule}\n expected: {expected}\n    found: {error}");
        }
    }
}

fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

/// A number.
fn n(field: u64, number: u64) -> Vec<u8> {
    [varint(field << 3), varint(number)].concat()
}

/// A signed number.
fn z(field: u64, number: i64) -> Vec<u8> {
    n(field, (number << 1 ^ number >> 63) as u64)
}

/// A float.
fn f(field: u64, number: f64) -> Vec<u8> {
    [varint(field << 3 | 1), number.to_le_bytes().to_vec()].concat()
}

/// A text.
fn s(field: u64, text: impl AsRef<[u8]>) -> Vec<u8> {
    [varint(field << 3 | 2), varint(text.as_ref().len() as u64), text.as_ref().to_vec()].concat()
}

/// A message.
fn m<const N: usize>(field: u64, fields: [Vec<u8>; N]) -> Vec<u8> {
    s(field, joined(fields))
}

fn joined<const N: usize>(fields: [Vec<u8>; N]) -> Vec<u8> {
    fields.into_iter().flatten().collect()
}

/// A family, with its length before it.
fn family<const N: usize>(fields: [Vec<u8>; N]) -> Vec<u8> {
    let fields = joined(fields);
    [varint(fields.len() as u64), fields].concat()
}

fn label(name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Vec<u8> {
    m(1, [s(1, name), s(2, value)])
}

/// The gauge `a` with one metric of these fields and the value 1.
fn gauge<const N: usize>(fields: [Vec<u8>; N]) -> Vec<u8> {
    family([s(1, "a"), n(3, 1), m(4, [joined(fields), m(2, [f(1, 1.0)])])])
}

/// The histogram `h` with one metric of these fields.
fn histogram<const N: usize>(fields: [Vec<u8>; N]) -> Vec<u8> {
    family([s(1, "h"), n(3, 4), m(4, [m(7, fields)])])
}

fn time(field: u64, seconds: u64, nanos: u64) -> Vec<u8> {
    m(field, [n(1, seconds), n(2, nanos)])
}

fn exemplar(field: u64) -> Vec<u8> {
    m(field, [label("trace", "abc"), f(2, 1.5), time(3, 7, 8)])
}

fn expected_exemplar(of: ExemplarOf) -> Exemplar {
    let labels = [("trace".into(), "abc".into())].into();
    Exemplar { of, labels, value: 1.5, timestamp: Some(Timestamp { seconds: 7, nanos: 8 }) }
}

const A: &str = "# TYPE a gauge\na 1\n";

#[test]
fn streams_and_families() {
    takes("an empty stream", "", "");
    takes("an empty family", [0], "");
    takes("a family without metrics", family([s(1, "a")]), "");
    takes("a family without name and metrics", family([n(3, 1)]), "");
    takes("a gauge", gauge([]), A);
    let b = family([s(1, "b"), s(2, "h"), n(3, 3), m(4, [m(5, [f(1, 2.0)])])]);
    takes("several", [gauge([]), b].concat(), &format!("{A}# HELP b h\n# TYPE b untyped\nb 2\n"));
    takes(
        "no type is a counter",
        family([s(1, "c"), m(4, [m(3, [f(1, -1.0)])])]),
        "# TYPE c counter\nc -1\n",
    );
    takes("fields in any order", family([m(4, [m(2, [f(1, 1.0)])]), n(3, 1), s(1, "a")]), A);
    takes(
        "a field twice: the last one wins",
        family([s(1, "b"), m(4, [m(2, [f(1, 1.0)])]), n(3, 1), s(1, "a")]),
        A,
    );
    let second = family([s(1, "a"), m(4, [m(3, [f(1, 2.0)])])]);
    takes("a family twice: the last one wins", [gauge([]), second].concat(), "# TYPE a counter\na 2\n");
    takes("also one without metrics", [gauge([]), family([s(1, "a")])].concat(), "");
    takes("what is replaced may be anything", [gauge([n(6, 5)]), gauge([])].concat(), A);
    let unit = takes("a unit", family([s(1, "a"), n(3, 1), m(4, [m(2, [f(1, 1.0)])]), s(5, "s")]), A);
    assert_eq!(unit.families().next().unwrap().unit(), "s");
    takes(
        "names as they are",
        family([s(1, "a.b\n\"c\""), n(3, 1), m(4, [label("ü ", "v"), m(2, [f(1, 1.0)])])]),
        "# TYPE \"a.b\\n\\\"c\\\"\" gauge\n{\"a.b\\n\\\"c\\\"\",\"ü \"=\"v\"} 1\n",
    );
    let wrong_wire = [s(1, "a"), f(1, 1.0), n(3, 1), f(3, 0.0), m(4, [m(2, [f(1, 1.0), n(1, 7)])]), n(4, 1)];
    takes("a field of another wire type is unknown", family(wrong_wire), A);
    let unknown = [n(99, 1), f(98, 1.0), s(97, "x"), varint(96 << 3 | 5), vec![0; 4]].concat();
    let group = [varint(95 << 3 | 3), unknown.clone(), varint(95 << 3 | 4)].concat();
    takes(
        "unknown fields",
        family([group.clone(), s(1, "a"), unknown, n(3, 1), m(4, [m(2, [f(1, 1.0), group])])]),
        A,
    );
}

#[test]
fn metrics() {
    takes("an empty value is 0", family([s(1, "a"), n(3, 1), m(4, [m(2, [])])]), "# TYPE a gauge\na 0\n");
    takes(
        "labels are sorted",
        gauge([label("z", "1"), label("b", "2")]),
        "# TYPE a gauge\na{b=\"2\",z=\"1\"} 1\n",
    );
    takes("an empty label value", gauge([label("b", "")]), "# TYPE a gauge\na{b=\"\"} 1\n");
    takes("a label without value", gauge([m(1, [s(1, "b")])]), "# TYPE a gauge\na{b=\"\"} 1\n");
    takes("the grouping key wins", gauge([label("job", "y")]), A);
    takes(
        "a value in parts",
        family([s(1, "a"), n(3, 1), m(4, [m(2, [f(1, 2.0)]), m(2, []), m(2, [f(1, 1.0)])])]),
        A,
    );
    takes("other values beside", gauge([m(3, [f(1, 9.0)]), m(7, [n(1, 3)])]), A);
    takes(
        "a summary",
        family([
            s(1, "s"),
            n(3, 2),
            m(
                4,
                [m(
                    4,
                    [n(1, 5), f(2, 2.5), m(3, [f(1, 0.5), f(2, f64::NAN)]), m(3, [f(1, 0.99), f(2, 2.0)])],
                )],
            ),
        ]),
        "# TYPE s summary\ns{quantile=\"0.5\"} NaN\ns{quantile=\"0.99\"} 2\ns_sum 2.5\ns_count 5\n",
    );
    let push = takes(
        "a counter with all it can have",
        family([s(1, "c"), m(4, [m(3, [exemplar(2), f(1, 5.0), time(3, 9, 5)])])]),
        "# TYPE c counter\nc 5\n",
    );
    let (_, series) = push.series(0).unwrap();
    let detail = series.detail().unwrap();
    assert_eq!(*detail.exemplars, [expected_exemplar(ExemplarOf::Counter)]);
    assert_eq!(detail.created, Some(Timestamp { seconds: 9, nanos: 5 }));
}

#[test]
fn classic_histograms() {
    let push = takes(
        "without +Inf",
        histogram([n(1, 3), f(2, 4.5), m(3, [n(1, 1), f(2, 1.0)]), m(3, [n(1, 2), f(2, 2.0), exemplar(3)])]),
        "# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"2\"} 2\nh_bucket{le=\"+Inf\"} 3\nh_sum 4.5\nh_count 3\n",
    );
    let (_, series) = push.series(0).unwrap();
    assert!(series.detail().unwrap().without_infinity);
    assert_eq!(*series.detail().unwrap().exemplars, [expected_exemplar(ExemplarOf::Bucket(1))]);
    let push = takes(
        "with +Inf there is no detail",
        histogram([n(1, 3), m(3, [n(1, 3), f(2, f64::INFINITY)])]),
        "# TYPE h histogram\nh_bucket{le=\"+Inf\"} 3\nh_sum 0\nh_count 3\n",
    );
    assert_eq!(push.series(0).unwrap().1.detail(), None);
    takes(
        "a float overrides an integer unless it is 0",
        histogram([n(1, 3), f(4, 3.5), m(3, [n(1, 1), f(4, 0.0)]), m(3, [n(1, 1), f(4, 1.5), f(2, 1.0)])]),
        "# TYPE h histogram\nh_bucket{le=\"0\"} 1\nh_bucket{le=\"1\"} 1.5\nh_bucket{le=\"+Inf\"} 3.5\nh_sum 0\nh_count 3.5\n",
    );
    takes(
        "a gauge histogram",
        family([s(1, "h"), n(3, 5), m(4, [m(7, [n(1, 3), f(2, 4.5), m(3, [n(1, 1), f(2, 1.0)])])])]),
        "# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 3\nh_sum 4.5\nh_count 3\n",
    );
}

#[test]
fn native_histograms() {
    let span = |field, offset, length| m(field, [z(1, offset), n(2, length)]);
    let shown = "# TYPE h histogram\nh_bucket{le=\"+Inf\"} 12\nh_sum 18.4\nh_count 12\n";
    let integers = [
        n(1, 12),
        f(2, 18.4),
        z(5, 1),
        f(6, 0.001),
        n(7, 2),
        span(9, 0, 2),
        span(9, -1, 2),
        [z(10, 1), z(10, 1), z(10, -1), z(10, 0)].concat(),
        span(12, 0, 2),
        span(12, 1, 2),
        s(13, [2, 2, 1, 0]),
        time(15, 9, 5),
        exemplar(16),
    ];
    let push = takes("integers, packed or not, overlapping too", histogram(integers), shown);
    let (_, series) = push.series(0).unwrap();
    let detail = series.detail().unwrap();
    assert_eq!((series.points().len(), detail.without_infinity), (0, true));
    assert_eq!(*detail.exemplars, [expected_exemplar(ExemplarOf::Native)]);
    let native = detail.native.as_deref().unwrap();
    assert_eq!((native.schema, native.zero_threshold), (1, 0.001));
    assert_eq!((native.zero_count, native.count), (Count::Integer(2), Count::Integer(12)));
    assert_eq!(*native.negative.deltas, [1, 1, -1, 0]);
    assert_eq!(*native.positive.deltas, [1, 1, -1, 0]);
    assert_eq!(*native.positive.spans, [Span { offset: 0, length: 2 }, Span { offset: 1, length: 2 }]);
    let push = takes(
        "floats",
        histogram([f(4, 12.0), f(2, 18.4), z(5, 0), f(8, 2.5), span(12, 0, 2), f(14, 1.5), f(14, 2.5)]),
        shown,
    );
    let native = push.series(0).unwrap().1.detail().unwrap().native.as_deref().unwrap();
    assert_eq!((native.zero_count, native.count), (Count::Float(2.5), Count::Float(12.0)));
    assert_eq!(*native.positive.counts, [1.5, 2.5]);
    takes(
        "counted, but in no bucket, as the sum tells",
        histogram([n(1, 2), f(2, f64::NAN), z(5, 0), span(12, 0, 1), z(13, 1)]),
        "# TYPE h histogram\nh_bucket{le=\"+Inf\"} 2\nh_sum NaN\nh_count 2\n",
    );
    takes(
        "spans that go back over empty buckets only",
        histogram([
            [n(1, 3), z(5, 0), span(12, -7, 3), span(12, 9, 0), span(12, -11, 1), span(12, -1, 0)].concat(),
            [z(13, 1), z(13, -1), z(13, 0), z(13, 2)].concat(),
        ]),
        "# TYPE h histogram\nh_bucket{le=\"+Inf\"} 3\nh_sum 0\nh_count 3\n",
    );
    takes(
        "nothing observed yet",
        histogram([z(5, 0), span(12, 0, 0)]),
        "# TYPE h histogram\nh_bucket{le=\"+Inf\"} 0\nh_sum 0\nh_count 0\n",
    );
    let h = "metric number 1 of family \"h\" has a";
    let native = |rule: &str, fields: &[Vec<u8>], flaw: &str| {
        objects(rule, histogram([z(5, 0), fields.concat()]), &format!("{h} {flaw}"));
    };
    let schemas = "; -4 to 8 can be sent (and custom buckets only as classic ones)";
    native("schema", &[z(5, 9)], &format!("native histogram of schema 9{schemas}"));
    native("custom buckets", &[z(5, -53)], &format!("native histogram of schema -53{schemas}"));
    for threshold in [-1.0, f64::NAN, f64::INFINITY] {
        let flaw =
            format!("native histogram whose zero threshold is {threshold}; it must be 0 or more, and finite");
        native("zero threshold", &[f(6, threshold)], &flaw);
    }
    native(
        "more span than buckets",
        &[n(1, 3), span(12, 0, 5), z(13, 1), z(13, 1)],
        "native histogram whose positive spans are for 5 buckets, but 2 are given",
    );
    native(
        "more buckets than span",
        &[n(1, 3), z(10, 1)],
        "native histogram whose negative spans are for 0 buckets, but 1 are given",
    );
    let beyond = "native histogram with negative buckets beyond what a bucket's number can be";
    native("bucket number", &[n(1, 1), span(9, i64::from(i32::MAX), 1), z(10, 1)], beyond);
    native("offsets that add up", &[span(9, i64::from(i32::MAX), 0), span(9, 1, 0)], beyond);
    let overlap =
        "native histogram whose positive spans overlap; let each begin where the one before ends, or behind";
    native("one bucket twice", &[n(1, 2), span(12, 0, 1), span(12, -1, 1), z(13, 1), z(13, 0)], overlap);
    native("backwards", &[n(1, 2), span(12, 0, 1), span(12, -9, 1), z(13, 1), z(13, 0)], overlap);
    native(
        "also floats, across a span of nothing",
        &[f(4, 2.0), span(12, 0, 1), span(12, -1, 0), span(12, 0, 1), f(14, 1.0), f(14, 1.0)],
        overlap,
    );
    let count = "count of a native bucket that is negative or not finite";
    native("below zero", &[span(12, 0, 2), z(13, 1), z(13, -2)], count);
    native("overflow", &[span(12, 0, 2), z(13, i64::MAX), z(13, 1)], count);
    native("NaN", &[span(12, 0, 1), f(14, f64::NAN)], count);
    native("a negative zero count", &[f(8, -1.0)], "count of its zero bucket that is negative or not finite");
    native("a count that is NaN", &[f(4, f64::NAN)], "count that is negative or not finite");
    let mixed = "native histogram with counts in integers and in floats; use one of them";
    native("deltas and counts", &[span(12, 0, 2), z(13, 1), f(14, 1.0)], mixed);
    native("deltas and a float count", &[f(4, 1.0), span(12, 0, 1), z(13, 1)], mixed);
    native("counts and an integer", &[n(1, 1), span(12, 0, 1), f(14, 1.0)], mixed);
    native("fractions in classic buckets", &[m(3, [f(4, 0.5)])], mixed);
    native(
        "more in buckets than counted",
        &[n(1, 1), f(2, f64::NAN), span(12, 0, 1), z(13, 2)],
        "native histogram with a count of 1, but 2 observations in its buckets",
    );
    native(
        "fewer in buckets than counted",
        &[n(1, 3), span(12, 0, 1), z(13, 2)],
        "native histogram with a count of 3, but 2 observations in its buckets",
    );
}

#[test]
fn what_the_store_refuses() {
    let a = |flaw: &str| format!("metric number 1 of family \"a\" {flaw}");
    let timestamp =
        "pushed metrics must not have timestamps, but metric number 1 of family \"a\" has one; remove it";
    objects("a timestamp", gauge([n(6, 5)]), timestamp);
    objects("a timestamp of 0", gauge([n(6, 0)]), timestamp);
    objects("no name", family([n(3, 1), m(4, [])]), "family number 1 has no name; give it one");
    objects(
        "a name that is no text",
        family([s(1, b"\xff"), n(3, 1), m(4, [])]),
        "family \"\u{fffd}\" has a name that is not UTF-8; send names and texts as UTF-8",
    );
    let not_utf8 =
        |what: &str| format!("family \"a\" has a {what} that is not UTF-8; send names and texts as UTF-8");
    objects("a HELP that is no text", family([s(1, "a"), s(2, b"\xff"), m(4, [])]), &not_utf8("HELP text"));
    objects("a unit that is no text", family([s(1, "a"), s(5, b"\xff"), m(4, [])]), &not_utf8("unit"));
    objects(
        "an unknown type",
        family([s(1, "a"), n(3, 6), m(4, [])]),
        "family \"a\" has the type number 6, which is none; use 0 to 5",
    );
    for (number, kind) in
        [(0, "counter"), (1, "gauge"), (2, "summary"), (3, "untyped"), (4, "histogram"), (5, "histogram")]
    {
        let body = family([s(1, "a"), n(3, number), m(4, [])]);
        objects(kind, body, &a(&format!("has no {kind} value, though that is the type of its family")));
    }
    let other = family([s(1, "a"), n(3, 5), m(4, [m(2, [f(1, 1.0)])])]);
    objects("another value", other, &a("has no histogram value, though that is the type of its family"));
    objects("a label without name", gauge([label("", "1")]), &a("has a label without a name; give it one"));
    objects(
        "a reserved label",
        gauge([label("__name__", "b")]),
        "the label name \"__name__\" in metric number 1 of family \"a\" begins with __, which Prometheus keeps for itself",
    );
    let label_text = a("has a label that is not UTF-8; send names and texts as UTF-8");
    objects("a label name that is no text", gauge([label(b"\xff", "1")]), &label_text);
    objects("a label value that is no text", gauge([label("l", b"\xff")]), &label_text);
    objects(
        "a label twice",
        gauge([label("l", "1"), label("l", "1")]),
        &a("has the label \"l\" twice; remove one"),
    );
    objects(
        "a grouping label twice",
        gauge([label("job", "1"), label("job", "2")]),
        &a("has the label \"job\" twice; remove one"),
    );
    let quantile = family([s(1, "a"), n(3, 2), m(4, [label("quantile", "1"), m(4, [])])]);
    objects(
        "quantile",
        quantile,
        &a("has the label \"quantile\", which tells its own samples apart; rename it"),
    );
    let le = family([s(1, "a"), n(3, 5), m(4, [label("le", "1"), m(7, [])])]);
    objects("le", le, &a("has the label \"le\", which tells its own samples apart; rename it"));
    let h = "metric number 1 of family \"h\" has";
    objects("a bound", histogram([m(3, [f(2, f64::NAN)])]), &format!("{h} a bucket bound that is NaN"));
    let summary = family([s(1, "a"), n(3, 2), m(4, [m(4, [m(3, [f(1, f64::NAN)])])])]);
    objects("a quantile", summary, &a("has a quantile that is NaN"));
    for count in [-1.0, f64::NAN, f64::INFINITY] {
        objects("a count", histogram([f(4, count)]), &format!("{h} a count that is negative or not finite"));
        let bucket = histogram([m(3, [n(1, 1), f(4, count)])]);
        objects("a bucket", bucket, &format!("{h} a bucket count that is negative or not finite"));
    }
    let created = family([s(1, "a"), m(4, [m(3, [time(3, 1, 1_000_000_000)])])]);
    objects("a time", created, &a("has a time with 1000000000 nanoseconds, which must be 0 to 999999999"));
    let exemplar = family([s(1, "a"), m(4, [m(3, [m(2, [label(b"\xff", "1")])])])]);
    objects(
        "an exemplar",
        exemplar,
        &a("has a label of an exemplar that is not UTF-8; send names and texts as UTF-8"),
    );
    objects("the first one counts", [gauge([n(6, 1)]), family([m(4, [])])].concat(), timestamp);
}

#[test]
fn labels_that_are_shown_as_one() {
    let check = |names: &[&str], expected: [&str; 3]| {
        let labels: Vec<u8> = names.iter().flat_map(|name| label(name, "1")).collect();
        let [a, b, shown] = expected;
        let flaw = format!(
            "metric number 2 of family \"a\" has the labels {a:?} and {b:?}, which are both shown as {shown:?} to readers of classic names; rename one"
        );
        let metrics = [m(4, [m(2, [])]), m(4, [labels, m(2, [])])].concat();
        objects(&names.join(" "), family([s(1, "a"), n(3, 1), metrics]), &flaw);
    };
    check(&["c.d", "c_d"], ["c.d", "c_d", "c_d"]);
    check(&["c.d", "c-d"], ["c-d", "c.d", "c_d"]);
    check(&["c.d", "c_dot_d"], ["c.d", "c_dot_d", "c_dot_d"]);
    check(&["c.d", "U__c_2e_d"], ["U__c_2e_d", "c.d", "U__c_2e_d"]);
    check(&["a.b"], ["a.b", "a_b", "a_b"]); // A label of the grouping key.
    check(&["-.name.."], ["-.name..", "__name__", "__name__"]);
    check(&["-name-"], ["-name-", "__name__", "__name__"]);
    takes(
        "no clash",
        gauge([label("c.d", "1"), label("c_e", "2")]),
        "# TYPE a gauge\na{\"c.d\"=\"1\",c_e=\"2\"} 1\n",
    );
}

#[test]
fn what_is_written_is_what_the_go_client_would_write() {
    let bucket = |count, bound| m(3, [n(1, count), f(2, bound)]);
    let with_exemplar = m(3, [n(1, 3), f(2, 2.0), exemplar(3)]);
    let span = m(12, [z(1, -1), n(2, 2)]);
    let classic = [bucket(1, 1.0), with_exemplar].concat();
    let native = [z(5, 3), f(6, 0.001), n(7, 0), span, z(13, 2), z(13, -1)].concat();
    let created = m(15, [n(1, 9)]); // Nanoseconds of 0 are left out.
    let histogram = m(7, [n(1, 3), f(2, 1.5), classic, native, created, exemplar(16)]);
    let float = m(7, [f(2, 1.5), m(3, [f(2, 1.0), f(4, 0.5)]), f(4, 1.5)]);
    let summary = m(4, [n(1, 2), f(2, 3.0), m(3, [f(1, 0.5), f(2, 1.0)]), time(4, 9, 5)]);
    let nan = [vec![0x09], 0x7ff8_0000_0000_0001_u64.to_le_bytes().to_vec()].concat();
    let body = [
        family([s(1, "c"), s(2, "help"), n(3, 0), m(4, [m(3, [f(1, 5.0), exemplar(2), time(3, 9, 5)])])]),
        family([
            s(1, "g"),
            n(3, 1),
            m(4, [label("a", "x"), label("b", ""), m(2, [f(1, 1.0)])]),
            m(4, [m(2, [nan])]),
        ]),
        family([s(1, "s"), n(3, 2), m(4, [summary])]),
        family([s(1, "u"), n(3, 3), m(4, [m(5, [f(1, -1.0)])]), s(5, "seconds")]),
        family([s(1, "h"), n(3, 4), m(4, [label("long", "x".repeat(200)), histogram])]),
        family([s(1, "f"), n(3, 5), m(4, [float])]),
    ]
    .concat();
    let push = parse(&body).unwrap();
    assert_eq!((push.objection(), push.series_count()), (None, 7));
    assert_eq!(protobuf::encode(&push), body);
}

#[test]
fn a_family_from_several_pushes() {
    let push = |name: &str, label_value: &str| {
        let metric = m(4, [label("c.d", label_value), m(2, [f(1, 1.0)])]);
        parse(&family([s(1, name), n(3, 1), metric])).unwrap()
    };
    let (one, other) = (push("a.b", "1"), push("a.b", "2"));
    let check = |escaping, name: &str, label_name: &str| {
        let mut out = vec![7];
        let mut encoder = protobuf::FamilyEncoder::new(&mut out, "a.b", Some("help"), Kind::Gauge, escaping);
        for family in [&one, &other].iter().flat_map(|push| push.families()) {
            family.series().for_each(|series| encoder.series(series));
        }
        encoder.finish();
        let metric = |value: &str| m(4, [label(label_name, value), m(2, [f(1, 1.0)])]);
        let expected = family([s(1, name), s(2, "help"), n(3, 1), metric("1"), metric("2")]);
        assert_eq!(out, [vec![7], expected].concat());
    };
    check(Escaping::AllowUtf8, "a.b", "c.d");
    check(Escaping::Underscores, "a_b", "c_d");
    check(Escaping::Dots, "a_dot_b", "c_dot_d");
    check(Escaping::Values, "U__a_2e_b", "U__c_2e_d");

    let mut out = vec![7];
    protobuf::FamilyEncoder::new(&mut out, "a", Some("help"), Kind::Gauge, Escaping::AllowUtf8).finish();
    assert_eq!(out, [7], "a family without series leaves nothing behind");
}

#[test]
fn what_was_read_back_from_text_is_written_as_before() {
    let body = histogram([n(1, 3), f(2, 4.5), m(3, [n(1, 1), f(2, 1.0), exemplar(3)]), time(15, 9, 5)]);
    let push = parse(&body).unwrap();
    let pushed = push.families().next().unwrap();
    let mut lines = String::new();
    let series = pushed.series().next().unwrap();
    text::encode::samples(&mut lines, pushed, series, &[], Escaping::AllowUtf8);
    let details = [(0, series.detail().unwrap().clone())];
    let back = text::read_back("h", Kind::Histogram, &lines, details).unwrap();
    assert_eq!(back.series(0).unwrap().1.points().len(), 2, "text has +Inf");
    assert_eq!(protobuf::encode(&back), protobuf::encode(&push));
}

#[test]
fn lenient_manners() {
    let rules = Rules { manners: Manners::Lenient, ..Rules::default() };
    let push = parse_by(&gauge([n(6, 5)]), &rules).unwrap();
    assert_eq!((push.objection(), text::encode(&push).as_str()), (None, A));
}

#[test]
fn what_cannot_be_decoded() {
    refuses("text", "a 1\n", "1 at byte 1: 97 bytes are announced, but only 3 follow (the body is cut, or");
    refuses("a cut length", [0x80], "1 at byte 0: unexpected end of input stream (the body is cut");
    refuses(
        "a tebibyte",
        [varint(1 << 40), vec![0x0a; 3]].concat(),
        "1 at byte 6: 1099511627776 bytes are announced",
    );
    refuses("more than 64 bits", [0xff; 11], "1 at byte 0: a number does not fit into 64 bits");
    refuses("field 0", [1, 0], "1 at byte 2: 0 is no field number");
    refuses("the second family", [vec![0], family([vec![0x0f]])].concat(), "2 at byte 3: 7 is no wire type");
    let inner = family([s(1, "a"), m(4, [m(2, [vec![0x09, 0]])])]);
    refuses(
        "inside a metric",
        inner.clone(),
        "1 (\"a\") at byte 9: 8 bytes are announced, but only 1 follow",
    );
    refuses(
        "in a family that is replaced",
        [inner.clone(), gauge([])].concat(),
        "1 (\"a\") at byte 9: 8 bytes",
    );
    let no_name = family([m(4, [m(7, [m(3, [vec![0x09, 0]])])])]);
    refuses("in a family without name", no_name, "1 at byte 8: 8 bytes");
    let other_value = family([s(1, "a"), n(3, 1), m(4, [m(3, [m(2, [s(1, [0x0a])])])])]);
    refuses(
        "in a value that is not used",
        other_value,
        "1 (\"a\") at byte 15: unexpected end of input stream",
    );
    let packed = histogram([s(13, [0x80])]);
    refuses("in packed numbers", packed, "1 (\"h\") at byte 12: unexpected end of input stream");
}

#[test]
fn every_cut_of_a_stream_is_refused() {
    let exemplars = m(3, [n(1, 1), f(2, 1.0), exemplar(3)]);
    let native = [z(5, 1), m(12, [z(1, 0), n(2, 1)]), z(13, 1), exemplar(16), time(15, 1, 1)].concat();
    let body = [gauge([label("l", "v")]), histogram([n(1, 1), exemplars, native])].concat();
    let first = gauge([label("l", "v")]).len();
    assert!(parse(&body).is_ok_and(|push| push.objection().is_none() && push.series_count() == 2));
    for end in (1..body.len()).filter(|&end| end != first) {
        assert!(parse(&body[..end]).is_err(), "cut at {end}");
    }
}

#[test]
fn limits() {
    let exact = Limits { series: 2, labels: 2, name_length: 3, value_length: 4 };
    let body = |metrics: u64, labels: u64, name: &str, value: &str, help: &str| {
        let label_of = |number| label(format!("{name}{number}"), value);
        let labels: Vec<u8> = (0..labels).flat_map(label_of).collect();
        let metrics: Vec<u8> =
            (0..metrics).flat_map(|at| m(4, [labels.clone(), m(3, [f(1, at as f64)])])).collect();
        family([s(1, "abc"), s(2, help), metrics])
    };
    let check = |body: Vec<u8>, bound| {
        let parsed = parse_by(&body, &Rules { limits: exact, ..Rules::default() });
        assert_eq!(parsed.err().and_then(|error| error.bound()), bound);
    };
    check(body(2, 2, "ab", "abcd", "abcd"), None);
    check(body(3, 2, "ab", "abcd", "abcd"), Some(Bound::Series));
    check(body(2, 3, "ab", "abcd", "abcd"), Some(Bound::Labels));
    check(body(2, 2, "abc", "abcd", "abcd"), Some(Bound::NameLength));
    check(body(2, 2, "ab", "abcde", "abcd"), Some(Bound::ValueLength));
    check(body(2, 2, "ab", "abcd", "abcde"), Some(Bound::ValueLength));
    check(family([s(1, "abcd")]), Some(Bound::NameLength));
    let three = m(2, [label("a", ""), label("b", ""), label("c", "")]);
    check(family([s(1, "a"), m(4, [m(3, [three])])]), Some(Bound::Labels));
}

/// Found by fuzzing: the native part said integers, a classic bucket had a float.
#[test]
fn a_bucket_that_is_no_integer_stays_what_it_is() {
    let bucket = m(3, [n(1, 1), f(2, 0.0), f(4, 1e30)]);
    let push = parse(&histogram([bucket, f(2, 4.5), z(5, -2)])).unwrap();
    assert_eq!(push.objection(), None);
    assert_eq!(parse(&protobuf::encode(&push)).as_ref(), Ok(&push));
}
