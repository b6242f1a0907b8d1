//! Compiled code that is kept for the next start.

use std::fs;
use std::path::PathBuf;

use e2e::gateway::{config, entry};
use e2e::{Folder, Gateway, artifacts};

const FLAGS: [&str; 2] = ["--config.file=config.toml", "--log.level=debug"];

const TAKEN: &str = "compiled code taken from the cache";

fn folder() -> Folder {
    let folder = Folder::new();
    let chain = entry("scribe", &artifacts::guest("scribe"), "config = { refuse = \"bad\" }");
    folder.write("config.toml", config("127.0.0.1:0", &format!("cache_directory = \"cache\"\n{chain}")));
    folder
}

/// Starts, sees that the policy works, and stops. Returns the log and the folder.
fn run(folder: Folder) -> (String, Folder) {
    let gateway = Gateway::start_in(folder, &FLAGS);
    gateway.put("/metrics/job/one", "good 1\n").expect(200);
    gateway.put("/metrics/job/one", "bad 1\n").expect(422);
    let log = gateway.log();
    (log, gateway.terminate())
}

fn compiled(folder: &Folder) -> Vec<PathBuf> {
    let files = fs::read_dir(folder.path().join("cache/compiled")).unwrap();
    files.map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn a_second_start_does_not_compile_again() {
    let (log, folder) = run(folder());
    assert!(!log.contains(TAKEN), "{log}");
    let [file] = compiled(&folder).try_into().unwrap();
    let written = fs::read(&file).unwrap();
    let (log, folder) = run(folder);
    assert!(log.contains(TAKEN), "{log}");
    assert_eq!(fs::read(&compiled(&folder)[0]).unwrap(), written);
}

#[test]
fn a_reload_that_needs_another_engine_does_not_compile_again() {
    let folder = folder();
    let text = fs::read_to_string(folder.path().join("config.toml")).unwrap();
    let mut gateway = Gateway::start_in(folder, &FLAGS);
    assert!(gateway.reload(&text.replace("bad", "good")).contains("level=info"));
    gateway.put("/metrics/job/one", "good 1\n").expect(422);
    assert!(!gateway.log().contains(TAKEN), "what is in use is at hand: {}", gateway.log());
    assert!(gateway.reload(&format!("{text}memory = \"128MiB\"\n")).contains("level=info"));
    gateway.put("/metrics/job/one", "bad 1\n").expect(422);
    assert!(gateway.log().contains(TAKEN), "{}", gateway.log());
}

#[test]
fn damaged_and_foreign_code_is_not_run_but_compiled_again() {
    let (_, mut folder) = run(folder());
    let [file] = compiled(&folder).try_into().unwrap();
    let good = fs::read(&file).unwrap();
    let mut flipped = good.clone();
    *flipped.last_mut().unwrap() ^= 1;
    for (rule, content) in
        [("one bit", flipped), ("cut off", good[..good.len() / 2].to_vec()), ("empty", Vec::new())]
    {
        fs::write(&file, content).unwrap();
        let log;
        (log, folder) = run(folder);
        assert!(
            log.contains("compiled code is damaged or not ours") && !log.contains(TAKEN),
            "{rule}: {log}"
        );
        assert_eq!(fs::read(&file).unwrap(), good, "{rule}: it is mended");
    }
    // What was made with another key is foreign, however whole it is.
    fs::remove_file(folder.path().join("cache/key")).unwrap();
    let (log, _) = run(folder);
    assert!(log.contains("compiled code is damaged or not ours") && !log.contains(TAKEN), "{log}");
}

#[test]
fn a_cache_that_cannot_be_used_is_done_without() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = folder();
    let cache = folder.path().join("cache");
    fs::create_dir(&cache).unwrap();
    fs::set_permissions(&cache, fs::Permissions::from_mode(0o777)).unwrap();
    let (log, _folder) = run(folder);
    let told = log
        .lines()
        .find(|line| line.contains("nothing is kept of plugins"))
        .unwrap_or_else(|| panic!("{log}"));
    assert!(told.contains("level=warn") && told.contains("open to others (mode 777)"), "{told}");
    assert_eq!(fs::read_dir(&cache).unwrap().count(), 0);
}
