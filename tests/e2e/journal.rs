//! What was acknowledged is in the journal, whatever happens to the process and to the disk.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use e2e::gateway::command;
use e2e::http::Request;
use e2e::{Folder, Gateway, poll};

/// Crashes in a row, on one journal.
const CRASHES: usize = 200;

/// Clients that push to a group of their own all the time.
const CLIENTS: usize = 4;

fn config(rest: &str) -> String {
    format!(
        "[web]\nlisten_address = ['127.0.0.1:0']\nenable_admin_api = true\n[store]\npath = 'pushes.redb'\n{rest}"
    )
}

fn start(folder: Folder) -> Gateway {
    Gateway::start_again(folder, &config(""))
}

fn file(folder: &Folder) -> PathBuf {
    folder.path().join("pushes.redb")
}

/// All lines of pushed families, and of the times, in an order that does not depend on when a group was made.
fn pushed(gateway: &Gateway) -> Vec<String> {
    let scrape = gateway.get("/metrics").expect(200);
    let is_own = |line: &&str| line.contains("pushgate") || line.contains("process_");
    let mut lines: Vec<_> = scrape.text().lines().filter(|line| !is_own(line)).map(str::to_owned).collect();
    lines.sort();
    lines
}

const EVERY_KIND: &str = "# HELP a help\n# TYPE a counter\na{x=\"1\"} 1\n# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 3\nh_sum 4\nh_count 3\n# TYPE s summary\ns{quantile=\"0.5\"} 1\ns_sum 2\ns_count 3\nplain NaN\n";

/// Groups of all sorts, changed in all ways.
fn fill(gateway: &Gateway) {
    gateway.put("/metrics/job/x/l@base64/YS9i", EVERY_KIND).expect(200);
    gateway.put("/metrics/job/empty", "").expect(200);
    gateway.put("/metrics/job/failed", "a 1 5\n").expect(400);
    gateway.put("/metrics/job/replaced", "old 1\nkept 1\n").expect(200);
    gateway.put("/metrics/job/replaced", "kept 2\n").expect(200);
    gateway.put("/metrics/job/merged", "one 1\ntwo 1\n").expect(200);
    gateway.post("/metrics/job/merged", "two 2\n").expect(200);
    gateway.put("/metrics/job/merged", "two{x=\"1\"} 1 5\n").expect(400);
    gateway.put("/metrics/job/deleted", "gone 1\n").expect(200);
    gateway.delete("/metrics/job/deleted").expect(202);
    gateway.put("/metrics/job/again", "before 1\n").expect(200);
    gateway.delete("/metrics/job/again").expect(202);
    gateway.post("/metrics/job/again", "after 1\n").expect(200);
}

#[test]
fn a_crash_changes_nothing_of_what_was_acknowledged() {
    let gateway = start(Folder::new());
    fill(&gateway);
    let before = pushed(&gateway);
    assert!(before.len() > 20 && !before.iter().any(|line| line.contains("gone")), "{before:#?}");
    let gateway = start(gateway.kill());
    assert_eq!(pushed(&gateway), before);
    assert!(gateway.log().contains("journal opened"), "{}", gateway.log());
    // It goes on from there, also after an orderly end.
    gateway.delete("/metrics/job/empty").expect(202);
    let before = pushed(&gateway);
    let gateway = start(gateway.terminate());
    assert_eq!(pushed(&gateway), before);
    gateway.request("PUT", "/api/v1/admin/wipe").send().expect(202);
    gateway.put("/metrics/job/later", "a 1\n").expect(200);
    let gateway = start(gateway.kill());
    assert_eq!(gateway.scrape().samples("a"), [r#"a{instance="",job="later"} 1"#]);
    let scrape = gateway.scrape();
    assert_eq!(scrape.sum("pushgate_groups", &[]), 1.0);
    assert!(scrape.sum("pushgate_journal_bytes", &[]) > 0.0);
}

#[test]
fn crashes_under_load_cost_no_acknowledged_push() {
    let mut acknowledged = [0_u64; CLIENTS];
    let mut folder = Folder::new();
    for crash in 0..CRASHES {
        let gateway = start(folder);
        let scrape = gateway.scrape();
        let stored = |client: usize, family: &str| {
            let lines = scrape.samples(family);
            let of = format!("client=\"{client}\"");
            lines.iter().find(|line| line.contains(&of)).map_or(0, |line| {
                line.rsplit(' ')
                    .next()
                    .and_then(|value| value.parse::<f64>().ok())
                    .map_or(0, |value| value as u64)
            })
        };
        for (client, last) in acknowledged.iter_mut().enumerate() {
            let (one, other) = (stored(client, "one"), stored(client, "other"));
            assert_eq!(one, other, "crash {crash}: half a push of client {client}");
            // The last one may have been stored without a time to say so.
            assert!(
                one == *last || one == *last + 1,
                "crash {crash}: {last} was acknowledged, {one} is there"
            );
            *last = one;
        }
        let (address, is_over) = (gateway.address(), AtomicBool::new(false));
        folder = thread::scope(|scope| {
            for (client, last) in acknowledged.iter_mut().enumerate() {
                let is_over = &is_over;
                scope.spawn(move || {
                    while !is_over.load(Ordering::Relaxed) {
                        let next = *last + 1;
                        let path = format!("/metrics/job/load/client/{client}");
                        let body = format!("one {next}\nother {next}\n");
                        match Request::new(address, "PUT", &path).body(body).try_send() {
                            Ok(answer) if answer.status == 200 => *last = next,
                            _ => break,
                        }
                    }
                });
            }
            // At no time in particular.
            thread::sleep(Duration::from_millis(20 + (crash as u64 * 37) % 120));
            let folder = gateway.kill();
            is_over.store(true, Ordering::Relaxed);
            folder
        });
    }
    assert!(acknowledged.iter().sum::<u64>() > 10 * CRASHES as u64, "{acknowledged:?}");
}

#[test]
fn a_damaged_journal_is_refused_and_set_aside_or_as_good_as_before() {
    let gateway = start(Folder::new());
    fill(&gateway);
    let before = pushed(&gateway);
    let good = fs::read(file(&gateway.terminate())).unwrap();
    let flipped = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 0x10;
        bytes
    };
    let cut = |length: usize| good[..length].to_vec();
    let step = good.len() / 24;
    let damaged = (0..24).map(|part| flipped(part * step + 17));
    let damaged = damaged.chain([cut(good.len() / 2), cut(100), b"garbage".to_vec()]);
    let mut refused = 0;
    for (number, bytes) in damaged.enumerate() {
        let folder = Folder::new();
        fs::write(file(&folder), &bytes).unwrap();
        folder.write("config.toml", config(""));
        match Gateway::try_start(folder) {
            Ok(gateway) => assert_eq!(pushed(&gateway), before, "{number}"),
            Err((folder, log)) => {
                refused += 1;
                assert!(log.contains("is damaged") && log.contains("set aside as"), "{number}: {log}");
                let names = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
                let aside = names.filter(|name| name.to_string_lossy().starts_with("pushes.redb.damaged."));
                assert_eq!(aside.count(), 1, "{number}");
                assert!(!file(&folder).exists());
                start(folder).put("/metrics/job/x", "a 1\n").expect(200);
            }
        }
    }
    assert!(refused >= 3, "{refused}");
}

#[test]
fn a_journal_has_one_gateway() {
    let gateway = start(Folder::new());
    let told = command(gateway.folder(), &["--config.file=config.toml"]);
    assert_eq!(told.code, 1);
    let error = told.stderr;
    assert!(error.contains("is used by another process") && error.contains("[store] path"), "{error}");
    gateway.put("/metrics/job/x", "a 1\n").expect(200);
    // Looking at its configuration takes nothing away from it.
    assert_eq!(command(gateway.folder(), &["check-config", "config.toml"]).code, 0);
}

#[test]
fn a_journal_that_cannot_be_made_is_told() {
    let folder = Folder::new();
    folder.write("config.toml", config("").replace("pushes.redb", "no/such/folder/pushes.redb"));
    let told = command(&folder, &["--config.file=config.toml"]);
    let error = told.stderr;
    assert!(told.code == 1 && error.contains("no/such/folder/pushes.redb' cannot be opened"), "{error}");
}

#[test]
fn a_full_disk_refuses_pushes_and_loses_none_that_were_acknowledged() {
    let gateway = Gateway::start_on_small_disk(Folder::new(), &config(""), 4_096);
    let value = "x".repeat(1_000);
    let body = |number: usize| {
        (0..100).map(|at| format!("a{{n=\"{number}-{at}\",v=\"{value}\"}} 1\n")).collect::<String>()
    };
    let mut acknowledged = 0;
    let refused = loop {
        let answer = gateway.put(&format!("/metrics/job/fill/number/{acknowledged}"), body(acknowledged));
        if answer.status != 200 {
            break answer;
        }
        acknowledged += 1;
        assert!(acknowledged < 1_000, "the disk does not fill");
    };
    let text = refused.expect(503).text().to_owned();
    assert!(text.contains("cannot be kept for good") && text.contains("pushes.redb"), "{text}");
    assert!(acknowledged > 3, "{acknowledged}");
    gateway.get("/metrics").expect(200);
    gateway.get("/-/healthy").expect(200);
    let folder = gateway.kill();
    // With room again, everything that was acknowledged is there, and more can be.
    let gateway = start(folder);
    let stored = gateway.scrape();
    for number in 0..acknowledged {
        let of = format!("number=\"{number}\"");
        assert_eq!(stored.samples("a").iter().filter(|line| line.contains(&of)).count(), 100, "{number}");
    }
    gateway.put("/metrics/job/fill/number/last", body(0)).expect(200);
}

#[test]
fn pushes_are_taken_again_when_there_is_room_again() {
    let gateway = Gateway::start_on_small_disk(Folder::new(), &config(""), 4_096);
    let body = format!("a{{v=\"{}\"}} 1\n", "x".repeat(4_000));
    let mut groups = 0;
    while gateway.put(&format!("/metrics/job/fill/number/{groups}"), body.clone()).status == 200 {
        groups += 1;
        assert!(groups < 5_000, "the disk does not fill");
    }
    // What frees room is a change as well, and needs to be written: it is tried again until it is.
    poll::until("a deletion is written", || {
        let answer = gateway.delete("/metrics/job/fill/number/0");
        (answer.status == 202).then_some(())
    });
}

#[test]
fn what_is_written_over_and_over_does_not_grow() {
    let gateway = start(Folder::new());
    let body = |round: usize| (0..200).map(|at| format!("a{{n=\"{at}\"}} {round}\n")).collect::<String>();
    for round in 0..50 {
        gateway.put("/metrics/job/over", body(round)).expect(200);
    }
    let early = gateway.scrape().sum("pushgate_journal_bytes", &[]);
    for round in 0..500 {
        gateway.put("/metrics/job/over", body(round)).expect(200);
    }
    let late = gateway.scrape().sum("pushgate_journal_bytes", &[]);
    assert!(late <= 2.0 * early, "{early} bytes became {late}");
}

#[test]
fn clients_wait_only_where_that_is_configured() {
    let config = config("durability = 'interval'\ninterval = '1h'\n");
    let gateway = Gateway::start_with(&config);
    gateway.put("/metrics/job/x", "a 1\n").expect(200);
    let gateway = Gateway::start_again(gateway.kill(), &config);
    assert_eq!(gateway.scrape().samples("a").len(), 0, "a crash costs what came since");
    gateway.put("/metrics/job/x", "a 1\n").expect(200);
    let gateway = Gateway::start_again(gateway.terminate(), &config.replace("1h", "1ms"));
    assert_eq!(gateway.scrape().samples("a").len(), 1, "an end costs nothing");
    gateway.put("/metrics/job/y", "a 2\n").expect(200);
    poll::until("it is written", || {
        (gateway.scrape().sum("pushgate_journal_write_duration_seconds_count", &[]) >= 1.0).then_some(())
    });
    let gateway = Gateway::start_again(gateway.kill(), &config.replace("interval'", "none'"));
    assert_eq!(gateway.scrape().samples("a").len(), 0, "nobody asked for the journal");
}

#[test]
fn an_old_persistence_file_is_read_once() {
    let with_file = config("[persistence]\nfile = 'p.data'\ninterval = '0s'\n");
    let gateway = Gateway::start_again(Folder::new(), &with_file.replace("path = 'pushes.redb'\n", ""));
    fill(&gateway);
    let before = pushed(&gateway);
    let gateway = Gateway::start_again(gateway.terminate(), &with_file);
    assert_eq!(pushed(&gateway), before);
    // From here on it is the journal that counts.
    let folder = gateway.kill();
    fs::remove_file(folder.path().join("p.data")).unwrap();
    let gateway = Gateway::start_again(folder, &with_file);
    assert_eq!(pushed(&gateway), before);
}

#[test]
fn what_was_deleted_does_not_come_back_from_an_old_persistence_file() {
    let with_file = config("[persistence]\nfile = 'p.data'\ninterval = '1h'\n");
    let gateway = Gateway::start_again(Folder::new(), &with_file);
    fill(&gateway);
    let gateway = Gateway::start_again(gateway.terminate(), &with_file);
    gateway.request("PUT", "/api/v1/admin/wipe").send().expect(202);
    // A crash: the file still has everything.
    let gateway = Gateway::start_again(gateway.kill(), &with_file);
    assert_eq!(gateway.scrape().sum("pushgate_groups", &[]), 0.0);
}
