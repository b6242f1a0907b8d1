//! How old the data of groups is that do not stay for ever: two families that are made for each scrape, as what they say
//! changes without a push.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::{Arc, OnceLock};

use imbl::OrdMap;
use pushgate_exposition::text::number;
use pushgate_exposition::{Kind, is_label_name};

use super::chunk::{Chunk, Rare};
use super::lifetime::Lifetime;
use super::view::Snapshot;
use super::{Exposed, ExposedFamily};

/// The family with the age of each group that has a TTL or is stale after a while.
pub const PUSH_AGE: &str = "push_age_seconds";
/// The family with the groups that are stale.
pub const PUSH_STALE: &str = "push_stale";

/// Names of families that are told of groups and cannot be pushed.
pub(super) const TOLD: [&str; 2] = [PUSH_AGE, PUSH_STALE];

const PUSH_AGE_HELP: &str =
    "Time since the last push of this group that was stored, where it has a TTL or is stale after a while.";
const PUSH_STALE_HELP: &str =
    "1 for each group whose last push that was stored is older than its stale_after.";

/// Bytes of a line, more or less.
const LINE: usize = 128;

/// The lines of a family: those that every scraper can read, and those with names in quotes, which may have to be escaped.
#[derive(Default)]
struct Lines([String; 2]);

impl Snapshot {
    /// The same with how old groups are, at `now` in seconds since 1970. Costs as much as there are groups that have a TTL or are stale
    /// after a while, and nothing where there are none.
    #[must_use]
    pub fn with_ages(&self, now: f64) -> Self {
        let mut families = self.families.clone();
        let (mut ages, mut stale) = (Lines::default(), Lines::default());
        let pushed = self.lifetimes.values().filter(|lifetime| lifetime.pushed_at > 0.0);
        for lifetime in pushed {
            // To the millisecond: the rest is what floats add. A push that is still to come is as new as can be.
            let age = ((now - lifetime.pushed_at).max(0.0) * 1e3).round() / 1e3;
            ages.add(PUSH_AGE, lifetime, age);
            if lifetime.is_stale(now) {
                stale.add(PUSH_STALE, lifetime, 1.0);
            }
        }
        let mut text_len = self.text_len;
        for (name, help, lines) in [(PUSH_AGE, PUSH_AGE_HELP, ages), (PUSH_STALE, PUSH_STALE_HELP, stale)] {
            text_len += lines.put(&mut families, name, help, now);
        }
        Self { families, text_len, unsound: self.unsound.clone(), lifetimes: self.lifetimes.clone() }
    }

    /// About how many bytes that adds.
    pub fn ages_len(&self) -> usize {
        LINE * self.lifetimes.len()
    }
}

impl Lines {
    fn add(&mut self, family: &str, lifetime: &Lifetime, value: f64) {
        let has_utf8_names = !lifetime.name.key.labels().all(|(name, _)| is_label_name(name));
        let Self([classic, utf8]) = self;
        let text = if has_utf8_names { utf8 } else { classic };
        let _ = write!(text, "{family}{} ", lifetime.name.labels);
        number::write(text, value);
        text.push('\n');
    }

    /// Makes the family, if there is anything in it. Answers how many bytes it has.
    fn put(self, families: &mut Exposed, name: &str, help: &'static str, at: f64) -> usize {
        let mut chunks = OrdMap::new();
        let mut length = 0;
        for (number, text) in (0..).zip(self.0) {
            if text.is_empty() {
                continue;
            }
            length += text.len();
            let chunk = Chunk {
                text: text.into(),
                help: Some(Cow::Borrowed(help)),
                series: Arc::default(),
                pushed_at: at,
                rare: (number == 1).then(|| Arc::new(Rare { utf8_names: true, ..Rare::default() })),
                labels: OnceLock::new(),
                text_hash: OnceLock::new(),
            };
            chunks.insert(number, Arc::new(chunk));
        }
        if !chunks.is_empty() {
            families.insert(Arc::from(name), ExposedFamily { kind: Kind::Gauge, chunks });
        }
        length
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use pushgate_exposition::{GroupingKey, Names, Rules, text};

    use super::*;
    use crate::config::Config;
    use crate::journal::InMemory;
    use crate::store::{Arrival, Limits, Mode, OwnFamilies, Refusal, Store, Times, Unknown};

    fn store(rules: &str) -> Store {
        let store = Store::new(Limits { groups: 99, series: 99 }, OwnFamilies::default(), Box::new(InMemory));
        let config = Config::parse(&format!("[store]\n{rules}"), Path::new("c.toml")).unwrap();
        store.retain(config.store.retention, 0.0);
        store
    }

    fn push(store: &Store, labels: &[(&str, &str)], at: f64, wish: Option<u64>) {
        let key = GroupingKey::with_names(labels.iter().copied(), Names::Utf8).unwrap();
        let push = text::parse(b"", &key, &Rules::default()).unwrap();
        let wish = wish.map(Duration::from_secs);
        store.push(&push, Mode::Replace, Arrival { at, wish }).unwrap();
    }

    fn lines(store: &Store, now: f64) -> Vec<String> {
        let snapshot = store.snapshot().with_ages(now);
        let all = snapshot.families().flat_map(|family| family.chunks().collect::<Vec<_>>());
        let text: String = all.map(Chunk::text).collect();
        assert_eq!(snapshot.text_len(), text.len());
        text.lines().filter(|line| !line.contains("_time_seconds{")).map(str::to_owned).collect()
    }

    #[test]
    fn groups_that_do_not_stay_are_told_of() {
        let store = store("stale_after = '10s'\n[[store.jobs]]\njob = 'k.*'\nstale_after = '0s'\n");
        push(&store, &[("job", "a"), ("instance", "\"x\"")], 5.25, None);
        push(&store, &[("job", "k")], 5.0, Some(60));
        push(&store, &[("job", "kept")], 5.0, None);
        push(&store, &[("job", "u"), ("a.b", "1")], 7.0, None);
        store.fail(GroupingKey::new([("job", "never")]).unwrap(), Unknown::Create, "it failed", 6.0);
        let ages = |a: &str, k: &str, u: &str| {
            vec![
                format!(r#"push_age_seconds{{instance="\"x\"",job="a"}} {a}"#),
                format!(r#"push_age_seconds{{instance="",job="k"}} {k}"#),
                format!(r#"push_age_seconds{{"a.b"="1",instance="",job="u"}} {u}"#),
            ]
        };
        assert_eq!(lines(&store, 6.1), ages("0.85", "1.1", "0"), "a push that is still to come");
        let mut expected = ages("10", "10.25", "8.25");
        expected.push(r#"push_stale{instance="\"x\"",job="a"} 1"#.to_owned());
        assert_eq!(lines(&store, 15.25), expected);
        assert_eq!(lines(&store, 15.249).len(), 3);
        assert_eq!(lines(&store, 1e6).len(), 5);
        store.wipe();
        assert_eq!(lines(&store, 15.0), [""; 0]);
    }

    #[test]
    fn where_all_groups_stay_there_is_nothing() {
        let store = store("");
        push(&store, &[("job", "a")], 5.0, None);
        let snapshot = store.snapshot();
        assert_eq!((lines(&store, 1e6), snapshot.ages_len()), (vec![], 0));
        assert_eq!(snapshot.with_ages(1e6).families().count(), snapshot.families().count());
    }

    #[test]
    fn their_names_cannot_be_pushed_but_what_is_stored_is_not_lost_for_them() {
        let store = store("");
        let key = GroupingKey::new([("job", "a")]).unwrap();
        for name in TOLD {
            let push = text::parse(format!("a 1\n{name} 1\n").as_bytes(), &key, &Rules::default()).unwrap();
            let refusal = store.push(&push, Mode::Replace, 5.0).unwrap_err();
            assert_eq!(refusal, Refusal::Told { name: name.to_owned() });
            store.delete(key.clone());
            store.restore(&push, Times::default(), |_| None).unwrap();
            let families = store.group(&key).unwrap().families;
            assert_eq!(families.iter().map(|family| &*family.name).collect::<Vec<_>>(), ["a"]);
            store.delete(key.clone());
        }
    }
}
