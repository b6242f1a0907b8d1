//! Which cores the servers run on, and which one the generator has for itself.

use std::fs;
use std::path::PathBuf;
use std::process::{self, Command, Stdio};

use anyhow::{Context as _, ensure};

/// The cores of this run. Without two of them, or without `taskset`, nothing is pinned, and the system moves processes as
/// it likes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cores {
    /// As `taskset -c` reads them, if processes are pinned.
    servers: Option<String>,
}

impl Cores {
    /// Gives the last core that this process may use to itself alone, and leaves the others for the servers.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn divide() -> anyhow::Result<Self> {
        let status = fs::read_to_string("/proc/self/status").context("/proc/self/status")?;
        let allowed = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
        let Some((servers, own)) = split(&cores_of(allowed.unwrap_or_default().trim())) else {
            return Ok(Self::default());
        };
        let mut pin = Command::new("taskset");
        pin.args(["-p", "-c", &own, &process::id().to_string()]).stdout(Stdio::null());
        match pin.status() {
            Err(_) => Ok(Self::default()),
            Ok(status) => {
                ensure!(status.success(), "taskset cannot pin the load generator ({status})");
                Ok(Self { servers: Some(servers) })
            }
        }
    }

    /// Whether processes are pinned.
    pub fn are_pinned(&self) -> bool {
        self.servers.is_some()
    }

    /// A command that runs on the servers' cores.
    pub fn command(&self, program: &PathBuf) -> Command {
        match &self.servers {
            None => Command::new(program),
            Some(cores) => {
                let mut command = Command::new("taskset");
                command.args(["-c", cores]).arg(program);
                command
            }
        }
    }
}

/// Reads a list as the kernel writes it: `0-2,5`.
fn cores_of(list: &str) -> Vec<u32> {
    let range = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some(first.parse().ok()?..=last.parse().ok()?)
    };
    list.split(',').filter_map(range).flatten().collect()
}

fn split(cores: &[u32]) -> Option<(String, String)> {
    let (own, servers) = cores.split_last().filter(|(_, servers)| !servers.is_empty())?;
    let servers: Vec<String> = servers.iter().map(u32::to_string).collect();
    Some((servers.join(","), own.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_has_the_last_core() {
        for (list, expected) in [
            ("0-1", Some(("0", "1"))),
            ("0-2,5", Some(("0,1,2", "5"))),
            ("3", None),
            ("", None),
            ("what", None),
        ] {
            let expected = expected.map(|(servers, own)| (servers.to_owned(), own.to_owned()));
            assert_eq!(split(&cores_of(list)), expected, "{list}");
        }
    }
}
