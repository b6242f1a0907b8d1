//! A configuration of one plugin, and what it takes to have one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use e2e::gateway::command;
use e2e::process::finish;
use e2e::registry::Layer;
use e2e::tools::{Tool, require};
use e2e::{Folder, artifacts};

pub(super) fn plugin() -> Vec<u8> {
    fs::read(artifacts::guest("scribe")).unwrap()
}

pub(super) fn wasm(content: &[u8]) -> Layer<'_> {
    Layer { media_type: "application/wasm", content, annotations: &[] }
}

/// A folder with a configuration of one plugin.
pub(super) struct Setup {
    pub(super) folder: Folder,
}

impl Setup {
    pub(super) fn new() -> Self {
        let folder = Folder::new();
        fs::create_dir(folder.path().join("cache")).unwrap();
        // The cache is not used when somebody else may write to it.
        assert!(
            Command::new("chmod").arg("700").arg(folder.path().join("cache")).status().unwrap().success()
        );
        Self { folder }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn configure(&self, plugins: &str, source: &str, rest: &str) {
        let config = format!(
            "[web]\nlisten_address = ['127.0.0.1:0']\n[plugins]\n{plugins}\n\
             [[plugin]]\nname = 'p'\nsource = '{source}'\n{rest}\n[plugin.config]\nwrite = 'x'\n"
        );
        self.folder.write("config.toml", config);
    }

    /// What the check of the configuration says that is wrong.
    #[track_caller]
    pub(super) fn refused(&self, expected: &[&str]) {
        let checked = command(&self.folder, &["check-config"]);
        assert_eq!(checked.code, 1, "{}{}", checked.stdout, checked.stderr);
        for part in expected {
            assert!(checked.stderr.contains(part), "'{part}' in {}", checked.stderr);
        }
    }

    #[track_caller]
    pub(super) fn accepted(&self, flags: &[&str]) {
        let checked = command(&self.folder, &[flags, &["check-config"]].concat());
        assert_eq!(checked.code, 0, "{}", checked.stderr);
    }

    /// A key pair, in `<name>.key` and `<name>.pub`; `None` skips the test.
    pub(super) fn make_key(&self, name: &str) -> Option<()> {
        let openssl = require(Tool::Openssl)?;
        let (private, public) = (format!("{name}.key"), format!("{name}.pub"));
        for arguments in [
            &["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", &private] as &[_],
            &["ec", "-in", &private, "-pubout", "-out", &public],
        ] {
            let made = finish(Command::new(&openssl).args(arguments).current_dir(self.folder.path()), b"");
            assert_eq!(made.code, 0, "{}", made.stderr);
        }
        Some(())
    }

    /// What openssl signs with a key, in base64.
    pub(super) fn sign(&self, key: &str, content: &[u8]) -> String {
        let file = self.folder.write("to-be-signed", content);
        let mut openssl = Command::new(require(Tool::Openssl).unwrap());
        openssl.args(["dgst", "-sha256", "-sign", &format!("{key}.key"), "-out", "signature"]).arg(file);
        let signed = finish(openssl.current_dir(self.folder.path()), b"");
        assert_eq!(signed.code, 0, "{}", signed.stderr);
        STANDARD.encode(fs::read(self.path("signature")).unwrap())
    }
}

/// The file of that name below a folder.
pub(super) fn find(folder: &Path, name: &str) -> PathBuf {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.file_name().is_some_and(|file| file == name) {
                return path;
            }
        }
    }
    panic!("there is no {name}");
}
