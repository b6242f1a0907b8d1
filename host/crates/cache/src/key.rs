//! By what a process knows that it has written a file itself.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use ring::hmac;
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::Refused;
use crate::folder::Unfinished;

/// Bytes of the secret, and of the code of authentication ahead of each file.
const LENGTH: usize = 32;

/// A secret that only the user of this process can read. What it has sealed can have been written by nobody else,
/// and has not changed since.
#[derive(Clone)]
pub struct Key(hmac::Key);

impl Key {
    pub(crate) fn open(path: &Path, owner: u32) -> Result<Self, Refused> {
        let failed = Refused::failed(path);
        let file = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                make(path).map_err(&failed)?;
                File::open(path)
            }
            file => file,
        };
        let mut file = file.map_err(&failed)?;
        // Of the file that is open, not of its path: nobody can put another one there in between.
        let found = file.metadata().map_err(&failed)?;
        let mode = found.mode() & 0o7777;
        if found.uid() != owner {
            return Err(Refused::NotOurs(path.to_owned()));
        }
        if mode & 0o077 != 0 {
            return Err(Refused::Open { path: path.to_owned(), mode, allowed: 0o600 });
        }
        let mut secret = [0; LENGTH];
        file.read_exact(&mut secret).map_err(&failed)?;
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &secret)))
    }

    /// The content with a code ahead that holds for this name only.
    pub fn seal(&self, name: &str, content: &[u8]) -> Vec<u8> {
        let code = hmac::sign(&self.0, &named(name, content));
        [code.as_ref(), content].concat()
    }

    /// The content again, if it was sealed under this name by whoever has this key.
    pub fn unseal<'a>(&self, name: &str, sealed: &'a [u8]) -> Option<&'a [u8]> {
        let (code, content) = sealed.split_at_checked(LENGTH)?;
        hmac::verify(&self.0, &named(name, content), code).is_ok().then_some(content)
    }
}

fn named(name: &str, content: &[u8]) -> Vec<u8> {
    [name.as_bytes(), b"\0", content].concat()
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

/// Another process may make one at the same time: whichever comes first stays.
fn make(path: &Path) -> io::Result<()> {
    let mut secret = [0; LENGTH];
    SystemRandom::new().fill(&mut secret).map_err(|_| io::Error::other("there is no randomness"))?;
    let mut unfinished = Unfinished::create(path.parent().unwrap_or(Path::new("")))?;
    unfinished.file.write_all(&secret)?;
    match fs::hard_link(&unfinished.path, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CacheDirectory;
    use crate::testing::Scratch;

    #[test]
    fn what_was_sealed_is_known_again_after_a_restart() {
        let scratch = Scratch::new();
        let key = || CacheDirectory::open(scratch.path()).unwrap().key().unwrap();
        let sealed = key().seal("a", b"content");
        assert_eq!(key().unseal("a", &sealed), Some(b"content".as_slice()));
        assert_eq!(key().unseal("b", &sealed), None, "under another name");
        assert_eq!(key().unseal("a", &sealed[..LENGTH - 1]), None, "cut off");
        for place in 0..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[place] ^= 1;
            assert_eq!(key().unseal("a", &damaged), None, "byte {place}");
        }
        let other = Scratch::new();
        let other = CacheDirectory::open(other.path()).unwrap().key().unwrap();
        assert_eq!(other.unseal("a", &sealed), None, "by another key");
    }

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let scratch = Scratch::new();
        let directory = CacheDirectory::open(scratch.path()).unwrap();
        directory.key().unwrap();
        let path = scratch.path().join("key");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let told = directory.key().unwrap_err().to_string();
        assert!(told.contains("key' is open to others (mode 640); chmod 600 mends it"), "{told}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, [0; LENGTH - 1]).unwrap();
        assert!(directory.key().is_err(), "too short");
    }
}
