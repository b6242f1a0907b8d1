//! What the command line and the environment say about the configuration.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::UsageError;
use super::flags::{FLAGS, Flag, Meaning, Value};
use crate::config::{Config, Given, Problems};

/// Variables that Kubernetes sets in every pod of a namespace that has a service `pushgate`.
const OF_KUBERNETES: [&str; 2] = ["PUSHGATE_SERVICE_", "PUSHGATE_PORT"];

/// The configuration file, and what goes before it. Made once at the start; the file may be read again and again.
#[derive(Debug, Default)]
pub struct Settings {
    /// The file; without one, the defaults hold.
    pub config_file: Option<PathBuf>,
    /// Variables that look like those of pushgate and are none, most likely misspelt.
    pub unknown_variables: Vec<String>,
    /// In the order in which they are set: flags behind variables.
    given: Vec<Setting>,
}

#[derive(Debug)]
struct Setting {
    section: &'static str,
    key: &'static str,
    given: Given,
    /// The flag or variable.
    origin: String,
}

impl Settings {
    /// Reads the configuration from the text of the file, empty if there is none, and sets over it what goes
    /// before it.
    pub fn examine(&self, text: &str) -> (Config, Problems) {
        let file = self.config_file.as_deref().unwrap_or(Path::new("pushgate"));
        let (mut config, mut problems) = Config::examine(text, file);
        for Setting { section, key, given, origin } in &self.given {
            if let Err(message) = config.set(section, key, given) {
                problems.add(None, origin.clone(), message);
            }
        }
        config.rights.check(&config.web, &mut problems);
        (config, problems)
    }

    /// The flag or variable that says what a key is.
    pub fn origin(&self, section: &str, key: &str) -> Option<&str> {
        let same = |setting: &&Setting| (setting.section, setting.key) == (section, key);
        self.given.iter().rev().find(same).map(|setting| setting.origin.as_str())
    }

    pub(super) fn read_environment(
        &mut self,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<(), UsageError> {
        let mut environment: Vec<(String, OsString)> = environment
            .into_iter()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
            .filter(|(name, _)| name.starts_with("PUSHGATE_"))
            .collect();
        // So that what is told first is the same at each start.
        environment.sort();
        for (name, value) in environment {
            let Some(flag) = FLAGS.iter().find(|flag| flag.variable() == name) else {
                if !OF_KUBERNETES.iter().any(|prefix| name.starts_with(prefix)) {
                    self.unknown_variables.push(name);
                }
                continue;
            };
            let wrong = |message: &str| UsageError::Environment(format!("{name}: {message}"));
            let value = value.to_str().ok_or_else(|| wrong("it is not UTF-8"))?;
            // Deployments set a variable to nothing where they mean to leave it out.
            if value.is_empty() {
                continue;
            }
            let given = match flag.value {
                Value::Switch => Given::Switch(match value {
                    "true" | "1" => true,
                    "false" | "0" => false,
                    _ => {
                        let message =
                            format!("'{value}' is neither true nor false; write true, false, 1 or 0");
                        return Err(wrong(&message));
                    }
                }),
                Value::One(_) => Given::Text(value.to_owned()),
                Value::Many(_) => Given::List(value.split(',').map(str::to_owned).collect()),
            };
            self.give(flag, given, name.clone()).map_err(|message| wrong(&message))?;
        }
        Ok(())
    }

    pub(super) fn read_flags(&mut self, flags: Vec<(&'static Flag, String)>) -> Result<(), UsageError> {
        let mut lists: Vec<(&Flag, Vec<String>)> = Vec::new();
        let mut all = Vec::new();
        for (flag, value) in flags {
            match flag.value {
                Value::Switch => all.push((flag, Given::Switch(value == "true"))),
                Value::One(_) => all.push((flag, Given::Text(value))),
                Value::Many(_) => match lists.iter_mut().find(|(other, _)| other.name == flag.name) {
                    Some((_, values)) => values.push(value),
                    None => lists.push((flag, vec![value])),
                },
            }
        }
        all.extend(lists.into_iter().map(|(flag, values)| (flag, Given::List(values))));
        for (flag, given) in all {
            let name = format!("--{}", flag.name);
            let wrong = |message| UsageError::Arguments(format!("{name}: {message}"));
            self.give(flag, given, name.clone()).map_err(wrong)?;
        }
        Ok(())
    }

    /// Remembers a setting, tried on a configuration so that a mistake is told before anything is done.
    fn give(&mut self, flag: &Flag, given: Given, origin: String) -> Result<(), String> {
        match (flag.meaning, given) {
            (Meaning::Setting(section, key), given) => {
                Config::default().set(section, key, &given)?;
                self.given.push(Setting { section, key, given, origin });
            }
            (Meaning::ConfigFile, Given::Text(file)) => {
                self.config_file = (!file.is_empty()).then(|| PathBuf::from(file));
            }
            (Meaning::ConfigFile | Meaning::Command, _) => {}
        }
        Ok(())
    }
}
