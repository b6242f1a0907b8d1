//! What a command is given. Its entry in the table takes what it knows; whatever is left is a mistake.

use std::ffi::OsString;
use std::path::PathBuf;

use super::arguments::Arguments;
use super::flags::{Flag, Meaning};
use super::{Settings, UsageError, wrong};

/// Arguments and variables, of which each is taken at most once.
pub(super) struct Given {
    pub(super) arguments: Arguments,
    pub(super) environment: Vec<(OsString, OsString)>,
}

impl Given {
    /// The next word behind the command.
    pub(super) fn word(&mut self) -> Option<String> {
        self.arguments.words.pop_front()
    }

    /// The next word, which must be there.
    pub(super) fn needed(&mut self, what: &str) -> Result<String, UsageError> {
        self.word().ok_or_else(|| wrong(format!("expected {what}")))
    }

    /// Whether a switch is on.
    pub(super) fn switch(&mut self, flag: &Flag) -> bool {
        self.value(flag).is_some_and(|value| value == "true")
    }

    /// The value of a flag.
    pub(super) fn value(&mut self, flag: &Flag) -> Option<String> {
        self.values(flag).pop()
    }

    /// All values of a flag, in their order.
    pub(super) fn values(&mut self, flag: &Flag) -> Vec<String> {
        let taken = self.arguments.flags.extract_if(.., |(other, _)| other.name == flag.name);
        taken.map(|(_, value)| value).collect()
    }

    /// The flags and variables that are settings.
    pub(super) fn settings(&mut self) -> Result<Settings, UsageError> {
        let mut settings = Settings::default();
        settings.read_environment(std::mem::take(&mut self.environment))?;
        let of_settings = |(flag, _): &mut (&Flag, String)| flag.meaning != Meaning::Command;
        settings.read_flags(self.arguments.flags.extract_if(.., of_settings).collect())?;
        Ok(settings)
    }

    /// The settings of a command that needs a configuration: if no file is named, it is `config.toml`.
    pub(super) fn settings_of_file(&mut self) -> Result<Settings, UsageError> {
        let mut settings = self.settings()?;
        settings.config_file.get_or_insert_with(|| PathBuf::from("config.toml"));
        Ok(settings)
    }
}
