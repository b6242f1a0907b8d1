//! `pushgate import`: from a file, and from a gateway that runs.

use std::process::Command;

use e2e::process::{Finished, finish};
use e2e::{Folder, Gateway, artifacts};

const BODY: &str = "# HELP a help\n# TYPE a counter\na{x=\"1\"} 1\n# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 3\nh_sum 4\nh_count 3\n# TYPE s summary\ns{quantile=\"0.5\"} 1\ns_sum 2\ns_count 3\n";

fn import(source: &str, target: &Gateway) -> Finished {
    let mut command = Command::new(artifacts::gateway());
    command.args(["import", source, "--to", &target.url("")]);
    finish(&mut command, b"")
}

fn source(flags: &[&str]) -> Gateway {
    let gateway = Gateway::start_in(Folder::new(), flags);
    gateway.put("/metrics/job/x/l@base64/YS9i", BODY).expect(200);
    gateway.put("/metrics/job/y/instance/i", "a 2\n").expect(400);
    gateway.put("/metrics/job/z", "b 1\n").expect(200);
    gateway
}

fn target() -> Gateway {
    Gateway::start_in(Folder::new(), &["--web.enable-admin-api"])
}

fn pushed(gateway: &Gateway) -> Vec<String> {
    let scrape = gateway.get("/metrics").expect(200);
    let is_own = |line: &&str| line.contains("pushgate") || line.contains("process_");
    let mut lines: Vec<_> = scrape.text().lines().filter(|line| !is_own(line)).map(str::to_owned).collect();
    lines.sort(); // Groups may come in another order.
    lines
}

#[test]
fn a_running_gateway_is_copied_with_its_times_and_only_once() {
    let (source, target) = (source(&[]), target());
    let first = import(&source.url(""), &target);
    assert_eq!((first.code, first.stdout.as_str()), (0, "3 groups imported\n"), "{}", first.stderr);
    assert_eq!(pushed(&target), pushed(&source));
    target.put("/metrics/job/z", "b 5\n").expect(200);
    let again = import(&source.url(""), &target);
    assert_eq!((again.code, again.stdout.as_str()), (0, "0 groups imported, 3 were there already\n"));
    assert_eq!(target.scrape().expect(r#"b{instance="",job="z"}"#), 5.0, "what came later stays");
}

#[test]
fn a_persistence_file_is_imported() {
    let source = source(&["--persistence.file=p.data"]);
    let before = pushed(&source);
    let folder = source.terminate();
    let target = target();
    let file = folder.path().join("p.data");
    let done = import(file.to_str().unwrap(), &target);
    assert_eq!((done.code, done.stdout.as_str()), (0, "3 groups imported\n"), "{}", done.stderr);
    assert_eq!(pushed(&target), before);
}

#[test]
fn what_cannot_be_imported_is_told() {
    let (source, target) = (source(&[]), target());
    // Another group has the family with another type.
    target.put("/metrics/job/other", "# TYPE b counter\nb 1\n").expect(200);
    let done = import(&source.url(""), &target);
    assert_eq!((done.code, done.stdout.as_str()), (1, "2 groups imported, 1 refused\n"));
    assert!(
        done.stderr.contains("{job=\"z\"}: ") && done.stderr.contains("has the type untyped"),
        "{}",
        done.stderr
    );

    let folder = Folder::new();
    let damaged = folder.write("damaged", b"garbage");
    for (from, expected) in [
        (damaged.to_str().unwrap(), "damaged"),
        ("no-such-file", "cannot read 'no-such-file'"),
        ("http://127.0.0.1:1", "cannot reach http://127.0.0.1:1"),
    ] {
        let done = import(from, &target);
        assert_eq!((done.code, done.stdout.as_str()), (1, ""));
        assert!(done.stderr.contains(expected), "{}", done.stderr);
    }
    let locked = Gateway::start("");
    let done = import(&source.url(""), &locked);
    assert_eq!(done.code, 1);
    assert!(done.stderr.contains("--web.enable-admin-api"), "{}", done.stderr);
}
