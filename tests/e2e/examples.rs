//! The files below `examples/`.

use e2e::clients::Shell;
use e2e::prometheus::{promtool_check_config, promtool_check_rules};
use e2e::{Folder, Gateway, Prometheus};
use xtask::workspace;

fn read(file: &str) -> String {
    std::fs::read_to_string(workspace::path("examples").join(file)).unwrap()
}

#[test]
fn the_cron_job_pushes_when_it_succeeds() {
    let Some(shell) = Shell::require() else { return };
    let gateway = Gateway::start_bundled();
    let folder = Folder::new();
    folder.write("file", "to be saved");
    let target = Folder::new();
    let archive = target.path().join("saved.tar.gz");
    let address = gateway.address().to_string();
    let variables = [
        ("PUSHGATE", address.as_str()),
        ("SOURCE", folder.path().to_str().unwrap()),
        ("TARGET", archive.to_str().unwrap()),
    ];
    let ran = shell.run(&read("cron/backup.sh"), &variables);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let scrape = gateway.scrape();
    for family in ["backup_last_success_timestamp_seconds", "backup_duration_seconds", "backup_size_bytes"] {
        assert_eq!(scrape.samples(family).len(), 1, "{family} in\n{}", scrape.without_own());
    }
    assert_eq!(
        scrape.sum("backup_size_bytes", &["job=\"backup\""]),
        std::fs::metadata(&archive).unwrap().len() as f64
    );

    // One that fails pushes nothing, so that the alert sees an old time.
    let before = scrape.without_own();
    let failed = shell.run(&read("cron/backup.sh"), &[variables[0], ("SOURCE", "/nowhere"), variables[2]]);
    assert_ne!(failed.code, 0);
    assert_eq!(gateway.scrape().without_own(), before);
}

#[test]
fn the_prometheus_configuration_scrapes_the_gateway() {
    let file = workspace::path("examples/prometheus/prometheus.yml");
    let Some(checked) = promtool_check_config(&file) else { return };
    assert_eq!(checked.code, 0, "{}{}", checked.stdout, checked.stderr);

    let gateway = Gateway::start("");
    gateway.put("/metrics/job/batch", "m 1\n").expect(200);
    let text = read("prometheus/prometheus.yml");
    let (_, jobs) = text.split_once("scrape_configs:\n").unwrap();
    assert!(jobs.contains("127.0.0.1:9091"));
    let Some(prometheus) = Prometheus::start(&jobs.replace("127.0.0.1:9091", &gateway.address().to_string()))
    else {
        return;
    };
    prometheus.await_scrapes("pushgate", 1);
    assert_eq!(prometheus.query("m{job=\"batch\"}").len(), 1);
}

#[test]
fn the_alerts_are_about_metrics_that_there_are() {
    let file = workspace::path("examples/prometheus/alerts.yml");
    let Some(checked) = promtool_check_rules(&file) else { return };
    assert_eq!(checked.code, 0, "{}{}", checked.stdout, checked.stderr);
    assert!(checked.stdout.contains("6 rules found"), "{}", checked.stdout);
    // A job with bounds of its own is told of once it has stored something.
    let gateway = Gateway::start("[[store.jobs]]\njob = 'x'\nmax_groups = 5\n");
    gateway.put("/metrics/job/x", "m 1\n").expect(200);
    let scrape = gateway.scrape();
    let text = read("prometheus/alerts.yml");
    let code =
        text.lines().filter(|line| !line.trim_start().starts_with('#') && !line.contains("pushgate {{"));
    let is_of_name = |character: char| character.is_ascii_lowercase() || character == '_';
    let words: std::collections::BTreeSet<&str> = code
        .flat_map(|line| line.split(|character| !is_of_name(character)))
        .filter(|word| word.starts_with("pushgate_"))
        .collect();
    assert!(words.len() > 4, "{words:?}");
    for name in words {
        assert!(!scrape.samples(name).is_empty(), "{name}");
    }
    for outcome in ["busy", "full", "not_written", "fault"] {
        assert_ne!(
            scrape.samples("pushgate_pushes_total").iter().filter(|line| line.contains(outcome)).count(),
            0
        );
    }
}

#[test]
fn the_commands_of_the_systemd_unit_work() {
    let unit = read("systemd/pushgate.service");
    let command = |key: &str| -> Vec<String> {
        let line = unit.lines().find_map(|line| line.strip_prefix(&format!("{key}="))).unwrap();
        let mut words = line.split(' ').map(str::to_owned);
        assert_eq!(words.next().unwrap(), "/usr/bin/pushgate");
        words.map(|word| word.replace("/etc/pushgate/config.toml", "config.toml")).collect()
    };
    let folder = Folder::new();
    folder.write("config.toml", e2e::gateway::config("127.0.0.1:0", ""));
    let check = command("ExecStartPre");
    let check: Vec<&str> = check.iter().map(String::as_str).collect();
    let finished = e2e::gateway::command(&folder, &check);
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    // What the harness starts every gateway with.
    assert_eq!(command("ExecStart"), ["--config.file", "config.toml"]);
}
