//! What the program tells about itself.

use std::fmt::Write as _;

use super::commands::COMMANDS;
use super::flags::{FLAGS, Value};
use crate::config::Config;

const INTRODUCTION: &str = "\
A Prometheus push gateway that runs every push through WebAssembly plugins.

Usage:";

const CONVENTIONS: &str = "
A flag goes before the environment, the environment before the file, the file before the
default. Each flag has a variable: --web.listen-address is PUSHGATE_WEB_LISTEN_ADDRESS, with
commas between several values; a flag without a value is true, false, 1 or 0 there.
@FILE stands for the arguments in a file, one a line.

Flags:
  -h, --help
          Print this help.
      --version
          Print the version.
";

/// The help, each default taken from the configuration.
pub fn help() -> String {
    let defaults = Config::default().flags();
    let mut help = INTRODUCTION.to_owned();
    for (index, entry) in COMMANDS.iter().enumerate() {
        help += if index == 0 { " pushgate" } else { "       pushgate" };
        for part in [entry.name, entry.usage].into_iter().filter(|part| !part.is_empty()) {
            let _ = write!(help, " {part}");
        }
        help.push('\n');
        for line in entry.help.lines() {
            let _ = writeln!(help, "           {line}");
        }
    }
    help += CONVENTIONS;
    for flag in &FLAGS {
        let _ = match flag.value {
            Value::Switch => writeln!(help, "      --[no-]{}", flag.name),
            Value::One(value) => writeln!(help, "      --{}={value}", flag.name),
            Value::Many(value) => writeln!(help, "      --{}={value} ...", flag.name),
        };
        let default = defaults.iter().find(|(name, value)| *name == flag.name && !value.is_empty());
        let _ = match default {
            Some((_, value)) if flag.value != Value::Switch => {
                writeln!(help, "          {} (default: {value})", flag.help)
            }
            _ => writeln!(help, "          {}", flag.help),
        };
    }
    help
}

/// Name and version.
pub fn version() -> String {
    concat!("pushgate ", env!("CARGO_PKG_VERSION"), "\n").to_owned()
}
