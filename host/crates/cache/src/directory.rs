//! The directory itself, and whose it is.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use crate::folder::Unfinished;
use crate::{Folder, Key};

/// A directory that belongs to the user of this process and that nobody else may write.
#[derive(Clone, Debug)]
pub struct CacheDirectory {
    path: PathBuf,
    owner: u32,
}

/// Why a directory is not used as a cache.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// It cannot be made or written.
    #[error("cannot use '{}' as cache: {error}", path.display())]
    Failed {
        /// The directory, or the file in it.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// It is a file or a link.
    #[error("'{}' is not a directory of its own", .0.display())]
    NotDirectory(PathBuf),
    /// It, or the key in it, belongs to another user.
    #[error("'{}' belongs to another user; a cache must be the gateway's own", .0.display())]
    NotOurs(PathBuf),
    /// Others than its owner have rights that they must not have.
    #[error("'{}' is open to others (mode {mode:o}); chmod {allowed:o} mends it", path.display())]
    Open {
        /// The directory, or the key in it.
        path: PathBuf,
        /// Its mode.
        mode: u32,
        /// The mode that it should have.
        allowed: u32,
    },
}

impl Refused {
    pub(crate) fn failed(path: &Path) -> impl Fn(io::Error) -> Self {
        move |error| Self::Failed { path: path.to_owned(), error }
    }
}

impl CacheDirectory {
    /// Opens the directory, which is made when it is not there.
    ///
    /// # Errors
    /// When it cannot be made, or others than the user of this process may write it.
    pub fn open(path: &Path) -> Result<Self, Refused> {
        make(path)?;
        // There is no safe call that tells who we are: a file that we make tells.
        let probe = Unfinished::create(path).and_then(|probe| probe.file.metadata());
        let owner = probe.map_err(Refused::failed(path))?.uid();
        check(path, owner)?;
        Ok(Self { path: path.to_owned(), owner })
    }

    /// A folder in it whose files together may have `max` bytes.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub fn folder(&self, name: &str, max: u64) -> Result<Folder, Refused> {
        let path = self.path.join(name);
        make(&path)?;
        check(&path, self.owner)?;
        Ok(Folder::new(path, max))
    }

    /// The secret of this directory, by which its user knows what it has written itself. Made when there is none.
    ///
    /// # Errors
    /// When others may read or write it.
    pub fn key(&self) -> Result<Key, Refused> {
        Key::open(&self.path.join("key"), self.owner)
    }
}

fn make(path: &Path) -> Result<(), Refused> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(Refused::failed(path))
}

fn check(path: &Path, owner: u32) -> Result<(), Refused> {
    let found = fs::symlink_metadata(path).map_err(Refused::failed(path))?;
    let mode = found.mode() & 0o7777;
    if !found.is_dir() {
        Err(Refused::NotDirectory(path.to_owned()))
    } else if found.uid() != owner {
        Err(Refused::NotOurs(path.to_owned()))
    } else if mode & 0o022 != 0 {
        Err(Refused::Open { path: path.to_owned(), mode, allowed: 0o700 })
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;
    use crate::testing::Scratch;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o7777
    }

    #[test]
    fn it_is_made_for_us_alone() {
        let scratch = Scratch::new();
        let path = scratch.path().join("deep/cache");
        let directory = CacheDirectory::open(&path).unwrap();
        directory.folder("f", 1).unwrap().write("a", b"1").unwrap();
        directory.key().unwrap();
        assert_eq!([mode(&path), mode(&path.join("f"))], [0o700; 2]);
        assert_eq!([mode(&path.join("f/a")), mode(&path.join("key"))], [0o600; 2]);
        let mut names: Vec<_> =
            fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["f", "key"], "no file is left that only told who we are");
    }

    #[test]
    fn one_that_others_may_write_is_refused() {
        let scratch = Scratch::new();
        let path = scratch.path().join("cache");
        for (given, taken) in [(0o700, true), (0o755, true), (0o770, false), (0o707, false), (0o1777, false)]
        {
            make(&path).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(given)).unwrap();
            let opened = CacheDirectory::open(&path).map(drop).map_err(|error| error.to_string());
            assert_eq!(opened.is_ok(), taken, "{given:o}: {opened:?}");
        }
        let told = CacheDirectory::open(&path).unwrap_err().to_string();
        assert!(told.contains("is open to others (mode 1777); chmod 700 mends it"), "{told}");
    }

    #[test]
    fn a_link_and_a_file_are_refused() {
        let scratch = Scratch::new();
        let (cache, link, file) =
            (scratch.path().join("c"), scratch.path().join("l"), scratch.path().join("f"));
        CacheDirectory::open(&cache).unwrap();
        symlink(&cache, &link).unwrap();
        fs::write(&file, "").unwrap();
        assert!(matches!(CacheDirectory::open(&link), Err(Refused::NotDirectory(_))));
        assert!(matches!(CacheDirectory::open(&file), Err(Refused::Failed { .. })));
    }

    #[test]
    fn one_of_another_user_is_refused() {
        let scratch = Scratch::new();
        let path = scratch.path().join("cache");
        make(&path).unwrap();
        assert!(check(&path, fs::metadata(&path).unwrap().uid()).is_ok());
        let other = fs::metadata(&path).unwrap().uid() + 1;
        assert!(matches!(check(&path, other), Err(Refused::NotOurs(_))));
    }
}
