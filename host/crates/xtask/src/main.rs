//! The program behind `cargo xtask`; the library does the work.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a task talks to the person who started it")]

use std::process::ExitCode;

use xtask::run::Profile;
use xtask::{Result, bench, ci, counts, guests, run, soak, test, wasm_target};

const USAGE: &str = "\
usage: cargo xtask TASK

  run [--release]   build the plugins, start the gateway with config.toml, print what to try
  test              set up what the tests need, then run all of them
  plugins [--all]   build the bundled plugins into target/plugins (all: the tests' guests, too)
  bench [OPTION]    how fast the gateway is, beside the original and an empty server (--help: the options)
  bench micro [F]   how fast single functions are
  bench counts      how many instructions they take, beside what is committed (--write: commit them)
  soak [--duration 2h] [--seed NUMBER] [--binary PUSHGATE]
                    everything at once against the gateway, five minutes by default, and is anything lost or growing
  ci                what has to hold before a change lands: format, lints, rules, docs, tests";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words[..] {
        ["run"] => run::run(Profile::Dev),
        ["run", "--release"] => run::run(Profile::Release),
        ["announce", address] => run::announce(address),
        ["test"] => test::test(),
        ["plugins"] => plugins(&[guests::PLUGINS], &[wasm_target::UNKNOWN]),
        ["plugins", "--all"] => plugins(&guests::ALL, &[wasm_target::UNKNOWN, wasm_target::WASI]),
        ["bench", "micro", ref filter @ ..] => bench::micro(filter),
        ["bench", "counts"] => counts::counts(counts::How::Compare),
        ["bench", "counts", "--write"] => counts::counts(counts::How::Write),
        ["bench", ref options @ ..] => bench::bench(options),
        ["soak", ref arguments @ ..] => soak::soak(arguments),
        ["ci"] => ci::ci(),
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            Ok(())
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn plugins(workspaces: &[guests::GuestWorkspace], targets: &[&str]) -> Result {
    wasm_target::ensure(targets)?;
    for workspace in workspaces {
        for file in workspace.build()? {
            println!("{}", file.display());
        }
    }
    Ok(())
}
