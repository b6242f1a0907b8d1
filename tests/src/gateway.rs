//! The gateway under test.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use xtask::workspace;

use crate::http::{Request, Response};
use crate::process::{Finished, Server, finish};
use crate::{Folder, Scrape, artifacts, poll};

/// The real binary, in a fresh folder, on a port that the operating system chose.
#[derive(Debug)]
pub struct Gateway {
    server: Server,
    address: SocketAddr,
}

impl Gateway {
    /// Starts it with a configuration that says which plugins there are: everything that follows `[plugins]`.
    /// Returns when it answers.
    pub fn start(plugins: &str) -> Self {
        Self::start_with(&config("127.0.0.1:0", plugins))
    }

    /// Starts it with a whole configuration, which should listen on port 0.
    pub fn start_with(config: &str) -> Self {
        let folder = Folder::new();
        folder.write("config.toml", config);
        Self::spawn(folder, &["--config.file", "config.toml"])
    }

    /// Starts it with the `config.toml` of the repository and the plugins that come with it.
    pub fn start_bundled() -> Self {
        artifacts::plugins();
        let config = workspace::path("config.toml");
        let config = config.to_str().expect("the path of the repository is text");
        Self::spawn(Folder::new(), &["--config.file", config, "--web.listen-address", "127.0.0.1:0"])
    }

    /// Starts it without a configuration file, in `folder` and with these flags.
    pub fn start_in(folder: Folder, flags: &[&str]) -> Self {
        Self::spawn(folder, &[&["--web.listen-address=127.0.0.1:0"], flags].concat())
    }

    /// Starts it in `folder`, with these flags, and returns when it listens: with TLS or users this harness cannot ask it
    /// whether it is ready.
    pub fn start_guarded(folder: Folder, flags: &[&str]) -> Self {
        Self::listening(folder, &[&["--web.listen-address=127.0.0.1:0"], flags].concat(), &[])
    }

    /// Starts it with `config.toml` in its folder, these arguments and these variables of the environment.
    pub fn start_as(config: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let folder = Folder::new();
        folder.write("config.toml", config);
        Self::spawn_as(folder, arguments, variables)
    }

    /// Starts it with this configuration, where no file can grow past that many KiB: a disk that fills.
    pub fn start_on_small_disk(folder: Folder, config: &str, kib: usize) -> Self {
        folder.write("config.toml", config);
        let mut command = Command::new("sh");
        // Writing past the limit is an error then, and not the end.
        let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$0\" --config.file config.toml", 2 * kib);
        command.args(["-c", &script]).arg(artifacts::gateway());
        Self::run(folder, command)
    }

    /// Starts it in the folder of another one that has ended, with this configuration.
    pub fn start_again(folder: Folder, config: &str) -> Self {
        folder.write("config.toml", config);
        Self::spawn(folder, &["--config.file", "config.toml"])
    }

    /// Starts that binary in a folder, with this configuration.
    pub fn start_binary(binary: &Path, folder: Folder, config: &str) -> Self {
        folder.write("config.toml", config);
        let mut command = Command::new(binary);
        command.args(["--config.file", "config.toml"]);
        Self::ready(Self::run(folder, command))
    }

    fn spawn(folder: Folder, arguments: &[&str]) -> Self {
        Self::spawn_as(folder, arguments, &[])
    }

    fn spawn_as(folder: Folder, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        Self::ready(Self::listening(folder, arguments, variables))
    }

    fn ready(gateway: Self) -> Self {
        poll::until("the gateway is ready", || (gateway.get("/-/ready").status == 200).then_some(()));
        gateway
    }

    fn listening(folder: Folder, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut command = Command::new(artifacts::gateway());
        command.args(arguments).envs(variables.iter().copied());
        Self::run(folder, command)
    }

    /// Starts it with `config.toml` in its folder. If it ends before it listens, the folder and what it said.
    pub fn try_start(folder: Folder) -> Result<Self, (Folder, String)> {
        let mut command = Command::new(artifacts::gateway());
        command.args(["--config.file", "config.toml"]);
        let mut server = Server::start("pushgate", command, folder);
        match server.await_line_or_end("listens", listen_address) {
            Ok(address) => Ok(Self { server, address }),
            Err(_) => {
                let log = server.log();
                Err((server.take_folder(), log))
            }
        }
    }

    fn run(folder: Folder, command: Command) -> Self {
        let mut server = Server::start("pushgate", command, folder);
        let address = server.await_line("listens", listen_address);
        Self { server, address }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Everything it has logged.
    pub fn log(&self) -> String {
        self.server.log()
    }

    /// A request that is not sent yet.
    pub fn request(&self, method: &str, path: &str) -> Request {
        Request::new(self.address, method, path)
    }

    /// GETs a path.
    pub fn get(&self, path: &str) -> Response {
        self.request("GET", path).send()
    }

    /// Replaces a group.
    pub fn put(&self, path: &str, body: impl Into<Vec<u8>>) -> Response {
        self.request("PUT", path).body(body).send()
    }

    /// Replaces the families named in the body.
    pub fn post(&self, path: &str, body: impl Into<Vec<u8>>) -> Response {
        self.request("POST", path).body(body).send()
    }

    /// Removes a group.
    pub fn delete(&self, path: &str) -> Response {
        self.request("DELETE", path).send()
    }

    /// What Prometheus would see.
    pub fn scrape(&self) -> Scrape {
        Scrape::new(self.get("/metrics").expect(200).text())
    }

    /// The folder that it runs in.
    pub fn folder(&self) -> &Folder {
        self.server.folder()
    }

    /// The id of its process.
    pub fn pid(&self) -> u32 {
        self.server.pid()
    }

    /// Asks it to read its configuration again, and waits for nothing.
    pub fn hang_up(&self) {
        self.server.hang_up();
    }

    /// Writes another configuration and has it read. Returns the line of the log that tells what came of it.
    pub fn reload(&mut self, config: &str) -> String {
        let told = |line: &&str| line.contains("configuration reloaded") || line.contains("not reloaded");
        let before = self.log().lines().filter(told).count();
        self.server.folder().write("config.toml", config);
        self.server.hang_up();
        poll::until("the configuration is read again", || {
            let log = self.log();
            let line = log.lines().filter(told).nth(before).map(str::to_owned);
            line.filter(|_| log.ends_with('\n'))
        })
    }

    /// Asks it to end as a service manager does, and returns when it has begun to.
    pub fn ask_to_end(&self) {
        self.server.ask_to_end();
        poll::until("the gateway ends", || self.log().contains("exiting gracefully").then_some(()));
    }

    /// Waits until it has ended, which must be without an error. Its folder is for the next one.
    pub fn await_end(mut self) -> Folder {
        let status = self.server.await_end();
        assert!(status.success(), "{status}\n{}", self.log());
        self.server.take_folder()
    }

    /// Asks it to end as a service manager does; it must end without an error. Its folder is for the next one.
    pub fn terminate(mut self) -> Folder {
        let status = self.server.terminate();
        assert!(status.success(), "{status}\n{}", self.log());
        self.server.take_folder()
    }

    /// Ends it as a crash does.
    pub fn kill(self) -> Folder {
        self.server.kill()
    }
}

/// A configuration that listens on `address` and finds the bundled plugins, followed by `plugins`.
pub fn config(address: &str, plugins: &str) -> String {
    format!(
        "[web]\nlisten_address = [\"{address}\"]\n\n[plugins]\ndirectory = \"{}\"\n{plugins}",
        artifacts::plugins().display()
    )
}

/// The entry of a plugin in the chain.
pub fn entry(name: &str, source: &Path, rest: &str) -> String {
    format!("\n[[plugin]]\nname = \"{name}\"\nsource = \"{}\"\n{rest}\n", source.display())
}

/// Runs a command of the binary that ends by itself, in `folder`.
pub fn command(folder: &Folder, arguments: &[&str]) -> Finished {
    finish(Command::new(artifacts::gateway()).args(arguments).current_dir(folder.path()), b"")
}

/// The address in the line that says that the gateway listens.
pub(crate) fn listen_address(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("Listening on")?;
    let (_, address) = rest.split_once("address")?;
    // In either form of the log.
    let around = |character: char| "=:\" ".contains(character);
    address.trim_start_matches(around).split(['"', ' ', '}']).next()?.parse().ok()
}
