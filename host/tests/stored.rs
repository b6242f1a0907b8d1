//! What policies may see of the store: the group of a push in columns, and how many values labels have.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;

use proptest::prelude::*;
use pushgate::journal::InMemory;
use pushgate::store::{LabelCounting, Limits, Mode, OwnFamilies, Store, Unknown};
use pushgate_exposition::{Family, GroupingKey, Push, Rules, Series, text};

const LIMITS: Limits = Limits { groups: 100, series: 1000 };

fn store() -> Arc<Store> {
    Arc::new(Store::new(LIMITS, OwnFamilies::default(), Box::new(InMemory)))
}

fn key(labels: &[(&str, &str)]) -> GroupingKey {
    GroupingKey::new(labels.iter().copied()).unwrap()
}

fn push(store: &Store, labels: &[(&str, &str)], mode: Mode, body: &str) {
    let push = text::parse(body.as_bytes(), &key(labels), &Rules::default()).unwrap();
    store.push(&push, mode, 1.0).unwrap();
}

#[test]
fn a_group_is_read_back_as_it_was_pushed() {
    let body = "# HELP h of h\n# TYPE h histogram\nh_bucket{le=\"1\"} 2\nh_bucket{le=\"+Inf\"} 3\nh_sum 4\nh_count 3\n\
                # HELP m \n# TYPE m gauge\nm{a=\"x\"} 1\nm{a=\"y\",instance=\"i\"} 2\n\
                # TYPE s summary\ns{quantile=\"0.5\"} 7\ns_sum 8\ns_count 9\n\
                u NaN\n";
    for labels in [&[("job", "x"), ("zone", "")][..], &[("instance", "i2"), ("job", "x")]] {
        let store = store();
        push(&store, labels, Mode::Replace, body);
        let pushed = text::parse(body.as_bytes(), &key(labels), &Rules::default()).unwrap();
        let read = store.group(&key(labels)).unwrap().columns().unwrap();
        assert_eq!(read.grouping_key(), key(labels));
        assert_eq!(text::encode(&read), text::encode(&pushed));
    }
}

#[test]
fn a_group_without_families_is_there_and_one_that_was_never_pushed_is_not() {
    let store = store();
    push(&store, &[("job", "x")], Mode::Replace, "");
    assert_eq!(store.group(&key(&[("job", "x")])).unwrap().columns().unwrap().series_count(), 0);
    assert!(store.group(&key(&[("job", "y")])).is_none());
}

#[test]
fn labels_are_counted_by_job_with_those_of_the_key() {
    let store = store();
    push(
        &store,
        &[("job", "x"), ("pod", "1")],
        Mode::Replace,
        "m{path=\"/a\"} 1\nm{path=\"/b\"} 1\nn{path=\"/a\"} 1\n",
    );
    let counting = Store::count_labels(&store);
    push(&store, &[("job", "x"), ("pod", "2")], Mode::Replace, "");
    push(&store, &[("job", "y"), ("pod", "3")], Mode::Replace, "m{path=\"/c\"} 1\n");
    let values = |job: &str| ["path", "pod", "job", "instance"].map(|label| store.label_values(job, label));
    assert_eq!((values("x"), values("y"), values("z")), ([2, 2, 1, 0], [1, 1, 1, 0], [0; 4]));
    let has = |label, value| store.has_label_value("x", label, value);
    assert!(has("path", "/a") && has("pod", "2") && !has("pod", "3") && !has("path", "/c"));

    push(&store, &[("job", "x"), ("pod", "1")], Mode::Merge, "m{path=\"/b\"} 1\n");
    assert!(has("path", "/a"), "the family n has it still");
    push(&store, &[("job", "x"), ("pod", "1")], Mode::Merge, "n 1\n");
    assert_eq!(values("x"), [1, 2, 1, 0]);
    store.fail(key(&[("job", "x"), ("pod", "9")]), Unknown::Create, "why", 2.0);
    assert!(has("pod", "9"), "a group that is shown for its failure");
    store.delete(key(&[("job", "x"), ("pod", "1")]));
    assert_eq!(values("x"), [0, 2, 1, 0]);

    let other = Store::count_labels(&store);
    drop(counting);
    assert_eq!(values("x"), [0, 2, 1, 0], "somebody else still asks");
    drop(other);
    assert_eq!(values("x"), [0; 4], "nobody pays for it any more");
}

#[test]
fn what_a_push_makes_of_labels_is_known_before() {
    let store = store();
    let _counting = Store::count_labels(&store);
    let one = [("job", "x"), ("pod", "1")];
    push(&store, &one, Mode::Replace, "m{path=\"/a\"} 1\nm{path=\"/b\"} 1\nn{path=\"/c\"} 1\n");
    push(&store, &[("job", "x"), ("pod", "2")], Mode::Replace, "m{path=\"/a\"} 1\n");
    let grow = |replaced: &[&str], brought: &[&str]| {
        let brought: Vec<_> = brought.iter().map(|&value| value.to_owned()).collect();
        let growth = store.label_growth(&key(&one), |family| replaced.contains(&family), "path", &brought);
        (growth.values, growth.known)
    };
    assert_eq!(grow(&[], &[]), (3, vec![]));
    assert_eq!(grow(&["m"], &[]), (2, vec![]), "the other group has /a, too");
    assert_eq!(grow(&["m", "n"], &["/d", "/b", "/d", ""]), (3, vec![false, true, false, false]));
    assert_eq!(grow(&["m", "n"], &["/a", "/b", "/c"]), (3, vec![true; 3]));
    let kept = |replaced: &[&str]| store.kept_series(&key(&one), |family| replaced.contains(&family));
    assert_eq!([kept(&[]), kept(&["m"]), kept(&["m", "n"])], [3, 1, 0]);
}

/// What labels come to after these steps, counted as they happen or afterwards.
fn counted(steps: &[Step], begin: usize) -> Vec<(u64, bool)> {
    let store = store();
    let mut counting: Option<LabelCounting> = None;
    for (number, step) in steps.iter().enumerate() {
        if number == begin {
            counting = Some(Store::count_labels(&store));
        }
        step.take(&store);
    }
    let _counting = counting.unwrap_or_else(|| Store::count_labels(&store));
    let labels = JOBS.iter().flat_map(|job| LABELS.map(|label| (job, label)));
    let values = labels.flat_map(|(job, label)| VALUES.map(|value| (job, label, value)));
    values
        .map(|(job, label, value)| (store.label_values(job, label), store.has_label_value(job, label, value)))
        .collect()
}

/// What the labels are said to come to with a push, where they are counted.
fn growth(store: &Store, push: &Push, mode: Mode) -> [u64; 3] {
    let brings = |label: &str| {
        let own = push.families().flat_map(Family::series).flat_map(Series::labels);
        let key = push.grouping_key();
        let all = own.chain(key.labels()).filter(|(name, _)| *name == label);
        all.map(|(_, value)| value.to_owned()).collect::<Vec<_>>()
    };
    let names: Vec<_> = push.families().map(Family::name).collect();
    let is_replaced = |family: &str| mode == Mode::Replace || names.contains(&family);
    LABELS.map(|label| store.label_growth(&push.grouping_key(), is_replaced, label, &brings(label)).values)
}

const LABELS: [&str; 3] = ["a", "le", "pod"];
const JOBS: [&str; 2] = ["x", "y"];
const VALUES: [&str; 3] = ["1", "2", "3"];

#[derive(Clone, Debug)]
enum Step {
    Push { job: usize, pod: usize, mode: bool, series: Vec<(usize, usize, bool)> },
    Delete { job: usize, pod: usize },
    Wipe,
}

impl Step {
    fn take(&self, store: &Store) {
        let labels = |job: usize, pod: usize| [("job", JOBS[job]), ("pod", VALUES[pod])];
        match self {
            Self::Push { job, pod, mode, series } => {
                let series = series.iter().map(|&(family, value, histogram)| {
                    let (name, a) = (format!("m{family}"), VALUES[value]);
                    if histogram {
                        // A type of its own for each value, so that types change as well.
                        return format!("# TYPE {name}_{value} histogram\n{name}_{value}_bucket{{a=\"{a}\",le=\"{a}\"}} 1\n");
                    }
                    format!("{name}_{value}{{a=\"{a}\"}} 1\n")
                });
                let body: String = series.collect();
                let key = key(&labels(*job, *pod));
                let mode = if *mode { Mode::Replace } else { Mode::Merge };
                // Some are refused for their types, which must leave the counts alone.
                if let Ok(push) = text::parse(body.as_bytes(), &key, &Rules::default()) {
                    let expected = growth(store, &push, mode);
                    let stored = store.push(&push, mode, 1.0).is_ok();
                    let counted = LABELS.map(|label| store.label_values(JOBS[*job], label));
                    // Where labels are counted, the group has at least a pod.
                    if stored && counted[2] > 0 {
                        assert_eq!(counted, expected);
                    }
                }
            }
            Self::Delete { job, pod } => drop(store.delete(key(&labels(*job, *pod)))),
            Self::Wipe => drop(store.wipe()),
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    let series = prop::collection::vec((0..2usize, 0..3usize, any::<bool>()), 0..4);
    prop_oneof![
        8 => (0..2usize, 0..3usize, any::<bool>(), series)
            .prop_map(|(job, pod, mode, series)| Step::Push { job, pod, mode, series }),
        2 => (0..2usize, 0..3usize).prop_map(|(job, pod)| Step::Delete { job, pod }),
        1 => Just(Step::Wipe),
    ]
}

proptest! {
    #[test]
    fn labels_come_to_the_same_whenever_counting_began(steps in prop::collection::vec(step(), 1..20), begin in 0..20usize) {
        let afterwards = counted(&steps, usize::MAX);
        prop_assert_eq!(counted(&steps, 0), afterwards.clone());
        prop_assert_eq!(counted(&steps, begin), afterwards);
    }
}
