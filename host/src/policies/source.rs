//! Which file each plugin must be: what the configuration and the lock file say, and nothing else is loaded.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use pushgate_cache::Folder;
use pushgate_plugin_source::{
    Digest, FetchError, Fetched, Fetcher, LockFile, PublicKey, Settings, SettingsError, Wanted,
};

use crate::config::{Plugins, Policy, Problem, Problems};

/// Bytes in a lock file; a line has some 200.
const MAX_LOCK_FILE: u64 = 4 << 20;

const MEND: &str = "`pushgate lock` writes it anew";

/// The files of plugins.
pub(super) struct Sources<'a> {
    fetcher: Fetcher,
    plugins: &'a Plugins,
    lock: LockFile,
}

impl<'a> Sources<'a> {
    /// Reads what fetching needs, and the lock file. What is wrong is added to `problems`.
    pub(super) fn open(plugins: &'a Plugins, kept: Option<Folder>, problems: &mut Problems) -> Option<Self> {
        let fetcher = fetcher(plugins, kept, problems);
        let lock = read_lock(&plugins.lock_file).map_err(|reason| {
            let message = format!("'{}' cannot be used: {reason}; {MEND}", plugins.lock_file.display());
            problems.add(None, "[plugins] lock_file", message);
        });
        Some(Self { fetcher: fetcher?, plugins, lock: lock.ok()? })
    }

    /// The plugin of a policy, if it is the one that it must be.
    pub(super) fn get(&self, policy: &Policy) -> Result<Fetched, Problem> {
        let key = key(policy)?;
        let digest = self.digest(policy, key.as_ref()).map_err(|message| policy.source_problem(message))?;
        let wanted = Wanted { source: &policy.source, digest, signed_by: key.as_ref() };
        self.fetcher.fetch(wanted).map_err(|error| {
            let by_lock_file = policy.digest.is_none() && matches!(error, FetchError::Digest { .. });
            policy.source_problem(match digest {
                Some(_) if by_lock_file => {
                    format!("{error} by '{}'; {MEND}", self.plugins.lock_file.display())
                }
                _ => error.to_string(),
            })
        })
    }

    /// What the plugin must be. A lock file that is enforced has the last word; else it says what the configuration
    /// leaves open about a remote source.
    fn digest(&self, policy: &Policy, key: Option<&PublicKey>) -> Result<Option<Digest>, String> {
        let source = policy.written_source(&self.plugins.directory);
        let locked = self.lock.plugin(&policy.name);
        if self.plugins.locked {
            let differs = match locked {
                None => "does not have it".to_owned(),
                Some(locked) if locked.source != source => format!("has it from '{}'", locked.source),
                Some(locked) if policy.digest.is_some_and(|digest| digest != locked.digest) => {
                    format!("has it with the digest {}", locked.digest)
                }
                Some(locked) if key.map(PublicKey::fingerprint) != locked.signer => {
                    "has it signed by another key, or by none".to_owned()
                }
                Some(locked) => return Ok(Some(locked.digest)),
            };
            let file = self.plugins.lock_file.display();
            return Err(format!("'{file}' {differs}, and nothing else is used; {MEND}"));
        }
        if policy.digest.is_some() || !policy.source.is_remote() {
            return Ok(policy.digest);
        }
        match locked.filter(|locked| locked.source == source) {
            Some(locked) => Ok(Some(locked.digest)),
            None if key.is_some() || policy.source.is_pinned() => Ok(None),
            None => Err(format!(
                "nothing says which file '{source}' must be; add `digest` or `signed_by`, or run `pushgate lock`"
            )),
        }
    }
}

/// What fetches, with the files that it needs. What is wrong with them is added to `problems`.
pub(super) fn fetcher(plugins: &Plugins, kept: Option<Folder>, problems: &mut Problems) -> Option<Fetcher> {
    let settings = Settings {
        authorities: plugins.ca_file.clone(),
        credentials: plugins.credentials_file.clone(),
        timeout: plugins.fetch_timeout,
        kept,
    };
    let wrong = |error: SettingsError| {
        let key = match error {
            SettingsError::Authorities { .. } => "ca_file",
            SettingsError::Credentials { .. } => "credentials_file",
        };
        problems.add(None, format!("[plugins] {key}"), error.to_string());
    };
    Fetcher::new(settings).map_err(wrong).ok()
}

/// The key that the plugin of a policy must be signed by.
pub(super) fn key(policy: &Policy) -> Result<Option<PublicKey>, Problem> {
    let key = policy.signed_by.as_deref().map(PublicKey::read).transpose();
    key.map_err(|error| policy.key_problem(error.to_string()))
}

/// The lock file; an empty one if there is none.
pub(super) fn read_lock(path: &Path) -> Result<LockFile, String> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(LockFile::default()),
        file => file.map_err(|error| error.to_string())?,
    };
    let mut text = String::new();
    let read = file.take(MAX_LOCK_FILE + 1).read_to_string(&mut text).map_err(|error| error.to_string())?;
    if read as u64 > MAX_LOCK_FILE {
        return Err("it has more than 4 MiB".to_owned());
    }
    text.parse::<LockFile>().map_err(|error| error.to_string())
}
