//! Whoever does something to the gateway during a soak.

use std::io::Read as _;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use flate2::read::MultiGzDecoder;

use super::body::{self, Body};
use super::dice::Dice;
use super::model::{Leaves, Since, Verdict};
use super::reader::Seen;
use super::{Soak, Variant, configuration};
use crate::Gateway;
use crate::http::{Request, Response};

/// Clients that push to groups of their own, and how many groups each has.
const PUSHERS: usize = 3;
const GROUPS_EACH: usize = 60;

/// Groups that are pushed once in a while and expire in between.
const FLEETING: usize = 50;
const TTL: Duration = Duration::from_secs(2);

/// All groups.
pub(super) const GROUPS: usize = PUSHERS * GROUPS_EACH + FLEETING;

/// The guests that fail, and the job on which they do.
pub(super) const FAULTY: [(&str, &str); 4] = [
    ("trap", "hostile"),
    ("loop", "hostile"),
    ("memory-bomb", "hostile"),
    ("nonsense", "symbol-out-of-range"),
];

/// One who acts again and again.
#[derive(Debug, Clone, Copy)]
pub(super) enum Actor {
    /// Changes groups from that number on.
    Pusher(usize),
    /// Pushes to groups that expire.
    Fleeting,
    /// Makes plugins fail.
    Hostile,
    Scraper,
}

impl Actor {
    pub(super) fn all() -> Vec<Self> {
        let pushers = (0..PUSHERS).map(|number| Self::Pusher(number * GROUPS_EACH));
        pushers.chain([Self::Fleeting, Self::Hostile, Self::Scraper, Self::Scraper]).collect()
    }
}

/// Acts until the gateway is gone.
pub(super) fn act(soak: &Soak, gateway: SocketAddr, actor: Actor, mut dice: Dice) {
    let mut round = 0;
    while soak.has_gateway() {
        let client = Client { soak, gateway };
        let pause = match actor {
            Actor::Pusher(first) => {
                client.change(first + dice.below(GROUPS_EACH), &mut dice);
                Duration::from_millis(2)
            }
            Actor::Fleeting => {
                client.put(PUSHERS * GROUPS_EACH + round % FLEETING, Keep::Shortly, "PUT", &mut dice);
                (TTL + super::model::GRACE + Duration::from_secs(5)) / FLEETING as u32
            }
            Actor::Hostile => {
                client.make_fail(FAULTY[dice.below(FAULTY.len())]);
                Duration::from_millis(100)
            }
            Actor::Scraper => {
                let scraping = Scraping::ALL[dice.below(Scraping::ALL.len())];
                scrape(soak, gateway, scraping, &soak.model.now(), "while all goes on");
                Duration::from_millis(100)
            }
        };
        round += 1;
        thread::sleep(pause);
    }
}

/// How long a push is to be kept.
#[derive(Debug, Clone, Copy)]
enum Keep {
    Forever,
    Shortly,
}

struct Client<'s> {
    soak: &'s Soak,
    gateway: SocketAddr,
}

impl Client<'_> {
    /// Does something to a group.
    fn change(&self, group: usize, dice: &mut Dice) {
        match dice.below(100) {
            0..=54 => self.put(group, Keep::Forever, "PUT", dice),
            55..=74 => self.put(group, Keep::Forever, "POST", dice),
            75..=79 => self.put(group, Keep::Shortly, "PUT", dice),
            80..=87 => self.delete(group),
            _ => {
                let (body, status) = body::refused(dice);
                self.count(self.send("PUT", &path(group), body), &[status], &self.soak.counts.refused);
            }
        }
    }

    fn put(&self, group: usize, keep: Keep, method: &str, dice: &mut Dice) {
        let (leaves, query) = match keep {
            Keep::Forever => (Leaves::Series, ""),
            Keep::Shortly => (Leaves::SeriesUntil(Instant::now() + TTL), "?ttl=2s"),
        };
        let number = self.soak.model.sending(group, leaves);
        let answer = self.send(method, &(path(group) + query), body::of(number, dice));
        if self.count(answer, &[200], &self.soak.counts.accepted) {
            self.soak.model.acknowledged(group);
        }
    }

    fn delete(&self, group: usize) {
        self.soak.model.sending(group, Leaves::Nothing);
        let answer = self.send("DELETE", &path(group), Body { bytes: Vec::new(), headers: Vec::new() });
        if self.count(answer, &[202], &self.soak.counts.deleted) {
            self.soak.model.acknowledged(group);
        }
    }

    fn make_fail(&self, (guest, job): (&str, &str)) {
        let body = Body { bytes: b"soak_first 1\n".to_vec(), headers: Vec::new() };
        let answer = self.send("PUT", &format!("/metrics/job/{job}/kind/{guest}"), body);
        self.count(answer, &[503], &self.soak.counts.faulted);
    }

    fn send(&self, method: &str, path: &str, body: Body) -> Asked {
        let request = Request::new(self.gateway, method, path).body(body.bytes);
        let request =
            body.headers.into_iter().fold(request, |request, (name, value)| request.header(name, value));
        Asked { what: format!("{method} {path}"), answer: request.try_send() }
    }

    /// Counts an answer that is as it has to be; whether it is.
    fn count(&self, asked: Asked, due: &[u16], count: &AtomicU64) -> bool {
        match asked.answer {
            Ok(answer) if due.contains(&answer.status) => {
                count.fetch_add(1, Ordering::Relaxed);
                return true;
            }
            Ok(answer) => {
                let text = String::from_utf8_lossy(&answer.body);
                self.soak.violation(format!("{}: {due:?} is due, but {}: {text}", asked.what, answer.status));
            }
            // It was killed.
            Err(_) if !self.soak.goes_on() => {}
            Err(error) => self.soak.violation(format!("{}: {error}", asked.what)),
        }
        false
    }
}

/// What was asked for and what came.
struct Asked {
    what: String,
    answer: Result<Response, String>,
}

fn path(group: usize) -> String {
    format!("/metrics/job/soak/group/{group}")
}

/// How to scrape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scraping {
    Text,
    TextGzip,
    OpenMetrics,
    OpenMetricsGzip,
}

impl Scraping {
    const ALL: [Self; 4] = [Self::Text, Self::TextGzip, Self::OpenMetrics, Self::OpenMetricsGzip];

    fn is_open_metrics(self) -> bool {
        matches!(self, Self::OpenMetrics | Self::OpenMetricsGzip)
    }

    fn is_gzip(self) -> bool {
        matches!(self, Self::TextGzip | Self::OpenMetricsGzip)
    }
}

/// Scrapes, and compares all groups with the model.
pub(super) fn scrape(soak: &Soak, gateway: SocketAddr, scraping: Scraping, since: &Since, when: &str) {
    let mut request = Request::new(gateway, "GET", "/metrics");
    if scraping.is_open_metrics() {
        request = request.header("Accept", "application/openmetrics-text;version=1.0.0");
    }
    if scraping.is_gzip() {
        request = request.header("Accept-Encoding", "gzip");
    }
    let answer = match request.try_send() {
        Ok(answer) => answer,
        Err(_) if !soak.goes_on() && when.starts_with("while") => return,
        Err(error) => return soak.violation(format!("{when}: {scraping:?} scrape: {error}")),
    };
    let seen = read(&answer, scraping).and_then(|text| Seen::read(&text));
    let seen = match seen {
        Ok(seen) => seen,
        Err(error) => return soak.violation(format!("{when}: {scraping:?} scrape: {error}")),
    };
    soak.counts.scrapes.fetch_add(1, Ordering::Relaxed);
    for group in 0..soak.model.groups() {
        let judged = seen.number(group).and_then(|number| soak.model.judge(group, since, number));
        let count = match judged {
            Ok(Verdict::Stored) => &soak.counts.seen,
            Ok(Verdict::Deleted) => &soak.counts.deleted_gone,
            Ok(Verdict::Expired) => &soak.counts.expired_gone,
            Ok(Verdict::Nothing) => continue,
            Err(error) => {
                soak.violation(format!("{when}: {scraping:?} scrape, {}: {error}", path(group)));
                continue;
            }
        };
        count.fetch_add(1, Ordering::Relaxed);
    }
}

/// The text of a scrape that was answered as it was asked for.
fn read(answer: &Response, scraping: Scraping) -> Result<String, String> {
    if answer.status != 200 {
        return Err(format!("{}: {}", answer.status, String::from_utf8_lossy(&answer.body)));
    }
    let is_gzip = answer.header("content-encoding") == Some("gzip");
    let media_type = answer.header("content-type").unwrap_or_default();
    if is_gzip != scraping.is_gzip()
        || media_type.starts_with("application/openmetrics") != scraping.is_open_metrics()
    {
        return Err(format!("it is {media_type:?}, gzip: {is_gzip}"));
    }
    let mut text = String::new();
    let read = match is_gzip {
        true => MultiGzDecoder::new(&*answer.body).read_to_string(&mut text),
        false => (&*answer.body).read_to_string(&mut text),
    };
    read.map_err(|error| error.to_string())?;
    if scraping.is_open_metrics() && !text.ends_with("\n# EOF\n") {
        return Err("it has no end".to_owned());
    }
    Ok(text)
}

/// Has the configuration read again, by signal or by request, until the soak is over; now and then a wrong one.
pub(super) fn reload(soak: &Soak, gateway: &Gateway, mut dice: Dice) {
    let client = Client { soak, gateway: gateway.address() };
    for variant in [Variant::Wrong, Variant::Longer, Variant::Plain].into_iter().cycle() {
        if !soak.goes_on() {
            break;
        }
        gateway.folder().write("config.toml", configuration(variant));
        if dice.below(2) == 0 {
            gateway.hang_up();
        }
        let answer = client.send("POST", "/-/reload", Body { bytes: Vec::new(), headers: Vec::new() });
        match variant {
            Variant::Wrong => client.count(answer, &[500], &soak.counts.reloads_refused),
            _ => client.count(answer, &[200], &soak.counts.reloaded),
        };
        thread::sleep(Duration::from_millis(300));
    }
}
