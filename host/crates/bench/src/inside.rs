//! What no client can see: parsing, and what plugins take. Parsing is done here, in a loop; what plugins take is read from
//! the metrics of a gateway that is pushed to.

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use pushgate_exposition::{GroupingKey, Push, Rules, text};

use crate::load::{self, Arrival, Load};
use crate::payload::{Pushes, exposition};
use crate::plan::Plan;
use crate::results::InsideRow;
use crate::scrapes;
use crate::server::{Kind, Programs, Server, Setup};
use crate::spread::Spread;

/// What a row is called that tells how long parsing takes.
pub const PARSE: &str = "parse";

/// The plugins of the chain.
pub const PLUGINS: [&str; 3] = ["relabel", "naming", "required-labels"];

/// The time of one measurement of parsing, at least.
const SPAN: Duration = Duration::from_millis(20);

/// Clients that push at a time while plugins are measured: enough that the gateway never sleeps, which a core takes a while to
/// get over.
const CLIENTS: usize = 4;

/// Pushes of one measurement of plugins, at least.
const PUSHES: u64 = 100;

/// Measures all of it for pushes of some sizes.
///
/// # Errors
/// When a gateway cannot be started, or does not tell what its plugins took.
pub fn measure(programs: &Programs, plan: &Plan) -> anyhow::Result<Vec<InsideRow>> {
    let mut rows = Vec::new();
    for &series in &plan.inside {
        rows.push(parse(plan, &exposition(series, 0))?);
    }
    let three = Setup::with_plugins(3);
    for (how, memo) in [("called", false), ("remembered", true)] {
        let server = Server::start(programs, Kind::Gateway(Setup { memo, ..three }), None)?;
        for &series in &plan.inside {
            rows.extend(plugins(plan, &server, how, &exposition(series, 0))?);
        }
        if !memo {
            for values in [1, 10, 50] {
                rows.extend(plugins(plan, &server, "called, other symbols", &with_symbols(values))?);
            }
        }
    }
    Ok(rows)
}

fn parse(plan: &Plan, body: &str) -> anyhow::Result<InsideRow> {
    let (key, rules) = (key()?, Rules::default());
    let us = time(plan, || {
        let _ = black_box(text::parse(black_box(body.as_bytes()), &key, &rules));
    });
    row(PARSE.to_owned(), body, us)
}

/// What each plugin takes for a push that some clients send again and again.
fn plugins(plan: &Plan, server: &Server, how: &str, body: &str) -> anyhow::Result<Vec<InsideRow>> {
    let pushes = Pushes::of_body(body);
    let push = |duration, at_least| {
        let (address, pushes) = (server.address(), &pushes);
        let arrival = Arrival::Closed;
        let load = Load { address, pushes, connections: CLIENTS, arrival, duration, at_least };
        let outcome = load::run(&load)?;
        ensure!(outcome.refused == 0, "{} pushes were refused", outcome.refused);
        anyhow::Ok(())
    };
    // Answers are remembered, and code is in the caches, from the second push on.
    push(Duration::ZERO, 10)?;
    let mut measured = PLUGINS.map(|_| Vec::new());
    for _ in 0..plan.rounds {
        let before = durations(server)?;
        push(plan.duration / 4, PUSHES)?;
        let after = durations(server)?;
        for (measured, (before, after)) in measured.iter_mut().zip(before.into_iter().zip(after)) {
            measured.push((after.seconds - before.seconds) * 1e6 / (after.count - before.count));
        }
    }
    let rows = PLUGINS.iter().zip(measured);
    rows.map(|(plugin, us)| row(format!("{plugin}, {how}"), body, Spread::of(us))).collect()
}

/// What one plugin has taken in all.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Taken {
    seconds: f64,
    count: f64,
}

/// Of each plugin.
fn durations(server: &Server) -> anyhow::Result<[Taken; 3]> {
    let text = scrapes::text(server.address())?;
    let taken =
        PLUGINS.map(|plugin| taken(&text, plugin).with_context(|| format!("no duration of {plugin}")));
    let [one, two, three] = taken;
    Ok([one?, two?, three?])
}

fn taken(text: &str, plugin: &str) -> Option<Taken> {
    let value = |part: &str| -> Option<f64> {
        let series = format!("pushgate_plugin_duration_seconds_{part}{{plugin=\"{plugin}\"}} ");
        text.lines().find_map(|line| line.strip_prefix(&series))?.parse().ok()
    };
    Some(Taken { seconds: value("sum")?, count: value("count")? })
}

/// 100 series with ten labels each: the more `values`, the fewer of them have one in common.
fn with_symbols(values: u64) -> String {
    let mut body = String::from("# TYPE app_total counter\n");
    for series in 0..100 {
        let _ = write!(body, "app_total{{number=\"{series}\"");
        for label in 0..9 {
            let value = (series * 9 + label) % (values * 10);
            let _ = write!(body, ",label_{label}=\"value_{value}\"");
        }
        body.push_str("} 1\n");
    }
    body
}

fn row(what: String, body: &str, us: Spread) -> anyhow::Result<InsideRow> {
    let push: Push = text::parse(body.as_bytes(), &key()?, &Rules::default()).context("what is pushed")?;
    let (series, symbols) = (push.series_count() as u64, push.symbols().len() as u64);
    Ok(InsideRow { what, series, symbols, bytes: body.len() as u64, us })
}

fn key() -> anyhow::Result<GroupingKey> {
    GroupingKey::new([("job", "bench"), ("instance", "host0")]).context("a key")
}

/// Microseconds of one run, in each of some measurements.
fn time(plan: &Plan, mut run: impl FnMut()) -> Spread {
    let mut measure = |runs: u32| {
        let started = Instant::now();
        (0..runs).for_each(|_| run());
        started.elapsed()
    };
    let mut runs = 1;
    while measure(runs) < SPAN {
        runs *= 2;
    }
    let samples = (0..3 * plan.rounds).map(|_| measure(runs).as_secs_f64() * 1e6 / f64::from(runs));
    Spread::of(samples.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_durations_of_a_plugin_are_read() {
        let text = "pushgate_plugin_duration_seconds_sum{plugin=\"naming\"} 0.5\n\
                    pushgate_plugin_duration_seconds_count{plugin=\"naming\"} 4\n";
        assert_eq!(taken(text, "naming"), Some(Taken { seconds: 0.5, count: 4.0 }));
        assert_eq!(taken(text, "relabel"), None);
    }

    #[test]
    fn more_values_are_more_symbols() {
        let symbols = |values| row(String::new(), &with_symbols(values), Spread::default()).unwrap().symbols;
        assert!(symbols(1) < symbols(10) && symbols(10) < symbols(50));
    }
}
