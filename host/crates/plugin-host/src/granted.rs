//! What a policy may use of the host, and what it keeps there between pushes.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use pushgate_exposition::{GroupingKey, Push};

use crate::capability::metrics::Counts;
use crate::capability::state::Entries;
use crate::manifest::Counter;
use crate::{Capability, Growth, Replaced, Stored};

/// What a policy may use of the host, beside its limits. Cheap to clone.
#[derive(Clone)]
pub struct Granted {
    /// The interfaces that it may import.
    pub capabilities: Vec<Capability>,
    /// How much it may keep.
    pub quota: Quota,
    /// Where it keeps it. Another version of the policy may be given the same.
    pub belongings: Arc<Belongings>,
    /// What it may look into.
    pub stored: Arc<dyn Stored>,
}

/// How much one policy may keep between pushes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Series of its counters.
    pub counter_series: usize,
    /// Bytes of the keys and values of its state.
    pub state_bytes: usize,
    /// Entries of its state.
    pub state_entries: usize,
}

impl Default for Quota {
    fn default() -> Self {
        Self { counter_series: 1_000, state_bytes: 1 << 20, state_entries: 10_000 }
    }
}

/// What one policy keeps between pushes: shared by all of its instances, and by its next version after a reload.
#[derive(Debug, Default)]
pub struct Belongings {
    pub(crate) state: Entries,
    pub(crate) counts: Counts,
}

impl Belongings {
    /// A copy of the state, and counters at 0: for asking a policy what it would do, without its doing it.
    pub(crate) fn rehearsal(&self) -> Self {
        Self { state: self.state.clone(), counts: Counts::default() }
    }
}

impl Granted {
    /// These capabilities, with the usual quota, belongings of its own, and nothing that is stored.
    pub fn of(capabilities: Vec<Capability>) -> Self {
        let (quota, belongings) = (Quota::default(), Arc::default());
        Self { capabilities, quota, belongings, stored: Arc::new(Nothing) }
    }

    /// Everything, for who only wants to look at a plugin.
    pub fn everything() -> Self {
        Self::of(Capability::ALL.to_vec())
    }

    /// Those of the granted capabilities that a plugin does not import.
    pub fn unused(&self, imported: &[Capability]) -> Vec<Capability> {
        self.capabilities.iter().copied().filter(|granted| !imported.contains(granted)).collect()
    }
}

impl Default for Granted {
    fn default() -> Self {
        Self::of(Vec::new())
    }
}

/// A store without groups.
struct Nothing;

impl Stored for Nothing {
    fn series(&self, _: &GroupingKey) -> usize {
        0
    }

    fn group(&self, _: &GroupingKey) -> Option<Push> {
        None
    }

    fn values(&self, _: &str, _: &str) -> u64 {
        0
    }

    fn contains(&self, _: &str, _: &str, _: &str) -> bool {
        false
    }

    fn growth(&self, _: &GroupingKey, _: &Replaced, _: &str, values: &[String]) -> Growth {
        let distinct: HashSet<_> = values.iter().filter(|value| !value.is_empty()).collect();
        Growth { values: distinct.len() as u64, known: vec![false; values.len()], looked_at: 0 }
    }

    fn kept_series(&self, _: &GroupingKey, _: &Replaced) -> u64 {
        0
    }
}

/// What a policy was granted, with what its plugin promised to do with it.
pub(crate) struct Given {
    pub(crate) granted: Granted,
    pub(crate) counters: Vec<Counter>,
}

/// What the interfaces answer about the push that is evaluated.
pub(crate) struct Evaluation {
    pub(crate) given: Arc<Given>,
    pub(crate) now_ms: i64,
    /// Its grouping key, as the policies before have left it. Only for plugins that may ask for what is stored.
    pub(crate) key: Option<GroupingKey>,
    /// What the push takes the place of. Only for plugins that may ask what it makes of what is stored.
    pub(crate) replaced: Option<Replaced>,
}

/// What a policy has counted by its own counters, which goes on. Cheap to clone; keeps nothing of the plugin's code.
#[derive(Clone)]
pub struct Counted {
    pub(crate) policy: String,
    pub(crate) given: Arc<Given>,
}

impl fmt::Debug for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Counted").field(&self.policy).finish()
    }
}

impl Counted {
    /// The policy.
    pub fn policy(&self) -> &str {
        &self.policy
    }

    /// The counters that its plugin declares.
    pub fn counters(&self) -> &[Counter] {
        &self.given.counters
    }

    /// Calls `show` with the values of the labels and the count of each series of a counter.
    pub fn read(&self, counter: &Counter, show: impl FnMut(&[String], u64)) {
        self.given.granted.belongings.counts.read(counter, show);
    }

    /// How often it was not counted, as there would have been too many series.
    pub fn dropped(&self) -> u64 {
        self.given.granted.belongings.counts.dropped()
    }

    /// Forgets the counters of versions before this one.
    pub fn forget_others(&self) {
        self.given.granted.belongings.counts.keep(&self.given.counters);
    }
}
