//! The clock that calls are stopped by: a coarse one, which all instances of an engine read.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::Duration;
use std::{io, thread};

use wasmtime::Engine;

/// The time between two ticks. A call reads the number of ticks at every turn of a loop, so how often they come costs
/// it nothing.
const TICK: Duration = Duration::from_millis(10);

/// The thread that counts the time of an engine up. It ends with this value.
pub(crate) struct Ticker {
    /// Nothing is sent: the thread ends when the other end is gone.
    _alive: Sender<()>,
}

impl Ticker {
    pub(crate) fn start(engine: &Engine) -> io::Result<Self> {
        let (alive, is_over) = mpsc::channel();
        let engine = engine.weak();
        thread::Builder::new().name("plugin-clock".to_owned()).spawn(move || {
            while is_over.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                match engine.upgrade() {
                    Some(engine) => engine.increment_epoch(),
                    None => return,
                }
            }
        })?;
        Ok(Self { _alive: alive })
    }

    /// How many ticks a call has that may take so long. It may take one tick longer, never one shorter.
    pub(crate) fn ticks(deadline: Duration) -> u64 {
        let ticks = deadline.as_millis().div_ceil(TICK.as_millis()) + 1;
        u64::try_from(ticks).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_has_its_time_and_the_rest_of_a_tick() {
        let ticks = |milliseconds| Ticker::ticks(Duration::from_millis(milliseconds));
        assert_eq!([ticks(1), ticks(10), ticks(11), ticks(1_000)], [2, 2, 3, 101]);
    }
}
