//! The file of a capture, and the one before it.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use pushgate_capture::HEADER;

/// Two files take turns: a new one is begun when half of the bytes that are allowed are in `name`, which then becomes
/// `name.1`. So the newest pushes are always there, and never more bytes than are allowed.
#[derive(Debug)]
pub(super) struct CaptureFile {
    path: PathBuf,
    file: BufWriter<File>,
    length: u64,
    max_length: u64,
}

impl CaptureFile {
    /// Begins a file. One that is there becomes the one before it.
    pub(super) fn create(path: &Path, max_bytes: u64) -> io::Result<Self> {
        let mut file = Self {
            path: path.to_owned(),
            file: BufWriter::new(create(path)?),
            length: 0,
            max_length: max_bytes / 2,
        };
        file.write(&HEADER)?;
        Ok(file)
    }

    /// Writes a record, unless it is too large for a file. Answers whether it did.
    pub(super) fn append(&mut self, record: &[u8]) -> io::Result<bool> {
        let length = record.len() as u64;
        if self.length + length > self.max_length {
            if HEADER.len() as u64 + length > self.max_length {
                return Ok(false);
            }
            self.flush()?;
            *self = Self::create(&self.path, self.max_length * 2)?;
        }
        self.write(record)?;
        Ok(true)
    }

    /// Hands what was written to the operating system.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.length += bytes.len() as u64;
        self.file.write_all(bytes)
    }
}

#[cfg(test)]
impl CaptureFile {
    /// A file that never ends.
    pub(super) fn on(file: File) -> Self {
        Self { path: PathBuf::new(), file: BufWriter::new(file), length: 0, max_length: u64::MAX }
    }
}

fn create(path: &Path) -> io::Result<File> {
    match fs::rename(path, before(path)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // What was pushed is in it: nobody else may read it, nor choose where it goes by a link.
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

fn before(path: &Path) -> PathBuf {
    let mut before = OsString::from(path);
    before.push(".1");
    before.into()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("pushgate-capture-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn two_files_take_turns() {
        let folder = folder("turns");
        let (path, header) = (folder.join("pushes"), HEADER.len());
        let mut file = CaptureFile::create(&path, 2 * (header as u64 + 10)).unwrap();
        let mut lengths = Vec::new();
        for record in [4, 6, 1, 10, 11, 9] {
            let written = file.append(&vec![0; record]).unwrap();
            file.flush().unwrap();
            let length =
                |path: &Path| fs::metadata(path).map_or(0, |metadata| metadata.len() as usize - header);
            lengths.push((written, length(&path), length(&before(&path))));
        }
        let expected =
            [(true, 4, 0), (true, 10, 0), (true, 1, 10), (true, 10, 1), (false, 10, 1), (true, 9, 10)];
        assert_eq!(lengths, expected);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_file_is_for_its_owner_and_keeps_the_one_before_it() {
        let folder = folder("owner");
        let path = folder.join("pushes");
        fs::write(&path, "before").unwrap();
        CaptureFile::create(&path, 1_000).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_to_string(before(&path)).unwrap(), "before");
        fs::remove_dir_all(folder).unwrap();
    }
}
