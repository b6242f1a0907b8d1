//! What policies may be granted beside the push: what is stored, and what each keeps from push to push.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use pushgate_exposition::{GroupingKey, Push};
use pushgate_plugin_host::{Belongings, Capability, Chain, Granted, Growth, Quota, Replaced, Stored};

use crate::config::{Config, Plugins};
use crate::store::{LabelCounting, Store};

/// Outlives the chains of a gateway, so that a policy finds again what it kept, as long as it keeps its name.
#[derive(Default)]
pub struct Surroundings {
    /// Without one, nothing is stored.
    store: Option<Arc<Store>>,
    /// By the names of policies.
    belongings: Mutex<BTreeMap<String, Arc<Belongings>>>,
}

impl Surroundings {
    /// Those of a gateway with that store.
    pub fn of(store: Arc<Store>) -> Self {
        Self { store: Some(store), ..Self::default() }
    }

    /// What each policy of the chain is granted.
    pub(super) fn granted(&self, config: &Config) -> Vec<Granted> {
        let is_counting = config.chain.iter().any(|policy| policy.grants.contains(&Capability::Cardinality));
        let stored = self.store.as_ref().map(|store| {
            let counting = is_counting.then(|| Store::count_labels(store));
            Arc::new(StoredGroups { store: store.clone(), _counting: counting }) as Arc<dyn Stored>
        });
        let quota = quota(&config.plugins);
        let mut all = self.belongings.lock();
        let policies = config.chain.iter();
        let granted = policies.map(|policy| {
            let granted = Granted::of(policy.grants.clone());
            let belongings = all.entry(policy.name.clone()).or_default().clone();
            let stored = stored.clone().unwrap_or(granted.stored);
            Granted { quota, belongings, stored, ..granted }
        });
        granted.collect()
    }

    /// Forgets what nobody of a chain that is in use now can find again.
    pub fn settle(&self, config: &Config, chain: &Chain) {
        self.belongings.lock().retain(|name, _| config.chain.iter().any(|policy| policy.name == *name));
        chain.plugins().for_each(|plugin| plugin.counted().forget_others());
    }
}

/// How much each policy may keep.
pub fn quota(plugins: &Plugins) -> Quota {
    Quota {
        counter_series: plugins.counter_series,
        state_bytes: plugins.state_size.as_usize(),
        state_entries: plugins.state_entries,
    }
}

/// The store, as policies see it.
struct StoredGroups {
    store: Arc<Store>,
    /// Ends when the last policy of the chain is gone.
    _counting: Option<LabelCounting>,
}

impl Stored for StoredGroups {
    fn series(&self, key: &GroupingKey) -> usize {
        self.store.group(key).map_or(0, |group| group.info.series)
    }

    fn group(&self, key: &GroupingKey) -> Option<Push> {
        self.store.group(key)?.columns()
    }

    fn values(&self, job: &str, label: &str) -> u64 {
        self.store.label_values(job, label)
    }

    fn contains(&self, job: &str, label: &str, value: &str) -> bool {
        self.store.has_label_value(job, label, value)
    }

    fn growth(&self, key: &GroupingKey, replaced: &Replaced, label: &str, values: &[String]) -> Growth {
        let grown = self.store.label_growth(key, |family| replaced.contains(family), label, values);
        Growth { values: grown.values, known: grown.known, looked_at: grown.looked_at }
    }

    fn kept_series(&self, key: &GroupingKey, replaced: &Replaced) -> u64 {
        match replaced {
            Replaced::Group => 0,
            Replaced::Families(_) => self.store.kept_series(key, |family| replaced.contains(family)) as u64,
        }
    }
}
