//! The official Python client.

use e2e::Gateway;
use e2e::clients::Python;

/// A gauge, a counter and a histogram in a registry, under a grouping key that holds a slash.
const METRICS: &str = r"
import sys
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client import delete_from_gateway, push_to_gateway, pushadd_to_gateway
gateway, job, key = sys.argv[1], 'nightly', {'path': '/var/backups', 'instance': 'db1'}
registry = CollectorRegistry()
gauge = Gauge('last_success_seconds', 'When it last succeeded', registry=registry)
counter = Counter('copied_bytes', 'Bytes copied', ['volume'], registry=registry)
histogram = Histogram('copy_seconds', 'Seconds a file took', buckets=(0.1, 1), registry=registry)
gauge.set(1.5e9)
counter.labels('a').inc(42)
for seconds in (0.05, 0.5, 5):
    histogram.observe(seconds)
";

const KEY: &str = r#"instance="db1",job="nightly",path="/var/backups""#;

#[test]
fn push_to_gateway_replaces_the_group() {
    let Some(python) = Python::require() else { return };
    let gateway = Gateway::start("");
    python.run(&format!("{METRICS}\npush_to_gateway(gateway, job, registry, key)"), gateway.address());
    let scrape = gateway.scrape();
    assert_eq!(scrape.expect(&format!("last_success_seconds{{{KEY}}}")), 1.5e9);
    assert_eq!(scrape.expect(&format!("copied_bytes_total{{{KEY},volume=\"a\"}}")), 42.0);
    for (bound, count) in [("0.1", 1.0), ("1", 2.0), ("+Inf", 3.0)] {
        assert_eq!(scrape.expect(&format!("copy_seconds_bucket{{{KEY},le=\"{bound}\"}}")), count, "{bound}");
    }
    assert_eq!(scrape.expect(&format!("copy_seconds_count{{{KEY}}}")), 3.0);
    assert_eq!(scrape.expect(&format!("copy_seconds_sum{{{KEY}}}")), 5.55);
    for kind in ["last_success_seconds gauge", "copied_bytes_total counter", "copy_seconds histogram"] {
        assert!(scrape.text().contains(&format!("# TYPE {kind}\n")), "{kind}");
    }
    let again = "
from prometheus_client import CollectorRegistry, Gauge, push_to_gateway
import sys
registry = CollectorRegistry()
Gauge('other', 'x', registry=registry).set(1)
push_to_gateway(sys.argv[1], 'nightly', registry, {'instance': 'db1', 'path': '/var/backups'})
";
    python.run(again, gateway.address());
    let scrape = gateway.scrape();
    assert_eq!(scrape.expect(&format!("other{{{KEY}}}")), 1.0);
    assert_eq!(scrape.samples("last_success_seconds"), [""; 0]);
}

#[test]
fn pushadd_to_gateway_replaces_the_families_it_brings() {
    let Some(python) = Python::require() else { return };
    let gateway = Gateway::start("");
    let program = format!(
        "{METRICS}
pushadd_to_gateway(gateway, job, registry, key)
registry.unregister(counter)
gauge.set(2.5e9)
pushadd_to_gateway(gateway, job, registry, key)"
    );
    python.run(&program, gateway.address());
    let scrape = gateway.scrape();
    assert_eq!(scrape.expect(&format!("last_success_seconds{{{KEY}}}")), 2.5e9);
    assert_eq!(scrape.expect(&format!("copied_bytes_total{{{KEY},volume=\"a\"}}")), 42.0);
}

#[test]
fn delete_from_gateway_removes_the_group() {
    let Some(python) = Python::require() else { return };
    let gateway = Gateway::start("");
    gateway.put("/metrics/job/nightly", "kept 1\n").expect(200);
    let program = format!(
        "{METRICS}\npush_to_gateway(gateway, job, registry, key)\ndelete_from_gateway(gateway, job, key)"
    );
    python.run(&program, gateway.address());
    let scrape = gateway.scrape();
    assert!(!scrape.text().contains("nightly\",path"), "{}", scrape.text());
    assert_eq!(scrape.samples("kept").len(), 1);
}

#[test]
fn a_refused_push_is_an_exception_that_tells_the_reason() {
    let Some(python) = Python::require() else { return };
    let gateway = Gateway::start("");
    gateway
        .put("/metrics/job/other", "# TYPE last_success_seconds counter\nlast_success_seconds 1\n")
        .expect(200);
    let program = format!(
        "{METRICS}
from urllib.error import HTTPError
try:
    push_to_gateway(gateway, job, registry, key)
except HTTPError as error:
    print(error.code, error.read().decode())"
    );
    let told = python.run(&program, gateway.address());
    assert!(told.starts_with("400 ") && told.contains("last_success_seconds"), "{told:?}");
    assert_eq!(gateway.scrape().samples("copied_bytes_total"), [""; 0]);
}
