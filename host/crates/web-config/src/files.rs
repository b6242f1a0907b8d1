//! Reads the configuration file and what it names, and can tell later whether any of it changed.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use ring::digest::{self, Context, Digest};

/// A file of more is neither a configuration nor a certificate.
const MAX_FILE: u64 = 1 << 20;

/// A file can be written twice without its times and size showing it, if that happens within a tick of the
/// file system's clock. The coarsest clock in use ticks every two seconds.
const TICK: Duration = Duration::from_secs(2);

/// The files that one reading of the configuration looked at, also those that could not be read.
pub(crate) struct Files {
    read_at: SystemTime,
    stamps: Vec<(PathBuf, Option<Stamp>)>,
    content: Context,
}

impl Files {
    pub(crate) fn new() -> Self {
        Self { read_at: SystemTime::now(), stamps: Vec::new(), content: Context::new(&digest::SHA256) }
    }

    /// The content of a regular file of legal size.
    pub(crate) fn read(&mut self, path: &Path) -> io::Result<Vec<u8>> {
        // The stamp comes first: a change in between makes the reading look older than it is, never newer.
        self.stamps.push((path.to_owned(), stamp(path)));
        let content = read(path)?;
        self.content.update(&(content.len() as u64).to_be_bytes());
        self.content.update(&content);
        Ok(content)
    }

    /// Ends the reading.
    pub(crate) fn seen(self) -> Seen {
        Seen { read_at: self.read_at, stamps: self.stamps, content: self.content.finish() }
    }
}

/// What was there when the files were read.
pub(crate) struct Seen {
    read_at: SystemTime,
    stamps: Vec<(PathBuf, Option<Stamp>)>,
    content: Digest,
}

impl Seen {
    /// Whether a file is another than the one that was read. Costs a `stat` for each file. It follows links, so
    /// it sees the links of a Kubernetes volume being swapped.
    pub(crate) fn is_changed(&self) -> bool {
        self.stamps.iter().any(|(path, seen)| stamp(path) != *seen)
    }

    /// Whether a file was so new that a second change to it might not show.
    pub(crate) fn is_uncertain(&self) -> bool {
        let near = |stamp: &Stamp| match self.read_at.duration_since(stamp.changed_at()) {
            Ok(age) => age < TICK,
            Err(ahead) => ahead.duration() < TICK,
        };
        self.stamps.iter().filter_map(|(_, stamp)| stamp.as_ref()).any(near)
    }

    /// Whether the bytes are the same.
    pub(crate) fn is_same_content(&self, other: &Self) -> bool {
        self.content.as_ref() == other.content.as_ref()
    }
}

/// Tells one state of a file from another.
#[derive(Eq, PartialEq)]
struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    fn changed_at(&self) -> SystemTime {
        let (seconds, nanoseconds) = self.changed;
        let since = Duration::from_secs(seconds.try_into().unwrap_or(0))
            .saturating_add(Duration::from_nanos(nanoseconds.try_into().unwrap_or(0)));
        SystemTime::UNIX_EPOCH.checked_add(since).unwrap_or(SystemTime::UNIX_EPOCH)
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let file = fs::metadata(path).ok()?;
    Some(Stamp {
        device: file.dev(),
        inode: file.ino(),
        size: file.size(),
        modified: (file.mtime(), file.mtime_nsec()),
        changed: (file.ctime(), file.ctime_nsec()),
    })
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    // Opening a pipe would wait for somebody to write.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut content = Vec::new();
    File::open(path)?.take(MAX_FILE + 1).read_to_end(&mut content)?;
    if content.len() as u64 > MAX_FILE {
        return Err(io::Error::other("it has more than 1 MiB"));
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Folder;

    fn seen(path: &Path) -> Seen {
        let mut files = Files::new();
        let _ = files.read(path);
        files.seen()
    }

    #[test]
    fn a_change_of_any_kind_is_seen() {
        let folder = Folder::new();
        let path = folder.path("file");
        let before = seen(&path);
        assert!(!before.is_changed());
        folder.write("file", "a");
        assert!(before.is_changed(), "it came to be");
        let before = seen(&path);
        assert!(!before.is_changed());
        folder.write("file", "ab");
        assert!(before.is_changed(), "it was written");
        let before = seen(&path);
        folder.write("other", "ab");
        fs::rename(folder.path("other"), &path).unwrap();
        assert!(before.is_changed(), "it was replaced");
        assert!(before.is_same_content(&seen(&path)));
        let before = seen(&path);
        fs::remove_file(&path).unwrap();
        assert!(before.is_changed(), "it was removed");
    }

    #[test]
    fn a_swapped_link_above_the_file_is_seen() {
        let folder = Folder::new();
        for version in ["v1", "v2"] {
            fs::create_dir(folder.path(version)).unwrap();
            folder.write(&format!("{version}/web.yml"), version);
        }
        std::os::unix::fs::symlink("v1", folder.path("..data")).unwrap();
        std::os::unix::fs::symlink("..data/web.yml", folder.path("web.yml")).unwrap();
        let before = seen(&folder.path("web.yml"));
        assert!(!before.is_changed());
        std::os::unix::fs::symlink("v2", folder.path("..new")).unwrap();
        fs::rename(folder.path("..new"), folder.path("..data")).unwrap();
        assert!(before.is_changed());
    }

    #[test]
    fn a_file_just_written_may_change_unseen() {
        let folder = Folder::new();
        let path = folder.write("file", "a");
        let mut fresh = seen(&path);
        assert!(fresh.is_uncertain());
        fresh.read_at += TICK;
        fresh.read_at += TICK;
        assert!(!fresh.is_uncertain());
    }

    #[test]
    fn what_is_read_is_bounded() {
        let folder = Folder::new();
        let told =
            |path: &Path| Files::new().read(path).map(|content| content.len()).map_err(|e| e.to_string());
        assert_eq!(told(&folder.write("full", &"x".repeat(1 << 20))), Ok(1 << 20));
        assert_eq!(
            told(&folder.write("over", &"x".repeat((1 << 20) + 1))),
            Err("it has more than 1 MiB".to_owned())
        );
        assert_eq!(told(folder.root()), Err("it is not a regular file".to_owned()));
    }
}
