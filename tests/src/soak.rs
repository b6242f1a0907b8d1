//! The soak: everything at once against the real binary, for as long as one likes, and a model of what was
//! acknowledged beside it.
//!
//! Clients push, replace, merge, delete and let expire groups of their own, send what must be refused, run into plugins
//! that fail, and have the configuration read again, while scrapers compare what they see with the model. What the
//! process takes is looked at all the time and must stay flat. In the end it is killed under load, started
//! again, ended in order and started once more; what was acknowledged must be there each time.
//!
//! `cargo xtask soak` runs it; the end-to-end tests run a short one.

mod body;
mod client;
mod dice;
mod model;
mod reader;
mod report;
mod usage;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use self::client::Actor;
use self::model::Model;
pub use self::report::Report;
use self::usage::Usage;
use crate::gateway::{config, entry};
use crate::{Folder, Gateway, artifacts};

/// After so many violations nothing new is learnt.
const ENOUGH: usize = 10;

/// What is to be done.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How long, the start and the end left out.
    pub duration: Duration,
    /// What the clients do follows from it; when they do it does not.
    pub seed: u64,
    /// Another binary than that of the dev profile.
    pub binary: Option<PathBuf>,
}

/// What the threads of a soak share.
struct Soak {
    model: Model,
    counts: Counts,
    violations: Mutex<Vec<String>>,
    /// The time is up, and the gateway may go away at any moment.
    is_over: AtomicBool,
    /// It has.
    is_gone: AtomicBool,
}

/// How often what was done; each must have happened for a soak to tell anything.
#[derive(Debug, Default)]
struct Counts {
    accepted: AtomicU64,
    refused: AtomicU64,
    deleted: AtomicU64,
    faulted: AtomicU64,
    reloaded: AtomicU64,
    reloads_refused: AtomicU64,
    scrapes: AtomicU64,
    seen: AtomicU64,
    deleted_gone: AtomicU64,
    expired_gone: AtomicU64,
}

impl Soak {
    fn violation(&self, what: String) {
        let mut violations = self.violations.lock();
        if violations.len() < ENOUGH {
            violations.push(what);
        }
    }

    /// Whether each request has to be answered.
    fn goes_on(&self) -> bool {
        !self.is_over.load(Ordering::SeqCst)
    }

    fn has_gateway(&self) -> bool {
        !self.is_gone.load(Ordering::SeqCst)
    }
}

/// Does it. Panics if the gateway cannot even be started.
pub fn run(plan: &Plan) -> Report {
    let binary = plan.binary.clone().unwrap_or_else(artifacts::gateway);
    let soak = Soak {
        model: Model::new(client::GROUPS),
        counts: Counts::default(),
        violations: Mutex::default(),
        is_over: AtomicBool::new(false),
        is_gone: AtomicBool::new(false),
    };
    let gateway = Arc::new(Gateway::start_binary(&binary, Folder::new(), &configuration(Variant::Plain)));
    let mut usage = Usage::of(gateway.pid(), gateway.folder().path().join(JOURNAL), plan.duration);
    let started = Instant::now();
    let folder = thread::scope(|scope| {
        for (number, actor) in Actor::all().into_iter().enumerate() {
            let (soak, gateway) = (&soak, gateway.address());
            let dice = dice::Dice::new(plan.seed, number as u64);
            scope.spawn(move || client::act(soak, gateway, actor, dice));
        }
        let (soak, gateway_of_reloads) = (&soak, gateway.clone());
        let dice = dice::Dice::new(plan.seed, u64::MAX);
        let reloads = scope.spawn(move || client::reload(soak, &gateway_of_reloads, dice));
        let pause = usage::pause(plan.duration);
        while started.elapsed() < plan.duration && soak.violations.lock().len() < ENOUGH {
            thread::sleep(pause);
            if let Err(error) = usage.sample() {
                soak.violation(format!("the gateway is gone: {error}"));
                break;
            }
        }
        // From now on a request may stay without an answer, for the gateway is killed in the midst of them.
        soak.is_over.store(true, Ordering::SeqCst);
        let _ = reloads.join();
        let folder = Arc::into_inner(gateway).expect("the thread of the reloads has ended").kill();
        soak.is_gone.store(true, Ordering::SeqCst);
        folder
    });
    let lasted = started.elapsed();
    for violation in usage.violations() {
        soak.violation(violation);
    }
    let folder = look_again(&soak, &binary, folder, "after kill -9");
    let folder = look_again(&soak, &binary, folder, "after an orderly end");
    Report::new(plan, binary, lasted, &soak, &usage, folder)
}

/// Starts the gateway in a folder, looks for all that was acknowledged, and ends it in order.
fn look_again(soak: &Soak, binary: &std::path::Path, folder: Folder, when: &str) -> Folder {
    // A start begins a new log; the one before may tell what was wrong.
    let log = folder.path().join("pushgate.log");
    let _ = std::fs::rename(log, folder.path().join(format!("log before {when}")));
    // Groups whose time went by meanwhile may be there for a moment.
    let since = soak.model.now();
    let gateway = Gateway::start_binary(binary, folder, &configuration(Variant::Plain));
    client::scrape(soak, gateway.address(), client::Scraping::Text, &since, when);
    gateway.terminate()
}

const JOURNAL: &str = "soak.redb";

/// A configuration to change to by a reload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Variant {
    Plain,
    /// With a policy more.
    Longer,
    /// That must not be taken.
    Wrong,
}

fn configuration(variant: Variant) -> String {
    let guest = |name: &str| {
        let limits = "fuel_base = 2_000_000\nmemory = \"8MiB\"";
        let rest = format!("match = {{ kind = \"{name}\" }}\n{limits}");
        entry(name, &artifacts::guest(name), &rest)
    };
    let settings = format!(
        "enable_lifecycle = true\n[store]\npath = \"{JOURNAL}\"\nmax_ttl = \"1h\"\n[scrape]\nopenmetrics = true\n\n[plugins]\n"
    );
    let forbidding = "[plugin.config]\nforbidden = [\"password\"]\n";
    let policies = entry("labels", &artifacts::plugin("required-labels"), forbidding)
        + &client::FAULTY.map(|(guest_name, _)| guest(guest_name)).concat();
    let more = match variant {
        Variant::Plain => String::new(),
        Variant::Longer => entry("naming", &artifacts::plugin("naming"), "mode = \"monitor\"\n"),
        Variant::Wrong => "\n[nonsense]\nkey = 1\n".to_owned(),
    };
    let cache = "cache_directory = \"cache\"\n".to_owned();
    config("127.0.0.1:0", &(cache + &policies + &more)).replacen("\n[plugins]\n", &format!("\n{settings}"), 1)
}
