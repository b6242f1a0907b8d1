//! Parse and encode text and protobuf, in bytes a second, on a payload of a megabyte that looks like what exporters
//! send.

#![expect(clippy::unwrap_used, reason = "a benchmark, not an interface")]

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use pushgate_exposition::{GroupingKey, Rules, protobuf, text};

/// Counters, gauges and histograms with 2 to 5 labels, some of them escaped.
fn payload(bytes: usize) -> String {
    let mut body = String::new();
    for family in 0.. {
        if body.len() >= bytes {
            break;
        }
        let kind = ["counter", "gauge", "histogram"][family % 3];
        let name = format!("service_{family}_requests{}", if kind == "counter" { "_total" } else { "" });
        let _ = writeln!(body, "# HELP {name} Requests of family {family}.\n# TYPE {name} {kind}");
        for row in 0..40 {
            let mut labels = format!("method=\"GET\",path=\"/api/v1/item/{row}\",code=\"200\"");
            if row % 7 == 0 {
                labels.push_str(",note=\"a \\\"quoted\\\" word\"");
            }
            if kind == "histogram" {
                for le in ["0.005", "0.1", "0.5", "1", "2.5", "+Inf"] {
                    let _ = writeln!(body, "{name}_bucket{{{labels},le=\"{le}\"}} {}", row * 3);
                }
                let _ = writeln!(
                    body,
                    "{name}_sum{{{labels}}} {}\n{name}_count{{{labels}}} {row}",
                    row as f64 * 1.7
                );
            } else {
                let _ = writeln!(body, "{name}{{{labels}}} {}", row as f64 * 1234.5);
            }
        }
    }
    body
}

fn bench(criterion: &mut Criterion) {
    let key = GroupingKey::new([("job", "bench"), ("instance", "i")]).unwrap();
    for (name, bytes) in [("10kB", 10_000), ("1MB", 1_000_000)] {
        let body = payload(bytes);
        let push = text::parse(body.as_bytes(), &key, &Rules::default()).unwrap();
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_function("parse", |bencher| {
            bencher.iter(|| text::parse(black_box(body.as_bytes()), &key, &Rules::default()));
        });
        group.bench_function("encode", |bencher| bencher.iter(|| text::encode(black_box(&push))));
        // The same series, in fewer bytes.
        let body = protobuf::encode(&push);
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_function("protobuf parse", |bencher| {
            bencher.iter(|| protobuf::parse(black_box(&body), &key, &Rules::default()));
        });
        group
            .bench_function("protobuf encode", |bencher| bencher.iter(|| protobuf::encode(black_box(&push))));
        group.finish();
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
