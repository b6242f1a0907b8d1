//! Pieces of the way of a push and of a scrape, to have their instructions counted: `cargo xtask bench counts` runs this
//! under callgrind, which counts what happens within [`counted_runs`] and nothing else. Instructions do not depend on
//! what else the machine does, so a change of some percent can be seen that no stopwatch would show.
//!
//! ```text
//! counts PIECE CONFIG CACHE
//! ```
//! `PIECE` is `parse`, `plugin`, `apply`, `scrape` or `scrape-gzip`; `CONFIG` is the configuration with the plugins, `CACHE` a
//! folder for compiled ones.

use std::fmt::Write as _;
use std::fs;
use std::hint::black_box;
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use pushgate::config::{ByteSize, Config, Problems};
use pushgate::exposition::{Exposition, Format, GzipCache};
use pushgate::journal::InMemory;
use pushgate::policies;
use pushgate::store::{Limits, Mode, OwnFamilies, Store};
use pushgate::telemetry::Metrics;
use pushgate_exposition::{Escaping, GroupingKey, Push, Rules, text};
use pushgate_plugin_host::{Method, Request};

/// How often each is run while it is counted.
const RUNS: u32 = 10;

/// Groups that are stored.
const GROUPS: u32 = 50;

/// Series of a push: ten families.
const SERIES: usize = 100;

fn main() -> anyhow::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [piece, config, cache] = words.as_slice() else { bail!("usage: counts PIECE CONFIG CACHE") };
    match piece.as_str() {
        "parse" => parse(),
        "plugin" => plugin(Path::new(config), Path::new(cache)),
        "apply" => apply(),
        "scrape" => scrape(),
        "scrape-gzip" => scrape_gzip(),
        other => bail!("nothing is called '{other}'"),
    }
}

/// Calls it [`RUNS`] times, after one time that is not counted: what is made once is not what is measured.
fn count(mut run: impl FnMut()) {
    run();
    counted_runs(&mut run);
}

/// What callgrind counts; it goes by the name.
#[inline(never)]
fn counted_runs(run: &mut dyn FnMut()) {
    // No closure here: its name would have this one in it, and end the counting where it begins.
    for _ in 0..RUNS {
        run();
    }
}

fn parse() -> anyhow::Result<()> {
    let (body, key, rules) = (exposition(SERIES, 0), key(0)?, Rules::default());
    count(|| {
        let _ = black_box(text::parse(black_box(body.as_bytes()), &key, &rules));
    });
    Ok(())
}

fn plugin(config: &Path, cache: &Path) -> anyhow::Result<()> {
    let text = fs::read_to_string(config).with_context(|| config.display().to_string())?;
    let mut problems = Problems::of(config);
    let mut config = Config::parse(&text, config)?;
    config.plugins.memo = ByteSize::bytes(0);
    config.plugins.cache_directory = Some(cache.to_owned());
    config.chain.retain(|policy| policy.name == "required-labels");
    let chain = policies::load(&config, &mut problems)?;
    let chain = problems.or(chain)?;
    let mut push = push(0, 0)?;
    let request = Request { id: "0", method: Method::Put, received_ms: 0, attributes: &[] };
    count(|| {
        black_box(chain.run(black_box(&mut push), request));
    });
    Ok(())
}

fn apply() -> anyhow::Result<()> {
    let store = filled()?;
    let push = push(GROUPS / 2, 1)?;
    let mut refused = 0;
    count(|| refused += u32::from(store.push(black_box(&push), Mode::Replace, 2.0).is_err()));
    ensure!(refused == 0, "{refused} pushes were refused");
    Ok(())
}

fn scrape() -> anyhow::Result<()> {
    let (store, metrics) = (filled()?, Metrics::new());
    count(|| {
        black_box(Exposition::new(&store, &metrics).render(Format::Text, Escaping::default()));
    });
    Ok(())
}

/// Each with one group that has changed since the scrape before.
fn scrape_gzip() -> anyhow::Result<()> {
    let (store, metrics, cache) = (filled()?, Metrics::new(), GzipCache::default());
    let changed: Vec<Push> = (0..2).map(|turn| push(0, turn)).collect::<anyhow::Result<_>>()?;
    let mut changed = changed.iter().cycle();
    count(|| {
        let next = changed.next().map(|push| store.push(push, Mode::Replace, 2.0).is_ok());
        black_box(next);
        let _ = black_box(Exposition::new(&store, &metrics).render_gzip(Escaping::default(), &cache));
    });
    Ok(())
}

fn filled() -> anyhow::Result<Store> {
    let limits = Limits { groups: usize::MAX, series: usize::MAX };
    let store = Store::new(limits, OwnFamilies::default(), Box::new(InMemory));
    for group in 0..GROUPS {
        store.push(&push(group, 0)?, Mode::Replace, 1.0)?;
    }
    Ok(store)
}

fn push(group: u32, turn: u64) -> anyhow::Result<Push> {
    let body = exposition(SERIES, turn);
    text::parse(body.as_bytes(), &key(group)?, &Rules::default()).context("what is measured")
}

fn key(group: u32) -> anyhow::Result<GroupingKey> {
    GroupingKey::new([("job", "bench".to_owned()), ("instance", format!("host{group}"))]).context("a key")
}

/// Counters, ten series a family, each with six labels, as text.
fn exposition(series: usize, turn: u64) -> String {
    let mut body = String::new();
    for row in 0..series {
        let (family, row) = (row / 10, row % 10);
        if row == 0 {
            let _ = writeln!(
                body,
                "# HELP app_{family}_total What it counts.\n# TYPE app_{family}_total counter"
            );
        }
        let labels = format!(
            "code=\"200\",host=\"db{row}\",method=\"GET\",path=\"/api/{row}\",team=\"infra\",zone=\"eu\""
        );
        let _ = writeln!(body, "app_{family}_total{{{labels}}} {}.5", 100 + turn);
    }
    body
}
