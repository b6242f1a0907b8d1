//! Where a plugin comes from, as it is written in the configuration.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

use http::Uri;
use pushgate_cache::Digest;

/// Bytes in a source; what is longer is a mistake.
const MAX_LENGTH: usize = 2_048;

/// Where a plugin comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file on this machine.
    File(PathBuf),
    /// A URL: HTTPS, or HTTP from this machine itself.
    Url(Uri),
    /// An artefact in an OCI registry.
    Oci(Reference),
}

/// What names an artefact in an OCI registry: `oci://registry/repository:tag`, or `@sha256:...` instead of or behind
/// the tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Host and port of the registry.
    pub(crate) registry: String,
    pub(crate) repository: String,
    pub(crate) tag: Option<String>,
    /// Of the manifest. It goes before the tag, which may change what it means.
    pub(crate) digest: Option<Digest>,
}

impl Source {
    /// Whether it comes over the network.
    pub fn is_remote(&self) -> bool {
        !matches!(self, Self::File(_))
    }

    /// Whether it can only be one file, whatever others make of the place that it comes from.
    pub fn is_pinned(&self) -> bool {
        matches!(self, Self::Oci(Reference { digest: Some(_), .. }))
    }
}

impl FromStr for Source {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("the path is empty".to_owned());
        }
        if text.len() > MAX_LENGTH || text.contains(char::is_control) {
            let start: String = text.chars().take(60).collect();
            return Err(format!("{start:?} is not a source: it is too long, or has control characters"));
        }
        let scheme = text.split_once("://");
        if scheme.is_some_and(|(_, rest)| rest.split('/').next().is_some_and(|host| host.contains('@'))) {
            // The text is not told: it may have a password.
            return Err("user and password belong in the credentials file, not in a source".to_owned());
        }
        match scheme {
            Some(("oci", rest)) => reference(rest).map(Self::Oci).map_err(|why| format!("'{text}': {why}")),
            Some(("https" | "http", _)) => url(text).map(Self::Url),
            Some((scheme, _)) => Err(format!(
                "'{text}': unknown scheme '{scheme}'; allowed: https, oci, or the path of a file"
            )),
            None => Ok(Self::File(PathBuf::from(text))),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Url(url) => url.fmt(f),
            Self::Oci(reference) => reference.fmt(f),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "oci://{}/{}", self.registry, self.repository)?;
        self.tag.iter().try_for_each(|tag| write!(f, ":{tag}"))?;
        self.digest.iter().try_for_each(|digest| write!(f, "@{digest}"))
    }
}

impl Reference {
    /// What a registry calls the manifest.
    pub(crate) fn name(&self) -> String {
        match (&self.digest, &self.tag) {
            (Some(digest), _) => digest.to_string(),
            (None, tag) => tag.clone().unwrap_or_default(),
        }
    }
}

/// A URL that may be asked: HTTPS, or HTTP on this machine.
pub(crate) fn url(text: &str) -> Result<Uri, String> {
    let url: Uri = text.parse().map_err(|_| format!("'{text}' is not a URL"))?;
    let host = url.host().filter(|host| !host.is_empty()).ok_or_else(|| format!("'{text}' has no host"))?;
    if url.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err(format!("it has a user for '{host}'"));
    }
    match url.scheme_str() {
        Some("https") => Ok(url),
        Some("http") if is_loopback(host) => Ok(url),
        _ => Err(format!("'{text}' is not encrypted; write https://, http:// is for this machine only")),
    }
}

/// Whether a host is this machine: then nobody is on the way.
pub(crate) fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

fn reference(text: &str) -> Result<Reference, String> {
    const FORM: &str = "write it as oci://registry/repository:tag or oci://registry/repository@sha256:...";
    let (registry, rest) = text.split_once('/').ok_or(FORM)?;
    let authority: http::uri::Authority = registry.parse().map_err(|_| FORM)?;
    if authority.host().is_empty() {
        return Err(FORM.to_owned());
    }
    let (rest, digest) = match rest.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest.parse::<Digest>().map_err(|error| error.to_string())?)),
        None => (rest, None),
    };
    let (repository, tag) = match rest.split_once(':') {
        Some((repository, tag)) => (repository, Some(tag)),
        None => (rest, None),
    };
    let small = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
    let segment = |segment: &str| {
        segment.starts_with(|first: char| first.is_ascii_alphanumeric()) && segment.bytes().all(small)
    };
    if !repository.split('/').all(segment) {
        return Err(format!(
            "'{repository}' is not a repository; allowed: segments of a-z, 0-9, '.', '_', '-'"
        ));
    }
    let in_tag = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if let Some(tag) = tag
        && !((1..=128).contains(&tag.len()) && !tag.starts_with(['.', '-']) && tag.bytes().all(in_tag))
    {
        return Err(format!("'{tag}' is not a tag; allowed: up to 128 letters, digits, '.', '_', '-'"));
    }
    if tag.is_none() && digest.is_none() {
        return Err(format!("it says neither tag nor digest; {FORM}"));
    }
    Ok(Reference {
        registry: registry.to_owned(),
        repository: repository.to_owned(),
        tag: tag.map(str::to_owned),
        digest,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn a_source_is_shown_as_it_was_written() {
        for (text, remote, pinned) in [
            ("naming.wasm", false, false),
            ("/opt/plug ins/x.wasm", false, false),
            ("https://example.org/x.wasm?v=1", true, false),
            ("http://127.0.0.1:8080/x.wasm", true, false),
            ("http://[::1]/x.wasm", true, false),
            ("http://localhost/x.wasm", true, false),
            ("oci://ghcr.io/acme/naming:1.2", true, false),
            ("oci://127.0.0.1:5000/naming:v1_2-RC.3", true, false),
            (&format!("oci://ghcr.io/a/b/c@{DIGEST}"), true, true),
            (&format!("oci://ghcr.io/a:1@{DIGEST}"), true, true),
        ] {
            let source: Source = text.parse().unwrap_or_else(|why| panic!("{text}: {why}"));
            assert_eq!((source.to_string().as_str(), source.is_remote()), (text, remote));
            assert_eq!(source.is_pinned(), pinned, "{text}");
        }
    }

    #[test]
    fn what_is_no_source_is_refused_with_what_to_write() {
        let longest = format!("oci://r/a:{}", "t".repeat(128));
        assert!(longest.parse::<Source>().is_ok());
        for (text, expected) in [
            ("", "the path is empty"),
            ("a\nb", "control characters"),
            (&"x".repeat(MAX_LENGTH + 1), "too long"),
            ("ftp://example.org/x", "unknown scheme 'ftp'; allowed: https, oci"),
            ("http://example.org/x.wasm", "is not encrypted; write https://"),
            ("http://127.example.org/x.wasm", "is not encrypted"),
            ("https:///x.wasm", "is not a URL"),
            ("https://a b/x.wasm", "is not a URL"),
            ("https://user:secret@example.org/x", "belong in the credentials file"),
            ("oci://user:secret@example.org/x:1", "belong in the credentials file"),
            ("oci://ghcr.io", "write it as oci://registry/repository:tag"),
            ("oci:///a:1", "write it as oci://"),
            ("oci://ghcr.io/a", "neither tag nor digest"),
            ("oci://ghcr.io/A:1", "'A' is not a repository"),
            ("oci://ghcr.io/a//b:1", "'a//b' is not a repository"),
            ("oci://ghcr.io/../b:1", "'../b' is not a repository"),
            ("oci://ghcr.io/a:", "'' is not a tag"),
            ("oci://ghcr.io/a:-x", "'-x' is not a tag"),
            ("oci://ghcr.io/a:x/y", "'x/y' is not a tag"),
            (&format!("{longest}t"), "is not a tag"),
            ("oci://ghcr.io/a@sha256:12", "'sha256:12' is not a digest"),
        ] {
            let told = text.parse::<Source>().unwrap_err();
            assert!(told.contains(expected), "{text}: {told}");
            assert!(!told.contains("secret"), "{told}");
        }
    }
}
