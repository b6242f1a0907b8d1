//! The load generator: one thread that drives many connections and never waits in the kernel, so that what it
//! measures is the server.
//!
//! *Closed* load sends the next push of a connection when the one before is answered: it finds the highest rate.
//! *Open* load sends pushes at fixed times whatever the server does, and counts each latency from the time at which
//! the push was due, not from when a connection came free to send it. A server that stalls for a second so pays for
//! all the pushes of that second; measured from the moment of sending, it would pay for one.

mod connection;
mod histogram;

use std::io;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use self::connection::{Connection, Progress};
pub use self::histogram::Histogram;
use crate::payload::Pushes;

/// How long a load may go on past its time for what is still to be answered.
const PATIENCE: Duration = Duration::from_secs(60);

/// Above this part of its time at work, the generator may have been what limited the rate.
const SATURATED: f64 = 0.9;

/// When pushes are sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Arrival {
    /// When the one before on the connection is answered.
    Closed,
    /// So many a second, whatever is answered.
    Open {
        /// Pushes a second, above 0.
        rate: f64,
    },
}

/// What to send, where and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Load<'a> {
    /// The server.
    pub address: SocketAddr,
    /// What is pushed.
    pub pushes: &'a Pushes,
    /// Connections at the same time.
    pub connections: usize,
    /// When pushes are sent.
    pub arrival: Arrival,
    /// How long new pushes are sent.
    pub duration: Duration,
    /// Pushes that are sent at least, however long it takes, in a closed load.
    pub at_least: u64,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Pushes that were answered with a status from 200 to 299.
    pub accepted: u64,
    /// Pushes that were answered otherwise.
    pub refused: u64,
    /// From the first push to the last answer.
    pub elapsed: Duration,
    /// How long answers took.
    pub latencies: Histogram,
    /// The part of its time, from 0 to 1, that the generator was at work.
    pub busy: f64,
}

impl Outcome {
    /// Accepted pushes a second.
    pub fn rate(&self) -> f64 {
        self.accepted as f64 / self.elapsed.as_secs_f64().max(1e-9)
    }

    /// Whether a faster generator might have measured more.
    pub fn generator_was_the_limit(&self) -> bool {
        self.busy > SATURATED
    }
}

/// A push on its way.
#[derive(Clone, Copy, Debug)]
struct Flight {
    number: u64,
    /// What its latency counts from.
    since: Instant,
}

/// Sends the load and waits for the answers.
///
/// # Errors
/// When a connection breaks, or the server does not answer for a minute.
pub fn run(load: &Load<'_>) -> io::Result<Outcome> {
    let connection = || Connection::new(load.address, load.pushes.keeps_connections());
    let mut slots: Vec<(Connection, Option<Flight>)> =
        (0..load.connections).map(|_| (connection(), None)).collect();
    let started = Instant::now();
    let (mut next, mut outcome, mut idle) = (0, Outcome::default(), Duration::ZERO);
    loop {
        let round = Instant::now();
        let is_over = round - started >= load.duration;
        let (mut moved, mut in_flight) = (false, false);
        for (connection, flight) in &mut slots {
            if flight.is_none() {
                *flight = due(load, started, next, is_over);
                if flight.is_some() {
                    next += 1;
                    connection.begin()?;
                }
            }
            let Some(Flight { number, since }) = *flight else { continue };
            in_flight = true;
            match connection.advance(load.pushes.request(number))? {
                Progress::Waiting => {}
                Progress::Moved => moved = true,
                Progress::Answered(status) => {
                    (moved, *flight) = (true, None);
                    outcome.latencies.record(since.elapsed());
                    let counter = match status {
                        200..300 => &mut outcome.accepted,
                        _ => &mut outcome.refused,
                    };
                    *counter += 1;
                }
            }
        }
        if !in_flight && is_over && due(load, started, next, is_over).is_none() {
            break;
        }
        if round - started > load.duration + PATIENCE {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "pushes were not answered for a minute"));
        }
        if !moved {
            // Where there are fewer cores than processes, the server needs this one.
            thread::yield_now();
            idle += round.elapsed();
        }
    }
    outcome.elapsed = started.elapsed();
    outcome.busy = 1.0 - idle.as_secs_f64() / outcome.elapsed.as_secs_f64().max(1e-9);
    Ok(outcome)
}

/// The push of that number, if its time has come.
fn due(load: &Load<'_>, started: Instant, number: u64, is_over: bool) -> Option<Flight> {
    let now = Instant::now();
    let since = match load.arrival {
        Arrival::Closed if is_over && number >= load.at_least => return None,
        Arrival::Closed => now,
        Arrival::Open { rate } => {
            let offset = Duration::from_secs_f64(number as f64 / rate);
            // What was due in time is sent although the time is over: it is what a slow server is measured by.
            let is_due = offset < load.duration && started + offset <= now;
            is_due.then_some(started + offset)?
        }
    };
    Some(Flight { number, since })
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::thread::JoinHandle;

    use super::*;
    use crate::payload::{Format, Shape};

    /// Answers pushes on one connection, each at its end, and stalls once before the one of number `stall`.
    fn server(stall: Option<u64>) -> (SocketAddr, JoinHandle<u64>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let served = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let (mut received, mut answered, mut buffer) = (Vec::new(), 0, [0; 4096]);
            while let Ok(read @ 1..) = stream.read(&mut buffer) {
                received.extend_from_slice(&buffer[..read]);
                while let Some(end) = received.windows(5).position(|five| five == b"\nend\n") {
                    received.drain(..end + 5);
                    if stall == Some(answered) {
                        thread::sleep(Duration::from_millis(100));
                    }
                    answered += 1;
                    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
                }
            }
            answered
        });
        (address, served)
    }

    fn pushes() -> Pushes {
        let shape = Shape {
            series: 1,
            groups: 3,
            format: Format::Text,
            compressed: false,
            fresh: false,
            relabelled: false,
        };
        Pushes::new(shape).with_last_line("end\n")
    }

    fn load(address: SocketAddr, pushes: &Pushes, arrival: Arrival) -> Load<'_> {
        let duration = Duration::from_millis(200);
        Load { address, pushes, connections: 1, arrival, duration, at_least: 5 }
    }

    #[test]
    fn a_closed_load_sends_what_is_answered() {
        let (address, served) = server(None);
        let outcome = run(&load(address, &pushes(), Arrival::Closed)).unwrap();
        assert_eq!(outcome.accepted, served.join().unwrap());
        assert_eq!((outcome.refused, outcome.latencies.total()), (0, outcome.accepted));
        assert!(outcome.accepted >= 5 && outcome.elapsed >= Duration::from_millis(200));
    }

    #[test]
    fn an_open_load_counts_from_when_pushes_were_due() {
        let (address, served) = server(Some(10));
        let outcome = run(&load(address, &pushes(), Arrival::Open { rate: 500.0 })).unwrap();
        assert_eq!((outcome.accepted, served.join().unwrap()), (100, 100));
        // The stall holds up the fifty pushes that were due meanwhile, not only the one that ran into it.
        assert!(outcome.latencies.quantile(0.7) > Duration::from_millis(10), "{outcome:?}");
    }

    #[test]
    fn nobody_there_is_an_error() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        assert!(run(&load(address, &pushes(), Arrival::Closed)).is_err());
    }
}
