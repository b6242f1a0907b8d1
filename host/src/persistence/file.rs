//! A file that is replaced as a whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;

/// More is not read: the original needs some 120 bytes a series.
const MAX_FILE: u64 = 4 << 30;

/// The content, or nothing if there is no such file.
pub(super) fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it has more than 4 GiB"));
    }
    Ok(Some(bytes))
}

/// Writes to a new file beside `path`, readable by its owner only, and puts it in place once it is on disk.
pub(super) fn replace(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> io::Result<()> {
    let new = beside(path, &format!("in_progress.{}", process::id()));
    let written = (|| {
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        let mut out = BufWriter::new(file);
        write(&mut out)?;
        out.into_inner()?.sync_all()?;
        fs::rename(&new, path)?;
        sync_folder(path)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&new); // There may be none.
    }
    written
}

/// After a file was renamed to that path: the rename itself is on disk once the folder is.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder(path))?.sync_all()
}

/// Renames a file that cannot be used, so that nothing overwrites it. Answers what it is called now.
///
/// # Errors
/// When it cannot be renamed.
pub fn set_aside(path: &Path) -> anyhow::Result<PathBuf> {
    let aside = beside(path, &format!("damaged.{}", seconds()));
    fs::rename(path, &aside).with_context(|| {
        format!("'{}' cannot be read, and not be renamed either; move it away", path.display())
    })?;
    Ok(aside)
}

/// Copies a file that could be used in part only.
pub(super) fn copy_aside(path: &Path) -> anyhow::Result<PathBuf> {
    let aside = beside(path, &format!("before.{}", seconds()));
    fs::copy(path, &aside).with_context(|| format!("'{}' cannot be copied; move it away", path.display()))?;
    Ok(aside)
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(suffix);
    path.with_file_name(name)
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("pushgate-{name}-{}", process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_file_is_replaced_as_a_whole_or_not_at_all() {
        let folder = Folder::new("replace");
        let path = folder.0.join("data");
        assert_eq!(read(&path).unwrap(), None);
        replace(&path, |out| out.write_all(b"one")).unwrap();
        assert_eq!(read(&path).unwrap(), Some(b"one".to_vec()));
        let failed = replace(&path, |out| {
            out.write_all(b"half")?;
            Err(io::Error::other("no"))
        });
        assert!(failed.is_err());
        assert_eq!(read(&path).unwrap(), Some(b"one".to_vec()));
        assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 1, "nothing is left beside it");
        assert!(replace(&folder.0.join("no/such/folder"), |_| Ok(())).is_err());
    }

    #[test]
    fn a_file_that_is_set_aside_keeps_its_content() {
        let folder = Folder::new("aside");
        let path = folder.0.join("data");
        fs::write(&path, "damaged").unwrap();
        let aside = set_aside(&path).unwrap();
        assert_eq!((read(&path).unwrap(), read(&aside).unwrap()), (None, Some(b"damaged".to_vec())));
        fs::write(&path, "half good").unwrap();
        let copy = copy_aside(&path).unwrap();
        assert_eq!(read(&path).unwrap(), read(&copy).unwrap());
        assert!(set_aside(&folder.0.join("none")).is_err());
    }
}
