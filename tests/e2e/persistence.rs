//! What is stored outlives the process, in a file that the original Pushgateway can read as well.

use std::fs;
use std::path::Path;

use e2e::{Folder, Gateway, poll};

const FLAGS: [&str; 2] = ["--persistence.file=p.data", "--persistence.interval=100ms"];

const BODY: &str = "# HELP a help\n# TYPE a counter\na{x=\"1\"} 1\n# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 3\nh_sum 4\nh_count 3\n";

fn start(folder: Folder) -> Gateway {
    Gateway::start_in(folder, &FLAGS)
}

/// All lines of pushed families, and of the times.
fn pushed(gateway: &Gateway) -> Vec<String> {
    let scrape = gateway.get("/metrics").expect(200);
    let is_own = |line: &&str| line.contains("pushgate") || line.contains("process_");
    scrape.text().lines().filter(|line| !is_own(line)).map(str::to_owned).collect()
}

/// Files beside the persistence file whose names tell that they were kept.
fn kept(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with("p.data.")).collect()
}

#[test]
fn a_stop_and_a_start_change_nothing() {
    let gateway = start(Folder::new());
    gateway.put("/metrics/job/x/l@base64/YS9i", BODY).expect(200);
    gateway.put("/metrics/job/empty", "").expect(200);
    gateway.put("/metrics/job/failed", "a 1 5\n").expect(400);
    let before = pushed(&gateway);
    assert!(before.len() > 10, "{before:?}");
    let gateway = start(gateway.terminate());
    assert_eq!(pushed(&gateway), before);
    // It goes on from there.
    gateway.delete("/metrics/job/empty").expect(202);
    gateway.delete("/metrics/job/failed").expect(202);
    let before = pushed(&gateway);
    let gateway = start(gateway.terminate());
    assert_eq!(pushed(&gateway), before);
    assert!(kept(gateway.folder().path()).is_empty());
}

#[test]
fn a_crash_costs_no_more_than_the_interval() {
    let gateway = start(Folder::new());
    gateway.put("/metrics/job/x", "a 1\n").expect(200);
    poll::until("the file is written", || gateway.folder().path().join("p.data").exists().then_some(()));
    let gateway = start(gateway.kill());
    assert_eq!(gateway.scrape().expect(r#"a{instance="",job="x"}"#), 1.0);
}

#[test]
fn a_damaged_file_is_set_aside_and_never_overwritten() {
    for damaged in ["", "garbage"] {
        let folder = Folder::new();
        folder.write("p.data", damaged);
        let gateway = start(folder);
        assert!(gateway.log().contains("could not load persisted metrics"), "{}", gateway.log());
        gateway.put("/metrics/job/x", "a 1\n").expect(200);
        let folder = gateway.terminate();
        let kept = kept(folder.path());
        assert_eq!(kept.len(), 1, "{kept:?}");
        assert_eq!(fs::read_to_string(folder.path().join(&kept[0])).unwrap(), damaged);
        let gateway = start(folder);
        assert_eq!(gateway.scrape().expect(r#"a{instance="",job="x"}"#), 1.0);
    }
}

#[test]
fn a_file_that_cannot_be_written_refuses_no_push() {
    let gateway =
        Gateway::start_in(Folder::new(), &["--persistence.file=no/such/p.data", "--persistence.interval=0s"]);
    gateway.put("/metrics/job/x", "a 1\n").expect(200);
    poll::until("the log tells", || gateway.log().contains("error persisting metrics").then_some(()));
    gateway.put("/metrics/job/y", "a 2\n").expect(200);
    assert_eq!(gateway.scrape().samples("a").len(), 2);
    gateway.terminate();
}
