//! Servers that are compared, each a process of its own in a folder of its own.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};

use crate::cores::Cores;
use crate::process;

/// How long a server may take to listen: it may have a file of a million series to read.
const PATIENCE: Duration = Duration::from_secs(120);

/// The chain of three plugins: the one of `config.toml`.
const CHAIN: [&str; 3] = [
    r#"
[[plugin]]
name = "relabel"
source = "relabel.wasm"
[[plugin.config.rules]]
action = "labelmap"
regex = "environment"
replacement = "env"
[[plugin.config.rules]]
action = "labeldrop"
regex = "environment"
"#,
    r#"
[[plugin]]
name = "naming"
source = "naming.wasm"
"#,
    r#"
[[plugin]]
name = "required-labels"
source = "required_labels.wasm"
[plugin.config]
forbidden = ["password", "token", "secret", "email"]
"#,
];

/// A kind of server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It reads the body and answers 200.
    Floor,
    /// pushgate.
    Gateway(Setup),
    /// The original, which looks at all that is stored for each push, or, with its check switched off, does not.
    Reference {
        /// Whether it checks pushes.
        checked: bool,
    },
}

/// How a pushgate is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setup {
    /// The first so many plugins of the chain.
    pub plugins: usize,
    /// Whether what pure plugins answered is remembered, as it is by default.
    pub memo: bool,
    /// Whether a push is on the disk before it is answered.
    pub journal: bool,
}

impl Setup {
    /// The default with that many plugins.
    pub const fn with_plugins(plugins: usize) -> Self {
        Self { plugins, memo: true, journal: false }
    }
}

impl Kind {
    /// What tables call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Floor => "empty server",
            Self::Gateway(Setup { journal: true, .. }) => "pushgate, 3 plugins, journal",
            Self::Gateway(Setup { memo: false, .. }) => "pushgate, 3 plugins, no memo",
            Self::Gateway(Setup { plugins: 0, .. }) => "pushgate, no plugin",
            Self::Gateway(Setup { plugins: 1, .. }) => "pushgate, 1 plugin",
            Self::Gateway(_) => "pushgate, 3 plugins",
            Self::Reference { checked: true } => "Pushgateway",
            Self::Reference { checked: false } => "Pushgateway, unchecked",
        }
    }
}

/// The programs, and where they run.
#[derive(Clone, Debug)]
pub struct Programs {
    /// pushgate.
    pub gateway: PathBuf,
    /// The original, if there is one.
    pub reference: Option<PathBuf>,
    /// This program, which is the floor as well.
    pub own: PathBuf,
    /// The bundled plugins.
    pub plugins: PathBuf,
    /// Where servers keep their files. It is theirs alone.
    pub scratch: PathBuf,
    /// Who runs where.
    pub cores: Cores,
}

/// A server that listens. Ends when it is dropped.
#[derive(Debug)]
pub struct Server {
    kind: Kind,
    child: Child,
    address: SocketAddr,
    folder: PathBuf,
}

impl Server {
    /// Starts one and waits until it listens. `stored` is a file of the original's to start from.
    ///
    /// # Errors
    /// When it ends instead, or does not listen in time; with what it said.
    pub fn start(programs: &Programs, kind: Kind, stored: Option<&Path>) -> anyhow::Result<Self> {
        let address = free_address()?;
        let folder = programs.scratch.join(address.port().to_string());
        fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        if let Some(stored) = stored {
            fs::copy(stored, folder.join("stored")).with_context(|| stored.display().to_string())?;
        }
        let mut command = command(programs, kind, address, &folder)?;
        let log = File::create(folder.join("log")).context("the log of a server")?;
        command.current_dir(&folder).stdin(Stdio::null());
        command.stdout(log.try_clone().context("the log of a server")?).stderr(log);
        let child = command.spawn().with_context(|| kind.name())?;
        let mut server = Self { kind, child, address, folder };
        server.await_listening()?;
        Ok(server)
    }

    /// What it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The processor time that it has used.
    ///
    /// # Errors
    /// When it has ended.
    pub fn cpu_time(&self) -> anyhow::Result<Duration> {
        process::cpu_time(self.child.id()).with_context(|| self.ended())
    }

    /// The memory that it has in use, in bytes.
    ///
    /// # Errors
    /// When it has ended.
    pub fn resident_memory(&self) -> anyhow::Result<u64> {
        process::resident_memory(self.child.id()).with_context(|| self.ended())
    }

    /// Ends the original so that it writes its file, and returns that.
    ///
    /// # Errors
    /// When it does not end.
    pub fn stop_with_file(mut self) -> anyhow::Result<PathBuf> {
        let status = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        ensure!(status.context("kill")?.success(), "cannot end {}", self.kind.name());
        self.child.wait().context("a server")?;
        let kept = self.folder.with_extension("stored");
        fs::rename(self.folder.join("stored"), &kept).context("the original has written no file")?;
        Ok(kept)
    }

    fn await_listening(&mut self) -> anyhow::Result<()> {
        let started = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            if self.child.try_wait().context("a server")?.is_some() || started.elapsed() > PATIENCE {
                bail!("{} does not listen: {}", self.kind.name(), self.ended());
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// What it said, for when something went wrong.
    fn ended(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // All three fail only when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn command(programs: &Programs, kind: Kind, address: SocketAddr, folder: &Path) -> anyhow::Result<Command> {
    match kind {
        Kind::Floor => {
            let mut command = programs.cores.command(&programs.own);
            command.args(["floor", &address.to_string()]);
            Ok(command)
        }
        Kind::Gateway(setup) => {
            let file = folder.join("config.toml");
            fs::write(&file, configuration(programs, setup, address)).context("a configuration")?;
            let mut command = programs.cores.command(&programs.gateway);
            command.arg("--config.file").arg(file);
            Ok(command)
        }
        Kind::Reference { checked } => {
            let program = programs.reference.as_ref().context("there is no Pushgateway")?;
            let mut command = programs.cores.command(program);
            command.arg(format!("--web.listen-address={address}"));
            command.args(["--persistence.file=stored", "--persistence.interval=24h", "--log.level=error"]);
            command.args((!checked).then_some("--push.disable-consistency-check"));
            Ok(command)
        }
    }
}

fn configuration(programs: &Programs, setup: Setup, address: SocketAddr) -> String {
    let Setup { plugins, memo, journal } = setup;
    let path = if journal { "path = \"journal.redb\"\n" } else { "" };
    let memo = if memo { "" } else { "memo = \"0B\"\n" };
    // Compiled once for all servers of a run.
    let (directory, cache) = (programs.plugins.display(), programs.scratch.join("cache"));
    format!(
        "[web]\nlisten_address = [\"{address}\"]\n\n[store]\nmax_series = 10_000_000\n{path}\n[log]\nlevel = \"warn\"\n\n\
         [plugins]\ndirectory = \"{directory}\"\ncache_directory = \"{}\"\n{memo}{}",
        cache.display(),
        CHAIN.iter().take(plugins).copied().collect::<String>()
    )
}

/// An address that nobody listens on. Somebody else could take it before the server does; it then says so.
fn free_address() -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("cannot listen")?;
    listener.local_addr().context("cannot listen")
}
