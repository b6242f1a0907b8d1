//! Every rule of OpenMetrics 1.0, one row each, by the sections of the specification: what is taken, as what, and
//! what is refused, with which words. <https://prometheus.io/docs/specs/om/open_metrics_spec/>

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use pushgate_exposition::openmetrics::encode::{self, Style};
use pushgate_exposition::{
    Bound, Detail, Escaping, Exemplar, ExemplarOf, Family, GroupingKey, Limits, Manners, Names, Push, Rules,
    Timestamp, openmetrics, text,
};

fn key() -> GroupingKey {
    GroupingKey::new([("job", "x")]).unwrap()
}

fn parse(body: impl AsRef<[u8]>) -> Result<Push, openmetrics::ParseError> {
    openmetrics::parse(body.as_ref(), &key(), &Rules::default())
}

/// Bodies and what they are as classic text, both without their last line.
#[track_caller]
fn takes(rule: &str, body: &str, expected: &str) {
    match parse(format!("{body}# EOF\n")) {
        Ok(push) => assert_eq!(text::encode(&push), expected, "{rule}"),
        Err(error) => panic!("{rule}: {error}"),
    }
}

#[track_caller]
fn refuses(rule: &str, body: &str, expected: &str) {
    refuses_all(rule, format!("{body}# EOF\n"), expected);
}

#[track_caller]
fn refuses_all(rule: &str, body: impl AsRef<[u8]>, expected: &str) {
    match parse(body) {
        Ok(push) => panic!("{rule}: taken as\n{}", text::encode(&push)),
        Err(error) => {
            let error = error.to_string();
            let expected = format!("OpenMetrics parsing error in {expected}");
            assert!(error.starts_with(&expected), "{rule}\n expected: {expected}\n    found: {error}");
        }
    }
}

const A: &str = "# TYPE a untyped\na 1\n";

/// "Overall Structure"
#[test]
fn lines() {
    takes("nothing", "", "");
    takes("no metadata", "a 1\n", A);
    assert!(parse("# EOF").is_ok(), "the last line feed may be left out");
    refuses_all("no EOF", "a 1\n", "line 1: the last line is not \"# EOF\" (end the body with");
    refuses_all("an empty body", "", "line 1: the last line is not \"# EOF\"");
    refuses_all("cut in the last line", "a 1\n# EO", "line 2: the line begins with #, but is none of");
    refuses_all("something after EOF", "# EOF\na 1\n", "line 2: there is something after \"# EOF\"");
    refuses_all("a blank line after EOF", "# EOF\n\n", "line 2: there is something after");
    refuses("a blank line", "a 1\n\n", "line 2: blank line (OpenMetrics has no blank lines");
    refuses("a comment", "# hello\n", "line 1: the line begins with #, but is none of # HELP");
    refuses("no blank behind #", "#TYPE a gauge\n", "line 1: the line begins with #");
    refuses("CRLF", "a 1\r\n", "line 1: the line ends in a carriage return (convert the body");
    refuses_all("CRLF of the last line", "# EOF\r\n", "line 1: the line ends in a carriage return");
    refuses("a leading blank", " a 1\n", "line 1: invalid metric name");
    refuses("a byte order mark", "\u{feff}a 1\n", "line 1: invalid metric name");
    refuses_all("not UTF-8", b"a 1\nb{l=\"\xff\"} 1\n# EOF\n", "line 2: not UTF-8 (send the body as UTF-8)");
    takes("byte 0", "a{l=\"\0\"} 1\n", "# TYPE a untyped\na{l=\"\0\"} 1\n");
}

/// "ABNF", sample
#[test]
fn samples() {
    takes("empty braces", "a{} 1\n", A);
    takes("labels", "a{l=\"v\",m=\"w\"} 1\n", "# TYPE a untyped\na{l=\"v\",m=\"w\"} 1\n");
    takes("an empty label value", "a{l=\"\"} 1\n", "# TYPE a untyped\na{l=\"\"} 1\n");
    takes("a hash in a label", "a{l=\"} # {\"} 1\n", "# TYPE a untyped\na{l=\"} # {\"} 1\n");
    refuses("two blanks", "a  1\n", "line 1: expected float as value, got \"\" (there must be one blank");
    refuses("a tab", "a\t1\n", "line 1: expected a blank, found '\\t'");
    refuses("a blank at the end", "a 1 \n", "line 1: expected seconds as timestamp, got \"\" (remove");
    refuses("a blank before the brace", "a {l=\"v\"} 1\n", "line 1: expected float as value, got \"{l=");
    refuses("no blank behind the brace", "a{l=\"v\"}1\n", "line 1: expected a blank, found '1'");
    refuses("a blank after a comma", "a{l=\"v\", m=\"w\"} 1\n", "line 1: expected '=' after label name");
    refuses("a comma at the end", "a{l=\"v\",} 1\n", "line 1: expected '=' after label name, found '}'");
    refuses("no value", "a\n", "line 1: the line ends too early");
    refuses("open braces", "a{l=\"v\"\n", "line 1: the line ends too early");
    refuses("open quotes", "a{l=\"v\n", "line 1: the line ends too early");
    refuses("no quotes", "a{l=v} 1\n", "line 1: expected '\"' at start of label value, found 'v'");
    refuses("no name", "{l=\"v\"} 1\n", "line 1: invalid metric name");
    refuses("no legal name", "a.b 1\n", "line 1: expected a blank, found '.' (metric names may hold");
    refuses("a duplicate label", "a{l=\"v\",l=\"w\"} 1\n", "line 1: duplicate label names for metric \"a\"");
    refuses("__name__", "a{__name__=\"b\"} 1\n", "line 1: label name \"__name__\" is reserved");
}

/// "Escaping"
#[test]
fn escapes() {
    takes(
        "in a label",
        r#"a{l="\\\"\n"} 1
"#,
        "# TYPE a untyped\na{l=\"\\\\\\\"\\n\"} 1\n",
    );
    takes("an undefined one stays", "a{l=\"\\d\"} 1\n", "# TYPE a untyped\na{l=\"\\\\d\"} 1\n");
    takes(
        "in HELP",
        "# HELP a b\\\\c\\nd\\\"\\e\"\na 1\n",
        "# HELP a b\\\\c\\nd\"\\\\e\"\n# TYPE a untyped\na 1\n",
    );
    takes("a carriage return in HELP", "# HELP a b\r\na 1\n", "# HELP a b\r\n# TYPE a untyped\na 1\n");
    refuses("an escaped quote at the end", "a{l=\"v\\\"} 1\n", "line 1: the line ends too early");
}

/// "Numbers" and "Timestamps"
#[test]
fn numbers() {
    for (word, expected) in [
        ("0042", "42"),
        ("+1", "1"),
        ("1.", "1"),
        (".5", "0.5"),
        ("1.89e-7", "1.89e-07"),
        ("1E3", "1000"),
        ("nan", "NaN"),
        ("-INF", "-Inf"),
        ("+Infinity", "+Inf"),
    ] {
        takes(word, &format!("a {word}\n"), &format!("# TYPE a untyped\na {expected}\n"));
    }
    for word in ["0x1", "0x1p-3", "1_0", "1e400", "+nan", "one", "{count:1}"] {
        refuses(word, &format!("a {word}\n"), "line 1: expected float as value, got ");
    }
    for word in ["NaN", "Inf", "0x1", "1.1.1", "x", "1e30"] {
        let expected = format!("line 1: expected seconds as timestamp, got {word:?}");
        refuses(word, &format!("a 1 {word}\n"), &expected);
    }
}

/// "MetricFamily metadata"
#[test]
fn metadata() {
    let full = "# TYPE a_s gauge\n# UNIT a_s s\n# HELP a_s b c\na_s 1\n";
    takes("TYPE, UNIT and HELP", full, "# HELP a_s b c\n# TYPE a_s gauge\na_s 1\n");
    let push = parse(format!("{full}# EOF\n")).unwrap();
    assert_eq!(push.families().next().unwrap().unit(), "s");
    takes("a family without metrics", "# TYPE a gauge\n# HELP b x\n", "");
    takes("empty HELP and UNIT", "# HELP a \n# UNIT a \na 1\n", &format!("# HELP a \n{A}"));
    refuses("HELP without text", "# HELP a\n", "line 1: the line ends too early");
    refuses("no name", "# TYPE \n", "line 1: invalid metric name in comment");
    refuses("no legal name", "# HELP a.b c\n", "line 1: invalid metric name in comment");
    refuses("two blanks", "# TYPE  a gauge\n", "line 1: invalid metric name in comment");
    refuses("an unknown type", "# TYPE a x\n", "line 1: unknown metric type \"x\" (use counter");
    refuses("untyped", "# TYPE a untyped\n", "line 1: unknown metric type \"untyped\" (in OpenMetrics it");
    refuses("a blank at the end", "# TYPE a gauge \n", "line 1: unknown metric type \"gauge \"");
    refuses("capitals", "# TYPE a Gauge\n", "line 1: unknown metric type \"Gauge\"");
    refuses("a second TYPE", "# TYPE a gauge\n# TYPE a gauge\n", "line 2: second TYPE line for metric name");
    refuses("a second HELP", "# HELP a \n# HELP a b\n", "line 2: second HELP line for metric name \"a\"");
    refuses("a second UNIT", "# UNIT a_s s\n# UNIT a_s s\n", "line 2: second UNIT line for metric name");
    refuses(
        "TYPE after samples",
        "a 1\n# TYPE a gauge\n",
        "line 2: TYPE line for metric name \"a\" after its",
    );
    refuses(
        "HELP of a counter after samples",
        "# TYPE a counter\na_total 1\n# HELP a b\n",
        "line 3: HELP line for metric name \"a\" after its samples",
    );
    refuses(
        "TYPE after samples of another type",
        "a 1\n# TYPE a counter\na_total 1\n",
        "line 2: TYPE line for metric name \"a\" after its samples (put HELP, TYPE and UNIT before",
    );
    refuses("HELP after samples", "a 1\n# HELP a b\nb 1\n", "line 2: HELP line for metric name \"a\" after");
    refuses("a unit that ends no name", "# UNIT a s\n", "line 1: the metric name \"a\" does not end in _s");
    refuses("a name that is a unit", "# UNIT s s\n", "line 1: the metric name \"s\" does not end in _s");
    refuses(
        "a unit of an info",
        "# UNIT a_s s\n# TYPE a_s info\n",
        "line 2: info \"a_s\": it cannot have a unit",
    );
    refuses("a unit of a state set", "# TYPE a_s stateset\n# UNIT a_s s\n", "line 2: stateset \"a_s\": it");
}

/// "MetricFamily" and "Metric": nothing is interleaved; "Suffixes": names do not clash
#[test]
fn order() {
    let taken = "belongs to a family further up (the lines of a family stand together";
    let check = |rule, body, line: u32, name| {
        refuses(rule, body, &format!("line {line}: the metric name {name:?} {taken}"));
    };
    check("interleaved families", "a 1\nb 1\na{l=\"v\"} 1\n", 3, "a");
    check("metadata again", "a 1\nb 1\n# HELP a x\n", 3, "a");
    check("a gauge and a counter", "# TYPE a_created gauge\n# TYPE a counter\n", 2, "a_created");
    check(
        "a counter and a gauge",
        "# TYPE a counter\na_total 1\na_created{l=\"v\"} 1\na_total{l=\"v\"} 2\n# TYPE a_total gauge\na_total 1\n",
        5,
        "a_total",
    );
    check("a histogram and its part", "# TYPE a histogram\n# TYPE a_count gauge\n", 2, "a_count");
    check("a histogram and a gauge", "# TYPE a gauge\n# TYPE b gauge\n# TYPE a histogram\n", 3, "a");
    takes(
        "what Go programs expose",
        "# TYPE a gauge\na 1\n# TYPE a counter\na_total 2\n",
        "# TYPE a gauge\na 1\n# TYPE a_total counter\na_total 2\n",
    );
    refuses(
        "the same sample",
        "a 1\na 2\n",
        "line 2: unknown \"a\" with those labels has this sample already",
    );
    refuses(
        "interleaved metrics",
        "# TYPE a summary\na_sum{l=\"v\"} 1\na_sum 1\na_count{l=\"v\"} 1\n",
        "line 4: summary \"a\" with those labels came already, and another one since (the lines of a metric",
    );
    refuses(
        "the same metric, labels in another order",
        "a{l=\"v\",m=\"w\"} 1\na 1\na{m=\"w\",l=\"v\"} 1\n",
        "line 3: unknown \"a\" with those labels came already",
    );
}

/// "Timestamps" and "MetricPoint"
#[test]
fn timestamps() {
    let objection = "pushed metrics must not have timestamps, but line 2 has one; remove it";
    for (rule, body) in [
        ("one", "a 1\nb 2 123.5\n# EOF\n"),
        ("several points", "# TYPE b gauge\nb 1 1\nb 2 2\n# EOF\n"),
        ("a cut one", "# TYPE b gauge\nb 2 1.0000000001\nb 2 1.0000000002\n# EOF\n"),
    ] {
        let push = parse(body).unwrap();
        assert_eq!(push.objection().map(ToString::to_string).as_deref(), Some(objection), "{rule}");
        let rules = Rules { manners: Manners::Lenient, ..Rules::default() };
        let push = openmetrics::parse(body.as_bytes(), &key(), &rules).unwrap();
        assert_eq!(push.objection(), None);
        assert_eq!(push.families().last().unwrap().series().last().unwrap().value(), 2.0, "{rule}");
    }
    refuses("back in time", "a 1 2\na 1 1\n", "line 2: unknown \"a\": its timestamps go backwards");
    refuses("some", "a 1 2\na 1\n", "line 2: unknown \"a\": some of its samples have a timestamp and some");
    refuses(
        "a point that is not whole",
        "# TYPE h histogram\nh_bucket{le=\"1\"} 1 1\nh_bucket{le=\"+Inf\"} 1 2\n",
        "line 3: histogram \"h\": there is no bucket with le=\"+Inf\"",
    );
}

/// "Gauge", "Counter" and "Unknown"
#[test]
fn simple_types() {
    takes("a gauge", "# TYPE a gauge\na -1\n", "# TYPE a gauge\na -1\n");
    takes("unknown", "# TYPE a unknown\na NaN\n", "# TYPE a untyped\na NaN\n");
    takes(
        "a counter",
        "# HELP a b\n# TYPE a counter\na_total 1\na_created 2\na_total{l=\"v\"} 3\n",
        "# HELP a_total b\n# TYPE a_total counter\na_total 1\na_total{l=\"v\"} 3\n",
    );
    takes(
        "a counter's family of another name",
        "# TYPE a counter\na_sum 1\n",
        "# TYPE a_sum untyped\na_sum 1\n",
    );
    refuses("a counter is NaN", "# TYPE a counter\na_total NaN\n", "line 2: counter \"a\": the value of a");
    refuses(
        "a counter is negative",
        "# TYPE a counter\na_total -1\n",
        "line 2: counter \"a\": the value of a",
    );
    refuses(
        "only created",
        "# TYPE a counter\na_created 1\n",
        "line 2: counter \"a\": there is no sample that",
    );
    refuses("created when?", "# TYPE a counter\na_created NaN\n", "line 2: expected seconds as timestamp");
    refuses("created in ms", "# TYPE a counter\na_created 1604676851123\n", "line 2: expected seconds as");
    refuses(
        "a counter without suffix",
        "# TYPE a_total counter\na_total 1\n",
        "line 2: a sample of counter \"a_total\" cannot have just that name (the TYPE line of a counter has its name without",
    );
}

/// "StateSet" and "Info"
#[test]
fn infos_and_states() {
    takes("an info", "# TYPE a info\na_info{v=\"1\"} 1.0\n", "# TYPE a_info gauge\na_info{v=\"1\"} 1\n");
    takes(
        "states",
        "# TYPE a stateset\na{a=\"x\"} 0\na{a=\"y\"} 1\n",
        "# TYPE a gauge\na{a=\"x\"} 0\na{a=\"y\"} 1\n",
    );
    refuses("an info is 1", "# TYPE a info\na_info 0\n", "line 2: info \"a\": the value of an info is 1");
    refuses(
        "an info's suffix",
        "# TYPE a info\na 1\n",
        "line 2: a sample of info \"a\" cannot have just that",
    );
    refuses("a state is 0 or 1", "# TYPE a stateset\na{a=\"x\"} 2\n", "line 2: stateset \"a\": the value of");
    refuses(
        "a state's label",
        "# TYPE a stateset\na{b=\"x\"} 1\n",
        "line 2: stateset \"a\": a state has its name",
    );
}

/// "Histogram" and "GaugeHistogram"
#[test]
fn histograms() {
    let h = |lines: &str| format!("# TYPE h histogram\n{lines}");
    let all = "h_bucket{le=\"1.0\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\nh_created 4\n";
    let text = "# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\n";
    takes("all parts", &h(all), text);
    takes("any way to write le", &h(&all.replace("1.0", "10e-1")), text);
    takes("the sum first", &h("h_count 2\nh_sum 3\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2.0\n"), text);
    takes(
        "no sum",
        &h("h_bucket{le=\"+Inf\"} 2\n"),
        "# TYPE h histogram\nh_bucket{le=\"+Inf\"} 2\nh_sum 0\nh_count 2\n",
    );
    takes(
        "a negative sum with negative buckets, as in Go",
        &h("h_bucket{le=\"-1\"} 1\nh_bucket{le=\"+Inf\"} 1\nh_sum -2\nh_count 1\n"),
        "# TYPE h histogram\nh_bucket{le=\"-1\"} 1\nh_bucket{le=\"+Inf\"} 1\nh_sum -2\nh_count 1\n",
    );
    takes(
        "a gauge histogram",
        "# TYPE h gaugehistogram\nh_bucket{le=\"+Inf\"} 2\nh_gsum 3\nh_gcount 2\n",
        "# TYPE h histogram\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\n",
    );
    let inf = "line 2: histogram \"h\": there is no bucket with le=\"+Inf\"";
    let no = |rule, lines: &str, expected| refuses(rule, &h(lines), expected);
    no("no +Inf bucket", "h_bucket{le=\"1\"} 1\n", inf);
    no("no bucket", "h_sum 1\nh_count 1\nh_sum{l=\"v\"} 1\n", inf);
    no("no le", "h_bucket 1\n", "line 2: histogram \"h\": there is no label le");
    no(
        "le is NaN",
        "h_bucket{le=\"NaN\"} 1\n",
        "line 2: expected float as value for 'le' label, got \"NaN\"",
    );
    no("two le", "h_bucket{le=\"1\",le=\"2\"} 1\n", "line 2: duplicate label names for metric \"h\"");
    no("le of the sum", "h_sum{le=\"1\"} 1\n", "line 2: histogram \"h\": le and quantile are labels of");
    no(
        "out of order",
        "h_bucket{le=\"2\"} 1\nh_bucket{le=\"1\"} 1\n",
        "line 3: histogram \"h\": its buckets are",
    );
    no(
        "a bucket twice",
        "h_bucket{le=\"1\"} 1\nh_bucket{le=\"1.0\"} 1\n",
        "line 3: histogram \"h\": its buckets",
    );
    no(
        "not cumulative",
        "h_bucket{le=\"1\"} 2\nh_bucket{le=\"+Inf\"} 1\n",
        "line 3: histogram \"h\": a bucket counts",
    );
    for value in ["-1", "NaN", "1.5", "+Inf"] {
        let bucket = format!("h_bucket{{le=\"+Inf\"}} {value}\n");
        no("no count", &bucket, "line 2: histogram \"h\": a count is a whole number from 0 up");
    }
    no("the sum is NaN", "h_sum NaN\n", "line 2: histogram \"h\": a sum is a number");
    let whole = |rest: &str| format!("h_bucket{{le=\"+Inf\"}} 1\n{rest}");
    no("another count", &whole("h_sum 1\nh_count 2\n"), "line 2: histogram \"h\": the count is not that of");
    no("sum without count", &whole("h_sum 1\n"), "line 2: histogram \"h\": there is a sum without a count");
    no("count without sum", &whole("h_count 1\n"), "line 2: histogram \"h\": there is a sum without a count");
    no("a negative sum", &whole("h_sum -1\nh_count 1\n"), "line 2: histogram \"h\": the sum is negative");
    no(
        "its own name",
        "h 1\n",
        "line 2: a sample of histogram \"h\" cannot have just that name (the samples end",
    );
}

/// "Summary"
#[test]
fn summaries() {
    takes(
        "all parts",
        "# TYPE s summary\ns{quantile=\"0.9\"} NaN\ns{quantile=\"0.50\"} -1\ns_count 1\ns_sum -2\ns_created 3\n",
        "# TYPE s summary\ns{quantile=\"0.9\"} NaN\ns{quantile=\"0.5\"} -1\ns_sum -2\ns_count 1\n",
    );
    takes("only a count", "# TYPE s summary\ns_count 1\n", "# TYPE s summary\ns_sum 0\ns_count 1\n");
    let no = |rule, lines: &str, expected| refuses(rule, &format!("# TYPE s summary\n{lines}"), expected);
    no("no quantile", "s 1\n", "line 2: summary \"s\": there is no label quantile");
    no("below 0", "s{quantile=\"-0.1\"} 1\n", "line 2: summary \"s\": a quantile is a number from 0 to 1");
    no("above 1", "s{quantile=\"1.1\"} 1\n", "line 2: summary \"s\": a quantile is a number from 0 to 1");
    no(
        "twice",
        "s{quantile=\"0.5\"} 1\ns{quantile=\".5\"} 1\n",
        "line 2: summary \"s\" with those labels has this",
    );
    no(
        "quantile of the sum",
        "s_sum{quantile=\"1\"} 1\n",
        "line 2: summary \"s\": le and quantile are labels",
    );
    no("half a count", "s_count 0.5\n", "line 2: summary \"s\": a count is a whole number from 0 up");
}

/// "Exemplars"
#[test]
fn exemplars() {
    let body = "# TYPE c counter\nc_total 1 # {t=\"x\\\"\",a=\"\"} -0.5 -1.5\nc_created 1604676851.123456789\n\
                # TYPE h histogram\nh_bucket{le=\"1.0\"} 1\nh_bucket{le=\"+Inf\"} 2 # {} 3\n# EOF\n";
    let push = parse(body).unwrap();
    let details: Vec<Detail> =
        push.families().flat_map(Family::series).filter_map(|series| series.detail().cloned()).collect();
    let label = |name: &str, value: &str| (Box::from(name), Box::from(value));
    let counter = Exemplar {
        of: ExemplarOf::Counter,
        labels: [label("t", "x\""), label("a", "")].into(),
        value: -0.5,
        timestamp: Some(Timestamp { seconds: -2, nanos: 500_000_000 }),
    };
    let bucket = Exemplar { of: ExemplarOf::Bucket(1), labels: Box::default(), value: 3.0, timestamp: None };
    let created = Some(Timestamp { seconds: 1_604_676_851, nanos: 123_456_789 });
    assert_eq!(
        details,
        [
            Detail { created, exemplars: [counter].into(), ..Detail::default() },
            Detail { exemplars: [bucket].into(), ..Detail::default() },
        ]
    );
    let labels =
        |length: usize| format!("# TYPE c counter\nc_total 1 # {{t=\"{}\"}} 1\n", "ä".repeat(length - 1));
    takes("128 characters", &labels(128), "# TYPE c_total counter\nc_total 1\n");
    refuses("129", &labels(129), "line 2: the labels of the exemplar have more than 128 characters");
    let no = |rule, exemplar: &str, expected: &str| {
        refuses(rule, &format!("# TYPE c counter\nc_total 1{exemplar}\n"), &format!("line 2: {expected}"));
    };
    no("no labels", " # 1", "expected an exemplar's labels in braces, found '1'");
    no("nothing", " #", "the line ends too early");
    no("no value", " # {}", "the line ends too early");
    no("no blank before #", "# {} 1", "expected float as value, got \"1#\"");
    no("no blank behind #", " #{} 1", "expected a blank, found '{'");
    no("no blank behind the labels", " # {}1", "expected a blank, found '1'");
    no("no number", " # {} x", "expected float as value, got \"x\"");
    no("no timestamp", " # {} 1 x", "expected seconds as timestamp, got \"x\"");
    no("something behind", " # {} 1 1 1", "expected seconds as timestamp, got \"1 1\"");
    no("a label twice", " # {a=\"1\",b=\"\",a=\"2\"} 1", "duplicate label names for metric \"a\"");
    no("an illegal label", " # {\"a.b\"=\"1\"} 1", "invalid label name \"a.b\"");
    let where_not = "which cannot have one here (exemplars belong to the _total of counters and to buckets)";
    for (kind, sample) in [
        ("counter", "a_created"),
        ("gauge", "a"),
        ("info", "a_info"),
        ("histogram", "a_sum"),
        ("summary", "a{quantile=\"1\"}"),
        ("unknown", "a"),
    ] {
        let expected = format!("line 2: exemplar of {kind} \"a\", {where_not}");
        refuses(kind, &format!("# TYPE a {kind}\n{sample} 1 # {{}} 1\n"), &expected);
    }
}

#[test]
fn names_in_quotes() {
    let rules = Rules { names: Names::Utf8, ..Rules::default() };
    let read =
        |body: &str| openmetrics::parse(body.as_bytes(), &key(), &rules).map_err(|error| error.to_string());
    let body = "# HELP \"a.b_s\" x\n# TYPE \"a.b_s\" counter\n# UNIT \"a.b_s\" s\n\
                {\"a.b_s_total\"} 1.0\n{\"a.b_s_total\",\"c.d\"=\"e\",f=\"g\"} 1.0 # {\"i.j\"=\"k\"} 1.0\n# EOF\n";
    let push = read(body).unwrap();
    assert!(push.has_utf8_names());
    assert_eq!(openmetrics::encode(&push), body);
    assert!(openmetrics::parse(body.as_bytes(), &key(), &Rules::default()).is_err());
    let escaped = |escaping| {
        let mut out = String::new();
        let family = push.families().next().unwrap();
        let style = Style { escaping, ..Style::default() };
        encode::header(&mut out, &escaping.metric(family.name()), None, family.unit(), family.kind());
        encode::samples(&mut out, family, family.series().last().unwrap(), &[("a", "1"), ("z", "2")], style);
        out
    };
    assert_eq!(
        escaped(Escaping::Underscores),
        "# TYPE a_b_s counter\n# UNIT a_b_s s\na_b_s_total{a=\"1\",c_d=\"e\",f=\"g\",z=\"2\"} 1.0 # {i_j=\"k\"} 1.0\n"
    );
    for (body, expected) in [
        ("{\"a.b\"} 1\n# EOF\n", "# TYPE \"a.b\" unknown\n{\"a.b\"} 1.0\n# EOF\n"),
        ("{\"a\",l=\"v\"} 1\n# EOF\n", "# TYPE a unknown\na{l=\"v\"} 1.0\n# EOF\n"),
        ("{\"a\\\"\"} 1\n# EOF\n", "# TYPE \"a\\\"\" unknown\n{\"a\\\"\"} 1.0\n# EOF\n"),
    ] {
        assert_eq!(read(body).map(|push| openmetrics::encode(&push)).as_deref(), Ok(expected));
    }
    for body in ["{\"\"} 1\n", "{\"a\"\"b\"} 1\n", "{\"a\",} 1\n", "a{\"b\"} 1\n", "{\"a\",\"\"=\"b\"} 1\n"] {
        assert!(read(&format!("{body}# EOF\n")).is_err(), "{body}");
    }
}

#[test]
fn what_lenient_manners_forgive() {
    let rules = Rules { manners: Manners::Lenient, ..Rules::default() };
    let read = |body: &str| openmetrics::parse(body.as_bytes(), &key(), &rules);
    for body in ["a 1\n", "a 1", "a 1\r\n# EOF\r\n", "\na 1 \n\n# EOF\n\n", "a 1 123\n"] {
        let push = read(body).unwrap();
        assert_eq!((text::encode(&push).as_str(), push.objection()), (A, None), "{body:?}");
    }
    for body in ["a  1\n", "# comment\n", "# EOF\na 1\n", "# TYPE a \n", "a 1\na 1\n"] {
        assert!(read(body).is_err(), "{body:?}");
    }
}

#[test]
fn limits() {
    let limits = Limits { series: 2, labels: 2, name_length: 4, value_length: 5 };
    let rules = Rules { limits, ..Rules::default() };
    let check = |body: &str, expected: Option<Bound>| {
        let found = openmetrics::parse(format!("{body}# EOF\n").as_bytes(), &key(), &rules).err();
        assert_eq!(found.map(|error| error.problem.bound()), expected.map(Some), "{body}");
    };
    check("a 1\na{l=\"v\"} 1\n", None);
    check("a 1\na{l=\"v\"} 1\nb 1\n", Some(Bound::Series));
    check("a{l=\"v\",m=\"v\"} 1\n", None);
    check("a{l=\"v\",m=\"v\",n=\"v\"} 1\n", Some(Bound::Labels));
    check("abcd{efgh=\"12345\"} 1\n", None);
    check("abcde 1\n", Some(Bound::NameLength));
    check("# TYPE abcde gauge\n", Some(Bound::NameLength));
    check("a{efghi=\"v\"} 1\n", Some(Bound::NameLength));
    check("a{l=\"123456\"} 1\n", Some(Bound::ValueLength));
    check("# HELP a 12345\n", None);
    check("# HELP a 123456\n", Some(Bound::ValueLength));
    let check = |labels: &str, expected: Option<Bound>| {
        let limits = Limits { name_length: 8, ..limits };
        let body = format!("# TYPE h histogram\nh_bucket{{le=\"+Inf\"}} 1 # {{{labels}}} 1\n# EOF\n");
        let found = openmetrics::parse(body.as_bytes(), &key(), &Rules { limits, ..rules }).err();
        assert_eq!(found.map(|error| error.problem.bound()), expected.map(Some), "{labels}");
    };
    check("a=\"1\",b=\"2\"", None);
    check("a=\"1\",b=\"2\",c=\"3\"", Some(Bound::Labels));
    check("abcdefghi=\"1\"", Some(Bound::NameLength));
    check("a=\"123456\"", Some(Bound::ValueLength));
}

#[test]
fn what_is_noted_for_the_store() {
    let push = parse("a{__x=\"1\"} 1\n# EOF\n").unwrap();
    assert!(push.objection().unwrap().to_string().contains("__x"));
    let push = parse("a{job=\"evil\",l=\"v\"} 1\n# EOF\n").unwrap();
    assert_eq!(text::encode(&push), "# TYPE a untyped\na{l=\"v\"} 1\n");
}

#[test]
fn no_part_of_a_body_is_a_body() {
    let body = "# HELP c x\n# TYPE c counter\nc_total{l=\"v\",m=\"\\\\\"} 1 # {t=\"x\"} 1 123.5\nc_created{l=\"v\",m=\"\\\\\"} 1.5\n\
                # TYPE h_s histogram\n# UNIT h_s s\nh_s_bucket{le=\"1\"} 1\nh_s_bucket{le=\"+Inf\"} 2\nh_s_sum 1\nh_s_count 2\n\
                # TYPE i info\ni_info{v=\"1\"} 1\n# EOF";
    assert!(parse(body).is_ok());
    for end in 0..body.len() {
        assert!(parse(&body[..end]).is_err(), "{}", &body[..end]);
    }
}
