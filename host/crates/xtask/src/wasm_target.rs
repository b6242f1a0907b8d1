//! The compilation targets of guests.

use std::path::Path;
use std::process::Command;

use crate::failure::{Failure, Result};
use crate::step;
use crate::workspace;

/// What most guests are built for: a core module without any system interface, which the gateway makes a
/// component when it loads it.
pub const UNKNOWN: &str = "wasm32-unknown-unknown";

/// For guests that want all of `std`; the compiler makes the component.
pub const WASI: &str = "wasm32-wasip2";

/// Adds the targets that the toolchain does not have yet. Asks rustup only for what is missing, so that a
/// toolchain from elsewhere that has them will do.
pub fn ensure(targets: &[&str]) -> Result {
    for target in targets {
        if !installed(target) {
            let mut rustup = Command::new("rustup");
            rustup.args(["target", "add", target]).current_dir(workspace::root());
            step::run_quietly(&format!("add the target {target}"), &mut rustup)
                .map_err(|failure| explain(target, &failure))?;
        }
    }
    Ok(())
}

fn installed(target: &str) -> bool {
    let mut rustc = Command::new("rustc");
    rustc.args(["--print", "target-libdir", "--target", target]).current_dir(workspace::root());
    step::output(&mut rustc).is_ok_and(|folder| Path::new(folder.trim_end()).is_dir())
}

fn explain(target: &str, failure: &Failure) -> Failure {
    let failure = failure.to_string();
    let what_to_do = if failure.contains("No such file or directory") {
        format!(
            "This toolchain cannot build for {target}, and there is no rustup to add it. \
             Install rustup (https://rustup.rs), or the package of your distribution that holds the \
             standard library for {target}."
        )
    } else {
        format!(
            "rustup could not add {target}; it downloads it, so look at the network first. \
             Where there is none, copy the target from a machine that has it, or run `rustup target add {target}` \
             while there is one."
        )
    };
    Failure::new(format!("{failure}\n{what_to_do}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_target_is_always_installed_and_an_invented_one_never() {
        let host = step::output(Command::new("rustc").args(["--print", "host-tuple"])).unwrap();
        assert!(installed(host.trim_end()));
        assert!(!installed("wasm32-unknown-atlantis"));
    }

    #[test]
    fn a_failure_says_whether_rustup_or_the_network_is_missing() {
        let cases = [
            ("add: rustup: No such file or directory (os error 2)", "Install rustup"),
            ("add: `rustup target add x` failed\nerror: could not download file", "look at the network"),
        ];
        for (failure, expected) in cases {
            let text = explain("x", &Failure::new(failure)).to_string();
            assert!(text.contains(expected), "{text}");
        }
    }
}
