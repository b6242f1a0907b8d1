//! The table of commands. A command is an entry here; what it does is in [`crate::run`].

use std::collections::VecDeque;
use std::path::PathBuf;

use super::flags::{FLAGS, Flag, Meaning, Value};
use super::given::Given;
use super::{Command, UsageError, unexpected, wrong};
use crate::replay::Form;

/// Where groups are imported into if nothing else is said.
const IMPORT_TARGET: &str = "http://127.0.0.1:9091";

/// A command: how it is written, told and read.
#[derive(Debug)]
pub(super) struct Entry {
    /// The words that it begins with; none to serve.
    pub(super) name: &'static str,
    /// What may stand behind its name.
    pub(super) usage: &'static str,
    /// Lines of the help.
    pub(super) help: &'static str,
    /// Its own flags, beside those that are settings.
    flags: &'static [Flag],
    /// The exit code when it cannot be understood or done: 2 for one that has 1 for an answer.
    pub(super) failure: u8,
    read: fn(&mut Given) -> Result<Command, UsageError>,
}

/// A flag of some commands. Those that share one share its value.
const fn own(name: &'static str, value: Value) -> Flag {
    Flag { name, meaning: Meaning::Command, value, help: "" }
}

const JSON: Flag = own("json", Value::Switch);
const SHOW: Flag = own("show", Value::Switch);
const TO: Flag = own("to", Value::One("URL"));

/// All commands, in the order of the help.
pub(super) const COMMANDS: &[Entry] = &[
    Entry {
        name: "",
        usage: "[FLAGS]",
        help: "Serve until SIGINT or SIGTERM; SIGHUP reads the plugin chain again.",
        flags: &[],
        failure: 1,
        read: |given| given.settings().map(Command::Serve),
    },
    Entry {
        name: "check-config",
        usage: "[--show] [FLAGS] [FILE]",
        help: "\
Tell everything that is wrong with a configuration and its plugins, without
serving. FILE is --config.file, or config.toml. --show prints every setting with
its value and where that comes from.",
        flags: &[SHOW],
        failure: 1,
        read: |given| {
            let mut settings = given.settings_of_file()?;
            if let Some(file) = given.word() {
                settings.config_file = Some(PathBuf::from(file));
            }
            Ok(Command::CheckConfig { settings, show: given.switch(&SHOW) })
        },
    },
    Entry {
        name: "lock",
        usage: "[FLAGS] [FILE]",
        help: "\
Fetch and verify the plugins of a configuration, and write down in its lock file
which they are. With --locked nothing else is used from then on.",
        flags: &[],
        failure: 1,
        read: |given| {
            let mut settings = given.settings_of_file()?;
            if let Some(file) = given.word() {
                settings.config_file = Some(PathBuf::from(file));
            }
            Ok(Command::Lock(settings))
        },
    },
    Entry {
        name: "import",
        usage: "[--to=http://127.0.0.1:9091] FILE|URL",
        help: "\
Copy the groups of another gateway, with their push times, into the running
pushgate at --to: from a persistence file, or from the gateway at URL, such as
http://old:9091. Groups that are there already are left alone. The target must
run with --web.enable-admin-api. User and password may stand in an address.",
        flags: &[TO],
        failure: 1,
        read: |given| {
            let source = given.needed("a persistence file or the address of a gateway")?;
            let target = given.value(&TO).unwrap_or_else(|| IMPORT_TARGET.to_owned());
            let no_gateway =
                |word: &str, why: String| wrong(format!("'{word}' is no address of a gateway; {why}"));
            Ok(Command::Import {
                target: target.parse().map_err(|why| no_gateway(&target, why))?,
                source: source.parse().map_err(|why| no_gateway(&source, why))?,
            })
        },
    },
    Entry {
        name: "replay",
        usage: "[--json] [FLAGS] CAPTURE ...",
        help: "\
Tell what a configuration, --config.file or config.toml, would have made of the
pushes in files that [capture] wrote. The exit code is 0 if the same would have
become of all, 1 if not, 2 if that cannot be told. --json is for machines.",
        flags: &[JSON],
        failure: 2,
        read: |given| {
            let settings = given.settings_of_file()?;
            let mut captures = vec![PathBuf::from(given.needed("a capture")?)];
            captures.extend(std::iter::from_fn(|| given.word()).map(PathBuf::from));
            let form = if given.switch(&JSON) { Form::Json } else { Form::Text };
            Ok(Command::Replay { captures, settings, form })
        },
    },
    Entry {
        name: "help",
        usage: "",
        help: "Print this help.",
        flags: &[],
        failure: 1,
        read: |_| Ok(Command::Help),
    },
];

impl Entry {
    /// Reads what the command is given, its name included.
    pub(super) fn parse(&self, mut given: Given) -> Result<Command, UsageError> {
        given.arguments.words.drain(..self.words().count());
        let command = (self.read)(&mut given)?;
        if let Some(word) = given.word() {
            return Err(unexpected(&word));
        }
        match given.arguments.flags.first() {
            Some((flag, _)) if flag.meaning == Meaning::Command => {
                let takes = |entry: &&Entry| entry.flags.iter().any(|other| other.name == flag.name);
                let takers: Vec<_> = COMMANDS.iter().filter(takes).map(|entry| entry.name).collect();
                Err(wrong(format!("--{} is a flag of {}", flag.name, takers.join(", "))))
            }
            Some((flag, _)) => Err(wrong(format!("--{} is no flag of {}", flag.name, self.name))),
            None => Ok(command),
        }
    }

    fn words(&self) -> impl Iterator<Item = &'static str> {
        self.name.split_terminator(' ')
    }
}

/// The command that these words begin with.
pub(super) fn find(words: &VecDeque<String>) -> Result<&'static Entry, UsageError> {
    let Some(first) = words.front() else { return Ok(&COMMANDS[0]) };
    let begins = |entry: &&Entry| {
        !entry.name.is_empty()
            && entry.words().eq(words.iter().take(entry.words().count()).map(String::as_str))
    };
    COMMANDS.iter().find(begins).ok_or_else(|| {
        let family =
            COMMANDS.iter().filter_map(|entry| entry.name.split_once(' ').filter(|(word, _)| word == first));
        let members: Vec<_> = family.map(|(_, member)| member).collect();
        match members.as_slice() {
            [] => unexpected(first),
            _ => wrong(format!("expected one of {} behind {first}", members.join(", "))),
        }
    })
}

/// The flag of that name, be it a setting or a command's own.
pub(super) fn flag(name: &str) -> Option<&'static Flag> {
    FLAGS.iter().chain(COMMANDS.iter().flat_map(|entry| entry.flags)).find(|flag| flag.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_means_the_same_to_every_command() {
        let all = || FLAGS.iter().chain(COMMANDS.iter().flat_map(|entry| entry.flags));
        for flag in all() {
            for other in all().filter(|other| other.name == flag.name) {
                assert_eq!((flag.value, flag.meaning), (other.value, other.meaning), "--{}", flag.name);
            }
        }
    }

    #[test]
    fn each_command_is_found_by_its_words() {
        for entry in COMMANDS {
            let mut words: VecDeque<String> = entry.words().map(str::to_owned).collect();
            assert_eq!(find(&words).unwrap().name, entry.name);
            words.push_back("further".to_owned());
            assert_eq!(find(&words).is_ok_and(|found| found.name == entry.name), !entry.name.is_empty());
        }
    }
}
