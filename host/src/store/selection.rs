//! Removing many groups at once.

use std::sync::Arc;

use pushgate_exposition::GroupingKey;

use super::group::{GroupId, GroupName};
use super::{Change, Receipt, Store};

impl Store {
    /// Removes all groups that are selected, in one step: nobody sees some of them gone and others not, and after a crash all
    /// are there or none. Answers which they were. What is pushed to one of them later makes it anew.
    pub fn delete_selected(
        &self,
        selects: impl Fn(&GroupingKey) -> bool,
    ) -> (Vec<Arc<GroupingKey>>, Receipt) {
        // Labels are compared without the lock; under it only with those of groups that came meanwhile.
        let (names, upto) = self.names();
        let mut groups: Vec<GroupName> = names.into_iter().filter(|name| selects(&name.key)).collect();
        for group in &groups {
            self.read_labels(&Change::Delete { group: group.clone() });
        }
        let mut state = self.state.lock();
        let came = (upto..state.groups.next_id()).filter_map(|id| state.groups.by_id(id));
        groups.extend(came.map(|group| &group.name).filter(|name| selects(&name.key)).cloned());
        // One that went and came again meanwhile is there twice; one that went is not there.
        groups.sort_unstable_by(|one, other| one.key.labels().cmp(other.key.labels()));
        groups.dedup_by(|one, other| one.key == other.key);
        groups
            .retain(|name| state.groups.get(&name.labels).is_some_and(|group| group.name.is_same_key(name)));
        if groups.is_empty() {
            return (Vec::new(), Receipt::default());
        }
        let keys = groups.iter().map(|name| name.key.clone()).collect();
        let change = Change::DeleteMany { groups };
        let receipt = self.journal.record(&change);
        state.version += 1;
        state.commit(change, None);
        (keys, receipt)
    }

    /// The names of all groups, and the number that the next new one gets.
    fn names(&self) -> (Vec<GroupName>, GroupId) {
        let state = self.state.lock();
        (state.groups.iter().map(|group| group.name.clone()).collect(), state.groups.next_id())
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use parking_lot::Mutex;
    use pushgate_exposition::{Rules, text};

    use super::*;
    use crate::journal::{InMemory, Journal};
    use crate::store::{Limits, Mode, OwnFamilies};

    /// Counts the changes that it is told of, and how many groups each removes.
    #[derive(Clone, Default)]
    struct Told(Arc<Mutex<Vec<usize>>>);

    impl Journal for Told {
        fn record(&self, change: &Change) -> Receipt {
            self.0.lock().push(match change {
                Change::DeleteMany { groups } => groups.len(),
                _ => 0,
            });
            Receipt::default()
        }

        fn trouble(&self) -> Option<Arc<str>> {
            InMemory.trouble()
        }
    }

    fn key(job: &str) -> GroupingKey {
        GroupingKey::new([("job", job)]).unwrap()
    }

    fn push(store: &Store, job: &str) {
        let push = text::parse(format!("{job} 1\n").as_bytes(), &key(job), &Rules::default()).unwrap();
        store.push(&push, Mode::Replace, 1.0).unwrap();
    }

    fn jobs(keys: &[Arc<GroupingKey>]) -> Vec<&str> {
        keys.iter().map(|key| key.job()).collect()
    }

    #[test]
    fn all_go_in_one_step() {
        let told = Told::default();
        let store =
            Store::new(Limits { groups: 9, series: 9 }, OwnFamilies::default(), Box::new(told.clone()));
        ["a1", "b", "a2"].into_iter().for_each(|job| push(&store, job));
        let before = store.version();
        let (keys, _) = store.delete_selected(|key| key.job().starts_with('a'));
        assert_eq!((jobs(&keys), store.version()), (vec!["a1", "a2"], before + 1));
        assert_eq!((store.size().groups, store.size().series), (1, 1));
        assert_eq!(*told.0.lock(), [0, 0, 0, 2]);
        let (keys, _) = store.delete_selected(|key| key.job() == "none");
        assert_eq!((keys.len(), store.version()), (0, before + 1));
        assert_eq!(told.0.lock().len(), 4, "nothing happened");
    }

    #[test]
    fn what_comes_and_goes_meanwhile_is_treated_as_it_is_then() {
        let store = Store::new(Limits { groups: 9, series: 9 }, OwnFamilies::default(), Box::new(InMemory));
        ["again", "gone", "other"].into_iter().for_each(|job| push(&store, job));
        let is_first = Cell::new(true);
        let (keys, _) = store.delete_selected(|selected| {
            // Without the lock the first time.
            if is_first.replace(false) {
                store.delete(key("gone"));
                store.delete(key("again"));
                push(&store, "again");
                push(&store, "new");
            }
            selected.job() != "other"
        });
        assert_eq!(jobs(&keys), ["again", "new"]);
        assert_eq!(store.size().groups, 1);
    }
}
