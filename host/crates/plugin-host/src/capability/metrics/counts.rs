//! What the plugins of one policy have counted.

use std::collections::BTreeMap;

use parking_lot::Mutex;

use crate::manifest::Counter;

/// Counters by their declaration: one that is declared with other labels is another one.
#[derive(Debug, Default)]
pub(crate) struct Counts(Mutex<Tables>);

#[derive(Debug, Default)]
struct Tables {
    counters: BTreeMap<(String, Vec<String>), BTreeMap<Vec<String>, u64>>,
    dropped: u64,
}

impl Tables {
    fn series(&self) -> usize {
        self.counters.values().map(BTreeMap::len).sum()
    }
}

fn declaration(counter: &Counter) -> (String, Vec<String>) {
    (counter.name.clone(), counter.labels.clone())
}

impl Counts {
    /// Counts, unless there would be more than so many series.
    pub(crate) fn add(&self, counter: &Counter, values: Vec<String>, by: u64, most: usize) {
        let mut tables = self.0.lock();
        let series = tables.series();
        let counts = tables.counters.entry(declaration(counter)).or_default();
        match counts.get_mut(&values) {
            Some(count) => *count = count.saturating_add(by),
            None if series < most => {
                counts.insert(values, by);
            }
            None => tables.dropped += 1,
        }
    }

    /// Calls `show` with the values of the labels and the count of each series of a counter. One without labels is
    /// there from the start.
    pub(crate) fn read(&self, counter: &Counter, mut show: impl FnMut(&[String], u64)) {
        let tables = self.0.lock();
        match tables.counters.get(&declaration(counter)) {
            Some(counts) if !counts.is_empty() => {
                counts.iter().for_each(|(values, count)| show(values, *count));
            }
            _ if counter.labels.is_empty() => show(&[], 0),
            _ => {}
        }
    }

    /// How often there was no room for a new series.
    pub(crate) fn dropped(&self) -> u64 {
        self.0.lock().dropped
    }

    /// Makes room by forgetting what is not among these.
    pub(crate) fn keep(&self, counters: &[Counter]) {
        self.0
            .lock()
            .counters
            .retain(|known, _| counters.iter().any(|counter| declaration(counter) == *known));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counter(name: &str, labels: &[&str]) -> Counter {
        let labels = labels.iter().map(|&label| label.to_owned()).collect();
        Counter { name: name.to_owned(), help: String::new(), labels }
    }

    fn read(counts: &Counts, counter: &Counter) -> Vec<(String, u64)> {
        let mut series = Vec::new();
        counts.read(counter, |values, count| series.push((values.join(","), count)));
        series
    }

    fn values(value: &str) -> Vec<String> {
        vec![value.to_owned()]
    }

    #[test]
    fn series_are_kept_up_to_the_bound() {
        let (counts, by_team) = (Counts::default(), counter("refused", &["team"]));
        for team in ["a", "b", "a", "c"] {
            counts.add(&by_team, values(team), 2, 2);
        }
        assert_eq!(read(&counts, &by_team), [("a".to_owned(), 4), ("b".to_owned(), 2)]);
        assert_eq!(counts.dropped(), 1);
        counts.add(&by_team, values("a"), u64::MAX, 2);
        assert_eq!(read(&counts, &by_team)[0].1, u64::MAX, "it does not wrap");
    }

    #[test]
    fn a_counter_without_labels_is_there_from_the_start() {
        let (counts, plain) = (Counts::default(), counter("looked_at", &[]));
        assert_eq!(read(&counts, &plain), [(String::new(), 0)]);
        counts.add(&plain, Vec::new(), 3, 0);
        assert_eq!(read(&counts, &plain), [(String::new(), 0)], "without room as well");
        counts.add(&plain, Vec::new(), 3, 1);
        assert_eq!(read(&counts, &plain), [(String::new(), 3)]);
    }

    #[test]
    fn another_declaration_is_another_counter() {
        let (counts, old, new) = (Counts::default(), counter("c", &["a"]), counter("c", &["b"]));
        counts.add(&old, values("x"), 1, 1);
        assert_eq!(read(&counts, &new), []);
        counts.keep(std::slice::from_ref(&new));
        counts.add(&new, values("y"), 1, 1);
        assert_eq!((read(&counts, &old).len(), read(&counts, &new).len(), counts.dropped()), (0, 1, 0));
    }
}
