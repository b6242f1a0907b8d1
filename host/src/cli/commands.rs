//! The table of commands. A command is an entry here; what it does is in [`crate::run`].

use std::collections::VecDeque;
use std::path::PathBuf;

use pushgate_exposition::GroupingKey;

use super::flags::{FLAGS, Flag, Meaning, Value};
use super::given::Given;
use super::{Command, Place, PluginCommand, UsageError, unexpected, wrong};
use crate::author::{Check, Expectations, Layout, Shown};
use crate::config::check_token_name;
use crate::ingest::BodyFormat;
use crate::remote::GatewayUrl;
use crate::replay::Form;

/// The gateway that is talked to if nothing else is said.
const GATEWAY: &str = "http://127.0.0.1:9091";

/// The path below which a gateway keeps rejections, as its answers tell it.
const REJECTIONS: &str = "/api/v1/rejections/";

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
const JOB: Flag = own("job", Value::One("JOB"));
const LABEL: Flag = own("label", Value::Many("NAME=VALUE"));
const CALLER: Flag = own("caller", Value::Many("NAME=VALUE"));
const FORMAT: Flag = own("format", Value::One("FORMAT"));
const CASES: Flag = own("cases", Value::One("DIR"));
const BLESS: Flag = own("bless", Value::Switch);
const CONFIG: Flag = own("config", Value::One("FILE"));
const POLICY: Flag = own("policy", Value::One("NAME"));

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
            let target = given.value(&TO);
            Ok(Command::Import {
                target: gateway(target.as_deref().unwrap_or(GATEWAY))?,
                source: source.parse().map_err(|why: String| no_gateway(&source, &why))?,
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
        name: "check",
        usage: "--job=JOB [--label=N=V ...] [--caller=N=V ...] [--format=FORMAT] [--show] [FLAGS] FILE|-",
        help: "\
Take the push in FILE through the plugins of --config.file, or config.toml, and tell
what its client would be told, without a gateway. --caller says what [caller] would tell
of whoever pushes, such as user=ci. FORMAT is text, protobuf or openmetrics. --show
prints what a scrape would show of it. The exit code is 0 if it is accepted, 1 if it is
refused, and 2 if that cannot be found out.",
        flags: &[JOB, LABEL, CALLER, FORMAT, SHOW],
        failure: 2,
        read: |given| {
            let settings = given.settings_of_file()?;
            let check = check(given)?;
            Ok(Command::Check { settings, check })
        },
    },
    Entry {
        name: "convert relabel",
        usage: "[FILE|-]",
        help: "\
Print the relabelling rules of FILE, or of standard input, as rules of the plugin
relabel: a prometheus.yml, or whatever of it holds metric_relabel_configs.",
        flags: &[],
        failure: 1,
        read: |given| Ok(Command::ConvertRelabel(given.word().filter(|word| word != "-").map(PathBuf::from))),
    },
    Entry {
        name: "token",
        usage: "NAME",
        help: "\
Make a random token, and print it with the lines of a configuration that know it. NAME
is what the log, and plugins that are told of callers, call it.",
        flags: &[],
        failure: 1,
        read: |given| {
            let name = given.needed("the name of the new token")?;
            check_token_name(&name).map_err(wrong)?;
            Ok(Command::Token(name))
        },
    },
    Entry {
        name: "plugin new",
        usage: "DIR",
        help: "Make a project for a plugin of that name, with tests and the SDK. It builds as it is.",
        flags: &[],
        failure: 1,
        read: |given| {
            let folder = given.needed("the folder of the new project")?;
            Ok(Command::Plugin(PluginCommand::New(PathBuf::from(folder))))
        },
    },
    Entry {
        name: "plugin build",
        usage: "[DIR]",
        help: "Build the plugin of a project, here or in DIR, and look whether it is one.",
        flags: &[],
        failure: 1,
        read: |given| Ok(Command::Plugin(PluginCommand::Build(folder(given)))),
    },
    Entry {
        name: "plugin test",
        usage: "[--cases=DIR] [--bless] [--policy=NAME [FLAGS]] [DIR|WASM]",
        help: "\
Run the cases of a project through its plugin, which is built first, or those in --cases
through a plugin file. --bless rewrites what they expect. With --policy the plugin has the
grants and limits of that [[plugin]] of --config.file, or config.toml; without, all grants
and the default limits. The exit code is 0 if all have passed, 1 if one has failed, and 2
if they cannot be run.",
        flags: &[CASES, BLESS, POLICY],
        failure: 2,
        read: |given| {
            let bless = given.switch(&BLESS);
            Ok(Command::Plugin(PluginCommand::Test {
                subject: folder(given),
                cases: given.value(&CASES).map(PathBuf::from),
                expectations: if bless { Expectations::Bless } else { Expectations::Hold },
                place: place(given)?,
            }))
        },
    },
    Entry {
        name: "plugin inspect",
        usage: "[--json] [--policy=NAME [FLAGS]] WASM",
        help: "\
Tell what a plugin file is, can do, and may be configured with, and the lines that a
configuration needs for it. With --policy it is tried in the place of that [[plugin]] of
--config.file, or config.toml, with its grants, limits and configuration.",
        flags: &[JSON, POLICY],
        failure: 1,
        read: |given| {
            let layout = if given.switch(&JSON) { Layout::Json } else { Layout::Text };
            Ok(Command::Plugin(PluginCommand::Inspect { plugin: file(given)?, layout, place: place(given)? }))
        },
    },
    Entry {
        name: "plugin bench",
        usage: "[--config=FILE] [--policy=NAME [FLAGS]] WASM",
        help: "\
Measure what a plugin costs on pushes of 1 to 10,000 series. FILE is what stands in
[plugin.config], as TOML or JSON. With --policy it has the grants, limits and, without
--config, the configuration of that [[plugin]] of --config.file, or config.toml.",
        flags: &[CONFIG, POLICY],
        failure: 1,
        read: |given| {
            let config = given.value(&CONFIG).map(PathBuf::from);
            Ok(Command::Plugin(PluginCommand::Bench { plugin: file(given)?, config, place: place(given)? }))
        },
    },
    Entry {
        name: "plugin explain",
        usage: "[--to=http://127.0.0.1:9091] [FLAGS] CODE|ID",
        help: "\
Tell what the code of a finding means, and which plugin of --config.file, or config.toml,
finds it; or why the push of that id was rejected, as the running gateway at --to knows.
The id stands in the answer to the push and in the log. The exit code is 1 if there is no
such code or rejection, and 2 if that cannot be found out.",
        flags: &[TO],
        failure: 2,
        read: |given| {
            let settings = given.settings_of_file()?;
            let target = given.value(&TO);
            let word = given.needed("the code of a finding, or the id of a rejection")?;
            Ok(Command::Plugin(match rejection(&word, target.as_deref()) {
                Some((target, id)) => {
                    PluginCommand::ExplainRejection { gateway: gateway(target)?, id: legal_id(id)? }
                }
                None => PluginCommand::Explain { settings, code: word },
            }))
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

/// The folder of a project, or what else stands there; here if nothing does.
fn folder(given: &mut Given) -> PathBuf {
    given.word().map_or_else(|| PathBuf::from("."), PathBuf::from)
}

fn file(given: &mut Given) -> Result<PathBuf, UsageError> {
    given.needed("a plugin file").map(PathBuf::from)
}

/// Whose place a plugin is to be tried in.
fn place(given: &mut Given) -> Result<Option<Place>, UsageError> {
    let policy = given.value(&POLICY);
    policy.map(|policy| Ok(Place { settings: given.settings_of_file()?, policy })).transpose()
}

fn gateway(address: &str) -> Result<GatewayUrl, UsageError> {
    address.parse().map_err(|why: String| no_gateway(address, &why))
}

fn no_gateway(word: &str, why: &str) -> UsageError {
    wrong(format!("'{word}' is no address of a gateway; {why}"))
}

/// The gateway and the id, if a word is what names a rejection: its id, or where it is, as the answer to the push says.
fn rejection<'a>(word: &'a str, to: Option<&'a str>) -> Option<(&'a str, &'a str)> {
    let (place, id) = match word.split_once(REJECTIONS) {
        Some((place, id)) => (Some(place), id),
        None => (None, word),
    };
    let target = to.or(place.filter(|place| place.contains("://"))).unwrap_or(GATEWAY);
    (to.is_some() || place.is_some() || is_id(id)).then_some((target, id))
}

fn is_id(word: &str) -> bool {
    word.len() == 16 && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn legal_id(word: &str) -> Result<String, UsageError> {
    let id = is_id(word).then(|| word.to_owned());
    id.ok_or_else(|| wrong(format!("'{word}' is no id of a rejection, which has 16 digits of 0-9, a-f")))
}

fn check(given: &mut Given) -> Result<Check, UsageError> {
    let job = given.value(&JOB).ok_or_else(|| wrong("expected the flag --job".to_owned()))?;
    let mut labels = vec![("job".to_owned(), job)];
    for label in given.values(&LABEL) {
        let no_label = || wrong(format!("--label: '{label}' is no label; write NAME=VALUE"));
        let (name, value) = label.split_once('=').ok_or_else(no_label)?;
        if labels.iter().any(|(other, _)| other == name) {
            return Err(wrong(format!("the label {name} is given twice")));
        }
        labels.push((name.to_owned(), value.to_owned()));
    }
    let mut caller = Vec::new();
    for attribute in given.values(&CALLER) {
        let no_attribute = || wrong(format!("--caller: '{attribute}' is no attribute; write NAME=VALUE"));
        let (name, value) = attribute.split_once('=').ok_or_else(no_attribute)?;
        caller.push((name.to_owned(), value.to_owned()));
    }
    caller.sort_by(|(one, _), (other, _)| one.cmp(other));
    let format = match given.value(&FORMAT).as_deref() {
        None | Some("text") => BodyFormat::Text,
        Some("protobuf") => BodyFormat::Protobuf,
        Some("openmetrics") => BodyFormat::OpenMetrics,
        Some(other) => {
            let allowed = "allowed: text, protobuf, openmetrics";
            return Err(wrong(format!("--format: '{other}' is not a format; {allowed}")));
        }
    };
    let shown = if given.switch(&SHOW) { Shown::Result } else { Shown::Findings };
    let file = given.needed("the file to check, or - for standard input")?;
    Ok(Check {
        key: GroupingKey::new(labels).map_err(|error| wrong(error.to_string()))?,
        file: (file != "-").then(|| PathBuf::from(file)),
        format,
        caller,
        shown,
    })
}

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
    fn a_rejection_is_named_by_its_id_or_its_place() {
        const ID: &str = "9a44c0d25b1c3cfe";
        let path = format!("/api/v1/rejections/{ID}");
        let (url, below) = (format!("http://gw:1/x{path}"), format!("/x{path}"));
        for (word, to, expected) in [
            (ID, None, Some((GATEWAY, ID))),
            (ID, Some("http://gw"), Some(("http://gw", ID))),
            (&path, None, Some((GATEWAY, ID))),
            (&below, Some("http://gw/x"), Some(("http://gw/x", ID))),
            (&url, None, Some(("http://gw:1/x", ID))),
            (&url, Some("http://other"), Some(("http://other", ID))),
            ("naming/prefix", None, None),
            ("9a44c0d25b1c3cf", None, None),
            ("naming/prefix", Some("http://gw"), Some(("http://gw", "naming/prefix"))),
        ] {
            assert_eq!(rejection(word, to), expected, "{word} {to:?}");
        }
        assert!(legal_id(ID).is_ok() && legal_id("naming/prefix").is_err() && legal_id("").is_err());
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
