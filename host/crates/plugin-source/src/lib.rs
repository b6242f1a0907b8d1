//! Gets plugins, and makes sure that they are the right ones.
//!
//! A [`Source`] says where a plugin is: a file, a URL or an artefact in an OCI registry. [`Fetcher::fetch`] gets its
//! bytes and compares them with what is [`Wanted`]: a digest, the signature of a [`PublicKey`], or both. What came
//! over the network is kept under its digest, if there is a folder for that, and compared again with each use. A
//! [`LockFile`] remembers what each plugin was.
//!
//! Nothing here knows what a plugin does. Calls block, within the time that is allowed for one plugin.

mod client;
mod credentials;
mod error;
mod evidence;
mod fetch;
mod lock;
mod oci;
mod public_key;
mod source;

pub use error::{FetchError, SettingsError};
pub use fetch::{Fetched, Fetcher, Settings, Wanted};
pub use lock::{LockFile, LockFileError, Locked};
pub use public_key::{KeyError, PublicKey};
pub use pushgate_cache::Digest;
pub use source::{Reference, Source};
