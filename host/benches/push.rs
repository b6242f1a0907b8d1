//! A push end to end in the process, from its text to the store: with 0, 1 and 3 of the bundled plugins, and with
//! few and many groups stored; and what one plugin call costs. `cargo xtask bench` builds the plugins first.

#![expect(clippy::unwrap_used, reason = "a benchmark, not an interface")]

use std::fmt::Write as _;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use pushgate::config::{self, ByteSize, Config, Problems};
use pushgate::exposition::{Exposition, Format};
use pushgate::ingest::{BodyFormat, Consistency, Ingest, Method, PushRequest};
use pushgate::journal::InMemory;
use pushgate::policies::{self, Loaded};
use pushgate::rejections::Rejections;
use pushgate::store::{Limits, OwnFamilies, Store};
use pushgate::telemetry::Metrics;
use pushgate_exposition::{Escaping, GroupingKey, Rules, text};
use pushgate_plugin_host::{Chain, Request};

/// Gauges and counters with 6 labels, 10 series a family.
fn body(series: usize) -> String {
    let mut body = String::new();
    for row in 0..series {
        let (family, row) = (row / 10, row % 10);
        if row == 0 {
            let _ = writeln!(
                body,
                "# HELP app_{family}_total What it counts.\n# TYPE app_{family}_total counter"
            );
        }
        let _ = writeln!(
            body,
            "app_{family}_total{{code=\"200\",host=\"db{row}\",method=\"GET\",path=\"/api/{row}\",team=\"infra\",zone=\"eu\"}} {row}.5"
        );
    }
    body
}

/// The chain of `config.toml`, cut to those plugins.
fn chain(plugins: &[&str]) -> Arc<Chain> {
    chain_with(plugins, ByteSize::mib(16))
}

/// The same, with that much memory for answers.
fn chain_with(plugins: &[&str], memo: ByteSize) -> Arc<Chain> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config.toml");
    let mut config = config(&file);
    config.plugins.memo = memo;
    config.chain.retain(|policy| plugins.contains(&policy.name.as_str()));
    let mut problems = Problems::of(&file);
    let chain = policies::load(&config, &mut problems).unwrap();
    problems.or(chain).unwrap()
}

/// What the file says, with the plugins that are commented out: blocks of lines in which `# [[plugin]]` is one.
fn config(file: &Path) -> Config {
    let text = fs::read_to_string(file).unwrap();
    let blocks = text.split("\n\n").map(|block| match block.split_once("# [[plugin]]\n") {
        Some((_, plugin)) => {
            let lines = plugin.lines().map(|line| line.strip_prefix("# ").unwrap_or(line));
            format!("[[plugin]]\n{}", lines.collect::<Vec<_>>().join("\n"))
        }
        None => block.to_owned(),
    });
    Config::parse(&blocks.collect::<Vec<_>>().join("\n\n"), file).unwrap()
}

struct Fixture {
    ingest: Ingest,
    store: Arc<Store>,
    metrics: Arc<Metrics>,
}

impl Fixture {
    fn new(plugins: &[&str]) -> Self {
        let chain = chain(plugins);
        let metrics = Arc::new(Metrics::new());
        let limits = Limits { groups: usize::MAX, series: usize::MAX };
        let store = Arc::new(Store::new(limits, OwnFamilies::default(), Box::new(InMemory)));
        let rejections = Arc::new(Rejections::new(&config::Rejections::default()));
        let (rules, consistency) = (Rules::default(), Consistency::Checked);
        let ingest = Ingest::new(
            Loaded { chain, ..Loaded::default() },
            store.clone(),
            metrics.clone(),
            rejections,
            rules,
            consistency,
            1,
        );
        Self { ingest, store, metrics }
    }

    fn fill(&self, groups: usize, body: &Bytes) {
        (0..groups).for_each(|group| self.push(&request(group, body)));
    }

    fn push(&self, request: &PushRequest) {
        self.ingest.take(request).unwrap();
    }
}

/// A push as it comes from a connection: its key was just read, and so was its body.
fn request(group: usize, body: &Bytes) -> PushRequest {
    PushRequest {
        method: Method::Put,
        key: GroupingKey::new([("job", "bench".to_owned()), ("instance", format!("host{group}"))]).unwrap(),
        format: BodyFormat::Text,
        body: body.clone(),
        received_at: SystemTime::now(),
        restore: None,
        wish: None,
        id: "0".to_owned(),
        parent: None,
        attributes: Vec::new(),
    }
}

const ALL: [&str; 3] = ["relabel", "naming", "required-labels"];

fn pushes(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("push of 10 series, 1000 groups stored");
    for count in [0, 1, 3] {
        let fixture = Fixture::new(&ALL[3 - count..]);
        let body = Bytes::from(body(10));
        fixture.fill(1000, &body);
        let request = request(500, &body);
        group.bench_function(format!("{count} plugins"), |bencher| bencher.iter(|| fixture.push(&request)));
    }
    group.finish();

    let mut group = criterion.benchmark_group("growth: push of 10 series, 3 plugins");
    for groups in [100, 1_000, 10_000] {
        let fixture = Fixture::new(&ALL);
        let body = Bytes::from(body(10));
        fixture.fill(groups, &body);
        let mut next = 0;
        group.bench_function(format!("{groups} groups"), |bencher| {
            bencher.iter(|| {
                next = (next + 7919) % groups; // Far from the one before: caches must not hide the growth.
                fixture.push(&request(next, &body));
            });
        });
    }
    group.finish();
}

fn plugin_calls(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("plugin call, 100 series of 6 labels, warm");
    let key = GroupingKey::new([("job", "bench"), ("instance", "i")]).unwrap();
    let push = text::parse(body(100).as_bytes(), &key, &Rules::default()).unwrap();
    let request = Request { id: "0", method: Method::Put, received_ms: 0, attributes: &[] };
    let all = config(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../config.toml")).chain;
    for plugin in all.iter().map(|policy| policy.name.as_str()) {
        for (memo, how) in [(ByteSize::bytes(0), "called"), (ByteSize::mib(16), "remembered")] {
            let chain = chain_with(&[plugin], memo);
            let mut push = push.clone();
            group.bench_function(format!("{plugin}, {how}"), |bencher| {
                bencher.iter(|| chain.run(black_box(&mut push), request));
            });
        }
    }
    group.finish();
}

fn scrape(criterion: &mut Criterion) {
    let fixture = Fixture::new(&[]);
    fixture.fill(1_000, &Bytes::from(body(100)));
    criterion.bench_function("scrape of 100,000 series", |bencher| {
        bencher.iter(|| {
            let exposition = Exposition::new(&fixture.store, &fixture.metrics);
            exposition.render(Format::Text, Escaping::default())
        });
    });
}

criterion_group!(benches, pushes, plugin_calls, scrape);
criterion_main!(benches);
