//! The families of the original Pushgateway about its requests, under the names that dashboards know.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use pushgate_exposition::{InternError, Kind};

use super::window::{Observation, RANKS, Window};
use super::writer::Writer;

const REQUESTS: &str = "pushgateway_http_requests_total";
const SIZE: &str = "pushgateway_http_push_size_bytes";
const DURATION: &str = "pushgateway_http_push_duration_seconds";

/// The names and types of all of them.
pub(super) const FAMILIES: [(&str, Kind); 3] =
    [(REQUESTS, Kind::Counter), (SIZE, Kind::Summary), (DURATION, Kind::Summary)];

const REQUESTS_HELP: &str = "Total HTTP requests processed by the Pushgateway, excluding scrapes.";
const SIZE_HELP: &str = "HTTP request size for pushes to the Pushgateway.";
const DURATION_HELP: &str = "HTTP request duration for pushes to the Pushgateway.";

/// Counts requests. A family is not shown before there is something to show.
#[derive(Debug, Default)]
pub(super) struct HttpMetrics {
    /// By status, handler and method, of each of which there are a handful.
    requests: Mutex<BTreeMap<(u16, &'static str, &'static str), u64>>,
    /// By method.
    pushes: Mutex<BTreeMap<&'static str, Window>>,
}

impl HttpMetrics {
    pub(super) fn request(&self, status: u16, handler: &'static str, method: &'static str) {
        *self.requests.lock().entry((status, handler, method)).or_default() += 1;
    }

    pub(super) fn push(&self, method: &'static str, bytes: u64, duration: Duration) {
        let push = Observation { at: Instant::now(), bytes: bytes as f64, seconds: duration.as_secs_f64() };
        self.pushes.lock().entry(method).or_default().observe(push);
    }

    pub(super) fn write(&self, out: &mut Writer) -> Result<(), InternError> {
        self.summary(out, DURATION, DURATION_HELP, |window| window.seconds, |push| push.seconds)?;
        self.summary(out, SIZE, SIZE_HELP, |window| window.bytes, |push| push.bytes)?;
        let family = out.family(REQUESTS, Kind::Counter, REQUESTS_HELP)?;
        for ((status, handler, method), count) in self.requests.lock().iter() {
            let labels = [("code", &*status.to_string()), ("handler", handler), ("method", method)];
            out.value(family, &labels, *count as f64)?;
        }
        Ok(())
    }

    fn summary(
        &self,
        out: &mut Writer,
        name: &str,
        help: &str,
        sum: impl Fn(&Window) -> f64,
        of: impl Fn(&Observation) -> f64,
    ) -> Result<(), InternError> {
        let family = out.family(name, Kind::Summary, help)?;
        let now = Instant::now();
        for (method, window) in self.pushes.lock().iter() {
            let quantiles = RANKS.into_iter().zip(window.quantiles(now, &of));
            out.summary(family, &[("method", method)], quantiles, sum(window), window.count)?;
        }
        Ok(())
    }
}
