//! The program: arguments in, exit code out.

use std::process::ExitCode;

use clap::Parser as _;
use pushgate::cli::{Cli, Command};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        Some(Command::CheckConfig(check)) => pushgate::run::check_config(&check),
        None => pushgate::run::serve(cli.serve),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            pushgate::run::report(&error);
            ExitCode::FAILURE
        }
    }
}
