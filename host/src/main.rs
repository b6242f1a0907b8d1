//! The program: arguments in, exit code out.

use std::process::ExitCode;

use pushgate::cli::Invocation;

fn main() -> ExitCode {
    pushgate::run::run(Invocation::of_process())
}
