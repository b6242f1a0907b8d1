//! The server that scenarios are run against.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::process::Command;

use super::Kind;
use crate::http::Request;
use crate::{Folder, Response, artifacts, gateway, poll, process};

/// The variable with the command line of another server.
const BINARY: &str = "PUSHGATE_SCENARIOS_BINARY";

/// A process with some flags.
#[derive(Debug)]
pub(super) struct Server {
    process: process::Server,
    address: SocketAddr,
}

/// Which server this run is about.
pub(super) fn kind() -> Kind {
    if std::env::var_os(BINARY).is_some() { Kind::Original } else { Kind::Pushgate }
}

impl Server {
    pub(super) fn start(flags: &[String]) -> Self {
        let mut words = match std::env::var_os(BINARY) {
            Some(line) => line
                .to_str()
                .expect("the command line is text")
                .split_whitespace()
                .map(OsString::from)
                .collect(),
            None => vec![artifacts::gateway().into_os_string()],
        };
        let program = words.remove(0);
        let mut command = Command::new(program);
        command.args(words).env_remove(BINARY).arg("--web.listen-address=127.0.0.1:0").args(flags);
        // So that groups can be wiped between scenarios.
        if !flags.iter().any(|flag| flag.ends_with("web.enable-admin-api")) {
            command.arg("--web.enable-admin-api");
        }
        let mut process = process::Server::start("scenarios", command, Folder::new());
        let address = process.await_line("listens", gateway::listen_address);
        Self { process, address }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Removes all groups, and says whether that was possible.
    pub(super) fn wipe(&self, prefix: &str) -> bool {
        let wipe = Request::new(self.address, "PUT", &format!("{prefix}/api/v1/admin/wipe")).body("");
        if wipe.try_send().is_ok_and(|answer| answer.status == 202) {
            let is_empty = |answer: &Response| answer.status == 200 && answer.text().contains("\"data\":[]");
            let metrics =
                || Request::new(self.address, "GET", &format!("{prefix}/api/v1/metrics")).try_send();
            return poll::within(poll::SOON, || metrics().ok().filter(is_empty)).is_some();
        }
        false
    }

    /// Waits until it has ended by itself.
    pub(super) fn ended(&mut self) -> Result<(), String> {
        match self.process.await_end() {
            status if status.success() => Ok(()),
            status => Err(format!("it has ended with {status}")),
        }
    }
}
