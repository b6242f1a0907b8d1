//! What plugins may use of the gateway beside the push, and that they must have been granted it.

use e2e::gateway::{command, config, entry};
use e2e::{Folder, Gateway, Scrape, artifacts, poll};
use pushgate_exposition::{GroupingKey, Rules, text};
use pushgate_plugin_host::{Capability, Chain, Engine, Granted, Limits, Link, Method, Plugin, Request};

const ALL: &str = r#"grants = ["clock", "metrics", "state", "stored", "cardinality"]"#;

/// An entry of the guest that uses every interface, with everything granted and these steps to take with each push.
fn capable(name: &str, rest: &str, steps: &[&str]) -> String {
    let steps: Vec<_> = steps.iter().map(|step| format!("{{ do = {step} }}")).collect();
    let rest = format!("{ALL}\n{rest}\n[plugin.config]\nsteps = [{}]", steps.join(", "));
    entry(name, &artifacts::guest("capable"), &rest)
}

/// What came of the steps, by the labels of the series `m` of a job.
fn results(scrape: &Scrape, job: &str) -> Vec<String> {
    let series = scrape.samples("m").into_iter().find(|line| line.contains(&format!("job=\"{job}\"")));
    let series = series.unwrap_or_else(|| panic!("no m of {job} in {}", scrape.text())).to_owned();
    let label = |number: usize| series.split_once(&format!("r{number}=\"")).map(|(_, rest)| rest.to_owned());
    (0..).map_while(label).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

fn push(gateway: &Gateway, job: &str) -> Vec<String> {
    gateway.put(&format!("/metrics/job/{job}"), "m 1\n").expect(200);
    results(&gateway.scrape(), job)
}

/// What a start with that configuration tells, which is refused.
fn refused(plugins: &str) -> String {
    let folder = Folder::new();
    folder.write("config.toml", config("127.0.0.1:0", plugins));
    let finished = command(&folder, &["--config.file", "config.toml"]);
    assert!(finished.code > 0, "{finished:?}");
    finished.stderr
}

#[test]
fn what_is_not_granted_is_refused_with_the_line_to_write() {
    let guest = artifacts::guest("capable");
    for (grants, missing, line) in [
        ("", "clock, metrics, state, stored, cardinality", ALL),
        (
            "grants = [\"state\", \"stored\", \"clock\", \"metrics\"]",
            "cardinality",
            r#"grants = ["state", "stored", "clock", "metrics", "cardinality"]"#,
        ),
    ] {
        let told = refused(&entry("a", &guest, grants));
        let expected = format!(
            "[[plugin]] 'a' grants: it imports {missing}, which it was not granted; if it may have that, write {line}"
        );
        assert!(told.contains(&expected), "{expected} in\n{told}");
    }
    let told = refused(&entry("a", &guest, "grants = [\"everything\"]"));
    assert!(
        told.contains(
            "'everything' is not a capability; allowed: log, clock, metrics, state, stored, cardinality"
        ),
        "{told}"
    );
}

#[test]
fn a_version_that_imports_more_is_refused_until_it_is_granted() {
    let file =
        |guest: &str, grants: &str| config("127.0.0.1:0", &entry("policy", &artifacts::guest(guest), grants));
    let refusing = file("scribe", "config = { refuse = \"bad\" }");
    let mut gateway = Gateway::start_with(&refusing);
    let told = gateway.reload(&file("capable", ""));
    assert!(told.contains("level=error") && told.contains("which it was not granted"), "{told}");
    gateway.put("/metrics/job/one", "bad 1\n").expect(422);
    let told = gateway.reload(&file("capable", ALL));
    assert!(told.contains("level=info"), "{told}");
    gateway.put("/metrics/job/one", "bad 1\n").expect(200);
}

#[test]
fn a_grant_that_is_not_used_is_warned_of() {
    let gateway =
        Gateway::start(&entry("policy", &artifacts::guest("scribe"), "grants = [\"log\", \"state\"]"));
    let log = gateway.log();
    let warnings: Vec<_> = log.lines().filter(|line| line.contains("granted what it does not use")).collect();
    assert!(warnings.len() == 1 && warnings[0].contains("capability=state"), "{log}");
}

#[test]
fn a_plugin_that_says_that_it_is_pure_may_do_no_more_than_log() {
    let told = refused(&entry("a", &artifacts::guest("impure"), "grants = [\"clock\"]"));
    assert!(told.contains("it says that the plugin is pure, but it imports 'clock'"), "{told}");
}

#[test]
fn interfaces_are_for_pushes_only() {
    let told =
        refused(&entry("a", &artifacts::guest("capable"), &format!("{ALL}\nconfig = {{ early = true }}")));
    assert!(told.contains("it uses 'clock' while no push is evaluated"), "{told}");
}

/// A toolchain leaves out what a plugin does not use, so that nobody has to grant it.
#[test]
fn the_bundled_plugins_import_no_more_than_the_log() {
    let engine = Engine::new(4, Limits::default().memory).unwrap();
    let bundled = ["naming", "relabel", "required-labels", "honor-labels"].map(artifacts::plugin);
    for file in bundled.into_iter().chain([artifacts::guest("series-budget"), artifacts::guest("wasip2")]) {
        let name = file.display().to_string();
        let config = if name.ends_with("budget.wasm") { "{\"limit\": 1}" } else { "{}" };
        let plugin = Plugin::load(
            &engine,
            "p",
            &std::fs::read(&file).unwrap(),
            config,
            Limits::default(),
            &Granted::everything(),
        );
        let plugin = plugin.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(plugin.capabilities(), [Capability::Log], "{name}");
    }
}

#[test]
fn the_clock_says_when_the_push_arrived() {
    let gateway = Gateway::start(&capable("capable", "", &["\"now\""]));
    let told = push(&gateway, "one");
    let scrape = gateway.scrape();
    let pushed_at = scrape.sum("push_time_seconds", &["job=\"one\""]);
    assert_eq!(told, [format!("{}", pushed_at.floor())]);
}

#[test]
fn a_plugin_counts_what_its_manifest_declares() {
    let count = |team: &str| format!("\"count\", team = \"{team}\", by = 2");
    let file = |team: &str, more: &str| {
        config("127.0.0.1:0", &format!("counter_series = 3\n{}", capable("policy", more, &[&count(team)])))
    };
    let mut gateway = Gateway::start_with(&file("a", ""));
    let counted = |gateway: &Gateway, counter: &str, labels: &[&str]| {
        gateway.scrape().sum(
            &format!("pushgate_plugin_counter_{counter}_total"),
            &[labels, &["plugin=\"policy\""]].concat(),
        )
    };
    assert_eq!(counted(&gateway, "pushes", &[]), 0.0);
    assert!(gateway.scrape().text().contains("pushgate_plugin_counter_pushes_total{plugin=\"policy\"} 0\n"));
    push(&gateway, "one");
    push(&gateway, "two");
    assert_eq!(counted(&gateway, "told", &["team=\"a\"", "zone=\"eu\""]), 4.0);
    let help = "# HELP pushgate_plugin_counter_told_total What it was told to count.\n\
                # TYPE pushgate_plugin_counter_told_total counter\n";
    assert!(gateway.scrape().text().contains(help), "{}", gateway.scrape().text());

    // A reload that keeps the policy keeps its counters; with those of 'pushes' there is room for one more.
    gateway.reload(&file("b", "mode = \"monitor\""));
    gateway.put("/metrics/job/one", "m 1\n").expect(200);
    let dropped =
        |gateway: &Gateway| gateway.scrape().sum("pushgate_plugin_counts_dropped_total", &["policy"]);
    assert_eq!(
        (counted(&gateway, "told", &["team=\"a\""]), counted(&gateway, "told", &["team=\"b\""])),
        (4.0, 2.0)
    );
    assert_eq!((counted(&gateway, "pushes", &[]), dropped(&gateway)), (3.0, 0.0));
    gateway.reload(&file("c", ""));
    push(&gateway, "one");
    assert_eq!((counted(&gateway, "told", &["team=\"c\""]), dropped(&gateway)), (0.0, 1.0));
    assert_eq!(counted(&gateway, "pushes", &[]), 4.0);
}

#[test]
fn counting_what_was_not_declared_is_nonsense() {
    for (step, told) in [
        ("\"count-undeclared\"", "it counts 'undeclared', which its manifest does not declare"),
        ("\"count-otherwise\"", "it counts 'told' with 1 labels instead of 2"),
    ] {
        let gateway = Gateway::start(&capable("policy", "", &[step]));
        gateway.put("/metrics/job/one", "m 1\n").expect(503);
        assert_eq!(gateway.scrape().sum("pushgate_plugin_faults_total", &["kind=\"nonsense\""]), 1.0);
        assert!(gateway.log().contains(told), "{}", gateway.log());
    }
}

#[test]
fn a_state_outlives_pushes_and_reloads() {
    let steps = [
        "\"get\", key = \"k\"",
        "\"put\", key = \"k\", value = \"v\", ttl_ms = 3600000",
        "\"get\", key = \"k\"",
        "\"add\", key = \"n\", by = 2, ttl_ms = 3600000",
        "\"add\", key = \"k\", by = 2, ttl_ms = 3600000",
        "\"remove\", key = \"x\"",
        "\"put-unchanged\", key = \"u\", value = \"1\", twice = false",
        "\"put-unchanged\", key = \"u\", value = \"1\", twice = true",
        "\"put\", key = \"x\", value = \"v\", ttl_ms = 3600000",
        "\"add\", key = \"max\", by = 9223372036854775807, ttl_ms = 3600000",
    ];
    let rest = ["conflict", "false", "put", "conflict", "put", "9223372036854775807"];
    let file = config("127.0.0.1:0", &capable("policy", "", &steps));
    let mut gateway = Gateway::start_with(&file);
    assert_eq!(push(&gateway, "one"), [&["none", "put", "v", "2"][..], &rest].concat());
    gateway.reload(&file);
    let told = push(&gateway, "two");
    assert_eq!(told[..4], ["v", "put", "v", "4"]);
    assert_eq!((&*told[5], &*told[9]), ("true", "9223372036854775807"), "a number does not wrap");

    // Without the policy its state is gone, too.
    gateway.reload(&config("127.0.0.1:0", ""));
    gateway.reload(&file);
    assert_eq!(push(&gateway, "one")[0], "none");
}

#[test]
fn an_entry_expires() {
    let steps = ["\"get\", key = \"k\"", "\"put\", key = \"k\", value = \"v\", ttl_ms = 1"];
    let gateway = Gateway::start(&capable("policy", "", &steps));
    assert_eq!(push(&gateway, "one"), ["none", "put"]);
    poll::until("a push in another millisecond", || (push(&gateway, "one")[0] == "none").then_some(()));
}

#[test]
fn the_quota_of_a_state_holds_at_it_and_not_past_it() {
    let fill = |entries: u32, bytes: usize| {
        let step = format!("\"fill\", key = \"k\", entries = {entries}, bytes = {bytes}");
        let quota = "state_size = \"1KiB\"\nstate_entries = 3\n";
        let gateway = Gateway::start(&format!("{quota}{}", capable("policy", "", &[&step])));
        push(&gateway, "one").concat()
    };
    assert_eq!((fill(3, 10), fill(4, 10)), ("put".to_owned(), "over-quota".to_owned()));
    // The key has two bytes.
    assert_eq!((fill(1, 1_022), fill(1, 1_023)), ("put".to_owned(), "over-quota".to_owned()));
}

#[test]
fn each_policy_has_a_state_of_its_own_also_when_it_only_watches() {
    let step = "\"add\", key = \"n\", by = 1, ttl_ms = 3600000";
    let watcher = capable("watcher", "mode = \"monitor\"", &[step, step]);
    let shadow = capable("shadow", "shadow_of = \"policy\"", &[step, step]);
    let gateway = Gateway::start(&[watcher, capable("policy", "", &[step]), shadow].concat());
    assert_eq!(push(&gateway, "one"), ["1"]);
    assert_eq!(push(&gateway, "one"), ["2"]);
    for policy in ["watcher", "policy", "shadow"] {
        let pushes = gateway.scrape().sum("pushgate_plugin_counter_pushes_total", &[policy]);
        assert_eq!(pushes, 2.0, "{policy}");
    }
}

#[test]
fn the_group_under_the_key_is_seen_as_it_is_before_the_push() {
    let renamer = entry("renamer", &artifacts::guest("scribe"), "config = { group = { host = \"db1\" } }");
    let gateway =
        Gateway::start(&(renamer + &capable("policy", "match = { team = \"\" }", &["\"own-group\""])));
    gateway.put("/metrics/job/one/team/x", "n 6\n").expect(200);
    assert_eq!(push(&gateway, "one"), ["none"], "the group of the team is another one");
    gateway.put("/metrics/job/one", "m{a=\"1\"} 7\n").expect(200);
    let told = results(&gateway.scrape(), "one");
    assert_eq!(told, ["{host=db1,job=one} m{r0=none}=1"]);
}

#[test]
fn values_of_labels_are_counted_in_the_job_of_the_push() {
    let steps = [
        "\"values\", label = \"path\"",
        "\"contains\", label = \"pod\", value = \"1\"",
        "\"values\", label = \"pod\"",
    ];
    let file = config("127.0.0.1:0", &capable("policy", "match = { job = \"web\" }", &steps));
    let mut gateway = Gateway::start_with(&config("127.0.0.1:0", ""));
    // Pushed before anybody was granted to ask.
    gateway.put("/metrics/job/web/pod/1", "hits{path=\"/a\"} 1\nhits{path=\"/b\"} 1\n").expect(200);
    gateway.put("/metrics/job/api/pod/9", "hits{path=\"/c\"} 1\n").expect(200);
    gateway.reload(&file);
    assert_eq!(push(&gateway, "web"), ["2", "true", "1"]);
    gateway.put("/metrics/job/web/pod/2", "hits{path=\"/b\"} 1\n").expect(200);
    gateway.delete("/metrics/job/web/pod/1").expect(202);
    assert_eq!(push(&gateway, "web"), ["1", "false", "1"]);
}

#[test]
fn what_a_push_would_make_of_what_is_stored_is_told() {
    let steps = ["\"grow\", label = \"path\", values = [\"/b\", \"/c\"]", "\"kept-series\""];
    let gateway = Gateway::start(&capable("policy", "match = { pod = \"1\" }", &steps));
    let url = "/metrics/job/web/pod/1";
    let stored = "hits{path=\"/a\"} 1\nhits{path=\"/b\"} 1\nruns 1\n";
    gateway.put(url, stored).expect(200);
    gateway.put("/metrics/job/web/pod/2", "hits{path=\"/b\"} 1\n").expect(200);
    let told = || results(&gateway.scrape(), "web");
    // /a goes with what is replaced; a POST replaces what it names.
    gateway.put(url, "m 1\n").expect(200);
    assert_eq!(told(), ["2 [true, false]", "0"]);
    gateway.put(url, stored).expect(200);
    gateway.post(url, "m 1\n").expect(200);
    assert_eq!(told(), ["3 [true, false]", "3"]);
    gateway.post(url, "m 1\nhits 1\n").expect(200);
    assert_eq!(told(), ["2 [true, false]", "1"]);
}

#[test]
fn calls_of_the_host_use_fuel_up() {
    let gateway =
        |times: u32| Gateway::start(&capable("policy", "", &[&format!("\"ask\", times = {times}")]));
    gateway(5_000).put("/metrics/job/one", "m 1\n").expect(200);
    let gateway = gateway(10_000);
    gateway.put("/metrics/job/one", "m 1\n").expect(503);
    assert_eq!(gateway.scrape().sum("pushgate_plugin_faults_total", &["kind=\"fuel\""]), 1.0);
}

#[test]
fn reading_a_group_takes_fuel_for_each_of_its_series() {
    let series =
        |count: usize| (0..count).map(|number| format!("m{{a=\"{number}\"}} 1\n")).collect::<String>();
    // A push may use 10,000,000, and a series takes 2,000.
    for (stored, status) in [(4_000, 200), (5_000, 503)] {
        let gateway = Gateway::start(&capable("policy", "fuel_per_series = 0", &["\"own-series\""]));
        gateway.put("/metrics/job/one", series(stored)).expect(200);
        gateway.put("/metrics/job/one", "m 1\n").expect(status);
        if status == 200 {
            assert_eq!(results(&gateway.scrape(), "one"), [stored.to_string()]);
        }
    }
}

#[test]
fn a_rehearsal_leaves_the_state_and_the_counters_alone() {
    let engine = Engine::new(4, Limits::default().memory).unwrap();
    let file = std::fs::read(artifacts::guest("capable")).unwrap();
    let config = r#"{"steps": [{"do": "add", "key": "n", "by": 1, "ttl_ms": 1000}]}"#;
    let plugin =
        Plugin::load(&engine, "p", &file, config, Limits::default(), &Granted::everything()).unwrap();
    let ask = |plugin: &Plugin| {
        let chain = Chain::new(vec![Link::of(plugin.clone())]);
        let key = GroupingKey::new([("job", "one")]).unwrap();
        let mut push = text::parse(b"m 1\n", &key, &Rules::default()).unwrap();
        let request = Request { id: "", method: Method::Put, received_ms: 5, attributes: &[] };
        chain.run(&mut push, request);
        text::encode(&push)
    };
    let sum = |sum: u32| format!("# TYPE m untyped\nm{{r0=\"{sum}\"}} 1\n");
    assert_eq!(ask(&plugin), sum(1));
    let rehearsal = plugin.rehearsal();
    assert_eq!((ask(&rehearsal), ask(&rehearsal)), (sum(2), sum(3)), "it begins with what there is");
    assert_eq!(ask(&plugin), sum(2));
    let mut counted = Vec::new();
    let counter = plugin.manifest().counters.iter().find(|counter| counter.name == "pushes").unwrap();
    plugin.counted().read(counter, |_, count| counted.push(count));
    assert_eq!(counted, [2]);
}
