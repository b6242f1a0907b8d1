//! Files that can be had again, in a directory that only pushgate's user writes: plugins that were fetched, and the
//! code that was compiled of them.
//!
//! A [`CacheDirectory`] is ours: it is made with mode 0700, and one that somebody else owns or may write is refused.
//! That keeps others out; it does not make a file right, which may be damaged or of another version. Whoever reads
//! one compares it with the [`Digest`] or the code of authentication ([`Key`]) that it must have.

mod digest;
mod directory;
mod folder;
mod key;
#[cfg(test)]
mod testing;

pub use digest::{Digest, NoDigest};
pub use directory::{CacheDirectory, Refused};
pub use folder::Folder;
pub use key::Key;
