//! Flags, the environment, the log and reloading: what an operator does.

use std::net::TcpListener;
use std::process::Command;

use e2e::gateway::{config, entry};
use e2e::process::Server;
use e2e::{Folder, Gateway, artifacts};

/// A plugin that refuses families of that name.
fn refusing(name: &str) -> String {
    entry("scribe", &artifacts::guest("scribe"), &format!("config = {{ refuse = \"{name}\" }}"))
}

#[test]
fn a_flag_goes_before_the_environment_before_the_file() {
    let file = "[web]\nlisten_address = [\"127.0.0.1:1\"]\n[log]\nlevel = \"error\"\nformat = \"logfmt\"\n";
    let flags = ["--web.listen-address", "127.0.0.2:0", "--log.level=info"];
    let variables = [
        ("PUSHGATE_CONFIG_FILE", "config.toml"),
        ("PUSHGATE_WEB_LISTEN_ADDRESS", "127.0.0.1:2"),
        ("PUSHGATE_LOG_FORMAT", "json"),
        ("PUSHGATE_LOG_FROMAT", "json"),
    ];
    let gateway = Gateway::start_as(file, &flags, &variables);
    assert_eq!(gateway.address().ip().to_string(), "127.0.0.2");
    let log = gateway.log();
    assert!(log.lines().all(|line| line.starts_with("{\"ts\":\"")), "{log}");
    assert!(log.contains("\"level\":\"warn\"") && log.contains("PUSHGATE_LOG_FROMAT"), "{log}");
}

#[test]
fn a_refused_push_is_in_the_log_in_the_words_of_the_original() {
    let file = config("127.0.0.1:0", "");
    let gateway = Gateway::start_as(&file, &["--config.file=config.toml", "--log.format=json"], &[]);
    gateway.put("/metrics/job/one", "a 1\na 2\n").expect(400);
    gateway.put("/metrics/job/one", "a").expect(400);
    let log = gateway.log();
    let words =
        "\"msg\":\"pushed metrics are invalid or inconsistent with existing metrics\",\"method\":\"PUT\",";
    let refused = log.lines().find(|line| line.contains(words)).unwrap_or_else(|| panic!("{log}"));
    assert!(refused.contains("\",\"level\":\"error\",\"caller\":\""), "{refused}");
    assert!(!log.contains("failed to parse text"), "{log}");

    let gateway = Gateway::start_as(&file, &["--config.file=config.toml", "--log.level=debug"], &[]);
    gateway.put("/metrics/job/x", "a{l=\"\n").expect(400);
    let log = gateway.log();
    assert!(log.contains(" level=debug ") && log.contains(" msg=\"failed to parse text\" "), "{log}");
    gateway.terminate();
}

#[test]
fn sighup_replaces_the_plugins_and_keeps_what_is_stored() {
    let file = |rest: &str| config("127.0.0.1:0", rest);
    let mut gateway = Gateway::start_with(&file(&refusing("a")));
    gateway.put("/metrics/job/kept", "b 1\n").expect(200);
    gateway.put("/metrics/job/one", "a 1\n").expect(422);
    let evaluations =
        |gateway: &Gateway| gateway.scrape().sum("pushgate_plugin_evaluations_total", &["scribe"]);
    assert_eq!(evaluations(&gateway), 2.0);

    let told = gateway.reload(&file(&refusing("b")));
    assert!(told.contains("level=info"), "{told}");
    gateway.put("/metrics/job/one", "a 1\n").expect(200);
    gateway.put("/metrics/job/two", "b 1\n").expect(422);
    assert_eq!(gateway.scrape().samples("b"), [r#"b{instance="",job="kept"} 1"#]);
    assert_eq!(evaluations(&gateway), 4.0, "a plugin that stays goes on counting");

    let told =
        gateway.reload(&(file(&refusing("a")) + "\n[push]\nmax_series = 7\n[log]\nlevel = \"debug\"\n"));
    assert!(told.contains("level=warn") && told.contains("keys=push.max_series,log.level"), "{told}");
    gateway.put("/metrics/job/one", "a 1\n").expect(422);
    gateway.terminate();
}

#[test]
fn sighup_with_a_configuration_that_is_wrong_changes_nothing() {
    let file = |rest: &str| config("127.0.0.1:0", rest);
    let mut gateway = Gateway::start_with(&file(&refusing("a")));
    let good = |gateway: &Gateway| {
        let scrape = gateway.scrape();
        let at = scrape.sum("pushgate_config_last_reload_success_timestamp_seconds", &[]);
        (scrape.sum("pushgate_config_last_reload_successful", &[]), at)
    };
    let (successful, at) = good(&gateway);
    assert_eq!(successful, 1.0);
    let no_plugin = "\n[[plugin]]\nname = \"ghost\"\nsource = \"ghost.wasm\"\n";
    for (wrong, word) in [("[web", "not TOML"), ("[web]\nx = 1\n", "unknown key"), (no_plugin, "ghost.wasm")]
    {
        let told = gateway.reload(wrong);
        assert!(told.contains("level=error") && told.contains(word), "{told}");
        assert_eq!(good(&gateway), (0.0, at));
        gateway.put("/metrics/job/one", "a 1\n").expect(422);
    }
    gateway.reload(&file(""));
    assert_eq!(good(&gateway).0, 1.0);
    gateway.put("/metrics/job/one", "a 1\n").expect(200);
}

#[test]
fn a_start_that_takes_long_is_broken_off_when_the_end_is_asked_for() {
    // It takes connections, and says nothing.
    let registry = TcpListener::bind("127.0.0.1:0").unwrap();
    let source = format!("http://{}/x.wasm", registry.local_addr().unwrap());
    let digest = "0".repeat(64);
    let plugin = format!(
        "fetch_timeout = '1h'\n[[plugin]]\nname = 'x'\nsource = '{source}'\ndigest = 'sha256:{digest}'\n"
    );
    let folder = Folder::new();
    folder.write("config.toml", config("127.0.0.1:0", &plugin));
    let mut command = Command::new(artifacts::gateway());
    command.args(["--config.file", "config.toml"]);
    let mut gateway = Server::start("pushgate", command, folder);
    let _asked = registry.accept().unwrap();
    let status = gateway.terminate();
    assert!(status.success(), "{status}\n{}", gateway.log());
    assert!(gateway.log().contains("stopped"), "{}", gateway.log());
}
