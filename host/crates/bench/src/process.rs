//! What the kernel counts of a process.

use std::fs;
use std::time::Duration;

use anyhow::Context as _;

/// The kernel's clock of processes ticks so often, on every Linux since 2.6.
const TICKS_PER_SECOND: u64 = 100;

/// The processor time that a process has used, to a hundredth of a second.
///
/// # Errors
/// When it is gone.
pub fn cpu_time(process: u32) -> anyhow::Result<Duration> {
    let file = format!("/proc/{process}/stat");
    let stat = fs::read_to_string(&file).with_context(|| file.clone())?;
    let ticks = ticks(&stat).context(file)?;
    Ok(Duration::from_millis(ticks * 1_000 / TICKS_PER_SECOND))
}

/// The memory that a process has in use, in bytes.
///
/// # Errors
/// When it is gone.
pub fn resident_memory(process: u32) -> anyhow::Result<u64> {
    let file = format!("/proc/{process}/status");
    let status = fs::read_to_string(&file).with_context(|| file.clone())?;
    let kib = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"));
    let kib: u64 = kib.and_then(|kib| kib.parse().ok()).context(file)?;
    Ok(kib << 10)
}

/// User and system time; the name of the program, in parentheses, may hold blanks and parentheses.
fn ticks(stat: &str) -> Option<u64> {
    let behind_name = stat.get(stat.rfind(')')? + 1..)?;
    let mut fields = behind_name.split_whitespace().skip(11);
    let mut next = || fields.next()?.parse::<u64>().ok();
    Some(next()? + next()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_program_is_no_field() {
        let stat = "17 (a) b (c) S 1 17 17 0 -1 4194560 1 0 0 0 250 30 0 0 20 0 1 0 5 6";
        assert_eq!(ticks(stat), Some(280));
        assert_eq!(ticks("17 (a"), None);
    }

    #[test]
    fn this_process_has_memory() {
        assert!(resident_memory(std::process::id()).unwrap() > 100 << 10);
        assert!(cpu_time(std::process::id()).is_ok());
    }
}
