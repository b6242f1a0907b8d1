//! The command line: what can be asked of the program, in the style of the original Pushgateway's flags.
//!
//! Only types and the one step that puts flags over the configuration file: what the commands do is in
//! [`crate::gateway`].

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::config::{Config, Format, Level, ListenAddress};

/// A Prometheus push gateway that runs every push through WebAssembly plugins.
#[derive(Debug, Parser)]
#[command(name = "pushgate", version, args_conflicts_with_subcommands = true, max_term_width = 100)]
pub struct Cli {
    /// What to do instead of serving.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// How to serve.
    #[command(flatten)]
    pub serve: Serve,
}

/// What can be done instead of serving.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check a configuration file, its plugins included, and tell all that is wrong with it
    #[command(name = "check-config")]
    CheckConfig(CheckConfig),
}

/// `pushgate check-config [FILE]`.
#[derive(Args, Debug)]
pub struct CheckConfig {
    /// The configuration file
    #[arg(value_name = "FILE", default_value = "config.toml")]
    pub file: PathBuf,
}

/// `pushgate [flags]`: serves until it is asked to stop.
#[derive(Args, Debug, Default)]
pub struct Serve {
    /// Configuration file; without one, the defaults and no plugins
    #[arg(long = "config.file", value_name = "FILE")]
    pub config_file: Option<PathBuf>,

    /// What the file says and a flag can say otherwise.
    #[command(flatten)]
    pub overrides: Overrides,
}

/// Flags that go before the configuration file. A flag is a field here and a line in [`Overrides::apply`].
#[derive(Args, Debug, Default)]
pub struct Overrides {
    /// Address to listen on, such as 127.0.0.1:9091 or :9091; may be repeated
    #[arg(long = "web.listen-address", value_name = "ADDRESS")]
    pub listen_address: Vec<ListenAddress>,

    /// Least severe lines to log: debug, info, warn or error
    #[arg(long = "log.level", value_name = "LEVEL")]
    pub log_level: Option<Level>,

    /// How a line of the log looks: logfmt or json
    #[arg(long = "log.format", value_name = "FORMAT")]
    pub log_format: Option<Format>,
}

impl Overrides {
    /// Puts the flags that were given over what the file says.
    pub fn apply(self, config: &mut Config) {
        if !self.listen_address.is_empty() {
            config.web.listen_address = self.listen_address;
        }
        if let Some(level) = self.log_level {
            config.log.level = level;
        }
        if let Some(format) = self.log_format {
            config.log.format = format;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Cli, String> {
        let all = std::iter::once("pushgate").chain(arguments.iter().copied());
        Cli::try_parse_from(all)
            .map_err(|error| error.to_string().lines().next().unwrap_or_default().to_owned())
    }

    fn applied(arguments: &[&str]) -> Config {
        let mut config = Config::default();
        parse(arguments).unwrap().serve.overrides.apply(&mut config);
        config
    }

    #[test]
    fn the_definition_is_sound() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
    }

    #[test]
    fn without_flags_nothing_is_changed() {
        assert_eq!(applied(&[]), Config::default());
        assert_eq!(parse(&[]).unwrap().serve.config_file, None);
    }

    #[test]
    fn a_flag_goes_before_the_file() {
        let config =
            applied(&["--web.listen-address=:1", "--web.listen-address", "[::1]:2", "--log.level=warn"]);
        let addresses: Vec<_> = config.web.listen_address.iter().map(ToString::to_string).collect();
        assert_eq!(addresses, [":1", "[::1]:2"]);
        assert_eq!(config.log.level, Level::Warn);
        assert_eq!(applied(&["--log.format", "json"]).log.format, Format::Json);
    }

    #[test]
    fn check_config_has_a_file() {
        for (arguments, file) in
            [(&["check-config"] as &[_], "config.toml"), (&["check-config", "other.toml"], "other.toml")]
        {
            let Some(Command::CheckConfig(check)) = parse(arguments).unwrap().command else {
                panic!("check-config")
            };
            assert_eq!(check.file.to_str(), Some(file));
        }
    }

    #[test]
    fn what_is_wrong_is_told_in_a_line() {
        for (arguments, expected) in [
            (
                &["--log.level=trace"] as &[_],
                "error: invalid value 'trace' for '--log.level <LEVEL>': \
                 'trace' is not a level; allowed: debug, info, warn, error",
            ),
            (
                &["--web.listen-address=9091"],
                "error: invalid value '9091' for '--web.listen-address <ADDRESS>': \
                 '9091' is not an address; write host:port, such as \"127.0.0.1:9091\" or \":9091\"",
            ),
            (&["--web.listen"], "error: unexpected argument '--web.listen' found"),
            (
                &["--log.level=info", "check-config"],
                "error: the subcommand 'check-config' cannot be used with '--log.level <LEVEL>'",
            ),
        ] {
            assert_eq!(parse(arguments).unwrap_err(), expected);
        }
    }
}
