//! `plugin bench`: what a push costs in a plugin, by its size.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use pushgate_exposition::{GroupingKey, Push, Rules, text};
use pushgate_plugin_host::{Chain, LoadError, Method, Request, Step};
use serde_json::Value;

use super::conditions::Conditions;
use super::workbench::{self, Workbench};

/// Series in the pushes that are measured.
const SIZES: [usize; 5] = [1, 10, 100, 1_000, 10_000];

/// How often a size is measured: as often as fits into this time, within bounds.
const TIME: Duration = Duration::from_millis(500);
const TIMES: std::ops::Range<usize> = 11..2_000;

/// Further instances that are started to know what one costs.
const STARTS: usize = 11;

/// Measures a plugin file with a configuration, or that of the policy whose place it has, and writes a table.
///
/// # Errors
/// When the file is no plugin, or it does not take the configuration.
pub fn bench(
    plugin: &Path,
    config: Option<&Path>,
    conditions: &Conditions,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let given = config.map(read_config).transpose()?;
    let of_policy = conditions.policy.as_ref().map(|(_, config)| config.clone());
    let config = given.or(of_policy).unwrap_or_else(|| "{}".to_owned());
    let bench = Workbench::open(plugin, 2, conditions)?;
    let (compiled, described) = timed(|| bench.describe());
    let name = described?.manifest.name;
    let configure = || bench.configure(&name, &config);
    let loaded = match configure() {
        Err(error @ LoadError::Config(_)) if config == "{}" => {
            return Err(error).context("without a configuration; --config=FILE names a file of TOML or JSON");
        }
        loaded => loaded?,
    };
    let started = median((0..STARTS).map(|_| timed(configure).0).collect());
    writeln!(out, "{:>10} ms to compile, once", figure(compiled.as_secs_f64() * 1e3))?;
    writeln!(out, "{:>10} µs to start and configure an instance", figure(started.as_secs_f64() * 1e6))?;
    writeln!(out, "\n{:>10} {:>10} {:>12}  answer", "series", "µs a push", "fuel a push")?;
    let chain = workbench::alone(loaded);
    for size in SIZES {
        let push = push(size)?;
        let measured = measure(&chain, &push);
        let (time, fuel) = (figure(measured.time.as_secs_f64() * 1e6), measured.fuel);
        writeln!(out, "{size:>10} {time:>10} {fuel:>12}  {}", measured.answer)?;
    }
    writeln!(
        out,
        "\nTimes are medians on a warm instance, of this machine and this moment; fuel is the same everywhere.\n\
         A series has five labels and each push has a family for every hundred; what yours cost depends on them."
    )?;
    Ok(())
}

/// A configuration as JSON; TOML as it would stand in `[plugin.config]`.
fn read_config(file: &Path) -> anyhow::Result<String> {
    let at = || format!("cannot read the configuration '{}'", file.display());
    let text = fs::read_to_string(file).with_context(at)?;
    let is_json = file.extension().is_some_and(|extension| extension == "json");
    let value: Value = if is_json {
        serde_json::from_str(&text).with_context(at)?
    } else {
        toml::from_str(&text).with_context(at)?
    };
    Ok(value.to_string())
}

struct Measured {
    time: Duration,
    fuel: u64,
    answer: String,
}

fn measure(chain: &Chain, push: &Push) -> Measured {
    let request = Request { id: "bench", method: Method::Put, received_ms: 0, attributes: &[] };
    let mut times = Vec::new();
    let mut last = (0, String::new());
    let begun = Instant::now();
    while times.len() < TIMES.start || (times.len() < TIMES.end && begun.elapsed() < TIME) {
        let mut push = push.clone();
        let verdict = chain.run(&mut push, request);
        let Some(report) = verdict.reports.first() else { break };
        let answer = match &report.step {
            Step::Mutated => "mutate".to_owned(),
            Step::Rejected => "reject".to_owned(),
            Step::Fault(fault) => format!("fault: {fault}"),
            _ => "accept".to_owned(),
        };
        times.push(report.duration);
        last = (report.fuel, answer);
    }
    Measured { time: median(times), fuel: last.0, answer: last.1 }
}

/// A push of so many series, as an exporter of requests makes them.
fn push(series: usize) -> anyhow::Result<Push> {
    let mut body = String::new();
    for index in 0..series {
        let family = index / 100;
        if index % 100 == 0 {
            body += &format!(
                "# HELP requests_{family}_total Requests.\n# TYPE requests_{family}_total counter\n"
            );
        }
        let (code, host) = (200 + index % 5, index / 5 % 20);
        body += &format!(
            "requests_{family}_total{{code=\"{code}\",host=\"host{host}\",method=\"GET\",path=\"/\",team=\"a\"}} {index}\n"
        );
    }
    let key = GroupingKey::new([("job", "bench")])?;
    Ok(text::parse(body.as_bytes(), &key, &Rules::default())?)
}

fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let begun = Instant::now();
    let result = work();
    (begun.elapsed(), result)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// Three digits or more: measurements do not repeat to more.
fn figure(value: f64) -> String {
    if value < 100.0 { format!("{value:.1}") } else { format!("{value:.0}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_push_is_as_large_as_asked_for() {
        for size in SIZES {
            assert_eq!(push(size).unwrap().series_count(), size);
        }
    }

    #[test]
    fn the_median_is_in_the_middle() {
        let millis = |times: &[u64]| times.iter().map(|&time| Duration::from_millis(time)).collect();
        assert_eq!(median(millis(&[9, 1, 3])), Duration::from_millis(3));
        assert_eq!(median(Vec::new()), Duration::ZERO);
        assert_eq!(
            (figure(2.0), figure(99.96), figure(12_345.6)),
            ("2.0".into(), "100.0".into(), "12346".into())
        );
    }
}
