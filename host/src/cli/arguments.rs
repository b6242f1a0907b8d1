//! Splits the arguments into flags with their values and the words between them.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::File;
use std::io::Read as _;

use super::flags::{Flag, Value};
use super::{UsageError, commands, unexpected, wrong};

/// Bytes in a file of arguments: what an operating system takes on a command line is not much more.
const MAX_FILE: u64 = 64 << 10;

/// Arguments, those in files included. Each file may name further ones, and itself.
const MAX_ARGUMENTS: usize = 1_000;

/// The arguments, understood as far as that goes without the configuration.
#[derive(Debug, Default)]
pub(super) struct Arguments {
    /// Flags in the order they were given. A switch has the value `true` or `false`.
    pub(super) flags: Vec<(&'static Flag, String)>,
    /// What is no flag: the command, and what it is about.
    pub(super) words: VecDeque<String>,
    pub(super) help: bool,
    pub(super) version: bool,
}

impl Arguments {
    /// Reads arguments up to the first that cannot be understood.
    pub(super) fn read(&mut self, arguments: impl IntoIterator<Item = OsString>) -> Result<(), UsageError> {
        let mut rest = Rest::new(arguments)?;
        while let Some(word) = rest.next()? {
            if word == "--" {
                self.words.extend(rest.words.into_iter().rev());
                break;
            } else if let Some(flag) = word.strip_prefix("--") {
                self.flag(flag, &mut rest)?;
            } else if word == "-h" {
                self.help = true;
            } else if let Some(letter) = word.strip_prefix('-').and_then(|letters| letters.chars().next()) {
                return Err(wrong(format!("unknown short flag '-{letter}'")));
            } else {
                self.words.push_back(word);
            }
            // Whatever else is given, nothing is done but to print.
            if self.help || self.version {
                break;
            }
        }
        Ok(())
    }

    fn flag(&mut self, text: &str, rest: &mut Rest) -> Result<(), UsageError> {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (text, None),
        };
        let own = match name {
            "help" => Some(&mut self.help),
            "version" => Some(&mut self.version),
            _ => None,
        };
        if let Some(own) = own {
            *own = true;
            return value.map_or(Ok(()), |value| Err(unexpected(&value)));
        }
        let unknown = || wrong(format!("unknown long flag '--{name}'"));
        let (flag, value) = match commands::flag(name) {
            Some(flag) if flag.value == Value::Switch => match value.as_deref() {
                None | Some("true") => (flag, "true".to_owned()),
                Some("false") => (flag, "false".to_owned()),
                Some(value) => return Err(unexpected(value)),
            },
            Some(flag) => {
                let value = value.map_or_else(|| rest.value(name), Ok)?;
                (flag, value)
            }
            None => {
                let switch = name.strip_prefix("no-").and_then(commands::flag);
                let flag = switch.filter(|flag| flag.value == Value::Switch).ok_or_else(unknown)?;
                match value {
                    Some(value) => return Err(unexpected(&value)),
                    None => (flag, "false".to_owned()),
                }
            }
        };
        let given = self.flags.iter().any(|(other, _)| other.name == flag.name);
        if given && !matches!(flag.value, Value::Many(_)) {
            return Err(wrong(format!("flag '{}' cannot be repeated", flag.name)));
        }
        self.flags.push((flag, value));
        Ok(())
    }
}

/// The arguments that are still to be looked at.
struct Rest {
    /// The next one last.
    words: Vec<String>,
    /// How many there may still be.
    room: usize,
}

impl Rest {
    fn new(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, UsageError> {
        let text = |argument: OsString| {
            argument.into_string().map_err(|argument| wrong(format!("{} is not UTF-8", argument.display())))
        };
        let mut words = arguments.into_iter().map(text).collect::<Result<Vec<_>, _>>()?;
        words.reverse();
        Ok(Self { words, room: MAX_ARGUMENTS })
    }

    /// The next argument, out of a file if it names one.
    fn next(&mut self) -> Result<Option<String>, UsageError> {
        while let Some(word) = self.words.pop() {
            let room = self.room.checked_sub(1);
            self.room =
                room.ok_or_else(|| wrong(format!("there are more than {MAX_ARGUMENTS} arguments")))?;
            let Some(file) = word.strip_prefix('@') else { return Ok(Some(word)) };
            let text = read(file).map_err(|error| wrong(format!("cannot read '{file}': {error}")))?;
            let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
            self.words.extend(lines.rev().map(str::to_owned));
        }
        Ok(None)
    }

    /// The value of a flag that stands behind it.
    fn value(&mut self, name: &str) -> Result<String, UsageError> {
        let value = self.next()?.filter(|word| word == "-" || !word.starts_with('-'));
        value.ok_or_else(|| wrong(format!("expected argument for flag '--{name}'")))
    }
}

fn read(file: &str) -> std::io::Result<String> {
    let mut text = String::new();
    let length = File::open(file)?.take(MAX_FILE + 1).read_to_string(&mut text)? as u64;
    if length > MAX_FILE {
        return Err(std::io::Error::other("it has more than 64 KiB"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Arguments, String> {
        let mut parsed = Arguments::default();
        let read = parsed.read(arguments.iter().map(Into::into));
        read.map(|()| parsed).map_err(|error| error.to_string())
    }

    #[test]
    fn a_file_stands_for_the_arguments_in_it() {
        let folder = std::env::temp_dir().join(format!("pushgate-arguments-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = |name: &str, text: &str| {
            std::fs::write(folder.join(name), text).unwrap();
            format!("@{}", folder.join(name).display())
        };
        let one = file("one", "# a comment\n--log.level=warn\n\n--persistence.file\na b\n");
        let parsed = parse(&[&one, "check-config"]).unwrap();
        let flags: Vec<_> = parsed.flags.iter().map(|(flag, value)| (flag.name, value.as_str())).collect();
        assert_eq!(flags, [("log.level", "warn"), ("persistence.file", "a b")]);
        assert_eq!(parsed.words, ["check-config"]);

        let own = file("own", &format!("a\n@{}\n", folder.join("own").display()));
        let many = file("many", &"a\n".repeat(MAX_ARGUMENTS + 1));
        let large = file("large", &"#".repeat(MAX_FILE as usize + 1));
        for (argument, expected) in [
            (many.as_str(), "there are more than 1000 arguments"),
            (&large, "it has more than 64 KiB"),
            ("@/nowhere", "cannot read '/nowhere'"),
        ] {
            let told = parse(&[argument]).unwrap_err();
            assert!(told.contains(expected), "{told}");
        }
        assert!(parse(&["--", &own]).unwrap().words == [own.as_str()], "a word like any other behind --");
        assert!(parse(&[&own]).unwrap_err().contains("more than 1000 arguments"));
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_text_is_refused() {
        use std::os::unix::ffi::OsStringExt as _;
        let refused = Arguments::default().read([OsString::from_vec(vec![b'-', 0xff])]).unwrap_err();
        assert!(refused.to_string().contains("is not UTF-8"));
    }
}
