//! Scrapes, measured at all servers in turns, and the memory that they take.

mod answer;

use std::io::{self, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use self::answer::Answer;
use crate::load::{self, Arrival, Load};
use crate::payload::{Pushes, Shape};
use crate::plan::{BASE, CONNECTIONS, Plan};
use crate::pushes;
use crate::results::{MemoryCell, MemoryRow, ScrapeCell, ScrapeRow};
use crate::server::{Kind, Programs, Server, Setup};
use crate::spread::Spread;

/// Series of one group.
const PER_GROUP: u64 = 100;

/// How many percent of the groups are pushed to between two scrapes.
const CHANGED: [u64; 3] = [0, 1, 100];

/// Above this many series a scrape of the original takes ten seconds, and is measured only so often.
const LARGE: u64 = 500_000;
const LARGE_SCRAPES: usize = 2;

/// Measures scrapes with that many series stored, all kinds of them, and the memory of the servers.
///
/// # Errors
/// When a server cannot be started, or its answer is not what it should be.
pub fn measure(programs: &Programs, plan: &Plan, series: u64) -> anyhow::Result<(Vec<ScrapeRow>, MemoryRow)> {
    let shape = Shape { series: PER_GROUP as usize, groups: series / PER_GROUP, ..BASE };
    let pushes = Pushes::new(shape);
    let mut kinds = vec![Kind::Gateway(Setup::with_plugins(0))];
    kinds.extend(programs.reference.as_ref().map(|_| Kind::Reference { checked: false }));
    let servers = pushes::start(programs, &pushes, &kinds)?;
    let filled = memory(&servers)?;
    let mut rows = Vec::new();
    for gzip in [false, true] {
        for changed_percent in CHANGED {
            let kind = Scrape { series, changed_percent, gzip };
            rows.push(kind.measure(programs, plan, &servers, &pushes)?);
        }
    }
    let cells = servers.iter().zip(filled).zip(memory(&servers)?).map(|((server, filled), used)| {
        MemoryCell { server: server.kind().name().to_owned(), filled_mib: filled, used_mib: used }
    });
    Ok((rows, MemoryRow { series, cells: cells.collect() }))
}

/// A kind of scrape.
#[derive(Clone, Copy)]
struct Scrape {
    series: u64,
    changed_percent: u64,
    gzip: bool,
}

impl Scrape {
    fn measure(
        self,
        programs: &Programs,
        plan: &Plan,
        servers: &[Server],
        pushes: &Pushes,
    ) -> anyhow::Result<ScrapeRow> {
        let mut times: Vec<Vec<Duration>> = servers.iter().map(|_| Vec::new()).collect();
        let mut sizes = vec![0; servers.len()];
        for server in servers {
            self.check(server)?;
        }
        let count = if self.series > LARGE { plan.scrapes.min(LARGE_SCRAPES) } else { plan.scrapes };
        for _ in 0..count {
            for ((server, times), size) in servers.iter().zip(&mut times).zip(&mut sizes) {
                self.change(server, pushes)?;
                let answer = scrape(server.address(), "/metrics", self.gzip)?;
                times.push(answer.took);
                *size = answer.body_length() as u64;
            }
        }
        let cell = |(server, (times, bytes)): (&Server, (&Vec<Duration>, u64))| ScrapeCell {
            server: server.kind().name().to_owned(),
            ms: Spread::of(times.iter().map(|time| time.as_secs_f64() * 1e3)),
            bytes,
        };
        let mut cells: Vec<_> = servers.iter().zip(times.iter().zip(sizes)).map(cell).collect();
        let bytes = cells.first().map_or(0, |cell| cell.bytes);
        cells.insert(0, floor(programs, count, bytes)?);
        let Self { series, changed_percent, gzip } = self;
        Ok(ScrapeRow { series, changed_percent, gzip, cells })
    }

    /// Whether the server shows all that is stored. It also leaves each server with a scrape before the first one that
    /// counts, as in operation.
    fn check(self, server: &Server) -> anyhow::Result<()> {
        let text = scrape(server.address(), "/metrics", self.gzip)?.text()?;
        let shown = text.lines().filter(|line| line.starts_with("app_")).count() as u64;
        ensure!(shown == self.series, "{} shows {shown} of {} series", server.kind().name(), self.series);
        Ok(())
    }

    /// Pushes new values to a part of the groups.
    fn change(self, server: &Server, pushes: &Pushes) -> anyhow::Result<()> {
        let at_least = (pushes.groups() * self.changed_percent).div_ceil(100);
        if at_least == 0 {
            return Ok(());
        }
        let load = Load {
            address: server.address(),
            pushes,
            connections: CONNECTIONS.min(at_least as usize),
            arrival: Arrival::Closed,
            duration: Duration::ZERO,
            at_least,
        };
        let outcome = load::run(&load)?;
        ensure!(outcome.refused == 0, "{} refuses pushes", server.kind().name());
        Ok(())
    }
}

/// An empty server that sends as many bytes: what sending and receiving take by themselves.
fn floor(programs: &Programs, count: usize, bytes: u64) -> anyhow::Result<ScrapeCell> {
    let server = Server::start(programs, Kind::Floor, None)?;
    let path = format!("/bytes/{bytes}");
    let times: anyhow::Result<Vec<_>> =
        (0..=count).map(|_| Ok(scrape(server.address(), &path, false)?.took.as_secs_f64() * 1e3)).collect();
    // Before the first answer it has to make the bytes.
    Ok(ScrapeCell {
        server: Kind::Floor.name().to_owned(),
        ms: Spread::of(times?.into_iter().skip(1)),
        bytes,
    })
}

/// What a server shows.
///
/// # Errors
/// When it does not answer as it should.
pub fn text(address: SocketAddr) -> anyhow::Result<String> {
    scrape(address, "/metrics", false)?.text()
}

fn memory(servers: &[Server]) -> anyhow::Result<Vec<f64>> {
    let mib = |server: &Server| Ok((server.resident_memory()? as f64 / f64::from(1 << 20)).round());
    servers.iter().map(mib).collect()
}

/// Asks for a page and waits for all of it.
fn scrape(address: SocketAddr, path: &str, gzip: bool) -> anyhow::Result<Answer> {
    let coding = if gzip { "gzip" } else { "identity" };
    let ask = || -> io::Result<Answer> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let started = Instant::now();
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: {coding}\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes())?;
        Answer::read(stream, started)
    };
    let answer = ask().with_context(|| format!("GET {path}"))?;
    ensure!(answer.status() == Some(200), "GET {path}: {:?}", answer.status());
    Ok(answer)
}
