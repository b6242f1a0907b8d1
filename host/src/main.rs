//! The program: arguments in, exit code out.

use std::process::ExitCode;

use pushgate::cli::Command;

fn main() -> ExitCode {
    let result = Command::of_process().map_err(anyhow::Error::from).and_then(pushgate::run::run);
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            pushgate::run::report(&error);
            ExitCode::FAILURE
        }
    }
}
