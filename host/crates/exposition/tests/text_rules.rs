//! Every rule of the text format, one row each: what is taken, as what, and what is refused, with which
//! words. The rules are those of Go's `expfmt.TextParser`, observed on the Pushgateway 1.11.2.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use pushgate_exposition::{Escaping, GroupingKey, Limits, Manners, Names, Rules, text};

fn parse(body: &[u8]) -> Result<pushgate_exposition::Push, text::ParseError> {
    let key = GroupingKey::new([("job", "x")]).unwrap();
    text::parse(body, &key, &Rules::default())
}

#[track_caller]
fn takes(rule: &str, body: impl AsRef<[u8]>, expected: &str) {
    match parse(body.as_ref()) {
        Ok(push) => assert_eq!(text::encode(&push), expected, "{rule}"),
        Err(error) => panic!("{rule}: {error}"),
    }
}

#[track_caller]
fn refuses(rule: &str, body: impl AsRef<[u8]>, expected: &str) {
    match parse(body.as_ref()) {
        Ok(push) => panic!("{rule}: taken as\n{}", text::encode(&push)),
        Err(error) => {
            let error = error.to_string();
            let expected = format!("text format parsing error in {expected}");
            assert!(error.starts_with(&expected), "{rule}\n expected: {expected}\n    found: {error}");
        }
    }
}

const A: &str = "# TYPE a untyped\na 1\n";

#[test]
fn lines() {
    takes("an empty body", "", "");
    takes("blank lines", "\n \n\t\n", "");
    takes("blanks at the end of the body", "a 1\n  ", A);
    takes("leading blanks", " \ta 1\n", A);
    takes("several blanks before the value", "a \t 1\n", A);
    takes("no blank behind the brace", "a{l=\"v\"}1\n", "# TYPE a untyped\na{l=\"v\"} 1\n");
    takes("empty braces", "a{} 1\n", A);
    takes("a blank before the brace", "a {} 1\n", A);
    refuses("no final line feed", "a 1", "line 1: unexpected end of input stream (the last line must end");
    refuses("no final line feed after a comment", "a 1\n# x", "line 2: unexpected end of input stream");
    refuses("CRLF", "a 1\r\n", "line 1: expected float as value, got \"1\\r\" (the line ends in CRLF");
    refuses(
        "CRLF of a TYPE line",
        "# TYPE a gauge\r\na 1\n",
        "line 1: unknown metric type \"gauge\\r\" (the line",
    );
    refuses(
        "a trailing blank",
        "a 1 \n",
        "line 1: expected integer as timestamp, got \"\" (remove the blank",
    );
    refuses("a byte order mark", "\u{feff}a 1\n", "line 1: invalid metric name");
    refuses("the line is counted", "a 1\n\n# x\nc x\n", "line 4: expected float as value, got \"x\"");
    refuses(
        "an exemplar",
        "a 1 # {t=\"1\"} 1\n",
        "line 1: expected integer as timestamp, got \"#\" (comments",
    );
}

#[test]
fn comments() {
    takes("any comment", "# hello\n#\n# EOF\n# UNIT a s\n# type a gauge\na 1\n", A);
    takes("HELP and TYPE", "# HELP a b\n# TYPE a gauge\na 1\n", "# HELP a b\n# TYPE a gauge\na 1\n");
    takes("no blank behind #", "#TYPE a gauge\na 1\n", "# TYPE a gauge\na 1\n");
    takes("HELP after samples", "a 1\n# HELP a b\n", "# HELP a b\n# TYPE a untyped\na 1\n");
    takes(
        "HELP with escapes",
        "# HELP a b\\\\c\\nd\\\"\na 1\n",
        "# HELP a b\\\\c\\nd\"\n# TYPE a untyped\na 1\n",
    );
    takes("a HELP line's blanks stay", "# HELP a  b \na 1\n", "# HELP a b \n# TYPE a untyped\na 1\n");
    takes("nothing behind the name", "# HELP a\n# TYPE a\n# HELP a \n# TYPE a \na 1\n", A);
    takes("no name at all", "# HELP\n# TYPE\n# HELP \na 1\n", A);
    takes("a family without samples", "# HELP b x\n# TYPE b gauge\na 1\n", A);
    takes("types in any case", "# TYPE a GAUGE\na 1\n", "# TYPE a gauge\na 1\n");
    for (word, kind) in [("counter", "counter"), ("gauge", "gauge"), ("untyped", "untyped")] {
        takes(word, format!("# TYPE a {word}\na 1\n"), &format!("# TYPE a {kind}\na 1\n"));
    }
    takes("a quoted name", "# TYPE \"a\" gauge\na 1\n", "# TYPE a gauge\na 1\n");
    refuses("a second HELP", "# HELP a x\n# HELP a y\n", "line 2: second HELP line for metric name \"a\"");
    refuses(
        "a second TYPE",
        "# TYPE a gauge\n# TYPE a gauge\n",
        "line 2: second TYPE line for metric name \"a\", or",
    );
    refuses(
        "TYPE after samples",
        "a 1\n# TYPE a gauge\n",
        "line 2: second TYPE line for metric name \"a\", or",
    );
    refuses("an unknown type", "# TYPE a foo\na 1\n", "line 1: unknown metric type \"foo\" (use counter");
    refuses("an OpenMetrics type", "# TYPE a unknown\n", "line 1: unknown metric type \"unknown\"");
    refuses("a blank behind the type", "# TYPE a gauge \n", "line 1: unknown metric type \"gauge \"");
    refuses("a bad name", "# HELP a-b x\n", "line 1: invalid metric name in comment");
    refuses("a name that begins badly", "# TYPE 1a gauge\n", "line 1: invalid metric name in comment");
    refuses("a bad escape", "# HELP a \\q\n", "line 1: invalid escape sequence '\\q'");
    refuses(
        "HELP that is not UTF-8",
        b"# HELP a \xff\na 1\n",
        "line 1: HELP text for metric name \"a\" is not UTF-8",
    );
}

#[test]
fn names_and_labels() {
    let l = "# TYPE a untyped\na{l=\"v\"} 1\n";
    takes("a trailing comma", "a{l=\"v\",} 1\n", l);
    takes("blanks wherever they fit", "a { l = \"v\" , } 1\n", l);
    takes("a quoted label name", "a{\"l\"=\"v\"} 1\n", l);
    takes("a quoted metric name", "{\"a\",l=\"v\"} 1\n", l);
    takes("a quoted metric name at the end", "{l=\"v\",\"a\"} 1\n", l);
    takes("a quoted metric name alone", "{\"a\"} 1\n", A);
    takes("colons", "a:b 1\n", "# TYPE a:b untyped\na:b 1\n");
    takes("labels are sorted", "a{m=\"2\",l=\"1\"} 1\n", "# TYPE a untyped\na{l=\"1\",m=\"2\"} 1\n");
    takes("an empty value", "a{l=\"\"} 1\n", "# TYPE a untyped\na{l=\"\"} 1\n");
    takes("escapes", "a{l=\"\\\\ \\\" \\n\"} 1\n", "# TYPE a untyped\na{l=\"\\\\ \\\" \\n\"} 1\n");
    takes(
        "what looks like labels",
        "a{l=\"1,job=evil,{}\"} 1\n",
        "# TYPE a untyped\na{l=\"1,job=evil,{}\"} 1\n",
    );
    takes("UTF-8, NUL and CR in a value", "a{l=\"ü\0\r\"} 1\n", "# TYPE a untyped\na{l=\"ü\0\r\"} 1\n");
    takes("a label that the grouping key overrides", "a{job=\"evil\",l=\"v\"} 1\n", l);
    refuses("no name", "{} 1\n", "line 1: invalid metric name");
    refuses("no name after a sample", "a 1\n{l=\"v\"} 1\n", "line 2: invalid metric name");
    refuses("a name that begins badly", "1a 1\n", "line 1: invalid metric name");
    refuses(
        "a name that goes on badly",
        "a-b 1\n",
        "line 1: expected float as value, got \"-b\" (metric names",
    );
    refuses("a dot in a quoted name", "{\"a.b\"} 1\n", "line 1: invalid metric name \"a.b\"");
    refuses("two names", "{\"a\",\"b\"} 1\n", "line 1: multiple metric names for metric \"a\"");
    refuses("only a comma", "a{,} 1\n", "line 1: invalid label name for metric \"a\"");
    refuses("two commas", "a{l=\"v\",,} 1\n", "line 1: invalid label name for metric \"a\"");
    refuses(
        "a label name that begins badly",
        "a{1x=\"b\"} 1\n",
        "line 1: invalid label name for metric \"a\"",
    );
    refuses(
        "a label name that goes on badly",
        "a{x-y=\"b\"} 1\n",
        "line 1: expected '=' after label name, found '-'",
    );
    refuses("a dot in a quoted label name", "a{\"x.y\"=\"1\"} 1\n", "line 1: invalid label name \"x.y\"");
    refuses("__name__", "a{__name__=\"b\"} 1\n", "line 1: label name \"__name__\" is reserved");
    refuses("a name twice", "a{x=\"1\",x=\"2\"} 1\n", "line 1: duplicate label names for metric \"a\"");
    refuses(
        "a name twice, as in the line before",
        "a{x=\"1\",y=\"2\"} 1\na{x=\"1\",x=\"1\"} 1\n",
        "line 2: duplicate label",
    );
    refuses("no quotes", "a{x=1} 1\n", "line 1: expected '\"' at start of label value, found '1'");
    refuses("single quotes", "a{x='1'} 1\n", "line 1: expected '\"' at start of label value, found '\\''");
    refuses("a missing comma", "a{x=\"1\" y=\"2\"} 1\n", "line 1: unexpected end of label value \"1\"");
    refuses(
        "a line feed in a value",
        "a{x=\"a\nb\"} 1\n",
        "line 1: label value \"a\" contains unescaped new-line",
    );
    refuses("a bad escape", "a{x=\"\\t\"} 1\n", "line 1: invalid escape sequence '\\t'");
    refuses("a value that is not UTF-8", b"a{x=\"\xff\"} 1\n", "line 1: invalid label value");
    refuses("an open quote", "a{x=\"1", "line 1: unexpected end of input stream");
    refuses("an open brace", "a{x=\"1\"", "line 1: unexpected end of input stream");
}

#[test]
fn values() {
    for (token, shown) in
        [("1.0", "1"), ("+Inf", "+Inf"), ("-inf", "-Inf"), ("nan", "NaN"), ("-0", "0"), (".5", "0.5")]
    {
        takes(token, format!("a {token}\n"), &format!("# TYPE a untyped\na {shown}\n"));
    }
    for token in ["foo", "1,5", "0x10", "1e400", "1_0", "+nan", ""] {
        refuses(token, format!("a {token}\n"), &format!("line 1: expected float as value, got {token:?}"));
    }
    refuses("a float as timestamp", "a 1 1.5\n", "line 1: expected integer as timestamp, got \"1.5\"");
    refuses("text behind a timestamp", "a 1 1 x\n", "line 1: spurious string after timestamp: \" x\"");
    refuses("no value", "a\n", "line 1: expected float as value, got \"\"");
}

#[test]
fn what_the_store_refuses_is_noted() {
    let objection = |body: &str| parse(body.as_bytes()).unwrap().objection().map(ToString::to_string);
    assert_eq!(objection("a 1\n"), None);
    assert!(
        objection("a 1\nb 2 123\n")
            .unwrap()
            .starts_with("pushed metrics must not have timestamps, but line 2")
    );
    assert!(objection("a{__x=\"\"} 1\n").unwrap().contains("\"__x\" in line 1"));
}

const HISTOGRAM: &str =
    "# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 3\nh_sum 7.5\nh_count 3\n";

#[test]
fn histograms_and_summaries() {
    takes("a histogram", HISTOGRAM, HISTOGRAM);
    takes("in any order", "# TYPE h histogram\nh_count 3\nh_bucket{le=\"1\"} 1\nh_sum 7.5\n", HISTOGRAM);
    takes(
        "le anywhere",
        "# TYPE h histogram\n{le=\"1\",\"h_bucket\"} 1\nh_sum 7.5\nh_count{le=\"x\"} 3\n"
            .replace("{le=\"x\"}", ""),
        HISTOGRAM,
    );
    takes(
        "interleaved label sets",
        "# TYPE h histogram\nh_count{a=\"1\"} 1\nh_count{a=\"2\"} 2\nh_sum{a=\"1\"} 5\nh_sum{a=\"2\"} 6\nb 1\nh_bucket{a=\"1\",le=\"9\"} 1\n",
        "# TYPE h histogram\nh_bucket{a=\"1\",le=\"9\"} 1\nh_bucket{a=\"1\",le=\"+Inf\"} 1\nh_sum{a=\"1\"} 5\nh_count{a=\"1\"} 1\n\
         h_bucket{a=\"2\",le=\"+Inf\"} 2\nh_sum{a=\"2\"} 6\nh_count{a=\"2\"} 2\n# TYPE b untyped\nb 1\n",
    );
    takes(
        "interleaved families",
        "# TYPE c counter\nb 1\nc 1\nb{x=\"1\"} 2\nc{x=\"1\"} 2\n",
        "# TYPE c counter\nc 1\nc{x=\"1\"} 2\n# TYPE b untyped\nb 1\nb{x=\"1\"} 2\n",
    );
    takes(
        "a fractional count",
        "# TYPE h histogram\nh_count 1.5\n",
        "# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1.5\nh_sum 0\nh_count 1.5\n",
    );
    takes(
        "bucket order is kept",
        "# TYPE h histogram\nh_bucket{le=\"+Inf\"} 3\nh_bucket{le=\"1.0\"} 1\nh_bucket{le=\"1e0\"} 1\n",
        "# TYPE h histogram\nh_bucket{le=\"+Inf\"} 3\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"1\"} 1\nh_sum 0\nh_count 0\n",
    );
    takes(
        "a sample of its own name",
        "# TYPE h histogram\nh 1\n",
        "# TYPE h histogram\nh_bucket{le=\"+Inf\"} 0\nh_sum 0\nh_count 0\n",
    );
    takes(
        "gauge histograms",
        "# TYPE h gaugehistogram\nh_count 2\n",
        "# TYPE h histogram\nh_bucket{le=\"+Inf\"} 2\nh_sum 0\nh_count 2\n",
    );
    takes(
        "_gcount is another family",
        "# TYPE h gauge_histogram\nh_gcount 2\n",
        "# TYPE h_gcount untyped\nh_gcount 2\n",
    );
    takes(
        "without TYPE",
        "h_sum 1\nh_count 1\n",
        "# TYPE h_sum untyped\nh_sum 1\n# TYPE h_count untyped\nh_count 1\n",
    );
    takes(
        "the own name comes first",
        "# TYPE h_sum gauge\n# TYPE h histogram\nh_sum 1\n",
        "# TYPE h_sum gauge\nh_sum 1\n",
    );
    takes(
        "_total under another type",
        "# TYPE a counter\na_total 1\n",
        "# TYPE a_total untyped\na_total 1\n",
    );
    takes(
        "a summary",
        "# TYPE s summary\ns{quantile=\"0.5\"} 1\ns{quantile=\"0.9\"} NaN\ns_sum 3\ns_count 2\n",
        "# TYPE s summary\ns{quantile=\"0.5\"} 1\ns{quantile=\"0.9\"} NaN\ns_sum 3\ns_count 2\n",
    );
    takes(
        "a summary's count is cut",
        "# TYPE s summary\ns_count 1.5\n",
        "# TYPE s summary\ns_sum 0\ns_count 1\n",
    );
    takes(
        "a summary's count wraps",
        "# TYPE s summary\ns_count -1\n",
        "# TYPE s summary\ns_sum 0\ns_count 1.8446744073709552e+19\n",
    );
    takes(
        "s_bucket is no part of a summary",
        "# TYPE s summary\ns_bucket 1\n",
        "# TYPE s_bucket untyped\ns_bucket 1\n",
    );
    takes(
        "le and quantile elsewhere",
        "a{le=\"x\",quantile=\"y\"} 1\n",
        "# TYPE a untyped\na{le=\"x\",quantile=\"y\"} 1\n",
    );
    refuses(
        "a bad le",
        "# TYPE h histogram\nh_bucket{le=\"x\"} 1\n",
        "line 2: expected float as value for 'le' label, got \"x\"",
    );
    refuses(
        "a bad quantile",
        "# TYPE s summary\ns{quantile=\"x\"} 1\n",
        "line 2: expected float as value for 'quantile' label, got \"x\"",
    );
    takes(
        "le is NaN: the series is made, without that bucket",
        "# TYPE h histogram\nh_bucket{le=\"NaN\"} 1\nh_count 2\n",
        "# TYPE h histogram\nh_bucket{le=\"+Inf\"} 2\nh_sum 0\nh_count 2\n",
    );
    takes(
        "quantile is NaN, likewise",
        "# TYPE s summary\ns{quantile=\"NaN\"} 1\ns_count 2\n",
        "# TYPE s summary\ns_sum 0\ns_count 2\n",
    );
    refuses(
        "le twice",
        "# TYPE h histogram\nh_bucket{le=\"1\",le=\"2\"} 1\n",
        "line 2: duplicate label names for metric \"h\"",
    );
    refuses(
        "a negative bucket",
        "# TYPE h histogram\nh_bucket{le=\"1\"} -1\n",
        "line 2: negative bucket population for histogram \"h\"",
    );
    refuses(
        "a negative count",
        "# TYPE h histogram\nh_count -1\n",
        "line 2: negative count for histogram \"h\"",
    );
}

#[test]
fn limits_are_reached_before_they_are_passed() {
    let key = GroupingKey::new([("job", "x")]).unwrap();
    let limits = Limits { series: 2, labels: 2, name_length: 3, value_length: 4 };
    let rules = Rules { limits, ..Rules::default() };
    let check = |body: &str, expected: Option<&str>| {
        let found = text::parse(body.as_bytes(), &key, &rules).err();
        assert!(found.as_ref().is_none_or(|error| error.problem.bound().is_some()), "{body}");
        assert_eq!(found.map(|error| error.problem.to_string()).as_deref(), expected, "{body}");
    };
    check("a 1\nb 1\n", None);
    check("a 1\nb 1\nc 1\n", Some("too many series in one push, 2 are allowed"));
    check("# TYPE a summary\na_sum 1\na_count 1\nb 1\n", None);
    check(
        "# TYPE a summary\na_sum 1\na_sum{x=\"\"} 1\na_sum{x=\"1\"} 1\n",
        Some("too many series in one push, 2 are allowed"),
    );
    check("a{x=\"1\",y=\"2\"} 1\n", None);
    check("a{x=\"1\",y=\"2\",z=\"3\"} 1\n", Some("too many labels in one series, 2 are allowed"));
    check("abc{abc=\"1234\"} 1\n", None);
    check("abcd 1\n", Some("too many bytes in a name, 3 are allowed"));
    check("a{abcd=\"1\"} 1\n", Some("too many bytes in a name, 3 are allowed"));
    check("a{abc=\"12345\"} 1\n", Some("too many bytes in a label value or HELP text, 4 are allowed"));
    check("# HELP a 1234\n", None);
    check("# HELP a 12345\n", Some("too many bytes in a label value or HELP text, 4 are allowed"));
}

#[test]
fn utf8_names_are_read_in_quotes_and_written_by_every_scheme() {
    let key = GroupingKey::new([("job", "x")]).unwrap();
    let rules = Rules { names: Names::Utf8, ..Rules::default() };
    let read = |body: &str| text::parse(body.as_bytes(), &key, &rules).map_err(|error| error.to_string());
    let body = "# HELP \"a.b\" help\n# TYPE \"a.b\" counter\n{\"a.b\"} 1\n{\"a.b\",\"l x\"=\"v\",m=\"\"} 2\nc{\"ü\"=\"1\"} 3\n";
    let push = read(body).unwrap();
    assert!(push.has_utf8_names());
    assert_eq!(read(&text::encode(&push)).unwrap(), push);
    for (escaping, expected) in [
        (
            Escaping::AllowUtf8,
            "# HELP \"a.b\" help\n# TYPE \"a.b\" counter\n{\"a.b\"} 1\n{\"a.b\",\"l x\"=\"v\",m=\"\"} 2\n# TYPE c untyped\nc{\"ü\"=\"1\"} 3\n",
        ),
        (
            Escaping::Underscores,
            "# HELP a_b help\n# TYPE a_b counter\na_b 1\na_b{l_x=\"v\",m=\"\"} 2\n# TYPE c untyped\nc{_=\"1\"} 3\n",
        ),
        (
            Escaping::Dots,
            "# HELP a_dot_b help\n# TYPE a_dot_b counter\na_dot_b 1\na_dot_b{l__x=\"v\",m=\"\"} 2\n# TYPE c untyped\nc{__=\"1\"} 3\n",
        ),
        (
            Escaping::Values,
            "# HELP U__a_2e_b help\n# TYPE U__a_2e_b counter\nU__a_2e_b 1\nU__a_2e_b{U__l_20_x=\"v\",m=\"\"} 2\n# TYPE c untyped\nc{U___fc_=\"1\"} 3\n",
        ),
    ] {
        assert_eq!(text::encode::encode_escaped(&push, escaping), expected);
    }
    let histogram =
        "# TYPE \"h.x\" histogram\n{\"h.x_bucket\",le=\"+Inf\"} 1\n{\"h.x_sum\"} 2\n{\"h.x_count\"} 1\n";
    assert_eq!(text::encode(&read(histogram).unwrap()), histogram);
    for (body, expected) in [
        ("{\"\"} 1\n", "line 1: invalid metric name"),
        ("a{\"\"=\"1\"} 1\n", "line 1: invalid label name for metric \"a\""),
        ("a{\"__é\"=\"1\"} 1\n", "line 1: invalid label name \"__é\""),
    ] {
        let error = read(body).unwrap_err();
        assert!(error.contains(expected), "{body}: {error}");
    }
    assert!(text::parse(b"{\"a.b\"} 1\n", &key, &Rules::default()).is_err());
}

#[test]
fn lenient_reading_forgives_slips_and_nothing_else() {
    let key = GroupingKey::new([("job", "x")]).unwrap();
    let rules = Rules { manners: Manners::Lenient, ..Rules::default() };
    for body in ["a 1", "a 1\r\n", "a 1 \n", "a 1\t\r\n\r\n", "a 1 1700000000000\n", "a 1 5"] {
        let push = text::parse(body.as_bytes(), &key, &rules).unwrap();
        assert_eq!(
            (text::encode(&push).as_str(), push.objection()),
            ("# TYPE a untyped\na 1\n", None),
            "{body:?}"
        );
    }
    for body in ["a\n", "a 1 x\n", "a{x=\"\n\"} 1\n", "# TYPE a foo\n"] {
        assert!(text::parse(body.as_bytes(), &key, &rules).is_err(), "{body:?}");
    }
}
