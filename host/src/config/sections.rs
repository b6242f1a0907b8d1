//! Every key of the sections, with its bounds.
//!
//! A lower bound keeps the gateway able to work at all; an upper one keeps a slip of the pen (`90m` for
//! `90s`, a digit too many) from turning a limit into none.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::kind::{Kind, any_list, boolean, duration, list, size, text, whole};
use super::rights::Rights;
use super::section::Section;
use super::size::ByteSize;
use super::{Capture, Config, Log, Persistence, Plugins, Push, Rejections, Scrape, Store, Web};
use super::{limits, paths, policy};

const MS: Duration = Duration::from_millis(1);
const HOUR: Duration = Duration::from_secs(3_600);
const WEEK: Duration = Duration::from_secs(7 * 24 * 3_600);
const BYTE: ByteSize = ByteSize::bytes(1);
const GIB: ByteSize = ByteSize::mib(1 << 10);

impl Config {
    pub(super) fn read(&mut self, root: &mut Section<'_, '_>, file: &Path) {
        let folder = file.parent().unwrap_or(Path::new(""));
        self.read_sections(root, folder);
        self.plugins.directory = folder.join(&self.plugins.directory);
        self.plugins.lock_file = folder.join(&self.plugins.lock_file);
        self.rights = Rights::read(root);
        self.chain = policy::read_chain(root, &self.plugins, &self.caller, folder);
    }

    /// Reads the sections that there are one of. What they do not say stays as it is.
    pub(super) fn read_sections(&mut self, root: &mut Section<'_, '_>, folder: &Path) {
        root.section("web", |section| self.web.read(section, folder));
        root.section("caller", |section| self.caller.read(section));
        root.section("push", |section| self.push.read(section));
        root.section("scrape", |section| self.scrape.read(section));
        root.section("store", |section| self.store.read(section, folder));
        root.section("persistence", |section| self.persistence.read(section, folder));
        root.section("capture", |section| self.capture.read(section, folder));
        root.section("log", |section| self.log.read(section));
        root.section("traces", |section| self.traces.read(section));
        root.section("plugins", |section| self.plugins.read(section, folder));
        root.section("rejections", |section| self.rejections.read(section));
    }
}

impl Web {
    fn read(&mut self, web: &mut Section<'_, '_>, folder: &Path) {
        let address = text("an address such as \"127.0.0.1:9091\"", str::parse);
        web.key("listen_address", &list(address), &mut self.listen_address);
        web.key("systemd_socket", &boolean(), &mut self.systemd_socket);
        web.key("config_file", &file_in(folder), &mut self.config_file);
        web.key(
            "route_prefix",
            &text("a path such as \"/push\"", paths::route_prefix),
            &mut self.route_prefix,
        );
        let url = text("a URL such as \"https://example.org/push\"", paths::external_url);
        web.key("external_url", &url, &mut self.external_url);
        let path = text("a path such as \"/metrics\"", paths::telemetry_path);
        web.key("telemetry_path", &path, &mut self.telemetry_path);
        web.key("enable_lifecycle", &boolean(), &mut self.enable_lifecycle);
        web.key("enable_admin_api", &boolean(), &mut self.enable_admin_api);
        web.key("max_connections", &whole(1..=1_000_000), &mut self.max_connections);
        web.key("reserve_connections", &whole(1..=10_000), &mut self.reserve_connections);
        web.key("header_timeout", &duration(10 * MS..=HOUR), &mut self.header_timeout);
        web.key("body_timeout", &duration(10 * MS..=HOUR), &mut self.body_timeout);
        web.key("write_timeout", &duration(10 * MS..=HOUR), &mut self.write_timeout);
        web.key("drain_timeout", &duration(Duration::ZERO..=HOUR), &mut self.drain_timeout);
    }
}

impl Push {
    fn read(&mut self, push: &mut Section<'_, '_>) {
        push.key("max_body", &size(BYTE..=GIB), &mut self.max_body);
        push.key("max_decompressed", &size(BYTE..=GIB), &mut self.max_decompressed);
        push.key("max_series", &whole(1..=10_000_000), &mut self.max_series);
        push.key("max_labels", &whole(1..=1_000), &mut self.max_labels);
        push.key("max_name_length", &whole(1..=65_536), &mut self.max_name_length);
        push.key("max_label_value_length", &whole(1..=1_048_576), &mut self.max_label_value_length);
        push.key("max_concurrent", &whole(1..=1_000), &mut self.max_concurrent);
        push.key("max_in_flight", &size(ByteSize::mib(1)..=ByteSize::mib(64 << 10)), &mut self.max_in_flight);
        push.key("openmetrics", &boolean(), &mut self.openmetrics);
        push.key("lenient", &boolean(), &mut self.lenient);
        push.key("utf8_names", &boolean(), &mut self.utf8_names);
        push.key("disable_consistency_check", &boolean(), &mut self.disable_consistency_check);
    }
}

impl Scrape {
    fn read(&mut self, scrape: &mut Section<'_, '_>) {
        scrape.key("openmetrics", &boolean(), &mut self.openmetrics);
        let in_flight = size(ByteSize::mib(1)..=ByteSize::mib(64 << 10));
        scrape.key("max_in_flight", &in_flight, &mut self.max_in_flight);
    }
}

impl Store {
    fn read(&mut self, store: &mut Section<'_, '_>, folder: &Path) {
        store.key("max_groups", &whole(1..=100_000_000), &mut self.max_groups);
        store.key("max_series", &whole(1..=1_000_000_000), &mut self.max_series);
        store.key("path", &file_in(folder), &mut self.path);
        store.key(
            "durability",
            &text("\"none\", \"interval\" or \"always\"", str::parse),
            &mut self.durability,
        );
        store.key("interval", &duration(MS..=HOUR), &mut self.interval);
        self.retention.read(store);
    }
}

impl Persistence {
    fn read(&mut self, persistence: &mut Section<'_, '_>, folder: &Path) {
        persistence.key("file", &file_in(folder), &mut self.file);
        persistence.key("interval", &duration(Duration::ZERO..=WEEK), &mut self.interval);
    }
}

impl Capture {
    fn read(&mut self, capture: &mut Section<'_, '_>, folder: &Path) {
        capture.key("file", &file_in(folder), &mut self.file);
        capture.key("max_bytes", &size(ByteSize::kib(64)..=ByteSize::mib(64 << 10)), &mut self.max_bytes);
    }
}

/// A file, resolved against `folder`; the empty string is none.
fn file_in(folder: &Path) -> impl Kind<Value = Option<PathBuf>> {
    text("a file such as \"pushgate.data\"", |text| Ok((!text.is_empty()).then(|| folder.join(text))))
}

impl Log {
    fn read(&mut self, log: &mut Section<'_, '_>) {
        log.key("level", &text("\"debug\", \"info\", \"warn\" or \"error\"", str::parse), &mut self.level);
        log.key("format", &text("\"logfmt\" or \"json\"", str::parse), &mut self.format);
    }
}

impl Plugins {
    fn read(&mut self, plugins: &mut Section<'_, '_>, folder: &Path) {
        plugins.key("directory", &text("a folder such as \"plugins\"", policy::path), &mut self.directory);
        limits::read(&mut self.limits, plugins);
        plugins.key("breaker_faults", &whole(0..=1_000_000), &mut self.breaker.faults);
        plugins.key("breaker_window", &duration(10 * MS..=HOUR), &mut self.breaker.window);
        plugins.key("breaker_backoff", &duration(10 * MS..=HOUR), &mut self.breaker.backoff);
        plugins.key("cache_directory", &file_in(folder), &mut self.cache_directory);
        plugins.key("max_cache", &size(ByteSize::mib(1)..=ByteSize::mib(64 << 10)), &mut self.max_cache);
        plugins.key("memo", &size(ByteSize::bytes(0)..=GIB), &mut self.memo);
        plugins.key("counter_series", &whole(1..=100_000), &mut self.counter_series);
        plugins.key("state_size", &size(ByteSize::kib(1)..=GIB), &mut self.state_size);
        plugins.key("state_entries", &whole(1..=10_000_000), &mut self.state_entries);
        plugins.key("fetch_timeout", &duration(100 * MS..=HOUR), &mut self.fetch_timeout);
        plugins.key("ca_file", &file_in(folder), &mut self.ca_file);
        plugins.key("credentials_file", &file_in(folder), &mut self.credentials_file);
        plugins.key("lock_file", &text("a file such as \"plugins.lock\"", policy::path), &mut self.lock_file);
        plugins.key("locked", &boolean(), &mut self.locked);
        plugins.key("on_reject", &text("\"stop\" or \"collect\"", str::parse), &mut self.on_reject);
        plugins.key("watch", &boolean(), &mut self.watch);
    }
}

impl Rejections {
    fn read(&mut self, rejections: &mut Section<'_, '_>) {
        rejections.key("keep", &whole(0..=10_000), &mut self.keep);
        rejections.key("max_bytes", &size(ByteSize::kib(64)..=GIB), &mut self.max_bytes);
        let redact = any_list(text("\"labels\", \"values\" or \"config\"", str::parse));
        rejections.key("redact", &redact, &mut self.redact);
    }
}

#[cfg(test)]
mod tests {
    use pushgate_plugin_host::{BreakerSettings, Limits};

    use super::super::{Caller, OnReject, Redaction};
    use super::*;

    fn problems(section: &str, key: &str, value: &str) -> String {
        let text = format!("{section}\n{key} = {value}\n");
        Config::examine(&text, Path::new("c.toml")).1.to_string()
    }

    /// `at` is legal on both ends, `past` is not.
    fn check(section: &str, key: &str, at: [&str; 2], past: [&str; 2]) {
        for value in at {
            assert_eq!(problems(section, key, value), "", "{section} {key} = {value}");
        }
        for value in past {
            let told = problems(section, key, value);
            let place = format!("c.toml:2: {section} {key}: ");
            assert!(told.starts_with(&place) && told.contains("is out of bounds; allowed: "), "{told}");
        }
    }

    #[test]
    fn every_bound_holds_at_its_ends() {
        let hour = (["\"10ms\"", "\"1h\""], ["\"9ms\"", "\"1h1ms\""]);
        check("[web]", "max_connections", ["1", "1_000_000"], ["0", "1_000_001"]);
        check("[web]", "reserve_connections", ["1", "10_000"], ["0", "10_001"]);
        check("[web]", "header_timeout", hour.0, hour.1);
        check("[web]", "body_timeout", hour.0, hour.1);
        check("[web]", "write_timeout", hour.0, hour.1);
        check("[web]", "drain_timeout", ["\"0s\"", "\"1h\""], ["\"61m\"", "\"1h1ms\""]);
        check("[persistence]", "interval", ["\"0s\"", "\"7d\""], ["\"169h\"", "\"7d1ms\""]);
        check("[capture]", "max_bytes", ["\"64KiB\"", "\"64GiB\""], ["\"63KiB\"", "\"65GiB\""]);
        let gib = (["\"1B\"", "\"1GiB\""], ["\"0B\"", "\"1073741825B\""]);
        check("[push]", "max_body", gib.0, gib.1);
        check("[push]", "max_decompressed", gib.0, gib.1);
        check("[push]", "max_series", ["1", "10_000_000"], ["0", "10_000_001"]);
        check("[push]", "max_labels", ["1", "1_000"], ["0", "1_001"]);
        check("[push]", "max_name_length", ["1", "65_536"], ["0", "65_537"]);
        check("[push]", "max_label_value_length", ["1", "1_048_576"], ["0", "1_048_577"]);
        check("[push]", "max_concurrent", ["1", "1_000"], ["0", "1_001"]);
        check("[push]", "max_in_flight", ["\"1MiB\"", "\"64GiB\""], ["\"1023KiB\"", "\"65GiB\""]);
        check("[scrape]", "max_in_flight", ["\"1MiB\"", "\"64GiB\""], ["\"1023KiB\"", "\"65GiB\""]);
        check("[store]", "max_groups", ["1", "100_000_000"], ["0", "100_000_001"]);
        check("[store]", "max_series", ["1", "1_000_000_000"], ["-1", "1_000_000_001"]);
        check("[store]", "interval", ["\"1ms\"", "\"1h\""], ["\"0s\"", "\"1h1ms\""]);
        check("[plugins]", "fetch_timeout", ["\"100ms\"", "\"1h\""], ["\"99ms\"", "\"1h1ms\""]);
        check("[plugins]", "max_cache", ["\"1MiB\"", "\"64GiB\""], ["\"1023KiB\"", "\"65537MiB\""]);
        check("[plugins]", "memo", ["\"0B\"", "\"1GiB\""], ["\"1073741825B\"", "\"1025MiB\""]);
        check("[plugins]", "counter_series", ["1", "100_000"], ["0", "100_001"]);
        check("[plugins]", "state_size", ["\"1KiB\"", "\"1GiB\""], ["\"1023B\"", "\"1025MiB\""]);
        check("[plugins]", "state_entries", ["1", "10_000_000"], ["0", "10_000_001"]);
        check("[plugins]", "fuel_base", ["10_000", "1_000_000_000_000"], ["9_999", "1_000_000_000_001"]);
        check("[plugins]", "fuel_per_series", ["0", "1_000_000_000"], ["-1", "1_000_000_001"]);
        check("[plugins]", "deadline", hour.0, hour.1);
        check("[rejections]", "keep", ["0", "10_000"], ["-1", "10_001"]);
        check("[rejections]", "max_bytes", ["\"64KiB\"", "\"1GiB\""], ["\"63KiB\"", "\"1025MiB\""]);
        check("[plugins]", "memory", ["\"64KiB\"", "\"1GiB\""], ["\"63KiB\"", "\"1025MiB\""]);
        check("[plugins]", "max_log_lines", ["0", "10_000"], ["-1", "10_001"]);
        check("[plugins]", "max_findings", ["1", "10_000"], ["0", "10_001"]);
        for key in ["edits_base", "edits_per_series", "symbols_base", "symbols_per_series"] {
            check("[plugins]", key, ["0", "10_000_000"], ["-1", "10_000_001"]);
        }
        check("[plugins]", "max_symbol_length", ["1", "1_048_576"], ["0", "1_048_577"]);
        check("[plugins]", "data_base", ["\"64KiB\"", "\"1GiB\""], ["\"63KiB\"", "\"1025MiB\""]);
        check("[plugins]", "data_per_series", ["\"0B\"", "\"1MiB\""], ["\"1025KiB\"", "\"2MiB\""]);
        check("[plugins]", "breaker_faults", ["0", "1_000_000"], ["-1", "1_000_001"]);
        check("[plugins]", "breaker_window", hour.0, hour.1);
        check("[plugins]", "breaker_backoff", hour.0, hour.1);
        check("[plugins]", "instances", ["1", "1_000"], ["0", "1_001"]);
    }

    #[test]
    fn every_key_is_read_into_its_field() {
        let text = "
            [web]
            listen_address = [':1', '[::1]:2']
            systemd_socket = true
            config_file = 'web.yml'
            route_prefix = 'push/'
            external_url = 'https://example.org/other'
            telemetry_path = '/scrape'
            enable_lifecycle = true
            enable_admin_api = true
            max_connections = 2
            reserve_connections = 3
            header_timeout = '1s'
            body_timeout = '2s'
            write_timeout = '3s'
            drain_timeout = '4s'
            [caller]
            attributes = ['user', 'network']
            [push]
            max_body = '1KiB'
            max_decompressed = '2KiB'
            max_series = 3
            max_labels = 4
            max_name_length = 5
            max_label_value_length = 6
            max_concurrent = 7
            max_in_flight = '8MiB'
            openmetrics = true
            lenient = true
            utf8_names = true
            disable_consistency_check = true
            [scrape]
            openmetrics = true
            max_in_flight = '9MiB'
            [store]
            max_groups = 8
            max_series = 9
            path = 'journal.redb'
            durability = 'interval'
            interval = '2s'
            [persistence]
            file = '/var/lib/pushgate/data'
            interval = '200ms'
            [capture]
            file = 'pushes'
            max_bytes = '3MiB'
            [log]
            level = 'debug'
            format = 'json'
            [traces]
            endpoint = 'http://127.0.0.1:4318/'
            sample = 0.5
            [plugins]
            directory = 'p'
            fuel_base = 10_000
            fuel_per_series = 11
            deadline = '5s'
            memory = '1MiB'
            max_log_lines = 12
            max_findings = 13
            edits_base = 14
            edits_per_series = 15
            symbols_base = 16
            symbols_per_series = 17
            max_symbol_length = 18
            data_base = '1MiB'
            data_per_series = '2B'
            instances = 19
            breaker_faults = 20
            breaker_window = '21s'
            breaker_backoff = '22s'
            cache_directory = 'cache'
            max_cache = '14MiB'
            memo = '14MiB'
            counter_series = 14
            state_size = '15KiB'
            state_entries = 16
            fetch_timeout = '15s'
            ca_file = 'ca.pem'
            credentials_file = 'auth.json'
            lock_file = 'my.lock'
            locked = true
            on_reject = 'collect'
            watch = true
            [rejections]
            keep = 14
            max_bytes = '2MiB'
            redact = ['config', 'labels', 'values']
            [[rights]]
            verbs = ['scrape']
        ";
        let seconds = Duration::from_secs;
        let expected = Config {
            web: Web {
                listen_address: vec![":1".parse().unwrap(), "[::1]:2".parse().unwrap()],
                systemd_socket: true,
                config_file: Some("/etc/pushgate/web.yml".into()),
                route_prefix: Some("/push".to_owned()),
                external_url: Some("https://example.org/other".to_owned()),
                telemetry_path: "/scrape".to_owned(),
                enable_lifecycle: true,
                enable_admin_api: true,
                max_connections: 2,
                reserve_connections: 3,
                header_timeout: seconds(1),
                body_timeout: seconds(2),
                write_timeout: seconds(3),
                drain_timeout: seconds(4),
            },
            caller: Caller { attributes: vec!["network".parse().unwrap(), "user".parse().unwrap()] },
            push: Push {
                max_body: ByteSize::kib(1),
                max_decompressed: ByteSize::kib(2),
                max_series: 3,
                max_labels: 4,
                max_name_length: 5,
                max_label_value_length: 6,
                max_concurrent: 7,
                max_in_flight: ByteSize::mib(8),
                openmetrics: true,
                lenient: true,
                utf8_names: true,
                disable_consistency_check: true,
            },
            scrape: Scrape { openmetrics: true, max_in_flight: ByteSize::mib(9) },
            store: Store {
                max_groups: 8,
                max_series: 9,
                path: Some("/etc/pushgate/journal.redb".into()),
                durability: super::super::Durability::Interval,
                interval: seconds(2),
                retention: super::super::Retention::default(),
            },
            persistence: Persistence {
                file: Some("/var/lib/pushgate/data".into()),
                interval: Duration::from_millis(200),
            },
            capture: Capture { file: Some("/etc/pushgate/pushes".into()), max_bytes: ByteSize::mib(3) },
            traces: super::super::Traces { endpoint: Some("http://127.0.0.1:4318".to_owned()), sample: 0.5 },
            log: Log { level: super::super::Level::Debug, format: super::super::Format::Json },
            plugins: Plugins {
                directory: "/etc/pushgate/p".into(),
                limits: Limits {
                    fuel_base: 10_000,
                    fuel_per_series: 11,
                    deadline: seconds(5),
                    memory: 1 << 20,
                    log_lines: 12,
                    findings: 13,
                    edits_base: 14,
                    edits_per_series: 15,
                    symbols_base: 16,
                    symbols_per_series: 17,
                    symbol_length: 18,
                    data_base: 1 << 20,
                    data_per_series: 2,
                    warm_instances: 19,
                },
                breaker: BreakerSettings { faults: 20, window: seconds(21), backoff: seconds(22) },
                cache_directory: Some("/etc/pushgate/cache".into()),
                max_cache: ByteSize::mib(14),
                memo: ByteSize::mib(14),
                counter_series: 14,
                state_size: ByteSize::kib(15),
                state_entries: 16,
                fetch_timeout: seconds(15),
                ca_file: Some("/etc/pushgate/ca.pem".into()),
                credentials_file: Some("/etc/pushgate/auth.json".into()),
                lock_file: "/etc/pushgate/my.lock".into(),
                locked: true,
                on_reject: OnReject::Collect,
                watch: true,
            },
            rejections: Rejections {
                keep: 14,
                max_bytes: ByteSize::mib(2),
                redact: vec![Redaction::Config, Redaction::Labels, Redaction::Values],
            },
            rights: Config::parse("[[rights]]\nverbs = ['scrape']\n", Path::new("c.toml")).unwrap().rights,
            chain: Vec::new(),
        };
        assert_eq!(Config::parse(text, Path::new("/etc/pushgate/config.toml")), Ok(expected));
    }

    #[test]
    fn the_prefix_is_the_path_of_the_external_url_unless_it_is_set() {
        for (text, expected) in [
            ("", ""),
            ("external_url = 'https://example.org/push/'", "/push"),
            ("external_url = 'https://example.org/push'\nroute_prefix = '/in'", "/in"),
            ("external_url = 'https://example.org/push'\nroute_prefix = '/'", ""),
            ("external_url = 'https://example.org/push'\nroute_prefix = ''", "/push"),
            ("external_url = ''\nroute_prefix = 'in'", "/in"),
        ] {
            let config = Config::parse(&format!("[web]\n{text}\n"), Path::new("c.toml")).unwrap();
            assert_eq!(config.web.prefix(), expected, "{text}");
        }
    }

    #[test]
    fn a_file_that_is_empty_is_none() {
        let text = "[web]\nconfig_file = ''\n[persistence]\nfile = ''\n";
        assert_eq!(Config::parse(text, Path::new("c.toml")), Ok(Config::default()));
    }
}
