//! `[[plugin]]`: one configured plugin, that is a policy, and where in the file its settings stand.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use pushgate_plugin_host::{Capability, Limits, UnknownCapability};
use pushgate_plugin_source::{Digest, Source};
use serde_json::Value;
use toml::Spanned;
use toml::de::DeValue;

use super::json::Json;
use super::kind;
use super::problem::Problem;
use super::scope::Scope;
use super::section::Section;
use super::{Caller, Plugins, limits, shadow};

/// One configured plugin of the chain. The chain runs in the order of the file.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// Names the policy in findings, logs and metrics; no two policies have the same.
    pub name: String,
    /// Where the plugin comes from; a file is resolved against `plugins.directory`. Nobody has looked whether it
    /// exists.
    pub source: Source,
    /// What the plugin must be.
    pub digest: Option<Digest>,
    /// The public key of whoever must have signed it, resolved against the folder of the configuration file.
    pub signed_by: Option<PathBuf>,
    /// What its outcome is good for.
    pub mode: Mode,
    /// What becomes of a push when the plugin has a fault.
    pub fail: Fail,
    /// The policy that it is a candidate for the place of: it is asked beside that one, and changes nothing.
    pub shadow_of: Option<String>,
    /// The pushes it is run for.
    pub scope: Scope,
    /// What it may use and answer: its own settings over those of `[plugins]`.
    pub limits: Limits,
    /// The interfaces of the host that the plugin may use.
    pub grants: Vec<Capability>,
    /// What the plugin is configured with, always a JSON object.
    pub config: Value,
    /// Where all this stands.
    pub lines: Lines,
}

/// What the outcome of a policy is good for.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Mode {
    /// Its rejections refuse a push and its edits change it.
    #[default]
    Enforce,
    /// It is run, logged and counted, and changes nothing.
    Monitor,
    /// It is loaded and checked, and never run.
    Off,
}

/// What becomes of a push when a plugin traps, runs out of its limits or answers nonsense.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Fail {
    /// The push is refused: nothing enters unchecked.
    #[default]
    Closed,
    /// The push goes on as if the plugin were not there.
    Open,
}

/// What follows when a plugin rejects a push.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum OnReject {
    /// Nothing: the others are not asked.
    #[default]
    Stop,
    /// The others are asked as well, so that all reasons are told at once.
    Collect,
}

/// The lines, from 1, that a policy is written in. Two policies are equal wherever they stand.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    /// Its `[[plugin]]` header.
    pub entry: usize,
    /// Its `source`.
    pub source: usize,
    /// Its `signed_by`, or the header when there is none.
    pub signed_by: usize,
    /// Its `grants`, or the header when there are none.
    pub grants: usize,
    /// Its `[plugin.config]`, or the header when there is none.
    pub config: usize,
    /// Each value of its configuration, by RFC 6901 pointer.
    pub values: BTreeMap<String, usize>,
}

impl PartialEq for Lines {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Policy {
    /// A problem with the plugin's file: it is not there, or no plugin.
    pub fn source_problem(&self, message: impl Into<String>) -> Problem {
        let place = format!("[[plugin]] '{}' source", self.name);
        Problem { line: Some(self.lines.source), place, message: message.into() }
    }

    /// A problem with the key that the plugin must be signed by.
    pub fn key_problem(&self, message: impl Into<String>) -> Problem {
        let place = format!("[[plugin]] '{}' signed_by", self.name);
        Problem { line: Some(self.lines.signed_by), place, message: message.into() }
    }

    /// The files of this machine that it is made of: the plugin, unless that is fetched, and the key.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        let plugin = match &self.source {
            Source::File(file) => Some(file.as_path()),
            _ => None,
        };
        plugin.into_iter().chain(self.signed_by.as_deref())
    }

    /// The source as it is written in the file: `directory` is taken off again, as reading puts it on.
    pub fn written_source(&self, directory: &Path) -> String {
        match &self.source {
            Source::File(path) => path.strip_prefix(directory).unwrap_or(path).to_string_lossy().into_owned(),
            remote => remote.to_string(),
        }
    }

    /// A problem with what the plugin may do: it can do more.
    pub fn grants_problem(&self, message: impl Into<String>) -> Problem {
        let place = format!("[[plugin]] '{}' grants", self.name);
        Problem { line: Some(self.lines.grants), place, message: message.into() }
    }

    /// A problem that the plugin has with its configuration, told with the line of the value that the
    /// plugin points at. A pointer to what is not there, such as a missing key, leads to what would hold it.
    pub fn config_problem(&self, pointer: &str, message: impl Into<String>) -> Problem {
        let mut holder = pointer;
        let line = loop {
            if let Some(line) = self.lines.values.get(holder) {
                break *line;
            }
            match holder.rsplit_once('/') {
                Some((shorter, _)) => holder = shorter,
                None => break self.lines.config,
            }
        };
        let place = format!("[[plugin]] '{}' config{pointer}", self.name);
        Problem { line: Some(line), place, message: message.into() }
    }
}

impl Mode {
    /// Its name, which [`FromStr`] reads.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Monitor => "monitor",
            Self::Off => "off",
        }
    }
}

impl FromStr for Mode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "enforce" => Ok(Self::Enforce),
            "monitor" => Ok(Self::Monitor),
            "off" => Ok(Self::Off),
            _ => Err(format!("'{text}' is not a mode; allowed: enforce, monitor, off")),
        }
    }
}

impl Fail {
    /// Its name, which [`FromStr`] reads.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
        }
    }
}

impl FromStr for Fail {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "closed" => Ok(Self::Closed),
            "open" => Ok(Self::Open),
            _ => Err(format!("'{text}' is not a way to fail; allowed: closed, open")),
        }
    }
}

impl OnReject {
    /// Its name, which [`FromStr`] reads.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Collect => "collect",
        }
    }
}

impl FromStr for OnReject {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "stop" => Ok(Self::Stop),
            "collect" => Ok(Self::Collect),
            _ => Err(format!("'{text}' is nothing that can follow; allowed: stop, collect")),
        }
    }
}

/// Reads the list `[[plugin]]`. A policy without a legal name or source is left out; every other illegal
/// value leaves its default, so that the plugin can still be checked.
pub(super) fn read_chain(
    root: &mut Section<'_, '_>,
    plugins: &Plugins,
    caller: &Caller,
    folder: &Path,
) -> Vec<Policy> {
    let Some(value) = root.take("plugin") else {
        return Vec::new();
    };
    let wrong_type =
        |value: &Spanned<DeValue<'_>>| kind::wrong_type(value, "a list of tables", "write [[plugin]]");
    let DeValue::Array(entries) = value.get_ref() else {
        root.refuse("plugin", wrong_type(value));
        return Vec::new();
    };
    shadow::check(entries, root.findings());
    let mut chain: Vec<Policy> = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        let DeValue::Table(table) = entry.get_ref() else {
            root.refuse("plugin", wrong_type(entry));
            continue;
        };
        let offset = entry.span().start;
        let findings = root.findings();
        let mut section = Section::new(findings, format!("[[plugin]] {}", index + 1), offset, table);
        let policy = read_policy(&mut section, offset, plugins, caller, folder);
        section.finish();
        let Some(policy) = policy else { continue };
        if let Some(first) = chain.iter().find(|other| other.name == policy.name) {
            let message = format!("line {} has a plugin of this name already", first.lines.entry);
            findings.add(offset, format!("[[plugin]] '{}'", policy.name), message);
        } else {
            chain.push(policy);
        }
    }
    chain
}

fn read_policy(
    section: &mut Section<'_, '_>,
    offset: usize,
    plugins: &Plugins,
    caller: &Caller,
    folder: &Path,
) -> Option<Policy> {
    let name = section.required("name", &kind::text("a name such as \"naming\"", name_of));
    if let Some(name) = &name {
        section.rename(format!("[[plugin]] '{name}'"));
    }
    let source =
        section.required("source", &kind::text("a file such as \"naming.wasm\"", str::parse::<Source>));
    let digest = kind::text("a digest such as \"sha256:...\"", |text| {
        text.parse::<Digest>().map_err(|error| error.to_string())
    });
    let digest = section.optional("digest", &digest);
    let signed_by = section.optional("signed_by", &kind::text("a file such as \"team.pub\"", path));
    let mut mode = Mode::default();
    section.key("mode", &kind::text("\"enforce\", \"monitor\" or \"off\"", str::parse), &mut mode);
    let mut fail = Fail::default();
    section.key("fail", &kind::text("\"closed\" or \"open\"", str::parse), &mut fail);
    let shadow_of = section.optional("shadow_of", &kind::text("the name of another plugin", name_of));
    let scope = Scope::read(section, caller);
    let mut grants = Vec::new();
    section.key(
        "grants",
        &kind::any_list(kind::text("a capability such as \"clock\"", capability)),
        &mut grants,
    );
    let mut limits = plugins.limits;
    limits::read(&mut limits, section);
    let (config, mut lines) = read_config(section);
    lines.entry = section.findings().line(offset);
    lines.source = section.line_of("source").unwrap_or(lines.entry);
    lines.grants = section.line_of("grants").unwrap_or(lines.entry);
    lines.signed_by = section.line_of("signed_by").unwrap_or(lines.entry);
    let source = match source? {
        Source::File(path) => Source::File(plugins.directory.join(path)),
        remote => remote,
    };
    let (name, signed_by) = (name?, signed_by.map(|key| folder.join(key)));
    Some(Policy {
        name,
        source,
        digest,
        signed_by,
        mode,
        fail,
        shadow_of,
        scope,
        limits,
        grants,
        config,
        lines,
    })
}

fn read_config(section: &mut Section<'_, '_>) -> (Value, Lines) {
    let mut lines = Lines { config: section.line(), ..Lines::default() };
    let json = match section.table("config") {
        Some((table, offset)) => {
            lines.config = section.findings().line(offset);
            Json::of(table)
        }
        None => Json::default(),
    };
    for (pointer, refusal) in json.refused {
        section.refuse(&format!("config{pointer}"), refusal);
    }
    let findings = section.findings();
    let values = json.offsets.into_iter().map(|(pointer, offset)| (pointer, findings.line(offset)));
    lines.values = values.collect();
    (Value::Object(json.value), lines)
}

/// A policy's name is a metric label and the first word of a finding's line.
fn name_of(text: &str) -> Result<String, String> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if (1..=64).contains(&text.len()) && text.bytes().all(legal) {
        Ok(text.to_owned())
    } else {
        Err(format!("'{text}' is not a name; allowed: up to 64 letters, digits, '-', '_' and '.'"))
    }
}

fn capability(text: &str) -> Result<Capability, String> {
    text.parse().map_err(|error: UnknownCapability| error.to_string())
}

pub(super) fn path(text: &str) -> Result<PathBuf, String> {
    if text.is_empty() { Err("the path is empty".to_owned()) } else { Ok(Path::new(text).to_owned()) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::Config;

    fn examine(text: &str) -> (Vec<Policy>, String) {
        let (config, problems) = Config::examine(text, Path::new("/etc/c.toml"));
        (config.chain, problems.to_string())
    }

    #[test]
    fn a_policy_has_the_shared_settings_unless_it_has_its_own() {
        let (chain, problems) = examine(
            "[plugins]\ndirectory = 'wasm'\nfuel_base = 20_000\nmemory = '2MiB'\n\
             [[plugin]]\nname = 'a'\nsource = 'a.wasm'\n\
             [[plugin]]\nname = 'b'\nsource = '/opt/b.wasm'\nmode = 'monitor'\nfail = 'open'\n\
             match = { job = 'batch_.*' }\ngrants = ['log']\nfuel_base = 30_000\nfuel_per_series = 5\nmemory = '1MiB'\n\
             [plugin.config]\nallowed = ['x']\n",
        );
        assert_eq!(problems, "");
        let [a, b] = chain.as_slice() else { panic!("two policies") };
        let shared = Limits { fuel_base: 20_000, memory: 2 << 20, ..Limits::default() };
        let source = Source::File("/etc/wasm/a.wasm".into());
        assert_eq!((&a.source, a.mode, a.fail, a.limits), (&source, Mode::Enforce, Fail::Closed, shared));
        assert_eq!(a.config, json!({}));
        assert_eq!(a.scope, Scope::default());
        let own = Limits { fuel_base: 30_000, fuel_per_series: 5, memory: 1 << 20, ..Limits::default() };
        let source = Source::File("/opt/b.wasm".into());
        assert_eq!((&b.source, b.mode, b.fail, b.limits), (&source, Mode::Monitor, Fail::Open, own));
        assert_eq!(b.config, json!({"allowed": ["x"]}));
        assert_eq!((a.grants.as_slice(), b.grants.as_slice()), (&[][..], &[Capability::Log][..]));
        assert!(b.scope.covers_group(|_| Some("batch_1")) && !b.scope.covers_group(|_| Some("web")));
    }

    #[test]
    fn a_source_may_be_remote_and_say_what_it_must_be() {
        let empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let (chain, problems) = examine(&format!(
            "[[plugin]]\nname = 'a'\nsource = 'oci://ghcr.io/acme/a:1'\ndigest = '{empty}'\nsigned_by = 'acme.pub'\n"
        ));
        assert_eq!(problems, "");
        assert_eq!(chain[0].written_source(Path::new("/etc")), "oci://ghcr.io/acme/a:1");
        assert_eq!(chain[0].digest, Some(Digest::of(b"")));
        assert_eq!(chain[0].signed_by.as_deref(), Some(Path::new("/etc/acme.pub")));
        for (line, expected) in [
            (
                "source = 'http://example.org/a.wasm'",
                ":2: [[plugin]] 'a' source: 'http://example.org/a.wasm' is not encrypted",
            ),
            (
                "source = 'a.wasm'\ndigest = 'sha256:1'",
                ":3: [[plugin]] 'a' digest: 'sha256:1' is not a digest",
            ),
        ] {
            let (_, problems) = examine(&format!("[[plugin]]\n{line}\nname = 'a'\n"));
            assert!(problems.contains(expected), "{problems}");
        }
    }

    #[test]
    fn the_chain_is_in_the_order_of_the_file() {
        let (chain, _) = examine("[[plugin]]\nname='z'\nsource='z'\n[[plugin]]\nname='a'\nsource='a'\n");
        let names: Vec<_> = chain.iter().map(|policy| policy.name.as_str()).collect();
        assert_eq!(names, ["z", "a"]);
    }

    #[test]
    fn names_are_short_and_plain() {
        let longest = "n".repeat(64);
        for (text, legal) in [
            ("naming", true),
            ("A-b_c.9", true),
            (longest.as_str(), true),
            ("", false),
            ("a b", false),
            ("a/b", false),
            ("ä", false),
            (format!("{longest}n").as_str(), false),
        ] {
            assert_eq!(name_of(text).is_ok(), legal, "{text}");
        }
    }

    #[test]
    fn a_complaint_of_a_plugin_is_told_with_the_line_of_the_value() {
        let (chain, _) = examine(
            "[[plugin]]\nname = 'relabel'\nsource = 'relabel.wasm'\n\n\
             [plugin.config]\nstrict = true\n[[plugin.config.rules]]\naction = 'drop'\n\
             [[plugin.config.rules]]\naction = 'dorp'\n[[plugin]]\nname = 'b'\nsource = 'b.wasm'\n",
        );
        let line = |policy: usize, pointer: &str| chain[policy].config_problem(pointer, "m").line;
        for (pointer, expected) in [
            ("", 5),
            ("/strict", 6),
            ("/rules/0", 7),
            ("/rules/0/action", 8),
            ("/rules/1/action", 10),
            ("/rules/1/regex", 9),
            ("/other/0", 5),
            ("no pointer", 5),
        ] {
            assert_eq!(line(0, pointer), Some(expected), "{pointer}");
        }
        assert_eq!(line(1, "/x"), Some(11), "without a [plugin.config], the header");
        let problem = chain[0].config_problem("/rules/1/action", "'dorp' is not an action");
        assert_eq!(problem.place, "[[plugin]] 'relabel' config/rules/1/action");
        let problem = chain[0].source_problem("no such file");
        assert_eq!((problem.line, problem.place.as_str()), (Some(3), "[[plugin]] 'relabel' source"));
        let problem = chain[0].grants_problem("it imports more");
        assert_eq!((problem.line, problem.place.as_str()), (Some(1), "[[plugin]] 'relabel' grants"));
    }

    #[test]
    fn a_policy_with_a_small_mistake_is_still_there_to_be_checked() {
        let (chain, problems) = examine("[[plugin]]\nname = 'a'\nsource = 'a.wasm'\nmode = 'on'\n");
        assert_eq!(chain.len(), 1);
        assert_eq!(
            problems,
            "/etc/c.toml:4: [[plugin]] 'a' mode: 'on' is not a mode; allowed: enforce, monitor, off"
        );
    }
}
