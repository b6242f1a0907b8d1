//! Pushes, measured at all servers in turns.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, ensure};

use crate::load::{self, Arrival, Histogram, Load, Outcome};
use crate::payload::{Pushes, Shape};
use crate::plan::{CONNECTIONS, Plan};
use crate::results::{PushCell, PushRow};
use crate::server::{Kind, Programs, Server};
use crate::spread::Spread;

/// A checked push of the original takes a third of a second with 1,000 groups, one after the other: it is measured by
/// this many at least, on a connection of its own, so that no queue of them is left for the next server's turn.
const FEW: u64 = 5;

/// Measures one kind of push.
///
/// # Errors
/// When a server cannot be started, or does not accept what it is sent.
pub fn measure(programs: &Programs, plan: &Plan, shape: Shape) -> anyhow::Result<PushRow> {
    let pushes = Pushes::new(shape);
    let servers = start(programs, &pushes, &plan.servers(shape, programs.reference.is_some()))?;
    let mut rounds: Vec<Vec<Round>> = servers.iter().map(|_| Vec::new()).collect();
    for _ in 0..plan.rounds {
        for (server, rounds) in servers.iter().zip(&mut rounds) {
            let measured = Round::of(server, &pushes, plan.duration);
            rounds.push(measured.with_context(|| server.kind().name())?);
        }
    }
    let cells = servers.iter().zip(&rounds).map(|(server, rounds)| cell(server.kind(), rounds)).collect();
    Ok(PushRow { shape, cells })
}

/// Starts servers and pushes to each group once.
///
/// # Errors
/// When one cannot be started, or does not accept what it is sent.
pub fn start(programs: &Programs, pushes: &Pushes, kinds: &[Kind]) -> anyhow::Result<Vec<Server>> {
    let stored = if kinds.contains(&Kind::Reference { checked: true }) {
        Some(stored_by_reference(programs, pushes)?)
    } else {
        None
    };
    let start = |kind: &Kind| {
        let file = stored.as_deref().filter(|_| matches!(kind, Kind::Reference { .. }));
        let server = Server::start(programs, *kind, file)?;
        if file.is_none() && *kind != Kind::Floor {
            fill(&server, pushes).with_context(|| kind.name())?;
        }
        Ok(server)
    };
    let servers = kinds.iter().map(start).collect();
    stored.map(std::fs::remove_file).transpose().context("a file of the original's")?;
    servers
}

/// Pushes to each group once.
///
/// # Errors
/// When the server does not accept it.
pub fn fill(server: &Server, pushes: &Pushes) -> anyhow::Result<()> {
    let load = Load {
        address: server.address(),
        pushes,
        connections: CONNECTIONS,
        arrival: Arrival::Closed,
        duration: Duration::ZERO,
        at_least: pushes.groups(),
    };
    accepted(load::run(&load)?).map(drop)
}

/// The original's file with all groups, written by one that does not check: checking them all would take hours.
fn stored_by_reference(programs: &Programs, pushes: &Pushes) -> anyhow::Result<PathBuf> {
    let server = Server::start(programs, Kind::Reference { checked: false }, None)?;
    fill(&server, pushes)?;
    server.stop_with_file()
}

/// One turn of one server.
struct Round {
    rate: f64,
    cpu_ms_per_1000: f64,
    generator_busy: f64,
    open_rate: f64,
    latencies: Histogram,
}

impl Round {
    fn of(server: &Server, pushes: &Pushes, duration: Duration) -> anyhow::Result<Self> {
        let is_slow = server.kind() == Kind::Reference { checked: true };
        let connections = connections(server.kind());
        let at_least = if is_slow { FEW } else { 1_000.min(pushes.groups()) };
        let address = server.address();
        let closed = Load { address, pushes, connections, arrival: Arrival::Closed, duration, at_least };
        let before = server.cpu_time()?;
        let outcome = accepted(load::run(&closed)?)?;
        let used = server.cpu_time()?.saturating_sub(before);
        let open_rate = outcome.rate() / 2.0;
        // So long that some pushes fall due.
        let duration = duration.max(Duration::from_secs_f64(FEW as f64 / open_rate));
        let arrival = Arrival::Open { rate: open_rate };
        let open = accepted(load::run(&Load { arrival, duration, ..closed })?)?;
        Ok(Self {
            rate: outcome.rate(),
            cpu_ms_per_1000: used.as_secs_f64() * 1e6 / outcome.accepted as f64,
            generator_busy: outcome.busy,
            open_rate,
            latencies: open.latencies,
        })
    }
}

/// Connections of a load.
fn connections(kind: Kind) -> usize {
    if kind == (Kind::Reference { checked: true }) { 1 } else { CONNECTIONS }
}

fn accepted(outcome: Outcome) -> anyhow::Result<Outcome> {
    ensure!(outcome.refused == 0, "{} pushes were refused", outcome.refused);
    ensure!(outcome.accepted > 0, "no push was answered");
    Ok(outcome)
}

fn cell(kind: Kind, rounds: &[Round]) -> PushCell {
    let spread = |value: fn(&Round) -> f64| Spread::of(rounds.iter().map(value));
    let latency = |share: f64| {
        let ms = |round: &Round| round.latencies.quantile(share).as_secs_f64() * 1e3;
        Spread::of(rounds.iter().map(ms))
    };
    PushCell {
        server: kind.name().to_owned(),
        connections: connections(kind),
        rate: spread(|round| round.rate),
        cpu_ms_per_1000: spread(|round| round.cpu_ms_per_1000),
        generator_busy: spread(|round| round.generator_busy),
        open_rate: spread(|round| round.open_rate).median,
        p50_ms: latency(0.5),
        p99_ms: latency(0.99),
        p999_ms: latency(0.999),
    }
}
