//! What the store takes, refuses and shows. Bodies are pushed as text, the result is read as a scrape.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use proptest::prelude::*;
use pushgate::journal::InMemory;
use pushgate::store::{Chunk, Limits, Mode, OwnFamilies, Refusal, Store, Times, Unknown};
use pushgate_exposition::{GroupingKey, Kind, Names, Rules, text};

struct Fixture {
    store: Store,
}

fn key(labels: &[(&str, &str)]) -> GroupingKey {
    GroupingKey::new(labels.iter().copied()).unwrap()
}

impl Fixture {
    fn new() -> Self {
        Self::with(Limits { groups: 100, series: 1000 })
    }

    fn with(limits: Limits) -> Self {
        let own = OwnFamilies::from_iter([
            ("own_seconds".to_owned(), Kind::Summary),
            ("own".to_owned(), Kind::Gauge),
        ]);
        Self { store: Store::new(limits, own, Box::new(InMemory)) }
    }

    fn push(&self, labels: &[(&str, &str)], mode: Mode, body: &str, at: f64) -> Result<(), Refusal> {
        let push = text::parse(body.as_bytes(), &key(labels), &Rules::default()).unwrap();
        self.store.push(&push, mode, at).map(drop)
    }

    /// PUT to the group of a job.
    fn put(&self, job: &str, body: &str) -> Result<(), Refusal> {
        self.push(&[("job", job)], Mode::Replace, body, 5.0)
    }

    #[track_caller]
    fn refuses(&self, labels: &[(&str, &str)], body: &str, expected: &str) {
        let before = self.shown();
        let refusal = self.push(labels, Mode::Replace, body, 7.0).unwrap_err().to_string();
        assert!(refusal.contains(expected), "{refusal}");
        assert_eq!(self.shown(), before, "something of a refused push was stored");
    }

    fn scrape(&self) -> String {
        let snapshot = self.store.snapshot();
        snapshot
            .families()
            .flat_map(|family| family.chunks().map(Chunk::text).map(str::to_owned).collect::<Vec<_>>())
            .collect()
    }

    /// The sample lines of what was pushed.
    fn shown(&self) -> Vec<String> {
        self.scrape().lines().filter(|line| !line.contains("_time_seconds{")).map(str::to_owned).collect()
    }

    fn times(&self) -> Vec<String> {
        self.scrape().lines().filter(|line| line.contains("_time_seconds{")).map(str::to_owned).collect()
    }
}

#[test]
fn put_replaces_and_post_merges() {
    let fixture = Fixture::new();
    let job = [("job", "x")];
    fixture.push(&job, Mode::Merge, "a{l=\"1\"} 1\na{l=\"2\"} 2\nb 3\n", 1.0).unwrap();
    fixture.push(&job, Mode::Merge, "a{l=\"3\"} 4\n", 2.0).unwrap();
    assert_eq!(fixture.shown(), [r#"a{instance="",job="x",l="3"} 4"#, r#"b{instance="",job="x"} 3"#]);
    fixture.push(&job, Mode::Replace, "c 5\n", 3.0).unwrap();
    assert_eq!(fixture.shown(), [r#"c{instance="",job="x"} 5"#]);
    assert_eq!((fixture.store.size().groups, fixture.store.size().series), (1, 1));
    fixture.push(&job, Mode::Replace, "", 4.0).unwrap();
    assert_eq!(fixture.shown(), [""; 0]);
    assert_eq!(
        fixture.times(),
        [
            r#"push_failure_time_seconds{instance="",job="x"} 0"#,
            r#"push_time_seconds{instance="",job="x"} 4"#
        ]
    );
    fixture.store.delete(key(&job));
    assert_eq!((fixture.scrape().as_str(), fixture.store.size().groups), ("", 0));
    fixture.store.delete(key(&job));
}

#[test]
fn groups_may_share_a_family_and_a_group_alone_may_change_its_type() {
    let fixture = Fixture::new();
    fixture.put("x", "# TYPE a gauge\na 1\n").unwrap();
    fixture.put("y", "# HELP a of y\n# TYPE a gauge\na 2\n").unwrap();
    fixture.refuses(
        &[("job", "z")],
        "# TYPE a counter\na 1\n",
        "\"a\" has the type counter, but other groups",
    );
    fixture.refuses(
        &[("job", "x")],
        "a 1\n",
        "\"a\" has the type untyped, but other groups have stored it with the type gauge",
    );
    fixture.store.delete(key(&[("job", "y")]));
    fixture.put("x", "# TYPE a counter\na 1\n").unwrap();
    assert_eq!(fixture.shown(), [r#"a{instance="",job="x"} 1"#]);
}

#[test]
fn help_is_that_of_the_first_group_that_has_one() {
    let fixture = Fixture::new();
    fixture.put("x", "a 1\n").unwrap();
    fixture.put("z", "# HELP a of z\na 2\n").unwrap();
    fixture.put("y", "# HELP a of y\na 2\n").unwrap();
    let snapshot = fixture.store.snapshot();
    let helps: Vec<_> = snapshot.families().map(|family| (family.name, family.help())).collect();
    assert_eq!(helps[0], ("a", Some("of z")));
}

#[test]
fn series_are_in_order_of_their_labels_and_groups_of_their_first_push() {
    let fixture = Fixture::new();
    fixture.put("b", "m 1\n").unwrap();
    fixture.put("a", "m{a=\"2\"} 1\nm{a=\"1\"} 2\nm{b=\"0\"} 3\nm 4\nm{a=\"1\",b=\"1\"} 5\n").unwrap();
    fixture.put("b", "m 6\n").unwrap();
    assert_eq!(
        fixture.shown(),
        [
            r#"m{instance="",job="b"} 6"#,
            r#"m{instance="",job="a"} 4"#,
            r#"m{b="0",instance="",job="a"} 3"#,
            r#"m{a="1",instance="",job="a"} 2"#,
            r#"m{a="2",instance="",job="a"} 1"#,
            r#"m{a="1",b="1",instance="",job="a"} 5"#,
        ]
    );
}

#[test]
fn an_instance_of_the_body_stays_where_the_key_has_none() {
    let fixture = Fixture::new();
    fixture.put("x", "a{instance=\"i\"} 1\na 2\n").unwrap();
    assert_eq!(fixture.shown(), [r#"a{instance="",job="x"} 2"#, r#"a{instance="i",job="x"} 1"#]);
}

/// Each of these broke every scrape of the original, for everybody.
#[test]
fn what_would_break_a_scrape_is_refused() {
    let fixture = Fixture::new();
    let x: &[(&str, &str)] = &[("job", "x")];
    fixture.put("h", "# TYPE h histogram\nh_count 1\n# TYPE s summary\ns_count 1\nother_sum 1\n").unwrap();
    let duplicate = "was collected before with the same name and label values";
    fixture.refuses(x, "a 1\na 2\n", duplicate);
    fixture.refuses(x, "a{x=\"1\",y=\"2\"} 1\na{y=\"2\",x=\"1\"} 2\n", duplicate);
    fixture.refuses(x, "a{job=\"1\"} 1\na{job=\"2\"} 2\n", duplicate);
    fixture.refuses(x, "a 1\na{instance=\"\"} 2\n", duplicate);
    fixture.refuses(x, "a 1 123\n", "pushed metrics must not have timestamps, but line 1 has one");
    fixture.refuses(x, "a{__x=\"1\"} 1\n", "begins with __");
    fixture.refuses(x, "pushgate_pushes_total 1\n", "a name of the gateway's own metrics");
    fixture.refuses(x, "h_sum 1\n", "\"h_sum\" collides with the histogram \"h\"");
    fixture.refuses(x, "h_bucket 1\n", "\"h_bucket\" collides with the histogram \"h\"");
    fixture.refuses(x, "s_count 1\n", "\"s_count\" collides with the summary \"s\"");
    fixture.refuses(
        x,
        "# TYPE other summary\nother_count 1\n",
        "\"other_sum\" collides with the summary \"other\"",
    );
    fixture.refuses(
        x,
        "b_sum 1\n# TYPE b histogram\nb_count 1\n",
        "\"b_sum\" collides with the histogram \"b\"",
    );
    fixture.refuses(&[("job", "x"), ("le", "1")], "# TYPE g histogram\ng_count 1\n", "with the label \"le\"");
    fixture.refuses(
        &[("job", "x"), ("quantile", "1")],
        "# TYPE g summary\ng_count 1\n",
        "the label \"quantile\"",
    );
    fixture.refuses(&[("job", "h"), ("instance", "")], "a 1\n", "cannot be told from the group {job=\"h\"}");
    assert!(!fixture.times().iter().any(|line| line.ends_with(" 7") && line.contains("job=\"h\"")));
    // Neighbours of what is refused.
    fixture.put("x", "s_bucket 1\nh_total 1\na{quantile=\"1\",le=\"x\"} 1\npushgateway_x 1\n").unwrap();
}

#[test]
fn a_series_has_one_group() {
    let fixture = Fixture::new();
    fixture.push(&[("job", "x"), ("tag", "v")], Mode::Replace, "m 1\n", 1.0).unwrap();
    fixture.refuses(&[("job", "x")], "m{tag=\"v\"} 2\n", "stored already by the group {job=\"x\",tag=\"v\"}");
    fixture.put("x", "m{tag=\"w\"} 2\n").unwrap();
    fixture.store.delete(key(&[("job", "x"), ("tag", "v")]));
    fixture.put("x", "m{tag=\"v\"} 2\n").unwrap();
    fixture.refuses(&[("job", "x"), ("tag", "v")], "m 1\n", "stored already by the group {job=\"x\"}");
}

#[test]
fn a_collision_that_the_push_itself_ends_is_none() {
    let fixture = Fixture::new();
    fixture.put("x", "h_sum 1\n").unwrap();
    fixture.put("x", "# TYPE h histogram\nh_count 1\n").unwrap();
    let merged = fixture.push(&[("job", "x")], Mode::Merge, "h_sum 1\n", 1.0);
    assert!(matches!(merged, Err(Refusal::Collision { .. })));
}

#[test]
fn times_are_the_stores_own() {
    let fixture = Fixture::new();
    fixture.put("x", "push_time_seconds 1\n# TYPE push_failure_time_seconds counter\npush_failure_time_seconds 1\na 1\n").unwrap();
    fixture.put("x", "# TYPE push_failure_time_seconds gauge\npush_failure_time_seconds 1\n").unwrap();
    assert_eq!(
        fixture.times(),
        [
            r#"push_failure_time_seconds{instance="",job="x"} 0"#,
            r#"push_time_seconds{instance="",job="x"} 5"#
        ]
    );
    fixture.refuses(&[("job", "x")], "push_failure_time_seconds 1\n", "has the type untyped");
    fixture.refuses(&[("job", "x")], "a 1 1\n", "timestamps");
    fixture.refuses(&[("job", "new")], "a 1 1\n", "timestamps");
    fixture.store.fail(key(&[("job", "unknown")]), Unknown::Ignore, "no", 9.0);
    fixture.store.fail(key(&[("job", "x")]), Unknown::Ignore, "no", 9.0);
    assert_eq!(
        fixture.times(),
        [
            r#"push_failure_time_seconds{instance="",job="x"} 9"#,
            r#"push_failure_time_seconds{instance="",job="new"} 7"#,
            r#"push_time_seconds{instance="",job="x"} 5"#,
            r#"push_time_seconds{instance="",job="new"} 0"#,
        ]
    );
}

#[test]
fn limits_hold_and_free_what_is_deleted() {
    let fixture = Fixture::with(Limits { groups: 2, series: 3 });
    fixture.put("a", "a 1\nb 1\n").unwrap();
    fixture.put("b", "a 1\n").unwrap();
    fixture.refuses(&[("job", "c")], "", "store.max_groups = 2");
    fixture.refuses(&[("job", "b")], "a 1\nb 1\n", "store.max_series = 3");
    fixture.put("b", "b 1\n").unwrap();
    let merged = fixture.push(&[("job", "b")], Mode::Merge, "c 1\n", 1.0);
    assert_eq!(merged, Err(Refusal::Full { key: "store.max_series", limit: 3 }));
    fixture.store.delete(key(&[("job", "a")]));
    fixture.put("c", "a 1\nb 1\n").unwrap();
}

#[derive(Clone, Debug)]
enum Op {
    Push(usize, Mode, Vec<(usize, usize)>),
    Delete(usize),
}

fn op() -> impl Strategy<Value = Op> {
    let series = proptest::collection::vec((0usize..4, 0usize..3), 0..5);
    let mode = prop_oneof![Just(Mode::Replace), Just(Mode::Merge)];
    prop_oneof![
        4 => (0usize..4, mode, series).prop_map(|(group, mode, series)| Op::Push(group, mode, series)),
        1 => (0usize..4).prop_map(Op::Delete),
    ]
}

proptest! {
    /// Whatever is pushed and deleted: a scrape can be read, no series is in it twice, the counts are right,
    /// and when all groups are gone nothing is left.
    #[test]
    fn a_scrape_is_always_whole(ops in proptest::collection::vec(op(), 0..30)) {
        let fixture = Fixture::new();
        let groups: [&[(&str, &str)]; 4] =
            [&[("job", "x")], &[("job", "x"), ("l", "1")], &[("job", "x"), ("instance", "")], &[("job", "y")]];
        for op in ops {
            match op {
                Op::Delete(group) => drop(fixture.store.delete(key(groups[group]))),
                Op::Push(group, mode, series) => {
                    let line = |&(family, label): &(usize, usize)| {
                        format!("{}{} 1\n", ["a", "b", "h", "h_sum"][family], ["", "{l=\"1\"}", "{l=\"2\"}"][label])
                    };
                    let body = format!("# TYPE h histogram\n{}", series.iter().map(line).collect::<String>());
                    let _ = fixture.push(groups[group], mode, &body, 1.0);
                }
            }
            let shown = fixture.shown();
            let mut names: Vec<_> = shown.iter().map(|line| line.rsplit_once(' ').unwrap().0).collect();
            let is_series = |line: &&String| ["a{", "b{", "h_count{"].iter().any(|name| line.starts_with(name));
            let series = shown.iter().filter(is_series).count();
            prop_assert_eq!(fixture.store.size().series, series, "{}", shown.join("\n"));
            names.sort_unstable();
            prop_assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{}", shown.join("\n"));
            let key = key(&[("job", "reader")]);
            let body = fixture.scrape();
            prop_assert!(text::parse(body.as_bytes(), &key, &Rules::default()).is_ok());
        }
        for group in groups {
            fixture.store.delete(key(group));
        }
        prop_assert_eq!(fixture.scrape(), "");
        prop_assert_eq!(fixture.store.size().series + fixture.store.size().groups, 0);
    }
}

#[test]
fn series_beside_the_gateways_own_are_of_the_same_type() {
    let fixture = Fixture::new();
    fixture.put("x", "# TYPE own gauge\nown 1\n").unwrap();
    fixture.refuses(&[("job", "y")], "own 1\n", "the gateway's own metric of that name is a gauge");
    fixture.refuses(&[("job", "y")], "own_seconds_count 1\n", "collides with the summary");
}

#[test]
fn a_restored_group_has_its_times_and_is_there_once() {
    let fixture = Fixture::new();
    let restore = |body: &str| {
        let push = text::parse(body.as_bytes(), &key(&[("job", "x")]), &Rules::default()).unwrap();
        fixture.store.restore(&push, Times { push: 3.5, failure: 2.5, wish: None }, |name| {
            (name == "a").then_some(1.5)
        })
    };
    assert!(matches!(restore("a 1\na 1\n"), Err(Refusal::Duplicate { .. })));
    assert_eq!(fixture.times(), [""; 0], "not even a failure is noted");
    restore("a 1\nb 1\n").unwrap();
    assert!(matches!(restore("c 1\n"), Err(Refusal::Exists { .. })));
    let group = fixture.store.group(&key(&[("job", "x")])).unwrap();
    assert_eq!(group.info.times, Times { push: 3.5, failure: 2.5, wish: None });
    let families: Vec<_> =
        group.families.iter().map(|family| (&*family.name, family.chunk.pushed_at())).collect();
    assert_eq!(families, [("a", 1.5), ("b", 3.5)]);
    assert_eq!(fixture.store.groups().len(), 1);
}

#[test]
fn a_wipe_leaves_nothing_and_pushes_go_on() {
    let fixture = Fixture::new();
    fixture.put("x", "# TYPE a counter\na 1\n").unwrap();
    let version = fixture.store.version();
    fixture.store.wipe();
    assert_ne!(fixture.store.version(), version);
    assert_eq!(
        (fixture.scrape().as_str(), fixture.store.size().groups, fixture.store.size().series),
        ("", 0, 0)
    );
    fixture.put("y", "# TYPE a gauge\na 1\n").unwrap();
    assert_eq!(fixture.shown(), [r#"a{instance="",job="y"} 1"#]);
}

#[test]
fn labels_that_are_written_alike_when_escaped_are_refused() {
    let fixture = Fixture::new();
    let rules = Rules { names: Names::Utf8, ..Rules::default() };
    for (body, fine) in [
        ("a{\"l.x\"=\"1\"} 1\n", true),
        ("a{\"l.x\"=\"1\",l_x=\"2\"} 1\n", false),
        ("a{\"._name__\"=\"1\"} 1\n", false),
        ("a{\"insta.ce\"=\"1\",\"insta ce\"=\"1\"} 1\n", false),
    ] {
        let push = text::parse(body.as_bytes(), &key(&[("job", "x")]), &rules).unwrap();
        assert_eq!(fixture.store.push(&push, Mode::Replace, 1.0).is_ok(), fine, "{body}");
    }
}

#[test]
fn a_group_tells_why_its_last_push_was_refused() {
    let fixture = Fixture::new();
    fixture.put("x", "a 1\n").unwrap();
    assert!(fixture.store.groups()[0].last_push_successful());
    fixture.refuses(&[("job", "x")], "a 1 1\n", "timestamps");
    let group = fixture.store.groups().remove(0);
    assert!(!group.last_push_successful());
    assert!(group.last_error.unwrap().contains("timestamps"));
}
