//! Changing a gateway while it runs: who may ask for it, what is told, and what does not change.

use std::os::unix::fs::symlink;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use e2e::gateway::{config, entry};
use e2e::{Folder, Gateway, artifacts, poll};

const LIFECYCLE: &[&str] = &["--config.file=config.toml", "--web.enable-lifecycle"];

/// A configuration with a plugin that refuses families of that name.
fn refusing(name: &str) -> String {
    let plugin = entry("scribe", &artifacts::guest("scribe"), &format!("config = {{ refuse = \"{name}\" }}"));
    config("127.0.0.1:0", &plugin)
}

#[test]
fn a_request_reloads_and_is_told_what_came_of_it() {
    let gateway = Gateway::start_as(&refusing("a"), LIFECYCLE, &[]);
    let reload = |method: &str, config: &str| {
        gateway.folder().write("config.toml", config);
        gateway.request(method, "/-/reload").send()
    };
    gateway.put("/metrics/job/one", "a 1\n").expect(422);
    assert!(gateway.get("/status").text().contains("none since the start"));

    for (method, refused) in [("PUT", "b"), ("POST", "c")] {
        assert_eq!(reload(method, &refusing(refused)).expect(200).text(), "configuration reloaded\n");
        gateway.put("/metrics/job/one", format!("{refused} 1\n")).expect(422);
        gateway.put("/metrics/job/one", "a 1\n").expect(200);
    }

    let told = reload("POST", "[plugins]\nfule_base = 1\n").expect(500);
    let reason = "config.toml:2: [plugins] fule_base: unknown key; did you mean 'fuel_base'?";
    assert!(told.text().starts_with(&format!("failed to reload config: {reason}")), "{told:?}");
    let page = gateway.get("/status");
    assert!(page.text().contains("did you mean") && page.text().contains("/-/reload"), "{}", page.text());
    assert_eq!(gateway.scrape().expect("pushgate_config_last_reload_successful"), 0.0);
    gateway.put("/metrics/job/one", "c 1\n").expect(422);

    let told = reload("POST", &(refusing("a") + "\n[push]\nmax_series = 7\n")).expect(200);
    assert!(told.text().contains("wait for a restart: push.max_series"), "{told:?}");
    assert_eq!(gateway.scrape().expect("pushgate_config_last_reload_successful"), 1.0);
    gateway.put("/metrics/job/one", "a 1\n").expect(422);
}

#[test]
fn the_mode_of_a_plugin_changes_and_nothing_is_lost() {
    let chain = |mode: &str| {
        let rest = format!("mode = \"{mode}\"\nconfig = {{ refuse = \"bad\" }}");
        config("127.0.0.1:0", &entry("policy", &artifacts::guest("scribe"), &rest))
    };
    let gateway = Gateway::start_as(&chain("monitor"), LIFECYCLE, &[]);
    let switch = |mode: &str| {
        gateway.folder().write("config.toml", chain(mode));
        gateway.request("PUT", "/-/reload").send().expect(200);
    };
    gateway.put("/metrics/job/kept", "bad 1\n").expect(200);
    switch("enforce");
    gateway.put("/metrics/job/kept", "bad 2\n").expect(422);
    switch("off");
    gateway.put("/metrics/job/other", "bad 3\n").expect(200);
    switch("enforce");
    gateway.put("/metrics/job/kept", "bad 4\n").expect(422);
    let scrape = gateway.scrape();
    let stored = [r#"bad{instance="",job="kept"} 1"#, r#"bad{instance="",job="other"} 3"#];
    assert_eq!(scrape.samples("bad"), stored);
    let pushes = |outcome: &str| scrape.sum("pushgate_pushes_total", &[&format!("outcome=\"{outcome}\"")]);
    assert_eq!((pushes("accepted"), pushes("rejected")), (2.0, 2.0));
}

#[test]
fn what_is_counted_of_a_plugin_goes_on_whatever_its_mode() {
    let chain = |name: &str, mode: &str| {
        let rest = format!("mode = \"{mode}\"\nconfig = {{ refuse = \"bad\" }}");
        config("127.0.0.1:0", &entry(name, &artifacts::guest("scribe"), &rest))
    };
    let gateway = Gateway::start_as(&chain("policy", "monitor"), LIFECYCLE, &[]);
    let switch = |name: &str, mode: &str| {
        gateway.folder().write("config.toml", chain(name, mode));
        gateway.request("PUT", "/-/reload").send().expect(200);
    };
    let push = || gateway.put("/metrics/job/one", "bad 1\n").status;
    // Rejected in mode enforce and monitor, findings, and answers: what is counted of the policy, if it is told.
    let counted = || {
        let scrape = gateway.scrape();
        let rejected = |mode: &str| {
            scrape.value(&format!(
                "pushgate_plugin_evaluations_total{{decision=\"reject\",mode=\"{mode}\",plugin=\"policy\"}}"
            ))
        };
        let found = "pushgate_plugin_findings_total{code=\"scribe/forbidden\",plugin=\"policy\"}";
        let answers = "pushgate_plugin_duration_seconds_count{plugin=\"policy\"}";
        [rejected("enforce"), rejected("monitor"), scrape.value(found), scrape.value(answers)]
    };
    assert_eq!((push(), counted()), (200, [None, Some(1.0), Some(1.0), Some(1.0)]));
    switch("policy", "enforce");
    assert_eq!(counted(), [Some(0.0), Some(1.0), Some(1.0), Some(1.0)]);
    assert_eq!((push(), push(), counted()), (422, 422, [Some(2.0), Some(1.0), Some(3.0), Some(3.0)]));
    // One that is off is not told, and not forgotten.
    switch("policy", "off");
    assert_eq!((push(), counted()), (200, [None; 4]));
    switch("policy", "monitor");
    assert_eq!((push(), counted()), (200, [Some(2.0), Some(2.0), Some(4.0), Some(4.0)]));
    // One that is gone is.
    switch("other", "monitor");
    switch("policy", "monitor");
    assert_eq!(counted(), [None, Some(0.0), Some(0.0), Some(0.0)]);
}

#[test]
fn without_the_lifecycle_switch_no_request_reloads() {
    let gateway = Gateway::start_with(&refusing("a"));
    gateway.folder().write("config.toml", "wrong");
    for method in ["PUT", "POST"] {
        let told = gateway.request(method, "/-/reload").send().expect(403);
        assert_eq!(told.text(), "Lifecycle API is not enabled.");
    }
    gateway.get("/-/reload").expect(405);
    assert_eq!(gateway.scrape().expect("pushgate_config_last_reload_successful"), 1.0, "nothing was read");
}

#[test]
fn systemd_is_told_of_each_reload() {
    let folder = Folder::new();
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(poll::PATIENCE)).unwrap();
    let receive = || {
        let mut buffer = [0; 1024];
        let length = socket.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    };
    let told = |state: &str, message: &str| message.lines().any(|line| line == state);
    let variables = [("NOTIFY_SOCKET", path.to_str().unwrap())];
    let mut gateway = Gateway::start_as(&refusing("a"), LIFECYCLE, &variables);
    assert!(told("READY=1", &receive()));
    for (config, outcome) in
        [(refusing("b"), "Configuration reloaded"), ("wrong".to_owned(), "Configuration not reloaded")]
    {
        gateway.reload(&config);
        let (begin, end) = (receive(), receive());
        let since = begin.lines().find_map(|line| line.strip_prefix("MONOTONIC_USEC="));
        assert!(told("RELOADING=1", &begin) && since.unwrap().parse::<u64>().unwrap() > 0, "{begin}");
        assert!(told("READY=1", &end) && end.contains(&format!("STATUS={outcome}")), "{end}");
    }
    gateway.terminate();
    assert!(told("STOPPING=1", &receive()));
}

#[test]
fn what_changes_is_taken_up_where_that_is_asked_for() {
    let volume = |folder: &Path, watch: bool, guest: &str| {
        std::fs::create_dir_all(folder).unwrap();
        let plugins = entry("policy", Path::new("p.wasm"), "");
        let text = config("127.0.0.1:0", &format!("watch = {watch}\n{plugins}"));
        let text = text.replace(artifacts::plugins().to_str().unwrap(), "..data");
        std::fs::write(folder.join("config.toml"), text).unwrap();
        std::fs::copy(artifacts::guest(guest), folder.join("p.wasm")).unwrap();
    };
    let folder = Folder::new();
    volume(&folder.path().join("v1"), true, "scribe");
    symlink("v1", folder.path().join("..data")).unwrap();
    symlink("..data/config.toml", folder.path().join("config.toml")).unwrap();
    let gateway = Gateway::start_in(folder, LIFECYCLE);
    let path = |name: &str| gateway.folder().path().join(name);
    let count = |words: &str| gateway.log().lines().filter(|line| line.contains(words)).count();
    let swap = |version: &str| {
        symlink(version, path("..new")).unwrap();
        std::fs::rename(path("..new"), path("..data")).unwrap();
    };
    let pushed = |status: u16| gateway.put("/metrics/job/hostile", "m 1\n").expect(status);

    // The way of Kubernetes. Of the two files only the plugin is another.
    volume(&path("v2"), true, "trap");
    swap("v2");
    poll::until("the plugin is another", || (count("configuration reloaded") == 1).then_some(()));
    assert!(gateway.log().contains("by=\"changed files\""), "{}", gateway.log());
    pushed(503);

    // What is broken is told once, and the next change may mend it.
    gateway.folder().write("v2/p.wasm", "half");
    poll::until("a broken plugin is told", || (count("not reloaded") == 1).then_some(()));
    gateway.folder().write("v2/config.toml", "broken");
    poll::until("a broken file is told", || (count("not reloaded") == 2).then_some(()));
    pushed(503);
    swap("v1");
    poll::until("the first ones are back", || (count("configuration reloaded") == 2).then_some(()));
    pushed(200);

    // Once it is switched off, nobody looks any more.
    volume(&path("v1"), false, "scribe");
    poll::until("it is switched off", || (count("configuration reloaded") == 3).then_some(()));
    gateway.folder().write("v1/config.toml", "broken");
    assert!(poll::within(poll::SOON / 2, || (count("not reloaded") > 2).then_some(())).is_none());
}

/// How often the chain is swapped under load, and after how many times memory is looked at first: pools and caches are
/// full by then.
const SWAPS: usize = 1_000;
const WARM: usize = 200;

/// What memory may grow by over all further swaps. A chain that was not let go would be megabytes each time.
const GROWTH: f64 = 16.0 * 1024.0 * 1024.0;

#[test]
fn a_thousand_swaps_under_load_lose_no_push_and_mix_no_chain() {
    let chain = |mark: &str| {
        let link = |name: &str| {
            entry(name, &artifacts::guest("scribe"), &format!("config = {{ write = \"{mark}\" }}"))
        };
        config("127.0.0.1:0", &(link("first") + &link("second")))
    };
    let chains = ["a", "b"].map(chain);
    let gateway = Gateway::start_as(&chains[0], LIFECYCLE, &[]);
    let memory = || gateway.scrape().expect("process_resident_memory_bytes");
    let over = AtomicBool::new(false);
    let push = |job: &str| {
        let mut seen = [0, 0];
        while !over.load(Ordering::Relaxed) {
            let value = seen[0] + seen[1];
            gateway.put(&format!("/metrics/job/{job}"), format!("m {value}\n")).expect(200);
            let scrape = gateway.scrape();
            let marked = |mark| scrape.value(&format!("m{{instance=\"\",job=\"{job}\",seen=\"{mark}\"}}"));
            let by = ["aa", "bb"].map(|mark| marked(mark) == Some(f64::from(value)));
            assert!(by[0] != by[1], "push {value} of {job} in:\n{}", scrape.without_own());
            seen[usize::from(by[1])] += 1;
        }
        seen
    };
    thread::scope(|scope| {
        let pushers = ["one", "two", "three"].map(|job| scope.spawn(move || push(job)));
        let mut before = 0.0;
        for swap in 0..SWAPS {
            if swap == WARM {
                before = memory();
            }
            gateway.folder().write("config.toml", &chains[(swap + 1) % 2]);
            let told = gateway.request("POST", "/-/reload").send();
            if told.status != 200 {
                over.store(true, Ordering::Relaxed);
            }
            told.expect(200);
        }
        let after = memory();
        over.store(true, Ordering::Relaxed);
        for pusher in pushers {
            let seen = pusher.join().unwrap();
            assert!(seen.iter().all(|&pushes| pushes > 0), "{seen:?} by each chain");
        }
        assert!(after - before < GROWTH, "{before} bytes after {WARM} swaps, {after} after {SWAPS}");
    });
}
