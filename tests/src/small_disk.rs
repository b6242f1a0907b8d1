//! A disk that is really full, or can really only be read.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Folder, tools};

/// A file system in memory, mounted below a test's folder; gone when it is dropped. Only root can have one.
#[derive(Debug)]
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// One of so many KiB, on `name` in the folder. Nothing where this user may not mount: then the test returns, as for
    /// a [tool](tools::require) that is not there.
    pub fn mount(folder: &Folder, name: &str, kib: usize) -> Option<Self> {
        let place = folder.path().join(name);
        std::fs::create_dir_all(&place).unwrap();
        let size = format!("size={kib}k");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(&place).output();
        let error = match mounted {
            Ok(output) if output.status.success() => return Some(Self(place)),
            Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
            Err(error) => error.to_string(),
        };
        tools::skip(&format!("cannot mount a small disk: {error}"));
        None
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// From now on it can only be read. Fails while a file of it is open for writing.
    pub fn make_read_only(&self) {
        self.remount("ro");
    }

    /// It can be written again.
    pub fn make_writable(&self) {
        self.remount("rw");
    }

    fn remount(&self, how: &str) {
        let options = format!("remount,{how}");
        let status = Command::new("mount").args(["-o", &options]).arg(&self.0).status().unwrap();
        assert!(status.success(), "mount -o {options}");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: the gateway of a test that fails may still be there.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
