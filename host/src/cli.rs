//! The command line and the environment: what the program is asked to do, and what goes before the file.
//!
//! The flags, their grammar and the words for mistakes are those of the original Pushgateway, whose scripts and
//! units must go on to work: `--flag=v` or `--flag v`, `--x` and `--no-x`, `@file` for arguments in a file, exit
//! code 1. `commands` has the one table of commands, `flags` that of the flags that are settings. Each of those has a
//! variable in the environment as well; nobody else reads the environment. What the commands do is in
//! [`crate::run`].

mod arguments;
mod commands;
mod flags;
mod given;
mod help;
mod settings;

use std::ffi::OsString;
use std::path::PathBuf;

use self::arguments::Arguments;
use self::given::Given;
pub use self::help::{help, version};
pub use self::settings::Settings;
use crate::author::{Check, Expectations, Layout};
use crate::import::Source;
use crate::remote::GatewayUrl;
use crate::replay::Form;

/// What the program is asked to do.
#[derive(Debug)]
pub enum Command {
    /// Serve until it is asked to stop.
    Serve(Settings),
    /// Tell what is wrong with a configuration and its plugins.
    CheckConfig {
        /// What is to be checked.
        settings: Settings,
        /// Print every setting and where it comes from.
        show: bool,
    },
    /// Write down which files the plugins of a configuration are.
    Lock(Settings),
    /// Copy the groups of another gateway into a running one.
    Import {
        /// Where they come from.
        source: Source,
        /// Where they go.
        target: GatewayUrl,
    },
    /// Tell what a configuration would have made of captured pushes.
    Replay {
        /// The files.
        captures: Vec<PathBuf>,
        /// Where the configuration is.
        settings: Settings,
        /// How it is told.
        form: Form,
    },
    /// Take a payload through the configured chain.
    Check {
        /// With which configuration.
        settings: Settings,
        /// What is pushed.
        check: Check,
    },
    /// Make `rules` of a Prometheus configuration's relabelling. From standard input, if no file is named.
    ConvertRelabel(Option<PathBuf>),
    /// Make a token of that name.
    Token(String),
    /// Help an author.
    Plugin(PluginCommand),
    /// Print the help.
    Help,
    /// Print the version.
    Version,
}

/// What is to be done about a plugin.
#[derive(Debug)]
pub enum PluginCommand {
    /// Make a project.
    New(PathBuf),
    /// Build the plugin of a project.
    Build(PathBuf),
    /// Run its cases.
    Test {
        /// The folder of a project, or a plugin file.
        subject: PathBuf,
        /// Where the cases are, if not where they belong.
        cases: Option<PathBuf>,
        /// What becomes of those that come to something else.
        expectations: Expectations,
        /// Whose place the plugin is tried in.
        place: Option<Place>,
    },
    /// Tell what a plugin file is.
    Inspect {
        /// The file.
        plugin: PathBuf,
        /// For people or programs.
        layout: Layout,
        /// Whose place the plugin is tried in.
        place: Option<Place>,
    },
    /// Measure a plugin file.
    Bench {
        /// The file.
        plugin: PathBuf,
        /// A file with its configuration.
        config: Option<PathBuf>,
        /// Whose place the plugin is tried in.
        place: Option<Place>,
    },
    /// Tell what a code means.
    Explain {
        /// The configuration whose plugins are asked.
        settings: Settings,
        /// The code.
        code: String,
    },
    /// Tell why a push was rejected.
    ExplainRejection {
        /// The gateway that was pushed to.
        gateway: GatewayUrl,
        /// The id of the push.
        id: String,
    },
}

/// A policy of a configuration, whose grants and limits a plugin is tried with.
#[derive(Debug)]
pub struct Place {
    /// The configuration.
    pub settings: Settings,
    /// The name of the policy.
    pub policy: String,
}

/// A command as it was given, and the exit code if nothing comes of it.
#[derive(Debug)]
pub struct Invocation {
    /// What is asked for, or why that cannot be understood.
    pub command: Result<Command, UsageError>,
    /// The exit code when the command cannot be understood or done: 1, or 2 if 1 is one of its answers.
    pub failure: u8,
}

/// A mistake in the arguments or the environment.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum UsageError {
    /// In the arguments.
    #[error("{0}, try --help")]
    Arguments(String),
    /// In a variable, which is named.
    #[error("{0}")]
    Environment(String),
}

impl Invocation {
    /// What this process is asked to do.
    pub fn of_process() -> Self {
        Self::parse(std::env::args_os().skip(1), std::env::vars_os())
    }

    fn parse(
        arguments: impl IntoIterator<Item = OsString>,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Self {
        let mut parsed = Arguments::default();
        let understood = parsed.read(arguments);
        let entry = commands::find(&parsed.words);
        let failure = entry.as_ref().map_or(1, |entry| entry.failure);
        let command = understood.and_then(|()| {
            if parsed.help {
                return Ok(Command::Help);
            }
            if parsed.version {
                return Ok(Command::Version);
            }
            let environment = environment.into_iter().collect();
            entry?.parse(Given { arguments: parsed, environment })
        });
        Self { command, failure }
    }
}

fn wrong(message: String) -> UsageError {
    UsageError::Arguments(message)
}

fn unexpected(word: &str) -> UsageError {
    wrong(format!("unexpected {word}"))
}

#[cfg(test)]
mod tests {
    use super::flags::{FLAGS, Value};
    use super::*;
    use crate::config::Config;

    fn parse(arguments: &[&str], environment: &[(&str, &str)]) -> Result<Command, String> {
        let environment = environment.iter().map(|(name, value)| (name.into(), value.into()));
        let invocation = Invocation::parse(arguments.iter().map(Into::into), environment);
        invocation.command.map_err(|error| error.to_string())
    }

    fn settings(arguments: &[&str], environment: &[(&str, &str)]) -> Settings {
        match parse(arguments, environment).unwrap() {
            Command::Serve(settings)
            | Command::CheckConfig { settings, .. }
            | Command::Replay { settings, .. } => settings,
            command => panic!("{command:?}"),
        }
    }

    /// The flags as the original would show them.
    fn flag(name: &str, arguments: &[&str], environment: &[(&str, &str)], file: &str) -> String {
        let (config, problems) = settings(arguments, environment).examine(file);
        assert!(problems.is_empty(), "{problems}");
        config.flags().into_iter().find(|(other, _)| *other == name).expect("a flag").1
    }

    #[test]
    fn every_flag_of_the_original_is_there_with_its_default() {
        let config = settings(&[], &[]).examine("").0;
        assert_eq!(config, Config::default());
        for (name, default) in config.flags() {
            let flag = FLAGS.iter().find(|flag| flag.name == name).unwrap_or_else(|| panic!("--{name}"));
            let given: &[&str] = match flag.value {
                Value::Switch if default == "false" => &[&format!("--no-{name}")],
                _ => &[&format!("--{name}={default}")],
            };
            assert_eq!(settings(given, &[]).examine("").0, config, "--{name}={default}");
        }
    }

    #[test]
    fn a_flag_is_written_in_any_form() {
        for (name, arguments, expected) in [
            ("log.level", &["--log.level=warn"] as &[_], "warn"),
            ("log.level", &["--log.level", "warn"], "warn"),
            ("web.enable-lifecycle", &["--web.enable-lifecycle"], "true"),
            ("web.enable-lifecycle", &["--no-web.enable-lifecycle"], "false"),
            ("web.enable-lifecycle", &["--web.enable-lifecycle=true"], "true"),
            ("web.enable-lifecycle", &["--web.enable-lifecycle=false"], "false"),
            (
                "web.listen-address",
                &["--web.listen-address=:1", "--web.listen-address", "[::1]:2"],
                ":1,[::1]:2",
            ),
            ("persistence.interval", &["--persistence.interval=90m"], "1h30m0s"),
            ("persistence.interval", &["--persistence.interval=200ms"], "200ms"),
            ("persistence.interval", &["--persistence.interval=1.5h"], "1h30m0s"),
            ("persistence.interval", &["--persistence.interval=0s"], "0s"),
            ("persistence.file", &["--persistence.file="], ""),
            ("persistence.file", &["--persistence.file", "a=b"], "a=b"),
            ("web.route-prefix", &["--web.external-url=http://h/x/"], "/x"),
            ("web.route-prefix", &["--web.external-url=http://h/x/", "--web.route-prefix=/"], ""),
        ] {
            assert_eq!(flag(name, arguments, &[], ""), expected, "{arguments:?}");
        }
    }

    #[test]
    fn a_flag_goes_before_the_environment_before_the_file() {
        let file = "[log]\nlevel = 'error'\n[web]\nlisten_address = [':3']\nenable_lifecycle = true\n";
        let environment = [("PUSHGATE_LOG_LEVEL", "warn"), ("PUSHGATE_WEB_LISTEN_ADDRESS", ":1,:2")];
        for (name, arguments, environment, expected) in [
            ("log.level", &[] as &[_], &[] as &[_], "error"),
            ("log.level", &[], &environment, "warn"),
            ("log.level", &["--log.level=debug"], &environment, "debug"),
            ("web.listen-address", &[], &[], ":3"),
            ("web.listen-address", &[], &environment, ":1,:2"),
            ("web.listen-address", &["--web.listen-address=:0"], &environment, ":0"),
            ("web.enable-lifecycle", &[], &[("PUSHGATE_WEB_ENABLE_LIFECYCLE", "0")], "false"),
            ("web.enable-admin-api", &[], &[("PUSHGATE_WEB_ENABLE_ADMIN_API", "true")], "true"),
            (
                "web.enable-admin-api",
                &["--no-web.enable-admin-api"],
                &[("PUSHGATE_WEB_ENABLE_ADMIN_API", "1")],
                "false",
            ),
            ("log.level", &[], &[("PUSHGATE_LOG_LEVEL", "")], "error"),
        ] {
            assert_eq!(flag(name, arguments, environment, file), expected, "{arguments:?} {environment:?}");
        }
    }

    #[test]
    fn the_configuration_file_is_named_by_flag_or_variable() {
        let variable = [("PUSHGATE_CONFIG_FILE", "variable.toml")];
        for (arguments, environment, expected) in [
            (&[] as &[_], &[] as &[_], None),
            (&["--config.file=a.toml"], &[], Some("a.toml")),
            (&["--config.file="], &variable, None),
            (&[], &variable, Some("variable.toml")),
            (&["--config.file=a.toml"], &variable, Some("a.toml")),
            (&["check-config"], &[], Some("config.toml")),
            (&["check-config"], &variable, Some("variable.toml")),
            (&["check-config", "b.toml"], &variable, Some("b.toml")),
            (&["--log.level=warn", "check-config", "--show", "b.toml"], &[], Some("b.toml")),
            (&["check-config", "--", "--b.toml"], &[], Some("--b.toml")),
            (&["replay", "capture"], &[], Some("config.toml")),
            (&["replay", "--config.file=a.toml", "capture"], &variable, Some("a.toml")),
        ] {
            let file = settings(arguments, environment).config_file;
            assert_eq!(file, expected.map(PathBuf::from), "{arguments:?}");
        }
    }

    #[test]
    fn what_is_asked_for() {
        for (arguments, expected) in [
            (&[] as &[_], "Serve"),
            (&["check-config"], "CheckConfig"),
            (&["replay", "--json", "a", "b"], "Replay { captures: [\"a\", \"b\"]"),
            (&["lock", "b.toml"], "Lock"),
            (&["convert", "relabel"], "ConvertRelabel(None)"),
            (&["convert", "relabel", "prometheus.yml"], "ConvertRelabel(Some(\"prometheus.yml\"))"),
            (&["convert", "relabel", "-"], "ConvertRelabel(None)"),
            (&["-h"], "Help"),
            (&["check-config", "--help"], "Help"),
            (&["help"], "Help"),
            (&["--version"], "Version"),
            (&["--web.config.file", "x", "--version", "--foo"], "Version"),
        ] {
            let command = format!("{:?}", parse(arguments, &[]).unwrap());
            assert!(command.starts_with(expected), "{arguments:?}: {command}");
        }
    }

    #[test]
    fn a_mistake_in_the_arguments_is_told_in_the_words_of_the_original() {
        for (arguments, expected) in [
            (&["--foo"] as &[_], "unknown long flag '--foo'"),
            (&["--foo=1"], "unknown long flag '--foo'"),
            (&["--no-log.level"], "unknown long flag '--no-log.level'"),
            (&["-x"], "unknown short flag '-x'"),
            (&["-"], "unexpected -"),
            (&["serve"], "unexpected serve"),
            (&["check-config", "a", "b"], "unexpected b"),
            (&["lock", "a", "b"], "unexpected b"),
            (&["--log.level"], "expected argument for flag '--log.level'"),
            (&["--log.level", "--foo"], "expected argument for flag '--log.level'"),
            (&["--log.level=info", "--log.level=warn"], "flag 'log.level' cannot be repeated"),
            (&["--no-web.enable-lifecycle=true"], "unexpected true"),
            (&["--web.enable-lifecycle=yes"], "unexpected yes"),
            (&["--show"], "--show is a flag of check-config, check"),
            (&["import", "file", "--log.level=warn"], "--log.level is no flag of import"),
            (&["convert"], "expected one of relabel behind convert"),
            (&["convert", "relabel", "a", "b"], "unexpected b"),
            (&["plugin"], "expected one of new, build, test, inspect, bench, explain behind plugin"),
            (&["plugin", "make"], "expected one of new, build, test, inspect, bench, explain behind plugin"),
            (&["plugin", "new"], "expected the folder of the new project"),
            (&["plugin", "build", "a", "b"], "unexpected b"),
            (&["plugin", "inspect", "a", "--bless"], "--bless is a flag of plugin test"),
            (&["check", "--job=j"], "expected the file to check, or - for standard input"),
            (&["check", "f"], "expected the flag --job"),
            (&["check", "--job=j", "--label=a", "f"], "--label: 'a' is no label; write NAME=VALUE"),
            (&["check", "--job=j", "--caller=a", "f"], "--caller: 'a' is no attribute; write NAME=VALUE"),
            (&["check", "--job=", "f"], "job name is required"),
            (&["check", "--job=j", "--label=a=1", "--label=a=2", "f"], "the label a is given twice"),
            (
                &["check", "--job=j", "--format=json", "f"],
                "--format: 'json' is not a format; allowed: text, protobuf, openmetrics",
            ),
            (&["import"], "expected a persistence file or the address of a gateway"),
            (&["import", "a", "b"], "unexpected b"),
            (&["import", "a", "--to=b", "--to=c"], "flag 'to' cannot be repeated"),
            (&["--json"], "--json is a flag of replay, plugin inspect"),
            (&["replay"], "expected a capture"),
            (
                &["--log.level=trace"],
                "--log.level: 'trace' is not a level; allowed: debug, info, warn, error",
            ),
            (
                &["--persistence.interval=5x"],
                "--persistence.interval: '5x' is not a duration; write it as \"500ms\", \"5s\" or \"1m30s\"",
            ),
            (
                &["--web.listen-address=vsock://:9091"],
                "--web.listen-address: 'vsock://:9091': sockets of virtual machines (vsock) are not supported",
            ),
        ] {
            assert_eq!(
                parse(arguments, &[]).unwrap_err(),
                format!("{expected}, try --help"),
                "{arguments:?}"
            );
        }
    }

    /// 1 is what a check answers.
    #[test]
    fn a_command_that_cannot_be_understood_has_an_exit_code() {
        for (arguments, expected) in [
            (&["--foo"] as &[_], 1),
            (&["check-config", "--foo"], 1),
            (&["check", "--foo"], 2),
            (&["check", "f"], 2),
            (&["plugin", "test", "--foo"], 2),
            (&["plugin"], 1),
        ] {
            let invocation = Invocation::parse(arguments.iter().map(Into::into), []);
            assert!(invocation.command.is_err() && invocation.failure == expected, "{arguments:?}");
        }
    }

    #[test]
    fn a_mistake_in_the_environment_names_the_variable() {
        for (name, value, expected) in [
            (
                "PUSHGATE_LOG_LEVEL",
                "trace",
                "PUSHGATE_LOG_LEVEL: 'trace' is not a level; allowed: debug, info, warn, error",
            ),
            (
                "PUSHGATE_WEB_ENABLE_LIFECYCLE",
                "yes",
                "PUSHGATE_WEB_ENABLE_LIFECYCLE: 'yes' is neither true nor false; write true, false, 1 or 0",
            ),
            (
                "PUSHGATE_WEB_LISTEN_ADDRESS",
                ":1,",
                "PUSHGATE_WEB_LISTEN_ADDRESS: '' is not an address; \
                 write host:port, such as \"127.0.0.1:9091\" or \":9091\"",
            ),
        ] {
            assert_eq!(parse(&[], &[(name, value)]).unwrap_err(), expected);
        }
    }

    #[test]
    fn variables_that_nobody_reads_are_remembered() {
        let environment = [
            ("PUSHGATE_LOG_LEVL", "x"),
            ("PUSHGATE_LOG_LEVEL", "warn"),
            ("PUSHGATE", "127.0.0.1:9091"),
            ("HOME", "/"),
            ("PUSHGATE_PORT_9091_TCP_ADDR", "10.0.0.1"),
            ("PUSHGATE_SERVICE_HOST", "10.0.0.1"),
        ];
        assert_eq!(settings(&[], &environment).unknown_variables, ["PUSHGATE_LOG_LEVL"]);
    }
}
