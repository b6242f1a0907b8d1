//! The program behind `cargo xtask soak`, which builds it and what it starts.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a task talks to the person who started it")]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use e2e::soak::{Plan, run};

const USAGE: &str = "usage: cargo xtask soak [--duration 5m] [--seed NUMBER] [--binary PUSHGATE]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(plan) = plan(&arguments) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    println!("soak: {:?} with seed {}", plan.duration, plan.seed);
    let report = run(&plan);
    println!("{report}");
    if report.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn plan(arguments: &[String]) -> Option<Plan> {
    let seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let mut plan = Plan { duration: Duration::from_secs(300), seed, binary: None };
    for pair in arguments.chunks(2) {
        match pair {
            [name, value] if name == "--duration" => plan.duration = duration(value)?,
            [name, value] if name == "--seed" => plan.seed = value.parse().ok()?,
            [name, value] if name == "--binary" => {
                plan.binary = Some(PathBuf::from(value).canonicalize().ok()?);
            }
            _ => return None,
        }
    }
    Some(plan)
}

/// `90s`, `5m` or `2h`.
fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        _ => return None,
    };
    Some(Duration::from_secs(number.parse::<u64>().ok()?.checked_mul(seconds)?))
        .filter(|duration| !duration.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit() {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        for (text, expected) in [
            ("90s", seconds(90)),
            ("5m", seconds(300)),
            ("2h", seconds(7_200)),
            ("0s", None),
            ("5", None),
            ("", None),
            ("m", None),
            ("é", None),
        ] {
            assert_eq!(duration(text), expected, "{text}");
        }
    }
}
