//! What is recorded of one push while it is worked on.

use std::hash::{BuildHasher as _, RandomState};
use std::time::{Instant, SystemTime};

use pushgate_plugin_host::{Chain, Origin, Report, Step};

use super::Parent;

/// The spans of a push, or nothing when it is not to be recorded: then noting costs nothing.
#[derive(Debug)]
pub struct Recording(Option<Box<Trace>>);

/// A span and those below it.
#[derive(Debug)]
pub(super) struct Trace {
    pub(super) id: u128,
    pub(super) parent: Option<u64>,
    pub(super) root: Span,
    pub(super) children: Vec<Span>,
    /// The same moment on both clocks.
    pub(super) began: (SystemTime, Instant),
    random: RandomState,
}

#[derive(Debug)]
pub(super) struct Span {
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) began: Instant,
    pub(super) ended: Instant,
    pub(super) attributes: Vec<(&'static str, Value)>,
    /// What went wrong.
    pub(super) error: Option<String>,
}

#[derive(Debug)]
pub(super) enum Value {
    Text(String),
    Number(u64),
}

impl Recording {
    /// Of a push that is not recorded.
    pub fn nothing() -> Self {
        Self(None)
    }

    /// Of a push with that client, if the client says so; else of the part `sample` of them.
    pub(super) fn begin(parent: Option<Parent>, sample: f64) -> Self {
        let random = RandomState::new();
        let is_sampled = match parent {
            Some(parent) => parent.is_sampled,
            None => (random.hash_one("sample") as f64) < sample * u64::MAX as f64,
        };
        if !is_sampled {
            return Self::nothing();
        }
        let half = |name: &str| u128::from(random.hash_one(name));
        let began = (SystemTime::now(), Instant::now());
        Self(Some(Box::new(Trace {
            id: parent.map_or_else(|| half("high") << 64 | half("low"), |parent| parent.trace),
            parent: parent.map(|parent| parent.span),
            root: Span::new(&random, 0, String::new(), began.1),
            children: Vec::new(),
            began,
            random,
        })))
    }

    /// Whether anything is recorded.
    pub(super) fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// The time, if it is wanted.
    pub fn now(&self) -> Option<Instant> {
        self.0.is_some().then(Instant::now)
    }

    /// A step of the work, which ends now.
    pub fn step(&mut self, name: &str, began: Option<Instant>) {
        if let (Some(trace), Some(began)) = (&mut self.0, began) {
            trace.add(name.to_owned(), began);
        }
    }

    /// What the policies did.
    pub fn policies(&mut self, chain: &Chain, reports: &[Report]) {
        let Some(trace) = &mut self.0 else { return };
        for report in reports {
            let (decision, error) = match &report.step {
                Step::Skipped(_) => continue,
                Step::Accepted => ("accept", None),
                Step::Mutated => ("mutate", None),
                Step::Rejected => ("reject", None),
                Step::Fault(fault) => ("fault", Some(fault.to_string())),
            };
            let Some(link) = chain.links().get(report.link) else { continue };
            let name = link.plugin.name();
            let span = trace.add(format!("plugin {name}"), report.began);
            span.ended = report.began + report.duration;
            span.error = error;
            span.attributes = vec![
                ("pushgate.plugin", Value::Text(name.to_owned())),
                ("pushgate.decision", Value::Text(decision.to_owned())),
                ("pushgate.findings", Value::Number(report.findings.len() as u64)),
                ("pushgate.edits", Value::Number(report.edits as u64)),
                match report.origin {
                    Origin::Remembered => ("pushgate.memo", Value::Text("hit".to_owned())),
                    _ => ("pushgate.fuel", Value::Number(report.fuel)),
                },
            ];
        }
    }

    /// The whole, which ends now.
    pub(super) fn end(self, name: String, attributes: Vec<(&'static str, Value)>) -> Option<Box<Trace>> {
        let mut trace = self.0?;
        trace.root = Span { name, ended: Instant::now(), attributes, ..trace.root };
        Some(trace)
    }
}

impl Trace {
    fn add(&mut self, name: String, began: Instant) -> &mut Span {
        let span = Span::new(&self.random, self.children.len() + 1, name, began);
        self.children.push_mut(span)
    }
}

impl Span {
    fn new(random: &RandomState, number: usize, name: String, began: Instant) -> Self {
        let id = random.hash_one(number).max(1); // Zero is no id.
        Self { id, name, began, ended: Instant::now(), attributes: Vec::new(), error: None }
    }
}
