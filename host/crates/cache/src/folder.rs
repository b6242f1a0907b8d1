//! A folder of files, of which the oldest go when there are too many.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::SystemTime;

/// Files of one kind. Each appears as a whole or not at all.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
    max: u64,
}

impl Folder {
    pub(crate) fn new(path: PathBuf, max: u64) -> Self {
        Self { path, max }
    }

    /// The content of a file; `None` when there is none, or more of it than `limit` bytes. It counts as used now.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(&self, name: &str, limit: u64) -> io::Result<Option<Vec<u8>>> {
        let file = match File::open(self.path.join(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        let mut content = Vec::new();
        let length = (&file).take(limit.saturating_add(1)).read_to_end(&mut content)?;
        // Only the order in which files go depends on it.
        let _ = file.set_modified(SystemTime::now());
        Ok((length as u64 <= limit).then_some(content))
    }

    /// Writes a file, and removes those that were not used for the longest time if it is too much now.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, name: &str, content: &[u8]) -> io::Result<()> {
        if content.len() as u64 > self.max {
            return Err(io::Error::other("it is larger than the cache may be"));
        }
        let mut unfinished = Unfinished::create(&self.path)?;
        unfinished.file.write_all(content)?;
        fs::rename(&unfinished.path, self.path.join(name))?;
        self.remove_oldest()
    }

    fn remove_oldest(&self) -> io::Result<()> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            // One that another process has removed meanwhile is gone.
            if let Ok(found) = entry.metadata()
                && found.is_file()
            {
                files.push((found.modified()?, found.len(), entry.path()));
            }
        }
        files.sort();
        let mut total: u64 = files.iter().map(|(_, length, _)| length).sum();
        for (_, length, path) in files {
            if total <= self.max {
                break;
            }
            fs::remove_file(path)?;
            total -= length;
        }
        Ok(())
    }
}

/// A file that only its owner can read, under a name that nobody looks for. Gone when it is dropped, unless it was
/// given another name.
pub(crate) struct Unfinished {
    pub(crate) path: PathBuf,
    pub(crate) file: File,
}

impl Unfinished {
    pub(crate) fn create(folder: &Path) -> io::Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!(".{}-{number}", std::process::id()));
        // In a container every process has the same number, also the one that crashed here.
        let _ = fs::remove_file(&path);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        Ok(Self { path, file })
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::CacheDirectory;
    use crate::testing::Scratch;

    #[test]
    fn files_are_read_as_they_were_written_up_to_a_limit() {
        let scratch = Scratch::new();
        let folder = CacheDirectory::open(scratch.path()).unwrap().folder("f", 100).unwrap();
        assert_eq!(folder.read("a", 10).unwrap(), None);
        folder.write("a", b"1234567890").unwrap();
        assert_eq!(folder.read("a", 10).unwrap().as_deref(), Some(b"1234567890".as_slice()));
        assert_eq!(folder.read("a", 9).unwrap(), None);
        folder.write("a", b"new").unwrap();
        assert_eq!(folder.read("a", 10).unwrap().as_deref(), Some(b"new".as_slice()));
        assert_eq!(fs::read_dir(scratch.path().join("f")).unwrap().count(), 1, "nothing is left behind");
    }

    #[test]
    fn what_was_not_used_for_the_longest_time_goes_first() {
        let scratch = Scratch::new();
        let folder = CacheDirectory::open(scratch.path()).unwrap().folder("f", 30).unwrap();
        for (name, age) in [("a", 3), ("b", 2), ("c", 1)] {
            folder.write(name, &[0; 10]).unwrap();
            let file = File::open(scratch.path().join("f").join(name)).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(age * 60)).unwrap();
        }
        let there = || ["a", "b", "c", "d"].map(|name| scratch.path().join("f").join(name).exists());
        assert_eq!(there(), [true, true, true, false], "at the limit");
        folder.read("a", 10).unwrap();
        folder.write("d", &[0; 1]).unwrap();
        assert_eq!(there(), [true, false, true, true], "past the limit");
        folder.write("d", &[0; 30]).unwrap();
        assert_eq!(there(), [false, false, false, true], "one as large as all may be");
        assert!(folder.write("d", &[0; 31]).is_err());
        assert_eq!(there(), [false, false, false, true]);
    }
}
