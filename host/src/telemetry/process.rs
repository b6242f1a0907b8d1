//! What the operating system says of the process, under the names that all Prometheus clients use. Read at each scrape
//! from `/proc`, which takes some fifty microseconds; where there is none, nothing is shown.
//! <https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics>

use std::fs;

use pushgate_exposition::{InternError, Kind};

use super::writer::Writer;

/// In a second, for all times in `/proc`: the same on every Linux that Rust's standard library runs on.
const TICKS: f64 = 100.0;

const CPU: &str = "process_cpu_seconds_total";
const MAX_FDS: &str = "process_max_fds";
const RECEIVED: &str = "process_network_receive_bytes_total";
const SENT: &str = "process_network_transmit_bytes_total";
const OPEN_FDS: &str = "process_open_fds";
const RESIDENT: &str = "process_resident_memory_bytes";
const START: &str = "process_start_time_seconds";
const VIRTUAL: &str = "process_virtual_memory_bytes";
const MAX_VIRTUAL: &str = "process_virtual_memory_max_bytes";

/// The names and types of all of them.
pub(super) const FAMILIES: [(&str, Kind); 9] = [
    (CPU, Kind::Counter),
    (MAX_FDS, Kind::Gauge),
    (RECEIVED, Kind::Counter),
    (SENT, Kind::Counter),
    (OPEN_FDS, Kind::Gauge),
    (RESIDENT, Kind::Gauge),
    (START, Kind::Gauge),
    (VIRTUAL, Kind::Gauge),
    (MAX_VIRTUAL, Kind::Gauge),
];

/// Writes what can be found out.
pub(super) fn write(out: &mut Writer) -> Result<(), InternError> {
    let read = |file: &str| fs::read_to_string(file).unwrap_or_default();
    let (stat, status, limits) =
        (read("/proc/self/stat"), read("/proc/self/status"), read("/proc/self/limits"));
    let network = read("/proc/self/net/netstat");
    let start = boot_time(&read("/proc/stat")).zip(stat_field(&stat, 22));
    let cpu = stat_field(&stat, 14).zip(stat_field(&stat, 15));
    let values = [
        (CPU, "Processor time of user and system.", cpu.map(|(user, system)| (user + system) / TICKS)),
        (MAX_FDS, "Most file descriptors that may be open.", limit(&limits, "Max open files")),
        (RECEIVED, "Bytes received in the network namespace.", octets(&network, "InOctets")),
        (SENT, "Bytes sent in the network namespace.", octets(&network, "OutOctets")),
        (OPEN_FDS, "File descriptors that are open.", open_fds()),
        (RESIDENT, "Memory that is in use.", memory(&status, "VmRSS:")),
        (
            START,
            "When the process started, in seconds since 1970.",
            start.map(|(boot, at)| boot + at / TICKS),
        ),
        (VIRTUAL, "Address space that is in use.", memory(&status, "VmSize:")),
        (MAX_VIRTUAL, "Most address space that may be in use.", limit(&limits, "Max address space")),
    ];
    for (name, help, value) in values {
        let kind = FAMILIES.iter().find(|(other, _)| *other == name).map_or(Kind::Untyped, |(_, kind)| *kind);
        if let Some(value) = value {
            out.single(name, kind, help, value)?;
        }
    }
    Ok(())
}

/// A field of `/proc/self/stat`, counted from 1 as in its manual page. The second one is the program's name in
/// parentheses, which may hold blanks.
fn stat_field(stat: &str, number: usize) -> Option<f64> {
    let (_, behind_name) = stat.rsplit_once(')')?;
    behind_name.split_whitespace().nth(number.checked_sub(3)?)?.parse().ok()
}

/// When the system started, in seconds since 1970.
fn boot_time(stat: &str) -> Option<f64> {
    stat.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()
}

/// A soft limit; none is the largest number, as other clients have it.
fn limit(limits: &str, name: &str) -> Option<f64> {
    match limits.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()? {
        "unlimited" => Some(u64::MAX as f64),
        number => number.parse().ok(),
    }
}

/// A line such as `VmRSS:     1234 kB` in bytes.
fn memory(status: &str, name: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024.0)
}

/// A column of the two lines that begin with `IpExt:`, the names and the numbers.
fn octets(netstat: &str, name: &str) -> Option<f64> {
    let mut lines = netstat.lines().filter_map(|line| line.strip_prefix("IpExt:"));
    let (names, values) = (lines.next()?, lines.next()?);
    let column = names.split_whitespace().position(|other| other == name)?;
    values.split_whitespace().nth(column)?.parse().ok()
}

fn open_fds() -> Option<f64> {
    // Listing them opens one.
    Some(fs::read_dir("/proc/self/fd").ok()?.count().saturating_sub(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_proc_are_read() {
        let stat = "1 (a) b) S 0 1 1 0 -1 4194560 1 2 3 4 150 50 0 0 20 0 1 0 4200 22773760 900";
        assert_eq!((stat_field(stat, 14), stat_field(stat, 15)), (Some(150.0), Some(50.0)));
        assert_eq!((stat_field(stat, 22), stat_field(stat, 99)), (Some(4200.0), None));
        assert_eq!(boot_time("cpu 1 2\nbtime 1795000000\n"), Some(1_795_000_000.0));
        let limits = "Limit  Soft  Hard  Units\nMax open files   1024   4096  files\nMax address space  unlimited  unlimited  bytes\n";
        assert_eq!(limit(limits, "Max open files"), Some(1024.0));
        assert_eq!(limit(limits, "Max address space"), Some(18_446_744_073_709_551_615.0));
        assert_eq!(memory("VmSize:\t  100 kB\nVmRSS:\t  2 kB\n", "VmRSS:"), Some(2048.0));
        let netstat = "TcpExt: A\nTcpExt: 1\nIpExt: InNoRoutes InOctets OutOctets\nIpExt: 0 12 34\n";
        assert_eq!((octets(netstat, "InOctets"), octets(netstat, "OutOctets")), (Some(12.0), Some(34.0)));
    }

    #[test]
    fn what_is_not_there_is_nothing() {
        for text in ["", "x", "1 (a)", "VmRSS: much kB", "IpExt: A", "Max open files"] {
            assert_eq!(stat_field(text, 14), None);
            assert_eq!(boot_time(text), None);
            assert_eq!(limit(text, "Max open files"), None);
            assert_eq!(memory(text, "VmRSS:"), None);
            assert_eq!(octets(text, "InOctets"), None);
        }
    }
}
