//! The configuration: what an operator can set, every value legal, every default in one place.
//!
//! [`Config::parse`] reads the TOML text and reports everything that is wrong at once.
//! [`Config::examine`] gives the legal part as well, so that a check can go on to the plugins. The command line
//! sets over the result what flags and the environment say ([`Config::set`]). The module is a leaf: it knows nothing else of the host.
//! The annotated `config.toml` of the project holds every key with its default, and a test says so.

mod address;
mod caller;
mod caller_match;
mod duration;
mod flags;
mod given;
mod json;
mod kind;
mod limits;
mod network;
mod paths;
mod pattern;
mod policy;
mod problem;
mod retention;
mod rights;
mod scope;
mod section;
mod sections;
mod shadow;
mod show;
mod size;
mod token;
mod traces;

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use pushgate_plugin_host::{BreakerSettings, Limits};
use toml::de::DeTable;

pub use self::address::ListenAddress;
pub use self::caller::{Attribute, Caller, Fact};
pub use self::duration::{parse as parse_duration, show as show_duration};
pub use self::given::Given;
pub use self::pattern::Pattern;
pub use self::policy::{Fail, Lines, Mode, OnReject, Policy};
pub use self::problem::{Problem, Problems};
pub use self::retention::{Bounds, Retention, Terms};
pub use self::rights::{Identity, Right, Rights, check_token_name};
pub use self::scope::Scope;
use self::section::{Findings, Section};
pub use self::show::KeyLines;
pub use self::size::ByteSize;
pub use self::token::TokenDigest;
pub use self::traces::Traces;

/// Everything that can be configured.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// Listening and connections.
    pub web: Web,
    /// What policies are told of whoever pushes.
    pub caller: Caller,
    /// What one push may be.
    pub push: Push,
    /// What a scrape may be answered with.
    pub scrape: Scrape,
    /// What all pushes together may store.
    pub store: Store,
    /// What outlives the process.
    pub persistence: Persistence,
    /// Pushes that are written to a file as they come.
    pub capture: Capture,
    /// The gateway's own log.
    pub log: Log,
    /// Where spans of pushes go.
    pub traces: Traces,
    /// Settings that all plugins share.
    pub plugins: Plugins,
    /// What is kept of pushes that policies spoke against.
    pub rejections: Rejections,
    /// Who may do what.
    pub rights: Rights,
    /// The policies, in the order a push runs through them.
    pub chain: Vec<Policy>,
}

/// `[web]`: listening and connections.
#[derive(Clone, Debug, PartialEq)]
pub struct Web {
    /// Where to listen; never empty.
    pub listen_address: Vec<ListenAddress>,
    /// Use the sockets that systemd hands over instead.
    pub systemd_socket: bool,
    /// The file with TLS, users and headers; resolved against the folder of the configuration file.
    pub config_file: Option<PathBuf>,
    /// The prefix of all routes in its normal form: empty, or with `/` at its start only. [`Web::prefix`] is the
    /// one that holds.
    pub route_prefix: Option<String>,
    /// The URL that clients know the gateway by.
    pub external_url: Option<String>,
    /// Where a scrape is answered, below the prefix; starts with `/` and hides nothing of the gateway's own.
    pub telemetry_path: String,
    /// Whether `/-/quit` ends the gateway.
    pub enable_lifecycle: bool,
    /// Whether everything stored can be deleted by one request.
    pub enable_admin_api: bool,
    /// Connections that may push at the same time. For a further one the longest idle one is closed, if there is one.
    pub max_connections: usize,
    /// Connections served beside those, whose pushes are refused.
    pub reserve_connections: usize,
    /// How long a connection may take to send the headers of its next request, idle time included.
    pub header_timeout: Duration,
    /// How long the whole body of a request may take to arrive.
    pub body_timeout: Duration,
    /// How long a client may take for the next 64 KiB of an answer before it is cut off.
    pub write_timeout: Duration,
    /// How long requests under way may take when the gateway is asked to stop.
    pub drain_timeout: Duration,
}

impl Default for Web {
    fn default() -> Self {
        Self {
            listen_address: vec![":9091".parse().expect("the default address is an address")],
            systemd_socket: false,
            config_file: None,
            route_prefix: None,
            external_url: None,
            telemetry_path: "/metrics".to_owned(),
            enable_lifecycle: false,
            enable_admin_api: false,
            max_connections: 512,
            reserve_connections: 32,
            header_timeout: Duration::from_secs(30),
            body_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(30),
            drain_timeout: Duration::from_secs(10),
        }
    }
}

impl Web {
    /// What every route begins with: empty, or with `/` at its start only. Unless it is set, it is the path of
    /// the external URL.
    pub fn prefix(&self) -> String {
        let external = || self.external_url.as_deref().and_then(paths::external_path);
        self.route_prefix.clone().or_else(external).unwrap_or_default()
    }

    /// The host, with its port if there is one, of the external URL.
    pub fn external_host(&self) -> Option<String> {
        self.external_url.as_deref().and_then(paths::external_host).map(str::to_owned)
    }
}

/// `[push]`: what one push may be. Past a limit the push is refused with a status of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Push {
    /// The body as it is sent, compressed or not.
    pub max_body: ByteSize,
    /// The body when it is decompressed.
    pub max_decompressed: ByteSize,
    /// Series in one push.
    pub max_series: usize,
    /// Labels of one series, grouping labels not counted.
    pub max_labels: usize,
    /// Bytes in a metric or label name.
    pub max_name_length: usize,
    /// Bytes in a label value.
    pub max_label_value_length: usize,
    /// Large pushes worked on at the same time; further ones wait for their turn.
    pub max_concurrent: usize,
    /// Bytes of all bodies under way, the first 16 KiB of each not counted.
    pub max_in_flight: ByteSize,
    /// Whether a body may be OpenMetrics.
    pub openmetrics: bool,
    /// Whether small slips of a text body are mended instead of refused.
    pub lenient: bool,
    /// Whether names may be any UTF-8.
    pub utf8_names: bool,
    /// Whether pushes are taken that do not fit what is stored.
    pub disable_consistency_check: bool,
}

impl Default for Push {
    fn default() -> Self {
        Self {
            max_body: ByteSize::mib(16),
            max_decompressed: ByteSize::mib(64),
            max_series: 100_000,
            max_labels: 64,
            max_name_length: 256,
            max_label_value_length: 4_096,
            max_concurrent: 8,
            max_in_flight: ByteSize::mib(256),
            openmetrics: false,
            lenient: false,
            utf8_names: false,
            disable_consistency_check: false,
        }
    }
}

/// `[scrape]`: what a scrape may be answered with.
#[derive(Clone, Debug, PartialEq)]
pub struct Scrape {
    /// Whether a scraper that asks for OpenMetrics gets it.
    pub openmetrics: bool,
    /// Bytes of all answers to scrapes under way; one alone may be larger.
    pub max_in_flight: ByteSize,
}

impl Default for Scrape {
    fn default() -> Self {
        Self { openmetrics: false, max_in_flight: ByteSize::mib(256) }
    }
}

/// `[store]`: what all pushes together may store. A push that would pass a limit is refused.
#[derive(Clone, Debug, PartialEq)]
pub struct Store {
    /// Groups, that is distinct grouping keys.
    pub max_groups: usize,
    /// Series of all groups.
    pub max_series: usize,
    /// The file of the journal, resolved against the folder of the configuration file.
    pub path: Option<PathBuf>,
    /// When a change is in it.
    pub durability: Durability,
    /// How long a change may wait for it, where clients do not.
    pub interval: Duration,
    /// How long groups are kept.
    pub retention: Retention,
}

/// When a change is in the journal.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Durability {
    /// Never.
    None,
    /// After a while; its client does not wait for that.
    Interval,
    /// Before its client is told that it was accepted.
    #[default]
    Always,
}

impl Durability {
    /// Its name, which [`FromStr`] reads.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Interval => "interval",
            Self::Always => "always",
        }
    }
}

impl FromStr for Durability {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "none" => Ok(Self::None),
            "interval" => Ok(Self::Interval),
            "always" => Ok(Self::Always),
            _ => Err(format!("'{text}' is no durability; allowed: none, interval, always")),
        }
    }
}

impl Default for Store {
    fn default() -> Self {
        Self {
            max_groups: 100_000,
            max_series: 1_000_000,
            path: None,
            durability: Durability::Always,
            interval: Duration::from_secs(1),
            retention: Retention::default(),
        }
    }
}

/// `[persistence]`: what outlives the process.
#[derive(Clone, Debug, PartialEq)]
pub struct Persistence {
    /// The file that everything stored is kept in, resolved against the folder of the configuration file;
    /// without one it is lost with the process.
    pub file: Option<PathBuf>,
    /// The least time between two times of writing the file.
    pub interval: Duration,
}

impl Default for Persistence {
    fn default() -> Self {
        Self { file: None, interval: Duration::from_secs(300) }
    }
}

/// `[capture]`: pushes that are written to a file as they come, for `pushgate replay`.
#[derive(Clone, Debug, PartialEq)]
pub struct Capture {
    /// The file, resolved against the folder of the configuration file; without one nothing is captured.
    pub file: Option<PathBuf>,
    /// What the file and the one before it may hold together.
    pub max_bytes: ByteSize,
}

impl Default for Capture {
    fn default() -> Self {
        Self { file: None, max_bytes: ByteSize::mib(64) }
    }
}

/// `[log]`: the gateway's own log, on standard error.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Log {
    /// The least severe lines that are written.
    pub level: Level,
    /// How a line looks.
    pub format: Format,
}

/// How severe a line is; each level includes those before it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Level {
    /// A person must act.
    Error,
    /// Something is degraded.
    Warn,
    /// The gateway's life: start, stop, reload.
    #[default]
    Info,
    /// Every push.
    Debug,
}

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Format {
    /// `key=value` pairs.
    #[default]
    Logfmt,
    /// One JSON object.
    Json,
}

/// `[plugins]`: settings that all plugins share.
#[derive(Clone, Debug, PartialEq)]
pub struct Plugins {
    /// Where plugin files are looked for, resolved against the folder of the configuration file.
    pub directory: PathBuf,
    /// What a plugin may use and answer, unless it has settings of its own.
    pub limits: Limits,
    /// When a plugin that keeps failing is not asked for a while.
    pub breaker: BreakerSettings,
    /// Where compiled code and fetched plugins are kept; resolved against the folder of the configuration file.
    pub cache_directory: Option<PathBuf>,
    /// What fetched plugins and compiled code may take there, each.
    pub max_cache: ByteSize,
    /// Memory for the outcomes of each plugin that can be remembered; 0 for none.
    pub memo: ByteSize,
    /// Series that the counters of one plugin may have.
    pub counter_series: usize,
    /// Bytes that one plugin may keep in its state.
    pub state_size: ByteSize,
    /// Entries that one plugin may keep in its state.
    pub state_entries: usize,
    /// How long everything together may take that is fetched for one plugin.
    pub fetch_timeout: Duration,
    /// The authorities that servers of plugins must have their certificates from, instead of the public ones.
    pub ca_file: Option<PathBuf>,
    /// Users and passwords for servers of plugins.
    pub credentials_file: Option<PathBuf>,
    /// Where it stands which file each plugin is; resolved against the folder of the configuration file.
    pub lock_file: PathBuf,
    /// Whether only what stands there is used.
    pub locked: bool,
    /// What follows when a plugin rejects a push.
    pub on_reject: OnReject,
    /// Whether changes of the configuration and plugin files are taken up by themselves.
    pub watch: bool,
}

impl Default for Plugins {
    fn default() -> Self {
        Self {
            directory: PathBuf::from("target/plugins"),
            limits: Limits::default(),
            breaker: BreakerSettings::default(),
            cache_directory: None,
            max_cache: ByteSize::mib(256),
            memo: ByteSize::mib(16),
            counter_series: 1_000,
            state_size: ByteSize::mib(1),
            state_entries: 10_000,
            fetch_timeout: Duration::from_secs(30),
            ca_file: None,
            credentials_file: None,
            lock_file: PathBuf::from("plugins.lock"),
            locked: false,
            on_reject: OnReject::Stop,
            watch: false,
        }
    }
}

/// `[rejections]`: what is kept, in memory, of pushes that policies spoke against.
#[derive(Clone, Debug, PartialEq)]
pub struct Rejections {
    /// How many are kept; 0 for none.
    pub keep: usize,
    /// Bytes that they take together.
    pub max_bytes: ByteSize,
    /// What is not kept of them.
    pub redact: Vec<Redaction>,
}

/// What is not kept of a rejection, since whoever may scrape may see it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Redaction {
    /// Values of labels, and the words of findings, which may quote them.
    Labels,
    /// Values of samples.
    Values,
    /// The configuration of the policy.
    Config,
}

impl Default for Rejections {
    fn default() -> Self {
        Self { keep: 1_000, max_bytes: ByteSize::mib(4), redact: Vec::new() }
    }
}

impl Config {
    /// Reads a configuration; all that is wrong with it otherwise.
    ///
    /// `file` names it in messages, and relative paths in it start from its folder.
    pub fn parse(text: &str, file: &Path) -> Result<Self, Problems> {
        let (config, problems) = Self::examine(text, file);
        problems.or(config)
    }

    /// Reads what is legal in a configuration and reports the rest: an illegal value leaves its default,
    /// a plugin without a name or a source is left out. Only for checks; nothing may run with the result
    /// unless there is no problem.
    pub fn examine(text: &str, file: &Path) -> (Self, Problems) {
        let mut config = Self::default();
        let mut findings = Findings::new(text, file);
        let (document, errors) = DeTable::parse_recoverable(text);
        // One slip makes the parser complain several times; the first complaint of a line is the useful one.
        let mut told = 0;
        for error in &errors {
            let offset = error.span().map_or(0, |span| span.start);
            let line = findings.line(offset);
            if line > told {
                findings.add(offset, "", format!("not TOML: {}", error.message()));
                told = line;
            }
        }
        // What was recovered from broken syntax would give problems that are none.
        if errors.is_empty() {
            let mut root = Section::new(&mut findings, "", 0, document.get_ref());
            config.read(&mut root, file);
            root.finish();
        }
        (config, findings.into_problems())
    }
}

impl Level {
    /// Its name, which [`FromStr`] reads.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }
}

impl FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "error" => Ok(Self::Error),
            "warn" => Ok(Self::Warn),
            "info" => Ok(Self::Info),
            "debug" => Ok(Self::Debug),
            _ => Err(format!("'{text}' is not a level; allowed: debug, info, warn, error")),
        }
    }
}

impl Redaction {
    /// Its name, which [`FromStr`] reads.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Labels => "labels",
            Self::Values => "values",
            Self::Config => "config",
        }
    }
}

impl FromStr for Redaction {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "labels" => Ok(Self::Labels),
            "values" => Ok(Self::Values),
            "config" => Ok(Self::Config),
            _ => Err(format!("'{text}' cannot be redacted; allowed: labels, values, config")),
        }
    }
}

impl Format {
    /// Its name, which [`FromStr`] reads.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Logfmt => "logfmt",
            Self::Json => "json",
        }
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "logfmt" => Ok(Self::Logfmt),
            "json" => Ok(Self::Json),
            _ => Err(format!("'{text}' is not a format; allowed: logfmt, json")),
        }
    }
}
