//! Programs that the end-to-end tests drive the gateway with: real clients and a real Prometheus.
//!
//! Nothing here changes the system beyond installing missing packages on a Debian machine where we are root (a
//! container, CI), and servers not even there: their packages would start a service, so they are only unpacked.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Context as _, Failure, Result};
use crate::{step, workspace};

/// The release of the Python client that the tests are written against.
const PYTHON_CLIENT: &str = "prometheus_client==0.26.0";

/// A program that tests need and that is not part of a Rust toolchain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// What most cron jobs push with.
    Curl,
    /// The server that scrapes the gateway.
    Prometheus,
    /// Prometheus' own linter of expositions.
    Promtool,
    /// A Python that has the official client library.
    Python,
    /// What drives Chromium, where that is there, too.
    Chromium,
    /// What builds the example of a plugin in JavaScript.
    Npm,
    /// An OCI registry, to fetch plugins from.
    Registry,
    /// What signs plugins.
    Openssl,
    /// What counts instructions.
    Valgrind,
}

impl Tool {
    /// All of them, in the order they are set up.
    pub const ALL: [Self; 9] = [
        Self::Curl,
        Self::Prometheus,
        Self::Promtool,
        Self::Python,
        Self::Chromium,
        Self::Npm,
        Self::Registry,
        Self::Openssl,
        Self::Valgrind,
    ];

    /// What people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Curl => "curl",
            Self::Prometheus => "prometheus",
            Self::Promtool => "promtool",
            Self::Python => "python with prometheus_client",
            Self::Chromium => "chromium with chromedriver",
            Self::Npm => "npm with node",
            Self::Registry => "docker-registry",
            Self::Openssl => "openssl",
            Self::Valgrind => "valgrind",
        }
    }

    /// Why a test is skipped when the tool is not there.
    pub fn missing(self) -> String {
        let advice = match self {
            Self::Curl
            | Self::Prometheus
            | Self::Promtool
            | Self::Registry
            | Self::Openssl
            | Self::Valgrind => "put it on the PATH",
            Self::Chromium | Self::Npm => "put both on the PATH",
            Self::Python => "make a virtual environment with prometheus_client at target/venv",
        };
        format!("{} is missing; {advice}, or run `cargo xtask test` as root on Debian", self.name())
    }

    /// The program, when this machine has it.
    pub fn find(self) -> Option<PathBuf> {
        match self {
            Self::Curl | Self::Openssl | Self::Valgrind => on_path(self.name()),
            Self::Chromium => on_path("chromium").and_then(|_| on_path("chromedriver")),
            Self::Npm => on_path("node").and_then(|_| on_path("npm")),
            Self::Prometheus | Self::Promtool | Self::Registry => {
                let unpacked = unpacked_folder(self.package()).join("usr/bin").join(self.name());
                on_path(self.name()).or_else(|| unpacked.is_file().then_some(unpacked))
            }
            // The marker is written last: an environment whose installation was interrupted does not count.
            Self::Python => python_marker().is_file().then(|| venv().join("bin/python")),
        }
    }

    /// Sets the tool up; does nothing when it is there.
    pub fn ensure(self) -> Result {
        if self.find().is_some() {
            return Ok(());
        }
        match self {
            Self::Curl => apt_install("curl"),
            Self::Prometheus | Self::Promtool | Self::Registry => unpack(self.package()),
            Self::Python => make_venv(),
            // It depends on the browser.
            Self::Chromium => apt_install("chromium-driver"),
            Self::Npm => apt_install("npm"),
            Self::Openssl => apt_install("openssl"),
            Self::Valgrind => apt_install("valgrind"),
        }
    }

    /// Debian's package that has it.
    fn package(self) -> &'static str {
        match self {
            Self::Promtool => "prometheus",
            other => other.name(),
        }
    }
}

/// Sets up what is missing. A tool that cannot be had is reported and left to the tests: without it they skip
/// themselves, or fail where everything has to be checked.
pub fn ensure_all() {
    for tool in Tool::ALL {
        if let Err(failure) = tool.ensure() {
            step::say(&format!("no {}: {failure}", tool.name()));
        }
    }
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

fn unpacked_folder(package: &str) -> PathBuf {
    workspace::path("target/tools").join(package)
}

fn venv() -> PathBuf {
    workspace::path("target/venv")
}

fn python_marker() -> PathBuf {
    venv().join(PYTHON_CLIENT)
}

/// Downloads a package of Debian's and unpacks it below `target/`: installing one of a server would start it on a fixed
/// port, and pull in more.
fn unpack(package: &str) -> Result {
    debian()?;
    let finished = unpacked_folder(package);
    let folder = finished.with_extension("unfinished");
    // What an interrupted run left behind.
    if folder.exists() {
        fs::remove_dir_all(&folder).context(|| folder.display().to_string())?;
    }
    fs::create_dir_all(&folder).context(|| folder.display().to_string())?;
    let download = || {
        let mut apt = Command::new("apt-get");
        apt.args(["-qq", "download", package]).current_dir(&folder);
        step::run_quietly(&format!("download Debian's package {package}"), &mut apt)
    };
    // On a new machine the package lists are missing or too old to find the package by.
    download().or_else(|_| apt_update().and_then(|()| download()))?;
    let archive = fs::read_dir(&folder)
        .context(|| folder.display().to_string())?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|file| file.extension().is_some_and(|extension| extension == "deb"))
        .ok_or_else(|| Failure::new("apt-get downloaded no package"))?;
    step::output(Command::new("dpkg").arg("-x").arg(&archive).arg(&folder))?;
    fs::remove_file(&archive).context(|| archive.display().to_string())?;
    fs::rename(&folder, &finished).context(|| finished.display().to_string())
}

fn make_venv() -> Result {
    let make = || {
        let mut python = Command::new("python3");
        python.args(["-m", "venv", "--clear"]).arg(venv());
        step::run_quietly("make a Python environment in target/venv", &mut python)
    };
    // Debian splits `venv` from Python.
    make().or_else(|_| apt_install("python3-venv").and_then(|()| make()))?;
    let mut pip = Command::new(venv().join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", PYTHON_CLIENT]);
    step::run_quietly(&format!("install {PYTHON_CLIENT} there"), &mut pip)?;
    fs::write(python_marker(), "").context(|| python_marker().display().to_string())
}

fn apt_install(package: &str) -> Result {
    debian()?;
    if !is_root() {
        return Err(Failure::new(format!("install it with `sudo apt-get install {package}`")));
    }
    let install = || {
        let mut apt = Command::new("apt-get");
        apt.args(["-qq", "install", "--yes", "--no-install-recommends", package]);
        apt.env("DEBIAN_FRONTEND", "noninteractive");
        step::run_quietly(&format!("install Debian's package {package}"), &mut apt)
    };
    install().or_else(|_| apt_update().and_then(|()| install())).map(drop)
}

fn apt_update() -> Result {
    if !is_root() {
        return Err(Failure::new("Debian's package lists are missing; `sudo apt-get update` gets them"));
    }
    step::run_quietly("update Debian's package lists", Command::new("apt-get").args(["-qq", "update"]))
        .map(drop)
}

fn debian() -> Result {
    let on_debian = Path::new("/etc/debian_version").is_file() && on_path("apt-get").is_some();
    on_debian.then_some(()).ok_or_else(|| Failure::new("it is set up by itself on Debian only"))
}

/// Our own process belongs to whoever runs it; there is no safe call for that in the standard library.
fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_by_the_path() {
        assert!(on_path("sh").is_some_and(|file| file.ends_with("sh")));
        assert_eq!(on_path("no-such-program-here"), None);
    }

    #[test]
    fn a_missing_tool_says_what_to_do() {
        for tool in Tool::ALL {
            let reason = tool.missing();
            assert!(reason.starts_with(tool.name()) && reason.contains("cargo xtask test"), "{reason}");
        }
    }
}
