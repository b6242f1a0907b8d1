//! The whole configuration as a file again: every key with the value that holds and, behind it, where that comes
//! from. It reads back as the same configuration.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;
use toml::de::{DeTable, DeValue};

use super::section::line_at;
use super::{ByteSize, Config, Policy, duration, limits};

/// Where the keys of a file stand.
#[derive(Debug, Default)]
pub struct KeyLines(BTreeMap<(String, String), usize>);

impl KeyLines {
    /// Finds the keys of all sections. The place of an entry of `[[plugin]]` is `plugin.0`, `plugin.1`, ...; it is
    /// likewise with `[[rights]]`.
    pub fn of(text: &str) -> Self {
        let (document, _) = DeTable::parse_recoverable(text);
        let mut lines = Self::default();
        for (section, value) in document.get_ref().iter() {
            let section = section.get_ref();
            match value.get_ref() {
                DeValue::Table(table) => lines.add(text, section, table),
                DeValue::Array(entries) => {
                    for (index, entry) in entries.iter().enumerate() {
                        if let DeValue::Table(table) = entry.get_ref() {
                            lines.add(text, &format!("{section}.{index}"), table);
                        }
                    }
                }
                _ => {}
            }
        }
        lines
    }

    fn add(&mut self, text: &str, place: &str, table: &DeTable<'_>) {
        for (key, _) in table.iter() {
            self.0.insert((place.to_owned(), key.get_ref().to_string()), line_at(text, key.span().start));
        }
    }

    /// The line of a key, from 1, if the file has it.
    pub fn line(&self, place: &str, key: &str) -> Option<usize> {
        self.0.get(&(place.to_owned(), key.to_owned())).copied()
    }
}

/// A key of a section with its value as it is written in a file; `None` when it is not set.
pub(super) type Row = (&'static str, Option<String>);

impl Config {
    /// The configuration as a file. `origin` says where the value of a key comes from, if it is not the default;
    /// places are those of [`KeyLines`].
    pub fn show(&self, origin: impl Fn(&str, &str) -> Option<String>) -> String {
        let mut page = String::new();
        let row = |page: &mut String, place: &str, row: &Row, default: &str| {
            let (key, value) = row;
            let origin = origin(place, key).unwrap_or_else(|| default.to_owned());
            let _ = match value {
                Some(value) => writeln!(page, "{key} = {value} # {origin}"),
                None => writeln!(page, "# {key} is not set # {origin}"),
            };
        };
        for (section, rows) in self.sections() {
            let _ = writeln!(page, "{}[{section}]", if page.is_empty() { "" } else { "\n" });
            rows.iter().for_each(|key| row(&mut page, section, key, "default"));
        }
        for (index, keys) in self.rights.rows().enumerate() {
            page.push_str("\n[[rights]]\n");
            let place = format!("rights.{index}");
            keys.iter().for_each(|key| row(&mut page, &place, key, "default"));
        }
        for (index, policy) in self.chain.iter().enumerate() {
            page.push_str("\n[[plugin]]\n");
            let place = format!("plugin.{index}");
            policy
                .rows(&self.plugins.directory)
                .iter()
                .for_each(|key| row(&mut page, &place, key, "default"));
            limits::rows(&policy.limits).iter().for_each(|key| row(&mut page, &place, key, "[plugins]"));
            row(&mut page, &place, &("config", Some(toml_of(&policy.config))), "default");
        }
        page
    }

    /// The keys that have another value in `other`, as `section.key`. Rights and the plugin chain are not looked at.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let flat = |config: &Self| -> Vec<(String, Option<String>)> {
            let sections = config.sections().into_iter();
            let name = |section, key| format!("{section}.{key}");
            sections
                .flat_map(|(section, rows)| {
                    rows.into_iter().map(move |(key, value)| (name(section, key), value))
                })
                .collect()
        };
        let pairs = flat(self).into_iter().zip(flat(other));
        pairs.filter(|((_, one), (_, two))| one != two).map(|((name, _), _)| name).collect()
    }

    fn sections(&self) -> Vec<(&'static str, Vec<Row>)> {
        let Self {
            web,
            caller,
            push,
            scrape,
            store,
            persistence,
            capture,
            log,
            traces,
            plugins,
            rejections,
            rights: _,
            chain: _,
        } = self;
        let addresses = web.listen_address.iter().map(|address| Value::from(address.to_string()));
        let attributes = caller.attributes.iter().map(|attribute| Value::from(attribute.as_str()));
        let mut stored = vec![
            ("max_groups", shown(&store.max_groups)),
            ("max_series", shown(&store.max_series)),
            ("path", store.path.as_deref().map(quoted_path)),
            ("durability", Some(quoted(store.durability.as_str()))),
            ("interval", shown_duration(store.interval)),
        ];
        stored.extend(store.retention.rows());
        let redact = rejections.redact.iter().map(|what| Value::from(what.as_str()));
        let mut shared = vec![("directory", Some(quoted_path(&plugins.directory)))];
        shared.extend(limits::rows(&plugins.limits));
        shared.push(("breaker_faults", shown(&plugins.breaker.faults)));
        shared.push(("breaker_window", shown_duration(plugins.breaker.window)));
        shared.push(("breaker_backoff", shown_duration(plugins.breaker.backoff)));
        shared.push(("cache_directory", plugins.cache_directory.as_deref().map(quoted_path)));
        shared.push(("max_cache", Some(quoted(&plugins.max_cache.to_string()))));
        shared.push(("memo", Some(quoted(&plugins.memo.to_string()))));
        shared.push(("counter_series", shown(&plugins.counter_series)));
        shared.push(("state_size", Some(quoted(&plugins.state_size.to_string()))));
        shared.push(("state_entries", shown(&plugins.state_entries)));
        shared.push(("fetch_timeout", shown_duration(plugins.fetch_timeout)));
        shared.push(("ca_file", plugins.ca_file.as_deref().map(quoted_path)));
        shared.push(("credentials_file", plugins.credentials_file.as_deref().map(quoted_path)));
        shared.push(("lock_file", Some(quoted_path(&plugins.lock_file))));
        shared.push(("locked", shown(&plugins.locked)));
        shared.push(("on_reject", Some(quoted(plugins.on_reject.as_str()))));
        shared.push(("watch", shown(&plugins.watch)));
        vec![
            (
                "web",
                vec![
                    ("listen_address", Some(toml_of(&addresses.collect()))),
                    ("systemd_socket", shown(&web.systemd_socket)),
                    ("config_file", web.config_file.as_deref().map(quoted_path)),
                    ("route_prefix", web.route_prefix.as_deref().map(written_prefix)),
                    ("external_url", web.external_url.as_deref().map(quoted)),
                    ("telemetry_path", Some(quoted(&web.telemetry_path))),
                    ("enable_lifecycle", shown(&web.enable_lifecycle)),
                    ("enable_admin_api", shown(&web.enable_admin_api)),
                    ("max_connections", shown(&web.max_connections)),
                    ("reserve_connections", shown(&web.reserve_connections)),
                    ("header_timeout", shown_duration(web.header_timeout)),
                    ("body_timeout", shown_duration(web.body_timeout)),
                    ("write_timeout", shown_duration(web.write_timeout)),
                    ("drain_timeout", shown_duration(web.drain_timeout)),
                ],
            ),
            ("caller", vec![("attributes", Some(toml_of(&attributes.collect())))]),
            (
                "push",
                vec![
                    ("max_body", Some(quoted(&push.max_body.to_string()))),
                    ("max_decompressed", Some(quoted(&push.max_decompressed.to_string()))),
                    ("max_series", shown(&push.max_series)),
                    ("max_labels", shown(&push.max_labels)),
                    ("max_name_length", shown(&push.max_name_length)),
                    ("max_label_value_length", shown(&push.max_label_value_length)),
                    ("max_concurrent", shown(&push.max_concurrent)),
                    ("max_in_flight", Some(quoted(&push.max_in_flight.to_string()))),
                    ("openmetrics", shown(&push.openmetrics)),
                    ("lenient", shown(&push.lenient)),
                    ("utf8_names", shown(&push.utf8_names)),
                    ("disable_consistency_check", shown(&push.disable_consistency_check)),
                ],
            ),
            (
                "scrape",
                vec![
                    ("openmetrics", shown(&scrape.openmetrics)),
                    ("max_in_flight", Some(quoted(&scrape.max_in_flight.to_string()))),
                ],
            ),
            ("store", stored),
            (
                "persistence",
                vec![
                    ("file", persistence.file.as_deref().map(quoted_path)),
                    ("interval", shown_duration(persistence.interval)),
                ],
            ),
            (
                "capture",
                vec![
                    ("file", capture.file.as_deref().map(quoted_path)),
                    ("max_bytes", Some(quoted(&capture.max_bytes.to_string()))),
                ],
            ),
            (
                "log",
                vec![
                    ("level", Some(quoted(log.level.as_str()))),
                    ("format", Some(quoted(log.format.as_str()))),
                ],
            ),
            ("traces", traces.rows()),
            ("plugins", shared),
            (
                "rejections",
                vec![
                    ("keep", shown(&rejections.keep)),
                    ("max_bytes", Some(quoted(&rejections.max_bytes.to_string()))),
                    ("redact", Some(toml_of(&redact.collect()))),
                ],
            ),
        ]
    }
}

impl Policy {
    /// `directory` is taken off the source again, as reading puts it on.
    fn rows(&self, directory: &Path) -> Vec<Row> {
        let grants = self.grants.iter().map(|capability| Value::from(capability.as_str()));
        // What a shadow has from another one cannot be set for it.
        let own = |value| self.shadow_of.is_none().then_some(value);
        let mut rows = vec![
            ("name", Some(quoted(&self.name))),
            ("source", Some(quoted(&self.written_source(directory)))),
            ("digest", self.digest.map(|digest| quoted(&digest.to_string()))),
            ("signed_by", self.signed_by.as_deref().map(quoted_path)),
            ("mode", own(quoted(self.mode.as_str()))),
            ("fail", own(quoted(self.fail.as_str()))),
            ("shadow_of", self.shadow_of.as_deref().map(quoted)),
        ];
        rows.extend(self.scope.shown().map(|(key, value)| (key, own(toml_of(&value)))));
        rows.push(("grants", Some(toml_of(&grants.collect()))));
        rows
    }
}

pub(super) fn shown(value: &impl ToString) -> Option<String> {
    Some(value.to_string())
}

pub(super) fn shown_duration(value: std::time::Duration) -> Option<String> {
    Some(quoted(&duration::show(value)))
}

fn quoted_path(path: &Path) -> String {
    quoted(&path.to_string_lossy())
}

/// The empty prefix is written `/`: the empty string would leave it to the external URL.
fn written_prefix(prefix: &str) -> String {
    quoted(if prefix.is_empty() { "/" } else { prefix })
}

pub(super) fn shown_size(bytes: u64) -> Option<String> {
    Some(quoted(&ByteSize::bytes(bytes).to_string()))
}

/// A basic string. Whatever TOML does not take as it is, is escaped.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        let _ = match character {
            '"' | '\\' => write!(quoted, "\\{character}"),
            '\n' => write!(quoted, "\\n"),
            '\t' => write!(quoted, "\\t"),
            control if control.is_control() => write!(quoted, "\\u{:04X}", u32::from(control)),
            plain => write!(quoted, "{plain}"),
        };
    }
    quoted + "\""
}

/// A value on one line. The reader lets no null in.
pub(super) fn toml_of(value: &Value) -> String {
    match value {
        Value::Null => "\"\"".to_owned(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::String(text) => quoted(text),
        Value::Array(elements) => {
            format!("[{}]", elements.iter().map(toml_of).collect::<Vec<_>>().join(", "))
        }
        Value::Object(entries) if entries.is_empty() => "{}".to_owned(),
        Value::Object(entries) => {
            let entry = |(key, value): (&String, &Value)| format!("{} = {}", quoted_key(key), toml_of(value));
            format!("{{ {} }}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
    }
}

fn quoted_key(key: &str) -> String {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if !key.is_empty() && key.bytes().all(bare) { key.to_owned() } else { quoted(key) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERYTHING: &str = "
        [web]
        listen_address = [':1', '[::1]:2']
        config_file = '/etc/web.yml'
        route_prefix = '/'
        external_url = '/x'
        header_timeout = '90s'
        [caller]
        attributes = ['user', 'header:x-team', 'network']
        [store]
        ttl = '1d'
        [[store.jobs]]
        job = 'x\\d\"'
        ttl = '0s'
        max_series = 7
        [persistence]
        file = '/var/lib/data'
        interval = '1.5ms'
        [capture]
        file = '/var/lib/pushes'
        max_bytes = '1MiB'
        [log]
        level = 'warn'
        [[rights]]
        user = 'ci-.*'
        verbs = ['push', 'delete']
        jobs = 'a\\d'
        [[rights]]
        tls_san = 'db'
        verbs = ['admin']
        [[rights]]
        name = 'ci'
        token_sha256 = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
        verbs = ['scrape']
        [[rights]]
        verbs = ['push']
        [plugins]
        memory = '1MiB'
        cache_directory = '/var/cache/pushgate'
        ca_file = '/etc/ca.pem'
        [rejections]
        redact = ['values']
        [[plugin]]
        name = 'a'
        source = 'a.wasm'
        mode = 'monitor'
        fail = 'open'
        match = { job = 'x\\d\"', _team = '' }
        match_methods = ['DELETE', 'PUT']
        match_caller = { user = 'ci-.*', 'header:x-team' = '', network = '10.0.0.0/8' }
        fuel_base = 20_000
        [plugin.config]
        \"a.b\" = [1, -2.5, true, 'x', { y = [] }]
        '' = \"\\\"\\\\\\n\\t\\u0000\\u007F\\u0085ä\"
        [[plugin]]
        name = 'b'
        source = 'oci://ghcr.io/acme/b:1'
        digest = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
        signed_by = '/etc/b.pub'
        shadow_of = 'a'
    ";

    #[test]
    fn what_is_shown_reads_back_as_the_same_configuration() {
        for text in ["", EVERYTHING] {
            let config = Config::parse(text, Path::new("c.toml")).unwrap();
            let shown = config.show(|_, _| None);
            let read = Config::parse(&shown, Path::new("c.toml"));
            assert_eq!(read.as_ref(), Ok(&config), "{shown}");
            assert_eq!(config.differences(&read.unwrap()), [""; 0]);
        }
    }

    /// The keys are asked of the reader, which lists them when it meets one that it does not know.
    #[test]
    fn every_key_is_shown() {
        let shown = Config::parse(EVERYTHING, Path::new("c.toml")).unwrap().show(|_, _| None);
        let known = |text: &str| {
            let problems = Config::examine(text, Path::new("c.toml")).1.to_string();
            problems.rsplit_once("allowed: ").unwrap().1.split(", ").map(str::to_owned).collect::<Vec<_>>()
        };
        for section in known("zzzz = 1") {
            let header = match section.as_str() {
                "plugin" => "[[plugin]]\nname = 'x'\nsource = 'x'".to_owned(),
                // An entry has the keys of one kind of caller; there is one of each.
                "rights" => "[[rights]]\nverbs = ['push']".to_owned(),
                _ => format!("[{section}]"),
            };
            let of_section = |part: &&str| part.starts_with(header.lines().next().unwrap());
            let part: String = shown.split("\n\n").filter(of_section).collect();
            assert!(!part.is_empty(), "{section}");
            for key in known(&format!("{header}\nzzzz = 1\n")) {
                let there = part.lines().any(|line| {
                    line.starts_with(&format!("{key} = ")) || line.starts_with(&format!("# {key} is not set"))
                });
                assert!(there, "[{section}] {key} in\n{part}");
            }
        }
    }

    #[test]
    fn keys_are_found_in_the_file() {
        let lines = KeyLines::of(
            "[web]\nlisten_address = [':1']\n[[plugin]]\nname = 'a'\n[[plugin]]\n\nname = 'b'\n",
        );
        for (place, key, line) in [
            ("web", "listen_address", Some(2)),
            ("plugin.0", "name", Some(4)),
            ("plugin.1", "name", Some(7)),
            ("web", "name", None),
            ("plugin.2", "name", None),
        ] {
            assert_eq!(lines.line(place, key), line, "{place} {key}");
        }
    }

    #[test]
    fn differences_are_named() {
        let config = Config::parse(EVERYTHING, Path::new("c.toml")).unwrap();
        let other = Config::parse("[log]\nlevel = 'debug'\n", Path::new("c.toml")).unwrap();
        assert_eq!(Config::default().differences(&other), ["log.level"]);
        assert_eq!(
            Config::default().differences(&config),
            [
                "web.listen_address",
                "web.config_file",
                "web.route_prefix",
                "web.external_url",
                "web.header_timeout",
                "caller.attributes",
                "store.ttl",
                "store.jobs",
                "persistence.file",
                "persistence.interval",
                "capture.file",
                "capture.max_bytes",
                "log.level",
                "plugins.memory",
                "plugins.cache_directory",
                "plugins.ca_file",
                "rejections.redact"
            ]
        );
    }
}
