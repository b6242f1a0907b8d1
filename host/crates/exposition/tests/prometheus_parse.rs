//! A differential test against the crate `prometheus-parse`: on ordinary expositions both readers see the
//! same samples, and each known difference is asserted with what the other one makes of it. That crate
//! never refuses a body, which is why it is no parser for pushes; it is a second opinion on what we expose.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;

use prometheus_parse::{Scrape, Value};
use pushgate_exposition::{GroupingKey, Rules, text};

type Samples = BTreeMap<String, f64>;

fn theirs(body: &str) -> Samples {
    let scrape = Scrape::parse(body.lines().map(|line| Ok(line.to_owned()))).unwrap();
    let mut samples = Samples::new();
    for sample in scrape.samples {
        let labels: BTreeMap<_, _> = sample.labels.iter().collect();
        match sample.value {
            Value::Counter(value) | Value::Gauge(value) | Value::Untyped(value) => {
                samples.insert(format!("{}{labels:?}", sample.metric), value);
            }
            Value::Histogram(buckets) => {
                for bucket in buckets {
                    samples
                        .insert(format!("{}{labels:?} le {}", sample.metric, bucket.less_than), bucket.count);
                }
            }
            Value::Summary(quantiles) => {
                for quantile in quantiles {
                    samples.insert(
                        format!("{}{labels:?} q {}", sample.metric, quantile.quantile),
                        quantile.count,
                    );
                }
            }
        }
    }
    samples
}

/// Our reading in the other crate's terms: sums and counts are samples of their own there.
fn ours(body: &str) -> Option<Samples> {
    let key = GroupingKey::new([("job", "x")]).unwrap();
    let push = text::parse(body.as_bytes(), &key, &Rules::default()).ok()?;
    let mut samples = Samples::new();
    for family in push.families() {
        let name = family.name();
        for series in family.series() {
            let labels: BTreeMap<_, _> = series.labels().collect();
            if family.kind().is_simple() {
                samples.insert(format!("{name}{labels:?}"), series.value());
                continue;
            }
            let letter = if family.kind().point_label() == Some("le") { "le" } else { "q" };
            for point in series.points() {
                samples.insert(format!("{name}{labels:?} {letter} {}", point.bound), point.value);
            }
            samples.insert(format!("{name}_sum{labels:?}"), series.value());
            samples.insert(format!("{name}_count{labels:?}"), series.count());
        }
    }
    Some(samples)
}

#[test]
fn ordinary_expositions_are_read_alike() {
    for body in [
        "# TYPE a gauge\na 1\na{x=\"1\"} 2\na{x=\"2\",y=\"b c\"} -2.5e-3\n",
        "# TYPE a_total counter\na_total{code=\"200\",path=\"/x\"} 1027\n",
        "plain 42.5\nplain{label1=\"value1\",label2=\"value2\"} +Inf\n",
        "# HELP h help\n# TYPE h histogram\nh_bucket{le=\"0.1\"} 1\nh_bucket{le=\"+Inf\"} 3\nh_sum 7.5\nh_count 3\n",
        "# TYPE s summary\ns{quantile=\"0.5\"} 1\ns{quantile=\"0.9\"} 2\ns_sum 3\ns_count 2\n",
        "# a comment\n\n  a\t 1\n",
    ] {
        assert_eq!(ours(body), Some(theirs(body)), "{body}");
    }
}

#[test]
fn known_differences_in_what_is_legal() {
    let check = |body: &str, theirs_is: &[&str]| {
        assert!(ours(body).is_some(), "{body}");
        assert_eq!(theirs(body).into_keys().collect::<Vec<_>>(), theirs_is, "{body}");
    };
    check("a{l=\"x,y\",m=\"k\"} 1\n", &["a{\"l\": \"x\", \"m\": \"k\"}"]); // A comma ends a value.
    check("a{x=\"1,job=evil,y=2\"} 1\n", &["a{\"job\": \"evil\", \"x\": \"1\", \"y\": \"2\"}"]); // ... and begins labels.
    check("a{l=\"x=y\",m=\"k\"} 1\n", &["a{\"m\": \"k\"}"]); // An equals sign loses the label.
    check("a{l=\"/u/{id}/x\"} 1\n", &[]); // A brace in a value loses the line,
    check("a{} 1\n", &[]); // and so do empty braces,
    check("a { l = \"v\" } 1\n", &[]); // blanks before them,
    check("a{l=\"v\"}1\n", &[]); // no blank behind them,
    check("job:req:rate5m 1\n", &[]); // colons in a name,
    check("{\"a\",l=\"v\"} 1\n", &[]); // and a quoted name.
    check("a{l=\"C:\\\\x\"} 1\n", &["a{\"l\": \"C:\\\\\\\\x\"}"]); // Escapes are left as they are.
}

#[test]
fn known_differences_in_what_is_not() {
    for body in [
        "garbage\n",
        "a\n",
        "a x\n",
        "a 1 x\n",
        "a{l=\"v} 1\n",
        "a{l=v} 1\n",
        "a{l='v'} 1\n",
        "a{l=\"1\" m=\"2\"} 1\n",
        "a{l=\"1\",l=\"2\"} 1\n",
        "a{__name__=\"b\"} 1\n",
        "1a 1\n",
        "größe 1\n",
        "# TYPE a gauge\n# TYPE a gauge\na 1\n",
        "a 1\n# TYPE a gauge\n",
        "# HELP a x\n# HELP a y\na 1\n",
        "# TYPE a foo\na 1\n",
        "# TYPE h histogram\nh_bucket{le=\"x\"} 1\n",
        "a{l=\"\\t\"} 1\n",
        "a 1\r\n",
        "\u{feff}a 1\n",
        "a 1",
        "a 1 \n",
        "a 1 # {t=\"1\"} 1\n",
    ] {
        assert_eq!(ours(body), None, "{body:?}");
        theirs(body); // Has no way to refuse.
    }
}
