//! Reads the web configuration file that Prometheus and its exporters share: TLS, users with passwords, headers
//! to add to answers, and a rate limit.
//!
//! The life of such a file:
//!
//! 1. [`Live::load`] reads it at the start, with the certificates and keys it names. Whatever is wrong with it
//!    is an [`Error`] that names the file, the line and the mend, and the gateway does not start.
//! 2. A connection is accepted with [`Live::tls`], a request with [`Live::current`]: both follow the files.
//!    [`Live::is_stale`] asks the system whether a file changed, [`Live::refresh`] reads them again.
//! 3. A request passes [`Live::admit`], the rate limit, and then [`Logins`], which compares passwords.
//!
//! What cannot be read never opens the door: while the file is broken there is no configuration, and whoever
//! serves has to refuse requests. No hash, password or key is ever part of an error, of a line in the log or of
//! what `Debug` prints.
//!
//! This crate does no I/O but reading these files, and neither waits nor spawns: comparing a password takes long
//! by design, and the caller decides where that happens.

mod client_auth;
mod config;
mod credentials;
mod document;
mod error;
mod files;
mod hash;
mod headers;
mod live;
mod logins;
mod names;
mod pem;
mod rate_limit;
mod table;
#[cfg(test)]
mod testing;
mod tls;
mod users;
pub mod yaml;

pub use config::WebConfig;
pub use credentials::Credentials;
pub use error::{Error, Problem};
pub use live::Live;
pub use logins::{Comparison, Login, Logins};
pub use rate_limit::{Bucket, RateLimit};
pub use tls::Tls;
pub use users::Users;
