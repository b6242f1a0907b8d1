//! The journal on a disk that fills or can only be read, writes that are torn, and a file that became too large.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use e2e::gateway::command;
use e2e::{Folder, Gateway, SmallDisk, poll};

fn config(path: &str) -> String {
    format!("[web]\nlisten_address = ['127.0.0.1:0']\nenable_admin_api = true\n[store]\npath = '{path}'\n")
}

const ON_DISK: &str = "disk/pushes.redb";

/// About so many bytes that do not repeat.
fn large(bytes: usize, number: usize) -> String {
    let value = "x".repeat(1_000);
    (0..bytes.div_ceil(1_000)).map(|at| format!("a{{n=\"{number}-{at}\",v=\"{value}\"}} 1\n")).collect()
}

fn groups(gateway: &Gateway) -> BTreeSet<String> {
    let number = |line: &str| Some(line.split_once("number=\"")?.1.split_once('"')?.0.to_owned());
    gateway.scrape().samples("push_time_seconds").into_iter().filter_map(number).collect()
}

#[test]
fn a_real_disk_that_fills_loses_nothing_and_takes_pushes_again_when_there_is_room() {
    let folder = Folder::new();
    let Some(disk) = SmallDisk::mount(&folder, "disk", 8 << 10) else { return };
    // Room that somebody else takes, and gives back.
    fs::write(disk.path().join("ballast"), vec![0; 3 << 20]).unwrap();
    let gateway = Gateway::start_again(folder, &config(ON_DISK));
    let mut acknowledged = BTreeSet::new();
    let put =
        |number: usize| gateway.put(&format!("/metrics/job/fill/number/{number}"), large(50_000, number));
    let refused = loop {
        let answer = put(acknowledged.len());
        if answer.status != 200 {
            break answer;
        }
        acknowledged.insert(acknowledged.len().to_string());
        assert!(acknowledged.len() < 1_000, "the disk does not fill");
    };
    let text = refused.expect(503).text().to_owned();
    assert!(text.contains("cannot be kept for good") && text.contains("pushes.redb"), "{text}");
    assert!(acknowledged.len() > 3, "{acknowledged:?}");
    assert!(gateway.log().contains("No space left on device"), "{}", gateway.log());
    gateway.get("/-/healthy").expect(200);
    gateway.get("/metrics").expect(200);

    // A crash of a full disk is survived on the full disk.
    let gateway = Gateway::start_again(gateway.kill(), &config(ON_DISK));
    let missing: Vec<_> = acknowledged.difference(&groups(&gateway)).cloned().collect();
    assert_eq!(missing, [""; 0]);
    fs::remove_file(disk.path().join("ballast")).unwrap();
    poll::until("a push is kept", || {
        (gateway.put("/metrics/job/fill/number/last", large(50_000, 0)).status == 200).then_some(())
    });
    acknowledged.insert("last".to_owned());
    let gateway = Gateway::start_again(gateway.kill(), &config(ON_DISK));
    let missing: Vec<_> = acknowledged.difference(&groups(&gateway)).cloned().collect();
    assert_eq!(missing, [""; 0]);
    gateway.terminate();
    drop(disk);
}

#[test]
fn a_disk_that_can_only_be_read_is_told_and_the_journal_is_left_as_it_is() {
    let folder = Folder::new();
    let Some(disk) = SmallDisk::mount(&folder, "disk", 8 << 10) else { return };
    disk.make_read_only();
    let told = |folder: &Folder| {
        folder.write("config.toml", config(ON_DISK));
        let told = command(folder, &["--config.file=config.toml"]);
        assert_eq!(told.code, 1, "{}", told.stderr);
        told.stderr
    };
    let error = told(&folder);
    assert!(error.contains("cannot be opened") && error.contains("Read-only file system"), "{error}");
    assert!(error.contains(ON_DISK), "{error}");

    // The same with a journal that is there.
    disk.make_writable();
    let gateway = Gateway::start_again(folder, &config(ON_DISK));
    gateway.put("/metrics/job/kept/number/1", "a 1\n").expect(200);
    let folder = gateway.kill();
    let journal = disk.path().join("pushes.redb");
    let before = fs::read(&journal).unwrap();
    disk.make_read_only();
    let error = told(&folder);
    assert!(error.contains("cannot be opened") && error.contains("Read-only file system"), "{error}");
    assert!(fs::read(&journal).unwrap() == before, "it was touched");
    assert_eq!(fs::read_dir(disk.path()).unwrap().count(), 1, "it was set aside");
    disk.make_writable();
    let gateway = Gateway::start_again(folder, &config(ON_DISK));
    assert_eq!(groups(&gateway), ["1".to_owned()].into());
    gateway.terminate();
    drop(disk);
}

const PAGE: usize = 4_096;

/// What a gateway makes of that file: what is stored, or that it is damaged.
fn read(image: &[u8]) -> Result<Vec<String>, String> {
    let folder = Folder::new();
    fs::write(folder.path().join("pushes.redb"), image).unwrap();
    folder.write("config.toml", config("pushes.redb"));
    match Gateway::try_start(folder) {
        Ok(gateway) => Ok(stored(&gateway)),
        Err((folder, log)) => {
            assert!(log.contains("is damaged") && log.contains("set aside as"), "{log}");
            let is_aside = |name: &str| name.starts_with("pushes.redb.damaged.");
            let mut files = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
            let aside =
                files.find(|path| path.file_name().is_some_and(|name| is_aside(&name.to_string_lossy())));
            assert!(aside.is_some_and(|aside| fs::read(aside).unwrap().len() == image.len()), "{log}");
            Err(log)
        }
    }
}

fn stored(gateway: &Gateway) -> Vec<String> {
    let scrape = gateway.scrape();
    ["a", "b"].iter().flat_map(|name| scrape.samples(name)).map(str::to_owned).collect()
}

/// The journal after a crash, and what is in it.
fn image(gateway: &Gateway, folder: &Path) -> (Vec<u8>, Vec<String>) {
    (fs::read(folder.join("pushes.redb")).unwrap(), stored(gateway))
}

#[test]
fn a_last_commit_that_is_torn_is_there_as_a_whole_or_not_at_all() {
    let gateway = Gateway::start_with(&config("pushes.redb"));
    let body = |value: usize| {
        let lines =
            |name: &str| (0..40).map(|at| format!("{name}{{n=\"{at}\"}} {value}\n")).collect::<String>();
        lines("a") + &lines("b")
    };
    gateway.put("/metrics/job/one", body(1)).expect(200);
    gateway.put("/metrics/job/two", body(2)).expect(200);
    let folder = gateway.folder().path().to_owned();
    let (before, stored_before) = image(&gateway, &folder);
    gateway.put("/metrics/job/one", body(3)).expect(200);
    // Nothing is written between an acknowledgement and the next push, so this is what a crash would leave.
    let (after, stored_after) = image(&gateway, &folder);
    gateway.kill();
    assert_ne!(stored_before, stored_after);
    assert_eq!(read(&before).as_ref(), Ok(&stored_before));
    assert_eq!(read(&after).as_ref(), Ok(&stored_after));

    let page = |image: &[u8], at: usize| {
        let mut page: Vec<u8> = image.iter().skip(at * PAGE).take(PAGE).copied().collect();
        page.resize(PAGE, 0);
        page
    };
    let changed: Vec<usize> =
        (0..after.len() / PAGE).filter(|&at| page(&after, at) != page(&before, at)).collect();
    assert!(changed.len() >= 3, "{changed:?}");
    let torn = |at: usize, from: usize| {
        let mut torn = after.clone();
        torn[at * PAGE + from..(at + 1) * PAGE].copy_from_slice(&page(&before, at)[from..]);
        torn
    };
    // A page that did not get to the disk, one that got there in half, and a tail that is missing.
    let unwritten = changed.iter().map(|&at| (format!("page {at} was not written"), torn(at, 0)));
    let halves = changed.iter().map(|&at| (format!("page {at} was written in half"), torn(at, PAGE / 2)));
    let cut = |bytes: usize| (format!("{bytes} bytes are missing"), after[..after.len() - bytes].to_vec());
    let mut outcomes = [0; 3];
    for (what, torn) in unwritten.chain(halves).chain([cut(1), cut(PAGE), cut(4 * PAGE)]) {
        match read(&torn) {
            Ok(stored) if stored == stored_after => outcomes[0] += 1,
            Ok(stored) if stored == stored_before => outcomes[1] += 1,
            Ok(stored) => panic!("{what}: neither before nor after: {stored:#?}"),
            Err(_) => outcomes[2] += 1,
        }
    }
    println!("whole, not at all, damaged: {outcomes:?}");
    assert!(outcomes[1] + outcomes[2] > 0, "{outcomes:?}");
}

#[test]
fn a_journal_that_is_mostly_empty_becomes_smaller_at_the_next_start() {
    let gateway = Gateway::start_with(&config("pushes.redb"));
    for number in 0..40 {
        gateway.put(&format!("/metrics/job/fill/number/{number}"), large(1_000_000, number)).expect(200);
    }
    let bytes = |gateway: &Gateway| gateway.scrape().sum("pushgate_journal_bytes", &[]);
    let full = bytes(&gateway);
    assert!(full > 40e6, "{full}");
    for number in 1..40 {
        gateway.delete(&format!("/metrics/job/fill/number/{number}")).expect(202);
    }
    gateway.put("/metrics/job/fill/number/last", "a 1\n").expect(200);
    let kept: BTreeSet<_> = ["0", "last"].map(str::to_owned).into();
    let folder = gateway.kill();
    let file = folder.path().join("pushes.redb");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let copy = folder.write("pushes.redb.compact", "what a crash in the middle of copying left");
    let gateway = Gateway::start_again(folder, &config("pushes.redb"));
    assert_eq!(groups(&gateway), kept);
    let small = bytes(&gateway);
    println!("{full} bytes became {small}");
    assert!(small < 8e6, "{full} bytes became {small}, of which a million are stored");
    assert!(!copy.exists(), "it is in place, or gone");
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "nobody may read it who might not before");
    let gateway = Gateway::start_again(gateway.kill(), &config("pushes.redb"));
    assert_eq!(groups(&gateway), kept);
    gateway.request("PUT", "/api/v1/admin/wipe").send().expect(202);
    let gateway = Gateway::start_again(gateway.kill(), &config("pushes.redb"));
    assert_eq!(groups(&gateway), BTreeSet::new());
    assert!(bytes(&gateway) <= small, "{} bytes of nothing, {small} before", bytes(&gateway));
}
