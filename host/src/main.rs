//! The program: arguments in, exit code out.

use std::process::ExitCode;

use mimalloc::MiMalloc;
use pushgate::cli::Invocation;

/// A push makes and frees some hundred small pieces of memory, on whichever thread it is worked on.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    pushgate::run::run(Invocation::of_process())
}
