//! What a configuration is made of: its file and those of its plugins, as they were when they were read.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hasher as _};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// A file of more is neither a configuration nor a plugin; what follows is not looked at.
const MAX_FILE: u64 = 32 << 20;

/// Files as they were at one time, also those that were not there.
///
/// A file is added before it is read: a change in between makes it look older than what was read, never newer.
#[derive(Clone, Debug, Default)]
pub struct Files {
    paths: Vec<PathBuf>,
    stamps: Vec<Option<Stamp>>,
    content: u64,
}

/// Tells one state of a file from another without reading it. Links are followed, so that one that is swapped
/// anywhere above the file, as Kubernetes does with `..data`, leads to another file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Files {
    /// Looks at a file, and remembers how it is.
    pub fn add(&mut self, path: &Path) {
        self.stamps.push(stamp(path));
        let mut hasher = DefaultHasher::new();
        hasher.write_u64(self.content);
        let is_read = hash(path, &mut hasher).is_ok();
        hasher.write_u8(u8::from(is_read));
        self.content = hasher.finish();
        self.paths.push(path.to_owned());
    }

    /// Looks at the same files again.
    pub(super) fn again(&self) -> Self {
        let mut files = Self::default();
        self.paths.iter().for_each(|path| files.add(path));
        files
    }

    /// How they look now, which costs a `stat` each.
    pub(super) fn stamps_now(&self) -> Vec<Option<Stamp>> {
        self.paths.iter().map(|path| stamp(path)).collect()
    }

    pub(super) fn stamps(&self) -> &[Option<Stamp>] {
        &self.stamps
    }

    /// Whether the bytes are the same.
    pub(super) fn has_content_of(&self, other: &Self) -> bool {
        self.content == other.content
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

fn hash(path: &Path, hasher: &mut DefaultHasher) -> io::Result<()> {
    // Opening a pipe would wait for somebody to write.
    if !fs::metadata(path)?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut file = File::open(path)?.take(MAX_FILE);
    let mut block = vec![0; 64 << 10];
    loop {
        let length = file.read(&mut block)?;
        let Some(read @ [_, ..]) = block.get(..length) else { return Ok(()) };
        hasher.write(read);
    }
}
