//! A real Prometheus, and other readers of the exposition.

use e2e::prometheus::promtool_check_metrics;
use e2e::{Gateway, Prometheus, Scrape};

/// One job for each way to scrape the gateway.
fn jobs(gateway: &Gateway) -> String {
    let job = |name: &str, honor: bool| {
        format!(
            "- {{job_name: {name}, honor_labels: {honor}, static_configs: [{{targets: ['{}']}}]}}\n",
            gateway.address()
        )
    };
    job("honored", true) + &job("ignored", false)
}

fn labels<const N: usize>(pairs: [(&str, &str); N]) -> Vec<(String, String)> {
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
}

#[test]
fn prometheus_sees_the_labels_that_were_pushed() {
    let gateway = Gateway::start("");
    gateway.put("/metrics/job/batch/instance/db1", "with_instance{x=\"1\"} 7\n").expect(200);
    gateway.put("/metrics/job/batch", "without_instance 8\n").expect(200);
    let Some(prometheus) = Prometheus::start(&jobs(&gateway)) else { return };
    prometheus.await_scrapes("honored", 2);
    prometheus.await_scrapes("ignored", 2);
    let target = gateway.address().to_string();
    let cases = [
        (
            "honor_labels keeps the pushed job and instance",
            "with_instance{job=\"batch\"}",
            labels([("__name__", "with_instance"), ("instance", "db1"), ("job", "batch"), ("x", "1")]),
            7.0,
        ),
        (
            "and, thanks to the empty one, adds no instance of the gateway",
            "without_instance{job=\"batch\"}",
            labels([("__name__", "without_instance"), ("job", "batch")]),
            8.0,
        ),
        (
            "without it they are exported_job and exported_instance",
            "with_instance{job=\"ignored\"}",
            labels([
                ("__name__", "with_instance"),
                ("exported_instance", "db1"),
                ("exported_job", "batch"),
                ("instance", &target),
                ("job", "ignored"),
                ("x", "1"),
            ]),
            7.0,
        ),
    ];
    for (rule, query, labels, value) in cases {
        assert_eq!(prometheus.query(query), [(labels, value)], "{rule}");
    }
    // Every scrape so far was a good one.
    assert_eq!(prometheus.query("min_over_time(up[1h]) == 0"), []);
    assert!(!prometheus.log().contains("level=warn"), "{}", prometheus.log());
}

#[test]
fn prometheus_sees_a_changed_value_and_the_end_of_a_deleted_group() {
    let gateway = Gateway::start("");
    gateway.put("/metrics/job/batch", "level 1\n").expect(200);
    let Some(prometheus) = Prometheus::start(&jobs(&gateway)) else { return };
    let value = || prometheus.query("level{job=\"batch\"}").into_iter().map(|(_, value)| value).next();
    e2e::poll::until("the first value is scraped", || (value() == Some(1.0)).then_some(()));
    gateway.put("/metrics/job/batch", "level 2\n").expect(200);
    e2e::poll::until("the second value is scraped", || (value() == Some(2.0)).then_some(()));
    gateway.delete("/metrics/job/batch").expect(202);
    e2e::poll::until("the series ends", || value().is_none().then_some(()));
}

/// Everything the text format knows, under names that the gateway's linters have nothing against.
const EVERYTHING: &str = r#"# HELP jobs_done_total How many \\ backslashes \n and lines.
# TYPE jobs_done_total counter
jobs_done_total{kind="plain"} 1027
jobs_done_total{kind="sp\"ec\\ial\n"} 3
# HELP room_celsius Air.
# TYPE room_celsius gauge
room_celsius{place="nan"} NaN
room_celsius{place="up"} +Inf
room_celsius{place="down"} -Inf
room_celsius{place="big"} 1.7976931348623157e+308
room_celsius{place="tiny"} 5e-324
room_celsius{place="ž日"} -0.25
# HELP copy_seconds A histogram.
# TYPE copy_seconds histogram
copy_seconds_bucket{le="0.1"} 1
copy_seconds_bucket{le="1"} 2
copy_seconds_bucket{le="+Inf"} 3
copy_seconds_sum 5.55
copy_seconds_count 3
# HELP rpc_seconds A summary.
# TYPE rpc_seconds summary
rpc_seconds{quantile="0.5"} 0.2
rpc_seconds{quantile="0.99"} 0.4
rpc_seconds_sum 10
rpc_seconds_count 40
# HELP bare Without a type.
# TYPE bare untyped
bare 1e+06
"#;

#[test]
fn promtool_finds_nothing_to_remark() {
    let gateway = Gateway::start("");
    gateway.put("/metrics/job/everything/instance/a", EVERYTHING).expect(200);
    gateway.put("/metrics/job/everything", EVERYTHING).expect(200);
    let scrape = gateway.scrape();
    let Some(remarks) = promtool_check_metrics(scrape.text()) else { return };
    assert_eq!(remarks, [""; 0], "{}", scrape.text());
    // The linter has to be one: it finds what is wrong.
    let remarks = promtool_check_metrics("# HELP a x\n# TYPE a counter\na 1\n").unwrap();
    assert_eq!(remarks.len(), 1, "{remarks:?}");
}

#[test]
fn another_parser_reads_what_was_pushed() {
    let gateway = Gateway::start("");
    gateway.put("/metrics/job/everything", EVERYTHING).expect(200);
    let scrape = gateway.scrape();
    let lines = scrape.text().lines().map(|line| Ok(line.to_owned()));
    let read = prometheus_parse::Scrape::parse(lines).unwrap();
    let samples =
        |name: &str| -> Vec<_> { read.samples.iter().filter(|sample| sample.metric == name).collect() };
    use prometheus_parse::Value;

    let done = samples("jobs_done_total");
    assert!(matches!(done[0].value, Value::Counter(1027.0)), "{done:?}");
    assert_eq!(done[0].labels.get("job"), Some("everything"));
    assert_eq!(done[0].labels.get("kind"), Some("plain"));

    let room = samples("room_celsius");
    let at = |place: &str| {
        let sample = room.iter().find(|sample| sample.labels.get("place") == Some(place)).unwrap();
        let Value::Gauge(value) = sample.value else { panic!("{sample:?}") };
        value
    };
    assert!(at("nan").is_nan());
    for (place, value) in [
        ("up", f64::INFINITY),
        ("down", f64::NEG_INFINITY),
        ("big", f64::MAX),
        ("tiny", 5e-324),
        ("ž日", -0.25),
    ] {
        assert_eq!(at(place), value, "{place}");
    }

    let Value::Histogram(buckets) = &samples("copy_seconds")[0].value else { panic!("no histogram") };
    let buckets: Vec<_> = buckets.iter().map(|bucket| (bucket.less_than, bucket.count)).collect();
    assert_eq!(buckets, [(0.1, 1.0), (1.0, 2.0), (f64::INFINITY, 3.0)]);
    let Value::Summary(quantiles) = &samples("rpc_seconds")[0].value else { panic!("no summary") };
    let quantiles: Vec<_> = quantiles.iter().map(|quantile| (quantile.quantile, quantile.count)).collect();
    assert_eq!(quantiles, [(0.5, 0.2), (0.99, 0.4)]);
    assert!(matches!(samples("bare")[0].value, Value::Untyped(1e6)));
}

#[test]
fn what_is_scraped_can_be_pushed_and_is_the_same_again() {
    let (one, two) = (Gateway::start(""), Gateway::start(""));
    one.put("/metrics/job/everything", EVERYTHING).expect(200);
    let first = one.scrape().without_own();
    two.put("/metrics/job/everything", first.clone()).expect(200);
    assert_eq!(two.scrape().without_own(), first);
    assert!(first.contains("# HELP jobs_done_total How many \\\\ backslashes \\n and lines.\n"), "{first}");
    assert!(first.contains(r#"kind="sp\"ec\\ial\n"} 3"#), "{first}");
}

#[test]
fn a_scrape_is_compressed_for_those_who_ask() {
    let gateway = Gateway::start("");
    gateway.put("/metrics/job/everything", EVERYTHING).expect(200);
    let plain = gateway.get("/metrics").expect(200);
    assert_eq!(plain.header("content-encoding"), None);
    let content_type = plain.header("content-type").unwrap();
    assert!(content_type.starts_with("text/plain; version=0.0.4; charset=utf-8"), "{content_type}");
    let packed = gateway.request("GET", "/metrics").header("Accept-Encoding", "gzip").send().expect(200);
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    let mut text = String::new();
    // Stops after the first member, as `curl --compressed` does: there must be only one.
    use std::io::Read as _;
    flate2::bufread::GzDecoder::new(&packed.body[..]).read_to_string(&mut text).unwrap();
    assert!(text.ends_with('\n'));
    let of = |text: &str| text.lines().filter(|line| line.contains("job=\"everything\"")).count();
    assert_eq!(of(&text), of(plain.text()));
    assert!(of(&text) > 10);
}

#[test]
fn scrapes_go_on_while_everybody_pushes() {
    let gateway = Gateway::start("");
    let whole = |scrape: &Scrape| {
        // PUT changes a group in one step: both series have the number of the same push.
        (0..4).all(|group| {
            let value = |name: &str| scrape.value(&format!("{name}{{instance=\"\",job=\"g{group}\"}}"));
            value("a") == value("b")
        })
    };
    std::thread::scope(|scope| {
        let gateway = &gateway;
        let pushers: Vec<_> = (0..4)
            .map(|group| {
                scope.spawn(move || {
                    for number in 0..50 {
                        let body = format!("a {number}\nb {number}\n");
                        gateway.put(&format!("/metrics/job/g{group}"), body).expect(200);
                    }
                })
            })
            .collect();
        while pushers.iter().any(|pusher| !pusher.is_finished()) {
            let scrape = gateway.scrape();
            assert!(whole(&scrape), "{}", scrape.without_own());
        }
    });
    assert_eq!(gateway.scrape().samples("a").len(), 4);
}
