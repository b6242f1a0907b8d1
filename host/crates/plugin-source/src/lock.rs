//! What each plugin was when somebody last looked, so that it stays that.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use pushgate_cache::Digest;

const HEADER: &str = "\
# Written by `pushgate lock`; keep it with the configuration. Each line is a plugin: its name, its digest, the
# fingerprint of the key that has signed it or `-`, and its source.
";

/// The plugins of a configuration, by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LockFile(BTreeMap<String, Locked>);

/// What a plugin was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locked {
    /// Where it came from, as it is written in the configuration.
    pub source: String,
    /// The digest of its bytes.
    pub digest: Digest,
    /// The fingerprint of the key that had signed it.
    pub signer: Option<Digest>,
}

/// A lock file cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct LockFileError {
    line: usize,
    reason: String,
}

impl LockFile {
    /// What the plugin of that name was.
    pub fn plugin(&self, name: &str) -> Option<&Locked> {
        self.0.get(name)
    }

    /// All of them, sorted by name.
    pub fn plugins(&self) -> impl Iterator<Item = (&str, &Locked)> {
        self.0.iter().map(|(name, locked)| (name.as_str(), locked))
    }

    /// Remembers a plugin. Neither its name nor its source may have control characters.
    pub fn insert(&mut self, name: &str, locked: Locked) {
        self.0.insert(name.to_owned(), locked);
    }
}

impl FromStr for LockFile {
    type Err = LockFileError;

    fn from_str(text: &str) -> Result<Self, LockFileError> {
        let mut plugins = BTreeMap::new();
        for (index, line) in
            text.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        {
            let refused = |reason: String| LockFileError { line: index + 1, reason };
            let mut fields = line.splitn(4, ' ');
            let (Some(name), Some(digest), Some(signer), Some(source)) =
                (fields.next(), fields.next(), fields.next(), fields.next())
            else {
                return Err(refused("it has not a name, a digest, a key and a source".to_owned()));
            };
            let digest_of = |text: &str| text.parse::<Digest>().map_err(|error| refused(error.to_string()));
            let signer = if signer == "-" { None } else { Some(digest_of(signer)?) };
            let locked = Locked { source: source.to_owned(), digest: digest_of(digest)?, signer };
            if plugins.insert(name.to_owned(), locked).is_some() {
                return Err(refused(format!("'{name}' stands there twice")));
            }
        }
        Ok(Self(plugins))
    }
}

impl fmt::Display for LockFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HEADER)?;
        for (name, Locked { source, digest, signer }) in &self.0 {
            let signer = signer.map_or_else(|| "-".to_owned(), |signer| signer.to_string());
            writeln!(f, "{name} {digest} {signer} {source}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_file_reads_back() {
        let mut file = LockFile::default();
        assert_eq!(file.to_string().parse(), Ok(file.clone()));
        let locked =
            |source: &str, signer| Locked { source: source.to_owned(), digest: Digest::of(b"a"), signer };
        file.insert("relabel", locked("oci://ghcr.io/a/b:1", Some(Digest::of(b"key"))));
        file.insert("naming", locked("plug ins/naming.wasm", None));
        let text = file.to_string();
        assert_eq!(text.parse(), Ok(file.clone()), "{text}");
        let names: Vec<_> = text.lines().skip(2).map(|line| line.split(' ').next().unwrap()).collect();
        assert_eq!(names, ["naming", "relabel"]);
        assert_eq!(file.plugin("naming"), Some(&locked("plug ins/naming.wasm", None)));
        assert_eq!(file.plugin("other"), None);
    }

    #[test]
    fn a_line_that_is_none_is_told() {
        let digest = Digest::of(b"");
        for (line, expected) in [
            ("naming".to_owned(), "line 2: it has not a name"),
            (format!("naming {digest} -"), "line 2: it has not a name"),
            ("naming sha256:1 - x".to_owned(), "line 2: 'sha256:1' is not a digest"),
            (format!("naming {digest} key x"), "line 2: 'key' is not a digest"),
            (format!("naming {digest} - x\nnaming {digest} - y"), "line 3: 'naming' stands there twice"),
        ] {
            let told = format!("\n{line}\n").parse::<LockFile>().unwrap_err().to_string();
            assert!(told.starts_with(expected), "{line}: {told}");
        }
    }
}
