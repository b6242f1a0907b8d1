//! What a policy would say to everything that is stored, asked without doing anything: before it is switched to
//! `enforce`, it shows whose pushes that would refuse.
//!
//! The plugin is asked about each group as if the group were pushed as a whole, by PUT and by nobody in particular. It
//! has instances of its own and copies of what it keeps, nothing is counted, and what is stored is only read, a group at a time.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use pushgate_exposition::Push;
use pushgate_plugin_host::{Breaker, BreakerSettings, Chain, Link, Method, Mode, Request, Skip, Step};

use crate::policies::Member;
use crate::rejections::{Judged, Rejection, Rejections};
use crate::store::Store;

/// How long an audit may take; what it has found until then is told.
pub const MAX_TIME: Duration = Duration::from_secs(30);

/// Groups that are told of, with what the policy has against them, and the memory that this may take.
const MAX_TOLD: usize = 1_000;
const MAX_BYTES: usize = 4 << 20;

/// What became of an audit.
#[derive(Debug, Default)]
pub struct Audit {
    /// Groups that were stored when it began.
    pub groups: usize,
    /// How many of them there was time for. Those that were removed meanwhile count as accepted.
    pub looked_at: usize,
    /// Groups that the policy accepts as they are, or is not for.
    pub accepted: usize,
    /// Groups that it would change.
    pub changed: usize,
    /// Groups that it would reject.
    pub rejected: usize,
    /// Groups that it fails on.
    pub faults: usize,
    /// The first of the last two, with what it has against them; redacted where rejections are.
    pub against: Vec<Rejection>,
    /// Bytes that those take, about.
    told: usize,
}

impl Audit {
    /// Asks a policy about all groups of a store, for as long as `may_go_on` says so. Blocks.
    pub fn of(member: &Member, store: &Store, rejections: &Rejections, may_go_on: impl Fn() -> bool) -> Self {
        let began = Instant::now();
        let chain = rehearsal(member);
        let groups = store.groups();
        let mut audit = Self { groups: groups.len(), ..Self::default() };
        for group in groups {
            if began.elapsed() > MAX_TIME || !may_go_on() {
                break;
            }
            audit.looked_at += 1;
            match store.group(&group.key).and_then(|group| group.columns()) {
                Some(push) => audit.ask(&chain, push, rejections),
                None => audit.accepted += 1,
            }
        }
        audit
    }

    /// Whether all groups were looked at.
    pub fn is_complete(&self) -> bool {
        self.looked_at == self.groups
    }

    fn ask(&mut self, chain: &Chain, mut push: Push, rejections: &Rejections) {
        let (method, at, group) = (Method::Put, SystemTime::now(), push.grouping_key());
        let received_ms = at.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as i64;
        let verdict = chain.run(&mut push, Request { id: "", method, received_ms, attributes: &[] });
        match verdict.reports.first().map(|report| &report.step) {
            None | Some(Step::Accepted | Step::Skipped(Skip::Scope | Skip::Suspended { .. })) => {
                self.accepted += 1;
            }
            Some(Step::Mutated) => self.changed += 1,
            Some(Step::Rejected) => self.rejected += 1,
            Some(Step::Fault(_)) => self.faults += 1,
        }
        let judged = Judged { id: "", at, method, group: &group, chain, verdict: &verdict, push: &push };
        if self.against.len() < MAX_TOLD
            && self.told < MAX_BYTES
            && let Some(mut rejection) = rejections.describe(&judged)
        {
            // The same in each of them, and not told.
            rejection.judgements.iter_mut().for_each(|judgement| judgement.config = None);
            self.told += rejection.size();
            self.against.push(rejection);
        }
    }
}

/// A chain of nothing but the policy, which changes nothing, keeps nothing and is never suspended. Who has pushed what is
/// stored, and how, is not known, so that does not matter.
fn rehearsal(member: &Member) -> Chain {
    let plugin = member.plugin.rehearsal();
    let scope = member.scope.clone();
    let never = BreakerSettings { faults: 0, ..BreakerSettings::default() };
    Chain::new(vec![Link {
        mode: Mode::Monitor,
        covers: Some(Box::new(move |push: &Push, _| scope.covers_group(|label| push.grouping_label(label)))),
        breaker: Breaker::new(plugin.name(), never).into(),
        ..Link::of(plugin)
    }])
}
