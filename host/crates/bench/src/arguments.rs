//! What the program is asked to do.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use pushgate_bench::plan::Plan;

pub(crate) const USAGE: &str = "\
usage: cargo xtask bench [OPTIONS]

  --quick              what the goals are about, in a minute or two, instead of everything in twenty
  --smoke              a little of everything, in seconds: its figures say nothing
  --duration SECONDS   the time of each load
  --rounds N           how often each load is measured, in turns
  --reference PATH     the original Pushgateway; one on the PATH is found
  --no-reference       do without it
  --json FILE          write the results there as well
  --note TEXT          what readers of the results have to know of this run
  --write              write them into the repository: JSON, plots and the tables of PERFORMANCE.md";

/// A task.
pub(crate) enum Task {
    /// Measure.
    Measure(Box<Arguments>),
    /// Write the tables and plots of the committed results anew.
    Render,
    /// Tell the options.
    Help,
    /// Be the empty server.
    Floor(SocketAddr),
}

/// How to measure.
pub(crate) struct Arguments {
    pub(crate) plan: Plan,
    pub(crate) gateway: PathBuf,
    pub(crate) reference: Option<PathBuf>,
    pub(crate) json: Option<PathBuf>,
    pub(crate) note: Option<String>,
    pub(crate) write: bool,
}

impl Task {
    pub(crate) fn read(words: &[String]) -> Result<Self, String> {
        match words {
            [task, address] if task == "floor" => {
                address.parse().map(Self::Floor).map_err(|_| format!("'{address}' is no address"))
            }
            [task] if task == "render" => Ok(Self::Render),
            words if words.iter().any(|word| word == "--help") => Ok(Self::Help),
            words => Arguments::read(words).map(Box::new).map(Self::Measure),
        }
    }
}

impl Arguments {
    fn read(words: &[String]) -> Result<Self, String> {
        let mut read = Self {
            plan: Plan::full(),
            gateway: PathBuf::new(),
            reference: find("prometheus-pushgateway").or_else(|| find("pushgateway")),
            json: None,
            note: None,
            write: false,
        };
        // First the plan, whatever the order: what else is said changes it.
        for word in words {
            match word.as_str() {
                "--quick" => read.plan = Plan::quick(),
                "--smoke" => read.plan = Plan::smoke(),
                _ => {}
            }
        }
        let mut words = words.iter().map(String::as_str);
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("'{word}' needs a value"));
            match word {
                "--quick" | "--smoke" => {}
                "--duration" => read.plan.duration = seconds(value()?)?,
                "--rounds" => read.plan.rounds = rounds(value()?)?,
                "--reference" => read.reference = Some(file(value()?)?),
                "--no-reference" => read.reference = None,
                "--gateway" => read.gateway = file(value()?)?,
                "--json" => read.json = Some(PathBuf::from(value()?)),
                "--note" => read.note = Some(value()?.to_owned()),
                "--write" => read.write = true,
                other => return Err(format!("'{other}' is no option")),
            }
        }
        if read.gateway.as_os_str().is_empty() {
            return Err(
                "'--gateway' says which pushgate to measure; `cargo xtask bench` does that".to_owned()
            );
        }
        Ok(read)
    }
}

fn seconds(value: &str) -> Result<Duration, String> {
    let seconds: Option<f64> = value.parse().ok().filter(|seconds| (0.01..=600.0).contains(seconds));
    seconds
        .map(Duration::from_secs_f64)
        .ok_or_else(|| format!("'{value}' is no time from 0.01 to 600 seconds"))
}

fn rounds(value: &str) -> Result<usize, String> {
    let rounds = value.parse().ok().filter(|rounds| (1..=100).contains(rounds));
    rounds.ok_or_else(|| format!("'{value}' is no number from 1 to 100"))
}

/// The servers run in folders of their own.
fn file(value: &str) -> Result<PathBuf, String> {
    std::path::absolute(value).map_err(|error| format!("'{value}': {error}"))
}

fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &str) -> Result<Arguments, String> {
        Arguments::read(&words.split(' ').map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn the_plan_comes_before_what_changes_it() {
        let read = read("--duration 0.5 --gateway /g --quick --rounds 7 --no-reference").unwrap();
        assert_eq!(
            (read.plan.name, read.plan.duration, read.plan.rounds),
            ("quick", Duration::from_millis(500), 7)
        );
        assert_eq!((read.gateway, read.reference), (PathBuf::from("/g"), None));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (words, problem) in [
            ("--slow", "'--slow' is no option"),
            ("--duration", "'--duration' needs a value"),
            ("--duration x", "'x' is no time from 0.01 to 600 seconds"),
            ("--rounds 0", "'0' is no number from 1 to 100"),
            ("--quick", "'--gateway' says which pushgate to measure; `cargo xtask bench` does that"),
        ] {
            assert_eq!(read(words).err().as_deref(), Some(problem), "{words}");
        }
    }
}
