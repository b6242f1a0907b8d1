//! Clients that people push with.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use crate::process::{Finished, finish};
use crate::tools::{Tool, require};

/// The command-line program.
#[derive(Debug, Clone)]
pub struct Curl(PathBuf);

/// What curl received.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The body.
    pub body: String,
}

impl Curl {
    /// `None` skips the test, see [`require`].
    pub fn require() -> Option<Self> {
        require(Tool::Curl).map(Self)
    }

    /// Runs `curl ARGUMENTS... URL` with `input` on its standard input.
    pub fn run(&self, input: &str, arguments: &[&str], url: &str) -> Answer {
        self.try_run(input, arguments, url).unwrap_or_else(|failure| panic!("curl: {failure}"))
    }

    /// The same, or what curl says when there was no answer.
    ///
    /// # Errors
    /// When there was none.
    pub fn try_run(&self, input: &str, arguments: &[&str], url: &str) -> Result<Answer, String> {
        let mut command = Command::new(&self.0);
        // No proxy of the environment stands between the test and its own machine.
        command.args(["--silent", "--show-error", "--noproxy", "*", "--write-out", "\n%{http_code}"]);
        let finished = finish(command.args(arguments).arg(url), input.as_bytes());
        if finished.code != 0 {
            return Err(finished.stderr);
        }
        let (body, status) = finished.stdout.rsplit_once('\n').expect("curl writes the status last");
        Ok(Answer { status: status.parse().unwrap(), body: body.to_owned() })
    }
}

/// A shell with curl on its path, for lines that people paste.
#[derive(Debug, Clone)]
pub struct Shell {
    curl: PathBuf,
}

impl Shell {
    /// `None` skips the test, see [`require`].
    pub fn require() -> Option<Self> {
        require(Tool::Curl).map(|curl| Self { curl })
    }

    /// Runs a script with bash, the way cron does: with few variables, from the root folder, without a terminal.
    pub fn run(&self, script: &str, variables: &[(&str, &str)]) -> Finished {
        let folder = self.curl.parent().unwrap().display().to_string();
        let mut bash = Command::new("/bin/bash");
        bash.env_clear().env("PATH", format!("{folder}:/usr/bin:/bin")).envs(variables.iter().copied());
        finish(bash.args(["-c", script]).current_dir("/"), b"")
    }
}

/// Python with the official client library.
#[derive(Debug, Clone)]
pub struct Python(PathBuf);

impl Python {
    /// `None` skips the test, see [`require`].
    pub fn require() -> Option<Self> {
        require(Tool::Python).map(Self)
    }

    /// Runs a program that finds the gateway's `HOST:PORT` in `sys.argv[1]`. Returns what it printed.
    pub fn run(&self, program: &str, gateway: SocketAddr) -> String {
        let mut command = Command::new(&self.0);
        command.args(["-c", program, &gateway.to_string()]).env("no_proxy", "*");
        let finished = finish(&mut command, b"");
        assert_eq!(finished.code, 0, "{}", finished.stderr);
        finished.stdout
    }
}
