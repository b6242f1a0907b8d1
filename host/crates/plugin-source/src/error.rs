//! Why a plugin cannot be had.

use std::io;
use std::path::PathBuf;

use pushgate_cache::Digest;

/// Why a plugin cannot be had. Each names the file or URL that is the culprit.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// A file cannot be read.
    #[error("cannot read '{}': {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// There is more than a plugin may have.
    #[error("'{place}' has more than the {limit} bytes that are allowed")]
    TooLarge {
        /// The file or URL.
        place: String,
        /// The bound.
        limit: u64,
    },
    /// No answer, or none that is whole.
    #[error("cannot get '{url}': {reason}")]
    Unreachable {
        /// What was asked for.
        url: String,
        /// What went wrong on the way.
        reason: String,
    },
    /// The whole of it took too long.
    #[error("'{url}' did not answer in time; plugins.fetch_timeout is for all that one plugin needs")]
    Late {
        /// What was asked for last.
        url: String,
    },
    /// The server does not give it.
    #[error("'{url}' answers {status}{}", hint(*status))]
    Status {
        /// What was asked for.
        url: String,
        /// What the server said.
        status: u16,
    },
    /// The server sends us somewhere we do not go.
    #[error("'{url}' redirects to a place that is not followed: {reason}")]
    Redirect {
        /// What was asked for.
        url: String,
        /// Why not.
        reason: String,
    },
    /// A registry's answer is not what it should be.
    #[error("'{url}' is not what a registry should answer: {reason}")]
    Nonsense {
        /// What was asked for.
        url: String,
        /// What is wrong.
        reason: String,
    },
    /// The artefact is not one plugin.
    #[error("'{artefact}' is not a plugin: {reason}")]
    NoPlugin {
        /// The artefact.
        artefact: String,
        /// What it is instead.
        reason: String,
    },
    /// The user of a registry is asked for by somebody else.
    #[error(
        "'{url}' has its tokens given out by '{server}', which is of another domain and is not told the user of \
         '{registry}'; if that is right, add a user for '{server}' to plugins.credentials_file"
    )]
    TokenServer {
        /// What was asked for.
        url: String,
        /// Host and port of the registry.
        registry: String,
        /// Host and port of whoever gives the tokens out.
        server: String,
    },
    /// These are other bytes than those that are wanted.
    #[error("'{place}' has the digest {found}, but {wanted} is wanted")]
    Digest {
        /// The file or URL.
        place: String,
        /// What it is.
        found: Digest,
        /// What it should be.
        wanted: Digest,
    },
    /// It cannot be had, and would not have been needed if what was kept of it were good.
    #[error("{error}; and its copy in plugins.cache_directory cannot be used: {damage}")]
    AndDamaged {
        /// Why it cannot be had.
        error: Box<FetchError>,
        /// What is wrong with the copy.
        damage: String,
    },
    /// Nobody signed it.
    #[error("there is no signature at '{place}'; '{}' must have signed it", key.display())]
    NoSignature {
        /// Where one was looked for.
        place: String,
        /// The key.
        key: PathBuf,
    },
    /// Somebody else signed it, or something else was signed.
    #[error("the signature at '{place}' is not one of '{}' for this plugin", key.display())]
    WrongSignature {
        /// Where it was.
        place: String,
        /// The key.
        key: PathBuf,
    },
}

fn hint(status: u16) -> &'static str {
    match status {
        401 | 403 => "; a user and password for its host can stand in plugins.credentials_file",
        _ => "",
    }
}

/// Why nothing can be fetched at all.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file with authorities.
    #[error("the authorities in '{}' cannot be used: {reason}", path.display())]
    Authorities {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The file with users and passwords.
    #[error("the credentials in '{}' cannot be used: {reason}", path.display())]
    Credentials {
        /// The file.
        path: PathBuf,
        /// What is wrong with it. Tells nothing of what is in it.
        reason: String,
    },
}
