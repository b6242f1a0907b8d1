//! Certificates and keys in PEM.

use rustls::pki_types::pem::{Error, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// All certificates of a file, at least one. The error is the mend.
pub(crate) fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, &'static str> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err("has no readable certificate; it takes PEM, beginning with '-----BEGIN CERTIFICATE-----'"),
    }
}

/// The first private key of a file.
pub(crate) fn private_key(pem: &[u8]) -> Result<PrivateKeyDer<'static>, &'static str> {
    PrivateKeyDer::from_pem_slice(pem).map_err(|error| match error {
        // An encrypted key has a section of another name.
        Error::NoItemsFound => {
            "has no private key that can be read; it takes PEM, not encrypted, such as '-----BEGIN PRIVATE KEY-----'"
        }
        _ => "is not readable PEM",
    })
}
