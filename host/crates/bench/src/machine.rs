//! The machine that figures come from.

use std::fs;
use std::thread::available_parallelism;

use serde::{Deserialize, Serialize};

/// What matters of it for how fast things are. It has no name here: figures are for everybody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// Cores that can be used.
    pub cores: usize,
    /// What the processor calls itself.
    pub cpu: String,
    /// Memory in GiB, rounded.
    pub memory_gib: u64,
}

impl Machine {
    /// This one. To be asked before anything is pinned.
    pub fn here() -> Self {
        let read = |file| fs::read_to_string(file).unwrap_or_default();
        Self {
            cores: available_parallelism().map_or(1, usize::from),
            cpu: value(&read("/proc/cpuinfo"), "model name").unwrap_or("unknown").to_owned(),
            memory_gib: gib(&read("/proc/meminfo")).unwrap_or_default(),
        }
    }
}

/// How many processes wanted to run, on average over the last minute.
pub fn load_average() -> Option<f64> {
    fs::read_to_string("/proc/loadavg").ok()?.split(' ').next()?.parse().ok()
}

/// The value of the first line `name : value`.
fn value<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = text.lines().filter_map(|line| line.split_once(':'));
    lines.find_map(|(key, value)| (key.trim() == name).then(|| value.trim()))
}

fn gib(meminfo: &str) -> Option<u64> {
    let kib: u64 = value(meminfo, "MemTotal")?.strip_suffix(" kB")?.parse().ok()?;
    Some(kib.div_ceil(1 << 20))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_the_kernel_are_read() {
        let cpuinfo = "processor\t: 0\nmodel name\t: Some CPU: 3 GHz\nmodel name\t: Other\n";
        assert_eq!(value(cpuinfo, "model name"), Some("Some CPU: 3 GHz"));
        assert_eq!(gib("MemTotal:       24689224 kB\nMemFree: 1 kB\n"), Some(24));
        assert_eq!(gib("MemTotal: what"), None);
    }
}
