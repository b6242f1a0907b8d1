//! `cargo xtask run`: from a fresh checkout to a gateway that answers.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::{CommandExt as _, parent_id};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::failure::{Context as _, Failure, Result};
use crate::{guests, step, wasm_target, workspace};

/// Which build of the gateway to start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Builds fast; the dependencies are optimised all the same.
    Dev,
    /// As it is shipped.
    Release,
}

/// How long the gateway may take from its start to its first answer: it compiles its plugins.
const PATIENCE: Duration = Duration::from_secs(60);

/// Builds everything, then becomes the gateway: Ctrl-C, or a signal to this process, ends it the way it ends in
/// production, and nothing is left behind. Returns only when that fails.
pub fn run(profile: Profile) -> Result {
    let address = address()?;
    wasm_target::ensure(&[wasm_target::UNKNOWN])?;
    guests::PLUGINS.build()?;
    let mut build = workspace::cargo(".");
    build.args(["build", "--package", "pushgate"]);
    if profile == Profile::Release {
        build.arg("--release");
    }
    step::run("build the gateway (the first time takes some minutes)", &mut build)?;

    // Whoever answers on that port now is not the gateway we are about to start.
    drop(TcpListener::bind(address).context(|| {
        format!(
            "cannot listen on {address}; end the program that does, or change listen_address in config.toml"
        )
    })?);
    let this_program = std::env::current_exe().context(|| "the path of xtask")?;
    Command::new(this_program)
        .args(["announce", &address.to_string()])
        .stdin(Stdio::null())
        .spawn()
        .context(|| "xtask announce")?;
    let folder = match profile {
        Profile::Dev => "debug",
        Profile::Release => "release",
    };
    let mut gateway = Command::new(workspace::target().join(folder).join("pushgate"));
    gateway.current_dir(workspace::root()).args(["--config.file", "config.toml"]);
    step::say("start the gateway with config.toml; Ctrl-C ends it");
    Err(Failure::new(format!("pushgate: {}", gateway.exec())))
}

/// Waits until the gateway answers, then prints what to try. Runs as a process of its own beside the gateway,
/// whose parent it was; when that is gone, there is nothing to announce.
pub fn announce(address: &str) -> Result {
    let gateway = parent_id();
    let started = Instant::now();
    while !is_healthy(address) {
        if parent_id() != gateway {
            return Ok(());
        }
        if started.elapsed() > PATIENCE {
            return Err(Failure::new(format!("the gateway does not answer on http://{address}/-/healthy")));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    println!("{}", announcement(address));
    Ok(())
}

fn announcement(address: &str) -> String {
    format!(
        "
pushgate listens on http://{address}

accepted:
  echo 'my_metric{{label1=\"value1\", label2=\"value2\"}} 42.5' | curl --data-binary @- http://{address}/metrics/job/myjob/instance/myinstance
refused, with the reason:
  echo 'queueDepth 7' | curl --data-binary @- http://{address}/metrics/job/myjob
what Prometheus would see:
  curl http://{address}/metrics
"
    )
}

fn is_healthy(address: &str) -> bool {
    let ask = || -> std::io::Result<String> {
        let mut connection = TcpStream::connect(address)?;
        connection.set_read_timeout(Some(Duration::from_secs(5)))?;
        write!(connection, "GET /-/healthy HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        connection.read_to_string(&mut answer)?;
        Ok(answer)
    };
    ask().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200 "))
}

fn address() -> Result<SocketAddr> {
    let file = workspace::path("config.toml");
    let text = fs::read_to_string(&file).context(|| file.display().to_string())?;
    first_listen_address(&text)
        .ok_or_else(|| Failure::new("config.toml has no line `listen_address = [\"HOST:PORT\"]`"))
}

/// The first address of the first line that sets `listen_address`, as it is reached from this machine.
fn first_listen_address(config: &str) -> Option<SocketAddr> {
    let line = config.lines().find(|line| line.trim_start().starts_with("listen_address"))?;
    let address = line.split('"').nth(1)?;
    match address.strip_prefix(':') {
        Some(port) => Some((Ipv4Addr::LOCALHOST, port.parse().ok()?).into()),
        None => address.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_read_from_the_configuration() {
        let cases = [
            ("[web]\nlisten_address = [\"127.0.0.1:9091\"]\n", Some("127.0.0.1:9091")),
            (
                "# listen_address = [\"127.0.0.1:1\"]\nlisten_address = [\"127.0.0.1:2\", \"[::1]:3\"]",
                Some("127.0.0.1:2"),
            ),
            ("[web]\nlisten_address = [\":9091\"]\n", Some("127.0.0.1:9091")),
            ("[web]\n", None),
        ];
        for (config, expected) in cases {
            assert_eq!(
                first_listen_address(config),
                expected.map(|address| address.parse().unwrap()),
                "{config}"
            );
        }
    }

    #[test]
    fn nobody_is_healthy_on_a_port_where_nobody_listens() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        drop(listener);
        assert!(!is_healthy(&address));
    }
}
